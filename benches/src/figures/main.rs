//! The figures: `figures AREA [--json]` measures and prints one object.
//!
//! Ratios are ours over theirs in speed, measured in the same run: higher is better. Times are medians. The machine is
//! shared and noisy: compare ratios, not times.

mod kills;
mod ledger;
mod load;
mod proving;
mod service;
mod serving;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use serde_json::Value;

/// What is measured, by name.
type Figures = BTreeMap<String, Value>;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    area: Area,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Area {
    /// The path from a FHIR bundle to a verified fact.
    Main,
    /// The service: verifying under load, opening, the demo's refusals, and kills while it serves.
    Service,
    /// The child that `main` kills; not for people.
    #[command(hide = true)]
    Victim {
        /// The institution's folder.
        data: PathBuf,
        /// Where acknowledged records are written down.
        receipts: PathBuf,
    },
}

fn main() -> anyhow::Result<std::process::ExitCode> {
    // a child under the program's own name is the program: see `serving`
    if std::env::args_os().next().is_some_and(|name| name == "vouch") {
        return Ok(vouchsafe_prover_service::cli::run());
    }
    let Cli { area, json } = Cli::parse();
    let figures = match area {
        Area::Victim { data, receipts } => {
            kills::victim(&data, &receipts)?;
            return Ok(std::process::ExitCode::SUCCESS);
        }
        Area::Service => service::figures()?,
        Area::Main => {
            let mut figures = proving::figures()?;
            figures.extend(ledger::figures()?);
            figures.extend(kills::figures()?);
            figures
        }
    };
    if json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        for (name, value) in &figures {
            println!("{name:<24} {value}");
        }
    }
    Ok(std::process::ExitCode::SUCCESS)
}

/// How long each of some calls took, sorted.
fn times<T>(rounds: usize, mut call: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<Vec<Duration>> {
    let mut all = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let started = Instant::now();
        call()?;
        all.push(started.elapsed());
    }
    all.sort();
    Ok(all)
}

fn median(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Milliseconds to two digits.
fn ms(duration: Duration) -> Value {
    rounded(duration.as_secs_f64() * 1000.0)
}

/// Two digits after the point.
fn rounded(value: f64) -> Value {
    Value::from((value * 100.0).round() / 100.0)
}
