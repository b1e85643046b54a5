//! `vouch init`: an institution with a one-member ledger; prints its trust file.

use std::path::PathBuf;
use std::sync::Arc;

use rand::RngCore;
use vouchsafe_access::keystore::KdfParams;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::statements::Statement;
use vouchsafe_ledger::clock::SystemClock;

use super::Context;
use super::failure::{Failure, Outcome};
use crate::institution::{FoundError, Founding, Layout};
use crate::key_files::KeyFolder;

/// Arguments of `vouch init`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The folder to make.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The proof suite.
    #[arg(long, default_value = "bn254")]
    suite: Suite,
    /// The member's name: lower-case letters, digits, '-' and '.'.
    #[arg(long, default_value = "hospital")]
    member: String,
    /// The ledger's name; drawn if you give none.
    #[arg(long)]
    chain: Option<String>,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    if args.data.exists() {
        return Err(Failure::usage(FoundError::Exists(args.data)));
    }
    let member = args.member.parse().map_err(Failure::usage)?;
    let chain = args.chain.unwrap_or_else(|| format!("solo-{:08x}", rand::rngs::OsRng.next_u32()));
    let chain = chain.parse().map_err(Failure::usage)?;
    let passphrase = context.passphrase(true)?;
    let cache = KeyFolder::cache().map_err(Failure::ours)?;
    let mut keys = Vec::new();
    for statement in Statement::ALL {
        if !context.json {
            eprintln!("development keys for {statement} (made once on this machine) …");
        }
        keys.push(cache.load_or_make(args.suite, statement).map_err(Failure::ours)?);
    }
    let founding = Founding {
        chain,
        suite: args.suite,
        member,
        others: Vec::new(),
        keys,
        kdf: KdfParams::STANDARD,
        clock: Arc::new(SystemClock),
    };
    let trust = founding.found(&args.data, &passphrase, &mut rand::rngs::OsRng).map_err(|error| match error {
        FoundError::Exists(_) | FoundError::Name(_) => Failure::usage(error),
        _ => Failure::ours(error),
    })?;
    let file = Layout::of(&args.data).trust();
    let text = super::to_json(&trust)?;
    context.say(&trust, || text.trim_end().to_owned());
    if !context.json {
        eprintln!(
            "\nMade {} on chain {}. The trust file above is what verifiers need; it is kept in {}.\n\
             Its keys are development keys: good for trying, not for production.\n\
             Keep the passphrase: without it nobody can read the vault, nor can we.",
            founding.member,
            founding.chain,
            file.display()
        );
    }
    Ok(())
}
