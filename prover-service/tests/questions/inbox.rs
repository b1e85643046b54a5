//! A party without a role asks, and a person decides: yes is an answer, no and nothing are a refusal.

use std::time::{Duration, Instant};

use serde_json::Value as Json;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_ledger_types::disclosure::Outcome;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::operator::{self, Command};

use super::desk::{ADULT, CHILD, Desk, OF_AGE, evidence_of, quick, set};

/// A party that policy does not know: auditors may not ask.
fn outsider(desk: &Desk) -> PartySecrets {
    desk.admit("insurer", &[PartyRole::Auditor])
}

fn run(desk: &Desk, command: Command) -> operator::Done {
    desk.world.block_on(operator::run(&desk.world.node, command))
}

fn waiting(desk: &Desk) -> Vec<Json> {
    run(desk, Command::Inbox {}).outcome["waiting"].as_array().unwrap().clone()
}

fn decide(desk: &Desk, question: &[u8], permitted: bool) -> operator::Done {
    run(desk, Command::Decide { question: hex::encode(question).parse().unwrap(), permitted })
}

#[test]
fn a_person_says_yes_or_no() {
    let desk = set("questions-inbox", None, quick);
    let insurer = outsider(&desk);
    let (yes, no) = (desk.request(&[OF_AGE]), desk.request(&[OF_AGE]));
    let yes_taken = desk.ask(&insurer, &yes, ADULT).unwrap();
    let no_taken = desk.ask(&insurer, &no, ADULT).unwrap();
    let shown = waiting(&desk);
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!(shown[0]["asker"], "insurer");
    assert_eq!(shown[0]["purpose"], "HPAYMT");
    assert_eq!(shown[0]["parts"][0], OF_AGE.1);
    assert_eq!(shown[0]["subject"], hospital::record_number(ADULT));
    // nothing is done meanwhile, though its slot passes
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(desk.outcomes().is_empty());
    assert_eq!(decide(&desk, &yes_taken.question, true).status, 0);
    assert_eq!(decide(&desk, &no_taken.question, false).status, 0);
    assert!(waiting(&desk).is_empty());
    let yes_body = desk.body(&insurer, &yes_taken.question).unwrap();
    let no_body = desk.body(&insurer, &no_taken.question).unwrap();
    assert!(evidence_of(&yes_body).is_some() && evidence_of(&no_body).is_none());
    assert_eq!(yes_body.len(), no_body.len());
    let mut outcomes = desk.outcomes();
    outcomes.sort_by_key(|outcome| *outcome == Outcome::Denied);
    assert_eq!(outcomes, [Outcome::Holds, Outcome::Denied]);
    // what is decided is decided, and what is not there cannot be
    assert_eq!(decide(&desk, &no_taken.question, true).status, 1);
    assert_eq!(decide(&desk, &[7; 32], true).status, 1);
    assert!(evidence_of(&desk.body(&insurer, &no_taken.question).unwrap()).is_none());
}

#[test]
fn what_nobody_decides_ends_as_a_refusal() {
    let desk = set("questions-undecided", None, |config| {
        quick(config);
        config.questions.decide_within_seconds = 3;
    });
    let insurer = outsider(&desk);
    let request = desk.request(&[OF_AGE]);
    let began = Instant::now();
    let taken = desk.ask(&insurer, &request, ADULT).unwrap();
    assert_eq!(waiting(&desk).len(), 1);
    let undecided = desk.body(&insurer, &taken.question).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(1_500), "{:?}", began.elapsed());
    assert!(waiting(&desk).is_empty());
    assert_eq!(decide(&desk, &taken.question, true).status, 1, "it is too late");
    // it is the refusal that a no is
    let other = desk.request(&[OF_AGE]);
    let taken = desk.ask(&insurer, &other, CHILD).unwrap();
    decide(&desk, &taken.question, true);
    assert_eq!(desk.body(&insurer, &taken.question).unwrap(), undecided);
    assert_eq!(desk.outcomes(), [Outcome::Denied, Outcome::DoesNotHold]);
}
