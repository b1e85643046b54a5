//! Files that are wrong: each error has its place and its culprit, and the rest is taken.

use serde_json::json;
use vouchsafe_prover_service::fhir::Fault;

use super::samples::{bundle, condition, observation, patient, request, with};
use super::{only, read};

#[test]
fn each_error_has_path_and_culprit() {
    let table = [
        (with(patient("p"), "/birthDate", json!(1984)), "birthDate", "expected a string, found a number", Fault::File),
        (with(patient("p"), "/birthDate", json!("17.05.1984")), "birthDate", "not a FHIR date", Fault::File),
        (with(patient("p"), "/birthDate", json!("1984-13-01")), "birthDate", "out of range", Fault::File),
        (with(patient("p"), "/birthDate", json!("0001-01-01")), "birthDate", "out of range", Fault::File),
        (with(patient("p"), "/birthDate", json!("1984-05-17T00:00:00Z")), "birthDate", "time of day", Fault::File),
        (with(patient("p"), "/gender", json!("F")), "gender", "does not define", Fault::File),
        (with(patient("p"), "/gender", json!("")), "gender", "empty", Fault::File),
        (with(patient("p"), "/id", json!("a b")), "id", "not a FHIR id", Fault::File),
        (with(patient("p"), "/id", json!(null)), "id", "missing", Fault::File),
        (with(patient("p"), "/name", json!({"family": "X"})), "name", "an array", Fault::File),
        (with(patient("p"), "/name", json!([{"given": ["A", 1]}])), "name[0].given[1]", "a string", Fault::File),
        (with(patient("p"), "/identifier", json!([{"system": 7}])), "identifier[0].system", "a string", Fault::File),
        (with(patient("p"), "/deceasedBoolean", json!("no")), "deceasedBoolean", "a boolean", Fault::File),
        (with(patient("p"), "/meta", json!({"versionId": "a/b"})), "meta.versionId", "not a FHIR id", Fault::File),
        (with(patient("p"), "/meta", json!({"lastUpdated": "2024"})), "meta.lastUpdated", "an instant", Fault::File),
        (with(patient("p"), "/modifierExtension", json!([])), "modifierExtension", "change", Fault::Unsupported),
        (with(observation(), "/implicitRules", json!("urn:x")), "implicitRules", "change", Fault::Unsupported),
        (with(observation(), "/status", json!(null)), "status", "missing", Fault::File),
        (with(observation(), "/status", json!("done")), "status", "does not define", Fault::File),
        (with(observation(), "/code", json!(null)), "code", "missing", Fault::File),
        (with(observation(), "/subject", json!(null)), "subject", "missing", Fault::File),
        (with(observation(), "/subject", json!({"display": "X"})), "subject", "names nobody", Fault::File),
        (
            with(observation(), "/subject/reference", json!("Group/g")),
            "subject.reference",
            "else than a patient",
            Fault::File,
        ),
        (with(observation(), "/subject/reference", json!("urn:uuid:1")), "subject.reference", "fullUrl", Fault::File),
        (with(observation(), "/valueQuantity/value", json!("13")), "valueQuantity.value", "a number", Fault::File),
        (with(observation(), "/valueQuantity", json!([13])), "valueQuantity", "an object", Fault::File),
        (with(observation(), "/valueString", json!("13")), "valueString", "two values", Fault::File),
        (with(observation(), "/dataAbsentReason", json!({"text": "?"})), "valueQuantity", "a reason", Fault::File),
        (
            with(observation(), "/effectiveDateTime", json!("2024-03-01T10:00:00")),
            "effectiveDateTime",
            "zone",
            Fault::File,
        ),
        (
            with(condition(), "/code/coding/0/code", json!("E11.9 or something")),
            "code.coding[0].code",
            "out of range",
            Fault::File,
        ),
        (with(condition(), "/code/coding/0/code", json!("É11")), "code.coding[0].code", "out of range", Fault::File),
        (with(request(), "/medicationReference", json!({})), "medicationReference", "two values", Fault::File),
        (json!({"resourceType": "Bundle", "type": "history"}), "type", "not read", Fault::Unsupported),
        (json!({"resourceType": "Bundle"}), "type", "missing", Fault::File),
        (json!({"resourceType": "Bundle", "type": "batch", "entry": {}}), "entry", "an array", Fault::File),
        (json!({"resourceType": "\u{1b}[2J"}), "resourceType", "not the name", Fault::File),
        (json!({"id": "x"}), "resourceType", "missing", Fault::File),
        (json!([]), "$", "an object", Fault::File),
    ];
    for (file, path, why, fault) in table {
        let reading = read("bad.json", file.to_string().as_bytes());
        assert_eq!(reading.errors.len(), 1, "{path} {why}: {:?}", reading.errors);
        let error = &reading.errors[0];
        assert_eq!((error.path.as_str(), error.why.fault()), (path, fault), "{error}");
        assert!(error.to_string().contains(why), "{error} says nothing of {why}");
        assert!(reading.records.is_empty() && error.file == "bad.json" && error.entry.is_none());
    }
}

#[test]
fn an_error_names_its_entry_and_the_rest_is_taken() {
    let mut file = bundle(&[patient("p"), with(observation(), "/status", json!(1)), condition()]);
    file["entry"].as_array_mut().unwrap().extend([
        json!(7),
        json!({"fullUrl": "urn:uuid:1"}),
        json!({"resource": request(), "request": {"method": "DELETE"}}),
        json!({"resource": {"resourceType": "Claim"}}),
        json!({"resource": request()}),
    ]);
    let reading = read("file.json", file.to_string().as_bytes());
    let errors: Vec<_> = reading.errors.iter().map(|e| (e.entry.unwrap(), e.path.as_str())).collect();
    let expected =
        [(1, "entry[1].resource.status"), (3, "entry[3]"), (4, "entry[4].resource"), (5, "entry[5].request.method")];
    assert_eq!(errors, expected);
    assert_eq!(reading.records.iter().map(|r| r.entry.unwrap()).collect::<Vec<_>>(), [0, 2, 7]);
    assert_eq!(reading.skipped["Claim"], 1);
    let json = serde_json::to_value(&reading.errors[0]).unwrap();
    let expected = json!({"file": "file.json", "entry": 1, "path": "entry[1].resource.status",
        "why": "expected a string, found a number", "fault": "file"});
    assert_eq!(json, expected);
}

#[test]
fn malformed_json_is_one_error_with_line_and_column() {
    for text in ["", "{", "{\"a\": 1,}", "nul", "{\"resourceType\": \"Patient\" \"id\": 1}", "\u{0}"] {
        let reading = read("bad.json", text.as_bytes());
        assert_eq!(reading.errors.len(), 1, "{text}");
        assert!(reading.errors[0].to_string().contains("not well-formed JSON at line"), "{}", reading.errors[0]);
    }
    let twice = r#"{"resourceType": "Patient", "id": "p", "gender": "male", "gender": "female"}"#;
    assert!(read("bad.json", twice.as_bytes()).errors[0].to_string().contains("same key twice"));
    assert!(read("deep.json", "[".repeat(1_000_000).as_bytes()).errors[0].to_string().contains("recursion"));
}

#[test]
fn a_byte_order_mark_is_no_error() {
    let text = format!("\u{feff}{}", patient("p"));
    assert_eq!(only(&text).key.to_string(), "test|Patient/p");
}

#[test]
fn a_duplicate_is_an_error_and_a_contradiction_takes_both_out() {
    let same = bundle(&[patient("p"), patient("q"), patient("p")]);
    let reading = read("same.json", same.to_string().as_bytes());
    assert_eq!(reading.records.len(), 2);
    assert_eq!((reading.errors[0].entry, reading.errors[0].path.as_str()), (Some(2), "entry[2].resource"));
    assert!(reading.errors[0].to_string().contains("entry 0, repeated"));

    let other = bundle(&[patient("p"), patient("q"), with(patient("p"), "/gender", json!("male"))]);
    let reading = read("other.json", other.to_string().as_bytes());
    assert_eq!(reading.records.len(), 1);
    let errors: Vec<_> = reading.errors.iter().map(|e| (e.entry, e.to_string().contains("other content"))).collect();
    assert_eq!(errors, [(Some(0), true), (Some(2), true)]);
}

#[test]
fn errors_and_notes_hold_no_values_of_the_patient() {
    let secret = "1984-05-17-secret";
    let bad = bundle(&[
        with(patient("p"), "/birthDate", json!(secret)),
        with(patient("q"), "/gender", json!(secret)),
        with(condition(), "/code/coding/0/code", json!(secret)),
        with(observation(), "/subject/reference", json!(secret)),
    ]);
    let reading = read("file.json", bad.to_string().as_bytes());
    assert_eq!(reading.errors.len(), 4);
    let said = format!("{:?} {:?}", reading.errors, reading);
    let said = format!("{said} {}", reading.errors.iter().map(ToString::to_string).collect::<String>());
    assert!(!said.contains("secret"), "{said}");
}
