//! Research: data sets under one budget, projects on them, and what is taken from the budget.
//!
//! `reserved` only grows: what a query took never comes back, whether or not its noise was drawn. So of two that race for the
//! last of a budget the second is refused, in one block or in two. That an answer cost what its entry says is
//! for the member's program to keep; the ledger sees no query.

use vouchsafe_ledger_types::entry::{OpenDataSet, OpenProject, ReserveBudget, Role, SpendBudget};
use vouchsafe_ledger_types::ids::{DataSetId, EntryId, ProjectId, ReservationId};
use vouchsafe_ledger_types::receipt::ReceiptCode;
use vouchsafe_ledger_types::state_value::{DataSetOf, DataSetState, ProjectState, ReservationState, SchemaState};
use vouchsafe_ledger_types::units::MicroEpsilon;

use super::Author;
use crate::state::{ReadError, StateRead};
use crate::state_machine::working::Working;

/// 1000 ε: beyond that noise hides nothing anyway.
const BUDGET_MAX: MicroEpsilon = MicroEpsilon::new(1_000_000_000);
const THRESHOLDS: std::ops::RangeInclusive<u32> = 5..=1000;

type Code = Result<ReceiptCode, ReadError>;

pub(super) fn open_data_set<S: StateRead>(working: &mut Working<'_, S>, author: &Author, body: &OpenDataSet) -> Code {
    if let Some(code) = author.may(Role::Issuer) {
        return Ok(code);
    }
    if body.budget == MicroEpsilon::ZERO || body.budget > BUDGET_MAX {
        return Ok(ReceiptCode::BudgetRange);
    }
    let id = DataSetId::of(author.id, &body.name);
    if working.value::<DataSetState>(id)?.is_some() {
        return Ok(ReceiptCode::DuplicateDataSet);
    }
    for schema in &body.schemas {
        if working.value::<SchemaState>(*schema)?.is_none_or(|schema| schema.retired) {
            return Ok(ReceiptCode::UnknownSchema);
        }
        // Otherwise the same records could be asked about twice, on two budgets.
        if working.value::<DataSetOf>((author.id, *schema))?.is_some() {
            return Ok(ReceiptCode::SchemaTaken);
        }
    }
    for schema in &body.schemas {
        working.put((author.id, *schema), &DataSetOf { data_set: id });
    }
    let state = DataSetState {
        member: author.id,
        name: body.name.clone(),
        schemas: body.schemas.clone(),
        budget: body.budget,
        reserved: MicroEpsilon::ZERO,
        spent: MicroEpsilon::ZERO,
    };
    working.put(id, &state);
    Ok(ReceiptCode::Accepted)
}

pub(super) fn open_project<S: StateRead>(
    working: &mut Working<'_, S>,
    author: &Author,
    id: EntryId,
    body: &OpenProject,
) -> Code {
    if let Some(code) = author.may(Role::Issuer) {
        return Ok(code);
    }
    let data_set: Option<DataSetState> = working.value(body.data_set)?;
    if data_set.is_none_or(|data_set| data_set.member != author.id) {
        return Ok(ReceiptCode::UnknownDataSet);
    }
    if !THRESHOLDS.contains(&body.threshold) {
        return Ok(ReceiptCode::ThresholdRange);
    }
    if body.until <= working.time() {
        return Ok(ReceiptCode::ProjectEnded);
    }
    if body.budget == MicroEpsilon::ZERO || body.budget > BUDGET_MAX {
        return Ok(ReceiptCode::BudgetRange);
    }
    let state = ProjectState {
        member: author.id,
        data_set: body.data_set,
        purpose: body.purpose,
        rule_set: body.rule_set,
        threshold: body.threshold,
        budget: body.budget,
        reserved: MicroEpsilon::ZERO,
        until: body.until,
    };
    working.put(ProjectId::of(id), &state);
    Ok(ReceiptCode::Accepted)
}

pub(super) fn reserve<S: StateRead>(
    working: &mut Working<'_, S>,
    author: &Author,
    id: EntryId,
    body: &ReserveBudget,
) -> Code {
    if let Some(code) = author.may(Role::Issuer) {
        return Ok(code);
    }
    let known: Option<ProjectState> = working.value(body.project)?;
    let Some(project) = known.filter(|project| project.member == author.id) else {
        return Ok(ReceiptCode::UnknownProject);
    };
    if project.until <= working.time() {
        return Ok(ReceiptCode::ProjectEnded);
    }
    if body.amount == MicroEpsilon::ZERO {
        return Ok(ReceiptCode::BudgetRange);
    }
    let data_set = data_set_of(working, &project)?;
    let of_data_set = taken(data_set.reserved, body.amount, data_set.budget);
    let of_project = taken(project.reserved, body.amount, project.budget);
    let (Some(of_data_set), Some(of_project)) = (of_data_set, of_project) else {
        return Ok(ReceiptCode::BudgetExhausted);
    };
    working.put(project.data_set, &DataSetState { reserved: of_data_set, ..data_set });
    working.put(body.project, &ProjectState { reserved: of_project, ..project });
    let state = ReservationState { project: body.project, amount: body.amount, spent: false };
    working.put(ReservationId::of(id), &state);
    Ok(ReceiptCode::Accepted)
}

/// Spending may come after the project's end: the noise was drawn before.
pub(super) fn spend<S: StateRead>(working: &mut Working<'_, S>, author: &Author, body: &SpendBudget) -> Code {
    if let Some(code) = author.holds(Role::Issuer) {
        return Ok(code);
    }
    let Some(reservation) = working.value::<ReservationState>(body.reservation)? else {
        return Ok(ReceiptCode::UnknownReservation);
    };
    let missing = || ReadError::damaged(format!("the project of reservation {} is missing", body.reservation));
    let project: ProjectState = working.value(reservation.project)?.ok_or_else(missing)?;
    if project.member != author.id {
        return Ok(ReceiptCode::UnknownReservation);
    }
    if reservation.spent {
        return Ok(ReceiptCode::AlreadySpent);
    }
    let data_set = data_set_of(working, &project)?;
    let over = || ReadError::damaged(format!("data set {} spends more than a number holds", project.data_set));
    let spent = data_set.spent.checked_add(reservation.amount).ok_or_else(over)?;
    working.put(project.data_set, &DataSetState { spent, ..data_set });
    working.put(body.reservation, &ReservationState { spent: true, ..reservation });
    Ok(ReceiptCode::Accepted)
}

/// What is reserved with this amount more; none if the budget does not suffice.
fn taken(reserved: MicroEpsilon, amount: MicroEpsilon, budget: MicroEpsilon) -> Option<MicroEpsilon> {
    reserved.checked_add(amount).filter(|reserved| *reserved <= budget)
}

fn data_set_of<S: StateRead>(working: &Working<'_, S>, project: &ProjectState) -> Result<DataSetState, ReadError> {
    let missing = || ReadError::damaged(format!("data set {} is missing", project.data_set));
    working.value(project.data_set)?.ok_or_else(missing)
}
