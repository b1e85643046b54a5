//! The state machine: what a block of entries does to the state. Pure.
//! ```text
//! apply(state before, block) -> receipts, new values, new set nodes, index rows, burnt and forgotten ids
//! ```
//! Integers, ordered maps, block time: no clock, randomness, I/O or float. A refused entry changes nothing but its burnt
//! id. An entry that is not admitted (expired, expiring too late, unknown signer, replayed) does not burn its id either.
//! It does not check signatures: a `VerifiedEntry` has had them checked.

mod admission;
mod genesis;
mod rules;
mod working;

use std::collections::BTreeMap;

use rayon::prelude::*;
use vouchsafe_circuits::tree::{self, NodeId, Position};
use vouchsafe_circuits::{Commitment, Fe};
use vouchsafe_ledger_types::entry::VerifiedEntry;
use vouchsafe_ledger_types::ids::{ChainId, EntryId, MemberId};
use vouchsafe_ledger_types::receipt::Receipt;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_value::{ChainState, TipState};
use vouchsafe_ledger_types::units::{BlockTime, EntryIndex, Height, ProtocolVersion};

pub use admission::admission;

use crate::state::{ReadError, StateRead};
use working::Working;

/// Entries in order, and when.
#[derive(Debug, Clone)]
pub struct Block {
    /// The height; one more than the last.
    pub height: Height,
    /// The time; not before that of the last.
    pub time: BlockTime,
    /// The entries; at height 1 the genesis alone.
    pub entries: Vec<VerifiedEntry>,
}

/// What a block does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which block.
    pub height: Height,
    /// When.
    pub time: BlockTime,
    /// The rules it was applied under.
    pub protocol_version: ProtocolVersion,
    /// One for each entry, in order.
    pub receipts: Vec<Receipt>,
    /// New values of the authenticated state.
    pub values: BTreeMap<StateKey, Vec<u8>>,
    /// New nodes of active sets.
    pub set_nodes: BTreeMap<(MemberId, NodeId), Fe>,
    /// Where new commitments are.
    pub positions: BTreeMap<(MemberId, Commitment), Position>,
    /// Ids burnt by this block, and until when they are remembered.
    pub burnt: BTreeMap<EntryId, BlockTime>,
    /// Ids that need not be remembered any longer.
    pub forgotten: Vec<(BlockTime, EntryId)>,
}

/// Why a block cannot be applied. Its proposer's fault, or the store's; never that of one entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// Not the next block.
    #[error("block {found} at time {time} does not follow block {tip}")]
    Order {
        /// The block's height.
        found: Height,
        /// The block's time.
        time: BlockTime,
        /// The last height.
        tip: Height,
    },
    /// More entries or bytes than the parameters allow.
    #[error("the block holds more entries or bytes than the parameters allow")]
    TooLarge,
    /// An entry of another chain was verified for that chain.
    #[error("the block holds an entry of chain {0}")]
    WrongChain(ChainId),
    /// The first block is not a genesis.
    #[error("the first block must hold one genesis entry and no other: {0}")]
    Genesis(&'static str),
    /// The state is ahead of this program.
    #[error("the ledger runs under protocol version {0}, which this program does not know: upgrade it")]
    Protocol(ProtocolVersion),
    /// The state before could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Applies a block to the state before it.
pub fn apply<S: StateRead>(state: &S, block: &Block) -> Result<Applied, ApplyError> {
    let chain = state.value::<ChainState>(())?;
    let mut working = Working::new(state, block.time);
    let receipts = match &chain {
        None => vec![genesis::apply(&mut working, block)?],
        Some(chain) => {
            check_block(state, chain, block)?;
            apply_entries(&mut working, chain, block)?
        }
    };
    let Some(chain) = chain.or_else(|| working.founded()) else {
        return Err(ApplyError::Genesis("it founds nothing"));
    };
    working.put::<TipState>((), &TipState { height: block.height, time: block.time });
    let set_nodes = update_sets(&mut working, &chain)?;
    let forgotten = state.burnt_until(block.time)?;
    let (values, positions, burnt) = working.into_parts();
    Ok(Applied {
        height: block.height,
        time: block.time,
        protocol_version: chain.protocol_version,
        receipts,
        values,
        set_nodes,
        positions,
        burnt,
        forgotten,
    })
}

fn check_block<S: StateRead>(state: &S, chain: &ChainState, block: &Block) -> Result<(), ApplyError> {
    if chain.protocol_version != ProtocolVersion::CURRENT {
        return Err(ApplyError::Protocol(chain.protocol_version));
    }
    let tip: TipState = state.value(())?.ok_or_else(|| ReadError::damaged("there is no last block"))?;
    if tip.height.next() != Some(block.height) || block.time < tip.time {
        return Err(ApplyError::Order { found: block.height, time: block.time, tip: tip.height });
    }
    let bytes: u64 = block.entries.iter().map(|entry| entry.encoded().len() as u64).sum();
    let parameters = &chain.parameters;
    if block.entries.len() as u64 > u64::from(parameters.block_entries_max) || bytes > parameters.block_bytes_max {
        return Err(ApplyError::TooLarge);
    }
    match block.entries.iter().find(|entry| entry.entry().header.chain != chain.chain) {
        Some(entry) => Err(ApplyError::WrongChain(entry.entry().header.chain.clone())),
        None => Ok(()),
    }
}

fn apply_entries<S: StateRead>(
    working: &mut Working<'_, S>,
    chain: &ChainState,
    block: &Block,
) -> Result<Vec<Receipt>, ApplyError> {
    let mut receipts = Vec::with_capacity(block.entries.len());
    for (index, entry) in (0u32..).zip(&block.entries) {
        let outcome = match working.admit(chain, entry)? {
            Some(code) => rules::Outcome::from(code),
            None => {
                working.burn(entry);
                rules::apply(working, chain, block.height, entry)?
            }
        };
        receipts.push(outcome.receipt(entry.id(), block.height, EntryIndex::new(index)));
    }
    Ok(receipts)
}

/// Recomputes each changed active set once, members side by side; the order of results is that of members.
fn update_sets<S: StateRead>(
    working: &mut Working<'_, S>,
    chain: &ChainState,
) -> Result<BTreeMap<(MemberId, NodeId), Fe>, ApplyError> {
    let state = working.state();
    let changes = working.take_leaves();
    let updates: Result<Vec<(MemberId, tree::TreeUpdate)>, ReadError> = changes
        .into_par_iter()
        .map(|(member, leaves)| {
            let read = |node| state.set_node(member, node);
            let update = tree::update(chain.suite, &read, &leaves).map_err(|error| match error {
                tree::TreeError::Read(error) => error,
                other => ReadError::damaged(format!("active set of {member}: {other}")),
            })?;
            Ok((member, update))
        })
        .collect();
    let mut nodes = BTreeMap::new();
    for (member, update) in updates? {
        working.set_anchor(member, update.root)?;
        nodes.extend(update.nodes.into_iter().map(|(node, fe)| ((member, node), fe)));
    }
    Ok(nodes)
}
