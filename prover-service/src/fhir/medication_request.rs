//! MedicationRequest: a prescription.
//!
//! Only an order counts: a proposal, a plan, an option, a draft, what was cancelled, and above all a request
//! *not* to give something (`doNotPerform`) keep status and intent alone.

use vouchsafe_circuits::schema::StatusEffect;

use super::draft::{Draft, choice};
use super::path::{Node, Read};
use super::subject::Index;

const STATUSES: [&str; 8] =
    ["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"];
const INTENTS: [&str; 8] =
    ["proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"];
const NO_ORDERS: [&str; 3] = ["proposal", "plan", "option"];

pub(super) fn read(resource: &Node<'_>, draft: &mut Draft<'_>, index: &Index<'_>) -> Read<()> {
    draft.required_code("status", resource, "status", &STATUSES)?;
    draft.required_code("intent", resource, "intent", &INTENTS)?;
    draft.moment("authoredOn", resource, "authoredOn")?;
    let concept = match choice(resource, "medication")? {
        Some("medicationReference") => referenced(resource, index)?,
        _ => resource.object("medicationCodeableConcept")?,
    };
    if concept.is_some() || !resource.has("medicationReference") {
        for field in ["rxnorm", "atc", "snomed"] {
            draft.concept(field, concept.as_ref())?;
        }
    } else {
        draft.note("medication-request.medicationReference: leads to no code in the file".to_owned());
    }
    let no_order = draft.code_in("intent").is_none_or(|code| NO_ORDERS.contains(&code));
    let forbids = resource.boolean("doNotPerform")?.unwrap_or(false);
    if forbids {
        draft.note("medication-request.doNotPerform: a request not to give a medication".to_owned());
    }
    if no_order || forbids || draft.effect("status")? != StatusEffect::Asserts {
        draft.deny_all_but(&["status", "intent"]);
    }
    Ok(())
}

/// The code of the Medication that is referred to, in the resource itself or in the bundle.
fn referenced<'a>(resource: &Node<'a>, index: &Index<'a>) -> Read<Option<Node<'a>>> {
    let Some(reference) = resource.object("medicationReference")? else { return Ok(None) };
    let Some(target) = reference.text("reference")? else { return Ok(None) };
    let medication = match target.strip_prefix('#') {
        Some(id) => {
            let mut contained = resource.objects("contained")?.into_iter();
            contained.find(|inner| inner.json().get("id").and_then(|v| v.as_str()) == Some(id))
        }
        None => index.find(target).map(|at| at.resource.clone()),
    };
    match medication {
        Some(medication) if medication.text("resourceType")? == Some("Medication") => medication.object("code"),
        _ => Ok(None),
    }
}
