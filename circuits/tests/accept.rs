//! What relation and circuit both accept: every mode, absence, the edges of validity, any place in the set.

use vouchsafe_circuits::fact::dangerous::{loose_variables, violations};
use vouchsafe_circuits::fact::{Clause, Public, TruthTable, Witness, relation, shape};
use vouchsafe_circuits::record::{Absence, Day, EncodedField};
use vouchsafe_circuits::tree::Position;
use vouchsafe_circuits::{Fe, Statement};

use crate::sample::{LONG_TEXT, NOT_ASKED, SUITE, Sample, TODAY, WITHHELD, field, no, number, statement, yes};

fn accepted(name: &str, sample: &Sample, public: &Public) {
    let witness: Witness = sample.witness();
    assert_eq!(relation(SUITE, statement(public), public, &witness), Ok(()), "{name}");
    let broken = violations(SUITE, statement(public), public, &sample.assignment(public));
    assert_eq!(broken, [], "{name}");
}

#[test]
fn every_mode() {
    let sample = Sample::new();
    let high = Fe::from_u128((1 << 120) - 1);
    let text = Fe::from_be_31(&[0xee; 31]);
    let always = TruthTable::new(0b11);
    for (name, table, clause) in [
        ("between, both edges equal", yes(), Clause::between(field(4), number(104), number(104))),
        ("between, at the low edge", yes(), Clause::between(field(4), number(104), high)),
        ("between, at the high edge", yes(), Clause::between(field(4), number(0), number(104))),
        ("not between, one above", no(), Clause::between(field(4), number(0), number(103))),
        ("not between, one below", no(), Clause::between(field(4), number(105), high)),
        ("equals", yes(), Clause::equals(field(4), number(104))),
        ("equals, a long text", yes(), Clause::equals(field(LONG_TEXT), text)),
        ("not equals", no(), Clause::equals(field(4), number(105))),
        ("not equals, a long text", no(), Clause::equals(field(4), text)),
        ("absent", yes(), Clause::absent(field(NOT_ASKED))),
        ("not absent", no(), Clause::absent(field(4))),
        ("not absent, a long text", no(), Clause::absent(field(LONG_TEXT))),
        ("unknown, but always yes", always, Clause::between(field(WITHHELD), number(1), number(2))),
        ("unknown absence, but always yes", always, Clause::absent(field(WITHHELD))),
        ("a comparison on an absent field, but always yes", always, Clause::equals(field(NOT_ASKED), number(1))),
        ("no clause at all", always, Clause::unused()),
    ] {
        accepted(name, &sample, &sample.public(table, &[clause]));
    }
}

#[test]
fn every_reason_for_absence() {
    for reason in Absence::ALL.into_iter().filter(|reason| *reason != Absence::Unused) {
        let sample = Sample::at(Position::new(9), |record| record.fields[14] = EncodedField::Absent(reason));
        let table = if reason.is_not_recorded() { yes() } else { TruthTable::new(0b11) };
        accepted(&format!("{reason:?}"), &sample, &sample.public(table, &[Clause::absent(field(14))]));
    }
}

#[test]
fn edges_of_comparison() {
    let top = (1u128 << 120) - 1;
    for value in [0, 1, top - 1, top] {
        let sample = Sample::at(Position::new(9), |record| {
            record.fields[0] = EncodedField::Present(Fe::from_u128(value));
        });
        for (low, high) in [(0, 0), (0, 1), (1, 1), (0, top), (1, top - 1), (top - 1, top - 1), (top, top)] {
            let table = if low <= value && value <= high { yes() } else { no() };
            let clause = Clause::between(field(0), Fe::from_u128(low), Fe::from_u128(high));
            accepted(&format!("{low} ≤ {value} ≤ {high}"), &sample, &sample.public(table, &[clause]));
        }
    }
}

#[test]
fn validity_at_its_edges() {
    let clause = [Clause::equals(field(0), number(100))];
    for day in [TODAY - 100, TODAY, TODAY + 100] {
        let sample = Sample::new();
        let public = Public { today: Day::new(day), ..sample.public(yes(), &clause) };
        accepted(&format!("day {day}"), &sample, &public);
    }
    for (from, until, today) in [(0, 0, 0), (0, u32::MAX, i32::MAX), (TODAY as u32, TODAY as u32, TODAY)] {
        let sample = Sample::at(Position::new(3), |record| {
            (record.header.valid.from, record.header.valid.until) = (from, until);
        });
        let public = Public { today: Day::new(today), ..sample.public(yes(), &clause) };
        accepted(&format!("{from} to {until}"), &sample, &public);
    }
}

#[test]
fn any_place_and_any_field() {
    for position in [0, 1, 2, 3, 0x8000_0000, u32::MAX] {
        let sample = Sample::at(Position::new(position), |_| {});
        let public = sample.public(yes(), &[Clause::equals(field(5), number(105))]);
        accepted(&format!("position {position}"), &sample, &public);
    }
    let sample = Sample::at(Position::new(8), |record| record.fields[15] = EncodedField::Present(number(115)));
    for index in (0..16).filter(|i| ![NOT_ASKED, WITHHELD, LONG_TEXT].contains(i)) {
        let public = sample.public(yes(), &[Clause::equals(field(index), number(100 + u64::from(index)))]);
        accepted(&format!("field {index}"), &sample, &public);
    }
}

#[test]
fn four_clauses() {
    let sample = Sample::new();
    let clauses = [
        Clause::between(field(1), number(100), number(110)),
        Clause::equals(field(2), number(0)),
        Clause::absent(field(NOT_ASKED)),
        Clause::between(field(WITHHELD), number(0), number(1)),
    ];
    let two_of_three = TruthTable::from_fn(4, |c| c[..3].iter().filter(|v| **v).count() == 2);
    accepted("two of three, the fourth not looked at", &sample, &sample.public(two_of_three, &clauses));
    let gap = [clauses[0], Clause::unused(), clauses[0], Clause::unused()];
    let both = TruthTable::from_fn(4, |c| c[0] && c[2]);
    accepted("unused clauses in between", &sample, &sample.public(both, &gap));
}

#[test]
fn no_private_variable_stands_loose() {
    let sample = Sample::new();
    // (question, how many zero tests are of zero: their inverse is free)
    let one: [(TruthTable, Clause, usize); 6] = [
        (yes(), Clause::between(field(4), number(100), number(110)), 0),
        (yes(), Clause::between(field(4), number(104), number(110)), 1),
        (yes(), Clause::equals(field(4), number(104)), 1),
        (no(), Clause::equals(field(4), number(105)), 0),
        (yes(), Clause::absent(field(NOT_ASKED)), 0),
        (TruthTable::new(0b11), Clause::unused(), 0),
    ];
    for (table, clause, zeros) in one {
        let public = sample.public(table, &[clause]);
        let loose = loose_variables(SUITE, Statement::Fact1, &public, &sample.assignment(&public));
        assert_eq!(loose, Some(zeros), "{clause:?}");
    }
    let public = sample.public(TruthTable::new(u16::MAX), &[one[0].1, one[1].1, one[4].1, one[3].1]);
    let loose = loose_variables(SUITE, Statement::Fact4, &public, &sample.assignment(&public));
    assert_eq!(loose, Some(1));
}

#[test]
fn shape_is_pinned() {
    for (statement, constraints, domain, digest) in [
        (Statement::Fact1, 7143, 1 << 13, "e5d3ba3419cd67754b7a51f5dfa8bd1a905f535e4b2ed55eb8c91ffb134b827c"),
        (Statement::Fact4, 10_973, 1 << 14, "06eb253270cf1c92941cb5a925ab059f1d3573d6c36480f6c3e944245c215ca9"),
    ] {
        let shape = shape(SUITE, statement).expect("a circuit");
        assert_eq!(shape.domain, domain);
        assert!(shape.constraints + shape.public_inputs < domain);
        assert_eq!(shape.public_inputs, statement.public_inputs());
        let pinned = (shape.constraints, shape.matrix_digest.as_str());
        assert_eq!(pinned, (constraints, digest), "a change of shape comes with a decision note and new keys");
    }
}
