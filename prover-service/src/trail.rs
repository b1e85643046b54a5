//! The audit trail: what this member wrote to the ledger about access, with the openings that it keeps.
//!
//! ```text
//! ledger, block by block: grants, releases, emergencies, reviews, disclosures, budgets ─► with its opening: who, which tier, what came of it
//! ```
//!
//! It starts from the ledger, so what was logged and has no opening shows as such. For whoever holds the audit seed; it
//! names readers, verifiers and records, never a subject or a value.

use serde::Serialize;
use vouchsafe_access::disclosures::{BookError, DisclosureBook};
use vouchsafe_circuits::Suite;
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger_types::disclosure::Outcome;
use vouchsafe_ledger_types::entry::Body;
use vouchsafe_ledger_types::ids::{DisclosureCommitment, EntryId};
use vouchsafe_ledger_types::units::{BlockTime, Height};

use crate::calendar;
use crate::institution::Institution;

/// One line of the trail.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The block.
    pub height: Height,
    /// Its time.
    pub time: BlockTime,
    /// The entry.
    pub entry: EntryId,
    /// What kind of entry.
    pub kind: &'static str,
    /// Whether the ledger accepted it.
    pub accepted: bool,
    /// What stands in clear.
    pub clear: String,
    /// What was opened; none where there is nothing to open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
    /// That the opening is missing or damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// What a disclosure's opening says.
#[derive(Clone, Debug, Serialize)]
pub struct Opened {
    /// Who read or answered.
    pub reader: String,
    /// For whom: a verifier's name, a reader's card.
    pub verifier: String,
    /// The highest tier.
    pub tier: u8,
    /// What came of it.
    pub outcome: &'static str,
    /// The records, by commitment.
    pub records: Vec<String>,
    /// The policy that decided.
    pub policy: String,
}

/// Why there is no trail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrailError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] QueryError),
}

/// The trail from a height on.
pub fn trail(institution: &Institution, from: Height) -> Result<Vec<Line>, TrailError> {
    let snapshot = institution.ledger().snapshot()?;
    let (book, suite) = (institution.disclosures(), institution.identity().suite);
    let mut lines = Vec::new();
    for height in from.get().max(1)..=snapshot.height().get() {
        let height = Height::new(height);
        let time = snapshot.seal_at(height)?.time;
        for entry in snapshot.entries(height)? {
            if entry.entry().header.member != institution.member() {
                continue;
            }
            let Some((kind, clear, commitment)) = told(&entry.entry().body) else { continue };
            let accepted = snapshot.receipt(entry.id())?.is_some_and(|receipt| receipt.code.is_accepted());
            let opening = commitment.map(|commitment| open(book, commitment, suite));
            let (opened, missing) = match opening {
                None => (None, None),
                Some(Ok(opened)) => (Some(opened), None),
                Some(Err(error)) => (None, Some(error.to_string())),
            };
            lines.push(Line { height, time, entry: entry.id(), kind, accepted, clear, opened, missing });
        }
    }
    Ok(lines)
}

/// What an entry about access says in clear, and what there is to open; none for other entries.
fn told(body: &Body) -> Option<(&'static str, String, Option<DisclosureCommitment>)> {
    Some(match body {
        Body::Disclosure(body) => ("question", body.purpose.as_str().to_owned(), Some(body.commitment)),
        Body::Grant(body) => ("grant", format!("{} until {}", body.purpose.as_str(), shown(body.until)), None),
        Body::RevokeGrant(body) => ("revocation", format!("of {}", body.grant), None),
        Body::KeyRelease(body) => {
            ("release", format!("{} on {}", body.purpose.as_str(), body.grant), Some(body.commitment))
        }
        Body::EmergencyAccess(body) => {
            ("emergency", format!("review by {}", shown(body.review_by)), Some(body.commitment))
        }
        Body::Review(body) => ("review", format!("of {}", body.emergency), None),
        Body::OpenDataSet(body) => ("data set", format!("{}, {}", body.name, body.budget), None),
        Body::OpenProject(body) => ("project", format!("{}, {}", body.purpose.as_str(), body.budget), None),
        Body::ReserveBudget(body) => ("budget reserved", body.amount.to_string(), None),
        Body::SpendBudget(body) => ("budget spent", format!("of {}", body.reservation), None),
        Body::Withdraw(_) => ("withdrawal", String::new(), None),
        _ => return None,
    })
}

fn shown(time: BlockTime) -> String {
    calendar::show_instant(time.unix())
}

fn open(book: &DisclosureBook, commitment: DisclosureCommitment, suite: Suite) -> Result<Opened, BookError> {
    let opening = book.opening(commitment, suite)?;
    let details = opening.details();
    let outcome = match details.outcome {
        Outcome::Holds => "holds",
        Outcome::DoesNotHold => "does not hold",
        Outcome::Unknown => "unknown",
        Outcome::Denied => "denied",
        Outcome::Released => "released",
        _ => "other",
    };
    Ok(Opened {
        reader: details.reader.clone(),
        verifier: details.verifier.clone(),
        tier: details.tier as u8,
        outcome,
        records: details.records.iter().map(ToString::to_string).collect(),
        policy: details.policy.to_string(),
    })
}
