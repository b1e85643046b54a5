//! `vouch ingest`: FHIR files into the vault and onto the ledger.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use vouchsafe_access::vault::RecordId;

use super::Context;
use super::failure::{Failure, Outcome};
use crate::fhir::Source;
use crate::ingest::{Progress, Report, ingest};

/// Arguments of `vouch ingest`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The name of the system that the files come from; resource ids are unique in it.
    #[arg(long, default_value = "fhir")]
    source: String,
    /// Append the id of each record to this file once it is on the ledger.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// FHIR R4 bundles or single resources, in JSON.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    let source = Source::new(&args.source).map_err(Failure::usage)?;
    let institution = context.open(&args.data)?;
    let mut shown = Shown::new(args.receipts.as_deref(), context.json)?;
    let report = ingest(&institution, &source, &args.files, &mut shown, &mut rand::rngs::OsRng).await;
    shown.bar.finish_and_clear();
    if let Some(error) = shown.failed {
        return Err(Failure::ours_text(format!("the file of receipts: {error}")));
    }
    let report = report.map_err(Failure::ours)?;
    context.say(&report, || in_words(&report));
    if report.errors.is_empty() { Ok(()) } else { Err(Failure::refused_and_said()) }
}

/// A progress bar for people, a file of receipts for those who must know.
struct Shown {
    bar: ProgressBar,
    receipts: Option<std::fs::File>,
    failed: Option<std::io::Error>,
}

impl Shown {
    fn new(receipts: Option<&Path>, quiet: bool) -> Outcome<Shown> {
        let open = |path: &Path| std::fs::OpenOptions::new().create(true).append(true).open(path);
        let failed = |error| Failure::usage_text(format!("the file of receipts: {error}"));
        let receipts = receipts.map(open).transpose().map_err(failed)?;
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} records, {eta} left  {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Ok(Shown { bar, receipts, failed: None })
    }
}

impl Progress for Shown {
    fn file(&mut self, file: &Path, records: usize) {
        self.bar.inc_length(records as u64);
        self.bar.set_message(file.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }

    fn acknowledged(&mut self, records: &[RecordId]) {
        let Some(file) = &mut self.receipts else { return };
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        if let Err(error) = file.write_all(lines.as_bytes()) {
            self.failed = Some(error);
        }
    }

    fn advanced(&mut self, resources: usize) {
        self.bar.inc(resources as u64);
    }
}

fn in_words(report: &Report) -> String {
    let list = |counts: &std::collections::BTreeMap<String, u64>| {
        counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!(
        "{} added, {} amended, {} withdrawn, {} already there",
        report.added, report.amended, report.withdrawn, report.unchanged
    );
    let _ = write!(text, "\nmapped   {}", list(&report.records));
    if report.older > 0 {
        let _ = write!(text, "\nolder    {} were seen before, and newer ones since: nothing done", report.older);
    }
    if report.names_not_taken > 0 {
        let _ = write!(
            text,
            "\nnames    {} identifiers lead to another patient already: not taken",
            report.names_not_taken
        );
    }
    if !report.skipped.is_empty() {
        let _ = write!(text, "\nskipped  {} (no schema)", list(&report.skipped));
    }
    if !report.unmapped.is_empty() {
        let _ = write!(text, "\nunmapped {}", list(&report.unmapped));
    }
    if report.rounded > 0 {
        let _ = write!(text, "\nrounded  {} numbers to the scale of their field", report.rounded);
    }
    for error in &report.errors {
        let part = |key: &str| error.get(key).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        let _ = write!(text, "\nrefused  {}", part("file").unwrap_or_default());
        if let Some(entry) = part("entry").filter(|entry| entry != "null") {
            let _ = write!(text, ", entry {entry}");
        }
        let _ = write!(text, ", {}: {}", part("path").unwrap_or_default(), part("why").unwrap_or_default());
    }
    text
}
