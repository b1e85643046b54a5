//! Proofs, keys and their bytes: what verifies, and what does not after one change.

use std::sync::OnceLock;

use sha2::Digest;
use vouchsafe_circuits::fact::dangerous::dangerous_prove_without_relation_check;
use vouchsafe_circuits::fact::{Clause, Public, PublicError, TruthTable, VerifyError, Violation, prove, verify};
use vouchsafe_circuits::keys::{KeyError, KeyRefused, generate_development};
use vouchsafe_circuits::record::Day;
use vouchsafe_circuits::{
    Anchor, Fe, IssuerId, Proof, ProvingKey, Pseudonym, RequestDigest, SchemaId, Scope, Statement, VerifyingKey, fact,
};

use crate::attempt::Attempt;
use crate::sample::{NOT_ASKED, SUITE, Sample, TODAY, field, no, number, rng, yes};

/// Keys made once for the whole binary.
pub fn key(statement: Statement) -> &'static ProvingKey {
    static KEYS: [OnceLock<ProvingKey>; 2] = [const { OnceLock::new() }; 2];
    let slot = &KEYS[usize::from(statement == Statement::Fact4)];
    slot.get_or_init(|| generate_development(SUITE, statement, &mut rng(1)).expect("keys").0)
}

fn proven() -> (Public, Proof) {
    static PROVEN: OnceLock<(Public, Proof)> = OnceLock::new();
    let make = || {
        let sample = Sample::new();
        let clause = Clause::between(field(4), number(100), number(110));
        let public = sample.public(TruthTable::new(0b10), &[clause]);
        let proof = prove(key(Statement::Fact1), &public, &sample.witness(), &mut rng(2)).expect("a true fact");
        (public, proof)
    };
    PROVEN.get_or_init(make).clone()
}

#[test]
fn one_clause_and_four() {
    let (public, proof) = proven();
    let key_1 = key(Statement::Fact1);
    assert_eq!(verify(key_1.prepared(), &public, &proof), Ok(()));
    assert_eq!(proof.as_bytes().len(), 128);

    let sample = Sample::new();
    let clauses =
        [Clause::equals(field(3), number(103)), Clause::absent(field(NOT_ASKED)), Clause::unused(), Clause::unused()];
    let public = sample.public(TruthTable::from_fn(4, |c| c[0] && c[1]), &clauses);
    let key_4 = key(Statement::Fact4);
    let proof = prove(key_4, &public, &sample.witness(), &mut rng(3)).expect("a true fact");
    assert_eq!(verify(key_4.prepared(), &public, &proof), Ok(()));
    assert!(matches!(
        verify(key_1.prepared(), &public, &proof),
        Err(VerifyError::Public(PublicError::ClauseCount { .. }))
    ));
}

#[test]
fn a_false_fact_is_not_proved() {
    let sample = Sample::new();
    let public = sample.public(no(), &[Clause::equals(field(4), number(104))]);
    let refused = prove(key(Statement::Fact1), &public, &sample.witness(), &mut rng(4));
    assert!(matches!(refused, Err(fact::ProveError::Violation(Violation::Predicate))));
}

#[test]
fn a_patched_prover_convinces_nobody() {
    let key = key(Statement::Fact1);
    type Attack = (&'static str, fn(&mut Attempt), bool);
    let attacks: [Attack; 5] = [
        ("control: nothing", |_| {}, true),
        ("a false predicate", |a| a.public.table = no(), false),
        ("another issuer", |a| a.public.issuer = IssuerId::new(number(1)), false),
        ("another day", |a| a.public.today = Day::new(TODAY + 101), false),
        ("another value", |a| a.private.clauses[0].content = number(1), false),
    ];
    for (name, tamper, accepted) in attacks {
        let mut attempt = Attempt::honest();
        tamper(&mut attempt);
        let proof = dangerous_prove_without_relation_check(key, &attempt.public, &attempt.private, &mut rng(5))
            .expect("Groth16 makes something of anything");
        let answer = verify(key.prepared(), &attempt.public, &proof);
        assert_eq!(answer, if accepted { Ok(()) } else { Err(VerifyError::Refused) }, "{name}");
    }
}

#[test]
fn every_public_input_is_bound() {
    let (public, proof) = proven();
    // each input by its name, changed to a value that passes the checks outside of the circuit where one exists
    type Change = (&'static str, fn(&mut Public));
    let changes: [Change; 12] = [
        ("anchor", |p| p.anchor = Anchor::new(number(1))),
        ("issuer", |p| p.issuer = IssuerId::new(number(1))),
        ("schema", |p| p.schema = SchemaId::new(number(1))),
        ("today", |p| p.today = Day::new(TODAY + 1)),
        ("scope", |p| p.scope = Scope::new(number(1))),
        ("pseudonym", |p| p.pseudonym = Pseudonym::new(number(1))),
        ("digest", |p| p.digest = RequestDigest::new(number(1))),
        ("table", |p| p.table = TruthTable::new(0b11)),
        ("field 0", |p| p.clauses[0].field = field(5)),
        ("mode 0", |p| p.clauses[0].mode = fact::Mode::Equals),
        ("low 0", |p| p.clauses[0].low = number(101)),
        ("high 0", |p| p.clauses[0].high = number(109)),
    ];
    let names: Vec<_> = changes.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, Public::input_names(Statement::Fact1));
    for (place, (name, change)) in changes.into_iter().enumerate() {
        let mut other = public.clone();
        change(&mut other);
        let differing: Vec<_> = (0..12).filter(|i| other.inputs()[*i] != public.inputs()[*i]).collect();
        assert_eq!(differing, [place], "{name} is where the table says");
        let answer = verify(key(Statement::Fact1).prepared(), &other, &proof);
        let outside = name == "mode 0"; // equals with a high is refused before the proof is looked at
        let expected =
            if outside { VerifyError::Public(PublicError::Operands { clause: 0 }) } else { VerifyError::Refused };
        assert_eq!(answer, Err(expected), "{name}");
    }
}

#[test]
fn checks_outside_of_the_circuit() {
    let sample = Sample::new();
    let top = Fe::from_u128(1 << 120);
    let between = |low, high| Clause::between(field(4), low, high);
    let with = |clause: Clause, low, high| Clause { low, high, ..clause };
    let operands = PublicError::Operands { clause: 0 };
    for (name, table, clause, expected) in [
        ("low above high", yes(), between(number(2), number(1)), operands.clone()),
        ("high of 2^120", yes(), between(number(2), top), operands.clone()),
        ("low and high of 2^120", yes(), between(top, top), operands.clone()),
        (
            "equals with a high",
            yes(),
            with(Clause::equals(field(4), number(1)), number(1), number(1)),
            operands.clone(),
        ),
        ("absent with a low", yes(), with(Clause::absent(field(4)), number(1), Fe::ZERO), operands.clone()),
        ("unused with a high", yes(), with(Clause::unused(), Fe::ZERO, number(1)), operands.clone()),
        ("unused with a field", yes(), Clause { field: field(1), ..Clause::unused() }, operands.clone()),
        ("a table with three bits", TruthTable::new(0b100), Clause::absent(field(4)), PublicError::Table),
        ("a table on an unused clause", no(), Clause::unused(), PublicError::DependsOnUnused { clause: 0 }),
    ] {
        let public = sample.public(table, &[clause]);
        assert_eq!(public.check(SUITE, Statement::Fact1), Err(expected.clone()), "{name}");
        let (_, proof) = proven();
        let verified = verify(key(Statement::Fact1).prepared(), &public, &proof);
        assert_eq!(verified, Err(VerifyError::Public(expected)), "{name}");
    }
    let before = Public { today: Day::new(-1), ..sample.public(yes(), &[Clause::absent(field(4))]) };
    assert_eq!(before.check(SUITE, Statement::Fact1), Err(PublicError::Today));
    let good = sample.public(yes(), &[between(number(1), Fe::from_u128((1 << 120) - 1))]);
    assert_eq!(good.check(SUITE, Statement::Fact1), Ok(()), "control");
    assert!(matches!(good.check(SUITE, Statement::Fact4), Err(PublicError::ClauseCount { given: 1, .. })));
}

#[test]
fn bytes_of_a_proof() {
    let (public, proof) = proven();
    let key = key(Statement::Fact1).prepared();
    for byte in 0..proof.as_bytes().len() {
        let mut bytes = proof.as_bytes().to_vec();
        bytes[byte] ^= 1 << (byte % 8);
        let flipped = Proof::from_bytes(&bytes).expect("short enough");
        let answer = verify(key, &public, &flipped);
        assert!(matches!(answer, Err(VerifyError::Encoding | VerifyError::Refused)), "byte {byte}: {answer:?}");
    }
    let longer = [proof.as_bytes(), &[0]].concat();
    let shorter = &proof.as_bytes()[..127];
    for bytes in [&longer[..], shorter, &[], &[0; 128], &[0xff; 128]] {
        let odd = Proof::from_bytes(bytes).expect("short enough");
        assert_eq!(verify(key, &public, &odd), Err(VerifyError::Encoding));
    }
    // the infinity flag with other bits set would be a second encoding of one point
    let mut infinity = proof.as_bytes().to_vec();
    infinity[31] = 0x40;
    let infinity = Proof::from_bytes(&infinity).expect("short enough");
    assert_eq!(verify(key, &public, &infinity), Err(VerifyError::Encoding));
    assert!(Proof::from_bytes(&[0; 193]).is_err());
    let json = serde_json::to_string(&proof).expect("JSON");
    assert_eq!(serde_json::from_str::<Proof>(&json).expect("base64"), proof);
}

#[test]
fn proofs_of_one_fact_differ() {
    let sample = Sample::new();
    let (public, proof) = proven();
    let again = prove(key(Statement::Fact1), &public, &sample.witness(), &mut rng(77)).expect("a true fact");
    assert_ne!(proof, again, "the randomness is in it");
}

#[test]
fn key_files() {
    let proving = key(Statement::Fact1);
    let verifying = proving.verifying_key();
    assert!(verifying.is_development());
    let bytes = verifying.to_bytes();
    let read = VerifyingKey::from_bytes(&bytes).expect("a key");
    assert_eq!((read.id(), read.to_bytes()), (verifying.id(), bytes.clone()));
    assert_eq!(read.prepare().id(), verifying.id());
    assert_ne!(verifying.id(), key(Statement::Fact4).verifying_key().id());

    for byte in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[byte] ^= 1 << (byte % 8);
        assert!(VerifyingKey::from_bytes(&damaged).is_err(), "byte {byte}");
    }
    assert_eq!(VerifyingKey::from_bytes(&[bytes.clone(), vec![0]].concat()).err(), Some(KeyError::NotAKey));
    for length in 0..bytes.len() {
        assert!(VerifyingKey::from_bytes(&bytes[..length]).is_err());
    }
    assert_eq!(ProvingKey::from_bytes(&bytes).err(), Some(KeyError::NotAKey), "a key of the other kind");

    let bytes = proving.to_bytes();
    let read = ProvingKey::from_bytes(&bytes).expect("a key");
    let (public, _) = proven();
    let proof = prove(&read, &public, &Sample::new().witness(), &mut rng(8)).expect("it proves");
    assert_eq!(verify(&verifying.prepare(), &public, &proof), Ok(()));
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    assert_eq!(ProvingKey::from_bytes(&damaged).err(), Some(KeyError::Damaged));
    let json = serde_json::to_string(&verifying.id()).expect("JSON");
    assert_eq!(serde_json::from_str::<vouchsafe_circuits::KeyId>(&json).expect("hex"), verifying.id());
    assert!(!matches!(VerifyingKey::from_bytes(&[]), Err(KeyError::Refused(KeyRefused::Identity))));
}

/// The mark of a development key is changed and the checksum made good again: such a key is refused, since no program
/// makes any other keys.
#[test]
fn the_development_mark_cannot_be_taken_off() {
    let bytes = key(Statement::Fact1).verifying_key().to_bytes();
    let with_mark = |mark: u32| {
        let mut body = bytes[..bytes.len() - 32].to_vec();
        body[20..24].copy_from_slice(&mark.to_le_bytes());
        let checksum = sha2::Sha256::digest(&body);
        VerifyingKey::from_bytes(&[body, checksum.to_vec()].concat()).map(|key| key.is_development())
    };
    assert_eq!(with_mark(1), Ok(true), "the control: the checksum is made good");
    assert_eq!(with_mark(0), Err(KeyError::Unknown));
}
