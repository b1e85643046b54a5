//! Grants, releases, emergencies and reviews: who may write them, and what refuses them.

use vouchsafe_ledger::state::StateRead;
use vouchsafe_ledger_types::entry::{Body, EmergencyAccess, KeyRelease, PurposeClass};
use vouchsafe_ledger_types::ids::{EmergencyId, EntryId, GrantId};
use vouchsafe_ledger_types::receipt::ReceiptCode;
use vouchsafe_ledger_types::state_value::{EmergencyState, GrantState, ReviewsDue};

use super::{World, refused};
use crate::world::{at, auditor, clinic, emergency, grant, hospital, release, review, revoke};

const DAY: u64 = 86_400;

fn released(grant: EntryId, change: impl FnOnce(&mut KeyRelease)) -> Body {
    let Body::KeyRelease(mut body) = release(grant) else { unreachable!() };
    change(&mut body);
    Body::KeyRelease(body)
}

#[test]
fn a_grant_until_it_ends() {
    let mut world = World::new();
    refused(&mut world, &auditor(), 1, grant(at(500)), ReceiptCode::MissingRole);
    refused(&mut world, &hospital(), 2, grant(at(0)), ReceiptCode::GrantEnded);
    let id = world.accepted(&hospital(), 3, grant(at(500)));
    let state: GrantState = world.state.value(GrantId::of(id)).unwrap().unwrap();
    assert_eq!((state.member, state.until, state.revoked), (hospital().id(), at(500), false));
    // A release changes nothing but the log: it can be written as often as keys are released.
    for nonce in [4, 5] {
        world.accepted(&hospital(), nonce, release(id));
    }
    let unknown = EntryId::from_bytes([9; 32]);
    refused(&mut world, &hospital(), 6, release(unknown), ReceiptCode::UnknownGrant);
    refused(&mut world, &clinic(), 7, release(id), ReceiptCode::UnknownGrant);
    refused(&mut world, &auditor(), 8, release(id), ReceiptCode::MissingRole);
    let research = released(id, |body| body.purpose = PurposeClass::Research);
    refused(&mut world, &hospital(), 9, research, ReceiptCode::OtherPurpose);
    let late = released(id, |body| body.deadline = at(0));
    refused(&mut world, &hospital(), 10, late, ReceiptCode::DeadlinePassed);
    world.time = at(499);
    world.accepted(&hospital(), 11, release(id));
    world.time = at(500);
    refused(&mut world, &hospital(), 12, release(id), ReceiptCode::GrantEnded);
}

#[test]
fn a_grant_until_it_is_revoked() {
    let mut world = World::new();
    let id = world.accepted(&hospital(), 1, grant(at(500)));
    let other = world.accepted(&hospital(), 2, grant(at(500)));
    refused(&mut world, &clinic(), 3, revoke(id), ReceiptCode::UnknownGrant);
    refused(&mut world, &auditor(), 4, revoke(id), ReceiptCode::MissingRole);
    refused(&mut world, &hospital(), 5, revoke(EntryId::from_bytes([9; 32])), ReceiptCode::UnknownGrant);
    // The order within a block decides.
    let [before, taken, after] = [(6, release(id)), (7, revoke(id)), (8, release(id))]
        .map(|(nonce, body)| world.write(&hospital(), nonce, body));
    let codes = world.codes(vec![before, taken, after]);
    assert_eq!(codes, [ReceiptCode::Accepted, ReceiptCode::Accepted, ReceiptCode::GrantRevoked]);
    refused(&mut world, &hospital(), 9, release(id), ReceiptCode::GrantRevoked);
    refused(&mut world, &hospital(), 10, revoke(id), ReceiptCode::GrantRevoked);
    world.accepted(&hospital(), 11, release(other));
}

/// The id of another kind of entry is no grant, and a grant is no emergency.
#[test]
fn ids_are_of_one_kind() {
    let mut world = World::new();
    let given = world.accepted(&hospital(), 1, grant(at(500)));
    let reported = world.accepted(&hospital(), 2, emergency(at(0), at(100)));
    refused(&mut world, &hospital(), 3, release(reported), ReceiptCode::UnknownGrant);
    refused(&mut world, &hospital(), 4, review(given), ReceiptCode::UnknownEmergency);
    // A grant counts from its entry on, also within a block.
    let entry = world.write(&hospital(), 5, grant(at(500)));
    let next = world.write(&hospital(), 6, release(entry.id()));
    assert_eq!(world.codes(vec![next, entry.clone()]), [ReceiptCode::UnknownGrant, ReceiptCode::Accepted]);
    world.accepted(&hospital(), 7, release(entry.id()));
}

#[test]
fn an_emergency_and_its_review() {
    let mut world = World::new();
    world.time = at(1000);
    let id = world.accepted(&hospital(), 1, emergency(at(900), at(2000)));
    let due: ReviewsDue = world.state.value(hospital().id()).unwrap().unwrap();
    assert_eq!(due.due, [(at(2000), EmergencyId::of(id))]);
    refused(&mut world, &auditor(), 2, emergency(at(900), at(2000)), ReceiptCode::MissingRole);
    refused(&mut world, &auditor(), 3, review(id), ReceiptCode::MissingRole);
    refused(&mut world, &clinic(), 4, review(id), ReceiptCode::UnknownEmergency);
    refused(&mut world, &hospital(), 5, review(EntryId::from_bytes([9; 32])), ReceiptCode::UnknownEmergency);
    world.accepted(&hospital(), 6, review(id));
    let state: EmergencyState = world.state.value(EmergencyId::of(id)).unwrap().unwrap();
    assert_eq!((state.member, state.review_by, state.reviewed), (hospital().id(), at(2000), true));
    assert_eq!(world.state.value::<ReviewsDue>(hospital().id()).unwrap(), Some(ReviewsDue::default()));
    refused(&mut world, &hospital(), 7, review(id), ReceiptCode::AlreadyReviewed);
}

#[test]
fn times_of_an_emergency() {
    let mut world = World::new();
    world.time = at(1000);
    let hospital = hospital();
    refused(&mut world, &hospital, 1, emergency(at(1301), at(2000)), ReceiptCode::ReleasedLater);
    world.accepted(&hospital, 2, emergency(at(1300), at(2000)));
    refused(&mut world, &hospital, 3, emergency(at(900), at(900)), ReceiptCode::ReviewTime);
    refused(&mut world, &hospital, 4, emergency(at(900), at(900 + 30 * DAY + 1)), ReceiptCode::ReviewTime);
    world.accepted(&hospital, 5, emergency(at(900), at(900 + 30 * DAY)));
    let Body::EmergencyAccess(body) = emergency(at(900), at(2000)) else { unreachable!() };
    let late = Body::EmergencyAccess(EmergencyAccess { deadline: at(1000), ..body });
    refused(&mut world, &hospital, 6, late, ReceiptCode::DeadlinePassed);
}

/// A review that is overdue stops releases of this member, and of no other, until it is made.
#[test]
fn an_overdue_review_blocks_releases() {
    let mut world = World::new();
    let grants = [hospital(), clinic()].map(|hand| world.accepted(&hand, 1, grant(at(9000))));
    let late = world.accepted(&hospital(), 2, emergency(at(0), at(1000)));
    let later = world.accepted(&hospital(), 3, emergency(at(0), at(1500)));
    world.time = at(999);
    world.accepted(&hospital(), 4, release(grants[0]));
    world.time = at(1000);
    refused(&mut world, &hospital(), 5, release(grants[0]), ReceiptCode::ReviewOverdue);
    world.accepted(&clinic(), 6, release(grants[1]));
    // Reviewing the other one does not help.
    world.accepted(&hospital(), 7, review(later));
    refused(&mut world, &hospital(), 8, release(grants[0]), ReceiptCode::ReviewOverdue);
    // An emergency can still be reported, and within a block the review counts at once.
    world.accepted(&hospital(), 9, emergency(at(900), at(5000)));
    let entries = [(10, review(late)), (11, release(grants[0]))];
    let entries = entries.map(|(nonce, body)| world.write(&hospital(), nonce, body)).to_vec();
    assert_eq!(world.codes(entries), [ReceiptCode::Accepted, ReceiptCode::Accepted]);
    // One that is reported after its review was due blocks at once.
    world.accepted(&hospital(), 12, emergency(at(100), at(200)));
    refused(&mut world, &hospital(), 13, release(grants[0]), ReceiptCode::ReviewOverdue);
}

#[test]
fn sixty_four_emergencies_wait_at_most() {
    let mut world = World::new();
    let mut ids = Vec::new();
    for nonce in 0..64 {
        // the later, the earlier due
        ids.push(world.accepted(&hospital(), nonce, emergency(at(0), at(5000 - nonce))));
    }
    let due: ReviewsDue = world.state.value(hospital().id()).unwrap().unwrap();
    assert_eq!(due.due.len(), 64);
    assert!(due.due.windows(2).all(|pair| pair[0] < pair[1]));
    refused(&mut world, &hospital(), 70, emergency(at(0), at(6000)), ReceiptCode::TooManyReviews);
    world.accepted(&clinic(), 71, emergency(at(0), at(6000)));
    world.accepted(&hospital(), 72, review(ids[30]));
    world.accepted(&hospital(), 73, emergency(at(0), at(6000)));
}

#[test]
fn suspended_members_account_but_do_not_give() {
    let mut world = World::new();
    let given = world.accepted(&hospital(), 1, grant(at(9000)));
    let reported = world.accepted(&hospital(), 2, emergency(at(0), at(1000)));
    world.suspend(&hospital());
    refused(&mut world, &hospital(), 3, grant(at(9000)), ReceiptCode::Suspended);
    refused(&mut world, &hospital(), 4, release(given), ReceiptCode::Suspended);
    world.accepted(&hospital(), 5, emergency(at(0), at(2000)));
    world.accepted(&hospital(), 6, review(reported));
    world.accepted(&hospital(), 7, revoke(given));
}
