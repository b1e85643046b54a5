//! FHIR in: Synthea's bundles, HL7's examples, hostile files, and our own hospital.

mod consent;
mod hl7;
mod hospital;
mod hostile;
mod meaning;
mod random;
mod samples;
mod subjects;
mod synthea;

use vouchsafe_circuits::record::{Absence, Day, FieldValue, Value};
use vouchsafe_prover_service::fhir::{BundleReading, Mapped, Schemas, Source, read_bundle};

pub fn read(file: &str, text: &[u8]) -> BundleReading {
    read_bundle(text, file, &Source::new("test").unwrap(), &Schemas::built_in())
}

/// The one record of a text without errors.
pub fn only(text: &str) -> Mapped {
    let mut reading = read("only.json", text.as_bytes());
    assert!(reading.errors.is_empty(), "{:?}", reading.errors);
    assert_eq!(reading.records.len(), 1);
    reading.records.remove(0)
}

/// A field of a record.
pub fn field(record: &Mapped, name: &str) -> FieldValue {
    let schemas = Schemas::built_in();
    let place = schemas.of(record.key.resource_type).place(name).unwrap();
    record.fields[place].clone()
}

/// A field as text, since values do not print themselves.
pub fn shown(record: &Mapped, name: &str) -> String {
    match field(record, name) {
        FieldValue::Present(Value::Integer(v) | Value::Instant(v)) => v.to_string(),
        FieldValue::Present(Value::Date(day)) => show_day(day),
        FieldValue::Present(Value::Code(text) | Value::Text(text)) => text,
        FieldValue::Present(Value::Bytes(_)) => "bytes".to_owned(),
        FieldValue::Absent(Absence::NotAsked) => "not asked".to_owned(),
        FieldValue::Absent(Absence::NotTested) => "not tested".to_owned(),
        FieldValue::Absent(Absence::NotApplicable) => "not applicable".to_owned(),
        FieldValue::Absent(reason) => format!("{reason:?}").to_lowercase(),
    }
}

fn show_day(day: Day) -> String {
    time::Date::from_julian_day(day.get() + 2_440_588).unwrap().to_string()
}

/// All fields of a record, as `name=value`.
pub fn all_shown(record: &Mapped) -> Vec<String> {
    let schemas = Schemas::built_in();
    let schema = schemas.of(record.key.resource_type);
    schema.fields().map(|(_, f)| format!("{}={}", f.name, shown(record, f.name.as_str()))).collect()
}
