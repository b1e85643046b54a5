//! Relation and circuit say the same of random records and predicates.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use vouchsafe_circuits::Fe;
use vouchsafe_circuits::fact::dangerous::{relation_of, violations};
use vouchsafe_circuits::fact::{Clause, Mode, TruthTable, Violation};
use vouchsafe_circuits::record::{Absence, EncodedField, FieldIndex};
use vouchsafe_circuits::tree::Position;

use crate::sample::{SUITE, Sample, field, number, statement};

/// Small numbers, so that clauses hit their edges often; now and then one that cannot be compared.
fn arb_content() -> impl Strategy<Value = EncodedField> {
    prop_oneof![
        6 => (0..6u64).prop_map(|v| EncodedField::Present(number(v))),
        1 => Just(EncodedField::Present(Fe::from_be_31(&[1; 31]))),
        4 => prop::sample::select(Absence::ALL.to_vec()).prop_map(EncodedField::Absent),
    ]
}

fn arb_clause() -> impl Strategy<Value = Clause> {
    let mode = prop::sample::select(vec![Mode::Unused, Mode::Between, Mode::Between, Mode::Equals, Mode::Absent]);
    (0..4u8, mode, 0..6u64, 0..6u64).prop_map(|(index, mode, a, b)| {
        let field: FieldIndex = field(index);
        match mode {
            Mode::Unused => Clause::unused(),
            Mode::Between => Clause::between(field, number(a.min(b)), number(a.max(b))),
            Mode::Equals => Clause::equals(field, number(a)),
            Mode::Absent => Clause::absent(field),
        }
    })
}

#[test]
fn on_random_records_and_predicates() {
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]));
    let fields = prop::collection::vec(arb_content(), 4);
    let clauses = prop_oneof![prop::collection::vec(arb_clause(), 1), prop::collection::vec(arb_clause(), 4)];
    let counts = std::cell::Cell::new([0; 2]);
    let case = |(fields, clauses, table): (Vec<EncodedField>, Vec<Clause>, u16)| {
        let sample = Sample::at(Position::new(1234), |record| record.fields[..4].copy_from_slice(&fields));
        let public = sample.public(TruthTable::new(table), &clauses);
        let private = sample.assignment(&public);
        let native = relation_of(SUITE, &public, &private);
        let broken = violations(SUITE, statement(&public), &public, &private);
        // a table too large for its clauses is the verifier's business; the circuit refuses it as well
        let fits = public.table.fits(clauses.len());
        let expected = if fits { native.clone().err().into_iter().collect() } else { vec![Violation::Predicate] };
        prop_assert_eq!(&broken, &expected);
        let mut seen = counts.get();
        seen[usize::from(broken.is_empty())] += 1;
        counts.set(seen);
        Ok(())
    };
    let tables = prop_oneof![0..4u16, any::<u16>().prop_map(|t| t | 0x8001), Just(u16::MAX)];
    runner.run(&(fields, clauses, tables), case).expect("relation and circuit agree");
    let [no, yes] = counts.get();
    assert!(no >= 8 && yes >= 8, "both outcomes were seen: {no} no, {yes} yes");
}
