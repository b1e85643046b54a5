//! A restart between question and answer loses nothing, and gives nothing that policy would not give now.

use vouchsafe_access::policy::{PartyRole, Policy};
use vouchsafe_ledger_types::disclosure::Outcome;
use vouchsafe_prover_service::config::Config;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::operator::{self, Command};

use super::desk::{ADULT, CHILD, OF_AGE, ask_with, evidence_of, quick, set};

/// Slots so far ahead that a node can be stopped before them.
fn slow(config: &mut Config) {
    quick(config);
    config.questions.delay_ms = 2_000;
}

#[test]
fn questions_outlive_the_node() {
    let desk = set("questions-restart", None, slow);
    let insurer = desk.insurer();
    let outsider = desk.admit("stranger", &[PartyRole::Auditor]);
    let request = desk.request(&[OF_AGE]);
    let call = desk.call(&insurer, &request, &hospital::record_number(ADULT));
    let taken = desk.world.block_on(ask_with(desk.world.connect(), call.clone())).unwrap();
    // many more than the node can work on before it is stopped
    let more: Vec<_> = (0..6).map(|n| desk.ask(&insurer, &request, [ADULT, CHILD][n % 2]).unwrap()).collect();
    let waits = desk.ask(&outsider, &desk.request_of("stranger", "HPAYMT", &[OF_AGE]), ADULT).unwrap();

    let desk = desk.again(slow);
    let again = desk.world.block_on(ask_with(desk.world.connect(), call)).unwrap();
    assert_eq!((again.question.clone(), again.ends_at), (taken.question.clone(), taken.ends_at));
    let body = desk.body(&insurer, &taken.question).unwrap();
    assert!(evidence_of(&body).is_some());
    for (n, taken) in more.iter().enumerate() {
        assert_eq!(evidence_of(&desk.body(&insurer, &taken.question).unwrap()).is_some(), n % 2 == 0, "{n}");
    }
    // logged at least once each; what was at work when the node ended, twice
    let outcomes = desk.outcomes();
    assert!((7..=8).contains(&outcomes.len()), "{outcomes:?}");

    // what waits for a person waits, and an answer that was made stays what it is
    let desk = desk.again(slow);
    assert_eq!(desk.body(&insurer, &taken.question).unwrap(), body);
    let question = hex::encode(&waits.question).parse().unwrap();
    let done = desk.world.block_on(operator::run(&desk.world.node, Command::Decide { question, permitted: true }));
    assert_eq!(done.status, 0, "{done:?}");
    assert!(evidence_of(&desk.body(&outsider, &waits.question).unwrap()).is_some());
}

#[test]
fn what_another_policy_permitted_is_denied() {
    let desk = set("questions-repolicy", None, slow);
    let outsider = desk.admit("insurer", &[PartyRole::Auditor]);
    let waits = desk.ask(&outsider, &desk.request(&[OF_AGE]), ADULT).unwrap();
    let policy = Policy::STANDARD.to_owned() + "\nforbid (principal, action == Action::\"answer\", resource);";
    std::fs::write(desk.data().join("policy.cedar"), policy).unwrap();
    let desk = desk.again(slow);
    let question = hex::encode(&waits.question).parse().unwrap();
    desk.world.block_on(operator::run(&desk.world.node, Command::Decide { question, permitted: true }));
    assert!(evidence_of(&desk.body(&outsider, &waits.question).unwrap()).is_none());
    assert_eq!(desk.outcomes(), [Outcome::Denied]);
}
