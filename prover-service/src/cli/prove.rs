//! `vouch prove`: a holder answers a request about one subject.

use std::path::PathBuf;
use std::time::Instant;

use vouchsafe_access::subject::Identifier;
use vouchsafe_ledger_types::evidence::read_json;
use vouchsafe_ledger_types::request::Request;

use super::Context;
use super::failure::{Failure, Outcome};
use crate::answer::answer;
use crate::key_files::{KeyFolder, KeyRing};

/// Arguments of `vouch prove`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The request file.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Whom it is about: any identifier that the vault knows.
    #[arg(long, value_name = "SYSTEM|VALUE")]
    subject: Identifier,
    /// Where to write the evidence.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    let request: Request = read_json("a request file", &super::read_file(&args.request)?).map_err(Failure::usage)?;
    let institution = context.open(&args.data)?;
    let keys = KeyRing::new(KeyFolder::of(&institution.layout().keys()), institution.identity().suite);
    // what an interrupted ingest left pending can be asked about only once the ledger has it
    if let Err(error) = institution.vault().settle(&institution.bridge(), &mut rand::rngs::OsRng).await {
        eprintln!("vouch: some records are not on the ledger yet and cannot be asked about: {error}");
    }
    let started = Instant::now();
    let evidence = answer(&institution, &keys, &request, &args.subject, &mut rand::rngs::OsRng).await;
    let evidence = evidence.map_err(Failure::answering)?;
    let took_ms = started.elapsed().as_millis();
    super::write_file(&args.out, &super::to_json(&evidence)?)?;
    let height = evidence.seal.height;
    let parts = evidence.answers.len();
    let said = serde_json::json!({ "evidence": args.out, "height": height, "parts": parts, "took_ms": took_ms as u64 });
    context.say(&said, || {
        format!(
            "Proved, as of block {height}, in {took_ms} ms. Send {} back to {}.",
            args.out.display(),
            request.verifier
        )
    });
    Ok(())
}
