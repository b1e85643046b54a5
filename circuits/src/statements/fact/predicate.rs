//! The predicate: clauses over single fields, joined by a truth table, in three values.
//!
//! ```text
//! table bit b_0 + 2 b_1 + 4 b_2 + 8 b_3 is the answer when clause i is b_i
//! fold one clause:  known ? (value ? t1 : t0) : t0 · t1        true only if yes for every value of the unknown
//! ```
//!
//! The native twin of `circuit/predicate.rs`. Spec: docs/spec/fact.md, "predicate".

use serde::{Deserialize, Serialize};

use crate::fe::Fe;
use crate::record::{EncodedField, FIELDS, FieldIndex};

/// Values and operands that are compared lie below 2 to this power.
pub const OPERAND_BITS: usize = 120;

/// What a clause says about its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Mode {
    /// Nothing: the clause is not used.
    Unused = 0,
    /// low ≤ value ≤ high.
    Between = 1,
    /// value = low.
    Equals = 2,
    /// There is no value, and that is recorded as such.
    Absent = 3,
}

/// One clause of a predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Which field.
    pub field: FieldIndex,
    /// What is said of it.
    pub mode: Mode,
    /// The lower bound, or the value of `equals`; else zero.
    pub low: Fe,
    /// The upper bound; else zero.
    pub high: Fe,
}

impl Clause {
    /// A place that is not used.
    pub fn unused() -> Clause {
        let Some(field) = FieldIndex::all().next() else { unreachable!("there are sixteen") };
        Clause { field, mode: Mode::Unused, low: Fe::ZERO, high: Fe::ZERO }
    }

    /// `low ≤ field ≤ high`.
    pub fn between(field: FieldIndex, low: Fe, high: Fe) -> Clause {
        Clause { field, mode: Mode::Between, low, high }
    }

    /// `field = value`.
    pub fn equals(field: FieldIndex, value: Fe) -> Clause {
        Clause { field, mode: Mode::Equals, low: value, high: Fe::ZERO }
    }

    /// `absent(field)`.
    pub fn absent(field: FieldIndex) -> Clause {
        Clause { field, mode: Mode::Absent, low: Fe::ZERO, high: Fe::ZERO }
    }
}

/// What a clause is worth on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Known(bool),
    Unknown,
}

/// A clause that no answer fits: the field lies beyond the schema, or a compared value is 2^120 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoAnswer;

/// A field as a clause meets it: what its leaf holds.
#[derive(Clone, Copy)]
pub(crate) enum Content {
    Present(Fe),
    /// With the reason's number.
    Absent(Fe),
}

impl From<&EncodedField> for Content {
    fn from(field: &EncodedField) -> Content {
        match field {
            EncodedField::Present(value) => Content::Present(*value),
            EncodedField::Absent(reason) => Content::Absent(Fe::from_u64(*reason as u64)),
        }
    }
}

impl Clause {
    pub(crate) fn answer(&self, content: Content) -> Result<Answer, NoAnswer> {
        let reason = match (self.mode, content) {
            (Mode::Unused, _) => return Ok(Answer::Known(false)),
            (Mode::Between, Content::Present(value)) => {
                let value = operand(value).ok_or(NoAnswer)?;
                let (low, high) = operand(self.low).zip(operand(self.high)).ok_or(NoAnswer)?;
                return Ok(Answer::Known(low <= value && value <= high));
            }
            (Mode::Equals, Content::Present(value)) => return Ok(Answer::Known(value == self.low)),
            (Mode::Absent, Content::Present(_)) => return Ok(Answer::Known(false)),
            (Mode::Between | Mode::Equals | Mode::Absent, Content::Absent(reason)) => reason,
        };
        match (reason.to_u64(), self.mode) {
            (Some(1..=3), Mode::Absent) => Ok(Answer::Known(true)),
            (Some(1..=6), _) => Ok(Answer::Unknown),
            _ => Err(NoAnswer),
        }
    }
}

/// The number, if it may be compared: below 2^120.
pub(crate) fn operand(value: Fe) -> Option<u128> {
    value.to_u128().filter(|v| v >> OPERAND_BITS == 0)
}

/// Any boolean function of up to four clauses: bit `b_0 + 2 b_1 + 4 b_2 + 8 b_3` is its value there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TruthTable(u16);

impl TruthTable {
    /// The most clauses that a table is over.
    pub const CLAUSES_MAX: usize = 4;

    /// Takes the bits.
    pub const fn new(bits: u16) -> TruthTable {
        TruthTable(bits)
    }

    /// The table of a function of this many clauses (at most four; the others are not looked at).
    pub fn from_fn(clauses: usize, mut function: impl FnMut(&[bool]) -> bool) -> TruthTable {
        let clauses = clauses.min(Self::CLAUSES_MAX);
        let mut bits = 0;
        for index in 0..Self::rows(clauses) {
            let values = [0, 1, 2, 3].map(|clause| index >> clause & 1 == 1);
            bits |= u16::from(function(&values[..clauses])) << index;
        }
        TruthTable(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// How many bits a table over this many clauses has.
    pub const fn rows(clauses: usize) -> usize {
        1 << clauses
    }

    /// Whether the table is one over this many clauses: no bit is set beyond its rows.
    pub const fn fits(self, clauses: usize) -> bool {
        clauses >= Self::CLAUSES_MAX || self.0 >> Self::rows(clauses) == 0
    }

    /// Whether the clause can ever change the answer of this table. For a clause beyond the table's own it
    /// says whether a bit is set at all.
    pub const fn depends_on(self, clause: usize) -> bool {
        let mut index = 0;
        while index < Self::rows(Self::CLAUSES_MAX) {
            let other = index ^ (1 << clause);
            if other >= 16 || (self.0 >> index & 1) != (self.0 >> other & 1) {
                return true;
            }
            index += 1;
        }
        false
    }

    /// The table of the opposite; bits beyond its rows mean nothing.
    const fn denied(self) -> TruthTable {
        TruthTable(!self.0)
    }

    /// Whether the answer is yes for every value that the unknown clauses may have.
    pub(crate) fn holds(self, answers: &[Answer]) -> bool {
        let answers = &answers[..answers.len().min(Self::CLAUSES_MAX)];
        let mut table: [bool; 16] = std::array::from_fn(|index| self.0 >> index & 1 == 1);
        let mut rows = Self::rows(answers.len());
        for answer in answers {
            rows /= 2;
            for row in 0..rows {
                let (no, yes) = (table[2 * row], table[2 * row + 1]);
                table[row] = match answer {
                    Answer::Known(true) => yes,
                    Answer::Known(false) => no,
                    Answer::Unknown => no && yes,
                };
            }
        }
        table[0]
    }
}

/// What a predicate is worth on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Yes, whatever the absent fields would say.
    Holds,
    /// No, whatever they would say; or no clause can answer.
    DoesNotHold,
    /// It depends on a field that is absent.
    Unknown,
}

/// What the predicate is worth on these fields. The holder's alone to know; only [`Truth::Holds`] can be proved.
pub fn judge(clauses: &[Clause], table: TruthTable, fields: &[EncodedField; FIELDS]) -> Truth {
    let answers: Result<Vec<Answer>, NoAnswer> =
        clauses.iter().map(|clause| clause.answer(Content::from(&fields[clause.field.as_usize()]))).collect();
    match answers {
        Err(NoAnswer) => Truth::DoesNotHold,
        Ok(answers) if table.holds(&answers) => Truth::Holds,
        Ok(answers) if table.denied().holds(&answers) => Truth::DoesNotHold,
        Ok(_) => Truth::Unknown,
    }
}

/// Whether the predicate is shown by these fields: for the holder, to choose a record before proving.
pub fn eval(clauses: &[Clause], table: TruthTable, fields: &[EncodedField; FIELDS]) -> bool {
    judge(clauses, table, fields) == Truth::Holds
}
