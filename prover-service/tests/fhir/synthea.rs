//! The five Synthea patients: every mapped resource becomes a record, every code survives its encoding.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use vouchsafe_circuits::record::{EncodedField, FieldValue, Value};
use vouchsafe_circuits::schema::{CodeForm, Kind, decode_code, encode_code};
use vouchsafe_prover_service::fhir::{BundleReading, ResourceType, Schemas, Version};

use super::{read, shown};
use crate::fixtures;

fn patients() -> Option<Vec<(Vec<u8>, BundleReading)>> {
    let folder = fixtures::folder()?.join("fhir-r4-synthea");
    let files = fixtures::files(&folder).into_iter().filter(|(name, _)| !name.starts_with("practitioner"));
    Some(files.map(|(name, text)| (text.clone(), read(&name, &text))).collect())
}

#[test]
fn five_patients_are_397_records() {
    let Some(files) = patients() else { return };
    assert_eq!(files.len(), 5);
    let mut records: BTreeMap<&str, u64> = BTreeMap::new();
    let mut skipped: BTreeMap<String, u64> = BTreeMap::new();
    for (_, reading) in &files {
        assert!(reading.errors.is_empty(), "{:?}", reading.errors);
        assert!(reading.withdrawals.is_empty());
        assert_eq!(reading.unmapped, BTreeMap::new());
        for record in &reading.records {
            *records.entry(record.key.resource_type.name()).or_default() += 1;
        }
        for (name, count) in &reading.skipped {
            *skipped.entry(name.clone()).or_default() += count;
        }
    }
    let expected =
        [("Patient", 5), ("Observation", 290), ("Condition", 20), ("MedicationRequest", 20), ("Immunization", 62)];
    assert_eq!(records, BTreeMap::from(expected));
    let expected = [
        ("AllergyIntolerance", 8),
        ("CarePlan", 7),
        ("Claim", 85),
        ("DiagnosticReport", 7),
        ("Encounter", 65),
        ("ExplanationOfBenefit", 65),
        ("ImagingStudy", 1),
        ("Organization", 8),
        ("Practitioner", 8),
        ("Procedure", 24),
    ];
    assert_eq!(skipped, expected.map(|(name, count)| (name.to_owned(), count)).into());
}

#[test]
fn practitioners_alone_are_no_records() {
    let Some(folder) = fixtures::folder() else { return };
    let files = fixtures::files(&folder.join("fhir-r4-synthea"));
    let (name, text) = files.iter().find(|(name, _)| name.starts_with("practitioner")).unwrap();
    let reading = read(name, text);
    assert_eq!((reading.records.len(), reading.errors.len()), (0, 0));
    assert_eq!(reading.skipped, BTreeMap::from([("Practitioner".to_owned(), 102)]));
}

#[test]
fn values_are_those_of_the_file() {
    let Some(files) = patients() else { return };
    let (_, xuan) = files.iter().find(|(text, _)| text.windows(12).any(|w| w == b"Christiansen")).unwrap();
    let patient = &xuan.records[0];
    assert_eq!(patient.entry, Some(0));
    for (name, expected) in [
        ("birthDate", "2000-03-14"),
        ("deceasedDate", "not asked"),
        ("gender", "female"),
        ("maritalStatus", "S"),
        ("postalCode", "02474"),
        ("country", "US"),
        ("familyName", "Christiansen"),
        ("givenName", "Xuan"),
        ("active", "not asked"),
    ] {
        assert_eq!(shown(patient, name), expected, "{name}");
    }
    let entry = |n| xuan.records.iter().find(|r| r.entry == Some(n)).unwrap();
    assert_eq!(shown(entry(4), "code"), "8302-2");
    assert_eq!(shown(entry(4), "value"), "1493"); // 149.33018226559972 cm
    assert_eq!(shown(entry(4), "effective"), "2012-04-03");
    assert_eq!(shown(entry(7), "value"), "238"); // 23.7895350104629 kg/m2
    assert_eq!(shown(entry(8), "systolic"), "129"); // 128.84833485647437 mm[Hg]
    assert_eq!(shown(entry(8), "diastolic"), "77");
    assert_eq!(shown(entry(8), "value"), "not applicable");
    assert_eq!(shown(entry(9), "valueCode"), "266919005");
    assert!(xuan.rounded > 0);
}

#[test]
fn all_resources_of_a_file_have_its_patient_for_a_subject() {
    let Some(files) = patients() else { return };
    for (_, reading) in &files {
        let patient = &reading.records[0];
        assert_eq!(patient.key.resource_type, ResourceType::Patient);
        assert!(patient.subject.canonical.as_str().starts_with("http://hospital.smarthealthit.org|"));
        let in_source = format!("test|Patient/{}", patient.key.id);
        assert!(patient.subject.aliases.iter().any(|alias| alias.as_str() == in_source));
        assert!(
            patient.subject.lookups.iter().any(|name| name.as_str().starts_with("http://hl7.org/fhir/sid/us-ssn|"))
        );
        assert!(reading.records.iter().all(|r| r.subject == patient.subject));
    }
}

#[test]
fn the_same_file_again_has_the_same_keys_and_versions() {
    let (Some(first), Some(second)) = (patients(), patients()) else { return };
    let names = |files: &[(Vec<u8>, BundleReading)]| -> BTreeSet<String> {
        let records = files.iter().flat_map(|(_, reading)| &reading.records);
        records.map(|r| format!("{} {}", r.key, r.version)).collect()
    };
    assert_eq!(names(&first), names(&second));
    assert_eq!(names(&first).len(), 397);
    assert!(first.iter().flat_map(|(_, r)| &r.records).all(|r| matches!(r.version, Version::Content(_))));
}

#[test]
fn encoded_codes_are_the_codes_of_the_file() {
    let Some(files) = patients() else { return };
    let schemas = Schemas::built_in();
    let mut seen = BTreeSet::new();
    for record in files.iter().flat_map(|(_, reading)| &reading.records) {
        let schema = schemas.of(record.key.resource_type);
        let encoded = schema.encode(&record.fields).unwrap();
        for ((index, field), value) in schema.fields().zip(&record.fields) {
            let (Kind::Code { form, .. }, FieldValue::Present(Value::Code(code))) = (&field.kind, value) else {
                continue;
            };
            let EncodedField::Present(encoded) = encoded[index.as_usize()] else {
                panic!("{code} was encoded as absent")
            };
            assert_eq!(&decode_code(*form, encoded).unwrap(), code);
            seen.insert((field.name.to_string(), code.clone()));
        }
    }
    assert!(seen.contains(&("cvx".to_owned(), "08".to_owned())));
    assert!(!seen.contains(&("cvx".to_owned(), "8".to_owned())));
    for (_, codes) in raw_codes(&files) {
        assert!(codes.iter().all(|code| seen.iter().any(|(_, s)| s == code)), "{codes:?}");
    }
}

#[test]
fn every_code_of_the_fixtures_round_trips() {
    let Some(files) = patients() else { return };
    let number = ["http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm"];
    let mut encoded = BTreeSet::new();
    let mut count = 0;
    for (system, codes) in raw_codes(&files) {
        let form = if number.contains(&system.as_str()) { CodeForm::Number } else { CodeForm::Ascii };
        for code in codes {
            let fe = encode_code(form, &code).unwrap();
            assert_eq!(decode_code(form, fe).unwrap(), code, "{system}");
            assert!(encoded.insert((system.clone(), fe)), "{system} {code} is encoded as another code");
            count += 1;
        }
    }
    assert!(count > 75, "{count} codes"); // 34 LOINC, 16 SNOMED, 15 CVX, 14 RxNorm
}

/// The codes of what is mapped, by system, read from the JSON without the mapping.
fn raw_codes(files: &[(Vec<u8>, BundleReading)]) -> BTreeMap<String, BTreeSet<String>> {
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (text, _) in files {
        let bundle: Json = serde_json::from_slice(text).unwrap();
        for entry in bundle["entry"].as_array().unwrap() {
            let resource = &entry["resource"];
            let mapped = ResourceType::ALL.iter().any(|t| resource["resourceType"] == t.name());
            let concepts = ["code", "valueCodeableConcept", "vaccineCode", "medicationCodeableConcept"];
            for concept in concepts.iter().filter(|_| mapped) {
                for coding in resource[concept]["coding"].as_array().into_iter().flatten() {
                    let text = |key: &str| coding[key].as_str().unwrap().to_owned();
                    codes.entry(text("system")).or_default().insert(text("code"));
                }
            }
        }
    }
    codes
}
