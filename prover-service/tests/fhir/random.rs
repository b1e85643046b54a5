//! Anything at all is read without a panic, and what comes out of it can be encoded.

use proptest::prelude::*;
use serde_json::Value as Json;
use time::macros::date;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Schemas;

use super::read;

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
        let at: &String = place.get(&all);
        *bundle.pointer_mut(at).unwrap() = value;
        let reading = read("any.json", bundle.to_string().as_bytes());
        for record in &reading.records {
            let schemas = Schemas::built_in();
            prop_assert!(schemas.of(record.key.resource_type).encode(&record.fields).is_ok());
        }
    }
}
