//! What the desk writes on its shelf: queries as the auditor opens them, answers, marks.

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::ids::{Anchor, SchemaId};
use vouchsafe_ledger_types::ids::{AppHash, ProjectId, ReservationId};
use vouchsafe_ledger_types::units::{BlockTime, Height, MicroEpsilon};

use super::AnsweredBin;
use crate::research::query::{Measure, Query};

/// A query, as the opening of its commitment on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueryWords {
    project: ProjectId,
    schema: SchemaId,
    /// As it was written.
    cohort: String,
    measure: Measure,
    amount: MicroEpsilon,
    height: Height,
    anchor: Anchor,
    /// The canonical bytes: the clauses that the text was compiled to.
    canonical: String,
}

impl QueryWords {
    pub(super) fn of(query: &Query, amount: MicroEpsilon, height: Height, anchor: Anchor) -> QueryWords {
        QueryWords {
            project: query.project,
            schema: query.schema.id(),
            cohort: query.cohort.source().to_owned(),
            measure: query.measure.clone(),
            amount,
            height,
            anchor,
            canonical: hex::encode(query.canonical()),
        }
    }
}

/// An answer that was given, or may have been. The scale of its noise follows from the query's offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredAnswer {
    pub(super) reservation: ReservationId,
    pub(super) height: Height,
    pub(super) app_hash: AppHash,
    pub(super) bins: Vec<AnsweredBin>,
}

/// That a reservation's noise may have been drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    /// When the reservation's entry expires: from then on it cannot be accepted any more.
    pub(super) expires: BlockTime,
}
