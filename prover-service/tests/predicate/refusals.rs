//! Texts that are refused, with the part and the reason that the asker reads.

use vouchsafe_circuits::schema::Schema;
use vouchsafe_prover_service::predicate::PredicateError;

use super::{compile, compiled, today};

/// Schema, text, the part that is named, and words of the reason.
const PARTS: &[(&str, &str, &str, &str)] = &[
    ("patient", "shoeSize > 4", "shoeSize", "has no such field; it has birthDate"),
    ("patient", "gender", "gender", "a field alone is not a test"),
    ("patient", "true", "true", "a constant asks nothing"),
    ("patient", "gender == maritalStatus", "gender == maritalStatus", "not two fields"),
    ("patient", "1 == 1", "1 == 1", "neither side is a field"),
    ("patient", "gender > \"a\"", "gender > \"a\"", "codes have no order"),
    ("patient", "familyName < \"M\"", "familyName < \"M\"", "only == can be asked"),
    ("patient", "gender == \"f\"", "\"f\"", "the code must be one of female, male, other, unknown"),
    ("patient", "gender == 3", "3", "a text in quotes"),
    (
        "patient",
        "gender.under(\"f\")",
        "gender.under(\"f\")",
        "a prefix names a subtree only in systems such as ICD-10",
    ),
    ("patient", "gender in []", "gender in []", "nothing is in an empty list"),
    ("patient", "gender in country", "gender in country", "takes a list of constants"),
    ("patient", "birthDate <= 18", "18", "a day is written"),
    ("patient", "birthDate <= date(\"2026-02-30\")", "date(\"2026-02-30\")", "not a day of the calendar"),
    ("patient", "birthDate <= yearsAgo(-1)", "yearsAgo(-1)", "a day is written"),
    ("patient", "birthDate <= yearsAgo(1.5)", "yearsAgo(1.5)", "a day is written"),
    ("observation", "code == \"718-7\" && code == \"4548-4\" && value > 12", "code == \"4548-4\"", "two codes at once"),
    ("patient", "birthDate <= yearsAgo(131)", "yearsAgo(131)", "off the schema's grid"),
    (
        "patient",
        "birthDate <= date(\"2008-06-14\")",
        "date(\"2008-06-14\")",
        "whole years before the day of asking (2026-06-15)",
    ),
    ("patient", "birthDate + 1 > birthDate", "", ""),
    ("patient", "size(familyName) > 3", "", ""),
    ("patient", "familyName.startsWith(\"A\")", "familyName.startsWith(\"A\")", "a test is `field < constant`"),
    ("patient", "gender == \"f\" ? true : false", "", "a test is `field < constant`"),
    ("observation", "value > 5", "value > 5", "depends on code: write `code == \"…\" && …`"),
    ("observation", "code == \"718-7\" || value > 5", "value > 5", "depends on code"),
    ("observation", "!(code == \"718-7\") && value > 5", "value > 5", "depends on code"),
    ("observation", "code == \"718-7\" && value > 5 && code == \"2339-0\"", "", "two codes at once"),
    ("observation", "code == \"0000-0\" && value > 5", "value > 5", "knows no unit and scale for the code 0000-0"),
    ("observation", "systolic >= 123", "123", "off the schema's grid: 0 to 300 in steps of 5 (mm[Hg])"),
    ("observation", "systolic >= 305", "305", "off the schema's grid"),
    ("observation", "systolic >= -5", "-5", "off the schema's grid"),
    ("observation", "systolic >= 90.5", "90.5", "0 digits after the point"),
    ("observation", "code == \"4548-4\" && value >= 6.6", "6.6", "0 to 20 in steps of 0.5 (%)"),
    ("observation", "code == \"4548-4\" && value >= 6.55", "6.55", "1 digits after the point"),
    ("observation", "systolic >= 1e300", "", "out of range"),
    ("observation", "systolic >= \"90\"", "\"90\"", "a number is expected here"),
    ("observation", "systolic >= 140 && systolic <= 90", "", "no value lies between these bounds"),
    ("observation", "code == \"a code that is too long\"", "\"a code that is too long\"", ""),
    ("condition", "snomed == \"044054006\"", "\"044054006\"", ""),
    ("condition", "icd10.under(3)", "3", "the prefix is a text in quotes"),
    ("condition", "under(\"E11\")", "under(\"E11\")", "write `field.under"),
    ("condition", "absent(shoeSize)", "shoeSize", "has no such field"),
    ("condition", "absent(\"icd10\")", "\"icd10\"", "name a field of the schema"),
    ("condition", "this.icd10 == \"E11\"", "this.icd10", "name a field of the schema"),
];

#[test]
fn the_part_and_the_reason_are_named() {
    for (schema, text, part, why) in PARTS {
        match compiled(schema, text) {
            Err(PredicateError::Part { part: named, why: reason }) => {
                assert!(part.is_empty() || named == *part, "{text}: {named:?} is named, not {part:?}");
                assert!(reason.contains(why), "{text}: {reason:?} does not say {why:?}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

/// A fact says that a record exists; no clause can say what other records there are.
#[test]
fn questions_about_other_records_get_that_explanation() {
    for text in [
        "icd10.exists(c, c == \"E11\")",
        "icd10.all(c, c == \"E11\")",
        "icd10.exists_one(c, c == \"E11\")",
        "[\"E11\", \"I10\"].exists(c, icd10 == c)",
        "icd10.under(\"E11\") && !snomed.exists(c, c == \"44054006\")",
        "count(icd10)",
        "size(icd10)",
        "size(icd10) > 1",
        "none(icd10)",
        "icd10.filter(c, c == \"E11\")",
    ] {
        let error = compiled("condition", text).unwrap_err().to_string();
        assert!(error.contains("no other record exists"), "{text}: {error}");
    }
}

#[test]
fn more_than_four_clauses_are_refused() {
    let five = "maritalStatus in [\"S\", \"D\", \"M\", \"W\", \"A\"]";
    assert_eq!(compiled("patient", five), Err(PredicateError::TooManyClauses(5)));
    // four are not, nor are five tests of which two ask the same
    compiled("patient", "maritalStatus in [\"S\", \"D\", \"M\", \"W\"]").unwrap();
    compiled("patient", "maritalStatus in [\"S\", \"D\", \"M\", \"W\", \"S\"]").unwrap();
}

#[test]
fn what_is_always_so_asks_nothing() {
    let same = "gender == \"female\"";
    assert_eq!(compiled("patient", &format!("{same} || !({same})")), Err(PredicateError::Constant(true)));
    assert_eq!(compiled("patient", &format!("{same} && !({same})")), Err(PredicateError::Constant(false)));
    // a part that makes no difference is named
    let text = format!("{same} || {same} && country == \"NG\"");
    let Err(PredicateError::Part { part, why }) = compiled("patient", &text) else { panic!("{text}") };
    assert_eq!(part, "country == \"NG\"");
    assert!(why.contains("makes no difference"));
}

#[test]
fn what_is_not_cel_is_said_to_be_so() {
    for text in ["", " ", "birthDate <", "(", ")", "gender == 'female", "a b", "&&", "birthDate <= yearsAgo(18);", "\0"]
    {
        let error = compiled("patient", text).unwrap_err();
        assert!(matches!(error, PredicateError::Syntax(_)), "{text:?}: {error}");
    }
}

/// More digits than a double keeps would ask about another number than was written.
#[test]
fn numbers_that_cel_cannot_keep_are_refused() {
    for text in ["systolic >= 90.00000000000000001", "systolic >= 9007199254740993", "systolic < 0.0000000000000001"] {
        let error = compiled("observation", text).unwrap_err();
        assert!(matches!(&error, PredicateError::Syntax(why) if why.contains("at most 15 digits")), "{text}: {error}");
    }
    // digits of a text are no number
    compiled("condition", "snomed == \"128613002128613002\"").unwrap();
    compiled("observation", "systolic >= 90.0000000000000").unwrap();
}

/// Fractions of a second would be dropped, and `>=` be true where the text says otherwise.
#[test]
fn points_in_time_are_whole_seconds() {
    let field = r#"{"name":"t","kind":{"instant":{"grid":{"steps":{"min":0,"max":4000000000,"step":1}}}},"tier":1,"deidentify":"keep"}"#;
    let document = format!(r#"{{"name":"event","version":1,"fields":[{field}]}}"#);
    let schema = Schema::parse(document.as_bytes()).unwrap();
    let compiled = |text: &str| compile(text, &schema, today());
    compiled("t >= timestamp(\"2020-01-01T00:00:00Z\")").unwrap();
    for time in ["2020-01-01T00:00:00.999Z", "2020-12-31T23:59:60Z"] {
        let error = compiled(&format!("t >= timestamp(\"{time}\")")).unwrap_err();
        assert!(matches!(error, PredicateError::Part { .. }), "{time}: {error}");
    }
}
