//! `Prover`: questions asked online, and their answers at slots.
//!
//! ```text
//! Ask     signed call of a verifier ─► in order? a place in a slot? ─► durable ─► id and slot
//! Answer  signed call of the same party ─► waits for the slot ─► padded body
//! ```
//!
//! What is told at once is what the asker can see of itself: its signature, its request's form, a full house. What the
//! answer is, and why, shows in the body alone. A call that ends before the slot is asked again, with the same id.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};
use vouchsafe_ledger_types::evidence::read_json;
use vouchsafe_ledger_types::ids::CallId;
use vouchsafe_ledger_types::request;

use super::admission::Open;
use super::signed::{Called, called};
use super::status;
use crate::answer::AnswerError;
use crate::node::{Node, Phase};
use crate::parties::PartyError;
use crate::proto::prover_server::Prover;
use crate::proto::question_state::State;
use crate::proto::{AnswerResponse, AskRequest, AskResponse, QuestionRef, QuestionState, SignedCall};
use crate::questions::{Asked, Page, QuestionError, judge, now_ms};

/// The path of `Ask`, which its caller signs.
pub const ASK: &str = "/vouchsafe.v1.Prover/Ask";
/// The path of `Answer`.
pub const ANSWER: &str = "/vouchsafe.v1.Prover/Answer";
/// The path of `Watch`.
pub const WATCH: &str = "/vouchsafe.v1.Prover/Watch";

/// The service.
pub(super) struct Service(pub(super) Arc<Node>);

type States = Pin<Box<dyn Stream<Item = Result<QuestionState, Status>> + Send>>;

#[tonic::async_trait]
impl Prover for Service {
    async fn ask(&self, call: Request<SignedCall>) -> Result<Response<AskResponse>, Status> {
        let node = Arc::clone(&self.0);
        let came_ms = now_ms();
        let taken = self.0.gate().work(move || {
            let Called { id, party, message } = called::<AskRequest>(&node, ASK, call.into_inner())?;
            let request: request::Request = read_json("a request file", &message.request)
                .map_err(|e| status::bad_field("request", e.to_string()))?;
            let asked = Asked { id, party: &party, request, subject: message.subject, now_ms: came_ms };
            let taken = node.questions().take(node.institution(), node.keys(), node.policy(), asked);
            taken.map_err(|error| refusal(&node, error))
        });
        let taken = taken.await?;
        self.0.metrics().questions.increment(1);
        Ok(Response::new(AskResponse {
            question: taken.id.as_bytes().to_vec(),
            answer_at: taken.answer_at,
            ends_at: taken.ends_at.unix(),
        }))
    }

    async fn answer(&self, call: Request<SignedCall>) -> Result<Response<AnswerResponse>, Status> {
        let (id, called) = question(&self.0, ANSWER, call).await?;
        let mut phase = self.0.phase();
        let body = tokio::select! {
            body = self.0.questions().body(id, &called.party.card.signing) => body,
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => return Err(status::stopping()),
        };
        let body = body.map_err(|error| refusal(&self.0, error))?;
        self.0.metrics().answers.increment(1);
        Ok(Response::new(AnswerResponse { body }))
    }

    type WatchStream = States;

    async fn watch(&self, call: Request<SignedCall>) -> Result<Response<States>, Status> {
        let open = call.extensions().get::<Open>().cloned();
        let (id, called) = question(&self.0, WATCH, call).await?;
        let signer = called.party.card.signing;
        // refused before the stream begins
        self.0.questions().follow(id, &signer).map_err(|error| refusal(&self.0, error))?;
        let (states, stream) = tokio::sync::mpsc::channel(2);
        let node = Arc::clone(&self.0);
        tokio::spawn(async move {
            let _open = open;
            let say = |state: State| Ok(QuestionState { state: state.into() });
            if states.send(say(State::Waiting)).await.is_err() {
                return;
            }
            let longest = Duration::from_secs(node.config().limits.stream_idle_seconds);
            let mut phase = node.phase();
            let last = tokio::select! {
                _ = states.closed() => return,
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => Err(status::stopping()),
                () = tokio::time::sleep(longest) => Err(status::too_late()),
                done = node.questions().done(id, &signer) => match done {
                    Ok(()) => say(State::Done),
                    Err(error) => Err(refusal(&node, error)),
                },
            };
            let _ = states.send(last).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

/// Checks who calls, as work like any other; the waiting that follows holds no place.
async fn question(
    node: &Arc<Node>,
    method: &'static str,
    call: Request<SignedCall>,
) -> Result<(CallId, Called<QuestionRef>), Status> {
    let (asked, call) = (Arc::clone(node), call.into_inner());
    let called = node.gate().work(move || called::<QuestionRef>(&asked, method, call)).await?;
    let id = <[u8; 32]>::try_from(&called.message.question[..]);
    let id = id.map_err(|_| status::bad_field("question", "32 bytes are needed"))?;
    Ok((CallId::from_bytes(id), called))
}

fn refusal(node: &Node, error: QuestionError) -> Status {
    match &error {
        QuestionError::Request(inner) if is_askers(inner) => status::bad_field("request", inner.to_string()),
        QuestionError::OtherName(_) => status::bad_field("request", error.to_string()),
        QuestionError::Subject => status::bad_field("subject", error.to_string()),
        QuestionError::Full(full) => {
            node.metrics().turned_away.increment(1);
            status::overloaded(Duration::from_millis(full.retry_after_ms))
        }
        QuestionError::Unknown => status::refused(Code::NotFound, "NO_QUESTION", error.to_string()),
        _ => {
            // a stopped ledger looks like this too
            let _ = node.height();
            status::ours("a question", &error)
        }
    }
}

fn is_askers(error: &AnswerError) -> bool {
    matches!(error, AnswerError::Request(_) | AnswerError::Form(_))
}

/// Works on questions until the node ends.
pub(super) async fn work(node: Arc<Node>) {
    let mut phase = node.phase();
    let judge = |page: &Page| {
        let party = node.parties().named(&page.asker);
        if let Err(error @ (PartyError::Io(..) | PartyError::Damaged(..))) = &party {
            tracing::error!(error = status::causes(error), "a party's file cannot be read: its question is denied");
        }
        judge(node.policy(), party.ok().as_ref(), page, node.now())
    };
    let report = |error: &dyn std::error::Error| {
        // the holder's alone: its asker is refused like any other
        tracing::error!(error = status::causes(error), "a question could not be looked into");
        let _ = node.height();
    };
    tokio::select! {
        () = node.questions().work(node.institution(), node.keys(), judge, report) => {}
        _ = phase.wait_for(|phase| *phase != Phase::Serving) => {}
    }
}
