//! `vouch grant`, `revoke`, `grants`, `find`, `emergencies`, `review`, `trail`: the institution's side of the door.

use std::path::PathBuf;

use vouchsafe_ledger_types::card::PartyName;
use vouchsafe_ledger_types::ids::{EmergencyId, GrantId};
use vouchsafe_ledger_types::units::{BlockTime, Height};

use super::Context;
use super::failure::{Failure, Outcome};
use super::serve::operate;
use crate::calendar;
use crate::operator::{Command, GrantOrder};

/// Arguments of `vouch grant`.
#[derive(clap::Args)]
pub(super) struct GrantArgs {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// To whom: the name of a party that is admitted.
    #[arg(long, value_name = "NAME")]
    party: PartyName,
    /// Up to which tier: 0 public, 1 internal, 2 de-identified, 3 limited, 4 identifying.
    #[arg(long, value_name = "0-4")]
    tier: u8,
    /// For which purpose, and no other: a code of HL7 PurposeOfUse, such as TREAT.
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// Until when: a day or an RFC 3339 time.
    #[arg(long, value_name = "TIME")]
    until: String,
    /// Records of this schema only; repeat for several.
    #[arg(long = "schema", value_name = "NAME")]
    schemas: Vec<String>,
    /// Records of this subject only.
    #[arg(long, value_name = "SYSTEM|VALUE")]
    subject: Option<String>,
}

/// Arguments of a verb that needs no more than the folder.
#[derive(clap::Args)]
pub(super) struct DataArgs {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// Arguments of `vouch revoke`.
#[derive(clap::Args)]
pub(super) struct RevokeArgs {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The grant's id.
    grant: GrantId,
}

/// Arguments of `vouch find`.
#[derive(clap::Args)]
pub(super) struct FindArgs {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Whose records.
    #[arg(long, value_name = "SYSTEM|VALUE")]
    subject: String,
}

/// Arguments of `vouch review`.
#[derive(clap::Args)]
pub(super) struct ReviewArgs {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The emergency's id.
    emergency: EmergencyId,
    /// Who looked into it.
    #[arg(long, value_name = "NAME")]
    reviewer: PartyName,
    /// It was in order. Without this it was not.
    #[arg(long)]
    justified: bool,
    /// What there is to say; sealed in the journal.
    #[arg(long, value_name = "TEXT", default_value = "")]
    words: String,
}

/// Arguments of `vouch trail`.
#[derive(clap::Args)]
pub(super) struct TrailArgs {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// From which block on.
    #[arg(long, value_name = "HEIGHT", default_value_t = 1)]
    from: u64,
}

pub(super) async fn grant(context: &Context, args: GrantArgs) -> Outcome {
    let until = calendar::parse_instant(&args.until).and_then(BlockTime::from_unix);
    let until =
        until.ok_or_else(|| Failure::usage_text("--until is a day or an RFC 3339 time, such as 2026-12-31".into()))?;
    let GrantArgs { data, party, tier, purpose, schemas, subject, .. } = args;
    let order = GrantOrder { party, tier, purpose, until, schemas, subject };
    let said = operate(context, &data, &Command::Grant(order)).await?;
    context.say(&said, || format!("Granted: {}", text(&said["grant"])));
    Ok(())
}

pub(super) async fn revoke(context: &Context, args: RevokeArgs) -> Outcome {
    let said = operate(context, &args.data, &Command::Revoke { grant: args.grant }).await?;
    context.say(&said, || "Revoked: nothing more is released on it.".to_owned());
    Ok(())
}

pub(super) async fn grants(context: &Context, args: DataArgs) -> Outcome {
    list(context, &args, &Command::Grants {}, "grants", |grant| {
        let state = if grant["revoked"] == true { ", revoked" } else { "" };
        let (party, purpose, tier) = (text(&grant["party"]), text(&grant["purpose"]), &grant["tier"]);
        format!("{}  {party}, tier {tier}, {purpose}, until {}{state}", text(&grant["grant"]), grant["until"])
    })
    .await
}

pub(super) async fn emergencies(context: &Context, args: DataArgs) -> Outcome {
    list(context, &args, &Command::Emergencies {}, "emergencies", |emergency| {
        let state = if emergency["reviewed"] == true { "reviewed" } else { "to be reviewed" };
        let (id, reader, reason) =
            (text(&emergency["emergency"]), text(&emergency["reader"]), text(&emergency["reason"]));
        format!("{id}  {reader}: {reason} ({state})")
    })
    .await
}

pub(super) async fn find(context: &Context, args: FindArgs) -> Outcome {
    let said = operate(context, &args.data, &Command::Find { subject: args.subject }).await?;
    context.say(&said, || {
        let records = said["records"].as_array().into_iter().flatten();
        records.map(|r| format!("{}  {}", text(&r["record"]), text(&r["schema"]))).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

pub(super) async fn review(context: &Context, args: ReviewArgs) -> Outcome {
    let ReviewArgs { data, emergency, reviewer, justified, words } = args;
    let said = operate(context, &data, &Command::Review { emergency, reviewer, justified, words }).await?;
    context.say(&said, || "Reviewed.".to_owned());
    Ok(())
}

pub(super) async fn trail(context: &Context, args: TrailArgs) -> Outcome {
    let said = operate(context, &args.data, &Command::Trail { from: Height::new(args.from) }).await?;
    context.say(&said, || {
        let lines = said["lines"].as_array().into_iter().flatten();
        lines.map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

/// A line of the trail, for people.
pub(super) fn line(line: &serde_json::Value) -> String {
    let opened = &line["opened"];
    let told = match opened.is_object() {
        true => format!(
            ", {} for {}, tier {}: {}",
            text(&opened["reader"]),
            text(&opened["verifier"]),
            opened["tier"],
            text(&opened["outcome"])
        ),
        false => String::new(),
    };
    let refused = if line["accepted"] == false { " (refused by the ledger)" } else { "" };
    let missing = line["missing"].as_str().map(|why| format!(" OPENING MISSING: {why}")).unwrap_or_default();
    format!(
        "{:>6}  {}: {}{told}{refused}{missing}",
        line["height"].to_string(),
        text(&line["kind"]),
        text(&line["clear"])
    )
}

async fn list(
    context: &Context,
    args: &DataArgs,
    command: &Command,
    key: &str,
    show: impl Fn(&serde_json::Value) -> String,
) -> Outcome {
    let said = operate(context, &args.data, command).await?;
    context.say(&said, || {
        let all: Vec<_> = said[key].as_array().into_iter().flatten().map(show).collect();
        if all.is_empty() { "None.".to_owned() } else { all.join("\n") }
    });
    Ok(())
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
