//! The other end: what verifiers, readers and researchers call a node with.
//!
//! ```text
//! party file ─► signed call (chain, method, ten minutes at most, fresh nonce) ─► TLS ─► node
//! ```
//!
//! A call that failed because the node was busy can be sent again, the very same bytes, where the method takes it more than
//! once (`Ask`). Nothing that comes back is believed here: evidence is verified, parcels are opened, by whoever asked.

use std::path::PathBuf;
use std::time::Duration;

use prost::Message;
use rand::{CryptoRng, RngCore};
pub use tonic::transport::Channel;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::vault::RecordId;
use vouchsafe_ledger_types::call::{CallNonce, SignedCall};
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::ids::{ChainId, ProjectId};
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::units::{BlockTime, MicroEpsilon};

pub use crate::proto::{Bin, QueryResponse};

use crate::proto;
use crate::proto::ledger_client::LedgerClient;
use crate::proto::open_request::What;
use crate::proto::prover_client::ProverClient;
use crate::proto::query_request::Measure;
use crate::proto::records_client::RecordsClient;
use crate::proto::research_client::ResearchClient;
use crate::proto::verifier_client::VerifierClient;
use crate::server::{ANSWER, ASK, OPEN, QUERY};

/// How long a signed call is good for.
const CALL_SECONDS: u64 = 300;
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Where a node is, and how to know it.
#[derive(Clone, Debug, Default)]
pub struct Remote {
    /// `http://127.0.0.1:7443`, `https://vouch.example:7443`.
    pub url: String,
    /// Who signs its certificate, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key, in PEM.
    pub identity_files: Option<(PathBuf, PathBuf)>,
}

/// Why a node did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A file of TLS.
    #[error("{0}")]
    File(PathBuf, #[source] std::io::Error),
    /// The address.
    #[error("{0:?} is not an address: write https://HOST:PORT, or http://127.0.0.1:PORT on this machine")]
    Address(String),
    /// It is not there, or not who it should be.
    #[error("cannot connect to {0}")]
    Connect(String, #[source] tonic::transport::Error),
    /// It is busy.
    #[error("the node is busy: come again in {0:?}")]
    Busy(Duration),
    /// It refused, and it says that the fault is ours.
    #[error("the node refused: {0}")]
    Refused(String),
    /// It failed.
    #[error("the node failed: {0}")]
    Failed(String),
    /// What it answered is not an answer.
    #[error("the node answered what this program cannot read: {0}")]
    Answer(String),
}

impl From<Status> for ClientError {
    fn from(status: Status) -> ClientError {
        let text = status.message().to_owned();
        match status.code() {
            Code::ResourceExhausted => {
                let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
                ClientError::Busy(delay.unwrap_or(Duration::from_secs(1)))
            }
            Code::Internal | Code::Unavailable | Code::Unknown | Code::DataLoss | Code::DeadlineExceeded => {
                ClientError::Failed(text)
            }
            _ => ClientError::Refused(text),
        }
    }
}

/// A question that a node took.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QuestionTaken {
    /// Its id, as 64 hex digits.
    pub question: String,
    /// The earliest slot, in milliseconds since 1970.
    pub answer_at: u64,
    /// When it ends, in seconds since 1970.
    pub ends_at: u64,
}

/// What came back at the slot. No, unknown and denied are one.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Evidence, to be verified.
    Evidence(Box<Evidence>),
    /// None.
    Refused,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    evidence: Option<Evidence>,
    #[serde(default)]
    refused: bool,
}

impl Remote {
    /// Connects.
    pub async fn connect(&self) -> Result<Channel, ClientError> {
        let address = || ClientError::Address(self.url.clone());
        let mut endpoint = Endpoint::from_shared(self.url.clone()).map_err(|_| address())?;
        if self.url.starts_with("https://") {
            endpoint = endpoint.tls_config(self.tls()?).map_err(|e| ClientError::Connect(self.url.clone(), e))?;
        } else if !self.url.starts_with("http://") {
            return Err(address());
        }
        let endpoint = endpoint.connect_timeout(Duration::from_secs(10));
        endpoint.connect().await.map_err(|e| ClientError::Connect(self.url.clone(), e))
    }

    fn tls(&self) -> Result<ClientTlsConfig, ClientError> {
        let read = |file: &PathBuf| std::fs::read(file).map_err(|e| ClientError::File(file.clone(), e));
        let mut tls = ClientTlsConfig::new();
        if let Some(file) = &self.ca_file {
            tls = tls.ca_certificate(Certificate::from_pem(read(file)?));
        }
        if let Some((certificate, key)) = &self.identity_files {
            tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        Ok(tls)
    }
}

/// Somebody with a party file who calls nodes of one ledger.
pub struct Party<'a> {
    /// Its secrets.
    pub secrets: &'a PartySecrets,
    /// The ledger.
    pub chain: ChainId,
}

impl Party<'_> {
    /// Signs a call of a method.
    pub fn sign(
        &self,
        method: &str,
        message: &impl Message,
        now: BlockTime,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> proto::SignedCall {
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let expires = now.plus_seconds(CALL_SECONDS).unwrap_or(now);
        let key = self.secrets.signing_key();
        let payload = message.encode_to_vec();
        let call = SignedCall::sign(&key, method, self.chain.clone(), expires, CallNonce::new(nonce), payload);
        proto::SignedCall {
            payload: call.payload,
            chain: call.chain.to_string(),
            expires: call.expires.unix(),
            nonce: call.nonce.as_bytes().to_vec(),
            signer: call.signer.as_bytes().to_vec(),
            signature: call.signature.as_bytes().to_vec(),
        }
    }

    /// Asks a question; the request is in the party's own name.
    pub async fn ask(
        &self,
        channel: &Channel,
        request: &Request,
        subject: &str,
        now: BlockTime,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<QuestionTaken, ClientError> {
        let request = serde_json::to_vec(request).map_err(|e| ClientError::Answer(e.to_string()))?;
        let message = proto::AskRequest { request, subject: subject.to_owned() };
        let call = self.sign(ASK, &message, now, rng);
        let taken = ProverClient::new(channel.clone()).ask(call).await?.into_inner();
        let (question, answer_at, ends_at) = (hex::encode(taken.question), taken.answer_at, taken.ends_at);
        Ok(QuestionTaken { question, answer_at, ends_at })
    }

    /// Fetches what came of a question; waits for its slot.
    pub async fn reply(
        &self,
        channel: &Channel,
        question: &str,
        now: BlockTime,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Reply, ClientError> {
        let question = hex::decode(question).map_err(|_| ClientError::Refused("no id of a question".to_owned()))?;
        let call = self.sign(ANSWER, &proto::QuestionRef { question }, now, rng);
        let mut client = ProverClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
        let body = client.answer(call).await?.into_inner().body;
        let body: Body = serde_json::from_slice(&body).map_err(|e| ClientError::Answer(e.to_string()))?;
        match body {
            Body { evidence: Some(evidence), refused: false } => Ok(Reply::Evidence(Box::new(evidence))),
            Body { evidence: None, refused: true } => Ok(Reply::Refused),
            _ => Err(ClientError::Answer("neither evidence nor a refusal".to_owned())),
        }
    }
}

/// What a reader wants to open.
#[derive(Clone, Debug)]
pub struct OpenWish {
    /// Which record.
    pub record: RecordId,
    /// Up to which tier, 0 to 4.
    pub tier: u8,
    /// What for: a code.
    pub purpose: String,
    /// Whether to break the glass.
    pub emergency: bool,
    /// Why.
    pub reason: String,
}

impl Party<'_> {
    /// Opens a record; the parcels, as JSON, are for [`vouchsafe_access::door::Parcel::open`] to check.
    pub async fn open(
        &self,
        channel: &Channel,
        wish: &OpenWish,
        now: BlockTime,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Vec<u8>>, ClientError> {
        let message = proto::OpenRequest {
            what: Some(What::Record(wish.record.commitment().fe().as_bytes().to_vec())),
            tier: wish.tier.into(),
            purpose: wish.purpose.clone(),
            grant: None,
            emergency: wish.emergency,
            reason: wish.reason.clone(),
        };
        let call = self.sign(OPEN, &message, now, rng);
        let mut client = RecordsClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(client.open(call).await?.into_inner().parcels)
    }
}

/// What a researcher asks.
#[derive(Clone, Debug)]
pub struct QueryWish {
    /// The project.
    pub project: ProjectId,
    /// The schema of the records, by name.
    pub schema: String,
    /// Which of them: CEL; empty for all.
    pub cohort: String,
    /// By which field, and into which bins where the schema has none; a count if none.
    pub histogram: Option<(String, Vec<String>)>,
    /// What to pay.
    pub pay: MicroEpsilon,
}

impl Party<'_> {
    /// Asks a research query.
    pub async fn query(
        &self,
        channel: &Channel,
        wish: &QueryWish,
        now: BlockTime,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<proto::QueryResponse, ClientError> {
        let measure = match &wish.histogram {
            None => Measure::Count(proto::Count {}),
            Some((field, bins)) => Measure::Histogram(proto::Histogram { field: field.clone(), bins: bins.clone() }),
        };
        let message = proto::QueryRequest {
            project: wish.project.as_bytes().to_vec(),
            schema: wish.schema.clone(),
            cohort: wish.cohort.clone(),
            measure: Some(measure),
            micro_epsilon: wish.pay.get(),
        };
        let call = self.sign(QUERY, &message, now, rng);
        Ok(ResearchClient::new(channel.clone()).query(call).await?.into_inner())
    }
}

/// Has a node verify evidence.
pub async fn verify(
    channel: &Channel,
    request: &Request,
    evidence: &Evidence,
) -> Result<proto::VerifyResponse, ClientError> {
    let unreadable = |e: serde_json::Error| ClientError::Answer(e.to_string());
    let message = proto::VerifyRequest {
        request: serde_json::to_vec(request).map_err(unreadable)?,
        evidence: serde_json::to_vec(evidence).map_err(unreadable)?,
        as_of: None,
    };
    verify_message(channel, message).await
}

/// Has a node verify the bytes of a request and of evidence.
pub async fn verify_message(
    channel: &Channel,
    message: proto::VerifyRequest,
) -> Result<proto::VerifyResponse, ClientError> {
    Ok(VerifierClient::new(channel.clone()).verify(message).await?.into_inner())
}

/// Sends a signed entry to a ledger; it is durable when this returns.
pub async fn submit(channel: &Channel, signed_entry: Vec<u8>) -> Result<proto::SubmitResponse, ClientError> {
    Ok(LedgerClient::new(channel.clone()).submit(proto::SubmitRequest { signed_entry }).await?.into_inner())
}

/// Brings one document; its records are durable when this returns.
pub async fn commit(channel: &Channel, document: proto::CommitRequest) -> Result<proto::CommitResponse, ClientError> {
    let mut client = RecordsClient::new(channel.clone());
    let mut answers = client.commit(tokio_stream::once(document)).await?.into_inner();
    answers.message().await?.ok_or_else(|| ClientError::Answer("nothing".to_owned()))
}
