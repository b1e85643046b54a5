//! De-identified rows: each field of a record as its schema's rule leaves it, encoded as predicates compare it.
//!
//! ```text
//! keep · drop · bucket(n): down to a multiple of n · top-code(b): at most b · prefix(n): first n characters
//! year: the first day (or second) of the year · week shift: not available to queries
//! ```
//!
//! A field above tier 2, dropped or shifted is closed: it comes out as withheld, and a query that names it is refused.
//! A predicate therefore speaks of what the rule leaves, not of the value: with buckets of ten, 47 is 40.
//! De-identified is not anonymous: rows never leave this crate, only counts with noise on them do.

use vouchsafe_circuits::record::{Absence, Day, EncodedField, FIELDS, FieldValue, Value};
use vouchsafe_circuits::schema::{DeidRule, EncodeError, Field, Kind, Schema};

use crate::vault::RESEARCH_TIER;

const DAY_SECONDS: i64 = 86_400;

/// Why a field is closed to queries.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum Closed {
    /// It stands above tier 2.
    #[error("it is of tier {0}, and research reads tiers 0 to 2")]
    Tier(u8),
    /// The schema's rule drops it.
    #[error("its de-identification rule drops it")]
    Dropped,
    /// The schema's rule shifts it, which makes sense in a row release alone.
    #[error("its dates are shifted by weeks, for row releases alone")]
    Shifted,
}

/// Whether queries may use a field.
pub fn open_to_research(field: &Field) -> Result<(), Closed> {
    match field.deidentify {
        _ if field.tier > RESEARCH_TIER => Err(Closed::Tier(field.tier as u8)),
        DeidRule::Drop => Err(Closed::Dropped),
        DeidRule::WeekShift => Err(Closed::Shifted),
        _ => Ok(()),
    }
}

/// A record's row: one encoded field for each of the sixteen places.
pub(super) fn row(schema: &Schema, values: &[FieldValue]) -> Result<[EncodedField; FIELDS], EncodeError> {
    let left: Vec<FieldValue> = schema.fields().zip(values).map(|((_, field), value)| left_of(field, value)).collect();
    schema.encode(&left)
}

fn left_of(field: &Field, value: &FieldValue) -> FieldValue {
    let closed = FieldValue::Absent(Absence::Withheld);
    match value {
        _ if open_to_research(field).is_err() => closed,
        FieldValue::Absent(reason) => FieldValue::Absent(*reason),
        FieldValue::Present(value) => apply(field.deidentify, value).map_or(closed, FieldValue::Present),
    }
}

/// What the rule leaves of a value; nothing where it does not fit the value's kind, which a schema rules out.
pub(super) fn apply(rule: DeidRule, value: &Value) -> Option<Value> {
    Some(match (rule, value) {
        (DeidRule::Keep, value) => value.clone(),
        (DeidRule::Bucket { size }, Value::Integer(v)) => {
            let floor = i128::from(*v).div_euclid(i128::from(size.max(1))) * i128::from(size.max(1));
            Value::Integer(i64::try_from(floor).unwrap_or(i64::MIN))
        }
        (DeidRule::TopCode { bound }, Value::Integer(v)) => Value::Integer(*v.min(&bound)),
        (DeidRule::Prefix { length }, Value::Code(code)) => {
            Value::Code(code.chars().take(usize::from(length)).collect())
        }
        (DeidRule::Year, Value::Date(day)) => {
            let first = first_day_of_year(i64::from(day.get()));
            Value::Date(Day::new(i32::try_from(first).unwrap_or(i32::MIN)))
        }
        (DeidRule::Year, Value::Instant(second)) => {
            let first = first_day_of_year(second.div_euclid(DAY_SECONDS));
            Value::Instant(first.saturating_mul(DAY_SECONDS))
        }
        _ => return None,
    })
}

/// Whether a code is one that the field's rule leaves as it is: a finer one would never be met.
pub(super) fn is_left_whole(field: &Field, code: &str) -> bool {
    let code = Value::Code(code.to_owned());
    matches!(field.kind, Kind::Code { .. }) && apply(field.deidentify, &code) == Some(code)
}

/// The number of the first day of the year of a day, both counted from 1970-01-01, in the proleptic Gregorian calendar.
fn first_day_of_year(day: i64) -> i64 {
    // A year is a guess from its mean length, off by at most one.
    let guess = 1970 + (i128::from(day) * 400).div_euclid(146_097) as i64;
    let candidates = [guess + 1, guess, guess - 1];
    candidates.into_iter().map(first_of_january).find(|first| *first <= day).unwrap_or(i64::MIN)
}

fn first_of_january(year: i64) -> i64 {
    let before = year - 1; // whole years before it, whose leap days count
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    const LEAP_DAYS_BEFORE_1970: i64 = 477;
    (year - 1970) * 365 + leap_days - LEAP_DAYS_BEFORE_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(rule: DeidRule, v: i64) -> i64 {
        let Some(Value::Integer(v)) = apply(rule, &Value::Integer(v)) else { panic!() };
        v
    }

    #[test]
    fn each_rule_leaves_what_it_says() {
        let bucket = DeidRule::Bucket { size: 10 };
        assert_eq!([47, 40, -1, -10, i64::MAX].map(|v| integer(bucket, v)), [40, 40, -10, -10, i64::MAX - 7]);
        assert_eq!(integer(bucket, i64::MIN), i64::MIN, "there is no smaller number");
        assert_eq!([89, 90, 91].map(|v| integer(DeidRule::TopCode { bound: 90 }, v)), [89, 90, 90]);
        let code = |text: &str| Value::Code(text.to_owned());
        assert_eq!(apply(DeidRule::Prefix { length: 3 }, &code("E11.9")), Some(code("E11")));
        assert_eq!(apply(DeidRule::Prefix { length: 3 }, &code("E1")), Some(code("E1")));
        assert_eq!(apply(DeidRule::Keep, &code("E11.9")), Some(code("E11.9")));
        assert_eq!(apply(DeidRule::Drop, &code("E11.9")), None);
        assert_eq!(apply(DeidRule::WeekShift, &Value::Date(Day::new(1))), None);
        assert_eq!(apply(DeidRule::Bucket { size: 2 }, &code("7")), None, "a rule that does not fit leaves nothing");
    }

    #[test]
    fn years_begin_where_the_calendar_says() {
        let year = |day| {
            let Some(Value::Date(first)) = apply(DeidRule::Year, &Value::Date(Day::new(day))) else { panic!() };
            first.get()
        };
        // 1970-01-01, 1970-12-31, 1971-01-01, 1969-12-31, 2000-02-29, 2000-12-31, 2001-01-01, 1900-03-01
        let days = [0, 364, 365, -1, 11_016, 11_322, 11_323, -25_508];
        assert_eq!(days.map(year), [0, 0, 365, -365, 10_957, 10_957, 11_323, -25_567]);
        for day in (-800_000..800_000).step_by(7) {
            let first = year(day);
            assert!(first <= day && day < first + 366 && year(first) == first && year(first - 1) < first);
        }
        let Some(Value::Instant(first)) = apply(DeidRule::Year, &Value::Instant(365 * DAY_SECONDS - 1)) else {
            panic!()
        };
        assert_eq!(first, 0);
    }
}
