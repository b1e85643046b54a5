//! The audit: what the hospital's ledger says about access, line by line, with the openings that the hospital keeps.

use serde_json::Value as Json;
use vouchsafe_ledger_types::units::Height;

use super::cast::Cast;
use super::{DemoError, Told};
use crate::operator::Command;

/// Prints the whole trail.
pub(super) async fn the_trail(cast: &Cast, told: &mut Told<'_>) -> Result<(), DemoError> {
    told.chapter(
        "The audit trail of it all",
        "It starts from the ledger: what was logged and has no opening shows as such. Here, what the patched prover logged.",
    );
    let said = cast.hospital.order(&Command::Trail { from: Height::new(1) }).await?;
    let lines = said["lines"].as_array().ok_or_else(|| DemoError::missing("the trail"))?;
    for line in lines {
        told.line(&shown(line));
        let kind = line["kind"].as_str().unwrap_or_default();
        *told.figures.trail.entry(kind.to_owned()).or_default() += 1;
        told.figures.unopened += u64::from(line.get("missing").is_some());
    }
    told.line(&format!("{} entries, {} of them without an opening", lines.len(), told.figures.unopened));
    Ok(())
}

/// One line for people: block, kind, what stands in clear, and what the opening says.
fn shown(line: &Json) -> String {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let accepted = if line["accepted"] == true { "" } else { ", refused by the ledger" };
    let clear: Vec<String> = text(&line["clear"]).split(' ').map(shortened).collect();
    let opened = match (line.get("opened"), line.get("missing")) {
        (Some(opened), _) => {
            let (reader, verifier) = (text(&opened["reader"]), shortened(&text(&opened["verifier"])));
            format!(" | {reader} for {verifier}, tier {}, {}", opened["tier"], text(&opened["outcome"]))
        }
        (None, Some(_)) => " | NO OPENING".to_owned(),
        (None, None) => String::new(),
    };
    format!("{:>5}  {:<15} {}{accepted}{opened}", line["height"], text(&line["kind"]), clear.join(" "))
}

/// A long hash by its beginning.
fn shortened(word: &str) -> String {
    let long = word.len() >= 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    if long { format!("{}…", &word[..12]) } else { word.to_owned() }
}
