//! Signed calls: what each bound and each signed part stops, with the same call as its control.

use vouchsafe_ledger_types::call::{CALL_SECONDS_MAX, CallError, CallNonce, SignedCall};
use vouchsafe_ledger_types::ids::ChainId;
use vouchsafe_ledger_types::signing::{Signature, SigningKey};
use vouchsafe_ledger_types::units::BlockTime;

const ASK: &str = "/vouchsafe.v1.Prover/Ask";
const NOW: u64 = 1_700_000_000;

fn at(seconds: u64) -> BlockTime {
    BlockTime::from_unix(seconds).unwrap()
}

fn chain() -> ChainId {
    "demo".parse().unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn call() -> SignedCall {
    SignedCall::sign(&key(1), ASK, chain(), at(NOW + 60), CallNonce::new([7; 32]), b"question".to_vec())
}

fn judge(call: &SignedCall) -> Result<(), CallError> {
    call.verify(ASK, &chain(), at(NOW))
}

#[test]
fn a_call_is_for_one_method_chain_and_time() {
    let call = call();
    assert_eq!(judge(&call), Ok(()));
    for method in ["/vouchsafe.v1.Prover/Answer", "", "/vouchsafe.v1.Prover/Ask/", "vouchsafe/call/v1"] {
        assert_eq!(call.verify(method, &chain(), at(NOW)), Err(CallError::BadSignature), "{method}");
    }
    let other: ChainId = "other".parse().unwrap();
    assert_eq!(call.verify(ASK, &other, at(NOW)), Err(CallError::WrongChain(chain())));
    // A caller that claims the other chain has to sign for it.
    let claimed = SignedCall { chain: other.clone(), ..call.clone() };
    assert_eq!(claimed.verify(ASK, &other, at(NOW)), Err(CallError::BadSignature));
    assert_eq!(call.verify(ASK, &chain(), at(NOW + 59)), Ok(()));
    for late in [60, 61, 1 << 32] {
        assert_eq!(call.verify(ASK, &chain(), at(NOW + late)), Err(CallError::Expired));
    }
    let ahead = |seconds| SignedCall::sign(&key(1), ASK, chain(), at(NOW + seconds), CallNonce::new([7; 32]), vec![]);
    assert_eq!(judge(&ahead(CALL_SECONDS_MAX)), Ok(()));
    assert_eq!(judge(&ahead(CALL_SECONDS_MAX + 1)), Err(CallError::TooFarAhead));
}

#[test]
fn every_part_is_signed_and_named_by_the_id() {
    type Change = fn(&mut SignedCall);
    let changes: [(&str, Change); 6] = [
        ("payload", |call| call.payload[0] ^= 1),
        ("a longer payload", |call| call.payload.push(0)),
        ("an empty payload", |call| call.payload.clear()),
        ("expires", |call| call.expires = at(NOW + 61)),
        ("nonce", |call| call.nonce = CallNonce::new([8; 32])),
        ("signer", |call| call.signer = key(2).public()),
    ];
    for (what, change) in changes {
        let mut altered = call();
        change(&mut altered);
        assert_eq!(judge(&altered), Err(CallError::BadSignature), "{what}");
        assert_ne!(altered.id(), call().id(), "{what}");
        // The control: signed anew by who can, it holds.
        let signer = if what == "signer" { key(2) } else { key(1) };
        let SignedCall { chain, expires, nonce, payload, .. } = altered;
        assert_eq!(judge(&SignedCall::sign(&signer, ASK, chain, expires, nonce, payload)), Ok(()), "{what}");
    }
    let mut forged = call();
    let mut bytes = *forged.signature.as_bytes();
    bytes[0] ^= 1;
    forged.signature = Signature::from_slice(&bytes).unwrap();
    assert_eq!(judge(&forged), Err(CallError::BadSignature));
    // Another signature of the same call is the same call: it cannot be taken twice.
    assert_eq!(forged.id(), call().id());
}

/// Nothing moves from one part to the next: lengths are signed.
#[test]
fn parts_do_not_run_into_each_other() {
    let sign = |method: &str, chain: &str| {
        let chain = chain.parse().unwrap();
        SignedCall::sign(&key(1), method, chain, at(NOW + 60), CallNonce::new([7; 32]), vec![])
    };
    let moved = sign("/a", "bc");
    assert_eq!(moved.verify("/a", &"bc".parse().unwrap(), at(NOW)), Ok(()));
    let chain: ChainId = "c".parse().unwrap();
    let claimed = SignedCall { chain: chain.clone(), ..moved };
    assert_eq!(claimed.verify("/ab", &chain, at(NOW)), Err(CallError::BadSignature));
    // An entry's signature is none for a call: the domains differ.
    assert!(!format!("{:?}", call()).contains("question"));
}

/// The bytes that are signed, spelled out: another program can make them.
#[test]
fn the_signed_bytes() {
    let mut message = Vec::new();
    for part in ["vouchsafe/call/v1", ASK, "demo"] {
        message.extend((part.len() as u64).to_be_bytes());
        message.extend(part.as_bytes());
    }
    message.extend((NOW + 60).to_be_bytes());
    message.extend([7; 32]);
    message.extend(b"question");
    assert_eq!(call().signature, key(1).sign(&message));
}
