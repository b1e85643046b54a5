//! Small sound resources, to be spoilt by tests.

use serde_json::{Value as Json, json};

pub fn patient(id: &str) -> Json {
    json!({"resourceType": "Patient", "id": id, "gender": "female", "birthDate": "1984-05-17"})
}

pub fn observation() -> Json {
    json!({
        "resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}, "effectiveDateTime": "2024-03-01T10:00:00Z",
        "valueQuantity": {"value": 13, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
    })
}

pub fn condition() -> Json {
    json!({
        "resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11.9"}]},
    })
}

pub fn request() -> Json {
    json!({
        "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": "2024-03-01T10:00:00Z",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "861007"}]},
    })
}

pub fn bundle(resources: &[Json]) -> Json {
    let entries: Vec<_> = resources.iter().map(|r| json!({"resource": r})).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

/// A resource with one element set; null takes it away.
pub fn with(mut resource: Json, pointer: &str, value: Json) -> Json {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = resource.pointer_mut(parent).unwrap();
    match value {
        Json::Null => drop(parent.as_object_mut().unwrap().remove(key)),
        value => parent[key] = value,
    }
    resource
}
