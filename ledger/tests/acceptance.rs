//! Proofs of acceptance: what they show, and that each lie about an acceptance is stopped by the check that is for it.
//! The control of each: a verifier that leaves this check out believes the lie.

use vouchsafe_circuits::Suite;
use vouchsafe_ledger::{Engine, QueryError, Solo};
use vouchsafe_ledger_types::accepted::{AcceptanceError, AcceptanceProof};
use vouchsafe_ledger_types::entry::{SignedEntry, Validator};
use vouchsafe_ledger_types::ids::EntryId;
use vouchsafe_ledger_types::log::LogProofError;
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode, ReceiptProof, receipts_root};
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::signing::SigningKey;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_value::{AnchorState, StateValue, TipState};
use vouchsafe_ledger_types::units::{EntryIndex, Height, LogIndex, LogSize};

use crate::world::{at, chain, clinic, commit, create, disclosure, grant, hospital, release, validator, withdraw};

const S: Suite = Suite::Bn254;

fn validators() -> Vec<Validator> {
    vec![Validator { name: "solo".parse().unwrap(), key: validator().public(), power: 1 }]
}

fn judge(proof: &AcceptanceProof) -> Result<EntryId, AcceptanceError> {
    proof.verify(&chain(), S, &validators()).map(|accepted| accepted.id())
}

/// A ledger with a grant, an accepted release and a refused one in one block, and a block after it; and their ids.
struct Scene {
    _dir: tempfile::TempDir,
    ledger: Solo,
    accepted: EntryId,
    refused: EntryId,
}

fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let given = hospital().sign(1, grant(at(5000)));
    ledger.submit(vec![given.clone()]).unwrap();
    let taken = hospital().sign(2, release(given.id()));
    let stolen = clinic().sign(3, release(given.id()));
    let receipts = ledger.submit(vec![taken.clone(), stolen.clone(), clinic().sign(4, commit([4]))]).unwrap();
    assert_eq!([receipts[0].code, receipts[1].code], [ReceiptCode::Accepted, ReceiptCode::UnknownGrant]);
    ledger.submit(vec![hospital().sign(5, disclosure(5))]).unwrap();
    Scene { _dir: dir, ledger, accepted: taken.id(), refused: stolen.id() }
}

#[test]
fn what_was_accepted_is_shown() {
    let scene = scene();
    let proof = scene.ledger.acceptance(scene.accepted).unwrap();
    let json = serde_json::to_string(&proof).unwrap();
    let proof: AcceptanceProof = serde_json::from_str(&json).unwrap();
    let accepted = proof.verify(&chain(), S, &validators()).unwrap();
    assert_eq!((accepted.id(), accepted.height(), accepted.time()), (scene.accepted, Height::new(3), at(0)));
    assert_eq!(accepted.entry().header.member, hospital().id());
    // The genesis too, which is alone in its block, and later under a newer checkpoint.
    let genesis = scene.ledger.snapshot().unwrap().chain().genesis;
    assert_eq!(judge(&scene.ledger.acceptance(genesis).unwrap()), Ok(genesis));
    scene.ledger.submit(vec![hospital().sign(6, withdraw(0, 1))]).unwrap();
    assert_eq!(judge(&scene.ledger.acceptance(scene.accepted).unwrap()), Ok(scene.accepted));
    let unknown = EntryId::from_bytes([9; 32]);
    assert_eq!(scene.ledger.acceptance(unknown), Err(QueryError::UnknownEntry(unknown)));
    // A checkpoint of another height is not put into a proof.
    let snapshot = scene.ledger.snapshot().unwrap();
    let older = scene.ledger.checkpoint(Height::new(3)).unwrap();
    assert_eq!(snapshot.acceptance(scene.accepted, older), Err(QueryError::NotCovered));
    assert!(serde_json::from_str::<AcceptanceProof>(&json.replacen('{', "{\"more\":1,", 1)).is_err());
}

/// The checks of `AcceptanceProof::verify`, to leave one out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Check {
    Signed,
    Entry,
    Receipt,
    SameEntry,
    Code,
    SealPlace,
    EntryPlace,
}

/// Whether a verifier that leaves some checks out believes a proof.
fn believes_without(skipped: &[Check], proof: &AcceptanceProof) -> bool {
    let checkpoint = proof.checkpoint.unverified();
    let Ok(entry) = SignedEntry::decode(&proof.entry, S) else { return false };
    let (id, receipt, seal) = (entry.id(), &proof.receipt, &proof.seal);
    let leaf = vouchsafe_ledger_types::ids::LogHash::entry_leaf(&proof.entry);
    let first = seal.log_size.get().wrapping_sub(receipt.inclusion.size.get());
    let nth = first.wrapping_add(u64::from(receipt.receipt.index.get()));
    let checks = [
        (Check::Signed, proof.checkpoint.verify(&chain(), &validators()).is_ok()),
        (Check::Entry, entry.verify(&chain()).is_ok()),
        (Check::Receipt, receipt.verify(seal).is_ok()),
        (Check::SameEntry, receipt.receipt.entry == id),
        (Check::Code, receipt.receipt.code.is_accepted()),
        (
            Check::SealPlace,
            proof.seal_inclusion.verify(seal.leaf(), checkpoint.root).is_ok()
                && (proof.seal_inclusion.index, proof.seal_inclusion.size) == (seal.leaf_index(), checkpoint.size),
        ),
        (
            Check::EntryPlace,
            proof.inclusion.verify(leaf, checkpoint.root).is_ok()
                && (proof.inclusion.index.get(), proof.inclusion.size) == (nth, checkpoint.size),
        ),
    ];
    checks.iter().all(|(check, holds)| *holds || skipped.contains(check))
}

/// A lie: its name, the proof, what refuses it, and without which checks it would be believed.
type Lie = (&'static str, AcceptanceProof, AcceptanceError, &'static [Check]);

/// What stands under a seal that no log has: the refused entry, accepted.
fn invented_block(honest: &AcceptanceProof) -> (ReceiptProof, Seal) {
    let lie = Receipt { code: ReceiptCode::Accepted, ..honest.receipt.receipt };
    let other = Receipt { entry: EntryId::from_bytes([1; 32]), index: EntryIndex::new(0), ..lie };
    let last = Receipt { entry: EntryId::from_bytes([2; 32]), index: EntryIndex::new(2), ..lie };
    let receipts = [other, lie, last];
    let seal = Seal { receipts_root: receipts_root(&receipts), ..honest.seal };
    (ReceiptProof::new(&receipts, lie.index).unwrap(), seal)
}

fn lies(scene: &Scene) -> Vec<Lie> {
    let good = scene.ledger.acceptance(scene.accepted).unwrap();
    let bad = scene.ledger.acceptance(scene.refused).unwrap();
    let stranger = SigningKey::from_seed(&[77; 32]);
    let signed = good.checkpoint.unverified().clone().sign(&[(&"solo".parse().unwrap(), &stranger)]);
    let unsigned = signed.verify(&chain(), &validators()).unwrap_err();
    let mut other_chain = good.checkpoint.unverified().clone();
    other_chain.chain = "other".parse().unwrap();
    let other_chain = other_chain.sign(&[(&"solo".parse().unwrap(), &validator())]);
    let wrong_chain = other_chain.verify(&chain(), &validators()).unwrap_err();
    let mut code = bad.clone();
    code.receipt.receipt.code = ReceiptCode::Accepted;
    let (receipt, seal) = invented_block(&bad);
    let mut forged = good.clone();
    *forged.entry.last_mut().unwrap() ^= 1;
    let broken = SignedEntry::decode(&forged.entry, S).unwrap().verify(&chain()).unwrap_err();
    let mut moved = good.clone();
    moved.inclusion.index = LogIndex::new(moved.inclusion.index.get() + 1);
    let mut later = good.clone();
    later.seal_inclusion = scene.ledger.snapshot().unwrap().seal_inclusion(Height::new(4), Height::new(4)).unwrap();
    let mut older = good.clone();
    older.inclusion = scene.ledger.snapshot().unwrap().entry_inclusion(scene.accepted, Height::new(3)).unwrap();
    let refused = AcceptanceError::Refused(ReceiptCode::UnknownGrant);
    let root = AcceptanceError::Log(LogProofError::Root);
    let with = |receipt, seal| AcceptanceProof { receipt, seal, ..bad.clone() };
    let foreign = AcceptanceProof { receipt: good.receipt.clone(), ..bad.clone() };
    vec![
        ("a refused entry", bad.clone(), refused, &[Check::Code]),
        ("its code changed", code, root.clone(), &[Check::Receipt]),
        (
            "another entry's receipt",
            foreign,
            AcceptanceError::OtherEntry(good.receipt.receipt.entry),
            &[Check::SameEntry, Check::EntryPlace],
        ),
        ("an invented block", with(receipt, seal), root.clone(), &[Check::SealPlace]),
        (
            "a stranger's checkpoint",
            AcceptanceProof { checkpoint: signed, ..good.clone() },
            unsigned.into(),
            &[Check::Signed],
        ),
        (
            "another chain's checkpoint",
            AcceptanceProof { checkpoint: other_chain, ..good.clone() },
            wrong_chain.into(),
            &[Check::Signed],
        ),
        ("a broken signature", forged, broken.into(), &[Check::Entry, Check::EntryPlace]),
        (
            "another entry of the block",
            AcceptanceProof { entry: bad.entry.clone(), ..good.clone() },
            AcceptanceError::OtherEntry(scene.accepted),
            &[Check::SameEntry, Check::EntryPlace],
        ),
        ("another place", moved, AcceptanceError::Place, &[Check::EntryPlace]),
        ("another block's seal in the log", later, AcceptanceError::Place, &[Check::SealPlace]),
        ("a proof under an older checkpoint", older, AcceptanceError::Place, &[Check::EntryPlace]),
    ]
}

#[test]
fn lies_about_an_acceptance() {
    let scene = scene();
    assert!(believes_without(&[], &scene.ledger.acceptance(scene.accepted).unwrap()), "the control's own control");
    for (what, proof, error, checks) in lies(&scene) {
        assert_eq!(judge(&proof), Err(error), "{what}");
        assert!(!believes_without(&[], &proof), "{what}");
        assert!(believes_without(checks, &proof), "{what}: more than {checks:?} stops it");
        for check in checks.iter().filter(|_| checks.len() > 1) {
            assert!(!believes_without(&[*check], &proof), "{what}: {check:?} alone stops it; the table says too much");
        }
    }
    // For a verifier that trusts others nothing of this ledger counts, and the other way around.
    let proof = scene.ledger.acceptance(scene.accepted).unwrap();
    let others = vec![Validator { key: SigningKey::from_seed(&[77; 32]).public(), ..validators()[0].clone() }];
    assert!(matches!(proof.verify(&chain(), S, &others), Err(AcceptanceError::Checkpoint(_))));
    assert!(matches!(proof.verify(&"other".parse().unwrap(), S, &validators()), Err(AcceptanceError::Checkpoint(_))));
    assert_eq!(judge(&proof), Ok(scene.accepted));
}

/// No bit of the file can be changed without another outcome than "this entry was accepted".
#[test]
fn each_bit_counts() {
    let scene = scene();
    let json = serde_json::to_vec(&scene.ledger.acceptance(scene.accepted).unwrap()).unwrap();
    let mut read = 0;
    for at in 0..json.len() {
        for bit in [1, 2] {
            let mut changed = json.clone();
            changed[at] ^= bit;
            let Ok(proof) = serde_json::from_slice::<AcceptanceProof>(&changed) else { continue };
            read += 1;
            assert!(judge(&proof).is_err(), "byte {at}: {}", String::from_utf8_lossy(&changed));
        }
    }
    assert!(read > 500, "only {read} changes were readable: this shows little");
}

/// What a service asks of a snapshot: keys as text, any sizes of the log, the tip.
#[test]
fn questions_of_a_service() {
    let scene = scene();
    let snapshot = scene.ledger.snapshot().unwrap();
    assert_eq!(snapshot.tip(), TipState { height: Height::new(4), time: at(0) });
    let key: StateKey = format!("anchor/{}", clinic().id()).parse().unwrap();
    let bytes = snapshot.bytes(&key).unwrap().unwrap();
    let proof = snapshot.state_proof_at(&key, snapshot.height()).unwrap();
    assert_eq!(proof.verify(snapshot.seal().state_root, &key).unwrap(), Some(bytes.as_slice()));
    assert_eq!(AnchorState::decode(&bytes).unwrap().active, 1);
    assert_eq!(snapshot.bytes(&format!("grant/{}", scene.accepted).parse().unwrap()).unwrap(), None);
    // Seals name the log's root before themselves, at sizes that no checkpoint has.
    let seals = [2, 3, 4].map(|height| snapshot.seal_at(Height::new(height)).unwrap());
    for (old, new) in [(0, 1), (0, 2), (1, 2), (1, 1)] {
        let (old, new) = (seals[old], seals[new]);
        let proof = snapshot.consistency_of_sizes(old.log_size, new.log_size).unwrap();
        assert_eq!(proof.verify(old.log_root, new.log_root), Ok(()));
    }
    let proof = snapshot.consistency_of_sizes(seals[0].log_size, seals[2].log_size).unwrap();
    assert_eq!(proof.verify(seals[1].log_root, seals[2].log_root), Err(LogProofError::Root));
    let size = snapshot.seal().checkpoint_size();
    let beyond = LogSize::new(size.get() + 1);
    assert_eq!(snapshot.consistency_of_sizes(size, beyond), Err(QueryError::NotCovered));
    assert_eq!(snapshot.consistency_of_sizes(size, seals[0].log_size), Err(QueryError::NotCovered));
}
