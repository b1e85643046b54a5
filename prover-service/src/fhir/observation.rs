//! Observation: a measurement or finding, in LOINC.
//!
//! The row of its code says unit and scale of `value`; without a row, or in another unit, the value is
//! unmapped. Blood pressure is one record with two fields, from the components of a panel. A result counts
//! when it is final, preliminary, amended or corrected; else the status alone is kept.

use vouchsafe_circuits::record::{Absence, FieldValue, Value};
use vouchsafe_circuits::schema::{Kind, StatusEffect};

use super::absence;
use super::decimal;
use super::draft::{Draft, Found, choice, coding_of, printable};
use super::error::Why;
use super::path::{Node, Read};

const STATUSES: [&str; 8] =
    ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"];
/// Blood pressure with its components: panel, two older panels of the same form.
const PRESSURE_PANELS: [&str; 3] = ["85354-9", "55284-4", "35094-2"];
const PRESSURES: [(&str, &str); 2] = [("systolic", "8480-6"), ("diastolic", "8462-4")];
const LOINC: &str = "http://loinc.org";
const UCUM: &str = "http://unitsofmeasure.org";

pub(super) fn read(resource: &Node<'_>, draft: &mut Draft<'_>) -> Read<()> {
    draft.required_code("status", resource, "status", &STATUSES)?;
    let Some(code) = resource.object("code")? else {
        return Err(Why::Missing("code").at(resource.path_of("code")));
    };
    draft.concept("code", Some(&code))?;
    draft.choice_moment("effective", resource, "effective")?;
    let components = resource.objects("component")?;
    value(resource, draft, !components.is_empty())?;
    pressures(resource, draft, &components)?;
    if draft.effect("status")? != StatusEffect::Asserts {
        draft.deny_all_but(&["status"]);
    }
    Ok(())
}

/// `value` and `valueCode`: the one that the observation does not have is not applicable.
fn value(resource: &Node<'_>, draft: &mut Draft<'_>, has_components: bool) -> Read<()> {
    let reason = absence::of_element(resource)?;
    let (number, code) = match choice(resource, "value")? {
        Some(key) if reason.is_some() => {
            return Err(Why::BadForm("a value and a reason for its absence").at(resource.path_of(key)));
        }
        None => {
            let in_parts = has_components || !resource.items_or_null("hasMember")?.is_empty();
            let reason = reason.unwrap_or(if in_parts { Absence::NotApplicable } else { Absence::NotAsked });
            (FieldValue::Absent(reason), Some(reason))
        }
        Some("valueCodeableConcept") => {
            draft.concept("valueCode", resource.object("valueCodeableConcept")?.as_ref())?;
            (FieldValue::Absent(Absence::NotApplicable), None)
        }
        Some("valueQuantity" | "valueInteger") => {
            let schema = draft.schema();
            let row = draft.code_in("code").and_then(|code| schema.code_row(code));
            let number = match row {
                Some(row) => quantity(resource, draft, Measure { of: &row.code, unit: &row.unit, scale: row.scale })?,
                None => {
                    let code = draft.code_in("code").map_or("no LOINC code".to_owned(), |c| format!("LOINC {c}"));
                    draft.note(format!("observation.value: {code} has no unit and scale in the schema"));
                    FieldValue::Absent(Absence::Unmapped)
                }
            };
            (number, Some(Absence::NotApplicable))
        }
        Some(key) => {
            draft.note(format!("observation.{}", printable(key)));
            (FieldValue::Absent(Absence::Unmapped), Some(Absence::Unmapped))
        }
    };
    draft.set("value", number, resource.path_of("value"))?;
    code.map_or(Ok(()), |reason| draft.absent("valueCode", reason))
}

/// Systolic and diastolic, from components by their LOINC codes; other components are named and left out.
fn pressures(resource: &Node<'_>, draft: &mut Draft<'_>, components: &[Node<'_>]) -> Read<()> {
    let mut found: [Option<FieldValue>; 2] = [None, None];
    let mut unknown = draft.code_in("code").is_none();
    for component in components {
        refuse_modifiers(component)?;
        let Some(code) = component.object("code")? else {
            return Err(Why::Missing("code").at(component.path_of("code")));
        };
        let loinc = match coding_of(&code, &[LOINC.to_owned()])? {
            Found::One(code, _) => code,
            Found::None | Found::Several => {
                unknown = true;
                draft.note("observation.component: not one LOINC code".to_owned());
                continue;
            }
        };
        let Some(at) = PRESSURES.iter().position(|(_, code)| *code == loinc) else {
            draft.note(format!("observation.component: LOINC {}", printable(&loinc)));
            continue;
        };
        if found[at].is_some() {
            return Err(component.error(Why::BadForm("two components with the same code")));
        }
        found[at] = Some(pressure(component, draft, PRESSURES[at])?);
    }
    let panel = draft.code_in("code").is_some_and(|code| PRESSURE_PANELS.contains(&code));
    for ((name, _), value) in PRESSURES.into_iter().zip(found) {
        let otherwise = match absence::of_element(resource)? {
            _ if unknown => Absence::Unmapped, // it may be there under another code
            Some(reason) if panel => reason,
            None if panel => Absence::NotAsked,
            _ => Absence::NotApplicable,
        };
        draft.set(name, value.unwrap_or(FieldValue::Absent(otherwise)), resource.path_of("component"))?;
    }
    Ok(())
}

fn pressure(component: &Node<'_>, draft: &mut Draft<'_>, (name, of): (&str, &str)) -> Read<FieldValue> {
    let schema = draft.schema();
    let Some(Kind::Integer { scale, unit, .. }) = schema.field(name).map(|(_, field)| &field.kind) else {
        return Err(component.error(Why::Mapping(format!("field {name} holds no number"))));
    };
    match choice(component, "value")? {
        Some("valueQuantity" | "valueInteger") => quantity(component, draft, Measure { of, unit, scale: *scale }),
        Some(key) => {
            draft.note(format!("observation.component.{}", printable(key)));
            Ok(FieldValue::Absent(Absence::Unmapped))
        }
        None => Ok(FieldValue::Absent(absence::of_element(component)?.unwrap_or(Absence::NotAsked))),
    }
}

/// What a number has to be measured in.
struct Measure<'a> {
    of: &'a str,
    unit: &'a str,
    scale: u8,
}

/// valueQuantity or valueInteger of an observation or component.
fn quantity(holder: &Node<'_>, draft: &mut Draft<'_>, measure: Measure<'_>) -> Read<FieldValue> {
    let Measure { of, unit, scale } = measure;
    let unsaid = |reason| Ok(FieldValue::Absent(reason));
    if let Some((text, node)) = holder.number_at("valueInteger")? {
        if unit == "1" || unit.starts_with('{') {
            return scaled(text, &node, draft, scale);
        }
        draft.note(format!("observation.value: an integer without a unit where LOINC {of} has {unit}"));
        return unsaid(Absence::Unmapped);
    }
    let Some(quantity) = holder.object("valueQuantity")? else { return unsaid(Absence::NotAsked) };
    let Some((text, node)) = quantity.number_at("value")? else {
        let reason = absence::of_primitive(&quantity, "value")?.or(absence::of_extensions(&quantity)?);
        return unsaid(reason.unwrap_or(Absence::NotAsked));
    };
    let (system, code) = (quantity.text("system")?, quantity.text("code")?);
    if system != Some(UCUM) || code != Some(unit) {
        let found = match (system, code) {
            (Some(UCUM), Some(code)) => printable(code),
            _ => "not in UCUM".to_owned(),
        };
        draft.note(format!("observation.value: unit {found} where LOINC {of} has {unit}"));
        return unsaid(Absence::Unmapped);
    }
    if quantity.text("comparator")?.is_some() {
        draft.note("observation.value: a bound (<, ≤, ≥, >), not a number".to_owned());
        return unsaid(Absence::Imprecise);
    }
    scaled(text, &node, draft, scale)
}

fn scaled(text: &str, node: &Node<'_>, draft: &mut Draft<'_>, scale: u8) -> Read<FieldValue> {
    let scaled = decimal::to_scale(text, scale)
        .map_err(|_| node.error(Why::OutOfRange(format!("a number beyond 64 bits at {scale} decimals"))))?;
    draft.notes.rounded += u64::from(scaled.rounded);
    Ok(FieldValue::Present(Value::Integer(scaled.units)))
}

/// What may change the meaning of an element in a way that is not read.
pub(super) fn refuse_modifiers(element: &Node<'_>) -> Read<()> {
    for key in ["modifierExtension", "implicitRules"] {
        if element.has(key) {
            return Err(
                Why::Unsupported("may change what the rest means, so the rest is not read").at(element.path_of(key))
            );
        }
    }
    Ok(())
}
