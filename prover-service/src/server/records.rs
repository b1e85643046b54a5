//! `Records.Commit`: documents from the institution's own systems into the vault and onto the ledger.
//!
//! ```text
//! client certificate names an operator? ─► one document at a time ─► its records are durable ─► its counts
//! ```
//!
//! A document that was begun is finished, whether or not its sender is still there. What cannot be taken is named by
//! place and reason in the answer. `Open` is in the module of that name.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status, Streaming};

use super::admission::Open;
use super::limits::Permit;
use super::peer::PeerNames;
use super::status;
use crate::fhir::Source;
use crate::ingest::{Intake, Report, Silent};
use crate::node::{Node, Phase};
use crate::proto::records_server::Records;
use crate::proto::{CommitRequest, CommitResponse, OpenResponse, SignedCall};

/// Errors named in one answer.
const ERRORS_MAX: usize = 100;
/// The longest of them, in bytes.
const ERROR_BYTES_MAX: usize = 1_000;

type Answers = Pin<Box<dyn Stream<Item = Result<CommitResponse, Status>> + Send>>;

/// Answers document after document.
fn commit(node: &Arc<Node>, call: Request<Streaming<CommitRequest>>) -> Result<Response<Answers>, Status> {
    if !PeerNames::of(&call).is_one_of(&node.config().records.operators) {
        let text =
            "records come from the institution's own systems: show a certificate with a name of records.operators";
        return Err(status::refused(Code::PermissionDenied, "NOT_AN_OPERATOR", text));
    }
    let open = call.extensions().get::<Open>().cloned();
    let (answers, stream) = mpsc::channel(1);
    let node = Arc::clone(node);
    tokio::spawn(async move {
        let _open = open;
        if let Err(ended) = each(&node, call.into_inner(), &answers).await {
            // whoever has gone needs no answer
            let _ = answers.send(Err(ended)).await;
        }
    });
    Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
}

async fn each(
    node: &Arc<Node>,
    mut documents: Streaming<CommitRequest>,
    answers: &mpsc::Sender<Result<CommitResponse, Status>>,
) -> Result<(), Status> {
    let mut phase = node.phase();
    let idle = node.config().limits.stream_idle();
    loop {
        let next = tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => return Err(status::stopping()),
            next = tokio::time::timeout(idle, documents.next()) => next.map_err(|_| status::too_late())?,
        };
        let Some(document) = next.transpose()? else { return Ok(()) };
        let permit = node.gate().enter().await?;
        let answer = take(Arc::clone(node), document, permit).await?;
        if answers.send(Ok(answer)).await.is_err() {
            return Ok(());
        }
    }
}

/// Takes a document in, to its end.
async fn take(node: Arc<Node>, document: CommitRequest, permit: Permit) -> Result<CommitResponse, Status> {
    let source = Source::new(&document.source).map_err(|e| status::bad_field("source", e.to_string()))?;
    let mut intake = Intake::new(node.institution(), &source);
    let mut rng = rand::rngs::OsRng;
    let taken = async {
        intake.bytes(&document.name, &document.document, &mut Silent, &mut rng).await?;
        intake.finish(&mut Silent, &mut rng).await
    };
    let report = taken.await.map_err(|error| {
        // a stopped ledger looks like this too
        let _ = node.height();
        status::ours("taking a document in", &error)
    })?;
    drop(permit);
    node.metrics().documents.increment(1);
    Ok(answer(document.name, &report))
}

fn answer(name: String, report: &Report) -> CommitResponse {
    let mut errors: Vec<String> =
        report.errors.iter().take(ERRORS_MAX).map(|error| shorten(error.to_string())).collect();
    if report.errors.len() > ERRORS_MAX {
        errors.push(format!("and {} more", report.errors.len() - ERRORS_MAX));
    }
    CommitResponse {
        name,
        added: report.added,
        amended: report.amended,
        withdrawn: report.withdrawn,
        unchanged: report.unchanged + report.older,
        errors,
    }
}

fn shorten(mut text: String) -> String {
    if text.len() > ERROR_BYTES_MAX {
        let end = (0..=ERROR_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The service.
pub(super) struct Service(pub(super) Arc<Node>);

#[tonic::async_trait]
impl Records for Service {
    type CommitStream = Answers;

    async fn commit(&self, call: Request<Streaming<CommitRequest>>) -> Result<Response<Answers>, Status> {
        commit(&self.0, call)
    }

    async fn open(&self, call: Request<SignedCall>) -> Result<Response<OpenResponse>, Status> {
        super::open::open(&self.0, call).await
    }
}
