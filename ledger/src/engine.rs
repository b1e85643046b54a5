//! What every engine offers: entries in, receipts out once they are durable, and a consistent view to ask.

use vouchsafe_ledger_types::accepted::AcceptanceProof;
use vouchsafe_ledger_types::checkpoint::SignedCheckpoint;
use vouchsafe_ledger_types::entry::{EntryError, SignedEntry};
use vouchsafe_ledger_types::ids::{ChainId, EntryId};
use vouchsafe_ledger_types::log::LogProofError;
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode};
use vouchsafe_ledger_types::units::Height;

use crate::snapshot::Snapshot;
use crate::state::ReadError;

/// Why entries were not taken. Unless it is `Stopped`, nothing of this call was logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// An entry is malformed, for another chain, or badly signed.
    #[error("entry {nth}: {error}")]
    Entry {
        /// Which of those submitted, from 0.
        nth: usize,
        /// What is wrong with it.
        error: EntryError,
    },
    /// An entry may not be in a block: expired, expiring too late, or of an unknown signer.
    #[error("entry {nth} is not admitted: {code}")]
    NotAdmitted {
        /// Which of those submitted, from 0.
        nth: usize,
        /// Why.
        code: ReceiptCode,
    },
    /// The state could not be read; nothing was changed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The engine has stopped, since a write failed or may have failed. Whether the entries of this call are logged is
    /// unknown: end the process, open the ledger again, and submit the same entries again.
    #[error("the ledger has stopped: {0}; restart it and submit the same entries again")]
    Stopped(String),
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// There is no such block yet, in this view.
    #[error("there is no block {0} yet")]
    UnknownHeight(Height),
    /// There is no such entry.
    #[error("there is no entry {0}")]
    UnknownEntry(EntryId),
    /// The entry came after the checkpoint it should be shown in.
    #[error("the log of that checkpoint does not reach so far")]
    NotCovered,
    /// The state at that height has been pruned.
    #[error("the state of block {0} is no longer kept: ask about a newer block")]
    Pruned(Height),
    /// The engine has stopped.
    #[error("the ledger has stopped: {0}; restart it")]
    Stopped(String),
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<LogProofError> for QueryError {
    fn from(_: LogProofError) -> Self {
        QueryError::NotCovered
    }
}

/// Orders entries into blocks and keeps them.
pub trait Engine: Send + Sync {
    /// The ledger's name.
    fn chain(&self) -> &ChainId;

    /// Logs entries and returns their receipts, in order. They are durable when it returns. An entry that was logged before
    /// is recognised and gets its first receipt. May be called by many threads, who then share blocks.
    fn submit(&self, entries: Vec<SignedEntry>) -> Result<Vec<Receipt>, SubmitError>;

    /// The ledger as of the last block; blocks that come later do not change it.
    fn snapshot(&self) -> Result<Snapshot<'_>, QueryError>;

    /// The signed checkpoint of a height: its log up to that block's seal.
    fn checkpoint(&self, height: Height) -> Result<SignedCheckpoint, QueryError>;

    /// What became of an entry, under the newest checkpoint; of one that was refused too, but then it does not verify.
    fn acceptance(&self, id: EntryId) -> Result<AcceptanceProof, QueryError> {
        let snapshot = self.snapshot()?;
        snapshot.acceptance(id, self.checkpoint(snapshot.height())?)
    }
}
