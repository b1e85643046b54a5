//! Days and instants between text and numbers: the proleptic Gregorian calendar, no time zones but UTC.

use time::{Date, Month, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};
use vouchsafe_circuits::record::Day;

const EPOCH_JULIAN: i32 = 2_440_588; // 1970-01-01

/// Reads `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<Day> {
    if text.len() != 10 {
        return None;
    }
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok().map(day_of)
}

/// Writes `YYYY-MM-DD`; a day out of the calendar is written as its number.
pub fn show_date(day: Day) -> String {
    date_of(day).map_or_else(|| day.get().to_string(), |date| date.to_string())
}

/// Writes seconds since 1970 as RFC 3339 in UTC.
pub fn show_instant(seconds: u64) -> String {
    let instant = i64::try_from(seconds).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    instant.and_then(|i| i.format(&Rfc3339).ok()).unwrap_or_else(|| seconds.to_string())
}

/// Reads RFC 3339, or a day as its first second in UTC, as seconds since 1970.
pub fn parse_instant(text: &str) -> Option<u64> {
    let seconds = match parse_date(text) {
        Some(day) => i64::from(day.get()) * 86_400,
        None => OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp(),
    };
    u64::try_from(seconds).ok()
}

/// The same month and day some years earlier; 29 February becomes the 28th where the year has none.
pub fn years_before(day: Day, years: u16) -> Option<Day> {
    let date = date_of(day)?;
    let year = date.year().checked_sub(i32::from(years))?;
    let same = Date::from_calendar_date(year, date.month(), date.day());
    let date = same.or_else(|_| Date::from_calendar_date(year, Month::February, 28)).ok()?;
    Some(day_of(date))
}

/// The day of a date.
pub fn day_of(date: Date) -> Day {
    Day::new(date.to_julian_day() - EPOCH_JULIAN)
}

/// The date of a day, where the calendar has it.
pub fn date_of(day: Day) -> Option<Date> {
    Date::from_julian_day(day.get().checked_add(EPOCH_JULIAN)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_years() {
        assert_eq!(parse_date("1970-01-01"), Some(Day::new(0)));
        assert_eq!(parse_date("2008-02-30"), None);
        assert_eq!(parse_date("+2008-02-03"), None);
        let leap = parse_date("2024-02-29").unwrap();
        assert_eq!(years_before(leap, 1), parse_date("2023-02-28"));
        assert_eq!(years_before(leap, 4), parse_date("2020-02-29"));
        assert_eq!(show_date(leap), "2024-02-29");
        assert_eq!(parse_instant("1970-01-02"), Some(86_400));
        assert_eq!(show_instant(0), "1970-01-01T00:00:00Z");
    }
}
