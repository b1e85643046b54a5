//! `vouch request`: a verifier's question as a file.

use std::path::PathBuf;

use vouchsafe_circuits::schema::Schema;
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger_types::evidence::read_json;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::BlockTime;

use super::Context;
use super::failure::{Failure, Outcome};
use crate::ask::{Asked, Question, ask, schema_named};
use crate::calendar;

/// Arguments of `vouch request`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// What must hold, in CEL: `birthDate <= yearsAgo(18)`, `icd10.under("E11")`.
    #[arg(long = "where", value_name = "EXPR")]
    predicate: String,
    /// The schema: a built-in name (patient, observation, condition, medication-request, immunization, consent) or a file.
    #[arg(long)]
    schema: String,
    /// A further part, on another record of the same subject: `patient: birthDate <= yearsAgo(18)`. At most 4 parts.
    #[arg(long, value_name = "SCHEMA: EXPR")]
    and: Vec<String>,
    /// Have the subject's consent to you and your purpose shown too; it is a part like the others.
    #[arg(long)]
    with_consent: bool,
    /// The member that must have committed the records.
    #[arg(long)]
    issuer: String,
    /// Who asks.
    #[arg(long, value_name = "NAME")]
    verifier: String,
    /// What for: an HL7 PurposeOfUse code such as TREAT, HPAYMT, PUBHLTH.
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// On what legal ground, in words.
    #[arg(long, value_name = "TEXT")]
    legal_basis: Option<String>,
    /// When the question lapses: a day or an RFC 3339 time; in 24 hours if you give none.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// How old the answer's seal may be, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    max_age: u64,
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Where to write the request.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let trust: Trust = read_json("a trust file", &super::read_file(&args.trust)?).map_err(Failure::usage)?;
    let now = SystemClock.now();
    let expires = match &args.expires {
        None => now.plus_seconds(86_400),
        Some(text) => calendar::parse_instant(text).and_then(BlockTime::from_unix),
    };
    let mut parts = vec![Asked { schema: schema(&args.schema)?, predicate: args.predicate }];
    for part in &args.and {
        parts.push(further(part)?);
    }
    let question = Question {
        parts,
        with_consent: args.with_consent,
        issuer: args.issuer.parse().map_err(Failure::usage)?,
        verifier: args.verifier,
        purpose: args.purpose,
        legal_basis: args.legal_basis,
        expires: expires
            .ok_or_else(|| Failure::usage_text("--expires is a day or an RFC 3339 time, such as 2026-12-31".into()))?,
        max_age_seconds: args.max_age,
    };
    let request = ask(&question, &trust, now, &mut rand::rngs::OsRng).map_err(Failure::usage)?;
    super::write_file(&args.out, &super::to_json(&request)?)?;
    let statements: Vec<&str> = request.parts.iter().map(|part| part.statement.name()).collect();
    let digest = request.digest().map_err(Failure::ours)?;
    let predicates: Vec<&str> = request.parts.iter().map(|part| part.predicate.as_str()).collect();
    let said = serde_json::json!({
        "request": args.out, "statements": statements, "where": predicates, "digest": digest,
    });
    context.say(&said, || {
        let until = calendar::show_instant(request.expires.unix());
        let statements = statements.join(", ");
        format!("Wrote {} ({statements}; good until {until}). Send it to {}.", args.out.display(), question.issuer)
    });
    Ok(())
}

/// `SCHEMA: EXPR`.
fn further(text: &str) -> Outcome<Asked> {
    let form =
        || Failure::usage_text(format!("--and {text:?}: write 'SCHEMA: EXPR', as in 'patient: gender == \"female\"'"));
    let (name, predicate) = text.split_once(':').ok_or_else(form)?;
    Ok(Asked { schema: schema(name.trim())?, predicate: predicate.trim().to_owned() })
}

fn schema(name: &str) -> Outcome<Schema> {
    if let Some(schema) = schema_named(name) {
        return Ok(schema);
    }
    let path = PathBuf::from(name);
    if !path.exists() {
        let names = "patient, observation, condition, medication-request, immunization, consent";
        return Err(Failure::usage_text(format!("{name:?} is neither a built-in schema ({names}) nor a file")));
    }
    Schema::parse(&super::read_file(&path)?).map_err(Failure::usage)
}
