//! `vouch ask`: a verifier asks a holder online, and waits for the answer.

use std::path::PathBuf;
use std::time::Duration;

use rand::rngs::OsRng;
use serde_json::json;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger_types::evidence::read_json;
use vouchsafe_ledger_types::request::Request;

use super::Context;
use super::failure::{Failure, Outcome};
use crate::client::{ClientError, Party, Remote, Reply};

/// How to reach a node.
#[derive(clap::Args)]
pub(super) struct RemoteArgs {
    /// The node: https://HOST:PORT, or http://127.0.0.1:PORT on this machine.
    #[arg(long, value_name = "URL")]
    server: String,
    /// Who signs its certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Our own certificate, in PEM, where the node asks for one.
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    cert: Option<PathBuf>,
    /// Its key, in PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    cert_key: Option<PathBuf>,
}

impl RemoteArgs {
    pub(super) fn remote(&self) -> Remote {
        let identity_files = self.cert.clone().zip(self.cert_key.clone());
        Remote { url: self.server.clone(), ca_file: self.ca.clone(), identity_files }
    }
}

/// Arguments of `vouch ask`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    remote: RemoteArgs,
    /// The party that asks; the request is in its name.
    #[arg(long, value_name = "FILE")]
    party: PathBuf,
    /// The request file.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Whom it is about.
    #[arg(long, value_name = "SYSTEM|VALUE", required_unless_present = "question")]
    subject: Option<String>,
    /// A question that was asked before: fetch its answer.
    #[arg(long, value_name = "ID", conflicts_with = "subject")]
    question: Option<String>,
    /// Do not wait for the answer; print the question's id.
    #[arg(long, conflicts_with = "question")]
    no_wait: bool,
    /// Where to write the evidence.
    #[arg(long, value_name = "FILE", required_unless_present = "no_wait")]
    out: Option<PathBuf>,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    let request: Request = read_json("a request file", &super::read_file(&args.request)?).map_err(Failure::usage)?;
    let passphrase = context.passphrase(false)?;
    let secrets = PartySecrets::open(&args.party, &passphrase).map_err(Failure::usage)?;
    let party = Party { secrets: &secrets, chain: request.chain.clone() };
    let channel = args.remote.remote().connect().await.map_err(Failure::calling)?;
    let question = match (&args.question, &args.subject) {
        (Some(question), _) => question.clone(),
        (None, subject) => {
            let subject = subject.as_deref().unwrap_or_default();
            let asked = party.ask(&channel, &request, subject, SystemClock.now(), &mut OsRng).await;
            let taken = asked.map_err(Failure::calling)?;
            if args.no_wait {
                context.say(&taken, || format!("Asked. Fetch the answer with --question {}", taken.question));
                return Ok(());
            }
            eprintln!("vouch: asked; if this is interrupted, go on with --question {}", taken.question);
            taken.question
        }
    };
    let Some(out) = args.out else { return Err(Failure::usage_text("give --out".to_owned())) };
    let reply = loop {
        match party.reply(&channel, &question, SystemClock.now(), &mut OsRng).await {
            Ok(reply) => break reply,
            // the answer takes longer than a call may: a person may have to decide
            Err(ClientError::Failed(_)) if SystemClock.now() < request.expires => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(ClientError::Busy(delay)) => tokio::time::sleep(delay).await,
            Err(error) => return Err(Failure::calling(error)),
        }
    };
    match reply {
        Reply::Evidence(evidence) => {
            super::write_file(&out, &super::to_json(&evidence)?)?;
            let said = json!({ "question": question, "answered": true, "evidence": out });
            context.say(&said, || format!("Answered: check {} with vouch verify", out.display()));
            Ok(())
        }
        Reply::Refused => {
            let said = json!({ "question": question, "answered": false });
            context.say(&said, || "Not answered: it does not hold, is not known, or is not permitted.".to_owned());
            Err(Failure::refused_and_said())
        }
    }
}
