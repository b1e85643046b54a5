//! Metrics: there from the start, at zero; counting calls and not what came of them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use vouchsafe_prover_service::proto::ledger_client::LedgerClient;
use vouchsafe_prover_service::proto::verifier_client::VerifierClient;
use vouchsafe_prover_service::proto::{HeightRef, VerifyRequest};
use vouchsafe_prover_service::telemetry::{METHODS, Metrics};

use super::config::free_port;
use super::world::fresh;
use crate::scene::runtime;

/// What Prometheus would read.
pub fn get(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn all_counters_are_there_at_zero() {
    let address = free_port();
    let runtime = runtime();
    let (_metrics, exporter) = runtime.block_on(async { Metrics::served(address) }).unwrap();
    let text = get(address);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    for method in METHODS.into_iter().chain(["other"]) {
        for name in ["vouchsafe_calls_total", "vouchsafe_failures_total"] {
            assert!(text.contains(&format!("{name}{{method=\"{method}\"}} 0\n")), "{name} {method}\n{text}");
        }
    }
    for name in [
        "vouchsafe_connections",
        "vouchsafe_connections_refused_total",
        "vouchsafe_open_calls",
        "vouchsafe_working",
        "vouchsafe_waiting",
        "vouchsafe_turned_away_total",
        "vouchsafe_documents_total",
        "vouchsafe_ledger_height",
        "vouchsafe_ledger_stopped",
    ] {
        assert!(text.contains(&format!("\n{name} 0\n")), "{name}\n{text}");
        assert!(text.contains(&format!("# HELP {name} ")), "{name} is not described");
    }
    drop(exporter);
}

#[test]
fn every_method_that_is_served_is_counted_by_name() {
    let world = fresh("server-metrics", |_| {});
    let channel = world.connect();
    world.block_on(LedgerClient::new(channel.clone()).get_seal(HeightRef { height: None })).unwrap();
    world.block_on(VerifierClient::new(channel).verify(VerifyRequest::default())).unwrap_err();
    let text = world.node.metrics().render();
    assert!(text.contains("vouchsafe_calls_total{method=\"/vouchsafe.v1.Ledger/GetSeal\"} 1\n"), "{text}");
    // a refusal is no failure of ours, and is not counted apart from an answer
    assert!(text.contains("vouchsafe_calls_total{method=\"/vouchsafe.v1.Verifier/Verify\"} 1\n"), "{text}");
    assert!(text.contains("vouchsafe_failures_total{method=\"/vouchsafe.v1.Verifier/Verify\"} 0\n"), "{text}");
    assert!(text.contains("vouchsafe_call_seconds_count{method=\"/vouchsafe.v1.Ledger/GetSeal\"} 1\n"), "{text}");
    let height = world.node.height().unwrap().get();
    assert!(world.node.metrics().render().contains(&format!("vouchsafe_ledger_height {height}\n")));
}
