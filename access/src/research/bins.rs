//! The bins of a histogram: from the schema, or written by the asker; never from the data.
//!
//! ```text
//! number with a grid     the grid's steps, as many to a bin as make at most 64; an integer next to a code has the
//!                        grid of the code that the cohort fixes
//! code with a value set  one for each value
//! code without           those that the asker wrote
//! and always             "other": a value in none of them · "absent": no value
//! ```
//!
//! A bin that nobody is in is answered like any other: which bins there are tells nothing of the records.

use vouchsafe_circuits::fe::Fe;
use vouchsafe_circuits::record::EncodedField;
use vouchsafe_circuits::schema::{CodeForm, Field, Grid, Kind, encode_code, offset_number};

use super::deidentify::is_left_whole;

/// How many bins a histogram has, besides "other" and "absent".
pub const BINS_MAX: usize = 64;

/// Why a histogram has no bins. The fault is the asker's.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[non_exhaustive]
pub enum BinsError {
    /// The field's bins come from the schema, and the asker wrote some.
    #[error("the schema says what the bins of {0} are: write none")]
    FromSchema(String),
    /// The field is a code without a value set, and the asker wrote no bins.
    #[error("{0} is a code without a list of values in its schema: write its bins, 1 to {BINS_MAX} codes")]
    WriteThem(String),
    /// More than one bin for a code.
    #[error("two bins are {0:?}: write each once")]
    Twice(String),
    /// Not a code of this field, or one that its de-identification rule cuts.
    #[error("{bin:?} is no bin of {field}: {why}")]
    NoCode {
        /// What the asker wrote.
        bin: String,
        /// The field.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// Only numbers and codes have bins.
    #[error("{0} has no bins: a histogram is of a number with a grid in steps, or of a code")]
    NoBins(String),
    /// What the number means depends on a code that the cohort does not fix.
    #[error("what {field} measures depends on {code_field}: fix it in the cohort, as in `{code_field} == \"718-7\"`")]
    CodeNotFixed {
        /// The field.
        field: String,
        /// The field with the code.
        code_field: String,
    },
}

/// The bins of one field.
#[derive(Debug)]
pub(super) struct Bins {
    names: Vec<String>,
    limits: Limits,
}

#[derive(Debug)]
enum Limits {
    /// Encoded numbers, both ends included, in rising order.
    Ranges(Vec<(u64, u64)>),
    Codes(Vec<Fe>),
}

impl Bins {
    /// The bins of a field; `row` is its grid and scale, where they depend on a code.
    pub(super) fn of(field: &Field, row: Option<(Grid, u8)>, written: &[String]) -> Result<Bins, BinsError> {
        let name = || field.name.to_string();
        let (grid, scale) = match (&field.kind, row) {
            (Kind::Code { form, values, .. }, _) => return Bins::of_codes(field, *form, values, written),
            (Kind::Integer { grid, scale, .. }, _) => (*grid, *scale),
            (Kind::Date { grid } | Kind::Instant { grid }, _) => (*grid, 0),
            (Kind::IntegerByCode { .. }, Some(row)) => row,
            (Kind::IntegerByCode { code_field }, None) => {
                return Err(BinsError::CodeNotFixed { field: name(), code_field: code_field.to_string() });
            }
            (Kind::Text | Kind::Bytes, _) => return Err(BinsError::NoBins(name())),
        };
        let Grid::Steps { min, max, step } = grid else { return Err(BinsError::NoBins(name())) };
        if !written.is_empty() {
            return Err(BinsError::FromSchema(name()));
        }
        let ranges = ranges(min, max, step);
        let names = ranges.iter().map(|(low, high)| format!("{} to {}", decimal(*low, scale), decimal(*high, scale)));
        let names = names.collect();
        let encoded = ranges.iter().map(|(low, high)| (offset_number(*low), offset_number(*high))).collect();
        Ok(Bins { names, limits: Limits::Ranges(encoded) })
    }

    fn of_codes(field: &Field, form: CodeForm, values: &[String], written: &[String]) -> Result<Bins, BinsError> {
        let names = match (values.is_empty(), written.is_empty()) {
            (false, false) => return Err(BinsError::FromSchema(field.name.to_string())),
            (true, true) => return Err(BinsError::WriteThem(field.name.to_string())),
            (false, true) => values,
            (true, false) => written,
        };
        if names.len() > BINS_MAX {
            return Err(BinsError::WriteThem(field.name.to_string()));
        }
        let mut codes: Vec<Fe> = Vec::with_capacity(names.len());
        for bin in names {
            let refuse = |why: String| BinsError::NoCode { bin: bin.clone(), field: field.name.to_string(), why };
            let code = encode_code(form, bin).map_err(|e| refuse(e.to_string()))?;
            if !is_left_whole(field, bin) {
                return Err(refuse("its de-identification rule cuts it: write what is left".to_owned()));
            }
            if codes.contains(&code) {
                return Err(BinsError::Twice(bin.clone()));
            }
            codes.push(code);
        }
        Ok(Bins { names: names.to_vec(), limits: Limits::Codes(codes) })
    }

    /// All names, with the two that every histogram has.
    pub(super) fn names(&self) -> Vec<String> {
        let own = self.names.iter().cloned();
        own.chain(["other", "absent"].map(str::to_owned)).collect()
    }

    /// Which of [`Bins::names`] a field falls into.
    pub(super) fn place(&self, field: &EncodedField) -> usize {
        let (other, absent) = (self.names.len(), self.names.len() + 1);
        let EncodedField::Present(value) = field else { return absent };
        let found = match &self.limits {
            Limits::Codes(codes) => codes.iter().position(|code| code == value),
            Limits::Ranges(ranges) => value.to_u64().and_then(|number| {
                let at = ranges.partition_point(|(_, high)| *high < number);
                ranges.get(at).filter(|(low, _)| *low <= number).map(|_| at)
            }),
        };
        found.unwrap_or(other)
    }
}

/// The steps of a grid, as many to a range as make at most [`BINS_MAX`] ranges; the last one ends with the grid.
fn ranges(min: i64, max: i64, step: u64) -> Vec<(i64, i64)> {
    let (low, span) = (i128::from(min), i128::from(max) - i128::from(min) + 1);
    let steps = (span + i128::from(step) - 1) / i128::from(step);
    let width = i128::from(step) * ((steps + BINS_MAX as i128 - 1) / BINS_MAX as i128);
    let count = (span + width - 1) / width;
    let at = |n: i128| i64::try_from(n).unwrap_or(max); // between min and max: always fits
    (0..count).map(|n| (at(low + n * width), at((low + (n + 1) * width - 1).min(i128::from(max))))).collect()
}

/// A number of 10^-scale units as it is written.
fn decimal(number: i64, scale: u8) -> String {
    if scale == 0 {
        return number.to_string();
    }
    let digits = usize::from(scale);
    let padded = format!("{:0>width$}", number.unsigned_abs(), width = digits + 1);
    let (whole, rest) = padded.split_at(padded.len() - digits);
    format!("{}{whole}.{rest}", if number < 0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use vouchsafe_circuits::record::{Absence, Value};
    use vouchsafe_circuits::schema::{Schema, builtin};

    use super::*;

    fn field(schema: &Schema, name: &str) -> Field {
        schema.field(name).unwrap().1.clone()
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_grid_gives_at_most_sixty_four_bins_that_cover_it_once() {
        let grids = [(0, 300, 5), (0, 0, 1), (0, 63, 1), (0, 64, 1), (-7, 1000, 3), (i64::MIN, i64::MAX, 1)];
        for (min, max, step) in grids {
            let ranges = ranges(min, max, step);
            assert!((1..=BINS_MAX).contains(&ranges.len()));
            assert_eq!((ranges[0].0, ranges[ranges.len() - 1].1), (min, max));
            assert!(ranges.windows(2).all(|w| w[0].1.checked_add(1) == Some(w[1].0)));
            assert!(ranges.iter().all(|(low, high)| low <= high));
        }
        assert_eq!(ranges(0, 300, 5).len(), 61);
        assert_eq!(ranges(0, 640, 5)[0], (0, 14), "129 steps: three to a bin");
    }

    #[test]
    fn every_value_has_one_bin() {
        let schema = builtin::observation();
        let systolic = field(&schema, "systolic");
        let bins = Bins::of(&systolic, None, &[]).unwrap();
        let names = bins.names();
        let place =
            |v: i64| names[bins.place(&EncodedField::Present(systolic.encode(&Value::Integer(v)).unwrap()))].as_str();
        assert_eq!([0, 4, 5, 299, 300].map(place), ["0 to 4", "0 to 4", "5 to 9", "295 to 299", "300 to 300"]);
        assert_eq!([-1, 301, i64::MAX, i64::MIN].map(place), ["other"; 4]);
        assert_eq!(names[bins.place(&EncodedField::Absent(Absence::NotTested))], "absent");
    }

    #[test]
    fn codes_come_from_the_schema_or_from_the_asker_and_not_from_both() {
        let patient = builtin::patient();
        let gender = field(&patient, "gender");
        let Kind::Code { values, .. } = &gender.kind else { panic!() };
        let bins = Bins::of(&gender, None, &[]).unwrap();
        assert_eq!(bins.names()[..values.len()], values[..]);
        assert!(matches!(Bins::of(&gender, None, &owned(&["male"])), Err(BinsError::FromSchema(_))));

        let icd10 = field(&builtin::condition(), "icd10");
        assert!(matches!(Bins::of(&icd10, None, &[]), Err(BinsError::WriteThem(_))));
        assert!(matches!(Bins::of(&icd10, None, &owned(&["E11.9"])), Err(BinsError::NoCode { .. })), "cut to E11");
        assert!(matches!(Bins::of(&icd10, None, &owned(&["E11", "E11"])), Err(BinsError::Twice(_))));
        let bins = Bins::of(&icd10, None, &owned(&["E11", "I10"])).unwrap();
        let code = |text: &str| EncodedField::Present(icd10.encode(&Value::Code(text.to_owned())).unwrap());
        assert_eq!(["E11", "I10", "J45"].map(|text| bins.place(&code(text))), [0, 1, 2]);
        let many: Vec<String> = (0..65).map(|n| format!("A{n:02}")).collect();
        assert!(Bins::of(&icd10, None, &many).is_err());
    }

    #[test]
    fn a_number_next_to_a_code_has_the_bins_of_that_code() {
        let schema = builtin::observation();
        let value = field(&schema, "value");
        assert!(matches!(Bins::of(&value, None, &[]), Err(BinsError::CodeNotFixed { .. })));
        let row = schema.code_row("4548-4").unwrap();
        let bins = Bins::of(&value, Some((row.grid, row.scale)), &[]).unwrap();
        assert_eq!(bins.names()[13], "6.5 to 6.9");
    }

    #[test]
    fn texts_have_no_bins_and_decimals_are_written_in_full() {
        let name = field(&builtin::patient(), "familyName");
        assert!(matches!(Bins::of(&name, None, &owned(&["x"])), Err(BinsError::NoBins(_))));
        assert_eq!(
            [(65, 1), (5, 2), (-5, 1), (-123, 2), (7, 0)].map(|(n, s)| decimal(n, s)),
            ["6.5", "0.05", "-0.5", "-1.23", "7"]
        );
    }
}
