//! `vouch party`: those who ask or read: make one, admit its card, list and remove them.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;
use vouchsafe_access::keystore::KdfParams;
use vouchsafe_access::party::{CreatePartyError, PartySecrets};
use vouchsafe_access::policy::PartyRole;
use vouchsafe_ledger_types::card::{Card, PartyName};
use vouchsafe_ledger_types::evidence::read_json;

use super::Context;
use super::failure::{Failure, Outcome};
use super::serve::operate;
use crate::operator::Command;

/// Arguments of `vouch party`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a party's file, under a passphrase of its own, and its card, which is for everybody.
    New {
        /// Its name, as others will see it.
        #[arg(long)]
        name: PartyName,
        /// Where to write the file with its secrets.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Where to write its card.
        #[arg(long, value_name = "FILE")]
        card: PathBuf,
    },
    /// Admit a card: compare the id it prints with its owner first, by another way.
    Admit {
        /// The institution's folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// What it may be: reader, emergency, researcher, verifier, auditor; repeat for several.
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<PartyRole>,
        /// The card.
        #[arg(value_name = "CARD")]
        card: PathBuf,
    },
    /// Those who are admitted.
    List {
        /// The institution's folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Forget a party. Its grants stay on the ledger until they are revoked.
    Remove {
        /// The institution's folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Its name.
        name: PartyName,
    },
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    match args.verb {
        Verb::New { name, out, card } => new(context, name, &out, &card),
        Verb::Admit { data, roles, card } => {
            let card: Card = read_json("a card", &super::read_file(&card)?).map_err(Failure::usage)?;
            let roles = roles.iter().map(|role| role.as_str().to_owned()).collect();
            let done = operate(context, &data, &Command::PartyAdmit { card, roles }).await?;
            let said = done.clone();
            context.say(&said, || format!("Admitted {}, card {}.", text(&done["name"]), text(&done["card"])));
            Ok(())
        }
        Verb::List { data } => {
            let done = operate(context, &data, &Command::PartyList {}).await?;
            let line = |party: &serde_json::Value| {
                let roles: Vec<&str> =
                    party["roles"].as_array().into_iter().flatten().filter_map(|r| r.as_str()).collect();
                format!("{}  {}  card {}", text(&party["name"]), roles.join(", "), text(&party["card"]))
            };
            let lines: Vec<String> = done["parties"].as_array().into_iter().flatten().map(line).collect();
            context.say(&done, || if lines.is_empty() { "Nobody is admitted.".to_owned() } else { lines.join("\n") });
            Ok(())
        }
        Verb::Remove { data, name } => {
            let done = operate(context, &data, &Command::PartyRemove { name: name.clone() }).await?;
            context.say(&done, || format!("Removed {name}."));
            Ok(())
        }
    }
}

fn new(context: &Context, name: PartyName, out: &std::path::Path, card_file: &std::path::Path) -> Outcome {
    let passphrase = context.passphrase(true)?;
    let mut rng = rand::rngs::OsRng;
    let secrets = PartySecrets::generate(name, &mut rng);
    let card = secrets.card().map_err(Failure::ours)?;
    secrets.create(out, &passphrase, KdfParams::STANDARD, &mut rng).map_err(|error| match error {
        CreatePartyError::Exists(_) => Failure::usage(error),
        error => Failure::ours(error),
    })?;
    super::write_file(card_file, &super::to_json(&card)?)?;
    let said = json!({ "party": out, "card_file": card_file, "name": card.name, "card": card.id() });
    context.say(&said, || {
        format!(
            "Made {}, with its secrets in {} and its card in {}.\nCard id: {}\nWhoever admits the card compares this id \
             with you first.",
            card.name,
            out.display(),
            card_file.display(),
            card.id()
        )
    });
    Ok(())
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}
