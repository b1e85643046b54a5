//! Texts and the clauses and truth tables that they compile to.

use vouchsafe_circuits::Fe;
use vouchsafe_circuits::record::{Day, Value};
use vouchsafe_circuits::schema::{offset_number, subtree};
use vouchsafe_circuits::statements::Statement;
use vouchsafe_circuits::statements::fact::Clause;
use vouchsafe_prover_service::calendar::parse_date;
use vouchsafe_prover_service::predicate::compile;

use super::{compiled, schema, today};

const MAX: u64 = u64::MAX;

/// One expected clause: of which field, and what is asked of it.
enum Expected {
    Between(&'static str, u64, u64),
    Equals(&'static str, Value),
    Under(&'static str, &'static str),
    Absent(&'static str),
}
use Expected::{Absent, Between, Equals, Under};

fn n(number: i64) -> u64 {
    offset_number(number)
}

fn day(text: &str) -> u64 {
    n(parse_date(text).unwrap().get().into())
}

fn code(text: &str) -> Value {
    Value::Code(text.to_owned())
}

fn clause(schema_name: &str, expected: &Expected) -> Clause {
    let schema = schema(schema_name);
    let field = |name: &str| schema.field(name).map(|(index, field)| (index, field.clone())).unwrap();
    match expected {
        Between(name, low, high) => Clause::between(field(name).0, Fe::from_u64(*low), Fe::from_u64(*high)),
        Equals(name, value) => Clause::equals(field(name).0, field(name).1.encode(value).unwrap()),
        Under(name, prefix) => {
            let (low, high) = subtree(prefix).unwrap();
            Clause::between(field(name).0, low, high)
        }
        Absent(name) => Clause::absent(field(name).0),
    }
}

/// Compiles; the clauses must be these, and the table's rows, from all-false on, those of `rows`.
fn expect(schema_name: &str, text: &str, expected: &[Expected], rows: &str) {
    let predicate = compiled(schema_name, text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut clauses: Vec<Clause> = expected.iter().map(|e| clause(schema_name, e)).collect();
    let statement = if clauses.len() == 1 { Statement::Fact1 } else { Statement::Fact4 };
    clauses.resize(statement.clauses(), Clause::unused());
    assert_eq!(predicate.clauses, clauses, "{text}");
    assert_eq!(predicate.statement, statement, "{text}");
    // an unused clause makes no difference, so the rows repeat
    let bits = (0..1 << statement.clauses()).map(|row| rows.as_bytes()[row % rows.len()] == b'1');
    let bits = bits.enumerate().fold(0u16, |bits, (row, yes)| bits | u16::from(yes) << row);
    assert_eq!(predicate.table.bits(), bits, "{text}: {:b}", predicate.table.bits());
}

#[test]
fn comparisons_become_bounds() {
    let adult = day("2008-06-15");
    for (text, low, high) in [
        ("birthDate <= yearsAgo(18)", 0, adult),
        ("birthDate < yearsAgo(18)", 0, adult - 1),
        ("birthDate >= yearsAgo(18)", adult, MAX),
        ("birthDate > yearsAgo(18)", adult + 1, MAX),
        ("yearsAgo(18) >= birthDate", 0, adult),
        ("yearsAgo(18) > birthDate", 0, adult - 1),
        ("yearsAgo(18) <= birthDate", adult, MAX),
        ("yearsAgo(18) < birthDate", adult + 1, MAX),
        ("birthDate <= date(\"2008-06-15\")", 0, adult),
    ] {
        expect("patient", text, &[Between("birthDate", low, high)], "01");
    }
    expect("patient", "!(birthDate <= yearsAgo(18))", &[Between("birthDate", 0, adult)], "10");
    let equals = Value::Date(parse_date("2008-06-15").unwrap());
    expect("patient", "birthDate != yearsAgo(18)", &[Equals("birthDate", equals)], "10");
}

#[test]
fn bounds_of_one_conjunction_are_one_clause() {
    let (young, old) = (day("2008-06-15"), day("1961-06-15"));
    expect(
        "patient",
        "birthDate <= yearsAgo(18) && birthDate > yearsAgo(65)",
        &[Between("birthDate", old + 1, young)],
        "01",
    );
    let text = "(systolic >= 90 && (systolic <= 140 && diastolic <= 90)) && systolic <= 130 && diastolic >= 60";
    let expected = [Between("systolic", n(90), n(130)), Between("diastolic", n(60), n(90))];
    expect("observation", text, &expected, "0001");
    // not across an "or" or a "not": these stay apart
    let expected = [Between("systolic", n(140), MAX), Between("systolic", 0, n(90))];
    expect("observation", "systolic >= 140 || systolic <= 90", &expected, "0111");
    expect("observation", "!(systolic >= 140) && systolic <= 90", &expected, "0010");
}

#[test]
fn codes_sets_subtrees_and_absence() {
    expect("patient", "maritalStatus == \"M\"", &[Equals("maritalStatus", code("M"))], "01");
    expect("patient", "\"M\" == maritalStatus", &[Equals("maritalStatus", code("M"))], "01");
    let sd = [Equals("maritalStatus", code("S")), Equals("maritalStatus", code("D"))];
    expect("patient", "maritalStatus in [\"S\", \"D\"]", &sd, "0111");
    expect("patient", "maritalStatus in [\"S\"] && maritalStatus == \"S\"", &sd[..1], "01");
    expect("condition", "icd10.under(\"E11\")", &[Under("icd10", "E11")], "01");
    expect("condition", "snomed == \"44054006\"", &[Equals("snomed", code("44054006"))], "01");
    let both = [Absent("diastolic"), Between("diastolic", n(95), MAX)];
    expect("observation", "absent(diastolic) || diastolic >= 95", &both, "0111");
    expect("patient", "familyName == \"Okafor\"", &[Equals("familyName", Value::Text("Okafor".to_owned()))], "01");
    expect("immunization", "cvx == \"08\"", &[Equals("cvx", code("08"))], "01");
}

#[test]
fn numbers_have_the_scale_of_their_code() {
    let sugar = Equals("code", code("4548-4"));
    let text = "code == \"4548-4\" && value >= 6.5 && value <= 8.0";
    expect("observation", text, &[sugar, Between("value", n(65), n(80))], "0001");
    // the code may come after, and from outside of a group
    let (height, tall) = (Equals("code", code("8302-2")), Between("value", n(1800), MAX));
    expect("observation", "value >= 180 && code == \"8302-2\"", &[tall, height], "0001");
    let text = "code == \"718-7\" && (value >= 12 || absent(value))";
    let expected = [Equals("code", code("718-7")), Between("value", n(120), MAX), Absent("value")];
    expect("observation", text, &expected, "00010101");
}

#[test]
fn truth_tables() {
    let [s, n, f] = ["maritalStatus == \"S\"", "country == \"NG\"", "gender == \"female\""];
    let clauses = [Equals("maritalStatus", code("S")), Equals("country", code("NG")), Equals("gender", code("female"))];
    // row r, from the left, has clause i true where bit i of r is set
    for (text, rows) in [
        (format!("{s} && {n} && {f}"), "00000001"),
        (format!("{s} || {n} || {f}"), "01111111"),
        (format!("{s} && {n} || {f}"), "00011111"),
        (format!("{s} && ({n} || {f})"), "00010101"),
        (format!("({s} || {n}) && {f}"), "00000111"),
        (format!("!({s}) && !({n}) && !({f})"), "10000000"),
        (format!("{s} && {n} || {s} && {f} || {n} && {f}"), "00010111"),
    ] {
        expect("patient", &text, &clauses, rows);
    }
}

#[test]
fn a_leap_day_is_the_28th_where_the_year_has_none() {
    let patient = schema("patient");
    let leap = parse_date("2024-02-29").unwrap();
    let bound = |text: &str, asked_on: Day| compile(text, &patient, asked_on).map(|p| p.clauses[0].high);
    assert_eq!(bound("birthDate <= yearsAgo(18)", leap), Ok(Fe::from_u64(day("2006-02-28"))));
    assert_eq!(bound("birthDate <= yearsAgo(20)", leap), Ok(Fe::from_u64(day("2004-02-29"))));
    assert_eq!(bound("birthDate <= date(\"2006-02-28\")", leap), bound("birthDate <= yearsAgo(18)", leap));
    assert!(bound("birthDate <= date(\"2006-03-01\")", leap).is_err());
    // the 28th of a leap year is not the 29th
    assert!(bound("birthDate <= date(\"2004-02-28\")", leap).is_err());
    assert_eq!(bound("birthDate <= yearsAgo(0)", today()), Ok(Fe::from_u64(day("2026-06-15"))));
}
