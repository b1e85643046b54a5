//! A full house: whoever comes is told when to come again, and no party fills it alone.

use std::time::Duration;

use tonic::Code;
use tonic_types::StatusExt;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_prover_service::questions::now_ms;

use super::desk::{ADULT, OF_AGE, evidence_of, quick, set};

#[test]
fn a_full_house_says_when_to_come_again_and_keeps_places_for_others() {
    let desk = set("questions-full", None, |config| {
        quick(config);
        config.questions.slot_ms = 2_000;
        config.questions.delay_ms = 100;
        config.questions.per_slot = 2;
        config.questions.slots_ahead = 3;
    });
    let insurer = desk.insurer();
    let employer = desk.admit("employer", &[PartyRole::Verifier]);
    let request = desk.request(&[OF_AGE]);
    let mut taken = Vec::new();
    let full = loop {
        match desk.ask(&insurer, &request, ADULT) {
            Ok(question) => taken.push(question),
            Err(status) => break status,
        }
        assert!(taken.len() < 50, "the house is never full");
    };
    assert_eq!(full.code(), Code::ResourceExhausted, "{full:?}");
    let delay = full.get_details_retry_info().and_then(|info| info.retry_delay).unwrap();
    assert_eq!(delay, Duration::from_secs(2));
    assert!(desk.world.node.metrics().render().contains("vouchsafe_turned_away_total 1"));
    // one of the two places in a slot was kept
    let other = desk.ask(&employer, &desk.request_of("employer", "HPAYMT", &[OF_AGE]), ADULT).unwrap();
    assert!(evidence_of(&desk.body(&employer, &other.question).unwrap()).is_some());
    // after the delay there is a place again
    std::thread::sleep(delay);
    taken.push(desk.ask(&insurer, &request, ADULT).unwrap());
    for question in &taken {
        assert!(evidence_of(&desk.body(&insurer, &question.question).unwrap()).is_some());
    }
}

#[test]
fn no_party_fills_the_inbox_alone() {
    let desk = set("questions-inbox-full", None, |config| {
        quick(config);
        config.questions.inbox_per_party = 2;
    });
    let insurer = desk.admit("insurer", &[PartyRole::Auditor]);
    let employer = desk.admit("employer", &[PartyRole::Auditor]);
    let request = desk.request(&[OF_AGE]);
    let first = desk.ask(&insurer, &request, ADULT).unwrap();
    desk.ask(&insurer, &request, ADULT).unwrap();
    let full = desk.ask(&insurer, &request, ADULT).unwrap_err();
    assert_eq!(full.code(), Code::ResourceExhausted, "{full:?}");
    assert!(full.get_details_retry_info().and_then(|info| info.retry_delay).unwrap() >= Duration::from_secs(1));
    desk.ask(&employer, &desk.request_of("employer", "HPAYMT", &[OF_AGE]), ADULT).unwrap();
    // what is decided makes room
    let id = hex::encode(&first.question).parse().unwrap();
    desk.world.node.questions().decide(id, false, now_ms()).unwrap();
    desk.ask(&insurer, &request, ADULT).unwrap();
}
