//! The demo: a small hospital that never was, three facts about its patients, and attacks that must fail.
//!
//! ```text
//! found a consortium → ingest → ask, prove, verify three facts → a false one → attacks, each with its control
//! ```
//!
//! Everything is real but the people: the same code runs as in `vouch ingest`, `prove` and `verify`. The folder is
//! temporary and removed at the end.

mod attacks;
mod forge;
pub mod hospital;
mod questions;
mod story;

use std::path::PathBuf;

use serde::Serialize;
use vouchsafe_circuits::Suite;

pub use story::{DemoError, run};

/// What to show.
pub struct Plan {
    /// The proof suite.
    pub suite: Suite,
    /// FHIR files to use; the generated hospital if there are none.
    pub files: Vec<PathBuf>,
    /// How many patients the generated hospital has.
    pub patients: usize,
    /// The seed of the generated hospital.
    pub seed: u64,
}

/// What happened: one JSON object of the figures.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Records on the ledger.
    pub records: u64,
    /// The facts that were proved.
    pub facts: Vec<FactFigures>,
    /// What was tried and refused.
    pub refusals: Vec<Attempt>,
}

/// A proved fact.
#[derive(Debug, Serialize)]
pub struct FactFigures {
    /// The predicate.
    #[serde(rename = "where")]
    pub predicate: String,
    /// Whether the evidence file verified.
    pub valid: bool,
    /// Proving, with logging the question and assembling the evidence, in milliseconds.
    pub prove_ms: u64,
    /// Verifying the evidence file, in milliseconds.
    pub verify_ms: u64,
    /// The constraints of the circuit.
    pub constraints: usize,
    /// The statement.
    pub statement: String,
    /// The size of the evidence file in bytes.
    pub evidence_bytes: usize,
}

/// Something that must not work.
#[derive(Debug, Serialize)]
pub struct Attempt {
    /// What was tried.
    pub attempt: String,
    /// Whether it was refused.
    pub refused: bool,
    /// Why.
    pub why: String,
    /// The same with one defence left out: it must go through, or the refusal above shows nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
}

/// What happens without one defence.
#[derive(Debug, Serialize)]
pub struct Control {
    /// The defence that was left out.
    pub without: String,
    /// Whether the attack went through.
    pub accepted: bool,
}

/// Where the story is told.
pub trait Stage {
    /// A new chapter.
    fn chapter(&mut self, title: &str, why: &str);
    /// One thing that happened.
    fn line(&mut self, text: &str);
}
