//! Whose record it is: references and identifiers.

use serde_json::{Value as Json, json};

use super::{only, read};

fn condition(subject: Json) -> Json {
    json!({"resourceType": "Condition", "id": "c", "subject": subject})
}

fn patient(identifiers: Json) -> Json {
    json!({"resourceType": "Patient", "id": "p1", "identifier": identifiers})
}

/// The type of a medical record number.
fn record_number() -> Json {
    json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]})
}

fn bundle(patient_url: &str, patient: &Json, reference: &str) -> String {
    let condition = condition(json!({"reference": reference}));
    json!({"resourceType": "Bundle", "type": "searchset", "entry": [
        {"fullUrl": "urn:uuid:c", "resource": condition}, {"fullUrl": patient_url, "resource": patient},
    ]})
    .to_string()
}

fn names(record: &vouchsafe_prover_service::fhir::Mapped) -> Vec<&str> {
    let aliases = record.subject.aliases.iter().map(|alias| alias.as_str());
    std::iter::once(record.subject.canonical.as_str()).chain(aliases).collect()
}

#[test]
fn references_lead_to_the_patient_of_the_bundle() {
    let patient = patient(json!([{"type": record_number(), "system": "urn:mrn", "value": "7"}]));
    for (url, reference, aliases) in [
        ("urn:uuid:1", "urn:uuid:1", &["test|Patient/p1"][..]),
        ("urn:uuid:1", "Patient/p1", &["test|Patient/p1"]),
        ("urn:uuid:1", "Patient/p1/_history/2", &["test|Patient/p1"]),
        (
            "https://h.example/fhir/Patient/p1",
            "https://h.example/fhir/Patient/p1",
            &["test|Patient/p1", "test|https://h.example/fhir/Patient/p1"],
        ),
    ] {
        let reading = read("file.json", bundle(url, &patient, reference).as_bytes());
        assert_eq!(reading.errors, [], "{reference}");
        for record in &reading.records {
            assert_eq!(names(record), [&["urn:mrn|7"], aliases].concat(), "{reference}");
        }
    }
}

#[test]
fn a_patient_of_an_earlier_file_is_named_as_it_was_filed() {
    for (reference, name) in [
        ("Patient/p1", "test|Patient/p1"),
        ("Patient/p1/_history/3", "test|Patient/p1"),
        ("https://h.example/fhir/Patient/p1", "test|https://h.example/fhir/Patient/p1"),
    ] {
        assert_eq!(names(&only(&condition(json!({"reference": reference})).to_string())), [name]);
    }
    let by_identifier = condition(json!({"identifier": {"system": "urn:mrn", "value": "7"}}));
    assert_eq!(names(&only(&by_identifier.to_string())), ["urn:mrn|7"]);
}

#[test]
fn what_is_no_patient_is_refused() {
    for reference in ["OutPatient/1", "Patient/", "Patient/a/b", "Patient", "x", "https://h.example/OutPatient/1", "#p"]
    {
        let reading = read("file.json", condition(json!({"reference": reference})).to_string().as_bytes());
        assert_eq!(reading.errors.len(), 1, "{reference}");
        assert_eq!(reading.errors[0].path, "subject.reference");
    }
}

#[test]
fn one_record_number_is_the_identity_and_the_rest_finds() {
    let mr = record_number();
    let record = only(
        &patient(json!([
            {"use": "old", "type": mr, "system": "urn:mrn", "value": "6"},
            {"system": "urn:ssn", "value": "999"},
            {"type": mr, "system": "urn:mrn", "value": "7"},
            {"type": mr, "system": "urn:mrn", "value": "8"},
            {"system": "urn:mrn", "value": "7"},
            {"value": "no system"},
            {"system": "test", "value": "Patient/somebody-else"},
            {"system": "urn:a|b", "value": "c"},
        ]))
        .to_string(),
    );
    assert_eq!(names(&record), ["urn:mrn|7", "test|Patient/p1"]);
    let lookups: Vec<&str> = record.subject.lookups.iter().map(|name| name.as_str()).collect();
    assert_eq!(lookups, ["urn:mrn|8", "urn:ssn|999"], "the old number names nobody any more");
}

#[test]
fn a_contained_patient_is_named_by_its_identifiers_alone() {
    let mut resource = condition(json!({"reference": "#p1"}));
    resource["contained"] = json!([patient(json!([{"system": "urn:mrn", "value": "7"}]))]);
    assert_eq!(names(&only(&resource.to_string())), ["urn:mrn|7"]);
    resource["contained"] = json!([patient(json!([]))]);
    assert_eq!(read("file.json", resource.to_string().as_bytes()).errors.len(), 1);
}

#[test]
fn a_patient_that_cannot_be_read_keeps_its_name_in_the_source() {
    let mut broken = patient(json!([{"system": "urn:mrn", "value": 7}]));
    broken["gender"] = json!("?");
    let reading = read("file.json", bundle("urn:uuid:1", &broken, "urn:uuid:1").as_bytes());
    assert_eq!(reading.errors.len(), 1);
    assert_eq!(names(&reading.records[0]), ["test|Patient/p1"]);
}

#[test]
fn a_name_that_two_entries_share_leads_nowhere() {
    let other = json!({"resourceType": "Patient", "id": "p2"});
    let file = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"fullUrl": "urn:uuid:1", "resource": patient(json!([]))}, {"fullUrl": "urn:uuid:1", "resource": other},
        {"resource": condition(json!({"reference": "urn:uuid:1"}))},
    ]});
    let reading = read("file.json", file.to_string().as_bytes());
    assert_eq!(reading.errors[0].path, "entry[2].resource.subject.reference");
}

#[test]
fn debug_output_names_nobody() {
    let record = only(&patient(json!([{"system": "urn:mrn", "value": "7"}])).to_string());
    assert!(!format!("{record:?}").contains("urn:mrn"));
}
