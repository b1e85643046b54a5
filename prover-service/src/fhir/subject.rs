//! Whose record it is: the identifiers of the patient that a resource refers to.
//!
//! ```text
//! canonical = the medical record number, else the first identifier, else SOURCE|Patient/ID
//! aliases   = all other identifiers, SOURCE|Patient/ID, and the absolute URL if there is one
//! ```
//!
//! Written system|value. A system is an absolute URI, a source's name is not, so the two never meet. Who looks
//! a subject up tries the canonical one, then the aliases: a later file may know a patient by less.
//! Does not decide whether two patients are one person.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::error::Why;
use super::path::{Node, Read};
use super::resource::{ResourceType, Source, is_fhir_id};

/// A name of a subject: `system|value`, or `source|Patient/id`. It identifies a person: Debug hides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId(String);

impl SubjectId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectId")
    }
}

/// All names of a subject that a file gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectIds {
    /// The one to file a new subject under.
    pub canonical: SubjectId,
    /// The others, under which an earlier file may have filed it.
    pub aliases: Vec<SubjectId>,
    /// Names by which a subject is found, but which make nobody that subject: two people may share one by mistake.
    pub lookups: Vec<SubjectId>,
}

/// A resource of the file.
pub(super) struct Entry<'a> {
    pub number: Option<usize>,
    pub full_url: Option<&'a str>,
    pub type_name: &'a str,
    pub resource: Node<'a>,
}

impl<'a> Entry<'a> {
    fn id(&self) -> Option<&'a str> {
        self.resource.json().get("id").and_then(|id| id.as_str())
    }
}

/// Where references inside a file lead. A name that two different resources share leads nowhere.
pub(super) struct Index<'a> {
    entries: &'a [Entry<'a>],
    by_url: BTreeMap<&'a str, Option<usize>>,
    by_id: BTreeMap<(&'a str, &'a str), Option<usize>>,
}

impl<'a> Index<'a> {
    pub fn new(entries: &'a [Entry<'a>]) -> Index<'a> {
        let mut index = Index { entries, by_url: BTreeMap::new(), by_id: BTreeMap::new() };
        for (at, entry) in entries.iter().enumerate() {
            let same = |other: &mut Option<usize>| {
                if other.and_then(|o| entries.get(o)).is_none_or(|o| o.resource.json() != entry.resource.json()) {
                    *other = None;
                }
            };
            if let Some(url) = entry.full_url {
                index.by_url.entry(url).and_modify(same).or_insert(Some(at));
            }
            if let Some(id) = entry.id() {
                index.by_id.entry((entry.type_name, id)).and_modify(same).or_insert(Some(at));
            }
        }
        index
    }

    /// The entry with this fullUrl, or of this `Type/id`.
    pub fn find(&self, reference: &str) -> Option<&'a Entry<'a>> {
        let reference = without_history(reference);
        let by_url = self.by_url.get(reference).copied().flatten();
        let at = by_url.or_else(|| self.by_id.get(&reference.split_once('/')?).copied().flatten())?;
        self.entries.get(at)
    }
}

fn without_history(reference: &str) -> &str {
    reference.split("/_history/").next().unwrap_or(reference)
}

/// The subject of a resource.
pub(super) fn of(
    resource_type: ResourceType,
    entry: &Entry<'_>,
    index: &Index<'_>,
    source: &Source,
) -> Read<SubjectIds> {
    let key = match resource_type {
        ResourceType::Patient => return of_patient(&entry.resource, entry.full_url, Some(source)),
        ResourceType::Immunization | ResourceType::Consent => "patient",
        _ => "subject",
    };
    let resource = &entry.resource;
    let Some(subject) = resource.object(key)? else {
        return Err(Why::Missing("the patient whom it concerns").at(resource.path_of(key)));
    };
    match subject.text_at("reference")? {
        Some((reference, node)) => of_reference(reference, &node, resource, index, source),
        None => match subject.object("identifier")? {
            Some(identifier) => match identifier_text(&identifier)? {
                Some(canonical) => Ok(SubjectIds { canonical, aliases: Vec::new(), lookups: Vec::new() }),
                None => Err(identifier.error(Why::Reference("an identifier without system and value names nobody"))),
            },
            None => Err(subject.error(Why::Reference("neither a reference nor an identifier: it names nobody"))),
        },
    }
}

fn of_reference(
    reference: &str,
    node: &Node<'_>,
    resource: &Node<'_>,
    index: &Index<'_>,
    source: &Source,
) -> Read<SubjectIds> {
    let not_a_patient = || node.error(Why::Reference("it concerns something else than a patient"));
    if let Some(id) = reference.strip_prefix('#') {
        return of_contained(id, node, resource);
    }
    if let Some(entry) = index.find(reference) {
        if entry.type_name != "Patient" {
            return Err(not_a_patient());
        }
        // a patient that cannot be read is an error of its own; here the name in the source is enough
        return of_patient(&entry.resource, entry.full_url, Some(source)).or_else(|e| {
            let id = entry.id().or(uuid_of(entry.full_url)).filter(|id| is_fhir_id(id)).ok_or(e)?;
            Ok(SubjectIds {
                canonical: in_source(source, &format!("Patient/{id}")),
                aliases: Vec::new(),
                lookups: Vec::new(),
            })
        });
    }
    if reference.starts_with("urn:") {
        return Err(node.error(Why::Reference("no (single) entry of the bundle has this fullUrl")));
    }
    filed_as(source, reference).ok_or_else(not_a_patient)
}

/// How an earlier file of the source would have filed the patient of a relative or absolute reference.
fn filed_as(source: &Source, reference: &str) -> Option<SubjectIds> {
    let reference = without_history(reference);
    let (base, id) = reference.rsplit_once("Patient/")?;
    let known = is_fhir_id(id) && (base.is_empty() || (base.contains("://") && base.ends_with('/')));
    known.then(|| SubjectIds { canonical: in_source(source, reference), aliases: Vec::new(), lookups: Vec::new() })
}

fn uuid_of(full_url: Option<&str>) -> Option<&str> {
    full_url.and_then(|url| url.strip_prefix("urn:uuid:"))
}

fn in_source(source: &Source, reference: &str) -> SubjectId {
    SubjectId(format!("{}|{reference}", source.as_str()))
}

/// A contained patient has no place in the source: only identifiers name it.
fn of_contained(id: &str, node: &Node<'_>, resource: &Node<'_>) -> Read<SubjectIds> {
    for inner in resource.objects("contained")? {
        if inner.text("id")? == Some(id) && inner.text("resourceType")? == Some("Patient") {
            return of_patient(&inner, None, None);
        }
    }
    Err(node.error(Why::Reference("no contained patient has this id")))
}

fn of_patient(patient: &Node<'_>, full_url: Option<&str>, source: Option<&Source>) -> Read<SubjectIds> {
    let mut ranked: Vec<(u8, SubjectId)> = Vec::new();
    for identifier in patient.objects("identifier")? {
        let Some(text) = identifier_text(&identifier)? else { continue };
        let rank = match identifier.text("use")? {
            Some("old" | "temp") => OLD,
            _ if is_record_number(&identifier)? => 0,
            _ => 1,
        };
        ranked.push((rank, text));
    }
    if let Some(source) = source {
        if let Some(id) = patient.text("id")?.or(uuid_of(full_url)).filter(|id| is_fhir_id(id)) {
            ranked.push((2, in_source(source, &format!("Patient/{id}"))));
        }
        if let Some(url) = full_url.filter(|url| url.contains("://")) {
            ranked.push((4, in_source(source, without_history(url))));
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank); // stable: the file's order among equals
    ranked.retain(|(rank, _)| *rank != OLD);
    let mut seen = BTreeSet::new();
    ranked.retain(|(_, id)| seen.insert(id.clone()));
    // the first record number and the places in the source say who it is; the rest only helps to find it
    let record_number = ranked.first().filter(|(rank, _)| *rank == 0).map(|(_, id)| id.clone());
    let is_own = |(rank, id): &(u8, SubjectId)| matches!(rank, 2 | 4) || Some(id) == record_number.as_ref();
    let (mut own, mut lookups): (Vec<_>, Vec<_>) = ranked.into_iter().partition(is_own);
    if own.is_empty() && !lookups.is_empty() {
        own.push(lookups.remove(0)); // a contained patient has no place in the source
    }
    let mut own = own.into_iter().map(|(_, id)| id);
    let Some(canonical) = own.next() else {
        return Err(Why::Missing("an id or an identifier").at(patient.path_of("id")));
    };
    Ok(SubjectIds { canonical, aliases: own.collect(), lookups: lookups.into_iter().map(|(_, id)| id).collect() })
}

/// `system|value`; none when one is missing or the system is no absolute URI.
fn identifier_text(identifier: &Node<'_>) -> Read<Option<SubjectId>> {
    let (system, value) = (identifier.text("system")?, identifier.text("value")?);
    let (Some(system), Some(value)) = (system, value) else { return Ok(None) };
    let absolute = system.contains(':') && !system.contains('|');
    Ok(absolute.then(|| SubjectId(format!("{system}|{value}"))))
}

/// The rank of identifiers that are out of use: they name nobody any more.
const OLD: u8 = 3;

/// Type MR of HL7's identifier types.
fn is_record_number(identifier: &Node<'_>) -> Read<bool> {
    let Some(kind) = identifier.object("type")? else { return Ok(false) };
    for coding in kind.objects("coding")? {
        let of_hl7 = coding.text("system")? == Some("http://terminology.hl7.org/CodeSystem/v2-0203");
        if of_hl7 && coding.text("code")? == Some("MR") {
            return Ok(true);
        }
    }
    Ok(false)
}
