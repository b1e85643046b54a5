//! A question's page: all that is known of it, in the book of questions.
//!
//! JSON inside a sealed page. It names the subject, so it never leaves the book but in the answer to its asker and, without the
//! subject's identifier, in the inbox.

use serde::{Deserialize, Serialize};
use vouchsafe_ledger_types::card::PartyName;
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
    /// When it ends, whatever comes.
    pub ends_at: BlockTime,
    /// Where it stands.
    pub stage: Stage,
    /// What leaves, before it is padded; empty until it is done.
    pub body: String,
}

/// It names the subject.
impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({:?})", self.stage)
    }
}

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

/// A body in its size; none if it does not fit, which no body may depend on.
pub fn padded(body: &str, bytes: usize) -> Option<Vec<u8>> {
    let mut padded = body.as_bytes().to_vec();
    (padded.len() <= bytes).then(|| {
        padded.resize(bytes, b' ');
        padded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_makes_one_size_and_stays_json() {
        let refused = padded("{\"refused\":true}", 64).unwrap();
        let answered = padded(&format!("{{\"evidence\":\"{}\"}}", "x".repeat(40)), 64).unwrap();
        assert_eq!(refused.len(), answered.len());
        assert!(serde_json::from_slice::<serde_json::Value>(&refused).is_ok());
        assert!(padded(&"x".repeat(65), 64).is_none());
    }
}
