//! The hospital takes its records in.

use std::time::Instant;

use rand::rngs::OsRng;
use vouchsafe_circuits::record::Day;

use super::cast::{Cast, now};
use super::{DemoError, Told};
use crate::calendar;
use crate::demo::{Plan, hospital};
use crate::fhir::{self, Mapped, Schemas, Source};
use crate::ingest::{Intake, Report, Silent};

/// Takes in the files of the plan, or the invented hospital; gives back what was read, to choose questions by.
pub(super) async fn taken_in(cast: &Cast, plan: &Plan, told: &mut Told<'_>) -> Result<Vec<Mapped>, DemoError> {
    told.chapter(
        "The hospital takes in its records",
        "Each is encrypted in the vault, tier by tier; the ledger gets a commitment that hides it.",
    );
    let source = Source::new("demo").map_err(DemoError::own)?;
    let schemas = Schemas::built_in();
    let mut intake = Intake::new(cast.hospital.institution(), &source);
    let mut mapped = Vec::new();
    let started = Instant::now();
    for (name, bytes) in bundles(plan)? {
        mapped.extend(fhir::read_bundle(&bytes, &name, &source, &schemas).records);
        intake.bytes(&name, &bytes, &mut Silent, &mut OsRng).await.map_err(DemoError::own)?;
    }
    let report: Report = intake.finish(&mut Silent, &mut OsRng).await.map_err(DemoError::own)?;
    let took = started.elapsed();
    for (kind, count) in &report.records {
        told.line(&format!("{count:>6} {kind}"));
    }
    for error in report.errors.iter().take(5) {
        told.line(&format!("not taken: {error}"));
    }
    let rate = report.added as f64 / took.as_secs_f64().max(0.001);
    told.line(&format!("{} records in {} ms ({rate:.0} a second)", report.added, took.as_millis()));
    if report.added == 0 {
        return Err(DemoError::Files("records"));
    }
    told.figures.records = report.added;
    Ok(mapped)
}

/// Today, as records count days.
pub(super) fn today() -> Day {
    Day::new(i32::try_from(now().day()).unwrap_or(i32::MAX))
}

/// The files of the plan, or the hospital's, as JSON bytes with a name.
fn bundles(plan: &Plan) -> Result<Vec<(String, Vec<u8>)>, DemoError> {
    let mut all = Vec::new();
    for file in &plan.files {
        let bytes = std::fs::read(file).map_err(|error| DemoError::Read(file.clone(), error))?;
        all.push((file.display().to_string(), bytes));
    }
    if !all.is_empty() {
        return Ok(all);
    }
    let today = calendar::date_of(today()).ok_or_else(|| DemoError::missing("today in the calendar"))?;
    for (number, bundle) in hospital::generate(plan.seed, plan.patients, today).iter().enumerate() {
        all.push((format!("patient-{number}.json"), serde_json::to_vec(bundle).map_err(DemoError::own)?));
    }
    Ok(all)
}
