//! Decimals to integers of a scale: the text of a JSON number, exactly, rounded half to even, never a float.
//!
//! ```text
//! units = round_half_even(text × 10^scale)
//! ```
//!
//! Works on the digits, so neither `1e-245` nor a hundred digits lose anything on the way.

/// A number in units of 10^-scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    pub units: i64,
    /// Whether digits were lost.
    pub rounded: bool,
}

/// The number is beyond 64 bits at this scale, or not a JSON number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotInRange;

/// More digits than any i64 has.
const DIGITS_MAX: i64 = 20;

pub(super) fn to_scale(text: &str, scale: u8) -> Result<Scaled, NotInRange> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b.wrapping_sub(b'0')).collect();
    if digits.is_empty() || digits.iter().any(|d| *d > 9) {
        return Err(NotInRange);
    }
    let leading = digits.iter().take_while(|d| **d == 0).count();
    let digits = &digits[leading..];
    if digits.is_empty() {
        return Ok(Scaled { units: 0, rounded: false });
    }
    // An exponent too long for i64 is as good as the largest one: out of range, or rounded to zero.
    let largest = if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
    let exponent = exponent.parse::<i64>().unwrap_or(largest).clamp(i64::MIN / 4, i64::MAX / 4);
    let length = i64::try_from(digits.len()).map_err(|_| NotInRange)?;
    let fraction = i64::try_from(fraction.len()).map_err(|_| NotInRange)?;
    let kept = length + exponent - fraction + i64::from(scale);
    if kept > DIGITS_MAX {
        return Err(NotInRange);
    }
    round(digits, kept, negative)
}

/// The first `kept` digits as an integer (zeros are added at the end where there are fewer), rounded.
fn round(digits: &[u8], kept: i64, negative: bool) -> Result<Scaled, NotInRange> {
    let digit = |i: i64| usize::try_from(i).ok().and_then(|i| digits.get(i)).copied().unwrap_or(0);
    let mut units: i128 = 0;
    for i in 0..kept.max(0) {
        units = units * 10 + i128::from(digit(i));
    }
    let after = usize::try_from(kept.max(0)).unwrap_or(usize::MAX).saturating_add(1);
    let tail = if kept < 0 { true } else { digits.get(after..).is_some_and(|rest| rest.iter().any(|d| *d != 0)) };
    let next = if kept < 0 { 0 } else { digit(kept) };
    if next > 5 || (next == 5 && (tail || units % 2 == 1)) {
        units += 1;
    }
    let units = i64::try_from(if negative { -units } else { units }).map_err(|_| NotInRange)?;
    Ok(Scaled { units, rounded: next != 0 || tail })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str, scale: u8) -> Result<(i64, bool), NotInRange> {
        to_scale(text, scale).map(|s| (s.units, s.rounded))
    }

    #[test]
    fn half_goes_to_even() {
        for (text, expected) in [("0.5", 0), ("1.5", 2), ("2.5", 2), ("2.51", 3), ("-2.5", -2), ("-3.5", -4)] {
            assert_eq!(units(text, 0), Ok((expected, true)), "{text}");
        }
        assert_eq!(units("6.25", 1), Ok((62, true)));
        assert_eq!(units("6.250000000000000000000000000000000000001", 1), Ok((63, true)));
        assert_eq!(units("9.96", 1), Ok((100, true)));
    }

    #[test]
    fn the_numbers_of_the_hl7_decimal_example() {
        assert_eq!(units("1.0", 0), Ok((1, false)));
        assert_eq!(units("1.00000000000000000000", 3), Ok((1000, false)));
        assert_eq!(units("1e-22", 3), Ok((0, true)));
        assert_eq!(units("1e-245", 3), Ok((0, true)));
        assert_eq!(units("-1e+245", 0), Err(NotInRange));
        assert_eq!(units("1000000000000000000", 0), Ok((1_000_000_000_000_000_000, false)));
        assert_eq!(units("1000000000000000000", 1), Err(NotInRange));
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(units("9223372036854775807", 0), Ok((i64::MAX, false)));
        assert_eq!(units("-9223372036854775808", 0), Ok((i64::MIN, false)));
        assert_eq!(units("9223372036854775808", 0), Err(NotInRange));
        assert_eq!(units("9223372036854775807.5", 0), Err(NotInRange));
        assert_eq!(units("0e999999999999999999999", 0), Ok((0, false)));
        assert_eq!(units("1e-999999999999999999999", 3), Ok((0, true)));
        assert_eq!(units("1e999999999999999999999", 3), Err(NotInRange));
        assert_eq!(units("0.004", 2), Ok((0, true)));
        assert_eq!(units("0.05", 1), Ok((0, true)));
        assert_eq!(units("0.0000006", 6), Ok((1, true)));
    }

    proptest! {
        #[test]
        fn as_rust_decimal_rounds(mantissa in -1_000_000_000_000i64..1_000_000_000_000, places in 0u32..12, scale in 0u8..6) {
            use rust_decimal::{Decimal, RoundingStrategy};
            let exact = Decimal::new(mantissa, places);
            let rounded = exact.round_dp_with_strategy(u32::from(scale), RoundingStrategy::MidpointNearestEven);
            let expected: i64 = (rounded * Decimal::from(10u64.pow(u32::from(scale)))).normalize().try_into().unwrap();
            let ours = to_scale(&exact.to_string(), scale).unwrap();
            prop_assert_eq!(ours.units, expected);
            prop_assert_eq!(ours.rounded, rounded != exact);
        }

        #[test]
        fn never_panics(text in "-?[0-9]{0,60}(\\.[0-9]{0,60})?([eE][+-]?[0-9]{0,30})?", scale in any::<u8>()) {
            let _ = to_scale(&text, scale);
        }
    }
}
