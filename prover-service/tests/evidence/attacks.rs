//! Attacks that need a patched holder, beyond those of the demo; each with the defence that it fails on.

use std::collections::BTreeSet;

use rand::rngs::OsRng;
use time::macros::date;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::keys::generate_development;
use vouchsafe_circuits::record::pseudonym;
use vouchsafe_circuits::statements::Statement;
use vouchsafe_ledger::engine::Engine;
use vouchsafe_ledger_types::entry::Body;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::units::{BlockTime, Height};
use vouchsafe_ledger_types::verify::Check;
use vouchsafe_prover_service::answer::{AnswerError, answer};
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::ingest::{Intake, Silent};
use vouchsafe_prover_service::key_files::{KeyFolder, KeyRing};

use super::Case;
use crate::scene::{ask_with, found, now, open, scene};

const ADULT: &str = "birthDate <= yearsAgo(18)";

#[test]
fn the_forge_itself_makes_evidence_that_is_believed() {
    let request = scene().ask(ADULT);
    let logged = scene().log_properly(&request);
    let evidence = scene().forged(&request, &scene().held(&request), logged);
    Case::of(request, evidence).verify().unwrap();
}

/// Somebody gives the verifier a request file whose text says one thing and whose clauses another.
#[test]
fn clauses_that_are_not_what_the_text_says() {
    let mut request = scene().ask(ADULT);
    request.parts[0].predicate = "birthDate <= yearsAgo(65)".to_owned();
    assert!(scene().answer(&request).is_err(), "the honest holder refuses it too");
    let logged = scene().log_properly(&request);
    let evidence = scene().forged(&request, &scene().held(&request), logged);
    Case::of(request, evidence).stopped_by_this_alone("clauses and text", Check::Predicate);
}

#[test]
fn a_question_logged_by_another_member() {
    let request = scene().ask(ADULT);
    let logged = scene().log(&scene().clinic, &request, request.expires);
    let evidence = scene().forged(&request, &scene().held(&request), logged);
    Case::of(request, evidence).stopped_by_this_alone("another member's entry", Check::Disclosure);
}

#[test]
fn a_question_that_was_refused_by_the_ledger() {
    let request = scene().ask(ADULT);
    let logged = scene().log(&scene().institution.pen(), &request, BlockTime::EPOCH);
    let evidence = scene().forged(&request, &scene().held(&request), logged);
    assert!(!evidence.disclosure.receipt.receipt.code.is_accepted());
    Case::of(request, evidence).stopped_by_this_alone("a refused entry", Check::Disclosure);
}

#[test]
fn a_question_logged_for_another_purpose() {
    let request = scene().ask(ADULT);
    let logged = scene().log_for("TREAT", &scene().institution.pen(), &request, request.expires);
    let evidence = scene().forged(&request, &scene().held(&request), logged);
    Case::of(request, evidence).stopped_by_this_alone("another purpose", Check::Disclosure);
}

#[test]
fn another_questions_entry() {
    let (request, other) = (scene().ask(ADULT), scene().ask(ADULT));
    let logged = scene().log_properly(&other);
    let evidence = scene().forged(&request, &scene().held(&request), logged);
    Case::of(request, evidence).stopped_by_this_alone("another question's entry", Check::Disclosure);
}

#[test]
fn a_seal_from_before_the_question() {
    let request = scene().ask(ADULT);
    let held = scene().held(&request);
    let logged = scene().log_properly(&request);
    let keys = scene().pair(request.parts[0].statement);
    let proof = scene().prove(&keys, &request, &held);
    let evidence = scene().evidence(&request, &keys, held.public, proof, logged, held.at);
    Case::of(request, evidence).stopped_by_this_alone("an older seal", Check::LoggedFirst);
}

/// Whoever makes a key can forge with it; so the key must be the registered one.
#[test]
fn a_key_of_the_holders_own() {
    let request = scene().ask(ADULT);
    let (proving, verifying) = generate_development(Suite::Bn254, Statement::Fact1, &mut OsRng).unwrap();
    let keys = (proving.into(), verifying.into());
    let held = scene().held(&request);
    let logged = scene().log_properly(&request);
    let proof = scene().prove(&keys, &request, &held);
    let evidence = scene().evidence(&request, &keys, held.public, proof, logged, scene().height());
    Case::of(request, evidence).stopped_by_this_alone("a key of its own", Check::Registry);
}

/// A proof in another scope is true and would give the subject another name.
#[test]
fn a_name_from_another_scope() {
    let request = scene().ask(ADULT);
    let mut elsewhere = request.clone();
    elsewhere.purpose = "TREAT".to_owned();
    let mut held = scene().held(&request);
    held.public.scope = elsewhere.scope();
    held.public.pseudonym = pseudonym(request.suite, &held.opening.header.subject_key, elsewhere.scope()).unwrap();
    let logged = scene().log_properly(&request);
    let evidence = scene().forged(&request, &held, logged);
    Case::of(request, evidence).stopped_by_this_alone("another scope", Check::PublicInputs);
}

#[test]
fn a_false_fact() {
    let request = scene().ask("birthDate > yearsAgo(18)");
    let logged = scene().log_properly(&request);
    let evidence = scene().forged(&request, &scene().held(&request), logged);
    Case::of(request, evidence).stopped_by_this_alone("a false fact", Check::Proof);
}

#[test]
fn the_honest_holder_refuses_what_it_cannot_show_or_should_not_answer() {
    let scene = scene();
    let answer = |request: &Request| scene.answer(request).map(drop).unwrap_err();
    assert!(matches!(answer(&scene.ask("birthDate > yearsAgo(18)")), AnswerError::No(_)));
    assert!(matches!(answer(&scene.ask_of(ADULT, "clinic")), AnswerError::Request(_)));
    let mut expired = scene.ask(ADULT);
    expired.expires = BlockTime::from_unix(now().unix() - 1).unwrap();
    assert!(matches!(answer(&expired), AnswerError::Request(_)));
    let mut unknown_key = scene.ask(ADULT);
    unknown_key.parts[0].key = vouchsafe_circuits::keys::KeyId::new([1; 32]);
    assert!(matches!(answer(&unknown_key), AnswerError::Request(_)));
    let mut shifted = scene.ask(ADULT);
    shifted.asked_on -= 2;
    assert!(matches!(answer(&shifted), AnswerError::Request(_)), "another day moves the grid of dates");
    let mut foreign = scene.ask(ADULT);
    foreign.chain = "other".parse().unwrap();
    assert!(matches!(answer(&foreign), AnswerError::Request(_)));
}

/// Yes, no, "who is that" and a record that cannot be read leave the same trace on the ledger: one disclosure each,
/// that tells nothing apart.
#[test]
fn every_question_is_logged_whatever_the_answer() {
    let (data, trust) = found("logged");
    let institution = open(&data);
    let keys = KeyRing::new(KeyFolder::of(&institution.layout().keys()), Suite::Bn254);
    let source = Source::new("logged").unwrap();
    let bundle = serde_json::to_vec(&hospital::generate(1, 1, date!(2026 - 06 - 15))[0]).unwrap();
    scene().block_on(async {
        let mut intake = Intake::new(&institution, &source);
        intake.bytes("bundle", &bundle, &mut Silent, &mut OsRng).await.unwrap();
        intake.finish(&mut Silent, &mut OsRng).await.unwrap();
    });
    let snapshot = || institution.ledger().snapshot().unwrap();
    let before = snapshot().height().get();
    let asked = |predicate: &str, subject: &str| {
        let request = ask_with(&trust, predicate, "hospital");
        let subject = subject.parse().unwrap();
        scene().block_on(answer(&institution, &keys, &request, &subject, &mut OsRng))
    };
    let known = hospital::record_number(0);
    assert!(asked(ADULT, &known).is_ok());
    assert!(matches!(asked("birthDate > yearsAgo(18)", &known), Err(AnswerError::No(_))));
    assert!(matches!(asked(ADULT, "https://nowhere.example|1"), Err(AnswerError::NoSubject)));
    std::fs::remove_dir_all(data.join("vault/blobs")).unwrap();
    assert!(matches!(asked(ADULT, &known), Err(AnswerError::Read(_))));

    assert_eq!(snapshot().height().get(), before + 4);
    let entries: Vec<_> =
        (before + 1..=before + 4).flat_map(|height| snapshot().entries(Height::new(height)).unwrap()).collect();
    let shown: BTreeSet<_> = entries
        .iter()
        .map(|entry| match &entry.entry().body {
            Body::Disclosure(disclosure) => (disclosure.deadline.unix(), disclosure.purpose, entry.encode().len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(entries.len(), 4);
    assert_eq!(shown.len(), 1, "deadline, purpose and size are the same: {shown:?}");
    assert!(
        shown.iter().all(|(deadline, _, _)| deadline % 86_400 == 0),
        "a deadline to the second tells questions apart"
    );
}
