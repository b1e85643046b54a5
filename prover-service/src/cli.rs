//! The command line: verbs, what they print, and their exit status.
//!
//! ```text
//! 0 done, valid · 1 refused, invalid · 2 bad usage, unreadable request or trust, not of the form · 3 ours, the machine's
//! ```
//!
//! Each verb speaks to people, or with `--json` prints one object on standard output. Progress and errors go to
//! standard error. Secrets are never taken from arguments.

mod ask;
mod backup;
mod consent;
mod demo;
mod door;
mod failure;
mod inbox;
mod ingest;
mod init;
mod open;
mod party;
mod prove;
mod request;
mod research;
mod serve;
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
    /// Ask a holder online, in a party's name, and wait for the answer.
    Ask(ask::Args),
    /// Let a party open records up to a tier, for a purpose, until a time.
    Grant(door::GrantArgs),
    /// Take a grant back.
    Revoke(door::RevokeArgs),
    /// All grants.
    Grants(door::DataArgs),
    /// The ids of a subject's records.
    Find(door::FindArgs),
    /// Open a record as a reader, and check what comes.
    Open(open::Args),
    /// Emergencies, and whether they were reviewed.
    Emergencies(door::DataArgs),
    /// Say that an emergency was looked into.
    Review(door::ReviewArgs),
    /// What was logged about access, with its openings.
    Trail(door::TrailArgs),
    /// Data sets for research, each with one privacy budget.
    Dataset(research::DataSetArgs),
    /// Research projects on a data set.
    Project(research::ProjectArgs),
    /// Ask a research query: noisy counts of subjects.
    Query(research::QueryArgs),
    /// Copy an institution's folder, running or not.
    Backup(backup::Args),
    /// Make an institution's folder from a backup.
    Restore(backup::RestoreArgs),
    /// Questions asked online that wait for a person's yes or no.
    Inbox(inbox::Args),
    /// Serve over gRPC: verify evidence, the ledger, and records from the institution's own systems.
    Serve(serve::Args),
    /// How the institution is: its ledger's height, what is pending.
    Status(serve::StatusArgs),
    /// Record a subject's consent, or take it back.
    Consent(consent::Args),
    /// Those who ask or read: make one, admit its card, list and remove them.
    Party(party::Args),
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
                Verb::Ask(args) => ask::run(&context, args).await,
                Verb::Grant(args) => door::grant(&context, args).await,
                Verb::Revoke(args) => door::revoke(&context, args).await,
                Verb::Grants(args) => door::grants(&context, args).await,
                Verb::Find(args) => door::find(&context, args).await,
                Verb::Open(args) => open::run(&context, args).await,
                Verb::Emergencies(args) => door::emergencies(&context, args).await,
                Verb::Review(args) => door::review(&context, args).await,
                Verb::Trail(args) => door::trail(&context, args).await,
                Verb::Dataset(args) => research::data_set(&context, args).await,
                Verb::Project(args) => research::project(&context, args).await,
                Verb::Query(args) => research::query(&context, args).await,
                Verb::Backup(args) => backup::run(&context, args).await,
                Verb::Restore(args) => backup::restore(&context, args),
                Verb::Inbox(args) => inbox::run(&context, args).await,
                Verb::Serve(args) => serve::run(&context, args).await,
                Verb::Party(args) => party::run(&context, args).await,
                Verb::Status(args) => serve::status(&context, args).await,
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
