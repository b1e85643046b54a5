//! Who and what is refused, and that a refusal costs nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use vouchsafe_access::policy::{PartyRole, Policy};
use vouchsafe_access::research::{Closed, OpenError, PlanError, Query, QueryError, Refusal};
use vouchsafe_access::vault::CohortError;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger_types::ids::{EntryId, ProjectId};
use vouchsafe_ledger_types::units::MicroEpsilon;

use super::BUDGET;
use super::world::{EXACT, World, at, count, histogram, patients, researcher};
use crate::support::{patient, record};

fn refusal(error: QueryError) -> Refusal {
    let QueryError::Refused(refusal) = error else { panic!("{error:?}") };
    refusal
}

#[tokio::test]
async fn another_researcher_and_an_unknown_project_are_one() {
    let mut world = World::new(90, BUDGET).await;
    let project = world.project(BUDGET).await;
    let asked = count(project, builtin::patient(), EXACT);
    let own = world.researcher.clone();
    world.researcher = researcher("r-2", &mut world.rng);
    assert_eq!(refusal(world.ask(&asked).await.unwrap_err()), Refusal::NoProject);
    world.researcher = own;
    let unknown = count(ProjectId::of(EntryId::from_bytes([9; 32])), builtin::patient(), EXACT);
    assert_eq!(refusal(world.ask(&unknown).await.unwrap_err()), Refusal::NoProject);
    assert_eq!(world.reserved_and_spent(), (0, 0));
    assert!(world.ask(&asked).await.is_ok(), "control");
}

#[tokio::test]
async fn policy_is_asked_before_anything_is_paid() {
    let mut world = World::new(91, BUDGET).await;
    let project = world.project(BUDGET).await;
    let asked = count(project, builtin::patient(), EXACT);
    world.researcher.roles = BTreeSet::from([PartyRole::Reader]);
    assert!(matches!(refusal(world.ask(&asked).await.unwrap_err()), Refusal::Policy(_)));
    world.researcher.roles = BTreeSet::from([PartyRole::Researcher]);
    world.policy = Policy::load("forbid (principal, action, resource);").unwrap();
    assert!(matches!(refusal(world.ask(&asked).await.unwrap_err()), Refusal::Policy(_)));
    assert_eq!(world.reserved_and_spent(), (0, 0));
    // a purpose that the standard policy does not let researchers have
    world.policy = Policy::load(Policy::STANDARD).unwrap();
    let terms = vouchsafe_access::research::ProjectTerms { purpose: "HPAYMT".to_owned(), ..world.terms(BUDGET) };
    let paying = world.desk.open_project(terms, &mut world.rng).await.unwrap();
    let refused = world.ask(&count(paying, builtin::patient(), EXACT)).await.unwrap_err();
    assert!(matches!(refusal(refused), Refusal::Policy(_)));
    assert!(world.ask(&asked).await.is_ok(), "control");
}

#[tokio::test]
async fn identifying_fields_and_other_schemas_are_refused() {
    let mut world = World::new(92, BUDGET).await;
    world.ingest(patients(0..10)).await;
    let project = world.project(BUDGET).await;
    for name in ["birthDate", "postalCode", "familyName"] {
        let refused = world.ask(&histogram(project, builtin::patient(), name, EXACT)).await.unwrap_err();
        assert!(matches!(refused, QueryError::Plan(PlanError::Closed { why: Closed::Tier(3 | 4), .. })), "{refused:?}");
    }
    let other = world.ask(&count(project, builtin::condition(), EXACT)).await.unwrap_err();
    assert_eq!(refusal(other), Refusal::OtherSchema);
    let nothing = count(project, builtin::patient(), MicroEpsilon::ZERO);
    assert!(matches!(world.ask(&nothing).await, Err(QueryError::Noise(_))));
    assert_eq!(world.reserved_and_spent(), (0, 0));
}

#[tokio::test]
async fn a_project_ends_and_a_data_set_does_not_grow() {
    let mut world = World::new(93, BUDGET).await;
    let project = world.project(BUDGET).await;
    let asked = count(project, builtin::patient(), EXACT);
    let late = world.desk.query(&world.policy, &world.researcher, &asked, at(100_000), &mut world.rng).await;
    assert_eq!(refusal(late.unwrap_err()), Refusal::Ended);
    let again = BTreeSet::from([builtin::patient().id()]);
    let other = world.desk.open_data_set("more".parse().unwrap(), again, BUDGET).await;
    assert!(matches!(other, Err(OpenError::Ledger(_))), "a schema is in one data set: {other:?}");
    let free = BTreeSet::from([builtin::condition().id()]);
    assert!(world.desk.open_data_set("conditions".parse().unwrap(), free, BUDGET).await.is_ok(), "control");
    let terms = vouchsafe_access::research::ProjectTerms { title: String::new(), ..world.terms(BUDGET) };
    assert!(matches!(world.desk.open_project(terms, &mut world.rng).await, Err(OpenError::Terms)));
    let terms = vouchsafe_access::research::ProjectTerms { threshold: 4, ..world.terms(BUDGET) };
    assert!(matches!(world.desk.open_project(terms, &mut world.rng).await, Err(OpenError::Ledger(_))));
    assert_eq!(world.research_dir().join("projects").read_dir().unwrap().count(), 1, "refused projects leave no page");
}

/// Records that are staged and not on the ledger are of no anchor.
#[tokio::test]
async fn while_records_are_pending_nothing_is_counted() {
    let mut world = World::new(94, BUDGET).await;
    let project = world.project(BUDGET).await;
    let asked = count(project, builtin::patient(), EXACT);
    world.vault.stage(vec![record(patient(1, "1"))], &mut world.rng).await.unwrap();
    let refused = world.ask(&asked).await;
    assert!(matches!(refused, Err(QueryError::Cohort(CohortError::Unsettled(1)))), "{refused:?}");
    world.vault.settle(&*world.ledger, &mut world.rng).await.unwrap();
    assert!(world.ask(&asked).await.is_ok(), "control");
}

/// An erased subject is no longer counted, though its records may still stand.
#[tokio::test]
async fn erased_subjects_are_left_out() {
    let mut world = World::new(95, BUDGET).await;
    world.ingest(patients(0..10)).await;
    let project = world.project(BUDGET).await;
    let subject = world.vault.subject(&crate::support::mrn(3)).unwrap().unwrap();
    world.vault.dangerous_destroy_erase_key(subject).await.unwrap();
    let asked = Query { schema: Arc::new(builtin::patient()), ..count(project, builtin::patient(), EXACT) };
    assert_eq!(world.ask(&asked).await.unwrap().bins[0].count, 9);
}
