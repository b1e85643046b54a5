//! `vouch open`: a reader opens records through the one door, and checks what it gets.

use std::path::PathBuf;

use rand::rngs::OsRng;
use serde_json::{Value as Json, json};
use vouchsafe_access::door::{OpenedParcel, Parcel};
use vouchsafe_access::ledger::ChainRules;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::vault::RecordId;
use vouchsafe_circuits::record::{FieldValue, Value};
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger_types::evidence::read_json;
use vouchsafe_ledger_types::trust::Trust;

use super::Context;
use super::failure::{Failure, Outcome};
use super::serve::operate;
use crate::calendar;
use crate::client::{OpenWish, Party, Remote};
use crate::operator::{Command, OpenByParty};

/// Arguments of `vouch open`.
#[derive(clap::Args)]
#[group(id = "source", required = true, args = ["server", "data"])]
pub(super) struct Args {
    /// The node of the institution: https://HOST:PORT, or http://127.0.0.1:PORT on this machine.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The institution's folder, where its own people hand the record over.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Who signs the node's certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Our own certificate, in PEM, where the node asks for one.
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    cert: Option<PathBuf>,
    /// Its key, in PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    cert_key: Option<PathBuf>,
    /// The reader's own file.
    #[arg(long = "as", value_name = "PARTY_FILE")]
    reader: PathBuf,
    /// The passphrase of the reader's file, if it is another than the institution's.
    #[arg(long, value_name = "FILE")]
    reader_passphrase_file: Option<PathBuf>,
    /// What the reader trusts: whose ledger must show that the release was logged.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Up to which tier: 0 public, 1 internal, 2 de-identified, 3 limited, 4 identifying.
    #[arg(long, value_name = "0-4")]
    tier: u8,
    /// What for: a code of HL7 PurposeOfUse.
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// Break the glass: at once, without a grant; reported and reviewed.
    #[arg(long, requires = "reason")]
    emergency: bool,
    /// Why; for the review.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The record, by its id.
    record: RecordId,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    let trust: Trust = read_json("a trust file", &super::read_file(&args.trust)?).map_err(Failure::usage)?;
    let now = SystemClock.now();
    if now > trust.refresh_by {
        return Err(Failure::usage_text("the trust file is past its refresh-by date: fetch a new one".to_owned()));
    }
    let passphrase = match &args.reader_passphrase_file {
        Some(file) => crate::institution::passphrase(Some(file), false).map_err(Failure::usage)?,
        None => context.passphrase(false)?,
    };
    let secrets = PartySecrets::open(&args.reader, &passphrase).map_err(Failure::usage)?;
    let rules =
        ChainRules { chain: trust.chain.clone(), suite: trust.suite, validators: trust.base.validators.clone() };
    let parcels = match (&args.server, &args.data) {
        (Some(server), _) => remote(&args, server, &secrets, &rules).await?,
        (None, data) => local(context, &args, data.as_deref().unwrap_or(std::path::Path::new(".")), &secrets).await?,
    };
    let mut shown = Vec::new();
    for parcel in parcels {
        let parcel = Parcel::from_json(&parcel).map_err(Failure::refused)?;
        let opened = parcel.open(&secrets, args.record, &rules, now).map_err(Failure::refused)?;
        shown.push(show(&opened));
    }
    let said = json!({ "records": shown });
    context.say(&said, || people(&shown));
    Ok(())
}

async fn remote(args: &Args, server: &str, secrets: &PartySecrets, rules: &ChainRules) -> Outcome<Vec<Vec<u8>>> {
    let identity_files = args.cert.clone().zip(args.cert_key.clone());
    let remote = Remote { url: server.to_owned(), ca_file: args.ca.clone(), identity_files };
    let channel = remote.connect().await.map_err(Failure::calling)?;
    let party = Party { secrets, chain: rules.chain.clone() };
    let wish = OpenWish {
        record: args.record,
        tier: args.tier,
        purpose: args.purpose.clone(),
        emergency: args.emergency,
        reason: args.reason.clone(),
    };
    party.open(&channel, &wish, SystemClock.now(), &mut OsRng).await.map_err(Failure::calling)
}

async fn local(
    context: &Context,
    args: &Args,
    data: &std::path::Path,
    secrets: &PartySecrets,
) -> Outcome<Vec<Vec<u8>>> {
    let card = secrets.card().map_err(Failure::usage)?;
    let order = OpenByParty {
        party: card.name,
        record: args.record.to_string(),
        tier: args.tier,
        purpose: args.purpose.clone(),
        emergency: args.emergency,
        reason: args.reason.clone(),
    };
    let said = operate(context, data, &Command::Open(order)).await?;
    let parcel = serde_json::to_vec(&said["parcel"]).map_err(Failure::ours)?;
    Ok(vec![parcel])
}

/// A record as its reader sees it.
fn show(opened: &OpenedParcel) -> Json {
    let mut fields = serde_json::Map::new();
    for (index, value) in &opened.fields {
        let Some(field) = opened.schema.field_at(*index) else { continue };
        fields.insert(field.name.to_string(), value_json(value));
    }
    json!({
        "record": opened.record.to_string(), "issuer": opened.issuer, "schema": opened.schema.name(),
        "fields": fields, "entry": opened.entry, "standing": format!("{:?}", opened.standing),
    })
}

fn value_json(value: &FieldValue) -> Json {
    match value {
        FieldValue::Absent(reason) => json!({ "absent": format!("{reason:?}") }),
        FieldValue::Present(Value::Integer(number)) => json!(number),
        FieldValue::Present(Value::Date(day)) => json!(calendar::show_date(*day)),
        FieldValue::Present(Value::Instant(seconds)) => {
            u64::try_from(*seconds).map_or_else(|_| json!(seconds), |seconds| json!(calendar::show_instant(seconds)))
        }
        FieldValue::Present(Value::Code(text) | Value::Text(text)) => json!(text),
        FieldValue::Present(Value::Bytes(bytes)) => json!(hex::encode(bytes)),
    }
}

fn people(records: &[Json]) -> String {
    let mut lines = Vec::new();
    for record in records {
        lines.push(format!("{} {}", record["schema"].as_str().unwrap_or_default(), record["record"]));
        for (name, value) in record["fields"].as_object().into_iter().flatten() {
            lines.push(format!("  {name}: {value}"));
        }
        lines.push(format!("  logged as {} ({})", record["entry"], record["standing"]));
    }
    lines.join("\n")
}
