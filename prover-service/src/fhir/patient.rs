//! Patient: who somebody is.
//!
//! Names are the official ones, then the usual; an old, maiden or nickname is never taken for the present one.
//! A postal code loses its spaces, so that prefixes mean the same everywhere.

use vouchsafe_circuits::record::{Absence, Value};

use super::absence;
use super::draft::{Draft, choice};
use super::error::Why;
use super::path::{Node, Read};

const GENDERS: [&str; 4] = ["male", "female", "other", "unknown"];

pub(super) fn read(resource: &Node<'_>, draft: &mut Draft<'_>) -> Read<()> {
    if let Some((text, node)) = resource.text_at("birthDate")?
        && text.contains('T')
    {
        return Err(node.error(Why::BadForm("a date of birth has no time of day")));
    }
    draft.moment("birthDate", resource, "birthDate")?;
    death(resource, draft)?;
    draft.code("gender", resource, "gender", &GENDERS)?;
    draft.concept("maritalStatus", resource.object("maritalStatus")?.as_ref())?;
    draft.boolean("active", resource, "active")?;
    name(resource, draft)?;
    address(resource, draft)?;
    for link in resource.objects("link")? {
        if link.text("type")? == Some("replaced-by") {
            draft.note("patient.link: this record was replaced by another".to_owned());
        }
    }
    Ok(())
}

/// `deceased` says whether, `deceasedDate` when. Dead without a date is imprecise, alive is not applicable.
fn death(resource: &Node<'_>, draft: &mut Draft<'_>) -> Read<()> {
    match choice(resource, "deceased")? {
        Some("deceasedBoolean") => {
            let reason = match resource.boolean("deceasedBoolean")? {
                Some(true) => Absence::Imprecise,
                _ => Absence::NotApplicable,
            };
            draft.absent("deceasedDate", reason)?;
            draft.boolean("deceased", resource, "deceasedBoolean")
        }
        Some("deceasedDateTime") => {
            draft.moment("deceasedDate", resource, "deceasedDateTime")?;
            draft.present("deceased", Value::Code("true".to_owned()), &resource.path_of("deceasedDateTime"))
        }
        Some(other) => Err(Why::BadForm("not a type of deceased[x]").at(resource.path_of(other))),
        // `_deceasedDateTime` alone may mean "dead, date unknown": nothing is said about either
        None if resource.has("_deceasedDateTime") => {
            draft.absent("deceasedDate", Absence::Unmapped)?;
            draft.absent("deceased", Absence::Unmapped)
        }
        None => {
            let reason = absence::of_primitive(resource, "deceasedBoolean")?.unwrap_or(Absence::NotAsked);
            draft.absent("deceasedDate", reason)?;
            draft.absent("deceased", reason)
        }
    }
}

fn name(resource: &Node<'_>, draft: &mut Draft<'_>) -> Read<()> {
    let names = resource.objects("name")?;
    let best = best_by_use(names, &["official", "usual", ""])?;
    let Some(name) = best.current else {
        draft.absent("familyName", best.reason)?;
        return draft.absent("givenName", best.reason);
    };
    let family_reason = absence::of_primitive(&name, "family")?.unwrap_or(Absence::NotAsked);
    draft.text("familyName", name.text_at("family")?, family_reason)?;
    let mut first = None;
    for given in name.items_or_null("given")?.into_iter().filter(|g| !g.is_null()) {
        let text = given.check_text()?;
        first.get_or_insert((text, given));
    }
    // a null among the given names stands for one with extensions only
    let reason = if name.has("_given") { Absence::Unmapped } else { Absence::NotAsked };
    draft.text("givenName", first, reason)
}

fn address(resource: &Node<'_>, draft: &mut Draft<'_>) -> Read<()> {
    let best = best_by_use(resource.objects("address")?, &["home", ""])?;
    let Some(address) = best.current else {
        draft.absent("postalCode", best.reason)?;
        return draft.absent("country", best.reason);
    };
    match address.text_at("postalCode")? {
        Some((text, node)) => {
            let code: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
            if code.len() <= 15 && code.bytes().all(|b| b.is_ascii_graphic()) {
                draft.present("postalCode", Value::Code(code), node.path())?;
            } else {
                draft.note("patient.postalCode: not up to 15 ASCII characters".to_owned());
                draft.absent("postalCode", Absence::Unmapped)?;
            }
        }
        None => {
            let reason = absence::of_primitive(&address, "postalCode")?.unwrap_or(Absence::NotAsked);
            draft.absent("postalCode", reason)?;
        }
    }
    match address.text_at("country")? {
        Some((text, node)) if matches!(text.len(), 2 | 3) && text.bytes().all(|b| b.is_ascii_uppercase()) => {
            draft.present("country", Value::Code(text.to_owned()), node.path())
        }
        Some(_) => {
            draft.note("patient.country: not an ISO 3166 code".to_owned());
            draft.absent("country", Absence::Unmapped)
        }
        None => {
            let reason = absence::of_primitive(&address, "country")?.unwrap_or(Absence::NotAsked);
            draft.absent("country", reason)
        }
    }
}

struct Best<'a> {
    current: Option<Node<'a>>,
    /// Why there is none: none given, or none of a use that counts.
    reason: Absence,
}

/// The first of the best use; a use that is not listed is not taken.
fn best_by_use<'a>(all: Vec<Node<'a>>, uses: &[&str]) -> Read<Best<'a>> {
    let reason = if all.is_empty() { Absence::NotAsked } else { Absence::Unmapped };
    let mut best: Option<(usize, Node<'a>)> = None;
    for node in all {
        let given = node.text("use")?.unwrap_or_default();
        let rank = uses.iter().position(|wanted| *wanted == given);
        if let Some(rank) = rank
            && best.as_ref().is_none_or(|(other, _)| rank < *other)
        {
            best = Some((rank, node));
        }
    }
    Ok(Best { current: best.map(|(_, node)| node), reason })
}
