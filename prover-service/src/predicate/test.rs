//! Tests on single fields, and formulas over them.

use vouchsafe_circuits::Fe;
use vouchsafe_circuits::record::FieldIndex;
use vouchsafe_circuits::statements::fact::{Clause, Mode};

/// What one clause asks of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// The encoded value lies in these bounds, both included.
    Between(u128, u128),
    /// The encoded value is this one.
    Equals(Fe),
    /// The field is not recorded.
    Absent,
}

/// One test, with the text that it came from. Two tests are equal when they ask the same.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) field: FieldIndex,
    pub(super) ask: Ask,
    pub(super) source: String,
}

impl PartialEq for Test {
    fn eq(&self, other: &Test) -> bool {
        (self.field, self.ask) == (other.field, other.ask)
    }
}

impl Test {
    pub(super) fn clause(&self) -> Clause {
        let (mode, low, high) = match self.ask {
            Ask::Between(low, high) => (Mode::Between, Fe::from_u128(low), Fe::from_u128(high)),
            Ask::Equals(value) => (Mode::Equals, value, Fe::ZERO),
            Ask::Absent => (Mode::Absent, Fe::ZERO, Fe::ZERO),
        };
        Clause { field: self.field, mode, low, high }
    }
}

/// A boolean formula over tests.
#[derive(Clone, Debug)]
pub(super) enum Formula {
    Test(Test),
    Not(Box<Formula>),
    And(Vec<Formula>),
    Or(Vec<Formula>),
}

impl Formula {
    /// Every different test, in the order of first appearance.
    pub(super) fn collect(&self, tests: &mut Vec<Test>) {
        match self {
            Formula::Test(test) if tests.contains(test) => {}
            Formula::Test(test) => tests.push(test.clone()),
            Formula::Not(inner) => inner.collect(tests),
            Formula::And(parts) | Formula::Or(parts) => parts.iter().for_each(|part| part.collect(tests)),
        }
    }

    pub(super) fn eval(&self, value: &dyn Fn(&Test) -> bool) -> bool {
        match self {
            Formula::Test(test) => value(test),
            Formula::Not(inner) => !inner.eval(value),
            Formula::And(parts) => parts.iter().all(|part| part.eval(value)),
            Formula::Or(parts) => parts.iter().any(|part| part.eval(value)),
        }
    }

    /// Joins the bounds that a conjunction puts on one field into one test. `Err` names a test whose bounds
    /// leave nothing over.
    pub(super) fn and(parts: Vec<Formula>) -> Result<Formula, Test> {
        let mut joined: Vec<Formula> = Vec::new();
        for part in parts {
            let Formula::Test(Test { field, ask: Ask::Between(low, high), source }) = &part else {
                joined.push(part);
                continue;
            };
            let same = joined.iter_mut().find_map(|earlier| match earlier {
                Formula::Test(Test { field: f, ask: Ask::Between(l, h), source: s }) if f == field => Some((l, h, s)),
                _ => None,
            });
            match same {
                None => joined.push(part),
                Some((l, h, s)) => {
                    (*l, *h) = ((*l).max(*low), (*h).min(*high));
                    *s = format!("{s} && {source}");
                    if l > h {
                        return Err(Test { field: *field, ask: Ask::Between(*l, *h), source: s.clone() });
                    }
                }
            }
        }
        Ok(match joined.len() {
            1 => joined.remove(0),
            _ => Formula::And(joined),
        })
    }
}
