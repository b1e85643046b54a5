//! Constants of a predicate as encoded operands, on the grid that the schema allows.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators as op};
use rust_decimal::Decimal;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use vouchsafe_circuits::Fe;
use vouchsafe_circuits::record::{Day, Value};
use vouchsafe_circuits::schema::{Field, Grid, Kind, Schema, offset_number};

use super::PredicateError;
use crate::calendar;

/// What numbers of a field are, once its code is known.
pub(super) struct NumberType<'a> {
    form: Form<'a>,
    grid: Grid,
}

enum Form<'a> {
    Decimal { scale: u8, unit: &'a str },
    Date,
    Instant,
}

/// An operand, in the field's own units.
pub(super) struct Number(i64);

impl Number {
    /// As the field's values are encoded.
    pub(super) fn encoded(&self) -> u128 {
        u128::from(offset_number(self.0))
    }
}

/// The text of a literal.
pub(super) fn text_of(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// What numbers of this field mean; `code` is the code next to it, where the predicate fixes one.
pub(super) fn number_type<'a>(
    schema: &'a Schema,
    field: &'a Field,
    code: Option<&str>,
) -> Result<NumberType<'a>, String> {
    match &field.kind {
        Kind::Integer { scale, unit, grid } => {
            Ok(NumberType { form: Form::Decimal { scale: *scale, unit }, grid: *grid })
        }
        Kind::Date { grid } => Ok(NumberType { form: Form::Date, grid: *grid }),
        Kind::Instant { grid } => Ok(NumberType { form: Form::Instant, grid: *grid }),
        Kind::IntegerByCode { code_field } => {
            let Some(code) = code else {
                return Err(format!(
                    "what {} measures depends on {code_field}: write `{code_field} == \"…\" && …`",
                    field.name
                ));
            };
            let row = schema
                .code_row(code)
                .ok_or_else(|| format!("schema {} knows no unit and scale for the code {code}", schema.name()))?;
            Ok(NumberType { form: Form::Decimal { scale: row.scale, unit: &row.unit }, grid: row.grid })
        }
        Kind::Code { .. } => Err("codes have no order: use ==, in or under".to_owned()),
        Kind::Text | Kind::Bytes => Err("only == can be asked of texts and bytes".to_owned()),
    }
}

/// A constant as an operand of this type, on its grid.
pub(super) fn operand_number(
    number_type: &NumberType<'_>,
    constant: &IdedExpr,
    asked_on: Day,
) -> Result<Number, PredicateError> {
    let refuse = |why: String| PredicateError::part(constant, why);
    let number = match number_type.form {
        Form::Decimal { scale, unit } => decimal(constant, scale, unit).map_err(refuse)?,
        Form::Date => i64::from(date(constant, asked_on).map_err(refuse)?.get()),
        Form::Instant => instant(constant).map_err(refuse)?,
    };
    on_grid(number, number_type, asked_on).map_err(refuse)?;
    Ok(Number(number))
}

/// A constant that a field can only be equal to.
pub(super) fn exact(field: &Field, constant: &IdedExpr) -> Result<Fe, PredicateError> {
    let text = text_of(constant)
        .ok_or_else(|| PredicateError::part(constant, format!("{} is compared with a text in quotes", field.name)))?;
    let value = match field.kind {
        Kind::Code { .. } => Value::Code(text.to_owned()),
        Kind::Bytes => Value::Bytes(text.as_bytes().to_vec()),
        _ => Value::Text(text.to_owned()),
    };
    field.encode(&value).map_err(|e| PredicateError::part(constant, e.why))
}

fn decimal(constant: &IdedExpr, scale: u8, unit: &str) -> Result<i64, String> {
    let text = literal_number(constant).ok_or_else(|| format!("a number is expected here, in {unit}"))?;
    let decimal = Decimal::from_str_exact(&text).map_err(|_| "the number is out of range".to_owned())?;
    let scaled = Decimal::from(10i64.pow(u32::from(scale)))
        .checked_mul(decimal)
        .ok_or_else(|| "the number is out of range".to_owned())?;
    if !scaled.fract().is_zero() {
        return Err(format!("the field has {scale} digits after the point, in {unit}"));
    }
    i64::try_from(scaled).map_err(|_| "the number is out of range".to_owned())
}

fn literal_number(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Literal(LiteralValue::Int(i)) => Some(i.inner().to_string()),
        Expr::Literal(LiteralValue::UInt(u)) => Some(u.inner().to_string()),
        // CEL has no decimals; the shortest text of a double is what was written, for up to 15 digits
        Expr::Literal(LiteralValue::Double(d)) => Some(d.inner().to_string()),
        Expr::Call(call) if call.func_name == op::NEGATE => {
            call.args.first().and_then(literal_number).map(|text| format!("-{text}"))
        }
        _ => None,
    }
}

fn date(constant: &IdedExpr, asked_on: Day) -> Result<Day, String> {
    const FORM: &str = "a day is written date(\"2008-11-23\") or yearsAgo(18)";
    match call_argument(constant) {
        Some(("date", argument)) => {
            let text = text_of(argument).ok_or(FORM)?;
            calendar::parse_date(text).ok_or_else(|| format!("{text:?} is not a day of the calendar; {FORM}"))
        }
        Some(("yearsAgo", argument)) => {
            let years = literal_number(argument).and_then(|n| n.parse::<u16>().ok()).ok_or(FORM)?;
            calendar::years_before(asked_on, years).ok_or_else(|| "that is before the calendar begins".to_owned())
        }
        _ => Err(FORM.to_owned()),
    }
}

fn instant(constant: &IdedExpr) -> Result<i64, String> {
    const FORM: &str = "a point in time is written timestamp(\"2026-01-01T00:00:00Z\")";
    let Some(("timestamp", argument)) = call_argument(constant) else { return Err(FORM.to_owned()) };
    let text = text_of(argument).ok_or(FORM)?;
    let parsed = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| FORM.to_owned())?;
    if parsed.nanosecond() != 0 {
        return Err("points in time are whole seconds; a leap second is none".to_owned());
    }
    Ok(parsed.unix_timestamp())
}

fn call_argument(expr: &IdedExpr) -> Option<(&str, &IdedExpr)> {
    match &expr.expr {
        Expr::Call(call) if call.target.is_none() && call.args.len() == 1 => {
            Some((call.func_name.as_str(), call.args.first()?))
        }
        _ => None,
    }
}

fn on_grid(number: i64, number_type: &NumberType<'_>, asked_on: Day) -> Result<(), String> {
    match number_type.grid {
        Grid::Steps { min, max, step } => {
            let inside = (min..=max).contains(&number);
            let on_step = (i128::from(number) - i128::from(min)).rem_euclid(i128::from(step)) == 0;
            if inside && on_step { Ok(()) } else { Err(grid_error(number_type, min, max, step)) }
        }
        Grid::YearsBeforeToday { max } => {
            let is_one =
                (0..=max).any(|n| calendar::years_before(asked_on, n).is_some_and(|d| i64::from(d.get()) == number));
            if is_one {
                return Ok(());
            }
            Err(format!(
                "off the schema's grid: a day may be asked for whole years before the day of asking ({}), \
                 up to {max}; write yearsAgo(18) or the same month and day",
                calendar::show_date(asked_on)
            ))
        }
    }
}

fn grid_error(number_type: &NumberType<'_>, min: i64, max: i64, step: u64) -> String {
    let show = |n: i128| match number_type.form {
        Form::Decimal { scale, .. } => Decimal::from_i128_with_scale(n, u32::from(scale)).normalize().to_string(),
        _ => n.to_string(),
    };
    let unit = match number_type.form {
        Form::Decimal { unit, .. } => unit,
        Form::Date => "days since 1970-01-01",
        Form::Instant => "seconds since 1970-01-01: whole days",
    };
    let (min, max, step) = (show(min.into()), show(max.into()), show(step.into()));
    format!("off the schema's grid: {min} to {max} in steps of {step} ({unit})")
}
