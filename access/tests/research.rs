//! Research: one subject counts once, budget goes one way, what is too small is held back, and the rest is refused.

mod budget;
mod refusals;
mod world;

use vouchsafe_access::research::{Cohort, Query};
use vouchsafe_circuits::Fe;
use vouchsafe_circuits::fact::{Clause, TruthTable};
use vouchsafe_circuits::record::Value;
use vouchsafe_circuits::schema::{builtin, offset_number};
use vouchsafe_ledger_types::units::MicroEpsilon;

use world::{EXACT, World, count, histogram, patients, pressure};

const BUDGET: MicroEpsilon = MicroEpsilon::new(1_000_000_000);

#[tokio::test]
async fn a_count_is_paid_and_names_its_seal() {
    let mut world = World::new(70, BUDGET).await;
    world.ingest(patients(0..40)).await;
    let project = world.project(BUDGET).await;
    let answer = world.ask(&count(project, builtin::patient(), EXACT)).await.unwrap();
    assert_eq!(answer.bins.len(), 1);
    assert_eq!((answer.bins[0].name.as_str(), answer.bins[0].count, answer.bins[0].suppressed), ("", 40, false));
    assert!(!answer.stored);
    assert!(answer.paid <= EXACT && answer.paid.get() + 1 >= EXACT.get());
    assert!((answer.scale.get() - 0.02).abs() < 1e-12);
    assert_eq!(answer.app_hash, world.ledger.app_hash_at(answer.height));
    let paid = answer.paid.get();
    assert_eq!(answer.remaining.get(), BUDGET.get() - paid);
    assert_eq!(answer.project_remaining, answer.remaining);
    assert_eq!(world.reserved_and_spent(), (paid, paid));
}

#[tokio::test]
async fn a_cohort_is_of_de_identified_fields() {
    let mut world = World::new(71, BUDGET).await;
    world.ingest((0..30).map(|n| pressure(n, 0, 100 + i64::from(n))).collect()).await;
    let project = world.project(BUDGET).await;
    let schema = builtin::observation();
    let bound = |v| Fe::from_u64(offset_number(v));
    let clause = Clause::between(schema.field("systolic").unwrap().0, bound(120), bound(300));
    let cohort = Cohort::of("systolic >= 120", vec![clause], TruthTable::new(0b10));
    let answer = world.ask(&Query { cohort, ..count(project, schema, EXACT) }).await.unwrap();
    assert_eq!(answer.bins[0].count, 10);
}

/// Fifty records of one subject, in fifty places of the histogram: everything moves by one.
#[tokio::test]
async fn fifty_records_move_an_exact_count_by_one() {
    let mut world = World::new(72, BUDGET).await;
    world.ingest((0..20).map(|n| pressure(n, 0, 100 + 5 * i64::from(n))).collect()).await;
    let project = world.project(BUDGET).await;
    let asked =
        [count(project, builtin::observation(), EXACT), histogram(project, builtin::observation(), "systolic", EXACT)];
    // below the threshold bins are held back, so the histogram is looked at from many subjects on
    let before = world.ask(&asked[0]).await.unwrap().bins[0].count;
    world.ingest((0..50).map(|n| pressure(77, n, 100 + i64::from(n))).collect()).await;
    let after = world.ask(&asked[0]).await.unwrap().bins[0].count;
    assert_eq!((before, after), (20, 21));
    // control: it is fifty records that came
    let active = world.vault.count_by_schema().unwrap()[&builtin::observation().id()];
    assert_eq!(active, 70);

    world.ingest((100..106).flat_map(|s| (0..50).map(move |n| pressure(s, n, 200 + i64::from(n % 5)))).collect()).await;
    let answer = world.ask(&asked[1]).await.unwrap();
    let bin = answer.bins.iter().find(|bin| bin.name == "200 to 204").unwrap();
    assert_eq!(bin.count, 6, "six subjects with fifty records each");
    assert_eq!(answer.bins.iter().map(|bin| bin.count).sum::<i64>(), 6, "every other bin is held back");
}

#[tokio::test]
async fn bins_are_the_same_with_and_without_records() {
    let mut world = World::new(73, BUDGET).await;
    let project = world.project(BUDGET).await;
    let asked = histogram(project, builtin::patient(), "gender", EXACT);
    let names = |answer: &vouchsafe_access::research::Answer| -> Vec<String> {
        answer.bins.iter().map(|bin| bin.name.clone()).collect()
    };
    let empty = world.ask(&asked).await.unwrap();
    assert!(empty.bins.iter().all(|bin| bin.suppressed && bin.count == 0));
    world.ingest(patients(0..12)).await;
    let full = world.ask(&asked).await.unwrap();
    assert_eq!(names(&empty), names(&full));
    assert!(names(&full).ends_with(&["other".to_owned(), "absent".to_owned()]));
    let counted: Vec<_> = full.bins.iter().filter(|bin| !bin.suppressed).collect();
    assert_eq!((counted.len(), counted[0].name.as_str(), counted[0].count), (1, "female", 12));
}

#[tokio::test]
async fn what_is_below_the_threshold_by_the_noisy_number_is_held_back() {
    let mut world = World::new(74, BUDGET).await;
    let project = world.project(BUDGET).await;
    for (subjects, told) in [(4, None), (5, Some(5))] {
        world.ingest(patients(0..subjects)).await;
        let bin = world.ask(&count(project, builtin::patient(), EXACT)).await.unwrap().bins.remove(0);
        assert_eq!((!bin.suppressed).then_some(bin.count), told);
        assert!(!bin.suppressed || bin.count == 0);
    }
    // it is the noisy number that decides: with much noise some empty counts are told and some full ones are not
    let mut told = 0;
    for nth in 0..40u64 {
        let cheap = MicroEpsilon::new(10_000 + nth); // scale about 100
        told += u32::from(!world.ask(&count(project, builtin::patient(), cheap)).await.unwrap().bins[0].suppressed);
    }
    assert!((1..40).contains(&told), "{told} of 40: fails once in 10^11 runs");
}

/// A service answers on whichever thread is free.
#[tokio::test]
async fn a_query_can_move_between_threads() {
    fn movable<T: Send>(future: T) -> T {
        future
    }
    let mut world = World::new(76, BUDGET).await;
    let terms = world.terms(BUDGET);
    let project = movable(world.desk.open_project(terms, &mut world.rng)).await.unwrap();
    let asked = count(project, builtin::patient(), EXACT);
    let asking = world.desk.query(&world.policy, &world.researcher, &asked, world::at(0), &mut world.rng);
    assert!(movable(asking).await.is_ok());
    movable(world.desk.settle()).await.unwrap();
    movable(world.desk.remaining(project)).await.unwrap();
}

/// No value, no cohort's text, no researcher's name is readable in the folder.
#[tokio::test]
async fn the_shelf_holds_nothing_readable() {
    let mut world = World::new(75, BUDGET).await;
    world.ingest(patients(0..12)).await;
    let project = world.project(BUDGET).await;
    let schema = builtin::patient();
    let (index, field) = schema.field("gender").unwrap();
    let female = field.encode(&Value::Code("female".to_owned())).unwrap();
    let cohort = Cohort::of("gender == \"female\"", vec![Clause::equals(index, female)], TruthTable::new(0b10));
    world.ask(&Query { cohort, ..count(project, schema, EXACT) }).await.unwrap();
    let files = crate::support::files(&world.research_dir());
    assert_eq!(files.len(), 3, "project, query, answer");
    for needle in ["female", "gender", "blood sugar", "r-1", "count", "HRESCH"] {
        assert!(
            files.iter().all(|(_, bytes)| !bytes.windows(needle.len()).any(|w| w == needle.as_bytes())),
            "{needle}"
        );
    }
}
