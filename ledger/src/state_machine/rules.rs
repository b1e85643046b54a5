//! The rules, one function for each kind of entry. Each checks everything before it changes anything.
//!
//! They are grouped as entries are: `registry`, `records`, `access`, `research`. A suspended member may write what takes
//! back or accounts for (withdraw, revoke, disclose, report, review, spend), and nothing that gives.

mod access;
mod records;
mod registry;
mod research;

use vouchsafe_ledger_types::entry::{Body, Role, VerifiedEntry};
use vouchsafe_ledger_types::ids::{EntryId, MemberId};
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode};
use vouchsafe_ledger_types::state_value::{AnchorState, ChainState, MemberState, MemberStatus};
use vouchsafe_ledger_types::units::{EntryIndex, Height};

use super::working::Working;
use crate::state::{ReadError, StateRead};

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
    /// What forbids an entry that only a member in good standing may write.
    fn may(&self, role: Role) -> Option<ReceiptCode> {
        let suspended = self.set.status != MemberStatus::Active;
        self.holds(role).or(suspended.then_some(ReceiptCode::Suspended))
    }

    /// What forbids an entry that a suspended member may write too.
    fn holds(&self, role: Role) -> Option<ReceiptCode> {
        (!self.member.roles.contains(&role)).then_some(ReceiptCode::MissingRole)
    }
}

/// Applies one admitted entry.
pub(super) fn apply<S: StateRead>(
    working: &mut Working<'_, S>,
    chain: &ChainState,
    height: Height,
    entry: &VerifiedEntry,
) -> Result<Outcome, ReadError> {
    let member = entry.entry().header.member;
    let missing = || ReadError::damaged(format!("member {member} lacks a value"));
    let state = working.value(member)?.ok_or_else(missing)?;
    let author = Author { id: member, member: state, set: working.value(member)?.ok_or_else(missing)? };
    let id = entry.id();
    match &entry.entry().body {
        Body::RegisterSchema(body) => registry::register_schema(working, height, &author, body),
        Body::RegisterVerifyingKey(body) => registry::register_verifying_key(working, chain, height, &author, body),
        Body::Commit(body) => records::commit(working, chain, &author, &body.commitments),
        Body::Amend(body) => records::amend(working, &author, body),
        Body::Withdraw(body) => records::withdraw(working, &author, body),
        Body::Disclosure(body) => Ok(access::disclosure(working, body).into()),
        Body::Grant(body) => access::grant(working, &author, id, body).map(Outcome::from),
        Body::RevokeGrant(body) => access::revoke(working, &author, body).map(Outcome::from),
        Body::KeyRelease(body) => access::release(working, &author, body).map(Outcome::from),
        Body::EmergencyAccess(body) => access::emergency(working, &author, id, body).map(Outcome::from),
        Body::Review(body) => access::review(working, &author, body).map(Outcome::from),
        Body::OpenDataSet(body) => research::open_data_set(working, &author, body).map(Outcome::from),
        Body::OpenProject(body) => research::open_project(working, &author, id, body).map(Outcome::from),
        Body::ReserveBudget(body) => research::reserve(working, &author, id, body).map(Outcome::from),
        Body::SpendBudget(body) => research::spend(working, &author, body).map(Outcome::from),
        // Genesis; and kinds of later versions, which this one decodes none of.
        _ => Ok(ReceiptCode::NotGenesis.into()),
    }
}
