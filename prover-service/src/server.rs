//! The service: a node behind gRPC.
//!
//! ```text
//! TCP ─► connections ─► TLS ─► admission (open calls, deadline) ─► message ─► gate (work) ─► a method on the node
//! unix socket, this user alone ─► Operator.Run
//! ```
//!
//! Stopping: health says NOT_SERVING, nothing new is accepted, what was accepted is finished (within
//! `limits.shutdown_seconds`). If the ledger stops, the same happens and [`ServeError::LedgerStopped`] is the end.

mod admission;
mod connections;
mod health;
mod ledger;
mod limits;
mod open;
mod operator;
mod peer;
mod prover;
mod records;
mod research;
mod signed;
mod status;
mod tls;
mod verifier;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server as Transport;

pub use limits::{Gate, Permit};
pub use open::OPEN;
pub use operator::{Caller, CallerError, SocketError};
pub use peer::PeerNames;
pub use prover::{ANSWER, ASK, WATCH};
pub use research::QUERY;
pub use signed::TakenCalls;
pub use status::{DOMAIN, causes};
pub use tls::TlsError;

use crate::config::ConfigError;
use crate::node::{Node, Phase};
use crate::proto::ledger_server::LedgerServer;
use crate::proto::prover_server::ProverServer;
use crate::proto::records_server::RecordsServer;
use crate::proto::research_server::ResearchServer;
use crate::proto::verifier_server::VerifierServer;
use admission::AdmissionLayer;
use connections::Incoming;
use operator::OperatorSocket;

/// How long answers that are done may still be on their way when somebody keeps a connection open.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// Why a node cannot serve, or why it ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The certificates are read, and TLS cannot use them.
    #[error("TLS cannot use these certificates: does the key belong to the certificate?")]
    TlsUnusable(#[source] tonic::transport::Error),
    /// The address.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The operator's socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The transport ended. Our bug.
    #[error("the transport ended")]
    Transport(#[from] tonic::transport::Error),
    /// Reflection. Our bug.
    #[error("the services cannot be described: {0}")]
    Reflection(String),
    /// The ledger stopped; what was in flight may or may not be logged.
    #[error("the ledger stopped: start again, it checks itself on opening")]
    LedgerStopped,
}

/// A node with its sockets bound.
pub struct Server {
    node: Arc<Node>,
    listener: TcpListener,
    address: SocketAddr,
    transport: Transport,
    operator: OperatorSocket,
}

impl Server {
    /// Binds the sockets; connections wait until [`Server::run`].
    pub async fn bind(node: Arc<Node>) -> Result<Server, ServeError> {
        let config = node.config();
        config.check()?;
        let limits = config.limits;
        let mut transport = Transport::builder()
            .max_concurrent_streams(limits.calls_per_connection_max)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)))
            .http2_max_header_list_size(16 << 10);
        if let Some(files) = &config.tls {
            transport = transport.tls_config(tls::tls(files, &limits)?).map_err(ServeError::TlsUnusable)?;
        }
        let failed = |e| ServeError::Listen(config.listen, e);
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let operator = OperatorSocket::bind(&node.institution().layout().operator_socket())?;
        Ok(Server { node, listener, address, transport, operator })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the institution's own people reach it.
    pub fn operator_socket(&self) -> PathBuf {
        self.operator.path().to_owned()
    }

    /// Serves until `stop`, or until the ledger stops.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Server { node, listener, transport, operator, .. } = self;
        let limits = node.config().limits;
        let (health, reporter) = health::health(health::SERVICES).await;
        let routes = routes(&node)?.add_service(health);
        let admission = AdmissionLayer::new(limits, Arc::clone(node.metrics()));
        let incoming = Incoming::new(listener, limits.connections_max, Arc::clone(node.metrics()));
        let ending = ended(&node);
        let serving =
            transport.layer(admission.clone()).add_routes(routes).serve_with_incoming_shutdown(incoming, ending);
        let mut serving = tokio::spawn(serving);
        let operators = tokio::spawn(operator.serve(Arc::clone(&node)));
        let mut working = tokio::spawn(prover::work(Arc::clone(&node)));
        let reporting = tokio::spawn(open::report_emergencies(Arc::clone(&node)));
        let watching = tokio::spawn(health::watch(Arc::clone(&node), reporter));

        let ended_early = tokio::select! {
            () = stop => None,
            () = ended(&node) => None,
            ended = &mut serving => Some(ended),
            // it works as long as the node serves: if not, it died, and questions would wait for ever
            _ = &mut working => {
                if *node.phase().borrow() == Phase::Serving {
                    node.fail("the worker on questions died");
                }
                None
            }
        };
        node.stop();
        let idle = async {
            while !(admission.is_idle() && node.gate().is_idle()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(LAST_BYTES).await;
        };
        let outcome = match ended_early {
            Some(outcome) => outcome,
            // connections that somebody keeps open (to watch our health, say) are not waited for
            None => tokio::select! {
                outcome = &mut serving => outcome,
                () = idle => Ok(Ok(())),
                () = tokio::time::sleep(limits.shutdown()) => {
                    tracing::warn!("calls were still open when the time for stopping was over");
                    Ok(Ok(()))
                }
            },
        };
        serving.abort();
        watching.abort();
        reporting.abort();
        let _ = operators.await;
        if !working.is_finished() {
            let _ = working.await;
        }
        if *node.phase().borrow() == Phase::Failed {
            return Err(ServeError::LedgerStopped);
        }
        match outcome {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(ServeError::Reflection("the transport's task ended".to_owned())),
        }
    }
}

/// Until the node stops or fails.
fn ended(node: &Node) -> impl Future<Output = ()> + Send + 'static {
    let mut phase = node.phase();
    async move {
        // an error means that the node is gone, which is an end too
        let _ = phase.wait_for(|phase| *phase != Phase::Serving).await;
    }
}

fn routes(node: &Arc<Node>) -> Result<Routes, ServeError> {
    let limits = node.config().limits;
    let message = limits.message_bytes_max as usize;
    let reflection = || {
        let described = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(crate::proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        let described = described.with_service_name("grpc.health.v1.Health");
        health::SERVICES.iter().fold(described, |described, name| described.with_service_name(*name))
    };
    let undescribed = |e: tonic_reflection::server::Error| ServeError::Reflection(e.to_string());
    let v1 = reflection().build_v1().map_err(undescribed)?;
    let v1alpha = reflection().build_v1alpha().map_err(undescribed)?;
    let verifier = VerifierServer::new(verifier::Service(Arc::clone(node))).max_decoding_message_size(message);
    let ledger = LedgerServer::new(ledger::Service(Arc::clone(node))).max_decoding_message_size(message);
    let records = RecordsServer::new(records::Service(Arc::clone(node)))
        .max_decoding_message_size(limits.document_bytes_max as usize);
    let prover = ProverServer::new(prover::Service(Arc::clone(node))).max_decoding_message_size(message);
    let research = ResearchServer::new(research::Service(Arc::clone(node))).max_decoding_message_size(message);
    let ours = Routes::new(verifier).add_service(prover).add_service(ledger).add_service(records).add_service(research);
    Ok(ours.add_service(v1).add_service(v1alpha))
}
