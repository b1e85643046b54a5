//! The command line: verbs, what they print, and their exit status.
//!
//! ```text
//! 0 done, valid · 1 refused, invalid · 2 bad usage, unreadable request or trust, not of the form · 3 ours, the machine's
//! ```
//!
//! Each verb speaks to people, or with `--json` prints one object on standard output. Progress and errors go to
//! standard error. Secrets are never taken from arguments.

mod consent;
mod demo;
mod failure;
mod ingest;
mod init;
mod prove;
mod request;
mod verify;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use vouchsafe_access::secret::Passphrase;
use vouchsafe_ledger::clock::SystemClock;
use vouchsafe_ledger_types::evidence::EVIDENCE_BYTES_MAX;

use crate::institution::{Institution, passphrase};
use failure::{Failure, Outcome};

/// Share facts about records without showing the records.
#[derive(Parser)]
#[command(name = "vouch", version, max_term_width = 100)]
struct Cli {
    /// Print one JSON object for machines.
    #[arg(long, global = true)]
    json: bool,
    /// A file whose first line is the keystore's passphrase; else VOUCH_PASSPHRASE, else you are asked.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// The whole story on one machine, in about a minute.
    Demo(demo::Args),
    /// Make an institution with a one-member ledger of its own.
    Init(init::Args),
    /// Take in FHIR R4 bundles: encrypt, commit, once each.
    Ingest(ingest::Args),
    /// Ask: write a request file for a holder.
    Request(request::Args),
    /// Answer: prove a request about one subject and write the evidence file.
    Prove(prove::Args),
    /// Check an evidence file, offline.
    Verify(verify::Args),
    /// Record a subject's consent, or take it back.
    Consent(consent::Args),
}

/// What every verb is given.
struct Context {
    json: bool,
    passphrase_file: Option<PathBuf>,
}

impl Context {
    fn passphrase(&self, new: bool) -> Outcome<Passphrase> {
        passphrase(self.passphrase_file.as_deref(), new).map_err(Failure::usage)
    }

    fn open(&self, dir: &Path) -> Outcome<Institution> {
        let passphrase = self.passphrase(false)?;
        Institution::open(dir, &passphrase, Arc::new(SystemClock)).map_err(Failure::opening)
    }

    /// Prints for machines or for people.
    fn say(&self, json: &impl serde::Serialize, people: impl FnOnce() -> String) {
        if self.json {
            println!("{}", serde_json::to_string(json).unwrap_or_default());
        } else {
            println!("{}", people());
        }
    }
}

/// Runs the program; the exit status is the verb's.
pub fn run() -> ExitCode {
    let Cli { json, passphrase_file, verb } = Cli::parse();
    let context = Context { json, passphrase_file };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Err(error) => Err(Failure::ours(error)),
        Ok(runtime) => runtime.block_on(async {
            match verb {
                Verb::Demo(args) => demo::run(&context, args).await,
                Verb::Init(args) => init::run(&context, args),
                Verb::Ingest(args) => ingest::run(&context, args).await,
                Verb::Request(args) => request::run(&context, args),
                Verb::Prove(args) => prove::run(&context, args).await,
                Verb::Verify(args) => verify::run(&context, args),
                Verb::Consent(args) => consent::run(&context, args).await,
            }
        }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}

/// Reads a small file whole.
fn read_file(path: &Path) -> Outcome<Vec<u8>> {
    let unreadable = |error: std::io::Error| Failure::usage_text(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    // one byte more than is allowed: whoever parses it sees that it is too large
    file.take(EVIDENCE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Writes a file whole or not at all.
fn write_file(path: &Path, text: &str) -> Outcome {
    use std::io::Write;
    let failed = |error: std::io::Error| Failure::ours_text(format!("{}: {error}", path.display()));
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

fn to_json(value: &impl serde::Serialize) -> Outcome<String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Failure::ours)
}
