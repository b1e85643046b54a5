//! Files that are wrong: each error has its place and its culprit, the rest is taken, nothing panics.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use time::macros::date;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::{Fault, Withdrawal};

use super::{only, read, shown};

fn patient(id: &str) -> Json {
    json!({"resourceType": "Patient", "id": id, "gender": "female", "birthDate": "1984-05-17"})
}

fn observation() -> Json {
    json!({
        "resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}, "effectiveDateTime": "2024-03-01T10:00:00Z",
        "valueQuantity": {"value": 13, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
    })
}

fn condition() -> Json {
    json!({
        "resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11.9"}]},
    })
}

fn request() -> Json {
    json!({
        "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": "2024-03-01T10:00:00Z",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "861007"}]},
    })
}

fn bundle(resources: &[Json]) -> Json {
    let entries: Vec<_> = resources.iter().map(|r| json!({"resource": r})).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

/// A resource with one element set; null takes it away.
fn with(mut resource: Json, pointer: &str, value: Json) -> Json {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = resource.pointer_mut(parent).unwrap();
    match value {
        Json::Null => drop(parent.as_object_mut().unwrap().remove(key)),
        value => parent[key] = value,
    }
    resource
}

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
        (with(patient("p"), "/id", Json::Null), "id", "missing", Fault::File),
        (with(patient("p"), "/name", json!({"family": "X"})), "name", "an array", Fault::File),
        (with(patient("p"), "/name", json!([{"given": ["A", 1]}])), "name[0].given[1]", "a string", Fault::File),
        (with(patient("p"), "/identifier", json!([{"system": 7}])), "identifier[0].system", "a string", Fault::File),
        (with(patient("p"), "/deceasedBoolean", json!("no")), "deceasedBoolean", "a boolean", Fault::File),
        (with(patient("p"), "/meta", json!({"versionId": "a/b"})), "meta.versionId", "not a FHIR id", Fault::File),
        (with(patient("p"), "/meta", json!({"lastUpdated": "2024"})), "meta.lastUpdated", "an instant", Fault::File),
        (with(patient("p"), "/modifierExtension", json!([])), "modifierExtension", "change", Fault::Unsupported),
        (with(observation(), "/implicitRules", json!("urn:x")), "implicitRules", "change", Fault::Unsupported),
        (with(observation(), "/status", Json::Null), "status", "missing", Fault::File),
        (with(observation(), "/status", json!("done")), "status", "does not define", Fault::File),
        (with(observation(), "/code", Json::Null), "code", "missing", Fault::File),
        (with(observation(), "/subject", Json::Null), "subject", "missing", Fault::File),
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

fn arb_json() -> impl Strategy<Value = Json> {
    let word = prop::sample::select(WORDS.to_vec()).prop_map(Json::from);
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,30})?(e-?[0-9]{1,5})?".prop_map(|n| Json::Number(n.parse().unwrap())),
        "\\PC{0,12}".prop_map(Json::from),
        word,
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let key =
            prop_oneof![3 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,8}".boxed()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec((key, inner), 0..8).prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
        ]
    })
}

const WORDS: [&str; 40] = [
    "resourceType",
    "Bundle",
    "Patient",
    "Observation",
    "Condition",
    "MedicationRequest",
    "Immunization",
    "type",
    "collection",
    "entry",
    "resource",
    "fullUrl",
    "id",
    "status",
    "final",
    "code",
    "coding",
    "system",
    "identifier",
    "http://loinc.org",
    "718-7",
    "subject",
    "reference",
    "Patient/p",
    "valueQuantity",
    "value",
    "component",
    "#p",
    "contained",
    "extension",
    "meta",
    "versionId",
    "name",
    "given",
    "address",
    "birthDate",
    "_birthDate",
    "2024-01-01",
    "urn:uuid:1",
    "deceasedDateTime",
];

/// All places of a document, as JSON pointers.
fn pointers(value: &Json, at: String, into: &mut Vec<String>) {
    match value {
        Json::Object(object) => {
            object.iter().for_each(|(key, v)| pointers(v, format!("{at}/{}", key.replace('/', "~1")), into))
        }
        Json::Array(items) => items.iter().enumerate().for_each(|(i, v)| pointers(v, format!("{at}/{i}"), into)),
        _ => {}
    }
    into.push(at);
}

proptest! {
    #[test]
    fn any_json_is_read_without_panic(value in arb_json()) {
        read("any.json", value.to_string().as_bytes());
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read("any.json", &bytes);
    }

    #[test]
    fn a_sound_bundle_with_one_place_changed_is_read_without_panic(
        seed in 0u64..50, place in any::<prop::sample::Index>(), value in arb_json(),
    ) {
        let mut bundle = hospital::generate(seed, 2, date!(2026-06-15)).remove(1);
        let mut all = Vec::new();
        pointers(&bundle, String::new(), &mut all);
        *bundle.pointer_mut(place.get(&all)).unwrap() = value;
        let reading = read("any.json", bundle.to_string().as_bytes());
        for record in &reading.records {
            let schemas = vouchsafe_prover_service::fhir::Schemas::built_in();
            prop_assert!(schemas.of(record.key.resource_type).encode(&record.fields).is_ok());
        }
    }
}
