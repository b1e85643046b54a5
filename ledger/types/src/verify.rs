//! Verifying evidence: every check that stands between a file and the sentence "this holds".
//!
//! The verifier recomputes each public input from its own request and from what the trusted seal proves; the
//! pseudonym alone comes from the answer. Pure: time and the predicate's compiler are handed in.
//! It does not say who the subject is, nor that no other record says otherwise.

mod checks;

use vouchsafe_circuits::Pseudonym;
use vouchsafe_circuits::statements::fact::{Clause, TruthTable};

use crate::evidence::Evidence;
use crate::request::{Part, Request};
use crate::trust::Trust;
use crate::units::{BlockTime, Height};

/// How far a seal's time may lie after the verifier's own.
pub const CLOCK_SKEW_SECONDS: u64 = 300;

/// The checks, each with a name, so that a refusal says which failed and an attack test can leave one out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The answer is to the verifier's own request.
    Request,
    /// The clauses are what the predicate's text compiles to.
    Predicate,
    /// Request and trust file are still in force.
    InForce,
    /// The checkpoint is signed by the trusted validators and witnesses.
    Checkpoint,
    /// The seal is in the checkpoint's log, and not before the base.
    Seal,
    /// The seal is as fresh as the request demands.
    Freshness,
    /// The state under the seal is the trusted chain's.
    Chain,
    /// The question was logged and accepted.
    Disclosure,
    /// The seal is no older than the block that logged the question.
    LoggedFirst,
    /// The issuer is in good standing, and its anchor the state's.
    Anchor,
    /// Schema and verifying key are registered, trusted and in use.
    Registry,
    /// The public inputs in the file are the recomputed ones.
    PublicInputs,
    /// The proof holds for the recomputed public inputs.
    Proof,
}

/// Evidence that was refused: which check failed and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused ({check:?}): {why}")]
pub struct Refusal {
    /// The check that failed.
    pub check: Check,
    /// Why.
    pub why: String,
}

/// Turns the text of a part into clauses and table again; the text of an error is shown.
pub type Compiler<'a> = &'a dyn Fn(&Part, u32) -> Result<(Vec<Clause>, TruthTable), String>;

/// What a verifier brings along.
pub struct Verifier<'a> {
    /// Its own copy of the request.
    pub request: &'a Request,
    /// What it trusts.
    pub trust: &'a Trust,
    /// The time of verifying, or the time for which an archived answer is judged.
    pub now: BlockTime,
    /// The predicate's compiler.
    pub compile: Compiler<'a>,
}

/// What holds once every check passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The subject's name in the request's scope.
    pub pseudonym: Pseudonym,
    /// The block that the answer is about.
    pub height: Height,
    /// The time of that block.
    pub time: BlockTime,
}

impl Verifier<'_> {
    /// Runs every check.
    pub fn verify(&self, evidence: &Evidence) -> Result<Verified, Refusal> {
        self.run(evidence, None)
    }

    /// Runs every check but one. For tests and demonstrations of attacks alone: it shows that the one check
    /// is what stops an attack.
    pub fn dangerous_verify_without(&self, skipped: Check, evidence: &Evidence) -> Result<Verified, Refusal> {
        self.run(evidence, Some(skipped))
    }
}
