//! What a resource means: withdrawn, denied, asserted, or absent for a reason.

use serde_json::{Value as Json, json};
use vouchsafe_prover_service::fhir::Withdrawal;

use super::samples::{bundle, condition, observation, patient, request, with};
use super::{only, read, shown};

#[test]
fn entered_in_error_withdraws_whatever_else_is_wrong() {
    let broken = with(with(observation(), "/status", json!("entered-in-error")), "/code", json!(7));
    let status = json!({"coding": [{"code": "entered-in-error"}]});
    let refuted = with(condition(), "/verificationStatus", status);
    let reading = read("file.json", bundle(&[broken, refuted, patient("p")]).to_string().as_bytes());
    assert_eq!(reading.errors, []);
    let keys: Vec<_> = reading.withdrawals.iter().map(|w: &Withdrawal| w.key.to_string()).collect();
    assert_eq!(keys, ["test|Observation/o", "test|Condition/c"]);
    assert_eq!(reading.records.len(), 1);
}

#[test]
fn what_denies_is_no_fact() {
    let ver_status = |code: &str| json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": code}]});
    let own = json!({"coding": [{"system": "urn:ward", "code": "doubtful"}]});
    let denied = [
        (with(condition(), "/verificationStatus", ver_status("refuted")), "icd10"),
        (with(condition(), "/verificationStatus", ver_status("provisional")), "icd10"),
        (with(condition(), "/verificationStatus", ver_status("differential")), "icd10"),
        (with(condition(), "/verificationStatus", own), "icd10"),
        (with(observation(), "/status", json!("cancelled")), "value"),
        (with(observation(), "/status", json!("registered")), "code"),
        (with(observation(), "/status", json!("unknown")), "effective"),
        (with(request(), "/status", json!("draft")), "rxnorm"),
        (with(request(), "/status", json!("cancelled")), "rxnorm"),
        (with(request(), "/intent", json!("proposal")), "rxnorm"),
        (with(request(), "/doNotPerform", json!(true)), "rxnorm"),
    ];
    for (resource, name) in denied {
        assert_eq!(shown(&only(&resource.to_string()), name), "unmapped", "{resource}");
    }
    let asserted = [
        (condition(), "icd10", "E11.9"),
        (with(condition(), "/verificationStatus", ver_status("confirmed")), "icd10", "E11.9"),
        (observation(), "value", "130"),
        (with(observation(), "/status", json!("amended")), "value", "130"),
        (request(), "rxnorm", "861007"),
        (with(request(), "/status", json!("stopped")), "rxnorm", "861007"),
    ];
    for (resource, name, value) in asserted {
        assert_eq!(shown(&only(&resource.to_string()), name), value, "{resource}");
    }
}

const NULL_FLAVOR: &str = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor";

/// A concept with codes of two editions of ICD-10.
fn two_codes(first: (&str, &str), second: (&str, &str)) -> Json {
    let coding = |(edition, code)| json!({"system": format!("http://hl7.org/fhir/sid/icd-10{edition}"), "code": code});
    json!({"coding": [coding(first), coding(second)]})
}

#[test]
fn what_a_field_cannot_hold_is_absent_and_counted() {
    let null_flavor =
        json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "masked"}]});
    let reason = json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "asked-declined"}]});
    let table = [
        (with(observation(), "/valueQuantity/code", json!("g/L")), "value", "unmapped", 1),
        (with(observation(), "/valueQuantity/system", Json::Null), "value", "unmapped", 1),
        (with(observation(), "/valueQuantity/comparator", json!("<")), "value", "imprecise", 1),
        (with(observation(), "/code/coding/0/code", json!("99999-9")), "value", "unmapped", 1),
        (with(observation(), "/code/coding/0/system", json!("urn:ward")), "value", "unmapped", 1),
        (with(observation(), "/effectiveDateTime", json!("2024-03")), "effective", "imprecise", 0),
        (with(observation(), "/valueQuantity", Json::Null), "value", "not asked", 0),
        (with(observation(), "/valueQuantity", Json::Null), "valueCode", "not asked", 0),
        (observation(), "systolic", "not applicable", 0),
        (with(patient("p"), "/maritalStatus", null_flavor), "maritalStatus", "withheld", 0),
        (with(patient("p"), "/maritalStatus", json!({"text": "it is complicated"})), "maritalStatus", "unmapped", 0),
        (with(with(patient("p"), "/birthDate", Json::Null), "/_birthDate", reason), "birthDate", "withheld", 0),
        (
            with(patient("p"), "/maritalStatus", json!({"coding": [{"system": NULL_FLAVOR, "code": "UNK"}]})),
            "maritalStatus",
            "not asked",
            0,
        ),
        (with(condition(), "/code", two_codes(("", "I10"), ("-cm", "E11.9"))), "icd10", "unmapped", 1),
        (with(condition(), "/code", two_codes(("", "E11.9"), ("-cm", "E11.9"))), "icd10", "E11.9", 0),
        (with(patient("p"), "/birthDate", json!("1984")), "birthDate", "imprecise", 0),
        (with(patient("p"), "/deceasedBoolean", json!(true)), "deceasedDate", "imprecise", 0),
        (with(patient("p"), "/name", json!([{"use": "old", "family": "X"}])), "familyName", "unmapped", 0),
        (with(patient("p"), "/address", json!([{"country": "Atlantis"}])), "country", "unmapped", 1),
        (with(condition(), "/onsetAge", json!({"value": 40})), "onset", "imprecise", 0),
        (with(condition(), "/onsetString", json!("long ago")), "onset", "unmapped", 1),
        (with(condition(), "/onsetDateTime", json!("2020-01-01T23:30:00-05:00")), "onset", "2020-01-01", 0),
    ];
    for (resource, name, expected, notes) in table {
        let reading = read("file.json", resource.to_string().as_bytes());
        assert_eq!(reading.errors, [], "{resource}");
        assert_eq!(shown(&reading.records[0], name), expected, "{resource}");
        assert_eq!(reading.unmapped.values().sum::<u64>(), notes, "{:?}", reading.unmapped);
    }
}
