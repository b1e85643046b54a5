//! More than a server takes on: callers are told when to come again, and it goes on.

use std::time::Duration;

use tonic::{Code, Request};
use tonic_types::StatusExt;
use vouchsafe_prover_service::proto::ledger_client::LedgerClient;
use vouchsafe_prover_service::proto::verifier_client::VerifierClient;
use vouchsafe_prover_service::proto::{HeightRef, VerifyRequest};

use super::world::fresh;

const NEWEST: HeightRef = HeightRef { height: None };

#[test]
fn overload_is_answered_and_passes() {
    let world = fresh("server-overload", |config| {
        config.limits.work_max = 1;
        config.limits.waiting_max = 1;
        config.limits.waiting_ms = 60_000;
        config.limits.retry_after_ms = 750;
    });
    let channel = world.connect();
    // somebody is at work
    let permit = world.block_on(world.node.gate().enter()).map_err(|s| s.code()).unwrap();
    let mut waiting = LedgerClient::new(channel.clone());
    let waiting = world.spawn(async move { waiting.get_seal(NEWEST).await });
    world.block_on(async {
        while !world.node.metrics().render().contains("vouchsafe_waiting 1") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    for _ in 0..20 {
        let status = world.block_on(LedgerClient::new(channel.clone()).get_seal(NEWEST)).unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        let details = status.get_error_details();
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_millis(750)));
        assert_eq!(details.error_info().unwrap().reason, "OVERLOADED");
    }
    assert!(!waiting.is_finished());
    drop(permit);
    // who waited is served, and so is who comes again
    assert!(world.block_on(waiting).unwrap().is_ok());
    assert!(world.block_on(LedgerClient::new(channel).get_seal(NEWEST)).is_ok());
    assert!(world.node.metrics().render().contains("vouchsafe_turned_away_total 20"));
}

#[test]
fn who_waits_too_long_is_told_to_come_again() {
    let world = fresh("server-waiting", |config| {
        config.limits.work_max = 1;
        config.limits.waiting_ms = 50;
    });
    let _permit = world.block_on(world.node.gate().enter()).map_err(|s| s.code()).unwrap();
    let status = world.block_on(LedgerClient::new(world.connect()).get_seal(NEWEST)).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[test]
fn work_that_nobody_waits_for_keeps_its_place() {
    let world = fresh("server-abandoned", |config| {
        config.limits.work_max = 1;
        config.limits.waiting_ms = 1;
    });
    let gate = world.node.gate().clone();
    let (done, wait) = std::sync::mpsc::channel::<()>();
    world.block_on(async {
        let work = gate.work(move || {
            let _ = wait.recv();
            Ok(())
        });
        // the caller goes away
        assert!(tokio::time::timeout(Duration::from_millis(50), work).await.is_err());
        assert!(!gate.is_idle());
        assert!(gate.enter().await.is_err());
        drop(done);
        while !gate.is_idle() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(gate.enter().await.is_ok());
    });
}

#[test]
fn a_deadline_is_at_most_ours() {
    let world = fresh("server-deadline", |config| {
        config.limits.work_max = 1;
        config.limits.waiting_ms = 60_000;
        config.limits.call_seconds = 1;
    });
    let _permit = world.block_on(world.node.gate().enter()).map_err(|s| s.code()).unwrap();
    let channel = world.connect();
    // a shorter one of the caller's ends the call in this client too: see the tests of `server::admission`
    for theirs in [Some(60), None] {
        let mut request = Request::new(NEWEST);
        if let Some(seconds) = theirs {
            request.set_timeout(Duration::from_secs(seconds));
        }
        let began = std::time::Instant::now();
        let status = world.block_on(LedgerClient::new(channel.clone()).get_seal(request)).unwrap_err();
        let took = began.elapsed().as_millis();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
        assert!((900..10_000).contains(&took), "{theirs:?}: {took} ms");
    }
}

#[test]
fn too_large_a_message_is_refused_and_the_next_one_served() {
    let world = fresh("server-large", |config| config.limits.message_bytes_max = 64 << 10);
    let channel = world.connect();
    let large = VerifyRequest { request: vec![b' '; 65 << 10], ..VerifyRequest::default() };
    let status = world.block_on(VerifierClient::new(channel.clone()).verify(large)).unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    // the control: a little less reaches the service, which finds no request in it
    let less = VerifyRequest { request: vec![b' '; 63 << 10], ..VerifyRequest::default() };
    let status = world.block_on(VerifierClient::new(channel).verify(less)).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[test]
fn one_connection_too_many_is_closed() {
    let world = fresh("server-connections", |config| config.limits.connections_max = 1);
    let first = world.connect();
    assert!(world.block_on(LedgerClient::new(first.clone()).get_seal(NEWEST)).is_ok());
    let identity = world.authority.sign("second.test").identity();
    let second = world.block_on(async {
        let channel = world.endpoint(Some(identity.clone())).connect().await.map_err(drop)?;
        LedgerClient::new(channel).get_seal(NEWEST).await.map_err(drop)
    });
    assert!(second.is_err());
    assert!(world.block_on(LedgerClient::new(first.clone()).get_seal(NEWEST)).is_ok());
    drop(first);
    world.block_on(async {
        while world.node.metrics().render().contains("vouchsafe_connections 1") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let channel = world.endpoint(Some(identity)).connect().await.unwrap();
        assert!(LedgerClient::new(channel).get_seal(NEWEST).await.is_ok());
    });
}
