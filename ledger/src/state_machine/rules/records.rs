//! Commitments: a member changes its own active set, and no other.

use std::collections::BTreeSet;

use vouchsafe_circuits::Commitment;
use vouchsafe_circuits::tree::Position;
use vouchsafe_ledger_types::entry::{Amend, Role, Withdraw};
use vouchsafe_ledger_types::receipt::ReceiptCode;
use vouchsafe_ledger_types::state_value::{AnchorState, ChainState};

use super::{Author, Outcome};
use crate::state::{ReadError, StateRead};
use crate::state_machine::working::Working;

/// Positions of a set: 4^16.
const POSITIONS: u64 = 1 << 32;

pub(super) fn commit<S: StateRead>(
    working: &mut Working<'_, S>,
    chain: &ChainState,
    author: &Author,
    commitments: &[Commitment],
) -> Result<Outcome, ReadError> {
    if let Some(code) = author.may(Role::Issuer) {
        return Ok(code.into());
    }
    if commitments.is_empty() || commitments.len() > chain.parameters.entry_commitments_max as usize {
        return Ok(ReceiptCode::BatchSize.into());
    }
    if let Some(code) = refuses_new(working, author, commitments)? {
        return Ok(code.into());
    }
    Ok(append(working, author, commitments, 0))
}

pub(super) fn amend<S: StateRead>(
    working: &mut Working<'_, S>,
    author: &Author,
    body: &Amend,
) -> Result<Outcome, ReadError> {
    if let Some(code) = author.may(Role::Issuer) {
        return Ok(code.into());
    }
    if let Some(code) = refuses_old(working, author, body.position, body.old)? {
        return Ok(code.into());
    }
    if let Some(code) = refuses_new(working, author, &[body.new])? {
        return Ok(code.into());
    }
    working.clear(author.id, body.position);
    Ok(append(working, author, &[body.new], 1))
}

pub(super) fn withdraw<S: StateRead>(
    working: &mut Working<'_, S>,
    author: &Author,
    body: &Withdraw,
) -> Result<Outcome, ReadError> {
    // A suspended member may withdraw.
    if let Some(code) = author.holds(Role::Issuer) {
        return Ok(code.into());
    }
    if let Some(code) = refuses_old(working, author, body.position, body.commitment)? {
        return Ok(code.into());
    }
    working.clear(author.id, body.position);
    let set = AnchorState { active: author.set.active.saturating_sub(1), ..author.set };
    working.put(author.id, &set);
    Ok(ReceiptCode::Accepted.into())
}

/// Why a commitment cannot be taken out of this place.
fn refuses_old<S: StateRead>(
    working: &Working<'_, S>,
    author: &Author,
    position: Position,
    old: Commitment,
) -> Result<Option<ReceiptCode>, ReadError> {
    if old.fe().is_zero() {
        return Ok(Some(ReceiptCode::ZeroCommitment));
    }
    if u64::from(position.get()) >= author.set.next_position {
        return Ok(Some(ReceiptCode::UnknownPosition));
    }
    let holds = working.leaf(author.id, position)? == old.fe();
    Ok((!holds).then_some(ReceiptCode::NotActive))
}

/// Why commitments cannot be appended.
fn refuses_new<S: StateRead>(
    working: &Working<'_, S>,
    author: &Author,
    commitments: &[Commitment],
) -> Result<Option<ReceiptCode>, ReadError> {
    if POSITIONS.saturating_sub(author.set.next_position) < commitments.len() as u64 {
        return Ok(Some(ReceiptCode::SetFull));
    }
    let mut seen = BTreeSet::new();
    for commitment in commitments {
        if commitment.fe().is_zero() {
            return Ok(Some(ReceiptCode::ZeroCommitment));
        }
        if !seen.insert(*commitment) || working.position_of(author.id, *commitment)?.is_some() {
            return Ok(Some(ReceiptCode::DuplicateCommitment));
        }
    }
    Ok(None)
}

/// Appends commitments that nothing refuses; `removed` were taken out by the same entry.
fn append<S: StateRead>(
    working: &mut Working<'_, S>,
    author: &Author,
    commitments: &[Commitment],
    removed: u64,
) -> Outcome {
    let first = author.set.next_position;
    for (position, commitment) in (first..).zip(commitments) {
        // Below 2^32: `refuses_new` saw to it.
        working.place(author.id, *commitment, Position::new(position as u32));
    }
    let count = commitments.len() as u64;
    let active = author.set.active.saturating_add(count).saturating_sub(removed);
    working.put(author.id, &AnchorState { next_position: first + count, active, ..author.set });
    Outcome { code: ReceiptCode::Accepted, first_position: first as u32, positions: count as u32 }
}
