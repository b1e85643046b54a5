//! Researchers over gRPC: counts with noise, paid from a budget that nobody overdraws.

use rand::rngs::OsRng;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger_types::ids::ProjectId;
use vouchsafe_ledger_types::units::MicroEpsilon;
use vouchsafe_prover_service::client::{ClientError, OpenWish, QueryWish};
use vouchsafe_prover_service::operator::{Command, DataSetOrder, ProjectOrder};

use super::people::{caller, done, hospital_node, in_an_hour, now, operate, party, record};
use crate::server::world::World;

fn data_set(world: &World, budget: u64) {
    let schemas = ["patient", "observation", "condition"].map(str::to_owned).to_vec();
    let order = DataSetOrder { name: "wards".parse().unwrap(), schemas, budget: MicroEpsilon::new(budget) };
    done(world, Command::OpenDataSet(order));
}

fn project(world: &World, researcher: &str, budget: u64) -> ProjectId {
    let order = ProjectOrder {
        title: "falls on wards".to_owned(),
        researcher: researcher.parse().unwrap(),
        purpose: "HRESCH".to_owned(),
        data_set: "wards".parse().unwrap(),
        threshold: 5,
        budget: MicroEpsilon::new(budget),
        until: in_an_hour(),
    };
    done(world, Command::OpenProject(order))["project"].as_str().unwrap().parse().unwrap()
}

fn refused<T>(outcome: Result<T, ClientError>, why: &str) {
    match outcome {
        Err(ClientError::Refused(text)) => assert!(text.contains(why), "{text}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("answered"),
    }
}

fn count(project: ProjectId, cohort: &str, pay: u64) -> QueryWish {
    QueryWish {
        project,
        schema: "patient".to_owned(),
        cohort: cohort.to_owned(),
        histogram: None,
        pay: MicroEpsilon::new(pay),
    }
}

#[test]
fn a_researcher_counts_until_the_budget_is_spent_and_opens_nothing() {
    let world = hospital_node("research-online", 40);
    let researcher = party(&world, "dr-stat", &[PartyRole::Researcher, PartyRole::Reader]);
    let other = party(&world, "dr-else", &[PartyRole::Researcher]);
    data_set(&world, 9_000_000);
    let project = project(&world, "dr-stat", 8_000_000);
    let channel = world.connect();
    let query =
        |secrets, wish: &QueryWish| world.block_on(caller(&world, secrets).query(&channel, wish, now(), &mut OsRng));
    let all = query(&researcher, &count(project, "", 4_000_000)).unwrap();
    // at ε 4 the noise exceeds 8 with probability e^-32
    assert!((all.bins[0].count - 40).abs() <= 8 && !all.bins[0].suppressed, "{all:?}");
    assert_eq!((all.remaining, all.project_remaining, all.stored), (5_000_000, 4_000_000, false));
    assert_eq!(all.app_hash.len(), 32);
    let again = query(&researcher, &count(project, "", 4_000_000)).unwrap();
    assert_eq!((again.bins, again.stored, again.micro_epsilon), (all.bins, true, 0), "the same answer, for nothing");

    let by_gender = QueryWish { histogram: Some(("gender".to_owned(), Vec::new())), ..count(project, "", 3_000_000) };
    let names: Vec<_> = query(&researcher, &by_gender).unwrap().bins.into_iter().map(|bin| bin.name).collect();
    assert!(["female", "male", "other", "unknown"].iter().all(|name| names.iter().any(|n| n == name)), "{names:?}");

    refused(query(&researcher, &count(project, "gender == \"male\"", 2_000_000)), "budget");
    refused(query(&researcher, &count(project, "birthDate <= date(\"1980-11-23\")", 1)), "closed");
    refused(query(&other, &count(project, "", 1_000)), "no such project");
    refused(query(&researcher, &count(project, "gender == \"male\" &&", 1_000)), "CEL");

    let patient = record(&world, &builtin::patient());
    let wish = OpenWish { record: patient, tier: 2, purpose: "HRESCH".into(), emergency: false, reason: String::new() };
    let opened = world.block_on(caller(&world, &researcher).open(&channel, &wish, now(), &mut OsRng));
    refused(opened, "not permitted");
}

#[test]
fn of_two_projects_that_race_for_the_last_of_a_budget_one_is_refused() {
    let world = hospital_node("research-race", 3);
    let names = ["stat-1", "stat-2"];
    let secrets = names.map(|name| party(&world, name, &[PartyRole::Researcher]));
    data_set(&world, 1_000_000);
    let projects = names.map(|name| project(&world, name, 1_000_000));
    let channels = [world.connect(), world.connect()];
    // six queries of 0.3 from two projects at once, and 1.0 in all: three are answered
    let outcomes = world.block_on(async {
        let parties = [caller(&world, &secrets[0]), caller(&world, &secrets[1])];
        let ask = async |n: usize| {
            let cohort = ["gender == \"male\"", "gender == \"female\"", "maritalStatus == \"M\""][n / 2];
            let wish = count(projects[n % 2], cohort, 300_000);
            parties[n % 2].query(&channels[n % 2], &wish, now(), &mut OsRng).await
        };
        let (a, b, c, d, e, f) = tokio::join!(ask(0), ask(1), ask(2), ask(3), ask(4), ask(5));
        [a, b, c, d, e, f]
    });
    let answered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(answered, 3, "{outcomes:?}");
    assert!(outcomes.iter().filter_map(|o| o.as_ref().err()).all(|e| e.to_string().contains("budget")), "{outcomes:?}");
    let again = DataSetOrder {
        name: "more".parse().unwrap(),
        schemas: vec!["patient".to_owned()],
        budget: MicroEpsilon::new(1_000_000),
    };
    assert_eq!(operate(&world, Command::OpenDataSet(again)).status, 1, "a schema has one budget, for good");
}
