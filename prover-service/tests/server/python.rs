//! A stock client: Python with grpcio, which learns the services by reflection alone.

use std::path::PathBuf;
use std::process::Command;

use super::world::shared;
use crate::program;
use crate::scene::scene;

const CLIENT: &str = include_str!("stock_client.py");

/// A Python that has grpcio and grpcio-reflection: the one of `.ci/python-grpc`, or the system's.
fn python() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let prepared = std::env::var_os("VOUCH_PYTHON").map(PathBuf::from);
    let candidates = [prepared, cache.map(|c| c.join("vouchsafe/python-grpc/bin/python3")), Some("python3".into())];
    let works = |python: &PathBuf| {
        let import =
            Command::new(python).args(["-c", "import grpc, grpc_reflection.v1alpha, google.protobuf"]).output();
        import.is_ok_and(|import| import.status.success())
    };
    candidates.into_iter().flatten().find(works)
}

#[test]
fn a_stock_client_finds_the_services_and_verifies() {
    let Some(python) = python() else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs python3 with grpcio: run .ci/python-grpc");
        println!("skipped: needs python3 with grpcio");
        return;
    };
    let world = shared();
    let folder = program::folder("server-python");
    let request = scene().ask("gender == \"male\" || gender == \"female\"");
    let evidence = scene().answer(&request).unwrap();
    program::write(&folder, "request.json", &serde_json::to_value(&request).unwrap());
    program::write(&folder, "evidence.json", &serde_json::to_value(&evidence).unwrap());
    let mut other = request;
    other.verifier = "employer".to_owned();
    program::write(&folder, "other.json", &serde_json::to_value(&other).unwrap());
    world.authority.write(&folder);
    let client = world.authority.sign("insurer.test");
    std::fs::write(folder.join("client.pem"), client.certificate).unwrap();
    std::fs::write(folder.join("client.key"), client.key).unwrap();
    std::fs::write(folder.join("client.py"), CLIENT).unwrap();
    let ran = Command::new(python)
        .args(["client.py", &format!("localhost:{}", world.address.port())])
        .current_dir(&folder)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}\n{err}");
    let said: serde_json::Value = serde_json::from_str(&out).unwrap();
    let services = ["grpc.health.v1.Health", "vouchsafe.v1.Ledger", "vouchsafe.v1.Records", "vouchsafe.v1.Verifier"];
    for service in services {
        assert!(said["services"].as_array().unwrap().contains(&service.into()), "{said}");
    }
    assert_eq!(said["health"], 1);
    assert_eq!((&said["own"]["valid"], &said["own"]["check"]), (&true.into(), &"".into()), "{said}");
    assert_eq!((&said["other"]["valid"], &said["other"]["check"]), (&false.into(), &"Request".into()), "{said}");
    assert_eq!(said["bad"], "INVALID_ARGUMENT");
    assert_eq!(said["denied"], "PERMISSION_DENIED");
    assert_eq!(said["reason"], "BAD_FIELD");
    assert!(said["height"].as_u64().unwrap() > 0);
}
