//! `vouch serve`: the node of an institution, until it is told to stop. `vouch status`: how it is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::Context;
use super::failure::{Failure, Outcome};
use crate::config::Config;
use crate::node::Node;
use crate::operator::{self, Command, Done};
use crate::server::{Caller, ServeError, Server};
use crate::telemetry::{Metrics, init_log};

/// Arguments of `vouch serve`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The configuration; else DIR/serve.toml, else defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen, instead of what the configuration says.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

/// Arguments of `vouch status`.
#[derive(clap::Args)]
pub(super) struct StatusArgs {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    let mut config = Config::find(&args.data, args.config.as_deref()).map_err(Failure::usage)?;
    config.listen = args.listen.unwrap_or(config.listen);
    config.check().map_err(Failure::usage)?;
    init_log(config.log);
    // signals count from here on: a stop that comes while the folder opens is not lost
    let stop = stop_signal().map_err(Failure::ours)?;
    let institution = Arc::new(context.open(&args.data)?);
    let (metrics, _exporter) = match config.metrics {
        Some(served) => Metrics::served(served.listen).map(|(metrics, exporter)| (metrics, Some(exporter))),
        None => Metrics::new().map(|metrics| (metrics, None)),
    }
    .map_err(Failure::ours)?;
    let node = Arc::new(Node::new(institution, config, metrics).await.map_err(Failure::usage)?);
    settle(&node).await;
    let server = Server::bind(Arc::clone(&node)).await.map_err(failed)?;
    let address = server.address();
    let tls = node.config().tls.is_some();
    tracing::info!(%address, tls, member = %node.institution().identity().member, "serving");
    if !tls && !address.ip().is_loopback() {
        tracing::warn!("plaintext on an address that other machines can reach");
    }
    let said = json!({ "listening": address, "tls": tls });
    context.say(&said, || format!("Listening on {address}{}", if tls { ", TLS" } else { ", plaintext" }));
    server.run(stop).await.map_err(failed)?;
    tracing::info!("stopped");
    Ok(())
}

/// What an interrupted ingest left pending can be asked about only once the ledger has it.
async fn settle(node: &Node) {
    let institution = node.institution();
    if let Err(error) = institution.vault().settle(&institution.bridge(), &mut rand::rngs::OsRng).await {
        tracing::warn!(%error, "some records are not on the ledger yet and cannot be asked about");
    }
}

fn failed(error: ServeError) -> Failure {
    match error {
        ServeError::Config(_) | ServeError::Tls(_) | ServeError::TlsUnusable(_) | ServeError::Listen(..) => {
            Failure::usage(error)
        }
        error => Failure::ours(error),
    }
}

/// Until SIGTERM or ctrl-c.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop: finishing what was accepted");
    })
}

pub(super) async fn status(context: &Context, args: StatusArgs) -> Outcome {
    let done = operate(context, &args.data, &Command::Status {}).await?;
    context.say(&done, || done["height"].to_string());
    Ok(())
}

/// Runs a command at the node that runs on a folder; where none runs, opens the folder and runs it here.
pub(super) async fn operate(
    context: &Context,
    data: &std::path::Path,
    command: &Command,
) -> Outcome<serde_json::Value> {
    let socket = crate::institution::Layout::of(data).operator_socket();
    let done = match Caller::connect(&socket).await.map_err(Failure::ours)? {
        Some(mut caller) => caller.run(command).await.map_err(Failure::ours)?,
        None => {
            let config = Config::find(data, None).map_err(Failure::usage)?;
            let institution = Arc::new(context.open(data)?);
            let metrics = Metrics::new().map_err(Failure::ours)?;
            let node = Node::new(institution, config, metrics).await.map_err(Failure::usage)?;
            operator::run(&node, command.clone()).await
        }
    };
    match done {
        Done { outcome, status: 0, .. } => Ok(outcome),
        Done { status, error, .. } => Err(Failure::with_status(status, error)),
    }
}
