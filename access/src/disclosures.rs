//! The book of disclosures: the openings of what was logged, kept for the auditor.
//!
//! ```text
//! DIR/‹commitment hex›    the opening, a sealed page
//! blinding                HMAC-SHA256(audit seed, label ‖ request digest ‖ attempt)
//! ```
//!
//! An opening is durable here before the entry that commits to it is sent. The book tells nobody anything:
//! who holds the audit seed can read it, and must.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use rand::{CryptoRng, RngCore};
use sha2::Sha256;
use vouchsafe_circuits::{RequestDigest, Suite};
use vouchsafe_ledger_types::disclosure::{DisclosureBlinding, DisclosureDetails, DisclosureOpening, OpeningError};
use vouchsafe_ledger_types::ids::DisclosureCommitment;
use vouchsafe_ledger_types::units::BlockTime;

use crate::labels;
use crate::pages::{PageError, Pages};
use crate::secret::AuditSeed;

/// The book could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// What is to be disclosed does not fit an opening. The fault is the caller's.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// No opening of this commitment is in the book.
    #[error("the book holds no opening of {0}")]
    Missing(DisclosureCommitment),
    /// The opening was written for another commitment, or is none.
    #[error("the opening of {0} is not what was logged: restore the folder from a backup")]
    Other(DisclosureCommitment),
    /// The folder.
    #[error("the book of disclosures")]
    Page(#[from] PageError),
}

/// How many days an auditor can ask for the opening of a disclosure.
const OPENING_DAYS: u64 = 90;

/// Until when an auditor's wish to see an opening must be met: the end of a day, since the deadline stands in clear and
/// must not tell one disclosure from another.
pub fn opening_deadline(now: BlockTime) -> BlockTime {
    const DAY: u64 = 86_400;
    let days = now.unix() / DAY + 1 + OPENING_DAYS;
    BlockTime::from_unix(days * DAY).unwrap_or(now)
}

/// The openings of one member's disclosures.
pub struct DisclosureBook {
    pages: Pages,
    seed: AuditSeed,
}

impl std::fmt::Debug for DisclosureBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DisclosureBook")
    }
}

impl DisclosureBook {
    /// Opens the book in a folder, which is made if it is not there.
    pub fn open(dir: &Path, seed: &AuditSeed) -> Result<DisclosureBook, BookError> {
        Ok(DisclosureBook { pages: Pages::open(dir, seed, &[labels::DISCLOSURE_KEY])?, seed: seed.clone() })
    }

    /// Writes down what is about to be disclosed; durable when this returns. Send the entry after it.
    pub fn note(
        &self,
        details: DisclosureDetails,
        request: RequestDigest,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<DisclosureOpening, BookError> {
        let mut attempt = [0; 16];
        rng.fill_bytes(&mut attempt);
        let blinding = |label| self.blinding(label, request, &attempt);
        let opening = DisclosureOpening::new(
            details,
            request,
            blinding(labels::QUESTION_BLINDING),
            blinding(labels::AUDIT_BLINDING),
        )?;
        self.pages.write(&opening.commitment().to_string(), &opening.to_bytes(), rng)?;
        Ok(opening)
    }

    /// The opening of a logged disclosure, for the auditor.
    pub fn opening(&self, commitment: DisclosureCommitment, suite: Suite) -> Result<DisclosureOpening, BookError> {
        let page = self.pages.read(&commitment.to_string())?.ok_or(BookError::Missing(commitment))?;
        let opening = DisclosureOpening::from_bytes(&page, suite).map_err(|_| BookError::Other(commitment))?;
        if opening.commitment() == commitment { Ok(opening) } else { Err(BookError::Other(commitment)) }
    }

    fn blinding(&self, label: &[u8], request: RequestDigest, attempt: &[u8; 16]) -> DisclosureBlinding {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.seed.expose()) else {
            unreachable!("HMAC takes keys of any length")
        };
        for part in [label, request.fe().as_bytes(), attempt] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        DisclosureBlinding::new(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use vouchsafe_circuits::Fe;
    use vouchsafe_circuits::record::Tier;
    use vouchsafe_ledger_types::disclosure::Outcome;
    use vouchsafe_ledger_types::ids::PolicyDigest;
    use vouchsafe_ledger_types::units::Height;

    use super::*;

    #[test]
    fn openings_come_back_and_damage_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let book = DisclosureBook::open(dir.path(), &AuditSeed::new([7; 32])).unwrap();
        let details = DisclosureDetails {
            reader: "desk-3".to_owned(),
            verifier: "insurer".to_owned(),
            records: vec![],
            tier: Tier::DeIdentified,
            outcome: Outcome::Holds,
            policy: PolicyDigest::NONE,
            seen: Height::new(1),
        };
        let request = RequestDigest::new(Fe::from_u64(9));
        let first = book.note(details.clone(), request, &mut rng).unwrap();
        let second = book.note(details, request, &mut rng).unwrap();
        assert_ne!(first.commitment(), second.commitment(), "the same question twice looks like two");
        let back = book.opening(first.commitment(), Suite::Bn254).unwrap();
        assert_eq!(back.details().verifier, "insurer");
        let file = dir.path().join(first.commitment().to_string());
        let mut bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(7).any(|w| w == b"insurer"));
        bytes[40] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        assert!(matches!(book.opening(first.commitment(), Suite::Bn254), Err(BookError::Page(PageError::Damaged(_)))));
        let other = DisclosureBook::open(dir.path(), &AuditSeed::new([8; 32])).unwrap();
        assert!(matches!(
            other.opening(second.commitment(), Suite::Bn254),
            Err(BookError::Page(PageError::Damaged(_)))
        ));
    }
}
