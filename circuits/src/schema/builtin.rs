//! The schemas that come with Vouchsafe, as FHIR R4 resources map to them.
//!
//! Registered on a ledger like any other schema; nothing else in the code treats them specially.

use crate::record::Tier;
use crate::schema::{CodeForm, CodeRow, DeidRule, Field, FieldName, Grid, Kind, Schema, SchemaError, StatusEffect};

/// All built-in schemas.
pub fn all() -> Vec<Schema> {
    [patient(), observation(), condition(), medication_request(), immunization(), consent()].to_vec()
}

/// A built-in schema by its name.
pub fn by_name(name: &str) -> Option<Schema> {
    all().into_iter().find(|schema| schema.name() == name)
}

/// Who a patient is.
pub fn patient() -> Schema {
    let fields = vec![
        field("birthDate", date(), Tier::Identifying, DeidRule::Year),
        field("deceasedDate", date(), Tier::Limited, DeidRule::Year),
        field("deceased", among(&[BOOLEAN], &["false", "true"]), Tier::DeIdentified, DeidRule::Keep),
        field("gender", among(&[GENDER], &GENDERS), Tier::DeIdentified, DeidRule::Keep),
        field("maritalStatus", among(&[MARITAL], &MARITAL_STATUSES), Tier::DeIdentified, DeidRule::Keep),
        field("postalCode", prefix(&["urn:vouchsafe:postal-code"]), Tier::Limited, DeidRule::Prefix { length: 3 }),
        field("country", code(&["urn:iso:std:iso:3166"]), Tier::DeIdentified, DeidRule::Keep),
        field("familyName", Kind::Text, Tier::Identifying, DeidRule::Drop),
        field("givenName", Kind::Text, Tier::Identifying, DeidRule::Drop),
        field("active", among(&[BOOLEAN], &["false", "true"]), Tier::Internal, DeidRule::Keep),
    ];
    schema("patient", fields, Vec::new())
}

/// A measurement or finding. `value` means what the row of `code` says; blood pressure is one record.
pub fn observation() -> Schema {
    let pressure =
        Kind::Integer { scale: 0, unit: "mm[Hg]".to_owned(), grid: Grid::Steps { min: 0, max: 300, step: 5 } };
    let fields = vec![
        field("code", code(&["http://loinc.org"]), Tier::DeIdentified, DeidRule::Keep),
        with_status(
            field("status", code(&["http://hl7.org/fhir/observation-status"]), Tier::Internal, DeidRule::Keep),
            &[("entered-in-error", StatusEffect::Withdraws), ("cancelled", StatusEffect::Denies)],
            &["registered", "unknown"],
        ),
        field("effective", date(), Tier::Limited, DeidRule::WeekShift),
        field("value", by_code("code"), Tier::DeIdentified, DeidRule::Keep),
        field("valueCode", number(&[SNOMED]), Tier::DeIdentified, DeidRule::Keep),
        field("systolic", pressure.clone(), Tier::DeIdentified, DeidRule::Keep),
        field("diastolic", pressure, Tier::DeIdentified, DeidRule::Keep),
    ];
    schema("observation", fields, observation_codes())
}

/// A diagnosis, in ICD-10 or SNOMED CT or both.
pub fn condition() -> Schema {
    let fields = vec![
        field("icd10", prefix(&ICD10), Tier::DeIdentified, DeidRule::Prefix { length: 3 }),
        field("snomed", number(&[SNOMED]), Tier::DeIdentified, DeidRule::Keep),
        field(
            "clinicalStatus",
            among(&["http://terminology.hl7.org/CodeSystem/condition-clinical"], &CLINICAL_STATUSES),
            Tier::DeIdentified,
            DeidRule::Keep,
        ),
        with_status(
            field(
                "verificationStatus",
                code(&["http://terminology.hl7.org/CodeSystem/condition-ver-status"]),
                Tier::Internal,
                DeidRule::Keep,
            ),
            &[("entered-in-error", StatusEffect::Withdraws), ("refuted", StatusEffect::Denies)],
            &[],
        ),
        field("onset", date(), Tier::Limited, DeidRule::Year),
        field("abatement", date(), Tier::Limited, DeidRule::Year),
        field("recorded", date(), Tier::Limited, DeidRule::Year),
    ];
    schema("condition", fields, Vec::new())
}

/// A prescription.
pub fn medication_request() -> Schema {
    let fields = vec![
        field("rxnorm", number(&[RXNORM]), Tier::DeIdentified, DeidRule::Keep),
        field("atc", prefix(&["http://www.whocc.no/atc"]), Tier::DeIdentified, DeidRule::Prefix { length: 5 }),
        field("snomed", number(&[SNOMED]), Tier::DeIdentified, DeidRule::Keep),
        with_status(
            field(
                "status",
                code(&["http://hl7.org/fhir/CodeSystem/medicationrequest-status"]),
                Tier::Internal,
                DeidRule::Keep,
            ),
            &[("entered-in-error", StatusEffect::Withdraws), ("cancelled", StatusEffect::Denies)],
            &["draft", "unknown"],
        ),
        field(
            "intent",
            code(&["http://hl7.org/fhir/CodeSystem/medicationrequest-intent"]),
            Tier::Internal,
            DeidRule::Keep,
        ),
        field("authoredOn", date(), Tier::Limited, DeidRule::WeekShift),
    ];
    schema("medication-request", fields, Vec::new())
}

/// A vaccination.
pub fn immunization() -> Schema {
    let fields = vec![
        field("cvx", code(&["http://hl7.org/fhir/sid/cvx"]), Tier::DeIdentified, DeidRule::Keep),
        with_status(
            field("status", code(&["http://hl7.org/fhir/event-status"]), Tier::Internal, DeidRule::Keep),
            &[("entered-in-error", StatusEffect::Withdraws), ("not-done", StatusEffect::Denies)],
            &[],
        ),
        field("occurrence", date(), Tier::Limited, DeidRule::WeekShift),
    ];
    schema("immunization", fields, Vec::new())
}

/// A subject's word on who may learn of its records and what for. From when until when stands in the record's header.
/// In a permit recipient and purpose are always there; in a deny an absent one means everybody, or every purpose.
pub fn consent() -> Schema {
    let fields = vec![
        field(
            "decision",
            among(&["http://hl7.org/fhir/consent-provision-type"], &["deny", "permit"]),
            Tier::Internal,
            DeidRule::Keep,
        ),
        field("recipient", Kind::Text, Tier::Limited, DeidRule::Drop),
        field("purpose", code(&[ACT_REASON]), Tier::Internal, DeidRule::Keep),
        with_status(
            field("status", code(&["http://hl7.org/fhir/consent-state-codes"]), Tier::Internal, DeidRule::Keep),
            &[
                ("entered-in-error", StatusEffect::Withdraws),
                ("inactive", StatusEffect::Withdraws),
                ("rejected", StatusEffect::Withdraws),
            ],
            &["draft", "proposed"],
        ),
    ];
    schema("consent", fields, Vec::new())
}

const SNOMED: &str = "http://snomed.info/sct";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const BOOLEAN: &str = "urn:vouchsafe:boolean";
const MARITAL: &str = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus";
const GENDER: &str = "http://hl7.org/fhir/administrative-gender";
const GENDERS: [&str; 4] = ["female", "male", "other", "unknown"];
/// The codes of v3-MaritalStatus, and UNK, which FHIR binds along with them.
const MARITAL_STATUSES: [&str; 12] = ["A", "C", "D", "I", "L", "M", "P", "S", "T", "U", "UNK", "W"];
const CLINICAL_STATUSES: [&str; 6] = ["active", "inactive", "recurrence", "relapse", "remission", "resolved"];
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const ICD10: [&str; 3] =
    ["http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10-de"];

/// LOINC code, UCUM unit, scale, and the grid's bounds and step in units of that scale.
const OBSERVATION_CODES: &[(&str, &str, u8, i64, i64, u64)] = &[
    ("15074-8", "mmol/L", 1, 0, 500, 5),
    ("2085-9", "mg/dL", 0, 0, 300, 5),
    ("2089-1", "mg/dL", 0, 0, 500, 10),
    ("2093-3", "mg/dL", 0, 0, 600, 10),
    ("21000-5", "fL", 1, 0, 1000, 10),
    ("2339-0", "mg/dL", 0, 0, 1000, 5),
    ("2345-7", "mg/dL", 0, 0, 1000, 5),
    ("29463-7", "kg", 1, 0, 5000, 50),
    ("32207-3", "fL", 1, 0, 10000, 100),
    ("32623-1", "fL", 1, 0, 500, 5),
    ("38483-4", "mg/dL", 2, 0, 2000, 10),
    ("39156-5", "kg/m2", 1, 0, 1000, 10),
    ("4544-3", "%", 1, 0, 1000, 10),
    ("4548-4", "%", 1, 0, 200, 5),
    ("59408-5", "%", 0, 0, 100, 1),
    ("6075-6", "kU/L", 2, 0, 20000, 50),
    ("6082-2", "kU/L", 2, 0, 20000, 50),
    ("6085-5", "kU/L", 2, 0, 20000, 50),
    ("6095-4", "kU/L", 2, 0, 20000, 50),
    ("6106-9", "kU/L", 2, 0, 20000, 50),
    ("6158-0", "kU/L", 2, 0, 20000, 50),
    ("6189-5", "kU/L", 2, 0, 20000, 50),
    ("6206-7", "kU/L", 2, 0, 20000, 50),
    ("6246-3", "kU/L", 2, 0, 20000, 50),
    ("6248-9", "kU/L", 2, 0, 20000, 50),
    ("6273-7", "kU/L", 2, 0, 20000, 50),
    ("6276-0", "kU/L", 2, 0, 20000, 50),
    ("6690-2", "10*3/uL", 1, 0, 1000, 5),
    ("6833-8", "kU/L", 2, 0, 20000, 50),
    ("6844-5", "kU/L", 2, 0, 20000, 50),
    ("718-7", "g/dL", 1, 0, 300, 5),
    ("72514-3", "{score}", 0, 0, 10, 1),
    ("7258-7", "kU/L", 2, 0, 20000, 50),
    ("777-3", "10*3/uL", 0, 0, 2000, 10),
    ("785-6", "pg", 1, 0, 1000, 10),
    ("786-4", "g/dL", 1, 0, 1000, 10),
    ("787-2", "fL", 1, 0, 2000, 10),
    ("789-8", "10*6/uL", 2, 0, 1500, 10),
    ("8302-2", "cm", 1, 0, 3000, 50),
    ("8310-5", "Cel", 1, 250, 450, 5),
    ("8331-1", "Cel", 1, 250, 450, 5),
    ("8867-4", "/min", 0, 0, 400, 5),
    ("9279-1", "/min", 0, 0, 120, 2),
];

fn observation_codes() -> Vec<CodeRow> {
    let row = |&(code, unit, scale, min, max, step): &(&str, &str, u8, i64, i64, u64)| CodeRow {
        code: code.to_owned(),
        unit: unit.to_owned(),
        scale,
        grid: Grid::Steps { min, max, step },
    };
    OBSERVATION_CODES.iter().map(row).collect()
}

fn field(name: &str, kind: Kind, tier: Tier, deidentify: DeidRule) -> Field {
    Field { name: name_of(name), kind, tier, deidentify, status: Default::default() }
}

fn with_status(mut field: Field, effects: &[(&str, StatusEffect)], denying: &[&str]) -> Field {
    field.status.extend(effects.iter().map(|(code, effect)| ((*code).to_owned(), *effect)));
    field.status.extend(denying.iter().map(|code| ((*code).to_owned(), StatusEffect::Denies)));
    field
}

fn date() -> Kind {
    Kind::Date { grid: Grid::YearsBeforeToday { max: 130 } }
}

fn code(systems: &[&str]) -> Kind {
    Kind::Code { systems: owned(systems), form: CodeForm::Ascii, prefix: false, values: Vec::new() }
}

/// A code of a closed list.
fn among(systems: &[&str], values: &[&str]) -> Kind {
    Kind::Code { systems: owned(systems), form: CodeForm::Ascii, prefix: false, values: owned(values) }
}

fn prefix(systems: &[&str]) -> Kind {
    Kind::Code { systems: owned(systems), form: CodeForm::Ascii, prefix: true, values: Vec::new() }
}

fn number(systems: &[&str]) -> Kind {
    Kind::Code { systems: owned(systems), form: CodeForm::Number, prefix: false, values: Vec::new() }
}

fn by_code(code_field: &str) -> Kind {
    Kind::IntegerByCode { code_field: name_of(code_field) }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn name_of(name: &str) -> FieldName {
    let Ok(name) = FieldName::try_from(name.to_owned()) else { unreachable!("built-in names are valid") };
    name
}

fn schema(name: &str, fields: Vec<Field>, codes: Vec<CodeRow>) -> Schema {
    let schema: Result<Schema, SchemaError> = Schema::new(name, 1, fields, codes);
    let Ok(schema) = schema else { unreachable!("built-in schemas are checked by a test") };
    schema
}
