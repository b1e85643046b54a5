//! The story of the demo, told to a stage: one chapter a function, each in the file of its subject.
//!
//! ```text
//! cast ─► records ─► questions ─► consent ─► door ─► research ─► cheating ─► audit
//! ```
//!
//! The order matters: a doctor reads before a researcher is refused what the doctor read, and the audit is of all of it.

mod audit;
mod cast;
mod certificates;
mod cheating;
mod consent;
mod door;
mod questions;
mod records;
mod research;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

use serde_json::Value as Json;
use vouchsafe_circuits::statements::Statement;

use super::questions::choose;
use super::{Attempt, Control, Figures, Plan, Stage};
use crate::key_files::{KeyFolder, KeyPair};
use cast::{CLINIC, Cast, HOSPITAL};

/// Why the demo stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The files given hold nothing to show.
    #[error("the files hold no {0} to show: give FHIR R4 bundles of patients")]
    Files(&'static str),
    /// A file cannot be read.
    #[error("{0}")]
    Read(PathBuf, #[source] std::io::Error),
    /// The folder to keep is there already.
    #[error("{0} is there already: name a folder that is not")]
    Exists(PathBuf),
    /// Something of ours failed.
    #[error("the demo failed: {0}")]
    Own(String),
}

impl DemoError {
    pub(super) fn own(error: impl std::error::Error) -> DemoError {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        DemoError::Own(text)
    }

    pub(super) fn missing(what: &str) -> DemoError {
        DemoError::Own(format!("{what} is missing"))
    }
}

/// Runs the demo and returns its figures.
pub async fn run(plan: &Plan, stage: &mut dyn Stage) -> Result<Figures, DemoError> {
    let place = Place::of(plan)?;
    let mut told = Told { stage, figures: Figures::default() };
    let cast = founded(plan, place.path(), &mut told).await?;
    let outcome = played(plan, &cast, place.path(), &mut told).await;
    let left = cast.leave().await;
    outcome.and(left)?;
    Ok(told.figures)
}

async fn founded(plan: &Plan, folder: &Path, told: &mut Told<'_>) -> Result<Cast, DemoError> {
    told.chapter(
        "A hospital and a clinic found a ledger, and go into service",
        "The ledger holds commitments, proofs of order and a log that outsiders can audit; never a record.",
    );
    let started = Instant::now();
    let cache = KeyFolder::cache().map_err(DemoError::own)?;
    let keys = Statement::ALL.into_iter().map(|statement| cache.load_or_make(plan.suite, statement));
    let keys: Vec<KeyPair> = keys.collect::<Result<_, _>>().map_err(DemoError::own)?;
    told.line(&format!("proving keys ready ({} ms; made once, then cached)", started.elapsed().as_millis()));
    let started = Instant::now();
    let cast = Cast::assemble(plan.suite, keys, folder).await?;
    let trust = &cast.hospital.trust;
    told.line(&format!("chain {}, members {HOSPITAL} and {CLINIC}, block {}", trust.chain, trust.base.height));
    told.line(&format!(
        "{HOSPITAL} serves at {}, {CLINIC} at {}, both with mutual TLS",
        cast.hospital.url(),
        cast.clinic.url()
    ));
    told.line(&format!("six parties are admitted by their cards ({} ms for all)", started.elapsed().as_millis()));
    Ok(cast)
}

async fn played(plan: &Plan, cast: &Cast, folder: &Path, told: &mut Told<'_>) -> Result<(), DemoError> {
    let mapped = records::taken_in(cast, plan, told).await?;
    let chosen = choose(&mapped, records::today());
    let [age, ..] = &chosen[..] else { return Err(DemoError::Files("age, measurement and diagnosis")) };
    if chosen.len() < 3 {
        return Err(DemoError::Files("age, measurement and diagnosis"));
    }
    let clinic = cast.line_to_clinic(folder).await?;
    let honest = questions::three_facts(cast, &chosen, &clinic, told).await?;
    questions::who_it_is(cast, &chosen, &mapped, &clinic, told).await?;
    questions::the_answer_is_no(cast, age, told).await?;
    questions::a_person_decides(cast, age, &clinic, told).await?;
    consent::given_and_taken_back(cast, age, &clinic, told).await?;
    let visit = door::a_doctor_reads(cast, age, told).await?;
    door::an_emergency(cast, &visit, told).await?;
    research::counts_instead_of_records(cast, age, &visit, told).await?;
    cheating::with_a_patched_prover(cast, age, honest, &clinic, told).await?;
    audit::the_trail(cast, told).await
}

/// Where the folders are: for as long as the story takes, or to keep.
enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    fn of(plan: &Plan) -> Result<Place, DemoError> {
        let Some(folder) = &plan.keep else {
            let passing = tempfile::Builder::new().prefix("vouch-demo-").tempdir();
            return Ok(Place::Passing(passing.map_err(DemoError::own)?));
        };
        match std::fs::create_dir(folder) {
            Ok(()) => Ok(Place::Kept(folder.clone())),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(DemoError::Exists(folder.clone())),
            Err(error) => Err(DemoError::Read(folder.clone(), error)),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Place::Kept(folder) => folder,
            Place::Passing(folder) => folder.path(),
        }
    }
}

/// What was told so far, and to whom.
struct Told<'a> {
    stage: &'a mut dyn Stage,
    figures: Figures,
}

impl Told<'_> {
    fn chapter(&mut self, title: &str, why: &str) {
        self.stage.chapter(title, why);
    }

    fn line(&mut self, text: &str) {
        self.stage.line(text);
    }

    /// Tells of something that must not work.
    fn tried(&mut self, attempt: Attempt) {
        let mark = if attempt.refused { "refused " } else { "ACCEPTED" };
        self.line(&format!("{mark}  {}", attempt.attempt));
        self.line(&format!("          {}", attempt.why));
        if let Some(control) = &attempt.control {
            let outcome = if control.accepted { "it goes through" } else { "STILL REFUSED: the control failed" };
            self.line(&format!("          without {}: {outcome}", control.without));
        }
        self.figures.refusals.push(attempt);
    }
}

impl Attempt {
    /// What came of an attempt: refused for a reason, or not; and of the same without one obstacle.
    fn new(attempt: &str, outcome: Result<(), String>, control: Option<(&str, bool)>) -> Attempt {
        Attempt {
            attempt: attempt.to_owned(),
            refused: outcome.is_err(),
            why: outcome.err().unwrap_or_else(|| "it went through".to_owned()),
            control: control.map(|(without, accepted)| Control { without: without.to_owned(), accepted }),
        }
    }
}

/// An id out of what the operator's socket said.
fn id_in<T: FromStr<Err: std::error::Error>>(said: &Json, name: &str) -> Result<T, DemoError> {
    let text = said[name].as_str().ok_or_else(|| DemoError::missing(name))?;
    text.parse().map_err(DemoError::own)
}
