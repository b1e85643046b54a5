//! Looking through a subject's records for one part of a request.
//!
//! All of them are opened and judged, whatever the first ones say: the work depends on the subject, not on the answer.
//! Where a part has the subject's consent shown, an active deny of the same subject that covers verifier and purpose
//! counts before every permit, and so does a record that cannot be read: it may be one.

use vouchsafe_access::subject::SubjectId;
use vouchsafe_access::vault::{HeldRecord, ReadError, RecordId};
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::statements::fact::{self, Truth};
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger_types::request::{Part, Request, RequestError};

use super::AnswerError;
use crate::ask::consent_part_of;
use crate::consent::Word;
use crate::institution::Institution;

/// What looking through a subject's records for one part came to.
pub(super) struct Search {
    pub(super) schema: Schema,
    /// The first record that satisfies the part.
    pub(super) found: Option<HeldRecord>,
    /// What the part is worth on the subject's records together.
    pub(super) truth: Truth,
    /// A record that could not be read; for the holder alone.
    pub(super) failed: Option<ReadError>,
}

impl Search {
    fn nothing(schema: Schema) -> Search {
        Search { schema, found: None, truth: Truth::DoesNotHold, failed: None }
    }

    /// What was seen of somebody else's records, or of records that must not be spoken of, is gone.
    pub(super) fn forget(self) -> Search {
        Search::nothing(self.schema)
    }
}

/// Looks for a record of the subject that shows the part: active here and on the ledger, valid today.
pub(super) async fn search(
    institution: &Institution,
    request: &Request,
    part: &Part,
    subject: Option<SubjectId>,
) -> Result<Search, AnswerError> {
    let mut search = Search::nothing(part.schema().map_err(RequestError::Schema)?);
    let Some(subject) = subject else { return Ok(search) };
    let shows_consent = consent_part_of(request).is_some_and(|consent| consent == part);
    let today = institution.clock().now().day();
    let mut denied = false;
    for id in institution.vault().find(subject, search.schema.id())? {
        let record = match institution.vault().open_for_proof(id, &search.schema).await {
            Ok(record) => record,
            Err(ReadError::Erased(_)) => continue,
            Err(error) => {
                search.failed.get_or_insert(error);
                continue;
            }
        };
        // the index lists it as this subject's; what opened it says whose it is
        let valid = record.subject == subject && record.opening.header.valid.holds_on(today);
        if !valid || !is_active(institution, id)? {
            continue;
        }
        if shows_consent {
            let word = Word::of(&search.schema, &record.values);
            denied |= word.is_none_or(|word| word.denies(&request.verifier, &request.purpose));
        }
        match fact::judge(&part.clauses, part.table, &record.opening.fields) {
            Truth::Holds => {
                search.truth = Truth::Holds;
                search.found.get_or_insert(record);
            }
            Truth::Unknown if search.truth == Truth::DoesNotHold => search.truth = Truth::Unknown,
            _ => {}
        }
    }
    if shows_consent && (denied || search.failed.is_some()) {
        (search.found, search.truth) = (None, Truth::DoesNotHold);
    }
    if search.found.is_none() && search.failed.is_some() {
        search.truth = Truth::Unknown; // who knows what it says
    }
    Ok(search)
}

fn is_active(institution: &Institution, id: RecordId) -> Result<bool, QueryError> {
    let place = institution.ledger().snapshot()?.lookup(institution.member(), id.commitment())?;
    Ok(place.is_some_and(|place| place.active))
}
