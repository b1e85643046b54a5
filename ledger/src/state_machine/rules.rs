//! The rules, one function for each kind of entry. Each checks everything before it changes anything.

use std::collections::BTreeSet;

use vouchsafe_circuits::Commitment;
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::tree::Position;
use vouchsafe_ledger_types::entry::{
    Amend, Body, Disclosure, RegisterSchema, RegisterVerifyingKey, Role, VerifiedEntry, Withdraw,
};
use vouchsafe_ledger_types::ids::{EntryId, MemberId};
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode};
use vouchsafe_ledger_types::state_value::{
    AnchorState, ChainState, MemberState, MemberStatus, SchemaState, VerifyingKeyState,
};
use vouchsafe_ledger_types::units::{EntryIndex, Height};

use super::working::Working;
use crate::state::{ReadError, StateRead};

/// Positions of a set: 4^16.
const POSITIONS: u64 = 1 << 32;

/// What became of an entry, before it has a place in a block.
pub(super) struct Outcome {
    code: ReceiptCode,
    first_position: u32,
    positions: u32,
}

impl From<ReceiptCode> for Outcome {
    fn from(code: ReceiptCode) -> Self {
        Self { code, first_position: 0, positions: 0 }
    }
}

impl Outcome {
    pub(super) fn receipt(self, entry: EntryId, height: Height, index: EntryIndex) -> Receipt {
        let Self { code, first_position, positions } = self;
        Receipt { entry, height, index, code, first_position, positions }
    }
}

/// Who signed, with the values that rules ask for.
struct Author {
    id: MemberId,
    member: MemberState,
    set: AnchorState,
}

impl Author {
    fn may(&self, role: Role) -> Option<ReceiptCode> {
        if !self.member.roles.contains(&role) {
            Some(ReceiptCode::MissingRole)
        } else if self.set.status != MemberStatus::Active {
            Some(ReceiptCode::Suspended)
        } else {
            None
        }
    }
}

/// Applies one admitted entry.
pub(super) fn apply<S: StateRead>(
    working: &mut Working<'_, S>,
    chain: &ChainState,
    height: Height,
    entry: &VerifiedEntry,
) -> Result<Outcome, ReadError> {
    let id = entry.entry().header.member;
    let missing = || ReadError::damaged(format!("member {id} lacks a value"));
    let author =
        Author { id, member: working.value(id)?.ok_or_else(missing)?, set: working.value(id)?.ok_or_else(missing)? };
    match &entry.entry().body {
        Body::RegisterSchema(body) => register_schema(working, height, &author, body),
        Body::RegisterVerifyingKey(body) => register_verifying_key(working, chain, height, &author, body),
        Body::Commit(body) => commit(working, chain, &author, &body.commitments),
        Body::Amend(body) => amend(working, &author, body),
        Body::Withdraw(body) => withdraw(working, &author, body),
        Body::Disclosure(body) => Ok(disclosure(working, body).into()),
        // Genesis; and kinds of later versions, which this one decodes none of.
        _ => Ok(ReceiptCode::NotGenesis.into()),
    }
}

fn register_schema<S: StateRead>(
    working: &mut Working<'_, S>,
    height: Height,
    author: &Author,
    body: &RegisterSchema,
) -> Result<Outcome, ReadError> {
    if let Some(code) = author.may(Role::Registrar) {
        return Ok(code.into());
    }
    let Ok(schema) = Schema::parse(&body.schema) else {
        return Ok(ReceiptCode::InvalidSchema.into());
    };
    if working.value::<SchemaState>(schema.id())?.is_some() {
        return Ok(ReceiptCode::DuplicateSchema.into());
    }
    working.put(schema.id(), &SchemaState { registrar: author.id, height, retired: false });
    Ok(ReceiptCode::Accepted.into())
}

fn register_verifying_key<S: StateRead>(
    working: &mut Working<'_, S>,
    chain: &ChainState,
    height: Height,
    author: &Author,
    body: &RegisterVerifyingKey,
) -> Result<Outcome, ReadError> {
    if let Some(code) = author.may(Role::Registrar) {
        return Ok(code.into());
    }
    if body.development && !chain.development {
        return Ok(ReceiptCode::DevelopmentKey.into());
    }
    if working.value::<VerifyingKeyState>(body.key_id)?.is_some() {
        return Ok(ReceiptCode::DuplicateVerifyingKey.into());
    }
    let key = VerifyingKeyState {
        statement: body.statement.clone(),
        development: body.development,
        registrar: author.id,
        height,
        retired: false,
    };
    working.put(body.key_id, &key);
    Ok(ReceiptCode::Accepted.into())
}

fn commit<S: StateRead>(
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

fn amend<S: StateRead>(working: &mut Working<'_, S>, author: &Author, body: &Amend) -> Result<Outcome, ReadError> {
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

fn withdraw<S: StateRead>(
    working: &mut Working<'_, S>,
    author: &Author,
    body: &Withdraw,
) -> Result<Outcome, ReadError> {
    // A suspended member may withdraw.
    if !author.member.roles.contains(&Role::Issuer) {
        return Ok(ReceiptCode::MissingRole.into());
    }
    if let Some(code) = refuses_old(working, author, body.position, body.commitment)? {
        return Ok(code.into());
    }
    working.clear(author.id, body.position);
    let set = AnchorState { active: author.set.active.saturating_sub(1), ..author.set };
    working.put(author.id, &set);
    Ok(ReceiptCode::Accepted.into())
}

/// A suspended member may disclose too: reading is never possible without a trace.
fn disclosure<S: StateRead>(working: &Working<'_, S>, body: &Disclosure) -> ReceiptCode {
    if body.deadline <= working.time() { ReceiptCode::DeadlinePassed } else { ReceiptCode::Accepted }
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
