//! Blinded disclosures: what the ledger holds of a question, and what opens it.
//! ```text
//! audit      = digest(DisclosureAudit,    fixed-size details ‖ blinding a)
//! question   = digest(DisclosureQuestion, request digest ‖ blinding q)
//! commitment = digest(Disclosure,         question ‖ audit)                        (each part behind its length)
//! ```
//! The verifier is shown blinding q and the audit hash: it finds its request inside, and learns nothing of the rest.
//! An auditor is shown everything, in 398 bytes whatever they say. Blindings come from the caller (a PRF of its audit
//! seed and the question); the commitment hides nothing if they can be guessed.

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::tags::{Domain, digest};
use vouchsafe_circuits::{Commitment, Fe, RequestDigest, Suite};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{DisclosureCommitment, PolicyDigest};
use crate::units::Height;

/// The longest name of a reader or verifier, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// How many records one answer may speak of.
pub const RECORDS_MAX: usize = 4;
/// How many bytes an opening has, whatever it says.
pub const OPENING_BYTES: usize = DETAILS_BYTES + 96;

const VERSION: u8 = 2;
const DETAILS_BYTES: usize = 1 + 2 * (1 + NAME_BYTES_MAX) + 32 * RECORDS_MAX + 3 + 32 + 8;

/// Why an opening cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// A reader's or verifier's name is too long.
    #[error("a reader's or verifier's name has at most {NAME_BYTES_MAX} bytes")]
    NameTooLong,
    /// Too many records.
    #[error("a disclosure speaks of at most {RECORDS_MAX} records")]
    TooManyRecords,
    /// Not the bytes of an opening.
    #[error("not the bytes of a disclosure's opening")]
    Malformed,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The fact holds, and was proved.
    Holds,
    /// No record shows it.
    DoesNotHold,
    /// A record leaves it open.
    Unknown,
    /// Policy did not permit an answer.
    Denied,
    /// A key or content was released.
    Released,
}

impl Outcome {
    const CODES: [(Outcome, u8); 5] = [
        (Outcome::Holds, 1),
        (Outcome::DoesNotHold, 2),
        (Outcome::Unknown, 3),
        (Outcome::Denied, 4),
        (Outcome::Released, 5),
    ];
}

/// Thirty-two secret bytes that hide a part of a disclosure.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DisclosureBlinding([u8; 32]);

impl DisclosureBlinding {
    /// Takes bytes that nobody else can guess.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl core::fmt::Debug for DisclosureBlinding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DisclosureBlinding")
    }
}

/// What is disclosed to whom; secret towards everybody but the member and its auditor.
#[derive(Clone, PartialEq, Eq)]
pub struct DisclosureDetails {
    /// Who reads or asks, at the member.
    pub reader: String,
    /// For whom.
    pub verifier: String,
    /// The records it speaks of; none if there was none.
    pub records: Vec<Commitment>,
    /// The highest tier that was touched.
    pub tier: Tier,
    /// What came of it.
    pub outcome: Outcome,
    /// The policy that was asked; [`PolicyDigest::NONE`] if there was none.
    pub policy: PolicyDigest,
    /// The block whose state was seen when it was decided.
    pub seen: Height,
}

impl core::fmt::Debug for DisclosureDetails {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DisclosureDetails")
    }
}

impl Drop for DisclosureDetails {
    fn drop(&mut self) {
        self.reader.zeroize();
        self.verifier.zeroize();
    }
}

/// Everything behind a disclosure's commitment; for the auditor.
#[derive(Clone)]
pub struct DisclosureOpening {
    details: DisclosureDetails,
    request: RequestDigest,
    question_blinding: DisclosureBlinding,
    audit_blinding: DisclosureBlinding,
}

impl core::fmt::Debug for DisclosureOpening {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DisclosureOpening")
    }
}

impl DisclosureOpening {
    /// Puts an opening together; the two blindings must be independent.
    pub fn new(
        details: DisclosureDetails,
        request: RequestDigest,
        question_blinding: DisclosureBlinding,
        audit_blinding: DisclosureBlinding,
    ) -> Result<Self, OpeningError> {
        if details.reader.len() > NAME_BYTES_MAX || details.verifier.len() > NAME_BYTES_MAX {
            return Err(OpeningError::NameTooLong);
        }
        if details.records.len() > RECORDS_MAX {
            return Err(OpeningError::TooManyRecords);
        }
        if details.records.iter().any(|record| record.fe().is_zero()) {
            return Err(OpeningError::Malformed);
        }
        Ok(Self { details, request, question_blinding, audit_blinding })
    }

    /// What is disclosed to whom.
    pub fn details(&self) -> &DisclosureDetails {
        &self.details
    }

    /// The request it answers.
    pub fn request(&self) -> RequestDigest {
        self.request
    }

    /// What the ledger holds.
    pub fn commitment(&self) -> DisclosureCommitment {
        self.question().commitment(&self.request)
    }

    /// What the verifier is shown.
    pub fn question(&self) -> QuestionOpening {
        let mut details = self.details_bytes();
        let audit = digest(Domain::DisclosureAudit, &[&details, &self.audit_blinding.0]);
        details.zeroize();
        QuestionOpening { blinding: QuestionBlinding(self.question_blinding.0), audit: AuditHash(audit) }
    }

    /// The opening in its fixed size; secret.
    pub fn to_bytes(&self) -> [u8; OPENING_BYTES] {
        let mut bytes = [0; OPENING_BYTES];
        bytes[..DETAILS_BYTES].copy_from_slice(&self.details_bytes());
        let request = self.request.fe();
        let rest = [request.as_bytes(), &self.question_blinding.0, &self.audit_blinding.0];
        for (to, from) in bytes[DETAILS_BYTES..].chunks_exact_mut(32).zip(rest) {
            to.copy_from_slice(from);
        }
        bytes
    }

    /// Parses an opening.
    pub fn from_bytes(bytes: &[u8], suite: Suite) -> Result<Self, OpeningError> {
        let bytes: &[u8; OPENING_BYTES] = bytes.try_into().map_err(|_| OpeningError::Malformed)?;
        let mut reader = Reader(bytes);
        if reader.take::<1>()? != [VERSION] {
            return Err(OpeningError::Malformed);
        }
        let (asker, verifier) = (reader.name()?, reader.name()?);
        let mut records = Vec::new();
        let mut ended = false;
        for _ in 0..RECORDS_MAX {
            let record = Fe::from_bytes(suite, reader.take()?).map_err(|_| OpeningError::Malformed)?;
            match (record.is_zero(), ended) {
                (true, _) => ended = true,
                (false, true) => return Err(OpeningError::Malformed),
                (false, false) => records.push(Commitment::new(record)),
            }
        }
        let [count, tier, outcome] = reader.take()?;
        let outcome = Outcome::CODES.iter().find(|(_, code)| *code == outcome).map(|(outcome, _)| *outcome);
        let (Some(tier), Some(outcome), true) = (tier_of(tier), outcome, usize::from(count) == records.len()) else {
            return Err(OpeningError::Malformed);
        };
        let policy = PolicyDigest::from_bytes(reader.take()?);
        let seen = Height::new(u64::from_be_bytes(reader.take()?));
        let details = DisclosureDetails { reader: asker, verifier, records, tier, outcome, policy, seen };
        let request = Fe::from_bytes(suite, reader.take()?).map_err(|_| OpeningError::Malformed)?;
        let (question, audit) = (DisclosureBlinding(reader.take()?), DisclosureBlinding(reader.take()?));
        Self::new(details, RequestDigest::new(request), question, audit)
    }

    fn details_bytes(&self) -> [u8; DETAILS_BYTES] {
        let mut bytes = [0; DETAILS_BYTES];
        bytes[0] = VERSION;
        let names = [&self.details.reader, &self.details.verifier];
        for (to, name) in bytes[1..].chunks_exact_mut(1 + NAME_BYTES_MAX).zip(names) {
            to[0] = name.len() as u8;
            to[1..=name.len()].copy_from_slice(name.as_bytes());
        }
        let records = &mut bytes[1 + 2 * (1 + NAME_BYTES_MAX)..];
        for (to, record) in records.chunks_exact_mut(32).zip(&self.details.records) {
            to.copy_from_slice(record.fe().as_bytes());
        }
        let outcome = Outcome::CODES.iter().find(|(outcome, _)| *outcome == self.details.outcome);
        let rest = &mut bytes[1 + 2 * (1 + NAME_BYTES_MAX) + 32 * RECORDS_MAX..];
        rest[0] = self.details.records.len() as u8;
        rest[1] = self.details.tier as u8;
        rest[2] = outcome.map_or(0, |(_, code)| *code);
        rest[3..35].copy_from_slice(self.details.policy.as_bytes());
        rest[35..].copy_from_slice(&self.details.seen.get().to_be_bytes());
        bytes
    }
}

fn tier_of(code: u8) -> Option<Tier> {
    let tiers = [Tier::Public, Tier::Internal, Tier::DeIdentified, Tier::Limited, Tier::Identifying];
    tiers.into_iter().find(|tier| *tier as u8 == code)
}

/// Takes an opening's bytes apart.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], OpeningError> {
        let (part, rest) = self.0.split_first_chunk::<N>().ok_or(OpeningError::Malformed)?;
        self.0 = rest;
        Ok(*part)
    }

    fn name(&mut self) -> Result<String, OpeningError> {
        let [length] = self.take()?;
        let padded: [u8; NAME_BYTES_MAX] = self.take()?;
        let (name, padding) = padded.split_at_checked(usize::from(length)).ok_or(OpeningError::Malformed)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(OpeningError::Malformed);
        }
        String::from_utf8(name.to_vec()).map_err(|_| OpeningError::Malformed)
    }
}

macro_rules! shown {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 32]);

        impl TryFrom<String> for $name {
            type Error = crate::ids::IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse::<crate::ids::LogHash>().map(|hash| Self(*hash.as_bytes()))
            }
        }

        impl From<$name> for String {
            fn from(bytes: $name) -> String {
                hex::encode(bytes.0)
            }
        }
    };
}

shown! {
    /// The blinding of a question, shown to its verifier.
    QuestionBlinding
}
shown! {
    /// The hash of what only the auditor sees.
    AuditHash
}

/// What the verifier is shown: enough to find its request in the ledger's entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionOpening {
    /// The blinding of the question.
    pub blinding: QuestionBlinding,
    /// The hash of the rest.
    pub audit: AuditHash,
}

impl QuestionOpening {
    /// The commitment that the ledger must hold if this request was logged.
    pub fn commitment(&self, request: &RequestDigest) -> DisclosureCommitment {
        let question = digest(Domain::DisclosureQuestion, &[request.fe().as_bytes(), &self.blinding.0]);
        DisclosureCommitment::from_bytes(digest(Domain::Disclosure, &[&question, &self.audit.0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(reader: &str, records: &[u64], outcome: Outcome) -> DisclosureOpening {
        let details = DisclosureDetails {
            reader: reader.to_owned(),
            verifier: "insurer.example".to_owned(),
            records: records.iter().map(|n| Commitment::new(Fe::from_u64(*n))).collect(),
            tier: Tier::DeIdentified,
            outcome,
            policy: PolicyDigest::from_bytes([3; 32]),
            seen: Height::new(9),
        };
        let request = RequestDigest::new(Fe::from_u64(5));
        DisclosureOpening::new(details, request, DisclosureBlinding([1; 32]), DisclosureBlinding([2; 32])).unwrap()
    }

    #[test]
    fn the_verifier_finds_its_request_and_no_other() {
        let opening = opening("dr-a", &[7], Outcome::Holds);
        let shown = opening.question();
        assert_eq!(shown.commitment(&RequestDigest::new(Fe::from_u64(5))), opening.commitment());
        assert_ne!(shown.commitment(&RequestDigest::new(Fe::from_u64(6))), opening.commitment());
        let json = serde_json::to_string(&shown).unwrap();
        assert_eq!(serde_json::from_str::<QuestionOpening>(&json).unwrap(), shown);
    }

    #[test]
    fn every_detail_is_bound_and_every_opening_has_one_size() {
        let one = opening("dr-a", &[7], Outcome::Holds);
        for other in [
            opening("dr-b", &[7], Outcome::Holds),
            opening("dr-a", &[8], Outcome::Holds),
            opening("dr-a", &[7, 8], Outcome::Holds),
            opening("dr-a", &[7], Outcome::DoesNotHold),
        ] {
            assert_ne!(other.commitment(), one.commitment());
        }
        for change in [
            |details: &mut DisclosureDetails| details.policy = PolicyDigest::NONE,
            |details: &mut DisclosureDetails| details.seen = Height::new(10),
            |details: &mut DisclosureDetails| details.tier = Tier::Limited,
            |details: &mut DisclosureDetails| details.verifier = "insurer".to_owned(),
        ] {
            let mut other = one.clone();
            change(&mut other.details);
            assert_ne!(other.commitment(), one.commitment());
            let read = DisclosureOpening::from_bytes(&other.to_bytes(), Suite::Bn254).unwrap();
            assert_eq!(read.details(), other.details());
        }
        let bytes = one.to_bytes();
        let again = DisclosureOpening::from_bytes(&bytes, Suite::Bn254).unwrap();
        assert_eq!((again.commitment(), again.details()), (one.commitment(), one.details()));
        assert!(DisclosureOpening::from_bytes(&bytes[1..], Suite::Bn254).is_err());
        assert_eq!(bytes.len(), 398);
        for (at, value) in [(40, 1), (0, 1)] {
            let mut changed = bytes;
            changed[at] = value;
            assert!(DisclosureOpening::from_bytes(&changed, Suite::Bn254).is_err(), "padding, or version 1");
        }
        assert!(!format!("{one:?}").contains("dr-a"));
    }
}
