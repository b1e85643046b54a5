//! Budget goes one way: stored answers, races, and a kill at every step.

use std::time::Duration;

use vouchsafe_access::research::QueryError;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger_types::units::MicroEpsilon;

use super::BUDGET;
use super::world::{EXACT, Fault, Kind, World, at, count, patients};

/// ε 0.1: noise of scale 10, so that two draws differ nine times in ten.
const NOISY: MicroEpsilon = MicroEpsilon::new(100_000);

#[tokio::test]
async fn the_same_query_at_the_same_anchor_is_answered_once() {
    let mut world = World::new(80, BUDGET).await;
    world.ingest(patients(0..200)).await;
    let project = world.project(BUDGET).await;
    let asked = count(project, builtin::patient(), NOISY);
    let first = world.ask(&asked).await.unwrap();
    let spent = world.reserved_and_spent();
    for _ in 0..20 {
        let again = world.ask(&asked).await.unwrap();
        assert_eq!((&again.bins, again.height, again.scale), (&first.bins, first.height, first.scale));
        assert!(again.stored && again.paid == MicroEpsilon::ZERO);
    }
    world.restart().await;
    assert_eq!(world.ask(&asked).await.unwrap().bins, first.bins, "also after a restart");
    assert_eq!(world.reserved_and_spent(), spent);

    // another anchor, another offer and another project: each is another query, and pays
    world.ingest(patients(200..201)).await;
    assert!(!world.ask(&asked).await.unwrap().stored);
    let more = count(project, builtin::patient(), MicroEpsilon::new(NOISY.get() + 1));
    assert!(!world.ask(&more).await.unwrap().stored);
    let other = world.project(BUDGET).await;
    assert!(!world.ask(&count(other, builtin::patient(), NOISY)).await.unwrap().stored);
    assert!(world.reserved_and_spent().0 > 3 * NOISY.get());
}

/// Averaging many draws would wash the noise out: control for the test above. Paid draws differ.
#[tokio::test]
async fn draws_that_are_paid_differ() {
    let mut world = World::new(81, BUDGET).await;
    world.ingest(patients(0..200)).await;
    let project = world.project(BUDGET).await;
    let mut drawn = std::collections::BTreeSet::new();
    for nth in 0..20 {
        let asked = count(project, builtin::patient(), MicroEpsilon::new(NOISY.get() + nth));
        drawn.insert(world.ask(&asked).await.unwrap().bins[0].count);
    }
    assert!(drawn.len() > 5, "{drawn:?}");
}

/// Two clients of two projects, at two desks, for the last of the data set's budget.
#[tokio::test]
async fn two_racing_for_the_last_of_a_budget_one_is_refused() {
    let last = MicroEpsilon::new(EXACT.get() + EXACT.get() / 2);
    let mut world = World::new(82, last).await;
    world.ingest(patients(0..10)).await;
    let projects = [world.project(last).await, world.project(last).await];
    let asked = projects.map(|project| count(project, builtin::patient(), EXACT));
    let second = world.second_desk().await;
    // the second desk has the same projects, as another node of the institution would
    for project in world.research_dir().join("projects").read_dir().unwrap() {
        let from = project.unwrap().path();
        std::fs::copy(&from, world.dir.path().join("research-2/projects").join(from.file_name().unwrap())).unwrap();
    }
    let (mut rng_1, mut rng_2) = (crate::support::rng(1), crate::support::rng(2));
    let (a, b) = tokio::join!(
        world.desk.query(&world.policy, &world.researcher, &asked[0], at(0), &mut rng_1),
        second.query(&world.policy, &world.researcher, &asked[1], at(0), &mut rng_2),
    );
    let answered: Vec<bool> = [&a, &b].map(|answer| answer.is_ok()).to_vec();
    assert_eq!(answered.iter().filter(|ok| **ok).count(), 1, "{a:?} {b:?}");
    let refused = if answered[0] { b } else { a };
    assert!(matches!(refused, Err(QueryError::BudgetExhausted { .. })), "{refused:?}");
    let (reserved, spent) = world.reserved_and_spent();
    assert!(reserved == spent && reserved <= EXACT.get());
    // and then nothing more is had but what fits, from either project
    let third = world.ask(&count(projects[0], builtin::observation(), EXACT)).await;
    assert!(matches!(third, Err(QueryError::BudgetExhausted { .. })));
    let fits = count(projects[1], builtin::observation(), MicroEpsilon::new(1_000_000));
    assert!(world.ask(&fits).await.is_ok(), "control: less is still to be had");
}

#[tokio::test]
async fn a_project_has_a_budget_of_its_own() {
    let mut world = World::new(83, BUDGET).await;
    let project = world.project(EXACT).await;
    world.ask(&count(project, builtin::patient(), EXACT)).await.unwrap();
    let more = world.ask(&count(project, builtin::observation(), EXACT)).await.unwrap_err();
    let QueryError::BudgetExhausted { remaining, .. } = more else { panic!("{more:?}") };
    assert!(remaining.get() <= 1);
    let other = world.project(EXACT).await;
    assert!(world.ask(&count(other, builtin::patient(), EXACT)).await.is_ok(), "control");
}

/// The answer cannot be stored, after the noise was drawn: the budget is gone, and asking again pays again.
#[tokio::test]
async fn a_death_between_draw_and_spend_gives_nothing_back() {
    let mut world = World::new(84, BUDGET).await;
    world.ingest(patients(0..200)).await;
    let project = world.project(BUDGET).await;
    let asked = count(project, builtin::patient(), NOISY);
    let answers = world.research_dir().join("answers");
    std::fs::remove_dir(&answers).unwrap();
    let lost = world.ask(&asked).await;
    assert!(matches!(lost, Err(QueryError::Shelf(_))), "{lost:?}");
    let (reserved, spent) = world.reserved_and_spent();
    assert!(reserved > 0 && spent == 0, "reserved before the noise was drawn");
    world.restart().await; // makes the folder again
    assert_eq!(world.reserved_and_spent(), (reserved, reserved), "spent on opening");
    assert!(!world.ask(&asked).await.unwrap().stored);
    assert_eq!(world.reserved_and_spent(), (2 * reserved, 2 * reserved));
}

/// Killed when the ledger had been told, or not, of what was spent: the answer is there, and is not drawn again.
#[tokio::test]
async fn a_kill_after_the_answer_was_stored_keeps_the_answer() {
    for fault in [Fault::Before, Fault::After, Fault::Killed] {
        let mut world = World::new(85, BUDGET).await;
        world.ingest(patients(0..200)).await;
        let project = world.project(BUDGET).await;
        let asked = count(project, builtin::patient(), NOISY);
        world.ledger.fail(Kind::Spend, fault);
        let killed = tokio::time::timeout(Duration::from_secs(2), world.ask(&asked)).await;
        assert!(!matches!(killed, Ok(Ok(_))), "no answer without its spend: {killed:?}");
        let (reserved, _) = world.reserved_and_spent();
        world.restart().await;
        assert_eq!(world.reserved_and_spent(), (reserved, reserved), "{fault:?}");
        let answer = world.ask(&asked).await.unwrap();
        assert!(answer.stored && answer.paid == MicroEpsilon::ZERO);
        assert_eq!(world.reserved_and_spent(), (reserved, reserved));
    }
}

/// Killed when the reservation had been logged, or not. Without a restart, the next query spends what is left.
#[tokio::test]
async fn a_kill_around_the_reservation_loses_budget_or_nothing() {
    for restart in [true, false] {
        for (fault, taken) in [(Fault::Before, false), (Fault::After, true), (Fault::Killed, true)] {
            let mut world = World::new(86, BUDGET).await;
            world.ingest(patients(0..200)).await;
            let project = world.project(BUDGET).await;
            let asked = count(project, builtin::patient(), NOISY);
            world.ledger.fail(Kind::Reserve, fault);
            let killed = tokio::time::timeout(Duration::from_secs(2), world.ask(&asked)).await;
            assert!(!matches!(killed, Ok(Ok(_))), "{killed:?}");
            let (reserved, spent) = world.reserved_and_spent();
            assert_eq!((reserved > 0, spent), (taken, 0));
            if restart {
                world.restart().await;
            }
            let answer = world.ask(&asked).await.unwrap();
            assert!(!answer.stored);
            let all = reserved + answer.paid.get();
            assert_eq!(world.reserved_and_spent(), (all, all), "{fault:?}");
            // an entry that never arrived may still be on its way until it expires; then its mark goes
            let unspent = world.research_dir().join("unspent");
            let marks = || unspent.read_dir().unwrap().count();
            assert_eq!(marks(), usize::from(!taken));
            world.ledger.clock.set(at(700));
            let late = count(project, builtin::observation(), NOISY);
            world.desk.query(&world.policy, &world.researcher, &late, at(700), &mut world.rng).await.unwrap();
            assert_eq!(world.desk.settle().await.unwrap(), 0);
            assert_eq!(marks(), 0);
        }
    }
}

/// A ledger that shows the wrong entry gets no noise drawn.
#[tokio::test]
async fn a_reservation_is_believed_with_its_proof_alone() {
    let mut world = World::new(87, BUDGET).await;
    let project = world.project(BUDGET).await;
    let asked = count(project, builtin::patient(), NOISY);
    world.ledger.fail(Kind::Reserve, Fault::OtherProof);
    assert!(matches!(world.ask(&asked).await, Err(QueryError::Ledger(_))));
    assert_eq!(world.research_dir().join("answers").read_dir().unwrap().count(), 0);
    assert!(world.ask(&asked).await.is_ok(), "control: with its own proof it is");
}
