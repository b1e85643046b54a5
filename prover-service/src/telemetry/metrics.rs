//! Counters of a node, for Prometheus. All are there from the start, at zero.
//!
//! They count calls by method, never by what came of a question; a method that is not ours counts as `other`, so that
//! nobody can fill the memory with names. Each node has its own recorder: two nodes in one process do not mix.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram};
use metrics::{gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// The methods that are counted by name.
pub const METHODS: [&str; 15] = [
    "/vouchsafe.v1.Verifier/Verify",
    "/vouchsafe.v1.Ledger/Submit",
    "/vouchsafe.v1.Ledger/GetEntry",
    "/vouchsafe.v1.Ledger/GetReceipt",
    "/vouchsafe.v1.Ledger/GetSeal",
    "/vouchsafe.v1.Ledger/ProveState",
    "/vouchsafe.v1.Ledger/ProveEntry",
    "/vouchsafe.v1.Ledger/ProveConsistency",
    "/vouchsafe.v1.Ledger/Checkpoint",
    "/vouchsafe.v1.Records/Commit",
    "/vouchsafe.v1.Records/Open",
    "/vouchsafe.v1.Prover/Ask",
    "/vouchsafe.v1.Prover/Answer",
    "/vouchsafe.v1.Prover/Watch",
    "/vouchsafe.v1.Research/Query",
];

/// Where a call's time may fall, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// What is counted of one method.
#[derive(Clone)]
pub struct CallMetrics {
    /// Calls that came.
    pub calls: Counter,
    /// Those that ended through our fault.
    pub failures: Counter,
    /// How long they took until the answer began.
    pub seconds: Histogram,
}

/// The counters of a node.
pub struct Metrics {
    methods: BTreeMap<&'static str, CallMetrics>,
    other: CallMetrics,
    /// Open connections.
    pub connections: Gauge,
    /// Connections that were closed at once, being too many.
    pub connections_refused: Counter,
    /// Open calls.
    pub open_calls: Gauge,
    /// Calls at work.
    pub working: Gauge,
    /// Calls that wait for a place at work.
    pub waiting: Gauge,
    /// Calls that were told to come again.
    pub turned_away: Counter,
    /// Documents taken in.
    pub documents: Counter,
    /// Records released to readers.
    pub parcels: Counter,
    /// Emergencies that the ledger was not told of yet.
    pub unreported: Gauge,
    /// Research queries, answered or not.
    pub queries: Counter,
    /// Questions taken.
    pub questions: Counter,
    /// Answers that left, whatever they said.
    pub answers: Counter,
    /// The newest block.
    pub height: Gauge,
    /// 1 once the ledger has stopped.
    pub ledger_stopped: Gauge,
    handle: PrometheusHandle,
}

/// Serves the metrics until it is dropped.
pub struct Exporter(tokio::task::JoinHandle<()>);

impl Drop for Exporter {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why metrics cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The address, most likely.
    #[error("metrics cannot be served on {0}: {1}")]
    Listen(SocketAddr, String),
    /// Our bug.
    #[error("metrics cannot be counted: {0}")]
    Build(#[from] BuildError),
}

impl Metrics {
    /// Counters that nobody reads yet.
    pub fn new() -> Result<Metrics, MetricsError> {
        Ok(Metrics::of(&PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder()))
    }

    /// Counters, and who serves them on this address over plain HTTP. Needs a runtime.
    pub fn served(listen: SocketAddr) -> Result<(Metrics, Exporter), MetricsError> {
        let built = PrometheusBuilder::new().set_buckets(&BUCKETS)?.with_http_listener(listen).build();
        let (recorder, exporter) = built.map_err(|e| MetricsError::Listen(listen, e.to_string()))?;
        let serving = tokio::spawn(async move {
            if exporter.await.is_err() {
                tracing::error!("metrics are no longer served");
            }
        });
        Ok((Metrics::of(&recorder), Exporter(serving)))
    }

    fn of(recorder: &metrics_exporter_prometheus::PrometheusRecorder) -> Metrics {
        with_local_recorder(recorder, || {
            describe_counter!("vouchsafe_calls_total", "Calls that came, by method");
            describe_counter!("vouchsafe_failures_total", "Calls that failed through the service's own fault");
            describe_histogram!("vouchsafe_call_seconds", "How long calls took until the answer began");
            describe_gauge!("vouchsafe_connections", "Open connections");
            describe_counter!("vouchsafe_connections_refused_total", "Connections closed at once, being too many");
            describe_gauge!("vouchsafe_open_calls", "Open calls");
            describe_gauge!("vouchsafe_working", "Calls at work");
            describe_gauge!("vouchsafe_waiting", "Calls that wait for a place at work");
            describe_counter!("vouchsafe_turned_away_total", "Calls that were told to come again");
            describe_counter!("vouchsafe_documents_total", "Documents taken in");
            describe_counter!("vouchsafe_parcels_total", "Records released to readers");
            describe_gauge!("vouchsafe_emergencies_unreported", "Emergencies that the ledger was not told of yet");
            describe_counter!("vouchsafe_queries_total", "Research queries, answered or not");
            describe_counter!("vouchsafe_questions_total", "Questions taken");
            describe_counter!("vouchsafe_answers_total", "Answers that left, whatever they said");
            describe_gauge!("vouchsafe_ledger_height", "The newest block");
            describe_gauge!("vouchsafe_ledger_stopped", "1 once the ledger has stopped");
            let method = |name: &'static str| CallMetrics {
                calls: zero(counter!("vouchsafe_calls_total", "method" => name)),
                failures: zero(counter!("vouchsafe_failures_total", "method" => name)),
                seconds: histogram!("vouchsafe_call_seconds", "method" => name),
            };
            Metrics {
                methods: METHODS.into_iter().map(|name| (name, method(name))).collect(),
                other: method("other"),
                connections: gauge!("vouchsafe_connections"),
                connections_refused: zero(counter!("vouchsafe_connections_refused_total")),
                open_calls: gauge!("vouchsafe_open_calls"),
                working: gauge!("vouchsafe_working"),
                waiting: gauge!("vouchsafe_waiting"),
                turned_away: zero(counter!("vouchsafe_turned_away_total")),
                documents: zero(counter!("vouchsafe_documents_total")),
                parcels: zero(counter!("vouchsafe_parcels_total")),
                unreported: gauge!("vouchsafe_emergencies_unreported"),
                queries: zero(counter!("vouchsafe_queries_total")),
                questions: zero(counter!("vouchsafe_questions_total")),
                answers: zero(counter!("vouchsafe_answers_total")),
                height: gauge!("vouchsafe_ledger_height"),
                ledger_stopped: gauge!("vouchsafe_ledger_stopped"),
                handle: recorder.handle(),
            }
        })
    }

    /// The counters of a method, by its path.
    pub fn call(&self, path: &str) -> &CallMetrics {
        self.methods.get(path).unwrap_or(&self.other)
    }

    /// What Prometheus would read now.
    pub fn render(&self) -> String {
        self.handle.render()
    }
}

fn zero(counter: Counter) -> Counter {
    counter.absolute(0);
    counter
}

impl CallMetrics {
    /// A call came to its end.
    pub fn ended(&self, took: Duration, our_fault: bool) {
        self.seconds.record(took.as_secs_f64());
        if our_fault {
            self.failures.increment(1);
        }
    }
}
