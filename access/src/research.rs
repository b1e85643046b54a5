//! Research: noisy counts of subjects over de-identified fields, paid from a budget that the ledger keeps.
//!
//! ```text
//! desk         the one way from a query to an answer; data sets and projects are opened there
//! project      terms, rule set                    query, bins   what is asked, and into which bins it falls
//! deidentify   rows, of tiers 0 to 2 alone        tally         exact counts of subjects, at sensitivity 1
//! noise        OpenDP's discrete Laplace          shelf         openings, answers and marks, sealed on disk
//! ```
//!
//! Only noisy numbers leave this module. What is protected is the subject, within one data set of one institution; not
//! one who is in two of them, nor anybody from the institution itself. Spec: docs/spec/research.md.

mod bins;
mod deidentify;
mod desk;
mod noise;
mod project;
mod query;
mod shelf;
mod tally;

pub use bins::{BINS_MAX, BinsError};
pub use deidentify::{Closed, open_to_research};
pub use desk::{Answer, AnsweredBin, OpenError, QueryError, Refusal, ResearchDesk, Researcher};
pub use noise::{DISTRIBUTION, Noise, NoiseError, NoiseScale};
pub use project::{ProjectTerms, RULES, TERMS_BYTES_MAX, rule_set};
pub use query::{Cohort, Measure, PlanError, Query};
