//! A question in order: answered at its slot, with evidence that verifies offline, or refused in the same look.

use tokio_stream::StreamExt;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_ledger_types::disclosure::Outcome;
use vouchsafe_ledger_types::verify::Verifier;
use vouchsafe_prover_service::ask::compile_part;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::proto::QuestionRef;
use vouchsafe_prover_service::proto::prover_client::ProverClient;
use vouchsafe_prover_service::proto::question_state::State;
use vouchsafe_prover_service::questions::{body_bytes, now_ms};
use vouchsafe_prover_service::server::WATCH;

use super::desk::{ADULT, AGELESS, CHILD, Desk, NOBODY, OF_AGE, ask_with, evidence_of, quick, set};
use crate::scene::now;

const DIABETES: (&str, &str) = ("condition", "icd10.under(\"E11\")");

fn believed(desk: &Desk, request: &vouchsafe_ledger_types::request::Request, body: &[u8]) -> usize {
    let evidence = evidence_of(body).unwrap();
    let verifier = Verifier { request, trust: &desk.trust, now: now(), compile: &compile_part };
    verifier.verify(&evidence).unwrap();
    evidence.answers.len()
}

#[test]
fn a_question_is_answered_at_its_slot_and_the_answer_verifies_offline() {
    let desk = set("questions-asking", None, quick);
    let insurer = desk.insurer();
    let request = desk.request(&[OF_AGE]);
    let call = desk.call(&insurer, &request, &hospital::record_number(ADULT));
    let channel = desk.world.connect();
    let before = now_ms();
    let taken = desk.world.block_on(ask_with(channel.clone(), call.clone())).unwrap();
    assert!(taken.answer_at >= before + 300 && taken.answer_at % 100 == 0, "{taken:?}");
    assert!(taken.ends_at >= now().unix() && taken.ends_at <= request.expires.unix());
    // it tells when it is done, and not why it waits
    let watch = desk.sign(&insurer, WATCH, &QuestionRef { question: taken.question.clone() });
    let states = desk.world.block_on(async {
        let stream = ProverClient::new(channel.clone()).watch(watch).await.unwrap().into_inner();
        stream.map(|state| state.unwrap().state).collect::<Vec<_>>().await
    });
    assert_eq!(states, [State::Waiting as i32, State::Done as i32]);
    assert!(now_ms() >= taken.answer_at);
    let body = desk.body(&insurer, &taken.question).unwrap();
    assert_eq!(believed(&desk, &request, &body), 1);
    // the same call again is the same question, and is not looked into again
    let again = desk.world.block_on(ask_with(channel, call)).unwrap();
    assert_eq!(again.question, taken.question);
    assert_eq!(desk.body(&insurer, &again.question).unwrap(), body);
    assert_eq!(desk.outcomes(), [Outcome::Holds]);
    // the same request in another call is another question
    let other = desk.ask(&insurer, &request, ADULT).unwrap();
    assert_ne!(other.question, taken.question);
}

#[test]
fn a_refusal_has_the_size_and_status_of_an_answer_and_all_refusals_are_one() {
    // of the policies that permit, one asks for more than the other
    let policy = "permit (principal in Role::\"verifier\", action == Action::\"answer\", resource)
        when { context.purpose != \"HMARKT\" };";
    let desk = set("questions-look", Some(policy), quick);
    let insurer = desk.insurer();
    let mut bodies = Vec::new();
    for (purpose, patient) in [
        ("HPAYMT", ADULT),
        ("HPAYMT", CHILD),
        ("HPAYMT", AGELESS),
        ("HPAYMT", NOBODY),
        ("HMARKT", ADULT),
        ("HMARKT", CHILD),
        ("HMARKT", NOBODY),
    ] {
        let request = desk.request_of("insurer", purpose, &[OF_AGE]);
        let body = desk.asked(&insurer, &request, patient);
        assert_eq!(body.len(), body_bytes(&request), "{purpose} {patient}");
        bodies.push(body);
    }
    assert!(evidence_of(&bodies[0]).is_some());
    assert!(bodies.iter().all(|body| body.len() == bodies[0].len()));
    assert!(evidence_of(&bodies[1]).is_none());
    assert!(bodies[1..].iter().all(|body| *body == bodies[1]), "no refusal differs in a byte");
    // the holder knows which was which
    use Outcome::{Denied, DoesNotHold, Holds, Unknown};
    assert_eq!(desk.outcomes(), [Holds, DoesNotHold, Unknown, DoesNotHold, Denied, Denied, Denied]);
}

#[test]
fn an_answer_of_many_parts_fits_its_place() {
    let desk = set("questions-parts", None, quick);
    let insurer = desk.insurer();
    let two = desk.request(&[DIABETES, OF_AGE]);
    let body = desk.asked(&insurer, &two, ADULT);
    assert_eq!((believed(&desk, &two, &body), body.len()), (2, body_bytes(&two)));
    // the child has no such condition: one part holds, the answer does not
    assert!(evidence_of(&desk.asked(&insurer, &desk.request(&[OF_AGE, DIABETES]), CHILD)).is_none());
    let long = "birthDate <= yearsAgo(18) && gender == \"female\" && !(birthDate <= yearsAgo(90)) && \
                maritalStatus != \"W\"";
    let four = desk.request(&[DIABETES, ("patient", long), DIABETES, OF_AGE]);
    let body = desk.asked(&insurer, &four, ADULT);
    assert_eq!((believed(&desk, &four, &body), body.len()), (4, body_bytes(&four)));
}

#[test]
fn another_partys_question_is_not_there() {
    let desk = set("questions-other", None, quick);
    let insurer = desk.insurer();
    let employer = desk.admit("employer", &[PartyRole::Verifier]);
    let taken = desk.ask(&insurer, &desk.request(&[OF_AGE]), ADULT).unwrap();
    let others = desk.body(&employer, &taken.question).unwrap_err();
    let nobodys = desk.body(&employer, &[7; 32]).unwrap_err();
    assert_eq!(others.code(), tonic::Code::NotFound);
    // it cannot be told from one that there is not
    assert_eq!(
        (others.code(), others.message(), others.details()),
        (nobodys.code(), nobodys.message(), nobodys.details())
    );
    let watch = desk.sign(&employer, WATCH, &QuestionRef { question: taken.question.clone() });
    let watched = desk.world.block_on(ProverClient::new(desk.world.connect()).watch(watch)).unwrap_err();
    assert_eq!(watched.code(), tonic::Code::NotFound);
    assert_eq!(desk.body(&insurer, &[7; 31]).unwrap_err().code(), tonic::Code::InvalidArgument);
    assert!(desk.body(&insurer, &taken.question).is_ok());
}
