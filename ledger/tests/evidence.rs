//! Everything that evidence is made of, at one height, verified from bytes alone; and while others submit.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::de::DeserializeOwned;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_circuits::tree::Position;
use vouchsafe_ledger::{Engine, Options, QueryError, Snapshot, Solo};
use vouchsafe_ledger_types::entry::{Body, RegisterSchema, SignedEntry};
use vouchsafe_ledger_types::ids::LogHash;
use vouchsafe_ledger_types::log::LogProofError;
use vouchsafe_ledger_types::receipt::ReceiptCode;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_proof::StateProofError;
use vouchsafe_ledger_types::state_value::{AnchorState, ChainState, MemberState, SchemaState, StateValue, TipState};
use vouchsafe_ledger_types::units::Height;

use crate::world::{
    chain, clinic, clock, commit, commitment, create, disclosure, genesis, hospital, validator, withdraw,
};

/// Through JSON and back, as in an evidence file.
fn carried<T: serde::Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn value<V: StateValue>(snapshot: &Snapshot<'_>, id: V::Id) -> Option<V>
where
    V::Id: Copy,
{
    let proof = carried(&snapshot.state_proof(&V::key(id)).unwrap());
    proof.read(snapshot.seal().state_root, id).unwrap()
}

#[test]
fn all_parts_hold_at_one_height() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let schema = builtin::patient();
    let register = hospital().sign(1, Body::RegisterSchema(RegisterSchema { schema: schema.to_bytes() }));
    ledger.submit(vec![register, hospital().sign(2, commit([10, 11, 12]))]).unwrap();
    let question = hospital().sign(3, disclosure(7));
    ledger.submit(vec![clinic().sign(4, commit([50])), question.clone()]).unwrap();
    let snapshot = ledger.snapshot().unwrap();
    ledger.submit(vec![hospital().sign(5, withdraw(1, 11))]).unwrap();
    let height = snapshot.height();
    assert_eq!(height, Height::new(3));

    let note = carried(&ledger.checkpoint(height).unwrap());
    let validators = &snapshot.chain().validators;
    let checkpoint = note.verify(&chain(), validators).unwrap();
    let seal = carried(snapshot.seal());
    let inclusion = carried(&snapshot.seal_inclusion(height, height).unwrap());
    assert_eq!((inclusion.index, inclusion.size), (seal.leaf_index(), checkpoint.size));
    assert_eq!(inclusion.verify(seal.leaf(), checkpoint.root), Ok(()));

    let anchor: AnchorState = value(&snapshot, hospital().id()).unwrap();
    assert!(value::<SchemaState>(&snapshot, schema.id()).is_some());
    assert_eq!(value::<SchemaState>(&snapshot, builtin::observation().id()), None);
    assert_eq!(value::<MemberState>(&snapshot, clinic().id()).unwrap().name, clinic().name);
    assert_eq!(value::<ChainState>(&snapshot, ()).unwrap(), *snapshot.chain());
    assert_eq!(value::<TipState>(&snapshot, ()).unwrap().height, height);

    // The path is that of the snapshot's anchor, though the leaf was withdrawn since.
    let membership = snapshot.membership(hospital().id(), Position::new(1)).unwrap().unwrap();
    assert_eq!((membership.anchor, membership.height), (anchor.anchor, height));
    assert_eq!(membership.path.root(Suite::Bn254, commitment(11).fe()), Some(anchor.anchor));
    assert!(snapshot.lookup(hospital().id(), commitment(11)).unwrap().unwrap().active);
    let later = ledger.snapshot().unwrap();
    assert!(!later.lookup(hospital().id(), commitment(11)).unwrap().unwrap().active);
    assert_ne!(later.anchor(hospital().id()).unwrap().unwrap().anchor, anchor.anchor);

    let logged = snapshot.entry(question.id()).unwrap().unwrap();
    let entry = SignedEntry::decode(&logged.bytes, Suite::Bn254).unwrap();
    assert_eq!(entry, question);
    let inclusion = carried(&snapshot.entry_inclusion(question.id(), height).unwrap());
    assert_eq!(inclusion.index, logged.leaf);
    assert_eq!(inclusion.verify(LogHash::entry_leaf(&logged.bytes), checkpoint.root), Ok(()));
    assert_eq!(inclusion.verify(LogHash::seal_leaf(&logged.bytes), checkpoint.root), Err(LogProofError::Root));
    let receipt = carried(&snapshot.receipt_proof(question.id()).unwrap());
    assert_eq!(receipt.verify(&snapshot.seal_at(receipt.receipt.height).unwrap()), Ok(()));
    assert_eq!((receipt.receipt.entry, receipt.receipt.code), (question.id(), ReceiptCode::Accepted));
    // A later checkpoint covers the same, and continues this one.
    let newest = later.checkpoint(later.height()).unwrap();
    let inclusion = later.entry_inclusion(question.id(), later.height()).unwrap();
    assert_eq!(inclusion.verify(LogHash::entry_leaf(&logged.bytes), newest.root), Ok(()));
    let consistency = carried(&later.consistency(height, later.height()).unwrap());
    assert_eq!(consistency.verify(checkpoint.root, newest.root), Ok(()));
    assert_eq!(later.entry_inclusion(question.id(), Height::new(2)), Err(QueryError::NotCovered));
}

#[test]
fn a_state_proof_is_of_one_key_value_and_root() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let before = *ledger.snapshot().unwrap().seal();
    ledger.submit(vec![hospital().sign(1, commit([10])), clinic().sign(2, commit([10, 11]))]).unwrap();
    let snapshot = ledger.snapshot().unwrap();
    let root = snapshot.seal().state_root;
    let key = StateKey::Anchor(hospital().id());
    let proof = snapshot.state_proof(&key).unwrap();
    assert!(proof.verify(root, &key).is_ok());
    assert_eq!(proof.verify(before.state_root, &key), Err(StateProofError::Wrong));
    assert_eq!(proof.verify(root, &StateKey::Anchor(clinic().id())), Err(StateProofError::Wrong));
    let json = serde_json::to_string(&proof).unwrap();
    let other = snapshot.state_proof(&StateKey::Anchor(clinic().id())).unwrap();
    let other_value = serde_json::to_value(&other).unwrap()["value"].clone();
    let mut swapped: serde_json::Value = serde_json::from_str(&json).unwrap();
    swapped["value"] = other_value;
    let swapped: vouchsafe_ledger_types::state_proof::StateProof = serde_json::from_value(swapped).unwrap();
    assert_eq!(swapped.verify(root, &key), Err(StateProofError::Wrong));
    // Nor can absence be claimed of what is there.
    let mut absent: serde_json::Value = serde_json::from_str(&json).unwrap();
    absent["value"] = serde_json::Value::Null;
    let absent: vouchsafe_ledger_types::state_proof::StateProof = serde_json::from_value(absent).unwrap();
    assert_eq!(absent.verify(root, &key), Err(StateProofError::Wrong));
    // Nor does any other proof do: each bit counts, and none makes the verifier stumble.
    let text: serde_json::Value = serde_json::from_str(&json).unwrap();
    let bytes = STANDARD.decode(text["proof"].as_str().unwrap()).unwrap();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        for changed in [flipped.as_slice(), &bytes[..at]] {
            let mut text = text.clone();
            text["proof"] = STANDARD.encode(changed).into();
            let changed: vouchsafe_ledger_types::state_proof::StateProof = serde_json::from_value(text).unwrap();
            assert!(changed.verify(root, &key).is_err(), "{at}");
        }
    }
    // An older state can be proved too, until it is pruned.
    let older = snapshot.state_proof_at(&key, before.height).unwrap();
    let state: AnchorState = older.read(before.state_root, hospital().id()).unwrap().unwrap();
    assert_eq!(state.next_position, 0);
}

#[test]
fn old_states_are_pruned_and_recent_ones_kept() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options::default().keep_heights(5);
    let ledger = Solo::create(dir.path(), genesis(), validator(), clock(), options).unwrap();
    for n in 1..=20 {
        ledger.submit(vec![hospital().sign(n, commit([n]))]).unwrap();
    }
    let snapshot = ledger.snapshot().unwrap();
    for height in 1..=21 {
        let seal = snapshot.seal_at(Height::new(height)).unwrap();
        for key in [StateKey::Anchor(hospital().id()), StateKey::Member(clinic().id()), StateKey::Tip] {
            let proof = snapshot.state_proof_at(&key, seal.height);
            if height + 5 >= 21 {
                assert!(proof.unwrap().verify(seal.state_root, &key).unwrap().is_some(), "{height}");
            } else {
                assert_eq!(proof, Err(QueryError::Pruned(seal.height)));
            }
        }
    }
    vouchsafe_ledger::audit::audit(&snapshot).unwrap();
}

/// While other threads submit, a snapshot stays of one height.
#[test]
fn snapshots_are_consistent_under_load() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    ledger.submit(vec![hospital().sign(1, commit([1]))]).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 2..=60 {
                ledger.submit(vec![hospital().sign(n, commit([n]))]).unwrap();
            }
        });
        while !writer.is_finished() {
            let snapshot = ledger.snapshot().unwrap();
            let anchor: AnchorState = value(&snapshot, hospital().id()).unwrap();
            let position = Position::new(anchor.next_position as u32 - 1);
            let membership = snapshot.membership(hospital().id(), position).unwrap().unwrap();
            let leaf = commitment(anchor.next_position).fe();
            assert_eq!(membership.path.root(Suite::Bn254, leaf), Some(anchor.anchor));
            let checkpoint = snapshot.checkpoint(snapshot.height()).unwrap();
            let inclusion = snapshot.seal_inclusion(snapshot.height(), snapshot.height()).unwrap();
            assert_eq!(inclusion.verify(snapshot.seal().leaf(), checkpoint.root), Ok(()));
        }
        writer.join().unwrap();
    });
}
