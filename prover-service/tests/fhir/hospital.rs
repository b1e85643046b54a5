//! Our own hospital: it reads without errors, and its protagonist has what the demo asks about.

use std::collections::{BTreeMap, BTreeSet};

use time::macros::date;
use vouchsafe_circuits::record::FieldValue;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::{BundleReading, Mapped, ResourceType, Version};

use super::{field, read, shown};

fn hospital(patients: usize) -> Vec<BundleReading> {
    let bundles = hospital::generate(1, patients, date!(2026 - 06 - 15));
    bundles.iter().enumerate().map(|(i, b)| read(&format!("{i}.json"), b.to_string().as_bytes())).collect()
}

#[test]
fn everything_is_read() {
    let mut types = BTreeMap::new();
    let mut subjects = BTreeSet::new();
    for (number, reading) in hospital(80).iter().enumerate() {
        assert_eq!(reading.errors, []);
        assert!(reading.skipped.is_empty() && reading.withdrawals.is_empty());
        for record in &reading.records {
            *types.entry(record.key.resource_type).or_insert(0u32) += 1;
            assert_eq!(record.subject.canonical.as_str(), hospital::record_number(number));
            assert_eq!(record.version, Version::Named("1".to_owned()));
            subjects.insert(record.subject.canonical.clone());
        }
    }
    assert_eq!(subjects.len(), 80);
    let clinical = ResourceType::ALL.iter().filter(|t| **t != ResourceType::Consent);
    assert!(clinical.into_iter().all(|t| types.get(t).is_some_and(|n| *n > 30)), "{types:?}");
}

#[test]
fn it_has_the_variety_of_a_real_one() {
    let readings = hospital(250);
    let records: Vec<&Mapped> = readings.iter().flat_map(|r| &r.records).collect();
    let mut seen = BTreeSet::new();
    let schemas = vouchsafe_prover_service::fhir::Schemas::built_in();
    for record in &records {
        for (_, field) in schemas.of(record.key.resource_type).fields() {
            let value = shown(record, field.name.as_str());
            seen.insert(format!("{}={value}", field.name));
        }
    }
    for expected in [
        "icd10=E11.9",
        "icd10=I10",
        "icd10=J45.909",
        "icd10=unmapped",
        "snomed=44054006",
        "cvx=08",
        "cvx=140",
        "status=not-done",
        "status=cancelled",
        "verificationStatus=refuted",
        "systolic=not tested",
        "systolic=not asked",
        "systolic=withheld",
        "maritalStatus=not asked",
        "maritalStatus=unmapped",
        "maritalStatus=M",
        "country=NG",
        "birthDate=imprecise",
        "deceased=true",
        "intent=proposal",
        "code=2339-0",
        "code=4548-4",
        "valueCode=266919005",
    ] {
        assert!(seen.contains(expected), "nobody has {expected}");
    }
    assert!(readings.iter().map(|r| r.rounded).sum::<u64>() > 0);
}

#[test]
fn the_protagonist_has_what_the_demo_asks_about() {
    let readings = hospital(1);
    let records = &readings[0].records;
    let is =
        |record: &&Mapped, fields: &[(&str, &str)]| fields.iter().all(|(name, value)| shown(record, name) == *value);
    let find = |resource_type: ResourceType, fields: &[(&str, &str)]| {
        let found = records.iter().filter(|r| r.key.resource_type == resource_type).filter(|r| is(r, fields)).count();
        assert_eq!(found, 1, "{resource_type} {fields:?}");
    };
    find(ResourceType::Patient, &[("birthDate", "1984-05-17"), ("maritalStatus", "M"), ("postalCode", "AQ47ZL")]);
    find(ResourceType::Condition, &[("icd10", "E11.9"), ("verificationStatus", "confirmed")]);
    find(ResourceType::Observation, &[("code", "4548-4"), ("value", "72"), ("status", "final")]);
    find(ResourceType::Observation, &[("code", "85354-9"), ("systolic", "128"), ("diastolic", "82")]);
    find(ResourceType::MedicationRequest, &[("rxnorm", "861007"), ("intent", "order")]);
    find(ResourceType::Immunization, &[("cvx", "140"), ("status", "completed")]);
    let mut observations = records.iter().filter(|r| r.key.resource_type == ResourceType::Observation);
    assert!(observations.all(|r| matches!(field(r, "effective"), FieldValue::Present(_))));
}
