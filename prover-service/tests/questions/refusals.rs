//! Calls that are refused at once, for what the asker can see of itself; none is looked into.

use rand::rngs::OsRng;
use tonic::Code;
use tonic_types::StatusExt;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_ledger_types::call::{CALL_SECONDS_MAX, CallNonce, SignedCall as Signed};
use vouchsafe_prover_service::client::Party;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::proto::{AskRequest, SignedCall};
use vouchsafe_prover_service::server::{ANSWER, ASK};

use super::desk::{ADULT, OF_AGE, ask_with, quick, set};
use crate::scene::now;

#[test]
fn a_call_counts_only_as_its_admitted_signer_meant_it() {
    let desk = set("questions-calls", None, quick);
    let insurer = desk.insurer();
    let subject = hospital::record_number(ADULT);
    let request = desk.request(&[OF_AGE]);
    let good = || desk.call(&insurer, &request, &subject);
    let message = || AskRequest { request: serde_json::to_vec(&request).unwrap(), subject: subject.clone() };
    let until = |seconds: i64| {
        let expires = now().unix().saturating_add_signed(seconds);
        let expires = vouchsafe_ledger_types::units::BlockTime::from_unix(expires).unwrap();
        let payload = prost::Message::encode_to_vec(&message());
        let chain = desk.trust.chain.clone();
        let call = Signed::sign(&insurer.signing_key(), ASK, chain, expires, CallNonce::new([9; 32]), payload);
        SignedCall {
            expires: expires.unix(),
            signature: call.signature.as_bytes().to_vec(),
            nonce: vec![9; 32],
            ..good()
        }
    };
    let stranger = PartySecrets::generate("insurer".parse().unwrap(), &mut OsRng);
    let chain = "elsewhere".parse().unwrap();
    let elsewhere = Party { secrets: &insurer, chain }.sign(ASK, &message(), now(), &mut OsRng);
    let mut changed = good();
    changed.payload.push(0);
    let mut forged = good();
    forged.signature[0] ^= 1;
    let mut taken_over = good();
    taken_over.signer = stranger.card().unwrap().signing.as_bytes().to_vec();
    let far = i64::try_from(CALL_SECONDS_MAX).unwrap() + 60;
    for (what, call, code, reason) in [
        (
            "a signer whom nobody admitted",
            desk.call(&stranger, &request, &subject),
            Code::PermissionDenied,
            "NOT_ADMITTED",
        ),
        ("a changed payload", changed, Code::Unauthenticated, "BAD_SIGNATURE"),
        ("a bad signature", forged, Code::Unauthenticated, "BAD_SIGNATURE"),
        ("another signer", taken_over, Code::Unauthenticated, "BAD_SIGNATURE"),
        ("another method's signature", desk.sign(&insurer, ANSWER, &message()), Code::Unauthenticated, "BAD_SIGNATURE"),
        ("another ledger's call", elsewhere, Code::Unauthenticated, "BAD_SIGNATURE"),
        ("an expired call", until(-1), Code::Unauthenticated, "BAD_SIGNATURE"),
        ("a call for next week", until(far), Code::Unauthenticated, "BAD_SIGNATURE"),
        ("no nonce", SignedCall { nonce: vec![], ..good() }, Code::InvalidArgument, "BAD_FIELD"),
        ("half a signature", SignedCall { signature: vec![1; 32], ..good() }, Code::InvalidArgument, "BAD_FIELD"),
        ("no signer", SignedCall { signer: vec![], ..good() }, Code::InvalidArgument, "BAD_FIELD"),
        ("no message", SignedCall::default(), Code::InvalidArgument, "BAD_FIELD"),
    ] {
        let status = desk.world.block_on(ask_with(desk.world.connect(), call)).unwrap_err();
        assert_eq!(status.code(), code, "{what}: {status:?}");
        assert_eq!(status.get_error_details().error_info().unwrap().reason, reason, "{what}");
    }
    assert!(desk.outcomes().is_empty());
    // the controls: the same call, unchanged; and one with as many seconds as may be
    for call in [good(), until(60)] {
        assert!(desk.world.block_on(ask_with(desk.world.connect(), call)).is_ok());
    }
}

#[test]
fn a_request_is_in_its_askers_own_name_and_in_order() {
    let desk = set("questions-form", None, quick);
    let insurer = desk.insurer();
    desk.admit("employer", &[PartyRole::Verifier]);
    let subject = hospital::record_number(ADULT);
    let good = desk.request(&[OF_AGE]);
    let mut late = good.clone();
    late.expires = vouchsafe_ledger_types::units::BlockTime::from_unix(now().unix() - 1).unwrap();
    let mut widened = good.clone();
    widened.parts[0].clauses.reverse();
    widened.parts[0].predicate = "birthDate <= yearsAgo(19)".to_owned();
    let mut foreign = good.clone();
    foreign.chain = "elsewhere".parse().unwrap();
    let mut issuer = good.clone();
    issuer.parts[0].issuer = vouchsafe_ledger_types::ids::MemberId::of(&good.chain, &"clinic".parse().unwrap());
    let mut none = good.clone();
    none.parts.clear();
    for (what, request, subject, field) in [
        ("another's name", desk.request_of("employer", "HPAYMT", &[OF_AGE]), &subject[..], "request"),
        ("expired", late, &subject, "request"),
        ("clauses that the text does not say", widened, &subject, "request"),
        ("another ledger", foreign, &subject, "request"),
        ("another issuer", issuer, &subject, "request"),
        ("no part", none, &subject, "request"),
        ("no identifier", good.clone(), "MR-100001", "subject"),
        ("no subject", good.clone(), "", "subject"),
    ] {
        let call = desk.call(&insurer, &request, subject);
        let status = desk.world.block_on(ask_with(desk.world.connect(), call)).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{what}: {status:?}");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, field, "{what}");
    }
    // what is wrong with a request shows before anybody is looked up: for whoever is not here, too
    let nobody = desk.call(&insurer, &good, &hospital::record_number(9));
    assert!(desk.world.block_on(ask_with(desk.world.connect(), nobody)).is_ok());
    // who was removed meanwhile gets nothing any more
    let taken = desk.ask(&insurer, &good, ADULT).unwrap();
    desk.world.node.parties().remove(&"insurer".parse().unwrap()).unwrap();
    assert_eq!(desk.body(&insurer, &taken.question).unwrap_err().code(), Code::PermissionDenied);
}
