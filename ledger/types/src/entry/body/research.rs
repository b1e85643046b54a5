//! Entries of research: data sets and their privacy budget, projects, and what queries take from it.
//!
//! Budget is reserved before noise is drawn and never comes back, so a crash cannot buy a second draw.

use vouchsafe_circuits::SchemaId;

use super::PurposeClass;
use crate::ids::{DataSetId, DataSetName, ProjectCommitment, ProjectId, QueryCommitment, ReservationId, RuleSetDigest};
use crate::units::{BlockTime, MicroEpsilon};

/// How many schemas a data set may have.
pub(crate) const SCHEMAS_MAX: usize = 16;

/// Puts all records of some schemas of a member under one privacy budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDataSet {
    /// Its name, which with the member's id gives its id.
    pub name: DataSetName,
    /// Its schemas, 1 to 16, ascending.
    pub schemas: Vec<SchemaId>,
    /// What all projects together may ever spend.
    pub budget: MicroEpsilon,
}

/// Opens a project on a data set. The project's id is that of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenProject {
    /// Who researches and what for, blinded.
    pub commitment: ProjectCommitment,
    /// On which data set.
    pub data_set: DataSetId,
    /// Roughly what for.
    pub purpose: PurposeClass,
    /// The rules under which its queries are answered.
    pub rule_set: RuleSetDigest,
    /// Below how many subjects a count is held back.
    pub threshold: u32,
    /// What it may spend of the data set's budget.
    pub budget: MicroEpsilon,
    /// Until when it may ask.
    pub until: BlockTime,
}

/// Takes budget for a query, before its noise is drawn. The reservation's id is that of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveBudget {
    /// The project that asks.
    pub project: ProjectId,
    /// The query, blinded.
    pub query: QueryCommitment,
    /// How much.
    pub amount: MicroEpsilon,
}

/// Says that a reservation's noise was, or may have been, drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendBudget {
    /// The reservation.
    pub reservation: ReservationId,
}
