//! The state in memory: for tests of the rules, and for auditing a ledger by replaying it.

use std::collections::{BTreeMap, BTreeSet};

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Version};
use vouchsafe_circuits::tree::{NodeId, Position};
use vouchsafe_circuits::{Commitment, Fe};
use vouchsafe_ledger_types::ids::{EntryId, MemberId};
use vouchsafe_ledger_types::log::LogAppender;
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_value::StateValue;
use vouchsafe_ledger_types::units::BlockTime;

use crate::sealing::{self, SealedBlock};
use crate::state::{ReadError, StateRead};
use crate::state_machine::{Applied, ApplyError, Block, apply};

/// A ledger's state, held in maps.
#[derive(Debug, Clone)]
pub struct MemoryState {
    values: BTreeMap<StateKey, Vec<u8>>,
    set_nodes: BTreeMap<(MemberId, NodeId), Fe>,
    positions: BTreeMap<(MemberId, Commitment), Position>,
    burnt: BTreeMap<EntryId, BlockTime>,
    expiries: BTreeSet<(BlockTime, EntryId)>,
    map: BTreeMap<NodeKey, Node>,
    log: LogAppender,
}

impl Default for MemoryState {
    fn default() -> Self {
        Self {
            values: BTreeMap::new(),
            set_nodes: BTreeMap::new(),
            positions: BTreeMap::new(),
            burnt: BTreeMap::new(),
            expiries: BTreeSet::new(),
            map: BTreeMap::new(),
            log: LogAppender::empty(),
        }
    }
}

impl MemoryState {
    /// Applies and seals a block, and keeps the outcome.
    pub fn advance(&mut self, block: &Block) -> Result<(Applied, Seal), ApplyError> {
        self.advance_sealed(block).map(|(applied, sealed)| (applied, sealed.seal))
    }

    pub(crate) fn advance_sealed(&mut self, block: &Block) -> Result<(Applied, SealedBlock), ApplyError> {
        let applied = apply(self, block)?;
        let sealed = sealing::seal(block, &applied, &MapNodes(&self.map), self.log.clone())?;
        self.log = sealed.log.clone();
        let map = &sealed.map;
        self.map.extend(map.node_batch.nodes().iter().map(|(key, node)| (key.clone(), node.clone())));
        for stale in &map.stale_node_index_batch {
            self.map.remove(&stale.node_key);
        }
        self.values.extend(applied.values.iter().map(|(key, value)| (*key, value.clone())));
        self.set_nodes.extend(applied.set_nodes.iter().map(|(node, fe)| (*node, *fe)));
        self.positions.extend(applied.positions.iter().map(|(at, position)| (*at, *position)));
        for (id, expiry) in &applied.burnt {
            self.burnt.insert(*id, *expiry);
            self.expiries.insert((*expiry, *id));
        }
        for (expiry, id) in &applied.forgotten {
            self.burnt.remove(id);
            self.expiries.remove(&(*expiry, *id));
        }
        Ok((applied, sealed))
    }

    /// Sets a value as no entry does; for tests of what later kinds of entries bring about.
    pub fn dangerous_set<V: StateValue>(&mut self, id: V::Id, value: &V) {
        self.values.insert(V::key(id), value.encode());
    }

    pub(crate) fn set_nodes(&self) -> &BTreeMap<(MemberId, NodeId), Fe> {
        &self.set_nodes
    }

    pub(crate) fn positions(&self) -> &BTreeMap<(MemberId, Commitment), Position> {
        &self.positions
    }

    pub(crate) fn expiries(&self) -> &BTreeSet<(BlockTime, EntryId)> {
        &self.expiries
    }

    pub(crate) fn values(&self) -> &BTreeMap<StateKey, Vec<u8>> {
        &self.values
    }

    /// How many ids are burnt.
    pub fn burnt_ids(&self) -> usize {
        self.burnt.len()
    }
}

impl StateRead for MemoryState {
    fn bytes(&self, key: &StateKey) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.values.get(key).cloned())
    }

    fn position_of(&self, member: MemberId, commitment: Commitment) -> Result<Option<Position>, ReadError> {
        Ok(self.positions.get(&(member, commitment)).copied())
    }

    fn set_node(&self, member: MemberId, node: NodeId) -> Result<Option<Fe>, ReadError> {
        Ok(self.set_nodes.get(&(member, node)).copied())
    }

    fn is_burnt(&self, id: EntryId) -> Result<bool, ReadError> {
        Ok(self.burnt.contains_key(&id))
    }

    fn burnt_until(&self, time: BlockTime) -> Result<Vec<(BlockTime, EntryId)>, ReadError> {
        Ok(self.expiries.iter().take_while(|(expiry, _)| *expiry <= time).copied().collect())
    }
}

/// The map's nodes; values are not read back when only roots are wanted.
struct MapNodes<'a>(&'a BTreeMap<NodeKey, Node>);

impl TreeReader for MapNodes<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.0.get(key).cloned().or_else(|| empty_map_root(key)))
    }

    fn get_value_option(&self, _: Version, _: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(None)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("the map is never restored from its leaves")
    }
}

/// The root of the empty map, which is there at version 0 though nobody stored it.
pub(crate) fn empty_map_root(key: &NodeKey) -> Option<Node> {
    (key.version() == 0 && key.nibble_path().is_empty()).then_some(Node::Null)
}
