//! Data sets, projects and reservations, and what the state knows of them, to and from their messages.

use prost::Message;
use vouchsafe_circuits::SchemaId;
use vouchsafe_circuits::suite::Suite;

use super::state::StateMessage;
use super::{canonical, element, entry_id, fixed, member, parse, purpose, refused, time};
use crate::entry::{EntryError, OpenDataSet, OpenProject, ReserveBudget, SCHEMAS_MAX, SpendBudget};
use crate::ids::{DataSetId, ProjectCommitment, ProjectId, QueryCommitment, ReservationId, RuleSetDigest};
use crate::proto;
use crate::state_value::{DataSetOf, DataSetState, ProjectState, ReservationState};
use crate::units::MicroEpsilon;

/// 1 to 16 schemas, ascending: so a data set has one spelling.
pub(super) fn check_schemas(schemas: &[SchemaId], field: &'static str) -> Result<(), EntryError> {
    if schemas.is_empty() || schemas.len() > SCHEMAS_MAX {
        return Err(refused(field, format!("must be 1 to {SCHEMAS_MAX}")));
    }
    let ascending = schemas.iter().zip(schemas.iter().skip(1)).all(|(one, next)| one < next);
    if ascending { Ok(()) } else { Err(refused(field, "must be ascending, without repetition")) }
}

fn schema_bytes(schemas: &[SchemaId]) -> Vec<Vec<u8>> {
    schemas.iter().map(|schema| schema.fe().as_bytes().to_vec()).collect()
}

fn schemas(bytes: &[Vec<u8>], suite: Suite, field: &'static str) -> Result<Vec<SchemaId>, EntryError> {
    bytes.iter().map(|bytes| element(bytes, suite, field).map(SchemaId::new)).collect()
}

pub(super) fn data_set_message(body: &OpenDataSet) -> proto::OpenDataSet {
    proto::OpenDataSet {
        name: body.name.as_str().to_owned(),
        schemas: schema_bytes(&body.schemas),
        budget: body.budget.get(),
    }
}

pub(super) fn data_set(message: &proto::OpenDataSet, suite: Suite) -> Result<OpenDataSet, EntryError> {
    Ok(OpenDataSet {
        name: parse(&message.name, "open_data_set.name")?,
        schemas: schemas(&message.schemas, suite, "open_data_set.schemas")?,
        budget: MicroEpsilon::new(message.budget),
    })
}

pub(super) fn project_message(body: &OpenProject) -> proto::OpenProject {
    proto::OpenProject {
        commitment: body.commitment.as_bytes().to_vec(),
        data_set: body.data_set.as_bytes().to_vec(),
        purpose_class: body.purpose.code(),
        rule_set: body.rule_set.as_bytes().to_vec(),
        threshold: body.threshold,
        budget: body.budget.get(),
        until: body.until.unix(),
    }
}

pub(super) fn project(message: &proto::OpenProject) -> Result<OpenProject, EntryError> {
    Ok(OpenProject {
        commitment: ProjectCommitment::from_bytes(fixed(&message.commitment, "open_project.commitment")?),
        data_set: DataSetId::from_bytes(fixed(&message.data_set, "open_project.data_set")?),
        purpose: purpose(message.purpose_class, "open_project.purpose_class")?,
        rule_set: RuleSetDigest::from_bytes(fixed(&message.rule_set, "open_project.rule_set")?),
        threshold: message.threshold,
        budget: MicroEpsilon::new(message.budget),
        until: time(message.until, "open_project.until")?,
    })
}

pub(super) fn reserve_message(body: &ReserveBudget) -> proto::ReserveBudget {
    proto::ReserveBudget {
        project: body.project.as_bytes().to_vec(),
        query: body.query.as_bytes().to_vec(),
        amount: body.amount.get(),
    }
}

pub(super) fn reserve(message: &proto::ReserveBudget) -> Result<ReserveBudget, EntryError> {
    Ok(ReserveBudget {
        project: ProjectId::of(entry_id(&message.project, "reserve_budget.project")?),
        query: QueryCommitment::from_bytes(fixed(&message.query, "reserve_budget.query")?),
        amount: MicroEpsilon::new(message.amount),
    })
}

pub(super) fn spend_message(body: &SpendBudget) -> proto::SpendBudget {
    proto::SpendBudget { reservation: body.reservation.as_bytes().to_vec() }
}

pub(super) fn spend(message: &proto::SpendBudget) -> Result<SpendBudget, EntryError> {
    Ok(SpendBudget { reservation: ReservationId::of(entry_id(&message.reservation, "spend_budget.reservation")?) })
}

impl StateMessage for DataSetState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::DataSetState {
            member: self.member.to_bytes().to_vec(),
            name: self.name.as_str().to_owned(),
            schemas: schema_bytes(&self.schemas),
            budget: self.budget.get(),
            reserved: self.reserved.get(),
            spent: self.spent.get(),
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::DataSetState = canonical(bytes)?;
        // As with anchors: this program has one suite, and every use checks again.
        let schemas = schemas(&message.schemas, Suite::Bn254, "schemas")?;
        check_schemas(&schemas, "schemas")?;
        if message.spent > message.reserved || message.reserved > message.budget {
            return Err(refused("spent", "must not be over what is reserved, nor that over the budget"));
        }
        Ok(Self {
            member: member(&message.member, "member")?,
            name: parse(&message.name, "name")?,
            schemas,
            budget: MicroEpsilon::new(message.budget),
            reserved: MicroEpsilon::new(message.reserved),
            spent: MicroEpsilon::new(message.spent),
        })
    }
}

impl StateMessage for DataSetOf {
    fn to_bytes(&self) -> Vec<u8> {
        proto::DataSetOf { data_set: self.data_set.as_bytes().to_vec() }.encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::DataSetOf = canonical(bytes)?;
        Ok(Self { data_set: DataSetId::from_bytes(fixed(&message.data_set, "data_set")?) })
    }
}

impl StateMessage for ProjectState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::ProjectState {
            member: self.member.to_bytes().to_vec(),
            data_set: self.data_set.as_bytes().to_vec(),
            purpose_class: self.purpose.code(),
            rule_set: self.rule_set.as_bytes().to_vec(),
            threshold: self.threshold,
            budget: self.budget.get(),
            reserved: self.reserved.get(),
            until: self.until.unix(),
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::ProjectState = canonical(bytes)?;
        if message.reserved > message.budget {
            return Err(refused("reserved", "must not be over the budget"));
        }
        Ok(Self {
            member: member(&message.member, "member")?,
            data_set: DataSetId::from_bytes(fixed(&message.data_set, "data_set")?),
            purpose: purpose(message.purpose_class, "purpose_class")?,
            rule_set: RuleSetDigest::from_bytes(fixed(&message.rule_set, "rule_set")?),
            threshold: message.threshold,
            budget: MicroEpsilon::new(message.budget),
            reserved: MicroEpsilon::new(message.reserved),
            until: time(message.until, "until")?,
        })
    }
}

impl StateMessage for ReservationState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::ReservationState {
            project: self.project.as_bytes().to_vec(),
            amount: self.amount.get(),
            spent: self.spent,
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::ReservationState = canonical(bytes)?;
        Ok(Self {
            project: ProjectId::of(entry_id(&message.project, "project")?),
            amount: MicroEpsilon::new(message.amount),
            spent: message.spent,
        })
    }
}
