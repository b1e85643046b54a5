//! The book of disclosures: the openings of what was logged, kept for the auditor.
//!
//! ```text
//! DIR/‹commitment hex›    AES-256-GCM-SIV(HKDF(audit seed), opening); the commitment is bound as additional data
//! blinding                HMAC-SHA256(audit seed, label ‖ request digest ‖ attempt)
//! ```
//!
//! An opening is durable here before the entry that commits to it is sent. The book tells nobody anything:
//! who holds the audit seed can read it, and must.

use std::io::Write;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use rand::{CryptoRng, RngCore};
use sha2::Sha256;
use vouchsafe_circuits::{RequestDigest, Suite};
use vouchsafe_ledger_types::disclosure::{DisclosureBlinding, DisclosureDetails, DisclosureOpening, OpeningError};
use vouchsafe_ledger_types::ids::DisclosureCommitment;
use vouchsafe_ledger_types::units::BlockTime;

use crate::aead::{self, WrapKey};
use crate::labels;
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
    /// A page does not open.
    #[error("the opening {0} is damaged: restore the folder from a backup")]
    Damaged(PathBuf),
    /// The disk.
    #[error("the book of disclosures, {0}")]
    Io(PathBuf, #[source] std::io::Error),
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
    dir: PathBuf,
    key: WrapKey,
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
        std::fs::create_dir_all(dir).map_err(|e| BookError::Io(dir.to_owned(), e))?;
        let key = WrapKey::new(*aead::derive(seed.expose(), None, &[labels::DISCLOSURE_KEY]));
        Ok(DisclosureBook { dir: dir.to_owned(), key, seed: seed.clone() })
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
        let commitment = opening.commitment();
        let sealed = aead::wrap(&self.key, commitment.as_bytes(), &opening.to_bytes(), rng);
        let file = self.file(commitment);
        let failed = |e| BookError::Io(file.clone(), e);
        let mut out = tempfile::NamedTempFile::new_in(&self.dir).map_err(failed)?;
        out.write_all(&sealed).and_then(|()| out.as_file().sync_all()).map_err(failed)?;
        out.persist(&file).map_err(|e| failed(e.error))?;
        std::fs::File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
        Ok(opening)
    }

    /// The opening of a logged disclosure, for the auditor.
    pub fn opening(&self, commitment: DisclosureCommitment, suite: Suite) -> Result<DisclosureOpening, BookError> {
        let file = self.file(commitment);
        let sealed = match std::fs::read(&file) {
            Ok(sealed) => sealed,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(BookError::Missing(commitment)),
            Err(e) => return Err(BookError::Io(file, e)),
        };
        let damaged = || BookError::Damaged(file.clone());
        let bytes = aead::unwrap(&self.key, commitment.as_bytes(), &sealed).map_err(|_| damaged())?;
        let opening = DisclosureOpening::from_bytes(&bytes, suite).map_err(|_| damaged())?;
        if opening.commitment() == commitment { Ok(opening) } else { Err(damaged()) }
    }

    fn file(&self, commitment: DisclosureCommitment) -> PathBuf {
        self.dir.join(commitment.to_string())
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
        assert!(matches!(book.opening(first.commitment(), Suite::Bn254), Err(BookError::Damaged(_))));
        let other = DisclosureBook::open(dir.path(), &AuditSeed::new([8; 32])).unwrap();
        assert!(matches!(other.opening(second.commitment(), Suite::Bn254), Err(BookError::Damaged(_))));
    }
}
