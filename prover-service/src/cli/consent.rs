//! `vouch consent give` and `withdraw`: a subject's consent as a record, and taken back.

use std::path::PathBuf;

use rand::rngs::OsRng;
use vouchsafe_access::subject::Identifier;
use vouchsafe_circuits::record::Validity;

use super::Context;
use super::failure::{Failure, Outcome};
use crate::calendar;
use crate::consent::{Consent, ConsentError, give, withdraw};

/// Arguments of `vouch consent`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Record that the subject consents; said again, it replaces what was said before.
    Give {
        #[command(flatten)]
        terms: Terms,
        /// The first day on which it may be used; from now on if you give none.
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// The last day on which it may be used; until it is taken back if you give none.
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
    },
    /// Take back a consent that was given with `vouch consent give`.
    Withdraw {
        #[command(flatten)]
        terms: Terms,
    },
}

#[derive(clap::Args)]
struct Terms {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Whose consent it is: any identifier that the vault knows.
    #[arg(long, value_name = "SYSTEM|VALUE")]
    subject: Identifier,
    /// Who may ask: the verifier's or project's name, letter for letter as it asks.
    #[arg(long, value_name = "NAME")]
    recipient: String,
    /// What for: the HL7 PurposeOfUse code that it asks with.
    #[arg(long, value_name = "CODE")]
    purpose: String,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    match args.verb {
        Verb::Give { terms, from, until } => {
            let consent = Consent::new(&terms.recipient, &terms.purpose).map_err(failed)?;
            let from = from.map_or(Ok(0), |text| day("--from", &text))?;
            let until = until.map_or(Ok(u32::MAX), |text| day("--until", &text))?;
            let institution = context.open(&terms.data)?;
            let valid = Validity { from, until };
            let record = give(&institution, &terms.subject, &consent, valid, &mut OsRng).await.map_err(failed)?;
            let said = serde_json::json!({ "record": record.to_string() });
            context.say(&said, || format!("Consent recorded, on the ledger as {record}."));
            Ok(())
        }
        Verb::Withdraw { terms } => {
            let consent = Consent::new(&terms.recipient, &terms.purpose).map_err(failed)?;
            let institution = context.open(&terms.data)?;
            let taken = withdraw(&institution, &terms.subject, &consent, &mut OsRng).await.map_err(failed)?;
            let said = serde_json::json!({ "record": taken.record.to_string(), "others": taken.others });
            context.say(&said, || match taken.others {
                0 => format!("Consent taken back: {} is withdrawn on the ledger.", taken.record),
                n => format!(
                    "Consent taken back: {} is withdrawn on the ledger. {n} more that came in files still say the \
                     same: the system that sent them must send a new version.",
                    taken.record
                ),
            });
            if taken.others == 0 { Ok(()) } else { Err(Failure::refused_and_said()) }
        }
    }
}

fn day(option: &str, text: &str) -> Outcome<u32> {
    let day = calendar::parse_date(text).and_then(|day| u32::try_from(day.get()).ok());
    day.ok_or_else(|| Failure::usage_text(format!("{option} is a day from 1970 on, such as 2026-12-31")))
}

fn failed(error: ConsentError) -> Failure {
    match &error {
        ConsentError::Recipient | ConsentError::Purpose => Failure::usage(error),
        ConsentError::NoSubject | ConsentError::NotGiven | ConsentError::Draft(_) => Failure::refused(error),
        _ => Failure::ours(error),
    }
}
