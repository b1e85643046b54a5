//! Answering: a holder checks a request, logs it, proves, and puts the evidence together.
//!
//! ```text
//! check request → find a record → note the opening → log the disclosure → prove against the new seal → evidence
//! ```
//!
//! A question that cannot be answered with yes is logged like any other; the reason goes to the holder alone.
//! What the verifier sees of a refusal, in time and size, is the business of the service that answers online.

mod assemble;

use rand::{CryptoRng, RngCore};
use vouchsafe_access::disclosures::BookError;
use vouchsafe_access::subject::{Identifier, SubjectId};
use vouchsafe_access::vault::{HeldRecord, IndexError, ReadError, RecordId};
use vouchsafe_circuits::record::{Day, Tier, pseudonym};
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::statements::fact::{self, ProveError, Public, Witness};
use vouchsafe_circuits::{Anchor, RequestDigest};
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger_types::disclosure::{DisclosureDetails, DisclosureOpening, Outcome};
use vouchsafe_ledger_types::entry::{Body, Disclosure, PurposeClass};
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::ids::PolicyDigest;
use vouchsafe_ledger_types::request::{Part, Request, RequestError};
use vouchsafe_ledger_types::units::BlockTime;

pub(crate) use assemble::{Logged, Proved, assemble};

use crate::ask::compile_part;
use crate::institution::{Institution, WriteError};
use crate::key_files::{KeyFileError, ProvingKeys};

/// How far the asker's day may be from ours: its clock and time zone.
const ASKED_ON_DAYS: u32 = 1;
/// How many days an auditor can ask for the opening of a disclosure.
const OPENING_DAYS: u64 = 90;

/// Why there is no evidence. The first ones are the asker's fault; `No` is for the holder's eyes alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The request is not one that this institution can answer.
    #[error("the request cannot be answered: {0}")]
    Request(String),
    /// The request's form.
    #[error(transparent)]
    Form(#[from] RequestError),
    /// The subject is not known here.
    #[error("no subject of this vault has that identifier")]
    NoSubject,
    /// No active record shows it. The question was logged all the same.
    #[error("not proved: {0}")]
    No(&'static str),
    /// A record, or the vault's index, could not be read.
    #[error(transparent)]
    Read(Box<ReadError>),
    /// The keys are missing or damaged.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The book of disclosures.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The ledger did not take the disclosure.
    #[error("the disclosure could not be logged, so nothing was disclosed")]
    Log(#[from] WriteError),
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] QueryError),
    /// The proof could not be made. Our bug, or a record that changed meanwhile.
    #[error(transparent)]
    Prove(#[from] ProveError),
}

impl From<ReadError> for AnswerError {
    fn from(error: ReadError) -> AnswerError {
        AnswerError::Read(Box::new(error))
    }
}

impl From<IndexError> for AnswerError {
    fn from(error: IndexError) -> AnswerError {
        ReadError::Index(error).into()
    }
}

/// What looking through a subject's records for one part came to.
struct Search {
    schema: Schema,
    found: Option<HeldRecord>,
    /// A record that could not be read; told to the holder after the question is logged.
    failed: Option<ReadError>,
}

/// A record that satisfies a part.
struct Found {
    record: HeldRecord,
    schema: Schema,
}

/// Answers a request about one subject. Once the request itself is in order, the question is logged whatever comes of
/// it: an unknown subject, no such record, one that cannot be read.
pub async fn answer(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    subject: &Identifier,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Evidence, AnswerError> {
    let digest = check(institution, keys, request)?;
    let known = institution.vault().subject(subject)?;
    let mut searches = Vec::new();
    for part in &request.parts {
        searches.push(search(institution, part, known).await?);
    }
    let opening = note(institution, request, digest, &searches, rng)?;
    let body = Disclosure {
        commitment: opening.commitment(),
        purpose: PurposeClass::of_code(&request.purpose),
        deadline: deadline(institution.clock().now()),
    };
    let receipt = institution.pen().submit(institution.ledger(), Body::Disclosure(body))?;
    if known.is_none() {
        return Err(AnswerError::NoSubject);
    }
    let mut found = Vec::new();
    for Search { schema, found: record, failed } in searches {
        match (record, failed) {
            (Some(record), _) => found.push(Found { record, schema }),
            (None, Some(failed)) => return Err(failed.into()),
            (None, None) => {
                return Err(AnswerError::No("no active record of the subject satisfies the predicate"));
            }
        }
    }
    let logged = Logged { opening: opening.question(), entry: receipt.entry };
    tokio::task::block_in_place(|| prove(institution, keys, request, found, digest, logged, rng))
}

/// Until when an auditor's wish to see the opening must be met: a whole number of days, since the deadline stands in
/// clear and must not tell one question from another.
fn deadline(now: BlockTime) -> BlockTime {
    const DAY: u64 = 86_400;
    let days = now.unix() / DAY + 1 + OPENING_DAYS;
    BlockTime::from_unix(days * DAY).unwrap_or(now)
}

fn check(institution: &Institution, keys: &dyn ProvingKeys, request: &Request) -> Result<RequestDigest, AnswerError> {
    let refuse = |why: &str| Err(AnswerError::Request(why.to_owned()));
    request.check()?;
    let identity = institution.identity();
    let now = institution.clock().now();
    if request.chain != identity.chain || request.suite != identity.suite {
        return refuse("it is about another ledger");
    }
    if now > request.expires {
        return refuse("it has expired");
    }
    if request.asked_on.abs_diff(now.day()) > ASKED_ON_DAYS {
        // whole years before today are the grid of dates: another day would shift the grid at will
        return refuse("its day of asking is not today: compare the clocks");
    }
    let snapshot = institution.ledger().snapshot()?;
    for part in &request.parts {
        if part.issuer != institution.member() {
            return refuse("it asks for records of another member");
        }
        let (clauses, table) = compile_part(part, request.asked_on).map_err(AnswerError::Request)?;
        if clauses != part.clauses || table != part.table {
            return refuse("its clauses are not what its predicate says");
        }
        let schema = part.schema().map_err(RequestError::Schema)?.id();
        if snapshot.value::<vouchsafe_ledger_types::state_value::SchemaState>(schema)?.is_none() {
            return refuse("its schema is not registered on the ledger");
        }
        let (_, key) = keys.keys(part.statement)?;
        if key.id() != part.key {
            return refuse("it names another verifying key than ours: ask with a newer trust file");
        }
    }
    Ok(request.digest()?)
}

/// Looks for a record of the subject that shows the part: active here and on the ledger, valid today.
async fn search(institution: &Institution, part: &Part, subject: Option<SubjectId>) -> Result<Search, AnswerError> {
    let schema = part.schema().map_err(RequestError::Schema)?;
    let mut failed = None;
    let Some(subject) = subject else { return Ok(Search { schema, found: None, failed }) };
    let today = institution.clock().now().day();
    for id in institution.vault().find(subject, schema.id())? {
        let record = match institution.vault().open_for_proof(id, &schema).await {
            Ok(record) => record,
            Err(ReadError::Erased(_)) => continue,
            Err(error) => {
                failed = failed.or(Some(error));
                continue;
            }
        };
        // the index lists it as this subject's; what opened it says whose it is
        let usable =
            record.subject == subject && record.opening.header.valid.holds_on(today) && is_active(institution, id)?;
        if usable && fact::eval(&part.clauses, part.table, &record.opening.fields) {
            return Ok(Search { schema, found: Some(record), failed: None });
        }
    }
    Ok(Search { schema, found: None, failed })
}

fn is_active(institution: &Institution, id: RecordId) -> Result<bool, QueryError> {
    let place = institution.ledger().snapshot()?.lookup(institution.member(), id.commitment())?;
    Ok(place.is_some_and(|place| place.active))
}

fn note(
    institution: &Institution,
    request: &Request,
    digest: RequestDigest,
    searches: &[Search],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<DisclosureOpening, AnswerError> {
    let fields = request
        .parts
        .iter()
        .zip(searches)
        .flat_map(|(part, search)| part.clauses.iter().filter_map(|clause| search.schema.field_at(clause.field)));
    let details = DisclosureDetails {
        reader: institution.identity().member.to_string(),
        verifier: request.verifier.clone(),
        records: searches.iter().filter_map(|s| s.found.as_ref()).map(|record| record.id.commitment()).collect(),
        // what was looked at to judge, whatever came of it
        tier: fields.map(|field| field.tier).max().unwrap_or(Tier::Public),
        outcome: if searches.iter().all(|s| s.found.is_some()) { Outcome::Holds } else { Outcome::DoesNotHold },
        policy: PolicyDigest::NONE,
        seen: institution.ledger().snapshot()?.height(),
    };
    Ok(institution.disclosures().note(details, digest, rng)?)
}

/// Proves every part as of the newest block, which is not before the one that logged the question.
fn prove(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    found: Vec<Found>,
    digest: RequestDigest,
    logged: Logged,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Evidence, AnswerError> {
    let issuer = institution.member();
    let (seal, memberships) = {
        let snapshot = institution.ledger().snapshot()?;
        let mut memberships = Vec::new();
        for found in &found {
            let position =
                found.record.active_position().ok_or(AnswerError::No("the record is not active any more"))?;
            memberships.push(snapshot.membership(issuer, position)?.ok_or(AnswerError::No("no member any more"))?);
        }
        (*snapshot.seal(), memberships)
    };
    let mut proved = Vec::new();
    for ((found, membership), part) in found.into_iter().zip(memberships).zip(&request.parts) {
        let (proving, verifying) = keys.keys(part.statement)?;
        let public = public_inputs(request, part, &found, membership.anchor, digest, seal.time.day())?;
        let witness = Witness::new(found.record.opening, membership.path);
        let proof = fact::prove(&proving, &public, &witness, rng)?;
        proved.push(Proved { issuer, public, proof, key_id: verifying.id(), key: verifying.to_bytes() });
    }
    Ok(assemble(institution.ledger(), request, proved, logged, seal.height)?)
}

fn public_inputs(
    request: &Request,
    part: &Part,
    found: &Found,
    anchor: Anchor,
    digest: RequestDigest,
    today: u32,
) -> Result<Public, AnswerError> {
    let header = &found.record.opening.header;
    let not_ours = |_| AnswerError::No("the record is not of this suite");
    Ok(Public {
        anchor,
        issuer: part.issuer.issuer(),
        schema: found.schema.id(),
        today: Day::new(today as i32), // block times end with the year 9999
        scope: request.scope(),
        pseudonym: pseudonym(request.suite, &header.subject_key, request.scope()).map_err(not_ours)?,
        digest,
        table: part.table,
        clauses: part.clauses.clone(),
    })
}
