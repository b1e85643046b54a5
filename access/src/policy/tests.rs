//! What the standard policy permits, what a policy cannot say, and that a failing forbid denies.

use vouchsafe_circuits::{Commitment, Fe};
use vouchsafe_ledger_types::card::ReaderKey;
use vouchsafe_ledger_types::signing::SigningKey;

use super::*;

const NOW: BlockTime = match BlockTime::from_unix(1_000) {
    Some(now) => now,
    None => BlockTime::EPOCH,
};

fn asker(roles: &[PartyRole]) -> Asker {
    let card = Card::new(
        "Dr. Ada".parse().unwrap(),
        SigningKey::from_seed(&[1; 32]).public(),
        ReaderKey::from_bytes([9; 32]).unwrap(),
    );
    Asker::admitted(&card, roles.iter().copied().collect())
}

fn record() -> RecordId {
    RecordId::of(Commitment::new(Fe::from_u64(1)))
}

fn open(tier: Tier, purpose: &'static str, grant: Option<Granted<'static>>) -> Question<'static> {
    Question::Open { record: record(), schema: "patient", tier, purpose, grant }
}

fn granted(tier: Tier, purpose: &'static str, until: u64) -> Option<Granted<'static>> {
    Some(Granted { tier, purpose, until: BlockTime::from_unix(until).unwrap() })
}

fn emergency(purpose: &'static str, reason: bool) -> Question<'static> {
    Question::Emergency { record: record(), schema: "patient", tier: Tier::Identifying, purpose, reason }
}

#[test]
fn the_standard_policy_permits_this_and_no_more() {
    use PartyRole::{Auditor, Emergency, Reader, Researcher, Verifier};
    let policy = Policy::load(Policy::STANDARD).unwrap();
    let limited = Tier::Limited;
    let grant = granted(limited, "TREAT", 2_000);
    let answer = |person, consent| Question::Answer { schemas: &[], tier: limited, purpose: "HPAYMT", consent, person };
    let count = |purpose| Question::Query { data_set: "d", purpose, threshold: 10 };
    let table: &[(&str, &[PartyRole], Question<'_>, bool)] = &[
        ("what is granted", &[Reader], open(limited, "TREAT", grant), true),
        ("no grant", &[Reader], open(limited, "TREAT", None), false),
        ("a higher tier", &[Reader], open(Tier::Identifying, "TREAT", grant), false),
        ("another purpose", &[Reader], open(limited, "HRESCH", grant), false),
        ("an old grant", &[Reader], open(limited, "TREAT", granted(limited, "TREAT", 1_000)), false),
        ("no role", &[], open(limited, "TREAT", grant), false),
        ("another role", &[Verifier, Auditor, Emergency], open(limited, "TREAT", grant), false),
        ("a researcher", &[Researcher], open(limited, "TREAT", grant), false),
        ("a researcher who reads", &[Reader, Researcher], open(limited, "TREAT", grant), false),
        ("emergency", &[Emergency], emergency("ETREAT", true), true),
        ("emergency without the role", &[Reader], emergency("ETREAT", true), false),
        ("emergency without a reason", &[Emergency], emergency("ETREAT", false), false),
        ("emergency for treatment", &[Emergency], emergency("TREAT", true), false),
        ("emergency of a researcher", &[Emergency, Researcher], emergency("ETREAT", true), false),
        ("a known verifier", &[Verifier], answer(false, false), true),
        ("a person said yes", &[], answer(true, false), true),
        ("an unknown verifier", &[], answer(false, true), false),
        ("a count", &[Researcher], count("HRESCH"), true),
        ("a count for payment", &[Researcher], count("HPAYMT"), false),
        ("a reader counts", &[Reader], count("HRESCH"), false),
    ];
    for (what, roles, question, permitted) in table {
        let decided = policy.decide(&asker(roles), question, NOW);
        assert_eq!(decided.is_ok(), *permitted, "{what}: {decided:?}");
    }
    let denied = policy.decide(&asker(&[Reader, Researcher]), &open(limited, "TREAT", grant), NOW);
    assert_eq!(denied, Err(Denial::NotPermitted(vec!["researchers-open-nothing".to_owned()])));
}

#[test]
fn a_name_in_a_request_is_nobodys_card() {
    let policy = Policy::load("permit (principal, action, resource) when { principal.admitted };").unwrap();
    let question = Question::Answer { schemas: &[], tier: Tier::Public, purpose: "TREAT", consent: true, person: true };
    let Asker { id, .. } = asker(&[]);
    let pretends = Asker::named(&id);
    assert!(policy.decide(&pretends, &question, NOW).is_err());
    assert_ne!(pretends.id, id, "a name cannot be written like a card");
    assert!(policy.decide(&asker(&[]), &question, NOW).is_ok(), "control");
}

#[test]
fn an_empty_policy_denies() {
    let policy = Policy::load("").unwrap();
    let all = asker(&PartyRole::ALL);
    assert_eq!(policy.decide(&all, &emergency("ETREAT", true), NOW), Err(Denial::NotPermitted(Vec::new())));
    assert_ne!(policy.digest(), Policy::load(Policy::STANDARD).unwrap().digest());
}

#[test]
fn what_policies_cannot_say_does_not_load() {
    let rule = |when: &str| format!("permit (principal, action == Action::\"open\", resource) when {{ {when} }};");
    assert!(Policy::load(&rule("context.purpose == \"TREAT\"")).is_ok(), "control");
    for (what, when) in [
        ("an unknown word", "context.mood == \"good\""),
        ("an optional word without has", "context.grant.tier > 2"),
        ("a text compared with a number", "context.purpose == 3"),
        ("an unknown role", "principal in Role::\"docter\""),
        ("what can never hold", "context.tier > 2 && context.tier == \"x\""),
    ] {
        assert!(matches!(Policy::load(&rule(when)), Err(PolicyError::Words(_))), "{what}");
    }
    assert!(matches!(Policy::load("permit principal"), Err(PolicyError::Form(_))));
    let unknown = "permit (principal, action == Action::\"read\", resource);";
    assert!(matches!(Policy::load(unknown), Err(PolicyError::Words(_))));
    assert!(matches!(Policy::load(&" ".repeat(POLICY_BYTES_MAX + 1)), Err(PolicyError::TooLong)));
}

/// A forbid that overflows is left out by Cedar, which then permits. Here it denies.
#[test]
fn a_forbid_that_fails_denies() {
    let text = "permit (principal, action, resource);
        forbid (principal, action == Action::\"emergency\", resource) when { context.now + 9223372036854775807 > 0 };";
    let policy = Policy::load(text).unwrap();
    let (all, question) = (asker(&PartyRole::ALL), emergency("ETREAT", true));
    assert!(matches!(policy.decide(&all, &question, NOW), Err(Denial::Failed(_))));
    // control: Cedar itself says yes
    let (request, entities) = policy.cedar_request(&all, &question, NOW).unwrap();
    let response = Authorizer::new().is_authorized(&request, &policy.set, &entities);
    assert_eq!(response.decision(), Decision::Allow);
}
