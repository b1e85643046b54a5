//! Which facts to show: the first of a list of realistic questions that some patient's records satisfy.

use vouchsafe_circuits::record::{Day, FieldValue, Value};
use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_circuits::statements::fact;

use crate::fhir::Mapped;
use crate::predicate::{self, Predicate};

/// A question and somebody whom it can be asked about.
pub(super) struct Chosen {
    pub(super) title: &'static str,
    pub(super) predicate: String,
    pub(super) schema: Schema,
    pub(super) subject: String,
}

/// What may be asked, the more telling first.
fn candidates(records: &[Mapped]) -> [(&'static str, Schema, Vec<String>); 3] {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let ages = texts(&["birthDate <= yearsAgo(18)", "birthDate > yearsAgo(18)"]);
    let labs = texts(&[
        "code == \"4548-4\" && value >= 6.5 && value <= 8.0",
        "code == \"85354-9\" && systolic >= 90 && systolic <= 140 && diastolic <= 90",
        "code == \"55284-4\" && systolic >= 90 && systolic <= 140 && diastolic <= 90",
        "code == \"718-7\" && value >= 12 && value <= 17.5",
        "code == \"8302-2\" && value >= 50",
    ]);
    let mut diagnoses = texts(&[
        "icd10.under(\"E11\")",
        "icd10.under(\"I10\")",
        "icd10.under(\"J\")",
        "icd10.under(\"K\")",
        "icd10.under(\"M\")",
    ]);
    // files without ICD-10: a SNOMED CT code that stands in them
    diagnoses.extend(records.iter().find_map(first_snomed).map(|code| format!("snomed == \"{code}\"")));
    [
        ("an age", builtin::patient(), ages),
        ("a measurement between bounds", builtin::observation(), labs),
        ("a diagnosis", builtin::condition(), diagnoses),
    ]
}

/// One question of each kind, as far as the records allow.
pub(super) fn choose(records: &[Mapped], today: Day) -> Vec<Chosen> {
    let mut chosen = Vec::new();
    for (title, schema, predicates) in candidates(records) {
        let found = predicates.into_iter().find_map(|text| {
            let compiled = predicate::compile(&text, &schema, today).ok()?;
            let record = records.iter().find(|record| satisfies(record, &schema, &compiled))?;
            Some((text, record.subject.canonical.as_str().to_owned()))
        });
        if let Some((predicate, subject)) = found {
            chosen.push(Chosen { title, predicate, schema, subject });
        }
    }
    chosen
}

fn satisfies(record: &Mapped, schema: &Schema, predicate: &Predicate) -> bool {
    record.key.resource_type.schema_name() == schema.name()
        && schema.encode(&record.fields).is_ok_and(|fields| fact::eval(&predicate.clauses, predicate.table, &fields))
}

fn first_snomed(record: &Mapped) -> Option<String> {
    let schema = builtin::condition();
    if record.key.resource_type.schema_name() != schema.name() {
        return None;
    }
    match record.fields.get(schema.place("snomed")?)? {
        FieldValue::Present(Value::Code(code)) => Some(code.clone()),
        _ => None,
    }
}
