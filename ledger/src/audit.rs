//! The whole audit: reads every entry, checks its signatures, replays it from the genesis, and compares every seal and
//! receipt with what is stored.
//!
//! It needs the state in memory, and time in proportion to the history. What opening checks is the last block alone.

use vouchsafe_circuits::Suite;
use vouchsafe_ledger_types::entry::SignedEntry;
use vouchsafe_ledger_types::units::{BlockTime, Height};

use crate::memory::MemoryState;
use crate::snapshot::Snapshot;
use crate::state::{ReadError, StateRead};
use crate::state_machine::Block;
use crate::store::View;

/// What an audit went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audited {
    /// Blocks.
    pub blocks: u64,
    /// Entries.
    pub entries: u64,
}

/// Replays the ledger up to a snapshot; any difference is an error.
pub fn audit(snapshot: &Snapshot<'_>) -> Result<Audited, ReadError> {
    let chain = snapshot.chain();
    let mut state = MemoryState::default();
    let mut audited = Audited { blocks: 0, entries: 0 };
    let mut height = Height::GENESIS;
    let view = snapshot.view();
    loop {
        let block = read_block(snapshot, chain.suite, height)?;
        let differs = |what: String| ReadError::damaged(format!("block {height}: {what}"));
        let (applied, sealed) = state.advance_sealed(&block).map_err(|error| differs(error.to_string()))?;
        if view.seal(height)? != Some(sealed.seal) {
            return Err(differs("replaying its entries gives another seal".into()));
        }
        if view.receipts(height)? != applied.receipts {
            return Err(differs("replaying its entries gives other receipts".into()));
        }
        for (node, hash) in &sealed.log_nodes {
            if view.log_node(*node)? != *hash {
                return Err(differs(format!("log node {node:?} differs")));
            }
        }
        for receipt in applied.receipts.iter().filter(|receipt| applied.burnt.contains_key(&receipt.entry)) {
            if view.locate(receipt.entry)? != Some((height, receipt.index)) {
                return Err(differs(format!("entry {} cannot be found by its id", receipt.entry)));
            }
        }
        audited.blocks += 1;
        audited.entries += block.entries.len() as u64;
        match height.next() {
            Some(next) if height < snapshot.height() => height = next,
            _ => break,
        }
    }
    compare(view, &state)?;
    check_map(snapshot, &state)?;
    Ok(audited)
}

fn read_block(snapshot: &Snapshot<'_>, suite: Suite, height: Height) -> Result<Block, ReadError> {
    let view = snapshot.view();
    let seal = view.seal(height)?.ok_or_else(|| ReadError::damaged(format!("seal {height} is missing")))?;
    let parse = |bytes: &Vec<u8>| {
        let entry = SignedEntry::decode(bytes, suite).and_then(|entry| entry.verify(&snapshot.chain().chain));
        entry.map_err(|error| ReadError::damaged(format!("an entry of block {height}: {error}")))
    };
    let entries = view.entries(height)?.iter().map(parse).collect::<Result<_, _>>()?;
    Ok(Block { height, time: seal.time, entries })
}

/// What is kept beside the values that seals cover, as of the snapshot: active sets and the index of commitments.
fn compare(view: &View<'_>, state: &MemoryState) -> Result<(), ReadError> {
    for ((member, node), fe) in state.set_nodes() {
        if view.set_node(*member, *node)? != Some(*fe) {
            return Err(ReadError::damaged(format!("node {node:?} of the active set of {member} differs")));
        }
    }
    for ((member, commitment), position) in state.positions() {
        if view.position_of(*member, *commitment)? != Some(*position) {
            return Err(ReadError::damaged(format!("the commitment index differs at position {position} of {member}")));
        }
    }
    for (key, bytes) in state.values() {
        if view.bytes(key)?.as_ref() != Some(bytes) {
            return Err(ReadError::damaged(format!("the state's value of {key:?} differs")));
        }
    }
    if !view.burnt_until(BlockTime::MAX)?.iter().eq(state.expiries()) {
        return Err(ReadError::damaged("the burnt ids differ"));
    }
    Ok(())
}

/// Each value can be proved under the last seal.
fn check_map(snapshot: &Snapshot<'_>, state: &MemoryState) -> Result<(), ReadError> {
    for (key, bytes) in state.values() {
        let damaged = |what: String| ReadError::damaged(format!("the authenticated map at {key:?}: {what}"));
        let proof = snapshot.state_proof(key).map_err(|error| damaged(error.to_string()))?;
        let shown = proof.verify(snapshot.seal().state_root, key).map_err(|error| damaged(error.to_string()))?;
        if shown != Some(bytes.as_slice()) {
            return Err(damaged("it shows another value".into()));
        }
    }
    Ok(())
}
