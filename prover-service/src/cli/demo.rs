//! `vouch demo`: the whole story, for people or as one object of figures.

use std::path::PathBuf;

use vouchsafe_circuits::Suite;

use super::Context;
use super::failure::{Failure, Outcome};
use crate::demo::{DemoError, Figures, Plan, Stage, run as play};

/// Arguments of `vouch demo`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// FHIR R4 bundles to use; a small invented hospital if you give none.
    files: Vec<PathBuf>,
    /// The proof suite.
    #[arg(long, default_value = "bn254")]
    suite: Suite,
    /// Patients of the invented hospital.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    patients: u16,
    /// Seed of the invented hospital.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave the folders of both institutions here, to be looked at.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    let Args { files, suite, patients, seed, keep } = args;
    let plan = Plan { suite, files, patients: usize::from(patients), seed, keep };
    let mut teller = Teller { chapters: 0, silent: context.json };
    let figures = play(&plan, &mut teller).await.map_err(|error| match error {
        DemoError::Files(_) | DemoError::Read(..) | DemoError::Exists(_) => Failure::usage(error),
        _ => Failure::ours(error),
    })?;
    let good = all_good(&figures);
    context.say(&figures, || {
        let refused = figures.refusals.iter().filter(|attempt| attempt.refused).count();
        format!(
            "\n{} records, {} facts proved and verified, {} openings, {} queries, {refused} of {} attempts refused, {} \
             entries in the audit trail.",
            figures.records,
            figures.facts.iter().filter(|fact| fact.valid).count(),
            figures.openings,
            figures.queries,
            figures.refusals.len(),
            figures.trail.values().sum::<u64>()
        )
    });
    if good { Ok(()) } else { Err(Failure::ours_text("the demo did not end as it must; please report it".to_owned())) }
}

/// Every fact valid, every attack refused, every control believed.
fn all_good(figures: &Figures) -> bool {
    figures.facts.iter().all(|fact| fact.valid)
        && figures
            .refusals
            .iter()
            .all(|attempt| attempt.refused && attempt.control.as_ref().is_none_or(|control| control.accepted))
}

struct Teller {
    chapters: usize,
    silent: bool,
}

impl Stage for Teller {
    fn chapter(&mut self, title: &str, why: &str) {
        self.chapters += 1;
        if !self.silent {
            println!("\n{}. {title}\n   {why}", self.chapters);
        }
    }

    fn line(&mut self, text: &str) {
        if !self.silent {
            println!("   {text}");
        }
    }
}
