//! A question's page: all that is known of it, in the book of questions.
//!
//! JSON inside a sealed page. It names the subject: what it says is shown to the institution's own people in the inbox,
//! and to nobody else.

use serde::{Deserialize, Serialize};
use vouchsafe_ledger_types::card::PartyName;
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::ids::CallId;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::signing::PublicKey;
use vouchsafe_ledger_types::units::BlockTime;

use super::slots::Millis;

/// Where a question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A person has to say yes or no.
    Inbox,
    /// It may be answered, and waits for its turn.
    Permitted,
    /// It may not be answered, and waits for its turn all the same.
    Denied,
    /// The body is there.
    Done,
}

impl Stage {
    /// Whether it is somebody's turn to work on it.
    pub(super) fn is_decided(self) -> bool {
        matches!(self, Stage::Permitted | Stage::Denied)
    }
}

/// A question and what came of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The version of this form: 1.
    pub version: u32,
    /// Who asked.
    pub asker: PartyName,
    /// With which key.
    pub signer: PublicKey,
    /// What.
    pub request: Request,
    /// About whom: an identifier.
    pub subject: String,
    /// When it was taken.
    pub taken_ms: Millis,
    /// When its answer leaves, at the earliest.
    pub slot_ms: Millis,
    /// When work on it begins.
    pub start_ms: Millis,
    /// When it ends, whatever comes.
    pub ends_at: BlockTime,
    /// Where it stands.
    pub stage: Stage,
    /// Whether a person said yes to it.
    pub person: bool,
    /// What leaves, padded; empty until it is done.
    pub body: String,
}

impl Page {
    /// How many parts its request has.
    pub(super) fn parts(&self) -> u32 {
        self.request.parts.len() as u32 // at most four
    }
}

/// It names the subject.
impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({:?})", self.stage)
    }
}

/// A question in the inbox, as a person is shown it. It names the subject: Debug shows the id alone.
#[derive(Clone, serde::Serialize)]
pub struct Waiting {
    /// Its id.
    pub id: CallId,
    /// Who asks.
    pub asker: String,
    /// What for.
    pub purpose: String,
    /// On what legal ground.
    pub legal_basis: Option<String>,
    /// What, part by part.
    pub parts: Vec<String>,
    /// About whom.
    pub subject: String,
    /// Until when it can be decided.
    pub ends_at: BlockTime,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiting({})", self.id)
    }
}

impl Waiting {
    pub(super) fn of(id: CallId, page: Page) -> Waiting {
        Waiting {
            id,
            asker: page.asker.to_string(),
            purpose: page.request.purpose.clone(),
            legal_basis: page.request.legal_basis.clone(),
            parts: page.request.parts.iter().map(|part| part.predicate.clone()).collect(),
            subject: page.subject,
            ends_at: page.ends_at,
        }
    }
}

const REFUSED: &str = "{\"refused\":true}";

/// How many bytes the body of an answer has: a matter of the request alone.
///
/// A part's share covers key, proof and four state proofs in a state of 2^32 values; the rest covers seals, log proofs in
/// a log of 2^32 leaves, and checkpoint. The request stands in the evidence as it was sent.
pub fn body_bytes(request: &Request) -> usize {
    const PART: usize = 32 << 10;
    const STEP: usize = 32 << 10;
    let request_bytes = serde_json::to_vec(request).map_or(0, |json| json.len());
    (PART * (1 + request.parts.len()) + request_bytes).next_multiple_of(STEP)
}

/// The body of an answer in its size. Evidence that does not fit is not sent: no size may depend on what is said.
pub(super) fn body(request: &Request, evidence: Option<&Evidence>) -> String {
    let bytes = body_bytes(request);
    let json = evidence.and_then(|evidence| serde_json::to_string(evidence).ok());
    let answer = json.map(|json| format!("{{\"evidence\":{json}}}")).filter(|answer| answer.len() <= bytes);
    if answer.is_none() && evidence.is_some() {
        tracing::error!("an answer was larger than its place and was not sent: tell the makers of this program");
    }
    padded(answer.unwrap_or_else(|| REFUSED.to_owned()), bytes)
}

fn padded(mut body: String, bytes: usize) -> String {
    body.extend(std::iter::repeat_n(' ', bytes.saturating_sub(body.len())));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_makes_one_size_and_stays_json() {
        let refused = padded(REFUSED.to_owned(), 64);
        let answered = padded(format!("{{\"evidence\":\"{}\"}}", "x".repeat(40)), 64);
        assert_eq!((refused.len(), answered.len()), (64, 64));
        assert!(serde_json::from_str::<serde_json::Value>(&refused).is_ok());
    }
}
