//! Data sets, projects, reservations: who may write them, what refuses them, and races for the last of a budget.

use vouchsafe_ledger::state::StateRead;
use vouchsafe_ledger_types::entry::{Body, OpenProject};
use vouchsafe_ledger_types::ids::{DataSetId, EntryId, ProjectId, ReservationId};
use vouchsafe_ledger_types::receipt::ReceiptCode;
use vouchsafe_ledger_types::state_value::{DataSetOf, DataSetState, ProjectState, ReservationState, SchemaState};
use vouchsafe_ledger_types::units::MicroEpsilon;

use super::{World, refused};
use crate::world::{at, auditor, clinic, data_set, hospital, open_data_set, open_project, project, register, reserve};
use crate::world::{schemas, spend};

const EPSILON: u64 = 1_000_000;

/// A world with three schemas, and the hospital's data set `all` of the first two, with this budget.
fn world(budget: u64) -> (World, DataSetId) {
    let mut world = World::new();
    for (nonce, schema) in (100..).zip(schemas()) {
        world.accepted(&hospital(), nonce, register(&schema));
    }
    world.accepted(&hospital(), 110, open_data_set("all", &schemas()[..2], budget));
    (world, data_set(&hospital(), "all"))
}

fn totals(world: &World, id: DataSetId) -> (u64, u64) {
    let state: DataSetState = world.state.value(id).unwrap().unwrap();
    (state.reserved.get(), state.spent.get())
}

#[test]
fn data_sets() {
    let (mut world, id) = world(EPSILON);
    let state: DataSetState = world.state.value(id).unwrap().unwrap();
    assert_eq!((state.member, state.name.as_str(), state.budget.get()), (hospital().id(), "all", EPSILON));
    let [first, _, third] = schemas();
    let of: DataSetOf = world.state.value((hospital().id(), first.id())).unwrap().unwrap();
    assert_eq!(of.data_set, id);
    assert_eq!(world.state.value::<DataSetOf>((hospital().id(), third.id())).unwrap(), None);
    let third = || std::slice::from_ref(&third);
    refused(&mut world, &auditor(), 1, open_data_set("x", third(), 1), ReceiptCode::MissingRole);
    refused(&mut world, &hospital(), 2, open_data_set("all", third(), 1), ReceiptCode::DuplicateDataSet);
    refused(&mut world, &hospital(), 3, open_data_set("x", &schemas()[1..], 1), ReceiptCode::SchemaTaken);
    refused(&mut world, &hospital(), 4, open_data_set("x", third(), 0), ReceiptCode::BudgetRange);
    refused(&mut world, &hospital(), 5, open_data_set("x", third(), 1000 * EPSILON + 1), ReceiptCode::BudgetRange);
    let strange = [vouchsafe_circuits::schema::builtin::immunization()];
    refused(&mut world, &hospital(), 6, open_data_set("x", &strange, 1), ReceiptCode::UnknownSchema);
    // Another member has data sets of its own, of the same name and schemas.
    world.accepted(&clinic(), 7, open_data_set("all", &schemas()[..2], 1));
    assert_ne!(data_set(&clinic(), "all"), id);
    world.accepted(&hospital(), 8, open_data_set("x", third(), 1000 * EPSILON));
    // Both in one block: the first has the schema.
    let entries = [register(&strange[0]), open_data_set("y", &strange, 1), open_data_set("z", &strange, 1)];
    let entries = (20..).zip(entries).map(|(nonce, body)| world.write(&hospital(), nonce, body)).collect();
    assert_eq!(world.codes(entries), [ReceiptCode::Accepted, ReceiptCode::Accepted, ReceiptCode::SchemaTaken]);
}

#[test]
fn a_retired_schema_is_in_no_new_data_set() {
    let (mut world, _) = world(EPSILON);
    let third = &schemas()[2];
    let state: SchemaState = world.state.value(third.id()).unwrap().unwrap();
    world.state.dangerous_set(third.id(), &SchemaState { retired: true, ..state });
    let body = open_data_set("x", std::slice::from_ref(third), 1);
    refused(&mut world, &hospital(), 1, body, ReceiptCode::UnknownSchema);
}

#[test]
fn projects() {
    let (mut world, id) = world(EPSILON);
    let with = |change: fn(&mut OpenProject)| {
        let mut body = project(id, EPSILON);
        change(&mut body);
        Body::OpenProject(body)
    };
    refused(&mut world, &auditor(), 1, with(|_| ()), ReceiptCode::MissingRole);
    refused(&mut world, &clinic(), 2, with(|_| ()), ReceiptCode::UnknownDataSet);
    let nowhere = with(|body| body.data_set = DataSetId::from_bytes([9; 32]));
    refused(&mut world, &hospital(), 3, nowhere, ReceiptCode::UnknownDataSet);
    refused(&mut world, &hospital(), 4, with(|body| body.threshold = 4), ReceiptCode::ThresholdRange);
    refused(&mut world, &hospital(), 5, with(|body| body.threshold = 1001), ReceiptCode::ThresholdRange);
    refused(&mut world, &hospital(), 6, with(|body| body.until = at(0)), ReceiptCode::ProjectEnded);
    refused(&mut world, &hospital(), 7, with(|body| body.budget = MicroEpsilon::ZERO), ReceiptCode::BudgetRange);
    let huge = with(|body| body.budget = MicroEpsilon::new(u64::MAX));
    refused(&mut world, &hospital(), 8, huge, ReceiptCode::BudgetRange);
    for (nonce, body) in [(9, with(|body| body.threshold = 5)), (10, with(|body| body.threshold = 1000))] {
        world.accepted(&hospital(), nonce, body);
    }
    // A project may be given more than the data set has; the data set's own budget still counts.
    let id = world.accepted(&hospital(), 11, with(|body| body.budget = MicroEpsilon::new(2 * EPSILON)));
    let state: ProjectState = world.state.value(ProjectId::of(id)).unwrap().unwrap();
    assert_eq!((state.threshold, state.reserved, state.member), (10, MicroEpsilon::ZERO, hospital().id()));
    refused(&mut world, &hospital(), 12, reserve(id, EPSILON + 1), ReceiptCode::BudgetExhausted);
    world.accepted(&hospital(), 13, reserve(id, EPSILON));
}

#[test]
fn reservations() {
    let (mut world, set) = world(EPSILON);
    let id = world.accepted(&hospital(), 1, open_project(set, 600_000));
    refused(&mut world, &auditor(), 2, reserve(id, 1), ReceiptCode::MissingRole);
    refused(&mut world, &clinic(), 3, reserve(id, 1), ReceiptCode::UnknownProject);
    refused(&mut world, &hospital(), 4, reserve(EntryId::from_bytes([9; 32]), 1), ReceiptCode::UnknownProject);
    refused(&mut world, &hospital(), 5, reserve(id, 0), ReceiptCode::BudgetRange);
    refused(&mut world, &hospital(), 6, reserve(id, u64::MAX), ReceiptCode::BudgetExhausted);
    refused(&mut world, &hospital(), 7, reserve(id, 600_001), ReceiptCode::BudgetExhausted);
    let taken = world.accepted(&hospital(), 8, reserve(id, 500_000));
    assert_eq!(totals(&world, set), (500_000, 0));
    // What is reserved does not come back by being spent, nor a second time by being spent twice.
    world.accepted(&hospital(), 9, spend(taken));
    assert_eq!(totals(&world, set), (500_000, 500_000));
    refused(&mut world, &hospital(), 10, spend(taken), ReceiptCode::AlreadySpent);
    refused(&mut world, &hospital(), 11, reserve(id, 100_001), ReceiptCode::BudgetExhausted);
    let last = world.accepted(&hospital(), 12, reserve(id, 100_000));
    refused(&mut world, &hospital(), 13, reserve(id, 1), ReceiptCode::BudgetExhausted);
    refused(&mut world, &clinic(), 14, spend(last), ReceiptCode::UnknownReservation);
    refused(&mut world, &auditor(), 15, spend(last), ReceiptCode::MissingRole);
    refused(&mut world, &hospital(), 16, spend(id), ReceiptCode::UnknownReservation);
    // After the project's end nothing is reserved, but what was drawn is still spent.
    world.time = at(100_000);
    refused(&mut world, &hospital(), 17, reserve(id, 1), ReceiptCode::ProjectEnded);
    world.accepted(&hospital(), 18, spend(last));
    let state: ReservationState = world.state.value(ReservationId::of(last)).unwrap().unwrap();
    assert!(state.spent);
    assert_eq!(totals(&world, set), (600_000, 600_000));
}

/// Two projects on one data set, and two queries of one project, race for what is left: the second is refused, in one block
/// as in two. With another data set there is no race, and both get theirs.
#[test]
fn races() {
    for blocks in [1, 2] {
        for rivals in [[0, 0], [0, 1], [0, 2]] {
            let (mut world, set) = world(EPSILON);
            world.accepted(&hospital(), 1, open_data_set("other", &schemas()[2..], EPSILON));
            let sets = [set, set, data_set(&hospital(), "other")];
            let bodies = (2..).zip(sets).map(|(nonce, set)| (nonce, open_project(set, EPSILON)));
            let projects: Vec<_> = bodies.map(|(nonce, body)| world.accepted(&hospital(), nonce, body)).collect();
            let entries = (10..).zip(rivals).map(|(nonce, of)| (nonce, reserve(projects[of], 600_000)));
            let entries: Vec<_> = entries.map(|(nonce, body)| world.write(&hospital(), nonce, body)).collect();
            let codes: Vec<_> = match blocks {
                1 => world.codes(entries),
                _ => entries.into_iter().flat_map(|entry| world.codes(vec![entry])).collect(),
            };
            let second = if rivals[1] == 2 { ReceiptCode::Accepted } else { ReceiptCode::BudgetExhausted };
            assert_eq!(codes, [ReceiptCode::Accepted, second], "{rivals:?} in {blocks}");
            assert_eq!(totals(&world, set), (600_000, 0));
            let left: ProjectState = world.state.value(ProjectId::of(projects[rivals[1]])).unwrap().unwrap();
            let rival_paid = u64::from(rivals[1] != 1) * 600_000;
            assert_eq!(left.reserved.get(), rival_paid, "a refusal costs nothing");
        }
    }
}

#[test]
fn suspended_members_spend_but_do_not_reserve() {
    let (mut world, set) = world(EPSILON);
    let id = world.accepted(&hospital(), 1, open_project(set, EPSILON));
    let taken = world.accepted(&hospital(), 2, reserve(id, 5));
    world.suspend(&hospital());
    refused(&mut world, &hospital(), 3, open_data_set("x", &schemas()[2..], 1), ReceiptCode::Suspended);
    refused(&mut world, &hospital(), 4, open_project(set, EPSILON), ReceiptCode::Suspended);
    refused(&mut world, &hospital(), 5, reserve(id, 5), ReceiptCode::Suspended);
    world.accepted(&hospital(), 6, spend(taken));
}
