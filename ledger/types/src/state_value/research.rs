//! What the state knows of data sets, projects and reservations.

use vouchsafe_circuits::SchemaId;

use crate::entry::PurposeClass;
use crate::ids::{DataSetId, DataSetName, MemberId, ProjectId, RuleSetDigest};
use crate::units::{BlockTime, MicroEpsilon};

/// A data set and its budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSetState {
    /// Whose it is.
    pub member: MemberId,
    /// Its name.
    pub name: DataSetName,
    /// Its schemas, ascending.
    pub schemas: Vec<SchemaId>,
    /// What may ever be reserved.
    pub budget: MicroEpsilon,
    /// What was ever reserved, spent included; never less.
    pub reserved: MicroEpsilon,
    /// What was spent of it.
    pub spent: MicroEpsilon,
}

/// Which data set of a member a schema is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSetOf {
    /// The data set.
    pub data_set: DataSetId,
}

/// A project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectState {
    /// Whose data set it is on.
    pub member: MemberId,
    /// The data set.
    pub data_set: DataSetId,
    /// Roughly what for.
    pub purpose: PurposeClass,
    /// The rules under which its queries are answered.
    pub rule_set: RuleSetDigest,
    /// Below how many subjects a count is held back.
    pub threshold: u32,
    /// What it may ever reserve.
    pub budget: MicroEpsilon,
    /// What it ever reserved, spent included.
    pub reserved: MicroEpsilon,
    /// Until when it may ask.
    pub until: BlockTime,
}

/// A reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReservationState {
    /// The project.
    pub project: ProjectId,
    /// How much.
    pub amount: MicroEpsilon,
    /// Whether it was spent.
    pub spent: bool,
}
