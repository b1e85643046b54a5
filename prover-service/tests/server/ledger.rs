//! The ledger over gRPC: entries in; receipts, seals, checkpoints and proofs out, which hold.

use tonic::Code;
use tonic_types::StatusExt;
use vouchsafe_ledger::engine::Engine;
use vouchsafe_ledger_types::accepted::AcceptanceProof;
use vouchsafe_ledger_types::checkpoint::SignedCheckpoint;
use vouchsafe_ledger_types::entry::{Body, Disclosure, PurposeClass};
use vouchsafe_ledger_types::ids::{DisclosureCommitment, EntryId};
use vouchsafe_ledger_types::log::ConsistencyProof;
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_proof::StateProof;
use vouchsafe_prover_service::institution::Institution;
use vouchsafe_prover_service::proto::ledger_client::LedgerClient;
use vouchsafe_prover_service::proto::{
    CheckpointResponse, ConsistencyRequest, EntryRef, HeightRef, SealResponse, StateRef, SubmitRequest,
};

use super::world::{World, fresh};

const NEWEST: HeightRef = HeightRef { height: None };

/// An entry that the server's institution signed and nobody sent: its id and its bytes.
pub fn disclosure(world: &World) -> (Vec<u8>, Vec<u8>) {
    let (id, bytes) = disclosure_of(world.node.institution());
    (id.as_bytes().to_vec(), bytes)
}

/// The same of any institution.
pub fn disclosure_of(institution: &Institution) -> (EntryId, Vec<u8>) {
    let deadline = institution.clock().now().plus_seconds(90 * 86_400).unwrap();
    let mut commitment = [0; 32];
    rand::RngCore::fill_bytes(&mut rand::rngs::OsRng, &mut commitment);
    let commitment = DisclosureCommitment::from_bytes(commitment);
    let body = Body::Disclosure(Disclosure { commitment, purpose: PurposeClass::of_code("TREAT"), deadline });
    let entry = institution.pen().write(body).unwrap();
    (entry.id(), entry.encode())
}

#[test]
fn an_entry_is_logged_once_and_everything_about_it_can_be_shown() {
    let world = fresh("server-ledger", |_| {});
    let mut client = LedgerClient::new(world.connect());
    let before = world.block_on(client.checkpoint(NEWEST)).unwrap().into_inner();
    let (id, bytes) = disclosure(&world);
    let submit = SubmitRequest { signed_entry: bytes.clone() };
    let receipt = world.block_on(client.submit(submit.clone())).unwrap().into_inner();
    assert_eq!((receipt.code, receipt.reason.as_str(), &receipt.entry), (0, "accepted", &id));
    let again = world.block_on(client.submit(submit)).unwrap().into_inner();
    assert_eq!(again, receipt, "the same entry gives its first receipt");
    let entry = EntryRef { entry: id };
    assert_eq!(world.block_on(client.get_receipt(entry.clone())).unwrap().into_inner(), receipt);
    assert_eq!(world.block_on(client.get_entry(entry.clone())).unwrap().into_inner().bytes, bytes);

    let institution = world.node.institution();
    let (identity, snapshot) = (institution.identity(), institution.ledger().snapshot().unwrap());
    let validators = snapshot.chain().validators.clone();
    let json = world.block_on(client.prove_entry(entry)).unwrap().into_inner().json;
    let proof: AcceptanceProof = serde_json::from_slice(&json).unwrap();
    let accepted = proof.verify(&identity.chain, identity.suite, &validators).unwrap();
    assert_eq!(accepted.height().get(), receipt.height);

    let newest = world.block_on(client.get_seal(NEWEST)).unwrap().into_inner();
    let SealResponse { height, time, seal, app_hash } = newest;
    let seal = Seal::decode(&seal).unwrap();
    assert_eq!((seal.height.get(), seal.time.unix(), seal.app_hash().as_bytes().to_vec()), (height, time, app_hash));

    let key = StateKey::Anchor(institution.member());
    let state = StateRef { key: key.to_string(), height: Some(height) };
    let proof: StateProof =
        serde_json::from_slice(&world.block_on(client.prove_state(state)).unwrap().into_inner().json).unwrap();
    proof.verify(seal.state_root, &key).unwrap();

    let after = world.block_on(client.checkpoint(NEWEST)).unwrap().into_inner();
    let parse = |response: &CheckpointResponse| {
        let checkpoint = SignedCheckpoint::parse(&response.note).unwrap();
        checkpoint.verify(&identity.chain, &validators).unwrap().clone()
    };
    let (old, new) = (parse(&before), parse(&after));
    assert!(old.size < new.size);
    let sizes = ConsistencyRequest { old_size: old.size.get(), new_size: new.size.get() };
    let json = world.block_on(client.prove_consistency(sizes)).unwrap().into_inner().json;
    let proof: ConsistencyProof = serde_json::from_slice(&json).unwrap();
    proof.verify(old.root, new.root).unwrap();
    // the control: it shows nothing of another root
    assert!(proof.verify(new.root, old.root).is_err());
}

#[test]
fn what_is_not_there_is_said_by_its_code() {
    let world = fresh("server-ledger-errors", |_| {});
    let mut client = LedgerClient::new(world.connect());
    let code = |status: tonic::Status| {
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().domain, "vouchsafe.v1", "{status:?}");
        status.code()
    };
    let unknown = EntryRef { entry: vec![7; 32] };
    let odd = EntryRef { entry: vec![7; 31] };
    let (far, size) = (Some(u64::MAX), u64::MAX);
    let state = |key: &str, height| StateRef { key: key.to_owned(), height };
    world.block_on(async {
        assert_eq!(code(client.get_entry(unknown.clone()).await.unwrap_err()), Code::NotFound);
        assert_eq!(code(client.get_receipt(unknown.clone()).await.unwrap_err()), Code::NotFound);
        assert_eq!(code(client.prove_entry(unknown).await.unwrap_err()), Code::NotFound);
        assert_eq!(code(client.prove_entry(odd).await.unwrap_err()), Code::InvalidArgument);
        assert_eq!(code(client.get_seal(HeightRef { height: far }).await.unwrap_err()), Code::NotFound);
        assert_eq!(code(client.checkpoint(HeightRef { height: far }).await.unwrap_err()), Code::NotFound);
        assert_eq!(code(client.prove_state(state("chain", far)).await.unwrap_err()), Code::NotFound);
        for key in ["", "chain/", "member/00", "nothing", "anchor/../chain"] {
            assert_eq!(code(client.prove_state(state(key, None)).await.unwrap_err()), Code::InvalidArgument, "{key}");
        }
        for (old_size, new_size, expected) in [
            (0, 1, Code::InvalidArgument),
            (2, 1, Code::InvalidArgument),
            (1, size, Code::OutOfRange),
            (size, size, Code::OutOfRange),
        ] {
            let status = client.prove_consistency(ConsistencyRequest { old_size, new_size }).await.unwrap_err();
            assert_eq!(code(status), expected, "{old_size} {new_size}");
        }
        for signed_entry in [Vec::new(), vec![0xff; 100], vec![0; 2 << 20]] {
            let status = client.submit(SubmitRequest { signed_entry }).await.unwrap_err();
            assert_eq!(code(status), Code::InvalidArgument);
        }
    });
    // signed, then changed
    let (_, mut bytes) = disclosure(&world);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let status = world.block_on(client.submit(SubmitRequest { signed_entry: bytes })).unwrap_err();
    assert_eq!(code(status), Code::InvalidArgument);
}

#[test]
fn callers_at_one_time_share_blocks() {
    let world = fresh("server-blocks", |_| {});
    let channel = world.connect();
    let before = world.block_on(LedgerClient::new(channel.clone()).get_seal(NEWEST)).unwrap().into_inner().height;
    let entries: Vec<_> = (0..64).map(|_| disclosure(&world).1).collect();
    let calls: Vec<_> = entries
        .into_iter()
        .map(|signed_entry| {
            let mut client = LedgerClient::new(channel.clone());
            world.spawn(async move { client.submit(SubmitRequest { signed_entry }).await })
        })
        .collect();
    for call in calls {
        assert_eq!(world.block_on(call).unwrap().unwrap().into_inner().code, 0);
    }
    let after = world.block_on(LedgerClient::new(channel).get_seal(NEWEST)).unwrap().into_inner().height;
    assert!(after - before < 64, "64 entries took {} blocks", after - before);
}
