//! Backup and restore, of a stopped institution and of a running node.

use std::sync::Arc;

use vouchsafe_access::policy::PartyRole;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger::engine::Engine;
use vouchsafe_prover_service::backup::{self, BackupError};
use vouchsafe_prover_service::operator::{Command, GrantOrder};

use super::people::{done, hospital_node, in_an_hour, operate, party, record};
use crate::program::{command, folder, run};
use crate::scene::{open, runtime};

#[test]
fn a_copy_of_a_running_node_opens_with_all_that_was_acknowledged() {
    let mut world = hospital_node("backup-running", 2);
    party(&world, "dr-ada", &[PartyRole::Reader]);
    let order = GrantOrder {
        party: "dr-ada".parse().unwrap(),
        tier: 2,
        purpose: "TREAT".to_owned(),
        until: in_an_hour(),
        schemas: Vec::new(),
        subject: None,
    };
    done(&world, Command::Grant(order));
    let patient = record(&world, &builtin::patient());
    let height = world.node.height().unwrap();
    let to = folder("backup-running-copy").join("copy");
    let made = done(&world, Command::Backup { to: to.clone() });
    assert_eq!(made["height"], serde_json::json!(height));
    assert_eq!(operate(&world, Command::Backup { to: to.clone() }).status, 2, "the place is taken");
    // the node goes on, and the copy does not
    world.block_on(crate::scene::take_in(
        world.node.institution(),
        &vouchsafe_prover_service::fhir::Source::new("later").unwrap(),
        &vouchsafe_prover_service::demo::hospital::generate(9, 1, time::macros::date!(2026 - 06 - 15)),
    ));
    assert!(world.node.height().unwrap() > height);

    let data = to.with_file_name("restored");
    let manifest = backup::restore(&to, &data).unwrap();
    assert_eq!(manifest.height, height);
    let restored = open(&data);
    assert_eq!(restored.ledger().snapshot().unwrap().height(), height);
    assert_eq!(restored.vault().record(patient).unwrap().unwrap().id, patient);
    let schemas: Vec<_> = builtin::all().into_iter().map(Arc::new).collect();
    let report = runtime().block_on(restored.vault().check(&schemas)).unwrap();
    assert!(report.faults.is_empty(), "{report:?}");
    drop(restored);
    let said = run(command(["grants", "--data", data.to_str().unwrap(), "--json"])).exits(0).json();
    assert_eq!(said["grants"][0]["party"], "dr-ada");
    world.tell_to_stop();
    world.ended().unwrap();
}

#[test]
fn a_damaged_copy_is_not_restored() {
    let world = hospital_node("backup-damaged", 1);
    let base = folder("backup-damaged-copy");
    let to = base.join("copy");
    done(&world, Command::Backup { to: to.clone() });
    let restore = |name: &str| backup::restore(&to, &base.join(name));
    let doctored = |path: &str, change: &dyn Fn(&std::path::Path)| {
        let file = to.join(path);
        let before = std::fs::read(&file).unwrap();
        change(&file);
        let outcome = restore("never").err();
        std::fs::write(&file, before).unwrap();
        assert!(!base.join("never").exists(), "{path}");
        outcome
    };
    let flip = |file: &std::path::Path| {
        let mut bytes = std::fs::read(file).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        std::fs::write(file, bytes).unwrap();
    };
    let remove = |file: &std::path::Path| std::fs::remove_file(file).unwrap();
    for path in ["keystore", "trust.json", "ledger/guard"] {
        assert!(matches!(doctored(path, &flip), Some(BackupError::Changed(_))), "{path}");
        assert!(matches!(doctored(path, &remove), Some(BackupError::Changed(_))), "{path}");
    }
    assert!(matches!(doctored("backup.json", &remove), Some(BackupError::NotABackup(_))));
    std::fs::write(to.join("stranger"), "x").unwrap();
    assert!(matches!(restore("never"), Err(BackupError::Changed(_))));
    std::fs::remove_file(to.join("stranger")).unwrap();
    // control: as it was made it is restored, once
    restore("once").unwrap();
    assert!(matches!(restore("once"), Err(BackupError::Exists(_))));
}

#[test]
fn by_the_program_a_stopped_one_is_copied_and_restored() {
    let (data, _) = crate::scene::found("backup-program");
    let base = folder("backup-program-copy");
    let (to, back) = (base.join("copy"), base.join("back"));
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let said = run(command(["backup", "--data", &text(&data), "--to", &text(&to), "--json"])).exits(0).json();
    run(command(["restore", "--from", &text(&to), "--data", &text(&back)])).exits(0);
    run(command(["restore", "--from", &text(&to), "--data", &text(&back)])).exits(2);
    let status = run(command(["status", "--data", &text(&back), "--json"])).exits(0).json();
    assert_eq!(status["height"], said["height"]);
    run(command(["restore", "--from", &text(&base), "--data", &text(&base.join("no"))])).exits(2);
}
