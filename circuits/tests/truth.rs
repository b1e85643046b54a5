//! The truth table in three values against brute force: yes, if it is yes for every value of the unknown.

use vouchsafe_circuits::Fe;
use vouchsafe_circuits::fact::{Clause, Truth, TruthTable, eval, judge};
use vouchsafe_circuits::record::{Absence, EncodedField, FIELDS};

use crate::sample::{field, number};

/// Fields 0 to 3 in a state each: 0 no, 1 yes, 2 unknown, for the clause `field = 1`.
fn fields(states: [u8; 4]) -> [EncodedField; FIELDS] {
    let mut fields = [EncodedField::Absent(Absence::Unused); FIELDS];
    for (field, state) in fields.iter_mut().zip(states) {
        *field = match state {
            2 => EncodedField::Absent(Absence::Withheld),
            value => EncodedField::Present(number(u64::from(value))),
        };
    }
    fields
}

fn states() -> impl Iterator<Item = [u8; 4]> {
    (0..81u8).map(|n| [n % 3, n / 3 % 3, n / 9 % 3, n / 27])
}

/// The answers of the rows that the unknown clauses leave open.
fn oracle(table: u16, states: [u8; 4]) -> Truth {
    let open = |row: &u16| states.iter().enumerate().all(|(i, s)| *s == 2 || u16::from(*s) == row >> i & 1);
    let mut answers = (0..16u16).filter(open).map(|row| table >> row & 1 == 1);
    let first = answers.next().unwrap();
    match (first, answers.all(|answer| answer == first)) {
        (_, false) => Truth::Unknown,
        (true, true) => Truth::Holds,
        (false, true) => Truth::DoesNotHold,
    }
}

#[test]
fn every_table_in_every_state() {
    let clauses = [0, 1, 2, 3].map(|i| Clause::equals(field(i), number(1)));
    let mut yes = 0u32;
    for states in states() {
        let fields = fields(states);
        for table in 0..=u16::MAX {
            let expected = oracle(table, states);
            assert_eq!(judge(&clauses, TruthTable::new(table), &fields), expected, "{table:#x} {states:?}");
            yes += u32::from(expected == Truth::Holds);
        }
    }
    // each state asks 2^unknown bits to be set: the sum over states of 2^(16 − 2^unknown)
    let by_unknown = |unknown: u32, states: u32| states * (1 << (16 - (1 << unknown)));
    assert_eq!(yes, by_unknown(0, 16) + by_unknown(1, 32) + by_unknown(2, 24) + by_unknown(3, 8) + by_unknown(4, 1));
}

#[test]
fn tables_are_built_and_read() {
    let two_of_three = TruthTable::from_fn(4, |c| c[..3].iter().filter(|v| **v).count() >= 2);
    assert_eq!(two_of_three.bits(), 0b1110_1000_1110_1000);
    assert!([0, 1, 2].into_iter().all(|clause| two_of_three.depends_on(clause)));
    assert!(!two_of_three.depends_on(3));
    assert_eq!(TruthTable::from_fn(1, |c| !c[0]).bits(), 0b01);
    assert!(TruthTable::new(0b11).fits(1) && !TruthTable::new(0b100).fits(1));
    assert!(TruthTable::new(u16::MAX).fits(4));
    assert!(!TruthTable::new(0b11).depends_on(0) && TruthTable::new(0b10).depends_on(0));
}

#[test]
fn not_greater_is_unknown_without_a_value_and_absent_or_greater_is_not() {
    let with = |absence| fields_with(EncodedField::Absent(absence));
    let above = Clause::between(field(0), number(8), Fe::from_u128((1 << 120) - 1));
    let clauses = [above, Clause::absent(field(0)), Clause::unused(), Clause::unused()];
    let not_above = TruthTable::from_fn(4, |c| !c[0]);
    let absent_or_above = TruthTable::from_fn(4, |c| c[0] || c[1]);
    for absence in Absence::ALL {
        assert!(!eval(&clauses, not_above, &with(absence)), "{absence:?}");
        assert_eq!(eval(&clauses, absent_or_above, &with(absence)), absence.is_not_recorded(), "{absence:?}");
        let worth = judge(&clauses, absent_or_above, &with(absence));
        match absence {
            Absence::Unused => assert_eq!(worth, Truth::DoesNotHold),
            reason if reason.is_not_recorded() => assert_eq!(worth, Truth::Holds),
            _ => assert_eq!(worth, Truth::Unknown, "{absence:?}"),
        }
        let always = eval(&clauses, TruthTable::new(u16::MAX), &with(absence));
        assert_eq!(always, absence != Absence::Unused, "a field beyond the schema answers nothing");
    }
    assert!(eval(&clauses, not_above, &fields_with(EncodedField::Present(number(7)))));
    assert!(eval(&clauses, absent_or_above, &fields_with(EncodedField::Present(number(8)))));
}

fn fields_with(first: EncodedField) -> [EncodedField; FIELDS] {
    let mut fields = [EncodedField::Absent(Absence::Unused); FIELDS];
    fields[0] = first;
    fields
}
