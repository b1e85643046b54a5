//! Health, per service: SERVING until the node stops, or its ledger does.
//!
//! `grpc.health.v1.Health` with the names below, and the empty name for all of them. Once a second the ledger is asked
//! whether it still works; that a service is SERVING says no more than that.

use std::sync::Arc;
use std::time::Duration;

use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

use crate::node::{Node, Phase};

/// The services that are served.
pub(super) const SERVICES: [&str; 5] = [
    "vouchsafe.v1.Verifier",
    "vouchsafe.v1.Prover",
    "vouchsafe.v1.Ledger",
    "vouchsafe.v1.Records",
    "vouchsafe.v1.Research",
];

/// How often the ledger is asked.
const EVERY: Duration = Duration::from_secs(1);

/// A health service that says SERVING of these.
pub(super) async fn health(names: [&'static str; SERVICES.len()]) -> (HealthServer<impl Health>, HealthReporter) {
    let (reporter, server) = health_reporter();
    for name in names {
        reporter.set_service_status(name, ServingStatus::Serving).await;
    }
    (server, reporter)
}

/// Watches the node, and says so when it ends.
pub(super) async fn watch(node: Arc<Node>, reporter: HealthReporter) {
    let mut phase = node.phase();
    loop {
        let asked = Arc::clone(&node);
        // the ledger's own errors are noted by the node
        let _ = tokio::task::spawn_blocking(move || asked.height().is_ok()).await;
        tokio::select! {
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => break,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    for name in SERVICES.into_iter().chain([""]) {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
    }
}
