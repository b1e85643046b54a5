//! `vouch inbox`: questions that wait for a person's yes or no.

use std::path::PathBuf;

use vouchsafe_ledger_types::ids::CallId;

use super::Context;
use super::failure::Outcome;
use super::serve::operate;
use crate::operator::Command;

/// Arguments of `vouch inbox`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Say yes to a question.
    #[arg(long, value_name = "ID", conflicts_with = "deny")]
    approve: Option<CallId>,
    /// Say no to a question.
    #[arg(long, value_name = "ID")]
    deny: Option<CallId>,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    let command = match (args.approve, args.deny) {
        (Some(question), _) => Command::Decide { question, permitted: true },
        (None, Some(question)) => Command::Decide { question, permitted: false },
        (None, None) => Command::Inbox {},
    };
    let said = operate(context, &args.data, &command).await?;
    context.say(&said, || show(&said));
    Ok(())
}

fn show(said: &serde_json::Value) -> String {
    let Some(waiting) = said["waiting"].as_array() else { return "Decided.".to_owned() };
    if waiting.is_empty() {
        return "Nothing waits for you.".to_owned();
    }
    // what the asker wrote is shown on one line and without control characters: it must not look like another question
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().escape_debug().to_string();
    let mut lines = Vec::new();
    for question in waiting {
        lines.push(text(&question["id"]));
        lines.push(format!("  {} asks about {}", text(&question["asker"]), text(&question["subject"])));
        for part in question["parts"].as_array().into_iter().flatten() {
            lines.push(format!("    {}", text(part)));
        }
        let basis = question["legal_basis"].as_str().map(|basis| format!(" ({})", basis.escape_debug()));
        let basis = basis.unwrap_or_default();
        lines.push(format!("  for {}{basis}", text(&question["purpose"])));
    }
    lines.join("\n")
}
