//! Breaking the glass: with the ledger and without it, what waits, what is blocked, and what is reviewed.

use vouchsafe_access::door::{
    Blocked, DoorError, EmergencyOrder, Finding, OVERDUE_SECONDS, Parcel, ParcelCheck, REVIEW_SECONDS, Standing,
};
use vouchsafe_access::ledger::AccessLedger;
use vouchsafe_circuits::record::Tier;
use vouchsafe_ledger_types::entry::PurposeClass;
use vouchsafe_ledger_types::ids::EmergencyId;

use super::chain::{EXPIRY_SECONDS, Mood};
use super::clinic::Clinic;
use super::thief::Thief;

fn finding() -> Finding {
    Finding { reviewer: "Q. Board".parse().unwrap(), justified: true, words: "was in order".to_owned() }
}

#[tokio::test]
async fn with_the_ledger_the_entry_comes_first() {
    let mut clinic = Clinic::new(140).await;
    let parcel = clinic.emergency().await.unwrap();
    let opened = clinic.open(&parcel).unwrap();
    assert!(matches!(opened.standing, Standing::Logged { .. }));
    assert_eq!((clinic.chain.emergencies(), clinic.door.unsubmitted().unwrap()), (1, 0));
    let listed = clinic.door.emergencies().await.unwrap();
    assert_eq!((listed[0].reason.as_str(), listed[0].submitted), ("unconscious, allergies unknown", true));
    assert_eq!(listed[0].record, clinic.records[0]);
    assert!(listed[0].state.is_some_and(|state| !state.reviewed));
    assert_eq!(format!("{:?} {:?}", listed[0], clinic.glass()), "EmergencySummary EmergencyOrder");
}

#[tokio::test]
async fn without_the_ledger_it_opens_at_once_and_is_reported_later() {
    let mut clinic = Clinic::new(141).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    clinic.chain.mood(Mood::CutOff);
    let parcel = clinic.emergency().await.unwrap();
    let parcel = Parcel::from_json(&parcel.to_json()).unwrap();
    let opened = clinic.open(&parcel).unwrap();
    assert_eq!(opened.standing, Standing::Promised);
    assert_eq!((clinic.chain.emergencies(), clinic.door.unsubmitted().unwrap()), (0, 1));
    // while it is not reported, no key is released on a grant
    let blocked = clinic.unseal(clinic.order(Tier::Limited)).await;
    assert!(matches!(blocked, Err(DoorError::Blocked(Blocked::Unsubmitted(1)))));
    // the process dies, comes back, and reaches the ledger: the journal is told first
    clinic.restart();
    clinic.chain.mood(Mood::Well);
    assert_eq!(clinic.door.submit_overdue(&mut clinic.rng).await.unwrap(), 1);
    assert_eq!(clinic.door.submit_overdue(&mut clinic.rng).await.unwrap(), 0);
    assert_eq!((clinic.chain.emergencies(), clinic.door.unsubmitted().unwrap()), (1, 0));
    assert_eq!(clinic.door.emergencies().await.unwrap()[0].id, EmergencyId::of(opened.entry));
    assert!(clinic.unseal(clinic.order(Tier::Limited)).await.is_ok(), "control");
}

/// Asking again is enough: what waits is sent first.
#[tokio::test]
async fn a_later_opening_reports_what_waits() {
    let mut clinic = Clinic::new(142).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    clinic.chain.mood(Mood::CutOff);
    clinic.emergency().await.unwrap();
    clinic.chain.mood(Mood::Well);
    assert!(clinic.unseal(clinic.order(Tier::Limited)).await.is_ok());
    assert_eq!((clinic.chain.emergencies(), clinic.chain.releases()), (1, 1));
}

/// The ledger took the entry and nothing was heard of it: told again, it is there once.
#[tokio::test]
async fn an_entry_whose_answer_was_lost_is_there_once() {
    let mut clinic = Clinic::new(143).await;
    clinic.chain.mood(Mood::DiesAfter);
    let parcel = clinic.emergency().await.unwrap();
    assert_eq!(clinic.open(&parcel).unwrap().standing, Standing::Promised);
    assert_eq!((clinic.chain.emergencies(), clinic.door.unsubmitted().unwrap()), (1, 1));
    clinic.chain.mood(Mood::Well);
    clinic.restart();
    assert_eq!(clinic.door.submit_overdue(&mut clinic.rng).await.unwrap(), 1);
    assert_eq!(clinic.chain.emergencies(), 1);
}

/// The network is away for longer than an entry lives: it is signed again, and no other key goes out meanwhile.
#[tokio::test]
async fn an_entry_that_expired_on_the_way_is_signed_again() {
    let mut clinic = Clinic::new(144).await;
    clinic.chain.mood(Mood::CutOff);
    let parcel = clinic.emergency().await.unwrap();
    let first = clinic.open(&parcel).unwrap().entry;
    clinic.chain.pass(EXPIRY_SECONDS + 1);
    assert!(clinic.emergency().await.is_ok(), "a second patient can be helped");
    clinic.chain.pass(OVERDUE_SECONDS);
    let blocked = clinic.emergency().await;
    assert!(matches!(blocked, Err(DoorError::Blocked(Blocked::Unsubmitted(2)))), "but not for ever unseen");
    clinic.chain.mood(Mood::Well);
    assert_eq!(clinic.door.submit_overdue(&mut clinic.rng).await.unwrap(), 2);
    assert_eq!((clinic.chain.emergencies(), clinic.door.unsubmitted().unwrap()), (2, 0));
    let ids: Vec<_> = clinic.door.emergencies().await.unwrap().iter().map(|e| e.id).collect();
    assert!(ids.len() == 2 && !ids.contains(&EmergencyId::of(first)));
    assert!(clinic.emergency().await.is_ok(), "control");
}

#[tokio::test]
async fn what_the_ledger_refuses_is_not_released() {
    let mut clinic = Clinic::new(145).await;
    clinic.chain.mood(Mood::Refuses);
    assert!(matches!(clinic.emergency().await, Err(DoorError::Ledger(_))));
    assert_eq!(clinic.door.unsubmitted().unwrap(), 0, "nothing was released, so nothing waits");
}

#[tokio::test]
async fn role_purpose_and_reason_are_needed() {
    let mut clinic = Clinic::new(146).await;
    let order = clinic.glass();
    let wrong = [
        EmergencyOrder { purpose: PurposeClass::Treatment, ..order.clone() },
        EmergencyOrder { reason: " ".to_owned(), ..order.clone() },
        EmergencyOrder { reason: "x".repeat(257), ..order.clone() },
        EmergencyOrder { reason: "a\nb".to_owned(), ..order.clone() },
    ];
    for order in &wrong {
        let refused = clinic.door.emergency(&clinic.doctor.at_door(), order, &mut clinic.rng).await;
        assert!(matches!(refused, Err(DoorError::Order(_))));
    }
    for party in [&clinic.other, &clinic.researcher] {
        let refused = clinic.door.emergency(&party.at_door(), &order, &mut clinic.rng).await;
        assert!(matches!(refused, Err(DoorError::Denied(_))));
    }
    clinic.chain.mood(Mood::CutOff);
    let refused = clinic.door.emergency(&clinic.other.at_door(), &order, &mut clinic.rng).await;
    assert!(matches!(refused, Err(DoorError::Denied(_))), "without network the policy counts too");
    assert_eq!((clinic.chain.emergencies(), clinic.door.unsubmitted().unwrap()), (0, 0));
}

#[tokio::test]
async fn an_emergency_not_reviewed_in_time_blocks_what_grants_allow() {
    let mut clinic = Clinic::new(147).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    let entry = {
        let parcel = clinic.emergency().await.unwrap();
        clinic.open(&parcel).unwrap().entry
    };
    let id = EmergencyId::of(entry);
    assert!(clinic.unseal(clinic.order(Tier::Limited)).await.is_ok(), "control: not yet due");
    clinic.chain.pass(REVIEW_SECONDS);
    let blocked = clinic.unseal(clinic.order(Tier::Limited)).await;
    assert!(matches!(blocked, Err(DoorError::Blocked(Blocked::ReviewOverdue(due))) if due == id));
    assert!(clinic.emergency().await.is_ok(), "a patient in need is not made to wait for it");
    clinic.door.review(id, &finding(), &mut clinic.rng).await.unwrap();
    assert!(clinic.unseal(clinic.order(Tier::Limited)).await.is_ok());
    let reviewed = clinic.door.emergencies().await.unwrap();
    assert!(reviewed.iter().any(|e| e.id == id && e.state.is_some_and(|s| s.reviewed)));
    assert!(clinic.door.review(id, &finding(), &mut clinic.rng).await.is_err(), "once");
}

/// The reason is fixed by the entry: another one is another release.
#[tokio::test]
async fn an_emergency_parcel_is_bound_to_its_entry_and_reason() {
    let mut clinic = Clinic::new(148).await;
    clinic.chain.mood(Mood::CutOff);
    let one = clinic.emergency().await.unwrap();
    let two = clinic.emergency().await.unwrap();
    let mut thief = Thief::new(&one.to_json());
    thief.set("basis", Thief::new(&two.to_json()).get("basis"));
    let changed = Parcel::from_json(&thief.json()).unwrap();
    assert_eq!(clinic.open(&changed).unwrap_err().check, ParcelCheck::Release);
    let (rules, now) = (clinic.chain.chain(), clinic.chain.now());
    let opened =
        changed.dangerous_open_without(ParcelCheck::Release, &clinic.doctor.secrets, clinic.records[0], rules, now);
    assert!(opened.is_ok(), "control");
}

/// A page of the journal that was damaged shuts the door rather than being passed over.
#[tokio::test]
async fn a_damaged_journal_shuts_the_door() {
    let mut clinic = Clinic::new(149).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    clinic.chain.mood(Mood::CutOff);
    clinic.emergency().await.unwrap();
    clinic.chain.mood(Mood::Well);
    let folder = clinic.hospital.dir.path().join("emergencies");
    let page = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&page).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&page, bytes).unwrap();
    assert!(matches!(clinic.unseal(clinic.order(Tier::Limited)).await, Err(DoorError::Book(_))));
    assert!(matches!(clinic.emergency().await, Err(DoorError::Book(_))));
}
