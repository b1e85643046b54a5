//! `vouch verify`: checks an evidence file without any network.

use std::path::PathBuf;

use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger_types::evidence::{Evidence, ReadError, read_json};
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::BlockTime;
use vouchsafe_ledger_types::verify::Verifier;

use super::Context;
use super::failure::{Failure, Outcome};
use crate::ask::compile_part;
use crate::calendar;

/// Arguments of `vouch verify`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The evidence file.
    #[arg(value_name = "FILE")]
    evidence: PathBuf,
    /// Your own copy of the request.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Your trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// For archives: judge as of this day or RFC 3339 time, not as of now.
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let request: Request = read_json("a request file", &super::read_file(&args.request)?).map_err(Failure::usage)?;
    let trust: Trust = read_json("a trust file", &super::read_file(&args.trust)?).map_err(Failure::usage)?;
    let now = match &args.as_of {
        None => SystemClock.now(),
        Some(text) => calendar::parse_instant(text)
            .and_then(BlockTime::from_unix)
            .ok_or_else(|| Failure::usage_text("--as-of is a day or an RFC 3339 time".to_owned()))?,
    };
    let evidence = match Evidence::read(&super::read_file(&args.evidence)?) {
        Ok(evidence) => evidence,
        Err(error @ ReadError::BadValue(_)) => return refuse(context, "Form", &error.to_string()),
        Err(error) => return Err(Failure::usage(error)),
    };
    let verifier = Verifier { request: &request, trust: &trust, now, compile: &compile_part };
    match verifier.verify(&evidence) {
        Err(refusal) => refuse(context, &format!("{:?}", refusal.check), &refusal.why),
        Ok(verified) => {
            let time = calendar::show_instant(verified.time.unix());
            let predicates: Vec<&str> = request.parts.iter().map(|part| part.predicate.as_str()).collect();
            let said = serde_json::json!({
                "valid": true, "where": predicates, "pseudonym": verified.pseudonym,
                "height": verified.height, "time": time,
            });
            context.say(&said, || {
                format!(
                    "Valid: {} — as of block {} ({time}).\nThe subject's name towards you is {}.",
                    predicates.join(" and "),
                    verified.height,
                    verified.pseudonym
                )
            });
            Ok(())
        }
    }
}

fn refuse(context: &Context, check: &str, why: &str) -> Outcome {
    let said = serde_json::json!({ "valid": false, "check": check, "why": why });
    context.say(&said, || format!("Refused ({check}): {why}"));
    Err(Failure::refused_and_said())
}
