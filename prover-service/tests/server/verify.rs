//! Verifying over gRPC: the same verdicts as offline, and no replay to another verifier.

use tonic::Code;
use tonic_types::StatusExt;
use vouchsafe_circuits::record::Day;
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_prover_service::proto::verifier_client::VerifierClient;
use vouchsafe_prover_service::proto::{VerifyRequest, VerifyResponse};

use super::world::shared;
use crate::scene::scene;

fn message(request: &Request, evidence: &Evidence) -> VerifyRequest {
    let (request, evidence) = (serde_json::to_vec(request).unwrap(), serde_json::to_vec(evidence).unwrap());
    VerifyRequest { request, evidence, as_of: None }
}

fn verify(message: VerifyRequest) -> Result<VerifyResponse, tonic::Status> {
    let world = shared();
    let mut client = VerifierClient::new(world.connect());
    world.block_on(client.verify(message)).map(tonic::Response::into_inner)
}

#[test]
fn verdicts_are_those_of_the_offline_checks() {
    let request = scene().ask("gender == \"male\" || gender == \"female\"");
    let evidence = scene().answer(&request).unwrap();
    type Change = fn(&mut Evidence);
    let changes: &[Change] = &[
        |_| {},
        |evidence| evidence.version = 9,
        |evidence| evidence.request.purpose = "TREAT".to_owned(),
        |evidence| evidence.seal_inclusion = evidence.disclosure.inclusion.clone(),
        |evidence| evidence.answers[0].schema = evidence.answers[0].anchor.clone(),
        |evidence| evidence.answers[0].public.today = Day::new(evidence.answers[0].public.today.get() + 1),
        |evidence| evidence.answers.clear(),
    ];
    let mut verdicts = Vec::new();
    for change in changes {
        let mut evidence = evidence.clone();
        change(&mut evidence);
        let online = verify(message(&request, &evidence)).unwrap();
        match scene().verifier(&request).verify(&evidence) {
            Ok(verified) => {
                assert!(online.valid, "{online:?}");
                assert_eq!(online.pseudonym, verified.pseudonym.fe().as_bytes());
                assert_eq!((online.height, online.time), (verified.height.get(), verified.time.unix()));
                assert!(online.check.is_empty() && online.why.is_empty());
            }
            Err(refusal) => {
                assert!(!online.valid && online.pseudonym.is_empty(), "{online:?}");
                assert_eq!((online.check.clone(), online.why), (format!("{:?}", refusal.check), refusal.why));
            }
        }
        verdicts.push(online.check);
    }
    verdicts.dedup();
    assert!(verdicts[0].is_empty() && verdicts.len() >= 5, "the changes must fail in different ways: {verdicts:?}");
}

#[test]
fn evidence_cannot_be_replayed_to_another_verifier() {
    let request = scene().ask("gender == \"male\" || gender == \"female\"");
    let evidence = scene().answer(&request).unwrap();
    let mut other = scene().ask("gender == \"male\" || gender == \"female\"");
    other.verifier = "employer".to_owned();
    let refused = verify(message(&other, &evidence)).unwrap();
    assert!(!refused.valid);
    assert_eq!(refused.check, "Request");
    // with the copied request inside it too, the nonce is still another's
    let mut copied = evidence.clone();
    copied.request = other.clone();
    assert!(!verify(message(&other, &copied)).unwrap().valid);
    // the control: the verifier who asked is told that it holds
    assert!(verify(message(&request, &evidence)).unwrap().valid);
}

#[test]
fn what_is_no_request_is_the_callers_fault() {
    let request = scene().ask("gender == \"male\" || gender == \"female\"");
    let good = message(&request, &scene().answer(&request).unwrap());
    for (field, message) in [
        ("request", VerifyRequest { request: b"{}".to_vec(), ..good.clone() }),
        ("evidence", VerifyRequest { evidence: b"[]".to_vec(), ..good.clone() }),
        ("as_of", VerifyRequest { as_of: Some(u64::MAX), ..good.clone() }),
    ] {
        let status = verify(message).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, field);
        assert_eq!(details.error_info().unwrap().domain, "vouchsafe.v1");
    }
    // a value that cannot be, in a file of the right form, is a bad answer and not a bad call
    let mut odd: serde_json::Value = serde_json::from_slice(&good.evidence).unwrap();
    odd["answers"][0]["proof"] = "00".into();
    let refused = verify(VerifyRequest { evidence: odd.to_string().into_bytes(), ..good.clone() }).unwrap();
    assert_eq!((refused.valid, refused.check.as_str()), (false, "Form"));
    assert!(verify(good).unwrap().valid);
}

#[test]
fn an_archived_answer_is_judged_as_of_its_time() {
    let request = scene().ask("gender == \"male\" || gender == \"female\"");
    let good = message(&request, &scene().answer(&request).unwrap());
    let late = request.expires.unix() + 1;
    let refused = verify(VerifyRequest { as_of: Some(late), ..good.clone() }).unwrap();
    assert_eq!((refused.valid, refused.check.as_str()), (false, "InForce"));
    assert!(verify(VerifyRequest { as_of: Some(request.expires.unix() - 3_100), ..good }).unwrap().valid);
}
