//! Stopping: what was accepted is finished, health says so, and a stopped ledger ends the process.

use std::time::{Duration, Instant};

use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use vouchsafe_prover_service::proto::ledger_client::LedgerClient;
use vouchsafe_prover_service::proto::{EntryRef, HeightRef, SubmitRequest};
use vouchsafe_prover_service::server::ServeError;

use super::ledger::disclosure;
use super::world::{World, fresh};

async fn waits(world: &World) {
    while !world.node.metrics().render().contains("vouchsafe_waiting 1") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn an_accepted_entry_is_logged_though_the_server_was_told_to_stop() {
    let mut world = fresh("server-stop", |config| {
        config.limits.work_max = 1;
        config.limits.waiting_ms = 60_000;
    });
    let (id, bytes) = disclosure(&world);
    let permit = world.block_on(world.node.gate().enter()).map_err(|s| s.code()).unwrap();
    let mut client = LedgerClient::new(world.connect());
    let submitted = world.spawn(async move { client.submit(SubmitRequest { signed_entry: bytes }).await });
    world.block_on(waits(&world));
    world.tell_to_stop();
    // nobody new is let in
    let identity = world.authority.sign("late.test").identity();
    let let_in = || async {
        let channel = world.endpoint(Some(identity.clone())).connect().await.map_err(drop)?;
        HealthClient::new(channel).check(HealthCheckRequest::default()).await.map_err(drop)
    };
    let began = Instant::now();
    while world.block_on(let_in()).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(20), "it still takes connections");
    }
    assert!(!submitted.is_finished());
    drop(permit);
    let receipt = world.block_on(submitted).unwrap().unwrap().into_inner();
    assert_eq!((receipt.code, receipt.entry.as_slice()), (0, id.as_slice()));
    assert!(world.ended().is_ok());
}

#[test]
fn a_call_that_does_not_end_is_not_waited_for_for_ever() {
    let mut world = fresh("server-grace", |config| {
        config.limits.work_max = 1;
        config.limits.waiting_ms = 60_000;
        config.limits.shutdown_seconds = 1;
    });
    let (_, bytes) = disclosure(&world);
    let _permit = world.block_on(world.node.gate().enter()).map_err(|s| s.code()).unwrap();
    let mut client = LedgerClient::new(world.connect());
    let submitted = world.spawn(async move { client.submit(SubmitRequest { signed_entry: bytes }).await });
    world.block_on(waits(&world));
    world.tell_to_stop();
    let began = Instant::now();
    assert!(world.ended().is_ok());
    assert!(began.elapsed() < Duration::from_secs(20));
    drop(submitted);
}

#[test]
fn health_is_told_to_those_who_watch_it_and_does_not_hold_up_the_end() {
    let mut world = fresh("server-health", |_| {});
    let mut health = HealthClient::new(world.connect());
    let services = ["Verifier", "Prover", "Ledger", "Records", "Research"].map(|name| format!("vouchsafe.v1.{name}"));
    for name in services.iter().map(String::as_str).chain([""]) {
        let answer = world.block_on(health.check(HealthCheckRequest { service: name.to_owned() })).unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{name:?}");
    }
    let unknown = world.block_on(health.check(HealthCheckRequest { service: "vouchsafe.v1.Operator".to_owned() }));
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
    let mut watched = world.block_on(health.watch(HealthCheckRequest { service: String::new() })).unwrap().into_inner();
    assert_eq!(world.block_on(watched.message()).unwrap().unwrap().status(), ServingStatus::Serving);
    world.tell_to_stop();
    let told = world.block_on(async { tokio::time::timeout(Duration::from_secs(5), watched.message()).await });
    assert_eq!(told.unwrap().unwrap().unwrap().status(), ServingStatus::NotServing);
    let began = Instant::now();
    assert!(world.ended().is_ok());
    assert!(began.elapsed() < Duration::from_secs(10), "a watcher held up the end");
}

#[test]
fn a_ledger_that_stopped_ends_the_service() {
    let mut world = fresh("server-failed", |_| {});
    let mut ledger = LedgerClient::new(world.connect());
    assert!(world.block_on(ledger.get_seal(HeightRef { height: None })).is_ok());
    world.node.fail("a test says so");
    assert!(matches!(world.ended(), Err(ServeError::LedgerStopped)));
    assert!(world.node.metrics().render().contains("vouchsafe_ledger_stopped 1"));
    assert!(world.block_on(ledger.get_entry(EntryRef { entry: vec![0; 32] })).is_err());
}
