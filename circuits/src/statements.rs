//! Statements: what a proof can say. Each has a folder with its relation, its circuit, its prover and verifier.
//!
//! ```text
//! statements/fact.rs    "an active record of this schema that this member committed satisfies this predicate"
//! ```
//!
//! A statement's numbers and names are final: keys and evidence carry them. Spec: `docs/spec/STATEMENT.md`.

pub mod fact;

use serde::{Deserialize, Serialize};

/// Which statement, in which size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Statement {
    /// `fact` with one clause: fits a domain of 2^13.
    #[serde(rename = "fact-1")]
    Fact1,
    /// `fact` with up to four clauses: fits a domain of 2^14.
    #[serde(rename = "fact-4")]
    Fact4,
}

impl Statement {
    /// All of them.
    pub const ALL: [Statement; 2] = [Statement::Fact1, Statement::Fact4];

    /// The name used in files, in keys and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Statement::Fact1 => "fact-1",
            Statement::Fact4 => "fact-4",
        }
    }

    /// The number that stands for it in key files.
    pub const fn code(self) -> u32 {
        match self {
            Statement::Fact1 => 1,
            Statement::Fact4 => 2,
        }
    }

    /// The statement of a [`Statement::code`].
    pub fn from_code(code: u32) -> Option<Statement> {
        Statement::ALL.into_iter().find(|s| s.code() == code)
    }

    /// How many clauses its predicates have, used or not.
    pub const fn clauses(self) -> usize {
        match self {
            Statement::Fact1 => 1,
            Statement::Fact4 => 4,
        }
    }

    /// How many public inputs its proofs have.
    pub const fn public_inputs(self) -> usize {
        fact::inputs::count(self.clauses())
    }
}

impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of a statement.
#[derive(Debug, thiserror::Error)]
#[error("unknown statement {0:?}: this build knows fact-1 and fact-4")]
pub struct UnknownStatement(String);

impl std::str::FromStr for Statement {
    type Err = UnknownStatement;

    fn from_str(name: &str) -> Result<Statement, UnknownStatement> {
        Statement::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| UnknownStatement(name.to_owned()))
    }
}

/// The shape of a statement's constraint system: what a test pins, and what keys are made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Rank-1 constraints.
    pub constraints: usize,
    /// Public inputs, without the constant one.
    pub public_inputs: usize,
    /// Private variables.
    pub witnesses: usize,
    /// The size of the evaluation domain: the power of two that holds constraints, public inputs and one.
    pub domain: usize,
    /// SHA-256 over the matrices, in hexadecimal digits.
    pub matrix_digest: String,
}
