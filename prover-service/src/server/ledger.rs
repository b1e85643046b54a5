//! The ledger over gRPC: entries in, receipts and proofs out, to whoever can connect.
//!
//! What an entry says is blinded or public by design, so everybody who is connected may read all of it. An entry is
//! taken for its own signature, whoever brings it. Callers at one time share blocks (`ledger/src/solo/queue.rs`).
//! A proof is about the bytes alone: callers verify it, with `ledger/types`, against validators they trust.

use std::sync::Arc;

use tonic::{Code, Request, Response, Status};
use vouchsafe_ledger::engine::{Engine, QueryError, SubmitError};
use vouchsafe_ledger::snapshot::Snapshot;
use vouchsafe_ledger_types::entry::SignedEntry;
use vouchsafe_ledger_types::ids::EntryId;
use vouchsafe_ledger_types::receipt::Receipt;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::units::{Height, LogSize};

use super::status;
use crate::node::Node;
use crate::proto::ledger_server::Ledger;
use crate::proto::{
    Bytes, CheckpointResponse, ConsistencyRequest, EntryRef, HeightRef, Json, SealResponse, StateRef, SubmitRequest,
    SubmitResponse,
};

/// The service.
pub(super) struct Service(pub(super) Arc<Node>);

type Answer<T> = Result<Response<T>, Status>;

impl Service {
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Node) -> Result<T, Status> + Send + 'static,
    ) -> Answer<T> {
        let node = Arc::clone(&self.0);
        self.0.gate().work(move || work(&node)).await.map(Response::new)
    }

    /// Asks the newest block.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Snapshot<'_>) -> Result<T, QueryError> + Send + 'static,
    ) -> Answer<T> {
        self.work(move |node| {
            let ledger = node.institution().ledger();
            ledger.snapshot().and_then(|snapshot| ask(&snapshot)).map_err(|error| query_error(node, error))
        })
        .await
    }
}

#[tonic::async_trait]
impl Ledger for Service {
    async fn submit(&self, call: Request<SubmitRequest>) -> Answer<SubmitResponse> {
        let bytes = call.into_inner().signed_entry;
        self.work(move |node| submit(node, &bytes)).await
    }

    async fn get_entry(&self, call: Request<EntryRef>) -> Answer<Bytes> {
        let id = entry_id(&call.into_inner())?;
        let bytes = move |snapshot: &Snapshot<'_>| {
            let entry = snapshot.entry(id)?.ok_or(QueryError::UnknownEntry(id))?;
            Ok(Bytes { bytes: entry.bytes })
        };
        self.ask(bytes).await
    }

    async fn get_receipt(&self, call: Request<EntryRef>) -> Answer<SubmitResponse> {
        let id = entry_id(&call.into_inner())?;
        self.ask(move |snapshot| {
            let receipt = snapshot.receipt(id)?.ok_or(QueryError::UnknownEntry(id))?;
            Ok(receipt_message(&receipt))
        })
        .await
    }

    async fn get_seal(&self, call: Request<HeightRef>) -> Answer<SealResponse> {
        let height = call.into_inner().height.map(Height::new);
        self.ask(move |snapshot| {
            let seal = snapshot.seal_at(height.unwrap_or(snapshot.height()))?;
            Ok(SealResponse {
                height: seal.height.get(),
                time: seal.time.unix(),
                seal: seal.encode().to_vec(),
                app_hash: seal.app_hash().as_bytes().to_vec(),
            })
        })
        .await
    }

    async fn prove_state(&self, call: Request<StateRef>) -> Answer<Json> {
        let StateRef { key, height } = call.into_inner();
        let key: StateKey = key.parse().map_err(|_| {
            status::bad_field("key", "chain, tip, or a kind and its 32-byte ids in hex, such as member/00…")
        })?;
        self.work(move |node| {
            let ledger = node.institution().ledger();
            let proof = ledger
                .snapshot()
                .and_then(|snapshot| snapshot.state_proof_at(&key, height.map_or(snapshot.height(), Height::new)));
            json(&proof.map_err(|error| query_error(node, error))?)
        })
        .await
    }

    async fn prove_entry(&self, call: Request<EntryRef>) -> Answer<Json> {
        let id = entry_id(&call.into_inner())?;
        self.work(move |node| {
            let proof = node.institution().ledger().acceptance(id);
            json(&proof.map_err(|error| query_error(node, error))?)
        })
        .await
    }

    async fn prove_consistency(&self, call: Request<ConsistencyRequest>) -> Answer<Json> {
        let ConsistencyRequest { old_size, new_size } = call.into_inner();
        if old_size == 0 || old_size > new_size {
            return Err(status::bad_field("old_size", "from 1 to new_size"));
        }
        self.work(move |node| {
            let ledger = node.institution().ledger();
            let (old, new) = (LogSize::new(old_size), LogSize::new(new_size));
            let proof = ledger.snapshot().and_then(|snapshot| snapshot.consistency_of_sizes(old, new));
            json(&proof.map_err(|error| query_error(node, error))?)
        })
        .await
    }

    async fn checkpoint(&self, call: Request<HeightRef>) -> Answer<CheckpointResponse> {
        let height = call.into_inner().height.map(Height::new);
        self.work(move |node| {
            let ledger = node.institution().ledger();
            let newest = || ledger.snapshot().map(|snapshot| snapshot.height());
            let checkpoint = height.map_or_else(newest, Ok).and_then(|height| ledger.checkpoint(height));
            let note = String::from(checkpoint.map_err(|error| query_error(node, error))?);
            Ok(CheckpointResponse { note })
        })
        .await
    }
}

fn submit(node: &Node, bytes: &[u8]) -> Result<SubmitResponse, Status> {
    let suite = node.institution().identity().suite;
    let entry = SignedEntry::decode(bytes, suite).map_err(|e| status::bad_field("signed_entry", e.to_string()))?;
    let receipts = node.institution().ledger().submit(vec![entry]).map_err(|error| submit_error(node, error))?;
    match receipts.first() {
        Some(receipt) => Ok(receipt_message(receipt)),
        None => Err(status::ours("submitting", &SubmitError::Stopped("no receipt came back".to_owned()))),
    }
}

fn submit_error(node: &Node, error: SubmitError) -> Status {
    match error {
        SubmitError::Entry { error, .. } => status::bad_field("signed_entry", error.to_string()),
        SubmitError::NotAdmitted { code, .. } => {
            let text = format!("not admitted, nothing was logged: {code} (receipt code {})", code.number());
            status::refused(Code::FailedPrecondition, "NOT_ADMITTED", text)
        }
        SubmitError::Stopped(why) => {
            node.fail(&why);
            status::ledger_stopped()
        }
        error => status::ours("submitting", &error),
    }
}

fn query_error(node: &Node, error: QueryError) -> Status {
    match error {
        QueryError::UnknownHeight(_) | QueryError::UnknownEntry(_) => {
            status::refused(Code::NotFound, "NOT_FOUND", error.to_string())
        }
        QueryError::NotCovered | QueryError::Pruned(_) => {
            status::refused(Code::OutOfRange, "NOT_COVERED", error.to_string())
        }
        QueryError::Stopped(why) => {
            node.fail(&why);
            status::ledger_stopped()
        }
        error => status::ours("reading the ledger", &error),
    }
}

fn entry_id(message: &EntryRef) -> Result<EntryId, Status> {
    let bytes = <[u8; 32]>::try_from(message.entry.as_slice());
    bytes.map(EntryId::from_bytes).map_err(|_| status::bad_field("entry", "an entry id has 32 bytes"))
}

fn receipt_message(receipt: &Receipt) -> SubmitResponse {
    SubmitResponse {
        entry: receipt.entry.as_bytes().to_vec(),
        height: receipt.height.get(),
        index: receipt.index.get(),
        code: receipt.code.number(),
        reason: receipt.code.to_string(),
        first_position: receipt.first_position,
        positions: receipt.positions,
    }
}

fn json(value: &impl serde::Serialize) -> Result<Json, Status> {
    serde_json::to_vec(value).map(|json| Json { json }).map_err(|e| status::ours("writing a proof", &e))
}
