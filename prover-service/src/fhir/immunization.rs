//! Immunization: a vaccination that was given.
//!
//! Not done, or marked as subpotent (FHIR: such a dose does not count), it keeps its status alone.

use vouchsafe_circuits::schema::StatusEffect;

use super::draft::Draft;
use super::path::{Node, Read};

const STATUSES: [&str; 3] = ["completed", "entered-in-error", "not-done"];

pub(super) fn read(resource: &Node<'_>, draft: &mut Draft<'_>) -> Read<()> {
    draft.required_code("status", resource, "status", &STATUSES)?;
    draft.concept("cvx", resource.object("vaccineCode")?.as_ref())?;
    draft.choice_moment("occurrence", resource, "occurrence")?;
    let subpotent = resource.boolean("isSubpotent")?.unwrap_or(false);
    if subpotent {
        draft.note("immunization.isSubpotent: the dose does not count".to_owned());
    }
    if subpotent || draft.effect("status")? != StatusEffect::Asserts {
        draft.deny_all_but(&["status"]);
    }
    Ok(())
}
