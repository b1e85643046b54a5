//! FHIR's date, dateTime and instant, by FHIR's grammar.
//!
//! ```text
//! 2011 | 2011-05                        partial: less precise than a day
//! 2011-05-23                            a day
//! 2011-05-23T10:00:00(.123)(Z|+01:00)   an instant; its day is the one written, in its own zone
//! ```
//!
//! Years 1583 to 9999: before that the Gregorian calendar did not hold. Fractions of a second are cut off.

use time::{Date, Month};
use vouchsafe_circuits::record::Day;

/// What a text says about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// A year, or a year and a month.
    Partial,
    /// A day.
    Day(Day),
    /// A second.
    Instant { day: Day, seconds: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotATime {
    Form,
    Range,
}

const YEAR_MIN: i32 = 1583;
const DAY_SECONDS: i64 = 86_400;
const OFFSET_MINUTES_MAX: i64 = 14 * 60;

pub(super) fn parse(text: &str) -> Result<Moment, NotATime> {
    match text.split_once('T') {
        Some((date, time)) => {
            let Some(day) = parse_date(date)? else { return Err(NotATime::Form) };
            let seconds = i64::from(day.get()) * DAY_SECONDS + parse_time(time)?;
            Ok(Moment::Instant { day, seconds })
        }
        None => Ok(parse_date(text)?.map_or(Moment::Partial, Moment::Day)),
    }
}

/// The day with this number, for a date of the `time` crate.
pub(crate) fn day_of(date: Date) -> Day {
    const EPOCH: i32 = 2_440_588; // the Julian day number of 1970-01-01
    Day::new(date.to_julian_day() - EPOCH)
}

fn parse_date(text: &str) -> Result<Option<Day>, NotATime> {
    let mut parts = text.split('-');
    let year = number(parts.next(), 4)?;
    let month = parts.next().map(|m| number(Some(m), 2)).transpose()?;
    let day = parts.next().map(|d| number(Some(d), 2)).transpose()?;
    if parts.next().is_some() {
        return Err(NotATime::Form);
    }
    if year < YEAR_MIN {
        return Err(NotATime::Range);
    }
    let Some(month) = month else { return Ok(None) };
    let month = u8::try_from(month).ok().and_then(|m| Month::try_from(m).ok()).ok_or(NotATime::Range)?;
    let Some(day) = day else { return Ok(None) };
    let day = u8::try_from(day).map_err(|_| NotATime::Range)?;
    Date::from_calendar_date(year, month, day).map(|date| Some(day_of(date))).map_err(|_| NotATime::Range)
}

/// Seconds after midnight UTC of the written day; may be below zero or beyond a day.
fn parse_time(text: &str) -> Result<i64, NotATime> {
    let zone = text.find(['Z', '+', '-']).ok_or(NotATime::Form)?;
    let (clock, zone) = text.split_at(zone);
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(c, f)| (c, Some(f)));
    if fraction.is_some_and(|f| f.is_empty() || !f.bytes().all(|b| b.is_ascii_digit())) {
        return Err(NotATime::Form);
    }
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next(), 2)?, number(parts.next(), 2)?, number(parts.next(), 2)?);
    if parts.next().is_some() {
        return Err(NotATime::Form);
    }
    if hour > 23 || minute > 59 || second > 60 {
        return Err(NotATime::Range); // FHIR allows second 60, a leap second: it counts as the next one
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Ok(seconds - 60 * parse_zone(zone)?)
}

/// Minutes east of UTC.
fn parse_zone(text: &str) -> Result<i64, NotATime> {
    let (sign, rest) = match text.as_bytes().first() {
        Some(b'Z') if text.len() == 1 => return Ok(0),
        Some(b'+') => (1, &text[1..]),
        Some(b'-') => (-1, &text[1..]),
        _ => return Err(NotATime::Form),
    };
    let (hours, minutes) = rest.split_once(':').ok_or(NotATime::Form)?;
    let (hours, minutes) = (number(Some(hours), 2)?, number(Some(minutes), 2)?);
    let offset = i64::from(hours * 60 + minutes);
    if minutes > 59 || offset > OFFSET_MINUTES_MAX { Err(NotATime::Range) } else { Ok(sign * offset) }
}

fn number(text: Option<&str>, digits: usize) -> Result<i32, NotATime> {
    let text = text.ok_or(NotATime::Form)?;
    if text.len() != digits || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotATime::Form);
    }
    text.parse().map_err(|_| NotATime::Form)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(text: &str) -> i64 {
        match parse(text).unwrap() {
            Moment::Instant { seconds, .. } => seconds,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn days_count_from_1970() {
        assert_eq!(parse("1970-01-01"), Ok(Moment::Day(Day::new(0))));
        assert_eq!(parse("1969-12-31"), Ok(Moment::Day(Day::new(-1))));
        assert_eq!(parse("2000-02-29"), Ok(Moment::Day(Day::new(11_016))));
        assert_eq!(parse("1900-02-29"), Err(NotATime::Range));
    }

    #[test]
    fn partial_dates_are_partial_and_checked() {
        assert_eq!(parse("2011"), Ok(Moment::Partial));
        assert_eq!(parse("2011-05"), Ok(Moment::Partial));
        assert_eq!(parse("2011-13"), Err(NotATime::Range));
        assert_eq!(parse("1500-01-01"), Err(NotATime::Range));
        assert_eq!(parse("0001-01-01"), Err(NotATime::Range));
    }

    #[test]
    fn offsets_go_to_utc_and_the_day_stays_local() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), 0);
        assert_eq!(seconds("2013-04-02T09:30:10+01:00"), 1_364_891_410);
        assert_eq!(seconds("2017-05-09T17:11:00.999+01:00"), seconds("2017-05-09T16:11:00Z"));
        assert_eq!(seconds("2016-12-31T23:59:60Z"), seconds("2017-01-01T00:00:00Z"));
        let Ok(Moment::Instant { day, .. }) = parse("2020-01-01T23:30:00-05:00") else { panic!() };
        assert_eq!(parse("2020-01-01"), Ok(Moment::Day(day)));
    }

    #[test]
    fn what_fhir_does_not_allow() {
        for text in [
            "",
            "11",
            "2011-5-3",
            "2011-05-23T10:00Z",
            "2011-05-23T10:00:00",
            "2011-05T10:00:00Z",
            "2011-05-23 ",
            "23.05.2011",
            "2011-05-23T10:00:00.Z",
            "2011-05-23T10:00:00+0100",
            "2011-05-23T",
            "+011-05-23",
            "２０１１",
        ] {
            assert_eq!(parse(text), Err(NotATime::Form), "{text}");
        }
        for text in
            ["2011-05-23T24:00:00Z", "2011-05-23T10:60:00Z", "2011-05-23T10:00:61Z", "2011-05-23T10:00:00+14:01"]
        {
            assert_eq!(parse(text), Err(NotATime::Range), "{text}");
        }
    }

    proptest! {
        #[test]
        fn days_round_trip(number in -141_000i32..2_900_000) {
            let date = Date::from_julian_day(number + 2_440_588).unwrap();
            prop_assert_eq!(parse(&date.to_string()), Ok(Moment::Day(Day::new(number))));
        }

        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
