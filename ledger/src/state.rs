//! What the state machine may read: the authenticated values, and what is derived from the log beside them.
//!
//! Active sets, commitment index and burnt ids are not values of the authenticated map: anchors commit to the first,
//! and each follows from the logged entries, so replicas that applied the same entries agree on them.

use vouchsafe_circuits::tree::{NodeId, Position};
use vouchsafe_circuits::{Commitment, Fe};
use vouchsafe_ledger_types::ids::{EntryId, MemberId};
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_value::StateValue;
use vouchsafe_ledger_types::units::BlockTime;

/// Why the state could not be read. None of these is the fault of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// What is stored cannot be, or is not what was written.
    #[error("damaged store: {0}; restore it from a backup or another replica")]
    Damaged(String),
    /// The database or the disk failed.
    #[error("the store could not be read: {0}")]
    Database(String),
}

impl ReadError {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        ReadError::Damaged(what.into())
    }
}

/// The state before a block.
pub trait StateRead: Sync {
    /// The bytes of a value.
    fn bytes(&self, key: &StateKey) -> Result<Option<Vec<u8>>, ReadError>;

    /// Where a member has ever put this commitment; also if it was withdrawn or amended since.
    fn position_of(&self, member: MemberId, commitment: Commitment) -> Result<Option<Position>, ReadError>;

    /// A node of a member's active set; none where the set is still empty.
    fn set_node(&self, member: MemberId, node: NodeId) -> Result<Option<Fe>, ReadError>;

    /// Whether an entry's id is burnt.
    fn is_burnt(&self, id: EntryId) -> Result<bool, ReadError>;

    /// The burnt ids that expire at this time or before, in order.
    fn burnt_until(&self, time: BlockTime) -> Result<Vec<(BlockTime, EntryId)>, ReadError>;

    /// A value, parsed.
    fn value<V: StateValue>(&self, id: V::Id) -> Result<Option<V>, ReadError> {
        let key = V::key(id);
        let Some(bytes) = self.bytes(&key)? else { return Ok(None) };
        let value = V::decode(&bytes).map_err(|error| ReadError::damaged(format!("{key:?}: {error}")))?;
        Ok(Some(value))
    }

    /// The leaf at a position; zero if nothing is active there.
    fn leaf(&self, member: MemberId, position: Position) -> Result<Fe, ReadError> {
        let node = NodeId { level: 0, index: position.get() };
        Ok(self.set_node(member, node)?.unwrap_or(Fe::ZERO))
    }
}
