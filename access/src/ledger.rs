//! What the vault needs of a ledger: to look a commitment up, and to have some committed, amended or withdrawn.
//!
//! `prover-service` implements both for the engine in use. The promise behind [`LedgerView::lookup`]: it answers only
//! when each entry that this member sent before has been applied or can no longer be. On that rests that no record is
//! ever committed twice.

use async_trait::async_trait;
use vouchsafe_circuits::ids::Commitment;
use vouchsafe_circuits::tree::Position;

pub use vouchsafe_ledger_types::units::Height;

/// Where the member's own active set has a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its position.
    pub position: Position,
    /// Whether it is neither withdrawn nor superseded.
    pub active: bool,
}

/// A commitment that was just taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its position.
    pub position: Position,
    /// The block that took it in.
    pub height: Height,
}

/// Replace one commitment by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amendment {
    /// Where the old one is.
    pub position: Position,
    /// The old one.
    pub old: Commitment,
    /// The new one.
    pub new: Commitment,
}

/// Take one commitment out of the active set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Where it is.
    pub position: Position,
    /// Which it is.
    pub commitment: Commitment,
}

/// The ledger did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// It refused; nothing changed. The text says why.
    #[error("the ledger refused: {0}")]
    Refused(String),
    /// It did not answer; the entry may have been applied or not.
    #[error("the ledger did not answer: {0}")]
    Unavailable(String),
}

/// Reads the member's own active set.
#[async_trait]
pub trait LedgerView: Send + Sync {
    /// Where a commitment is, whether active or not. Waits for, or rules out, entries sent before.
    async fn lookup(&self, commitment: Commitment) -> Result<Option<Located>, LedgerError>;
}

/// Changes the member's own active set. What is acknowledged is durable.
#[async_trait]
pub trait LedgerWriter: Send + Sync {
    /// Appends commitments, all or none; answers with their places, in the order given.
    async fn commit(&self, commitments: Vec<Commitment>) -> Result<Vec<Placed>, LedgerError>;

    /// Replaces one commitment.
    async fn amend(&self, amendment: Amendment) -> Result<Placed, LedgerError>;

    /// Withdraws one commitment.
    async fn withdraw(&self, withdrawal: Withdrawal) -> Result<Height, LedgerError>;

    /// How many commitments one call of [`LedgerWriter::commit`] may bring.
    fn commit_max(&self) -> usize {
        1024
    }
}
