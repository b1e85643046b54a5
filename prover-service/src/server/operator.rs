//! The operator's socket: verbs of the institution's own people at a running node.
//!
//! `DIR/operator.sock`, mode 0600, and each connection must come from the user that runs the node, or from root.
//! It never listens on TCP. Whoever gets in may do what the command line may.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Endpoint, Server as Transport};
use tonic::{Request, Response, Status};

use super::ended;
use crate::node::Node;
use crate::operator::{self, Command, Done};
use crate::proto::operator_client::OperatorClient;
use crate::proto::operator_server::{Operator, OperatorServer};
use crate::proto::{OperatorRequest, OperatorResponse};

/// The longest path of a socket that all systems take.
const PATH_BYTES_MAX: usize = 100;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// Its name does not fit.
    #[error("{0} has more than {PATH_BYTES_MAX} bytes, too many for a socket: use a folder with a shorter path")]
    Path(PathBuf),
    /// The system's word.
    #[error("the socket {0} cannot be made")]
    Io(PathBuf, #[source] io::Error),
}

/// The socket, bound; removed when dropped.
pub(super) struct OperatorSocket {
    path: PathBuf,
    listener: UnixListener,
    owner: u32,
}

impl OperatorSocket {
    /// Binds it. Whoever was here before is gone: the folder's lock is ours.
    pub(super) fn bind(path: &Path) -> Result<OperatorSocket, SocketError> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        // made beside and renamed, so that it is never there with another mode
        let beside = path.with_extension("new");
        if beside.as_os_str().len() > PATH_BYTES_MAX {
            return Err(SocketError::Path(path.to_owned()));
        }
        let failed = |e| SocketError::Io(path.to_owned(), e);
        match std::fs::remove_file(&beside) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
            _ => {}
        }
        let listener = UnixListener::bind(&beside).map_err(failed)?;
        std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let owner = std::fs::metadata(&beside).map_err(failed)?.uid();
        std::fs::rename(&beside, path).map_err(failed)?;
        Ok(OperatorSocket { path: path.to_owned(), listener, owner })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Serves until the node ends.
    pub(super) async fn serve(self, node: Arc<Node>) {
        let OperatorSocket { path, listener, owner } = self;
        let ours = move |stream: io::Result<UnixStream>| match stream {
            Ok(stream) => is_ours(&stream, owner).then_some(Ok(stream)),
            Err(error) => Some(Err(error)),
        };
        let incoming = UnixListenerStream::new(listener).filter_map(ours);
        let until = ended(&node);
        let limit = node.config().limits.shutdown();
        let service = OperatorServer::new(Service(Arc::clone(&node))).max_decoding_message_size(16 << 20);
        let serving = Transport::builder().add_service(service).serve_with_incoming_shutdown(incoming, until);
        let over = async {
            ended(&node).await;
            tokio::time::sleep(limit).await;
        };
        tokio::select! {
            outcome = serving => if outcome.is_err() { tracing::error!("the operator's socket is closed") },
            () = over => {}
        }
        let _ = std::fs::remove_file(path);
    }
}

fn is_ours(stream: &UnixStream, owner: u32) -> bool {
    let allowed = stream.peer_cred().is_ok_and(|peer| peer.uid() == owner || peer.uid() == 0);
    if !allowed {
        tracing::warn!("somebody else tried the operator's socket");
    }
    allowed
}

struct Service(Arc<Node>);

#[tonic::async_trait]
impl Operator for Service {
    async fn run(&self, request: Request<OperatorRequest>) -> Result<Response<OperatorResponse>, Status> {
        let parsed = serde_json::from_slice::<Command>(&request.into_inner().command);
        let done = match parsed {
            Ok(command) => operator::run(&self.0, command).await,
            Err(error) => Done::usage(format!("not a command of this node: {error}")),
        };
        let outcome = serde_json::to_vec(&done.outcome).unwrap_or_default();
        Ok(Response::new(OperatorResponse { outcome, status: done.status.into(), error: done.error }))
    }
}

/// Why a running node was not reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallerError {
    /// The path is none that can be called.
    #[error("{0} cannot be called")]
    Path(PathBuf),
    /// It went away, or refused.
    #[error("the running node did not answer: {0}")]
    Call(String),
    /// It answered something else. Two versions, most likely.
    #[error("the running node answered what this program does not know: is it of the same version?")]
    Answer,
}

/// Somebody at the socket.
pub struct Caller(OperatorClient<Channel>);

impl Caller {
    /// Connects to the node that runs on a folder; none if there is none.
    pub async fn connect(path: &Path) -> Result<Option<Caller>, CallerError> {
        let text = path.to_str().ok_or_else(|| CallerError::Path(path.to_owned()))?;
        // tells at once whether somebody listens
        if UnixStream::connect(path).await.is_err() {
            return Ok(None);
        }
        let endpoint =
            Endpoint::from_shared(format!("unix://{text}")).map_err(|_| CallerError::Path(path.to_owned()))?;
        let channel = endpoint.connect().await.map_err(|e| CallerError::Call(e.to_string()))?;
        Ok(Some(Caller(OperatorClient::new(channel).max_decoding_message_size(64 << 20))))
    }

    /// Has a command run.
    pub async fn run(&mut self, command: &Command) -> Result<Done, CallerError> {
        let command = serde_json::to_vec(command).map_err(|e| CallerError::Call(e.to_string()))?;
        let answer = self.0.run(OperatorRequest { command }).await;
        let answer = answer.map_err(|status| CallerError::Call(status.message().to_owned()))?.into_inner();
        let outcome = serde_json::from_slice(&answer.outcome).map_err(|_| CallerError::Answer)?;
        let status = u8::try_from(answer.status).map_err(|_| CallerError::Answer)?;
        Ok(Done { outcome, status, error: answer.error })
    }
}
