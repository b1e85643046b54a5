//! HL7's own examples: absent and cancelled values, partial dates, other coding systems.

use super::{all_shown, only, read, shown};
use crate::fixtures;

fn example(name: &str) -> Option<String> {
    let path = fixtures::folder()?.join("fhir-r4-hl7").join(name);
    Some(std::fs::read_to_string(path).unwrap())
}

/// The only record of an example.
macro_rules! example {
    ($name:literal) => {
        match example($name) {
            Some(text) => only(&text),
            None => return,
        }
    };
}

#[test]
fn a_vaccine_not_given_is_no_fact() {
    let record = example!("Immunization-notGiven.json");
    assert_eq!(all_shown(&record), ["cvx=unmapped", "status=not-done", "occurrence=unmapped"]);
}

#[test]
fn a_cancelled_blood_pressure_is_no_fact() {
    let record = example!("Observation-blood-pressure-cancel.json");
    for field in all_shown(&record) {
        assert!(field == "status=cancelled" || field.ends_with("=unmapped"), "{field}");
    }
}

#[test]
fn a_blood_pressure_is_one_record() {
    let record = example!("Observation-blood-pressure.json");
    let expected = [
        "code=85354-9",
        "status=final",
        "effective=2012-09-17",
        "value=not applicable",
        "valueCode=not applicable",
        "systolic=107",
        "diastolic=60",
    ];
    assert_eq!(all_shown(&record), expected);
}

#[test]
fn a_missing_half_of_a_blood_pressure_has_its_reason() {
    let record = example!("Observation-blood-pressure-dar.json");
    assert_eq!((shown(&record, "systolic"), shown(&record, "diastolic")), ("107".to_owned(), "not tested".to_owned()));
}

#[test]
fn a_glucose_of_6_3() {
    let record = example!("Observation-f001.json");
    assert_eq!(shown(&record, "code"), "15074-8");
    assert_eq!(shown(&record, "value"), "63"); // 6.3 mmol/L at one decimal
    assert_eq!(shown(&record, "effective"), "imprecise"); // a period
    assert_eq!(record.subject.canonical.as_str(), "test|Patient/f001");
}

#[test]
fn a_body_mass_index() {
    let record = example!("Observation-bmi.json");
    assert_eq!((shown(&record, "code"), shown(&record, "value")), ("39156-5".to_owned(), "162".to_owned()));
}

#[test]
fn numbers_from_1e_minus_245_to_1e245() {
    let Some(text) = example("Observation-decimal.json") else { return };
    let reading = read("decimal.json", text.as_bytes());
    assert_eq!(reading.errors.len(), 1); // it concerns nobody
    assert_eq!(reading.errors[0].path, "subject");
    let with_subject = text.replacen("\"status\"", "\"subject\": {\"reference\": \"Patient/x\"}, \"status\"", 1);
    let reading = read("decimal.json", with_subject.as_bytes());
    assert_eq!(reading.errors, []);
    assert_eq!(shown(&reading.records[0], "code"), "unmapped");
    assert_eq!(shown(&reading.records[0], "systolic"), "unmapped");
    assert_eq!(reading.unmapped["observation.component: not one LOINC code"], 7);
    for (number, scaled) in
        [("1e-22", Ok("0")), ("1.00", Ok("10")), ("-1e245", Err("out of range")), ("1e18", Err("out of range"))]
    {
        let reading = read("glucose.json", glucose(number).as_bytes());
        match scaled {
            Ok(value) => assert_eq!(shown(&reading.records[0], "value"), value),
            Err(why) => {
                assert_eq!(reading.errors[0].path, "valueQuantity.value");
                assert!(reading.errors[0].to_string().contains(why));
            }
        }
    }
}

fn glucose(number: &str) -> String {
    format!(
        r#"{{"resourceType": "Observation", "id": "g", "status": "final", "subject": {{"reference": "Patient/x"}},
        "code": {{"coding": [{{"system": "http://loinc.org", "code": "15074-8"}}]}},
        "valueQuantity": {{"value": {number}, "system": "http://unitsofmeasure.org", "code": "mmol/L"}}}}"#
    )
}

#[test]
fn patients() {
    let record = example!("Patient-example.json");
    assert_eq!(record.subject.canonical.as_str(), "urn:oid:1.2.36.146.595.217.0.1|12345");
    let expected = [
        "birthDate=1974-12-25",
        "deceasedDate=not applicable",
        "deceased=false",
        "gender=male",
        "maritalStatus=not asked",
        "postalCode=3999",
        "country=not asked",
        "familyName=Chalmers",
        "givenName=Peter",
        "active=true",
    ];
    assert_eq!(all_shown(&record), expected);
    let record = example!("Patient-f001.json");
    // no record number among its identifiers: the source's own name for it, and the others to find it by
    assert_eq!(record.subject.canonical.as_str(), "test|Patient/f001");
    let lookups: Vec<&str> = record.subject.lookups.iter().map(|name| name.as_str()).collect();
    assert!(lookups.contains(&"urn:oid:2.16.840.1.113883.2.4.6.3|738472983"), "{lookups:?}");
    assert_eq!(shown(&record, "postalCode"), "1024RJ");
    assert_eq!(shown(&record, "country"), "NLD");
    let record = example!("Patient-newborn.json");
    assert_eq!(record.subject.canonical.as_str(), "test|Patient/newborn");
    assert_eq!(shown(&record, "birthDate"), "2017-09-05");
    assert_eq!(shown(&record, "familyName"), "not asked");
}

#[test]
fn conditions() {
    let record = example!("Condition-f201.json");
    let expected = [
        "icd10=unmapped", // it has a code, in SNOMED CT
        "snomed=386661006",
        "clinicalStatus=resolved",
        "verificationStatus=confirmed",
        "onset=2013-04-02",
        "abatement=unmapped", // "around April 9, 2013"
        "recorded=2013-04-04",
    ];
    assert_eq!(all_shown(&record), expected);
    let record = example!("Condition-stroke.json");
    assert_eq!(shown(&record, "abatement"), "not asked");
}

#[test]
fn other_coding_systems_and_contained_medications() {
    let record = example!("Immunization-example.json");
    assert_eq!((shown(&record, "cvx"), shown(&record, "status")), ("unmapped".to_owned(), "completed".to_owned()));
    let Some(text) = example("MedicationRequest-medrx0301.json") else { return };
    let reading = read("medrx0301.json", text.as_bytes());
    assert_eq!(reading.errors, []);
    assert_eq!(reading.skipped["Medication (contained)"], 1);
    assert_eq!(shown(&reading.records[0], "snomed"), "430127000");
    assert_eq!(shown(&reading.records[0], "rxnorm"), "unmapped");
    assert_eq!(shown(&reading.records[0], "intent"), "order");
    assert_eq!(shown(&reading.records[0], "authoredOn"), "2015-01-15");
}

#[test]
fn audit_events_are_named_and_skipped() {
    let Some(folder) = fixtures::folder() else { return };
    for (name, text) in fixtures::files(&folder.join("fhir-r4-hl7")) {
        let reading = read(&name, &text);
        if name.starts_with("AuditEvent") {
            assert_eq!(reading.skipped.values().sum::<u64>(), 1, "{name}");
            assert!(reading.records.is_empty() && reading.errors.is_empty());
        }
    }
}
