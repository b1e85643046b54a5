//! The demo: two institutions that never were, what is asked of them over gRPC, and attacks that must fail.
//!
//! ```text
//! found and serve → ingest → questions, online → consent → a doctor, an emergency → a researcher → attacks → the audit
//! ```
//!
//! Everything is real but the people: nodes, TLS, signed calls, proofs, ledgers. Only answers leave sooner than a real
//! node would let them, and passphrases, which are random, are stretched less. The folder is removed at the end, unless
//! it is to be kept.

mod attacks;
mod forge;
pub mod hospital;
mod questions;
mod story;

use std::collections::BTreeMap;
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
    /// Where to leave the folders; a temporary place if nowhere. Nobody has the passphrases afterwards.
    pub keep: Option<PathBuf>,
}

/// What happened: one JSON object of the figures.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// Records on the ledger.
    pub records: u64,
    /// The facts that were proved.
    pub facts: Vec<FactFigures>,
    /// What was tried and refused.
    pub refusals: Vec<Attempt>,
    /// Records that readers opened at the door.
    pub openings: u64,
    /// Research queries that were answered.
    pub queries: u64,
    /// Entries of the audit trail, by kind.
    pub trail: BTreeMap<String, u64>,
    /// Those of them that have no opening: the patched prover logged them.
    pub unopened: u64,
}

/// A proved fact.
#[derive(Debug, Serialize)]
pub struct FactFigures {
    /// The predicate.
    #[serde(rename = "where")]
    pub predicate: String,
    /// Whether the evidence file verified.
    pub valid: bool,
    /// From the question to its answer, in milliseconds: logged, proved, put together, and waited for its slot.
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
