//! Kill -9 during ingest: how many acknowledged records are lost. It must be none.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use rand::rngs::OsRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::sync::Arc;
use vouchsafe_access::secret::Passphrase;
use vouchsafe_access::vault::RecordId;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger::clock::SystemClock;
use vouchsafe_ledger::engine::Engine;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::ingest::{Intake, Progress};
use vouchsafe_prover_service::institution::Institution;

use super::Figures;

const ROUNDS: usize = 10;
const PATIENTS: usize = 100;

pub(super) fn figures() -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("hospital");
    let receipts = folder.path().join("receipts");
    drop(super::ledger::institution(&data)?);
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(2026);
    let mut lost = 0;
    for _ in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("victim")
            .args([&data, &receipts])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        std::thread::sleep(Duration::from_millis(rng.gen_range(150..900)));
        child.kill()?; // SIGKILL
        child.wait()?;
        lost += lost_records(&data, &receipts)?;
    }
    let acknowledged = std::fs::read_to_string(&receipts).unwrap_or_default().lines().count();
    anyhow::ensure!(acknowledged > 0, "nothing was acknowledged before the kills: wait longer");
    Ok(Figures::from([
        ("kill_rounds".to_owned(), Value::from(ROUNDS)),
        ("kill_acknowledged".to_owned(), Value::from(acknowledged)),
        ("lost".to_owned(), Value::from(lost)),
    ]))
}

fn open(data: &Path) -> anyhow::Result<Institution> {
    Ok(Institution::open(data, &Passphrase::new("figures".to_owned())?, Arc::new(SystemClock))?)
}

/// Acknowledged records that ledger or vault no longer have.
fn lost_records(data: &Path, receipts: &Path) -> anyhow::Result<usize> {
    let institution = open(data)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(institution.vault().settle(&institution.bridge(), &mut OsRng))?;
    let snapshot = institution.ledger().snapshot()?;
    let mut lost = 0;
    let text = std::fs::read_to_string(receipts).unwrap_or_default();
    for line in text.lines().filter(|line| line.len() == 64) {
        let id: RecordId = line.parse()?;
        let logged = snapshot.lookup(institution.member(), id.commitment())?.is_some_and(|place| place.active);
        let schema =
            institution.vault().record(id)?.and_then(|r| builtin::all().into_iter().find(|s| s.id() == r.schema));
        let opened = match schema {
            Some(schema) => runtime.block_on(institution.vault().open_for_proof(id, &schema)).is_ok(),
            None => false,
        };
        lost += usize::from(!logged || !opened);
    }
    Ok(lost)
}

/// Takes in records until it is killed, noting each that was acknowledged.
pub(super) fn victim(data: &Path, receipts: &Path) -> anyhow::Result<()> {
    let institution = open(data)?;
    let day = vouchsafe_circuits::record::Day::new(20_000);
    let today = vouchsafe_prover_service::calendar::date_of(day).context("a date")?;
    let mut noting = Noting(std::fs::OpenOptions::new().create(true).append(true).open(receipts)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for round in 0u64.. {
        // a source of its own for each run: every record is new
        let source = Source::new(&format!("run-{}-{round}", std::process::id()))?;
        let mut intake = Intake::new(&institution, &source);
        for bundle in hospital::generate(round, PATIENTS, today) {
            let bytes = serde_json::to_vec(&bundle)?;
            runtime.block_on(intake.bytes("generated", &bytes, &mut noting, &mut OsRng))?;
        }
        runtime.block_on(intake.finish(&mut noting, &mut OsRng))?;
    }
    Ok(())
}

struct Noting(std::fs::File);

impl Progress for Noting {
    fn file(&mut self, _: &Path, _: usize) {}
    fn advanced(&mut self, _: usize) {}

    fn acknowledged(&mut self, records: &[RecordId]) {
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        if self.0.write_all(lines.as_bytes()).is_err() {
            std::process::exit(3);
        }
    }
}
