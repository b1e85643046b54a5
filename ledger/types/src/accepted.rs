//! That the ledger accepted an entry: the proof, and the one type that only this proof makes.
//! ```text
//! entry ──leaf──┐                                     a block's entries are the leaves right before its seal,
//! receipt ──────┴─► seal of its block ──leaf──► checkpoint, signed by the validators      in receipts' order
//! ```
//! Whatever may happen only after an entry (releasing a key) asks for an [`AcceptedEntry`]: it has no constructor but
//! [`AcceptanceProof::verify`]. It says nothing about later entries: a grant shown here may be revoked since.

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::suite::Suite;

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::encoding::base64_bytes;
use crate::entry::{Entry, EntryError, SignedEntry, Validator, VerifiedEntry};
use crate::ids::{ChainId, EntryId, LogHash};
use crate::log::{InclusionProof, LogProofError};
use crate::receipt::{ReceiptCode, ReceiptProof};
use crate::seal::Seal;
use crate::units::{BlockTime, Height};

/// An entry with everything that shows that the ledger took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceProof {
    /// The signed entry.
    #[serde(with = "base64_bytes")]
    pub entry: Vec<u8>,
    /// That it is in the log of the checkpoint.
    pub inclusion: InclusionProof,
    /// What became of it, in its own block.
    pub receipt: ReceiptProof,
    /// The seal of that block.
    pub seal: Seal,
    /// That this seal is in the log of the checkpoint.
    pub seal_inclusion: InclusionProof,
    /// The log's size and root, signed by the validators.
    pub checkpoint: SignedCheckpoint,
}

/// Why an entry is not shown to be accepted. Whoever made the proof is at fault: a ledger's own proofs hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptanceError {
    /// The checkpoint is of another chain, or not signed by enough of these validators.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is malformed, for another chain, or badly signed.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// An inclusion proof does not hold.
    #[error(transparent)]
    Log(#[from] LogProofError),
    /// An inclusion proof is for another log size or place.
    #[error("the inclusion proof is for another log size or place")]
    Place,
    /// The receipt is of another entry.
    #[error("the receipt is of entry {0}")]
    OtherEntry(EntryId),
    /// The ledger refused it.
    #[error("the ledger did not accept the entry: {0}")]
    Refused(ReceiptCode),
}

impl AcceptanceProof {
    /// Checks everything, from the validators' signatures down to the entry's own.
    pub fn verify(
        &self,
        chain: &ChainId,
        suite: Suite,
        validators: &[Validator],
    ) -> Result<AcceptedEntry, AcceptanceError> {
        let checkpoint = self.checkpoint.verify(chain, validators)?;
        let claim = Claim {
            entry: &self.entry,
            inclusion: &self.inclusion,
            receipt: &self.receipt,
            seal: &self.seal,
            seal_inclusion: &self.seal_inclusion,
        };
        let entry = claim.check(chain, suite, checkpoint)?;
        Ok(AcceptedEntry { entry, height: self.seal.height, time: self.seal.time })
    }
}

/// An entry that the ledger accepted; only [`AcceptanceProof::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedEntry {
    entry: VerifiedEntry,
    height: Height,
    time: BlockTime,
}

impl AcceptedEntry {
    /// What it says.
    pub fn entry(&self) -> &Entry {
        self.entry.entry()
    }

    /// Its id.
    pub fn id(&self) -> EntryId {
        self.entry.id()
    }

    /// Its block.
    pub fn height(&self) -> Height {
        self.height
    }

    /// The time of that block.
    pub fn time(&self) -> BlockTime {
        self.time
    }
}

/// That an entry was accepted, under a checkpoint that somebody else judges.
pub(crate) struct Claim<'a> {
    pub(crate) entry: &'a [u8],
    pub(crate) inclusion: &'a InclusionProof,
    pub(crate) receipt: &'a ReceiptProof,
    pub(crate) seal: &'a Seal,
    pub(crate) seal_inclusion: &'a InclusionProof,
}

impl Claim<'_> {
    /// Checks everything below the checkpoint.
    pub(crate) fn check(
        &self,
        chain: &ChainId,
        suite: Suite,
        checkpoint: &Checkpoint,
    ) -> Result<VerifiedEntry, AcceptanceError> {
        let entry = SignedEntry::decode(self.entry, suite)?.verify(chain)?;
        self.receipt.verify(self.seal)?;
        let receipt = &self.receipt.receipt;
        if receipt.entry != entry.id() {
            return Err(AcceptanceError::OtherEntry(receipt.entry));
        }
        if !receipt.code.is_accepted() {
            return Err(AcceptanceError::Refused(receipt.code));
        }
        in_log(checkpoint, self.seal_inclusion, self.seal.leaf(), self.seal.leaf_index().get())?;
        let (receipts, nth) = (self.receipt.inclusion.size.get(), u64::from(receipt.index.get()));
        let first = self.seal.log_size.get().checked_sub(receipts).ok_or(AcceptanceError::Place)?;
        in_log(checkpoint, self.inclusion, entry.leaf(), first.saturating_add(nth))?;
        Ok(entry)
    }
}

/// That a leaf is in the log of a checkpoint, at exactly this place.
pub(crate) fn in_log(
    checkpoint: &Checkpoint,
    proof: &InclusionProof,
    leaf: LogHash,
    index: u64,
) -> Result<(), AcceptanceError> {
    if proof.size != checkpoint.size || proof.index.get() != index {
        return Err(AcceptanceError::Place);
    }
    Ok(proof.verify(leaf, checkpoint.root)?)
}
