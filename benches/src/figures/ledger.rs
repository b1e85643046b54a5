//! How fast the ledger takes commitments, and an institution takes in records.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use rand::rngs::OsRng;
use vouchsafe_access::keystore::KdfParams;
use vouchsafe_access::secret::Passphrase;
use vouchsafe_circuits::{Commitment, Fe, Suite};
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger_types::entry::{Body, Commit};
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::ingest::{Intake, Silent};
use vouchsafe_prover_service::institution::{Founding, Institution};

use super::{Figures, rounded};

/// Commitments in one entry: what the vault sends at a time.
const BATCH: u64 = 256;
const BATCHES: u64 = 40;
const PATIENTS: usize = 60;

/// A new institution without proving keys, for tests of everything but proofs.
pub(super) fn institution(dir: &std::path::Path) -> anyhow::Result<(Institution, Passphrase)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let founding = Founding {
        chain: "figures".parse()?,
        suite: Suite::Bn254,
        member: "hospital".parse()?,
        others: Vec::new(),
        keys: Vec::new(),
        kdf: KdfParams::DANGEROUS_FAST,
        clock: Arc::clone(&clock),
    };
    let passphrase = Passphrase::new("figures".to_owned())?;
    founding.found(dir, &passphrase, &mut OsRng)?;
    Ok((Institution::open(dir, &passphrase, clock)?, passphrase))
}

pub(super) fn figures() -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir()?;
    let mut figures = Figures::new();
    figures.insert("commits_per_s".to_owned(), rounded(commits(&folder.path().join("commits"))?));
    figures.insert("ingest_records_per_s".to_owned(), rounded(ingest(&folder.path().join("ingest"))?));
    Ok(figures)
}

/// Commitments acknowledged in a second, entry after entry.
fn commits(dir: &std::path::Path) -> anyhow::Result<f64> {
    let (institution, _) = institution(dir)?;
    let pen = institution.pen();
    let started = Instant::now();
    for batch in 0..BATCHES {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let commitments = numbers.map(|n| Commitment::new(Fe::from_u64(n + 1))).collect();
        pen.submit(institution.ledger(), Body::Commit(Commit { commitments }))?;
    }
    Ok((BATCH * BATCHES) as f64 / started.elapsed().as_secs_f64())
}

/// Records acknowledged in a second, from FHIR bytes to the ledger.
fn ingest(dir: &std::path::Path) -> anyhow::Result<f64> {
    let (institution, _) = institution(dir)?;
    let source = Source::new("figures")?;
    let today = vouchsafe_prover_service::calendar::date_of(vouchsafe_circuits::record::Day::new(20_000));
    let bundles = hospital::generate(7, PATIENTS, today.context("a date")?);
    let bundles = bundles.iter().map(serde_json::to_vec).collect::<Result<Vec<_>, _>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let started = Instant::now();
    let report = runtime.block_on(async {
        let mut intake = Intake::new(&institution, &source);
        for bundle in &bundles {
            intake.bytes("generated", bundle, &mut Silent, &mut OsRng).await?;
        }
        anyhow::Ok(intake.finish(&mut Silent, &mut OsRng).await?)
    })?;
    Ok(report.added as f64 / started.elapsed().as_secs_f64())
}
