//! What this crate needs of a ledger: the vault looks commitments up and has them committed; the door and the research
//! desk have entries logged and see that they were.
//!
//! `prover-service` implements these traits for the engine in use. The promise behind [`LedgerView::lookup`]: it answers only
//! when each entry that this member sent before has been applied or can no longer be. On that rests that no record is
//! ever committed twice.

use async_trait::async_trait;
use vouchsafe_circuits::ids::Commitment;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::tree::Position;
use vouchsafe_ledger_types::accepted::{AcceptanceError, AcceptanceProof, AcceptedEntry};
use vouchsafe_ledger_types::entry::{Body, SignedEntry, Validator};
use vouchsafe_ledger_types::ids::{AppHash, ChainId};
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_value::StateValue;
use vouchsafe_ledger_types::units::BlockTime;

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

/// Which ledger, and whose signatures make its checkpoints: what an acceptance is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRules {
    /// Its name.
    pub chain: ChainId,
    /// Its suite.
    pub suite: Suite,
    /// Its validators.
    pub validators: Vec<Validator>,
}

impl ChainRules {
    /// The entry that this proof shows to be accepted.
    pub fn accepted(&self, proof: &AcceptanceProof) -> Result<AcceptedEntry, AcceptanceError> {
        proof.verify(&self.chain, self.suite, &self.validators)
    }
}

/// Has entries of the institution's own logged, and shows that they were. Nothing it says is taken on trust where
/// it matters: a key is released after its proof was verified.
#[async_trait]
pub trait AccessLedger: Send + Sync {
    /// Signs an entry with this body, has it logged, and shows that it was accepted.
    async fn log(&self, body: Body) -> Result<AcceptanceProof, LedgerError> {
        let entry = self.sign(body).await?;
        self.send(entry).await
    }

    /// The bytes of a value of the newest state.
    async fn value(&self, key: StateKey) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Height, time and app hash of the newest block.
    async fn tip(&self) -> Result<(Height, BlockTime, AppHash), LedgerError>;

    /// Signs an entry without sending it. Works without a network.
    async fn sign(&self, body: Body) -> Result<SignedEntry, LedgerError>;

    /// Has a signed entry logged. One that was accepted before is not refused: its proof is shown again.
    async fn send(&self, entry: SignedEntry) -> Result<AcceptanceProof, LedgerError>;

    /// Which ledger.
    fn chain(&self) -> &ChainRules;
}

/// A value of the newest state.
pub async fn state<V: StateValue>(ledger: &dyn AccessLedger, id: V::Id) -> Result<Option<V>, LedgerError> {
    let key = V::key(id);
    let Some(bytes) = ledger.value(key).await? else { return Ok(None) };
    V::decode(&bytes).map(Some).map_err(|e| LedgerError::Unavailable(e.to_string()))
}
