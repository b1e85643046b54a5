//! The state while a block is applied: what was there, with the block's changes over it.

use std::collections::BTreeMap;

use vouchsafe_circuits::tree::Position;
use vouchsafe_circuits::{Anchor, Commitment, Fe};
use vouchsafe_ledger_types::entry::VerifiedEntry;
use vouchsafe_ledger_types::ids::{EntryId, MemberId};
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_value::{AnchorState, ChainState, StateValue};
use vouchsafe_ledger_types::units::BlockTime;

use crate::state::{ReadError, StateRead};

type Values = BTreeMap<StateKey, Vec<u8>>;
type Positions = BTreeMap<(MemberId, Commitment), Position>;
type Burnt = BTreeMap<EntryId, BlockTime>;

pub(super) struct Working<'a, S> {
    state: &'a S,
    time: BlockTime,
    values: Values,
    leaves: BTreeMap<MemberId, BTreeMap<Position, Fe>>,
    positions: Positions,
    burnt: Burnt,
}

impl<'a, S: StateRead> Working<'a, S> {
    pub(super) fn new(state: &'a S, time: BlockTime) -> Self {
        Self {
            state,
            time,
            values: BTreeMap::new(),
            leaves: BTreeMap::new(),
            positions: BTreeMap::new(),
            burnt: BTreeMap::new(),
        }
    }

    pub(super) fn state(&self) -> &'a S {
        self.state
    }

    pub(super) fn time(&self) -> BlockTime {
        self.time
    }

    pub(super) fn value<V: StateValue>(&self, id: V::Id) -> Result<Option<V>, ReadError> {
        let key = V::key(id);
        let bytes = match self.values.get(&key) {
            Some(bytes) => Some(bytes.clone()),
            None => self.state.bytes(&key)?,
        };
        let parsed = bytes.map(|bytes| V::decode(&bytes)).transpose();
        parsed.map_err(|error| ReadError::damaged(format!("{key:?}: {error}")))
    }

    pub(super) fn put<V: StateValue>(&mut self, id: V::Id, value: &V) {
        self.values.insert(V::key(id), value.encode());
    }

    pub(super) fn position_of(&self, member: MemberId, commitment: Commitment) -> Result<Option<Position>, ReadError> {
        match self.positions.get(&(member, commitment)) {
            Some(position) => Ok(Some(*position)),
            None => self.state.position_of(member, commitment),
        }
    }

    pub(super) fn leaf(&self, member: MemberId, position: Position) -> Result<Fe, ReadError> {
        match self.leaves.get(&member).and_then(|leaves| leaves.get(&position)) {
            Some(leaf) => Ok(*leaf),
            None => self.state.leaf(member, position),
        }
    }

    pub(super) fn place(&mut self, member: MemberId, commitment: Commitment, position: Position) {
        self.leaves.entry(member).or_default().insert(position, commitment.fe());
        self.positions.insert((member, commitment), position);
    }

    pub(super) fn clear(&mut self, member: MemberId, position: Position) {
        self.leaves.entry(member).or_default().insert(position, Fe::ZERO);
    }

    pub(super) fn is_burnt(&self, id: EntryId) -> Result<bool, ReadError> {
        Ok(self.burnt.contains_key(&id) || self.state.is_burnt(id)?)
    }

    pub(super) fn burn(&mut self, entry: &VerifiedEntry) {
        self.burnt.insert(entry.id(), entry.entry().header.expiry);
    }

    /// The chain that this block founded, if it did.
    pub(super) fn founded(&self) -> Option<ChainState> {
        self.value::<ChainState>(()).ok().flatten()
    }

    pub(super) fn take_leaves(&mut self) -> Vec<(MemberId, Vec<(Position, Fe)>)> {
        let leaves = std::mem::take(&mut self.leaves);
        leaves.into_iter().map(|(member, leaves)| (member, leaves.into_iter().collect())).collect()
    }

    pub(super) fn set_anchor(&mut self, member: MemberId, anchor: Anchor) -> Result<(), ReadError> {
        let before: Option<AnchorState> = self.value(member)?;
        let before = before.ok_or_else(|| ReadError::damaged(format!("member {member} has no active set")))?;
        self.put(member, &AnchorState { anchor, ..before });
        Ok(())
    }

    pub(super) fn into_parts(self) -> (Values, Positions, Burnt) {
        (self.values, self.positions, self.burnt)
    }
}
