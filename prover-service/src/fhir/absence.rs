//! Why an element has no value: FHIR's reasons and ours.
//!
//! Only what says that nothing was recorded may become a *not recorded* reason: `absent(f)` holds for it.
//! Everything in doubt is *unsaid*.

use vouchsafe_circuits::record::Absence;

use super::path::{Node, Read};

/// The extension that stands where a value is missing.
const REASON_URL: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
/// The coding system of its codes.
const REASON_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
/// HL7 version 3's own codes for the same.
const NULL_FLAVOR: &str = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor";

/// A code of data-absent-reason.
pub(super) fn from_code(code: &str) -> Absence {
    match code {
        "unknown" | "asked-unknown" | "temp-unknown" | "not-asked" => Absence::NotAsked,
        "not-performed" => Absence::NotTested,
        "not-applicable" => Absence::NotApplicable,
        "masked" | "not-permitted" | "asked-declined" => Absence::Withheld,
        // unsupported, as-text, error, not-a-number, the infinities, and what later versions add
        _ => Absence::Unmapped,
    }
}

fn from_null_flavor(code: &str) -> Absence {
    match code {
        "NI" | "UNK" | "ASKU" | "NAV" | "NASK" => Absence::NotAsked,
        "NA" => Absence::NotApplicable,
        "MSK" => Absence::Withheld,
        _ => Absence::Unmapped,
    }
}

/// The reason that a concept gives for its own absence, where one of its codings is such a reason.
pub(super) fn of_concept(concept: &Node<'_>) -> Read<Option<Absence>> {
    for coding in concept.objects("coding")? {
        let Some(code) = coding.text("code")? else { continue };
        match coding.text("system")? {
            Some(REASON_SYSTEM) => return Ok(Some(from_code(code))),
            Some(NULL_FLAVOR) => return Ok(Some(from_null_flavor(code))),
            _ => {}
        }
    }
    Ok(None)
}

/// `dataAbsentReason` of an observation or component.
pub(super) fn of_element(element: &Node<'_>) -> Read<Option<Absence>> {
    let Some(concept) = element.object("dataAbsentReason")? else { return Ok(None) };
    Ok(Some(of_concept(&concept)?.unwrap_or(Absence::Unmapped)))
}

/// The data-absent-reason extension among an element's own extensions.
pub(super) fn of_extensions(element: &Node<'_>) -> Read<Option<Absence>> {
    for extension in element.objects("extension")? {
        if extension.text("url")? == Some(REASON_URL) {
            return Ok(Some(extension.text("valueCode")?.map_or(Absence::Unmapped, from_code)));
        }
    }
    Ok(None)
}

/// The same for a primitive, whose extensions stand beside it under `_key`.
pub(super) fn of_primitive(parent: &Node<'_>, key: &str) -> Read<Option<Absence>> {
    match parent.object(&format!("_{key}"))? {
        Some(beside) => of_extensions(&beside),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_recorded_counts_as_absent() {
        for code in ["unknown", "asked-unknown", "not-asked", "not-performed", "not-applicable"] {
            assert!(from_code(code).is_not_recorded(), "{code}");
        }
        for code in
            ["masked", "not-permitted", "asked-declined", "unsupported", "as-text", "error", "not-a-number", "new"]
        {
            assert!(!from_code(code).is_not_recorded(), "{code}");
        }
        assert!(!from_null_flavor("OTH").is_not_recorded());
    }
}
