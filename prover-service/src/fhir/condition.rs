//! Condition: a diagnosis.
//!
//! A diagnosis states a fact when it is confirmed, or when nothing is said about its verification. Refuted,
//! unconfirmed, provisional and differential ones, and statuses of other systems, keep the status alone.

use vouchsafe_circuits::schema::StatusEffect;

use super::draft::Draft;
use super::path::{Node, Read};

const TENTATIVE: [&str; 3] = ["unconfirmed", "provisional", "differential"];

pub(super) fn read(resource: &Node<'_>, draft: &mut Draft<'_>) -> Read<()> {
    let code = resource.object("code")?;
    draft.concept("icd10", code.as_ref())?;
    draft.concept("snomed", code.as_ref())?;
    draft.concept("clinicalStatus", resource.object("clinicalStatus")?.as_ref())?;
    let verification = resource.object("verificationStatus")?;
    draft.concept("verificationStatus", verification.as_ref())?;
    draft.choice_moment("onset", resource, "onset")?;
    draft.choice_moment("abatement", resource, "abatement")?;
    draft.moment("recorded", resource, "recordedDate")?;

    let tentative = draft.code_in("verificationStatus").is_some_and(|code| TENTATIVE.contains(&code));
    let denied = verification.is_some() && draft.effect("verificationStatus")? != StatusEffect::Asserts;
    if tentative || denied {
        draft.deny_all_but(&["verificationStatus"]);
    }
    Ok(())
}
