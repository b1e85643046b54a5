//! The first block: one genesis entry, which founds the chain and its members.

use vouchsafe_circuits::tree;
use vouchsafe_ledger_types::entry::{Body, Genesis};
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode};
use vouchsafe_ledger_types::state_value::{AnchorState, ChainState, MemberState, MemberStatus};
use vouchsafe_ledger_types::units::{EntryIndex, Height, ProtocolVersion};

use super::rules::Outcome;
use super::working::Working;
use super::{ApplyError, Block};
use crate::state::StateRead;

pub(super) fn apply<S: StateRead>(working: &mut Working<'_, S>, block: &Block) -> Result<Receipt, ApplyError> {
    let [entry] = block.entries.as_slice() else {
        return Err(ApplyError::Genesis("it holds another number of entries"));
    };
    let Body::Genesis(genesis) = &entry.entry().body else {
        return Err(ApplyError::Genesis("its entry is of another kind"));
    };
    if block.height != Height::GENESIS {
        return Err(ApplyError::Genesis("its height is not 1"));
    }
    let header = &entry.entry().header;
    let horizon = block.time.plus_seconds(genesis.parameters.expiry_horizon_seconds);
    if header.expiry <= block.time || horizon.is_some_and(|horizon| header.expiry > horizon) {
        return Err(ApplyError::Genesis("its entry has expired, or expires beyond its own horizon"));
    }
    let chain = ChainState {
        chain: header.chain.clone(),
        suite: genesis.suite,
        development: genesis.development,
        genesis: entry.id(),
        protocol_version: ProtocolVersion::CURRENT,
        validators: genesis.validators.clone(),
        parameters: genesis.parameters,
    };
    working.put((), &chain);
    found_members(working, &chain, genesis);
    working.burn(entry);
    Ok(Outcome::from(ReceiptCode::Accepted).receipt(entry.id(), block.height, EntryIndex::new(0)))
}

fn found_members<S: StateRead>(working: &mut Working<'_, S>, chain: &ChainState, genesis: &Genesis) {
    for member in &genesis.members {
        let id = member.id(&chain.chain);
        let state = MemberState {
            name: member.name.clone(),
            roles: member.roles.clone(),
            keys: member.keys.clone(),
            joined: Height::GENESIS,
        };
        working.put(id, &state);
        let anchor = tree::empty_root(chain.suite);
        working.put(id, &AnchorState { status: MemberStatus::Active, anchor, next_position: 0, active: 0 });
    }
}
