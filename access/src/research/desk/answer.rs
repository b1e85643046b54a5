//! What the desk answers, and why it does not.

use std::collections::BTreeSet;

use vouchsafe_ledger_types::card::Card;
use vouchsafe_ledger_types::ids::AppHash;
use vouchsafe_ledger_types::state_value::{DataSetState, ProjectState};
use vouchsafe_ledger_types::units::{Height, MicroEpsilon};

use super::pages::StoredAnswer;
use crate::ledger::LedgerError;
use crate::pages::PageError;
use crate::policy::{Denial, PartyRole};
use crate::research::noise::{NoiseError, NoiseScale};
use crate::research::query::PlanError;
use crate::vault::CohortError;

/// One bin of an answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnsweredBin {
    /// Its name; empty for a count.
    pub name: String,
    /// The noisy number of subjects, which may be negative; 0 if it is held back.
    pub count: i64,
    /// Whether it is held back: the noisy number was below the project's threshold.
    pub suppressed: bool,
}

/// A noisy answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// One bin for a count, else all bins of the histogram.
    pub bins: Vec<AnsweredBin>,
    /// The block whose seal the cohort is of.
    pub height: Height,
    /// The app hash of that seal.
    pub app_hash: AppHash,
    /// The scale of the noise.
    pub scale: NoiseScale,
    /// What was paid; nothing for an answer given before.
    pub paid: MicroEpsilon,
    /// What is left of the data set's budget.
    pub remaining: MicroEpsilon,
    /// What is left of the project's.
    pub project_remaining: MicroEpsilon,
    /// Whether it is the answer that was given before.
    pub stored: bool,
}

/// A query was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// It cannot be answered, whatever the records are.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The offer buys no noise.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// The asker may not ask it.
    #[error("the query is refused: {0}")]
    Refused(Refusal),
    /// The budget does not suffice.
    #[error("the budget does not suffice: {offered} were offered, {remaining} are left; nothing was paid")]
    BudgetExhausted {
        /// What the query would have paid.
        offered: MicroEpsilon,
        /// The lesser of what the data set and the project have left.
        remaining: MicroEpsilon,
    },
    /// The records cannot be read. Nothing was paid.
    #[error(transparent)]
    Cohort(#[from] CohortError),
    /// The ledger refused or did not answer. If it did not answer, the budget may be reserved; then it is spent.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The shelf cannot be written or read.
    #[error(transparent)]
    Shelf(#[from] PageError),
}

/// Why an asker may not ask.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such project here, or it is another researcher's: to the asker these are one.
    #[error("there is no such project of this card at this institution")]
    NoProject,
    /// The project has ended.
    #[error("the project has ended: open a new one")]
    Ended,
    /// The schema is not in the project's data set.
    #[error("the schema is not in the project's data set")]
    OtherSchema,
    /// The project was opened under rules that this version does not apply.
    #[error("the project's rule set is not that of this version: open a new project")]
    OtherRules,
    /// Policy.
    #[error(transparent)]
    Policy(#[from] Denial),
}

impl From<Refusal> for QueryError {
    fn from(refusal: Refusal) -> QueryError {
        QueryError::Refused(refusal)
    }
}

/// Who asks: a card that the institution admitted, with the roles it gave it. The caller made sure that it is this party.
#[derive(Clone, Debug)]
pub struct Researcher {
    /// The card.
    pub card: Card,
    /// Its roles.
    pub roles: BTreeSet<PartyRole>,
}

/// Suppression looks at the noisy number alone, so it costs nothing.
pub(super) fn bin(name: String, noisy: i64, threshold: u32) -> AnsweredBin {
    let suppressed = noisy < i64::from(threshold);
    AnsweredBin { name, count: if suppressed { 0 } else { noisy }, suppressed }
}

pub(super) fn answer(
    stored: StoredAnswer,
    scale: NoiseScale,
    paid: Option<MicroEpsilon>,
    project: &ProjectState,
    data_set: &DataSetState,
) -> Answer {
    Answer {
        bins: stored.bins,
        height: stored.height,
        app_hash: stored.app_hash,
        scale,
        paid: paid.unwrap_or_default(),
        remaining: of_data_set(data_set),
        project_remaining: of_project(project),
        stored: paid.is_none(),
    }
}

pub(super) fn of_data_set(state: &DataSetState) -> MicroEpsilon {
    state.budget.checked_sub(state.reserved).unwrap_or_default()
}

pub(super) fn of_project(state: &ProjectState) -> MicroEpsilon {
    state.budget.checked_sub(state.reserved).unwrap_or_default()
}

pub(super) fn left(project: &ProjectState, data_set: &DataSetState) -> MicroEpsilon {
    of_project(project).min(of_data_set(data_set))
}
