//! The one door: disclosures, grants, releases under them, emergencies and their reviews.
//!
//! A member is bound by its own grants and emergencies alone. Nothing here says that keys were released, or were not:
//! only that a release without an entry breaks what the member's own program demands.

use vouchsafe_ledger_types::entry::{Disclosure, EmergencyAccess, Grant, KeyRelease, Review, RevokeGrant, Role};
use vouchsafe_ledger_types::ids::{EmergencyId, EntryId, GrantId};
use vouchsafe_ledger_types::receipt::ReceiptCode;
use vouchsafe_ledger_types::state_value::{EmergencyState, GrantState, ReviewsDue};

use super::Author;
use crate::state::{ReadError, StateRead};
use crate::state_machine::working::Working;

/// How far a member's clock may be ahead of the block's when it reports a release.
const SKEW_SECONDS: u64 = 300;
/// Within which time of its release an emergency must be reviewed: 30 days.
const REVIEW_SECONDS: u64 = 30 * 86_400;

type Code = Result<ReceiptCode, ReadError>;

/// A suspended member may disclose too: reading is never possible without a trace.
pub(super) fn disclosure<S: StateRead>(working: &Working<'_, S>, body: &Disclosure) -> ReceiptCode {
    if body.deadline <= working.time() { ReceiptCode::DeadlinePassed } else { ReceiptCode::Accepted }
}

pub(super) fn grant<S: StateRead>(working: &mut Working<'_, S>, author: &Author, id: EntryId, body: &Grant) -> Code {
    if let Some(code) = author.may(Role::Issuer) {
        return Ok(code);
    }
    if body.until <= working.time() {
        return Ok(ReceiptCode::GrantEnded);
    }
    let state = GrantState { member: author.id, purpose: body.purpose, until: body.until, revoked: false };
    working.put(GrantId::of(id), &state);
    Ok(ReceiptCode::Accepted)
}

/// A grant that has ended can be revoked too: then nobody need ask when it ended.
pub(super) fn revoke<S: StateRead>(working: &mut Working<'_, S>, author: &Author, body: &RevokeGrant) -> Code {
    if let Some(code) = author.holds(Role::Issuer) {
        return Ok(code);
    }
    let Some(grant) = own_grant(working, author, body.grant)? else {
        return Ok(ReceiptCode::UnknownGrant);
    };
    if grant.revoked {
        return Ok(ReceiptCode::GrantRevoked);
    }
    working.put(body.grant, &GrantState { revoked: true, ..grant });
    Ok(ReceiptCode::Accepted)
}

pub(super) fn release<S: StateRead>(working: &Working<'_, S>, author: &Author, body: &KeyRelease) -> Code {
    if let Some(code) = author.may(Role::Issuer) {
        return Ok(code);
    }
    let Some(grant) = own_grant(working, author, body.grant)? else {
        return Ok(ReceiptCode::UnknownGrant);
    };
    let due: ReviewsDue = working.value(author.id)?.unwrap_or_default();
    Ok(if grant.revoked {
        ReceiptCode::GrantRevoked
    } else if grant.purpose != body.purpose {
        ReceiptCode::OtherPurpose
    } else if grant.until <= working.time() {
        ReceiptCode::GrantEnded
    } else if body.deadline <= working.time() {
        ReceiptCode::DeadlinePassed
    } else if due.overdue(working.time()) {
        ReceiptCode::ReviewOverdue
    } else {
        ReceiptCode::Accepted
    })
}

/// It may be reported long after the release, and after its review is due: better late than never.
pub(super) fn emergency<S: StateRead>(
    working: &mut Working<'_, S>,
    author: &Author,
    id: EntryId,
    body: &EmergencyAccess,
) -> Code {
    if let Some(code) = author.holds(Role::Issuer) {
        return Ok(code);
    }
    // Beyond the year 9999 nothing is too late.
    let latest = working.time().plus_seconds(SKEW_SECONDS);
    if latest.is_some_and(|latest| body.released_at > latest) {
        return Ok(ReceiptCode::ReleasedLater);
    }
    let too_late = body.released_at.plus_seconds(REVIEW_SECONDS).is_some_and(|latest| body.review_by > latest);
    if body.review_by <= body.released_at || too_late {
        return Ok(ReceiptCode::ReviewTime);
    }
    if body.deadline <= working.time() {
        return Ok(ReceiptCode::DeadlinePassed);
    }
    let id = EmergencyId::of(id);
    let due: ReviewsDue = working.value(author.id)?.unwrap_or_default();
    let Some(due) = due.with(body.review_by, id) else {
        return Ok(ReceiptCode::TooManyReviews);
    };
    working.put(author.id, &due);
    working.put(id, &EmergencyState { member: author.id, review_by: body.review_by, reviewed: false });
    Ok(ReceiptCode::Accepted)
}

pub(super) fn review<S: StateRead>(working: &mut Working<'_, S>, author: &Author, body: &Review) -> Code {
    if let Some(code) = author.holds(Role::Issuer) {
        return Ok(code);
    }
    let known: Option<EmergencyState> = working.value(body.emergency)?;
    let Some(emergency) = known.filter(|emergency| emergency.member == author.id) else {
        return Ok(ReceiptCode::UnknownEmergency);
    };
    if emergency.reviewed {
        return Ok(ReceiptCode::AlreadyReviewed);
    }
    let due: ReviewsDue = working.value(author.id)?.unwrap_or_default();
    working.put(author.id, &due.without(body.emergency));
    working.put(body.emergency, &EmergencyState { reviewed: true, ..emergency });
    Ok(ReceiptCode::Accepted)
}

fn own_grant<S: StateRead>(
    working: &Working<'_, S>,
    author: &Author,
    id: GrantId,
) -> Result<Option<GrantState>, ReadError> {
    let grant: Option<GrantState> = working.value(id)?;
    Ok(grant.filter(|grant| grant.member == author.id))
}
