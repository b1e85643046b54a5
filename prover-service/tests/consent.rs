//! Consent shown as a part, given and taken back; what the part says is written by rule.

use proptest::prelude::*;
use rand::rngs::OsRng;
use serde_json::{Value as Json, json};
use time::macros::date;
use vouchsafe_access::subject::Identifier;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::record::{Day, Validity, Value};
use vouchsafe_circuits::schema::builtin;
use vouchsafe_circuits::statements::fact::{Clause, TruthTable};
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::verify::Verifier;
use vouchsafe_prover_service::answer::{AnswerError, answer};
use vouchsafe_prover_service::ask::{AskError, Question, ask, compile_part, consent_part, has_consent_part};
use vouchsafe_prover_service::consent::{Consent, ConsentError, give, withdraw};
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::institution::Institution;
use vouchsafe_prover_service::key_files::{KeyFolder, KeyRing};
use vouchsafe_prover_service::predicate::compile;

use crate::scene::{found, now, open, question, runtime, scene, take_in};

const DIABETES: (&str, &str) = ("condition", "icd10.under(\"E11\")");

struct House {
    institution: Institution,
    trust: Trust,
    keys: KeyRing,
    source: Source,
    subject: Identifier,
}

impl House {
    async fn set(name: &str) -> House {
        let (data, trust) = found(name);
        let institution = open(&data);
        let source = Source::new("house").unwrap();
        take_in(&institution, &source, &hospital::generate(1, 2, date!(2026 - 06 - 15))).await;
        let keys = KeyRing::new(KeyFolder::of(&institution.layout().keys()), Suite::Bn254);
        let subject = hospital::record_number(0).parse().unwrap();
        House { institution, trust, keys, source, subject }
    }

    /// Asks about the protagonist's diagnosis, with consent; true if the evidence is believed.
    async fn shown(&self, verifier: &str, purpose: &str) -> bool {
        let request = with_consent(&self.trust, verifier, purpose);
        match answer(&self.institution, &self.keys, &request, &self.subject, &mut OsRng).await {
            Err(AnswerError::No(_)) => false,
            Err(error) => panic!("{error}"),
            Ok(evidence) => {
                let verifier = Verifier { request: &request, trust: &self.trust, now: now(), compile: &compile_part };
                verifier.verify(&evidence).unwrap();
                assert_eq!(evidence.answers.len(), 2);
                true
            }
        }
    }

    async fn give(&self, recipient: &str, valid: Validity) {
        let consent = Consent::new(recipient, "HPAYMT").unwrap();
        give(&self.institution, &self.subject, &consent, valid, &mut OsRng).await.unwrap();
    }

    async fn file(&self, status: &str, version: &str, provision: Json) {
        let resource = json!({
            "resourceType": "Consent", "id": "c", "status": status, "meta": {"versionId": version},
            "patient": {"identifier": {"system": hospital::MRN_SYSTEM,
                "value": hospital::record_number(0).split_once('|').unwrap().1}},
            "scope": {"coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "provision": provision,
        });
        take_in(&self.institution, &self.source, &[resource]).await;
    }
}

fn with_consent(trust: &Trust, verifier: &str, purpose: &str) -> Request {
    let question = Question {
        with_consent: true,
        verifier: verifier.to_owned(),
        purpose: purpose.to_owned(),
        ..question(&[DIABETES])
    };
    ask(&question, trust, now(), &mut OsRng).unwrap()
}

#[test]
fn consent_is_shown_to_whom_and_for_what_it_was_given_until_it_is_taken_back() {
    runtime().block_on(async {
        let house = House::set("consent").await;
        assert!(!house.shown("insurer", "HPAYMT").await, "nobody consented");
        house.give("insurer", Validity::ALWAYS).await;
        assert!(house.shown("insurer", "HPAYMT").await);
        assert!(!house.shown("insurer", "HMARKT").await, "for another purpose");
        assert!(!house.shown("Insurer", "HPAYMT").await, "to another verifier");
        // given again with other days, it replaces what was given
        let today = now().day();
        house.give("insurer", Validity { from: today - 9, until: today - 1 }).await;
        assert!(!house.shown("insurer", "HPAYMT").await, "it ran out");
        house.give("insurer", Validity { from: today + 1, until: u32::MAX }).await;
        assert!(!house.shown("insurer", "HPAYMT").await, "it has not begun");
        house.give("insurer", Validity { from: today, until: today + 1 }).await;
        assert!(house.shown("insurer", "HPAYMT").await);
        let consent = Consent::new("insurer", "HPAYMT").unwrap();
        let take = || async { withdraw(&house.institution, &house.subject, &consent, &mut OsRng).await };
        assert_eq!(take().await.unwrap().others, 0);
        assert!(!house.shown("insurer", "HPAYMT").await, "taken back");
        assert!(matches!(take().await, Err(ConsentError::NotGiven)));
        house.give("insurer", Validity::ALWAYS).await;
        assert!(house.shown("insurer", "HPAYMT").await, "and given once more");
        // another's consent is not this subject's
        take().await.unwrap();
        let other = hospital::record_number(1).parse().unwrap();
        give(&house.institution, &other, &consent, Validity::ALWAYS, &mut OsRng).await.unwrap();
        assert!(!house.shown("insurer", "HPAYMT").await, "another's");
        let nobody = format!("{}|nobody", hospital::MRN_SYSTEM).parse().unwrap();
        let given = give(&house.institution, &nobody, &consent, Validity::ALWAYS, &mut OsRng).await;
        assert!(matches!(given, Err(ConsentError::NoSubject)));
        assert!(matches!(Consent::new("a\nb", "HPAYMT"), Err(ConsentError::Recipient)));
        assert!(matches!(Consent::new("insurer", "for fun"), Err(ConsentError::Purpose)));
        assert!(matches!(Consent::new("insurer", "A2345678901234567"), Err(ConsentError::Purpose)));
    });
}

#[test]
fn a_consent_in_a_file_permits_denies_and_ends() {
    runtime().block_on(async {
        let house = House::set("consent-file").await;
        let provision = |kind: &str, name: &str| {
            json!({"type": kind, "purpose": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HPAYMT"}],
                "actor": [{"reference": {"identifier": {"system": "urn:vouchsafe:party", "value": name}},
                    "role": {"coding": [{"code": "PRCP",
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"}]}}]})
        };
        house.file("active", "1", provision("permit", "insurer")).await;
        assert!(house.shown("insurer", "HPAYMT").await);
        // the next version no longer names the insurer
        house.file("active", "2", provision("permit", "clinic")).await;
        assert!(!house.shown("insurer", "HPAYMT").await);
        assert!(house.shown("clinic", "HPAYMT").await);
        // a deny from a file counts before a permit from the desk, and is of one recipient
        house.give("insurer", Validity::ALWAYS).await;
        assert!(house.shown("insurer", "HPAYMT").await);
        house.file("active", "3", provision("deny", "insurer")).await;
        assert!(!house.shown("insurer", "HPAYMT").await);
        assert!(!house.shown("clinic", "HPAYMT").await, "version 3 says nothing of it any more");
        house.file("inactive", "4", provision("deny", "insurer")).await;
        assert!(house.shown("insurer", "HPAYMT").await);
        // what the desk takes back, a file may still say
        house.file("active", "5", provision("permit", "insurer")).await;
        let consent = Consent::new("insurer", "HPAYMT").unwrap();
        let taken = withdraw(&house.institution, &house.subject, &consent, &mut OsRng).await.unwrap();
        assert_eq!(taken.others, 1);
        assert!(house.shown("insurer", "HPAYMT").await);
        house.file("entered-in-error", "6", json!({})).await;
        assert!(!house.shown("insurer", "HPAYMT").await);
    });
}

/// The subject's no counts whether or not the asker has consent shown.
#[test]
fn a_deny_counts_also_where_consent_is_not_asked_for() {
    runtime().block_on(async {
        let house = House::set("consent-deny").await;
        let answered = async |verifier: &str| {
            let question = Question { verifier: verifier.to_owned(), ..question(&[DIABETES]) };
            let request = ask(&question, &house.trust, now(), &mut OsRng).unwrap();
            match answer(&house.institution, &house.keys, &request, &house.subject, &mut OsRng).await {
                Ok(_) => true,
                Err(AnswerError::No(_)) => false,
                Err(error) => panic!("{error}"),
            }
        };
        assert!(answered("insurer").await, "control: without a word there is an answer");
        house.file("active", "1", json!({"type": "deny"})).await;
        assert!(!answered("insurer").await && !answered("clinic").await, "nobody is answered");
        house.file("inactive", "2", json!({"type": "deny"})).await;
        assert!(answered("insurer").await, "control: taken back");
    });
}

#[test]
fn a_request_has_a_consent_part_if_it_is_the_one_that_policy_writes() {
    let trust = &scene().trust;
    let request = with_consent(trust, "insurer", "HPAYMT");
    assert!(has_consent_part(&request));
    assert!(!has_consent_part(&ask(&question(&[DIABETES]), trust, now(), &mut OsRng).unwrap()));
    let changed = |change: fn(&mut Request)| {
        let mut request = request.clone();
        change(&mut request);
        assert!(!has_consent_part(&request));
    };
    changed(|r| r.verifier = "other".to_owned());
    changed(|r| r.purpose = "TREAT".to_owned());
    changed(|r| r.parts[1].predicate.push(' '));
    changed(|r| r.parts[1].predicate = r.parts[1].predicate.replace("permit", "deny"));
    changed(|r| r.parts[1].clauses.swap(0, 1));
    changed(|r| r.parts[1].table = TruthTable::new(0xffff));
    changed(|r| r.parts[1].schema = r.parts[0].schema.clone());
    changed(|r| r.parts[1].language.push('2'));
    // consent that an asker words itself is a question like any other, and not the consent part
    let own = [DIABETES, ("consent", "decision == \"permit\"")];
    assert!(!has_consent_part(&ask(&question(&own), trust, now(), &mut OsRng).unwrap()));
    let long = Question { with_consent: true, purpose: "A".repeat(16), ..question(&[DIABETES]) };
    assert!(matches!(ask(&long, trust, now(), &mut OsRng), Err(AskError::Purpose)));
    // with consent there is room for three parts
    let many = Question { with_consent: true, ..question(&[DIABETES; 4]) };
    assert!(matches!(ask(&many, trust, now(), &mut OsRng), Err(AskError::Request(_))));
}

proptest! {
    /// No name of a verifier says more than its name.
    #[test]
    fn the_consent_part_asks_three_things_whatever_the_verifier_calls_itself(
        verifier in prop_oneof!["\\PC{1,40}", "[\"\\\\nru0|&=a ]{1,40}", Just("x\" || decision == \"deny".to_owned())]
    ) {
        let asked = consent_part(&verifier, "HPAYMT").unwrap();
        let schema = builtin::consent();
        let compiled = compile(&asked.predicate, &schema, Day::new(20_000)).unwrap();
        let equals = |name: &str, value: Value| {
            let (index, field) = schema.field(name).unwrap();
            Clause::equals(index, field.encode(&value).unwrap())
        };
        let expected = vec![
            equals("decision", Value::Code("permit".to_owned())),
            equals("recipient", Value::Text(verifier)),
            equals("purpose", Value::Code("HPAYMT".to_owned())),
            Clause::unused(),
        ];
        prop_assert_eq!(compiled.clauses, expected);
        prop_assert_eq!(compiled.table, TruthTable::from_fn(4, |c| c[0] && c[1] && c[2]));
    }
}
