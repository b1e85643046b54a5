//! Sealing: from what a block does to its seal, with everything that must be stored with it. Pure.
//!
//! The authenticated map's version is the block's height; the map is empty at version 0. The entries' leaves are appended
//! to the log, then the seal is made, then its own leaf is appended.

use jmt::JellyfishMerkleTree;
use jmt::storage::{TreeReader, TreeUpdateBatch};
use vouchsafe_ledger_types::ids::{LogHash, StateRoot};
use vouchsafe_ledger_types::log::{LogAppender, LogNode};
use vouchsafe_ledger_types::receipt::receipts_root;
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::state_proof::MapHasher;
use vouchsafe_ledger_types::units::LogIndex;

use crate::state::ReadError;
use crate::state_machine::{Applied, Block};

/// The authenticated map over some reader of its nodes.
pub(crate) type StateMap<'a, R> = JellyfishMerkleTree<'a, R, MapHasher>;

/// A sealed block: the seal, and the new nodes of map and log.
#[derive(Debug, Clone)]
pub struct SealedBlock {
    /// The seal.
    pub seal: Seal,
    /// Where the block's first entry is in the log.
    pub first_leaf: LogIndex,
    /// What changes in the authenticated map.
    pub map: TreeUpdateBatch,
    /// New nodes of the log, the seal's leaf included.
    pub log_nodes: Vec<(LogNode, LogHash)>,
    /// The log after the seal.
    pub log: LogAppender,
}

/// Seals a block that was applied, over the map and the log before it.
pub fn seal<R: TreeReader>(
    block: &Block,
    applied: &Applied,
    map: &R,
    mut log: LogAppender,
) -> Result<SealedBlock, ReadError> {
    let values = applied.values.iter().map(|(key, value)| (key.path(), Some(value.clone())));
    let (root, map) = StateMap::new(map)
        .put_value_set(values, applied.height.get())
        .map_err(|error| ReadError::damaged(format!("authenticated map: {error:#}")))?;
    let first_leaf = LogIndex::new(log.size().get());
    let mut log_nodes: Vec<_> = block.entries.iter().flat_map(|entry| log.push(entry.leaf())).collect();
    let seal = Seal {
        height: applied.height,
        time: applied.time,
        state_root: StateRoot::from_bytes(root.0),
        log_size: log.size(),
        log_root: log.root(),
        receipts_root: receipts_root(&applied.receipts),
        protocol_version: applied.protocol_version,
    };
    log_nodes.extend(log.push(seal.leaf()));
    Ok(SealedBlock { seal, first_leaf, map, log_nodes, log })
}
