//! Reviewing an emergency: somebody at the institution looks into it, and the ledger is told that somebody did.
//!
//! ```text
//! finding     reviewer · justified u8 · words
//! commitment  digest(Review, emergency id ‖ finding ‖ blinding 32)
//! page        DIR/review-‹commitment›: finding, blinding; sealed, durable before the entry is sent
//! ```
//!
//! The ledger sees that there was a review and when, not what it found. An emergency not reviewed in time stops every
//! release on a grant: the ledger's own rule.

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::tags::{Domain, digest};
use vouchsafe_ledger_types::card::PartyName;
use vouchsafe_ledger_types::entry::{Body, Review};
use vouchsafe_ledger_types::ids::{EmergencyId, ReviewCommitment};

use super::{Door, DoorError};
use crate::disclosures::BookError;
use crate::secret::random_bytes;
use crate::wire::Writer;

/// How long the words of a finding may be, in bytes.
pub const FINDING_BYTES_MAX: usize = 4096;

/// What a review found. Debug shows the type only.
#[derive(Clone)]
pub struct Finding {
    /// Who looked.
    pub reviewer: PartyName,
    /// Whether the opening was in order.
    pub justified: bool,
    /// What there is to say.
    pub words: String,
}

impl std::fmt::Debug for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Finding")
    }
}

impl Door {
    /// Writes a finding down and tells the ledger that there is one.
    pub async fn review(
        &self,
        emergency: EmergencyId,
        finding: &Finding,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<ReviewCommitment, DoorError> {
        if finding.words.len() > FINDING_BYTES_MAX {
            return Err(DoorError::Order(format!("a finding has at most {FINDING_BYTES_MAX} bytes")));
        }
        let blinding: [u8; 32] = random_bytes(rng);
        let bytes = Writer::with_capacity(256)
            .bytes(finding.reviewer.as_str().as_bytes())
            .u8(u8::from(finding.justified))
            .bytes(finding.words.as_bytes())
            .done();
        let commitment =
            ReviewCommitment::from_bytes(digest(Domain::Review, &[emergency.as_bytes(), &bytes, &blinding]));
        let page = Writer::with_capacity(512).raw(emergency.as_bytes()).bytes(&bytes).raw(&blinding).done();
        self.emergencies.0.write(&format!("review-{commitment}"), &page, rng).map_err(BookError::from)?;
        let body = Body::Review(Review { emergency, commitment });
        let proof = self.ledger.log(body.clone()).await?;
        self.accepted(&proof, &body)?;
        Ok(commitment)
    }
}
