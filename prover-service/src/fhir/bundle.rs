//! A file: a bundle of resources, or one resource.
//!
//! Taken are bundles that say what is (transaction, batch, collection, searchset, document); a history or a
//! message says more than its resources, so it is refused. Each resource is taken or refused by itself. The
//! same resource twice in a file is an error; when the two differ, neither is taken.
//!
//! The whole file is held in memory: larger ones than [`FILE_BYTES_MAX`] have to be split.

use std::collections::BTreeMap;

use serde_json::Value;
use vouchsafe_circuits::record::{FieldValue, Validity};
use vouchsafe_circuits::schema::{Schema, StatusEffect};

use super::date::{self, Moment};
use super::draft::{Draft, Notes};
use super::error::{IngestError, Located, Why};
use super::json::{self, ContentDigest};
use super::observation::refuse_modifiers;
use super::path::{Node, Read};
use super::resource::{self, ResourceKey, ResourceType, Schemas, Source, Version};
use super::subject::{self, Entry, Index, SubjectIds};
use super::{condition, consent, immunization, medication_request, observation, patient};

/// The largest file that is read at once.
pub const FILE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A resource as a record of its schema.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// Which resource.
    pub key: ResourceKey,
    /// Which record of the resource, where it has several: from 0.
    pub part: Option<u8>,
    /// Which version of it.
    pub version: Version,
    /// Its content: under one version always the same, or the source breaks its word.
    pub content: ContentDigest,
    /// `meta.lastUpdated` in seconds since 1970: which of two versions is newer.
    pub last_updated: Option<i64>,
    /// Whose record it is.
    pub subject: SubjectIds,
    /// One value per field of the schema, in its order.
    pub fields: Vec<FieldValue>,
    /// When it may be used.
    pub valid: Validity,
    /// Which entry of the bundle, from 0.
    pub entry: Option<usize>,
}

/// A resource that says it was entered in error: what was committed of it has to be withdrawn.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    /// Which resource.
    pub key: ResourceKey,
    /// Which record of the resource, where it has several: from 0.
    pub part: Option<u8>,
    /// The version could not be read: once it can, it is taken for one that was not seen before.
    pub unread: bool,
    /// Which version says so.
    pub version: Version,
    /// `meta.lastUpdated` in seconds since 1970.
    pub last_updated: Option<i64>,
    /// Which entry of the bundle, from 0.
    pub entry: Option<usize>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct BundleReading {
    /// The records, in the file's order.
    pub records: Vec<Mapped>,
    /// What to withdraw.
    pub withdrawals: Vec<Withdrawal>,
    /// Resources without a schema, by type.
    pub skipped: BTreeMap<String, u64>,
    /// Elements that no field could hold, by what they are.
    pub unmapped: BTreeMap<String, u64>,
    /// Numbers that lost digits to the scale of their field.
    pub rounded: u64,
    /// What was not taken, and why.
    pub errors: Vec<IngestError>,
}

/// Reads a file. Never fails as a whole: what is wrong is in `errors`, the rest is taken.
pub fn read_bundle(text: &[u8], file: &str, source: &Source, schemas: &Schemas) -> BundleReading {
    let mut reading = Reading { file, source, schemas, out: BundleReading::default() };
    if text.len() > FILE_BYTES_MAX {
        let why = Why::TooLarge { bytes: text.len(), bytes_max: FILE_BYTES_MAX };
        reading.refuse(None, why.at("$"));
        return reading.out;
    }
    match json::parse(text) {
        Ok(value) => reading.file(&value),
        Err(why) => reading.refuse(None, why.at("$")),
    }
    reading.out
}

struct Reading<'r> {
    file: &'r str,
    source: &'r Source,
    schemas: &'r Schemas,
    out: BundleReading,
}

enum Taken {
    Record(Box<Mapped>, Notes),
    Withdrawn(Withdrawal),
}

impl Reading<'_> {
    fn refuse(&mut self, entry: Option<usize>, located: Located) {
        let Located { path, why } = located;
        self.out.errors.push(IngestError { file: self.file.to_owned(), entry, path, why });
    }

    fn file(&mut self, value: &Value) {
        let entries = match self.entries(value) {
            Ok(entries) => entries,
            Err(located) => return self.refuse(None, located),
        };
        let index = Index::new(&entries);
        let duplicates = duplicates(&entries);
        let number = |at: usize| entries.get(at).and_then(|e| e.number).unwrap_or(0);
        for (at, entry) in entries.iter().enumerate() {
            let Some(resource_type) = ResourceType::named(entry.type_name) else {
                *self.out.skipped.entry(entry.type_name.to_owned()).or_default() += 1;
                continue;
            };
            if resource_type == ResourceType::Consent {
                self.consent(entry, &index, duplicates.get(&at).map(|(of, same)| (number(*of), *same)));
                continue;
            }
            let taken = match duplicates.get(&at) {
                Some((of, same)) => Err(entry.resource.error(Why::Duplicate { of: number(*of), same: *same })),
                None => self.take(resource_type, entry, &index),
            };
            match taken {
                Ok(Taken::Record(mapped, notes)) => {
                    self.note(notes);
                    self.out.records.push(*mapped);
                }
                Ok(Taken::Withdrawn(withdrawal)) => self.out.withdrawals.push(withdrawal),
                Err(located) => self.refuse(entry.number, located),
            }
        }
        self.out.errors.sort_by_key(|e| e.entry);
    }

    fn note(&mut self, notes: Notes) {
        let mut all = Notes { rounded: self.out.rounded, unmapped: std::mem::take(&mut self.out.unmapped) };
        all.add(notes);
        (self.out.rounded, self.out.unmapped) = (all.rounded, all.unmapped);
    }

    /// The resources of the file; an entry that has none is an error of its own.
    fn entries<'a>(&mut self, value: &'a Value) -> Read<Vec<Entry<'a>>> {
        let top = Node::top(value).check_object()?;
        let type_name = resource::type_of(&top)?;
        if type_name != "Bundle" {
            return Ok(vec![Entry { number: None, full_url: None, type_name, resource: top }]);
        }
        check_bundle_type(&top)?;
        if top.objects("link")?.iter().any(|link| matches!(link.text("relation"), Ok(Some("next")))) {
            *self.out.unmapped.entry("Bundle.link: one page of several, fetch the next".to_owned()).or_default() += 1;
        }
        let mut entries = Vec::new();
        for (number, node) in top.items_or_null("entry")?.into_iter().enumerate() {
            match entry(number, node) {
                Ok(entry) => entries.push(entry),
                Err(located) => self.refuse(Some(number), located),
            }
        }
        Ok(entries)
    }

    fn take(&mut self, resource_type: ResourceType, entry: &Entry<'_>, index: &Index<'_>) -> Read<Taken> {
        let resource = &entry.resource;
        let id = resource::id_of(resource, entry.full_url)?.to_owned();
        let key = ResourceKey { source: self.source.clone(), resource_type, id };
        let content = ContentDigest::of(resource.json());
        let version = Version::read(resource, content)?;
        let last_updated = last_updated(resource)?;
        let schema = self.schemas.of(resource_type);
        if withdraws(resource, resource_type, schema)? {
            let entry = entry.number;
            let withdrawal = Withdrawal { key, part: None, unread: false, version, last_updated, entry };
            return Ok(Taken::Withdrawn(withdrawal));
        }
        refuse_modifiers(resource)?;
        let mut draft = Draft::new(schema);
        match resource_type {
            ResourceType::Patient => patient::read(resource, &mut draft)?,
            ResourceType::Observation => observation::read(resource, &mut draft)?,
            ResourceType::Condition => condition::read(resource, &mut draft)?,
            ResourceType::MedicationRequest => medication_request::read(resource, &mut draft, index)?,
            ResourceType::Immunization => immunization::read(resource, &mut draft)?,
            ResourceType::Consent => {
                return Err(resource.error(Why::Mapping("a consent is several records".to_owned())));
            }
        }
        let subject = subject::of(resource_type, entry, index, self.source)?;
        let (fields, notes) = draft.finish()?;
        for inner in resource.objects("contained")? {
            let name = resource::type_of(&inner)?;
            *self.out.skipped.entry(format!("{name} (contained)")).or_default() += 1;
        }
        let (part, valid, entry) = (None, Validity::ALWAYS, entry.number);
        let mapped = Mapped { key, part, version, content, last_updated, subject, fields, valid, entry };
        Ok(Taken::Record(Box::new(mapped), notes))
    }
}

impl Reading<'_> {
    /// A consent speaks for all of its records: those that it does not name any more are withdrawn, and all of them if
    /// it cannot be read or is twice in the file and the two differ.
    fn consent(&mut self, entry: &Entry<'_>, index: &Index<'_>, duplicate: Option<(usize, bool)>) {
        let resource = &entry.resource;
        let key = match resource::id_of(resource, entry.full_url) {
            Ok(id) => {
                ResourceKey { source: self.source.clone(), resource_type: ResourceType::Consent, id: id.to_owned() }
            }
            Err(located) => return self.refuse(entry.number, located),
        };
        let content = ContentDigest::of(resource.json());
        let read = match duplicate {
            Some((of, same)) => Err(resource.error(Why::Duplicate { of, same })),
            None => self.words(&key, content, entry, index),
        };
        let said = match read {
            Ok(records) => {
                let said = records.len();
                self.out.records.extend(records);
                Some(said)
            }
            Err(located) => {
                self.refuse(entry.number, located);
                None
            }
        };
        if duplicate.is_some_and(|(_, same)| same) {
            return; // the first of them speaks
        }
        let version = Version::read(resource, content).unwrap_or(Version::Content(content));
        let last_updated = last_updated(resource).ok().flatten();
        for part in said.unwrap_or(0)..consent::WORDS {
            self.out.withdrawals.push(Withdrawal {
                key: key.clone(),
                part: Some(part as u8), // below eight
                unread: said.is_none(),
                version: version.clone(),
                last_updated,
                entry: entry.number,
            });
        }
    }

    fn words(
        &mut self,
        key: &ResourceKey,
        content: ContentDigest,
        entry: &Entry<'_>,
        index: &Index<'_>,
    ) -> Read<Vec<Mapped>> {
        let resource = &entry.resource;
        let version = Version::read(resource, content)?;
        let last_updated = last_updated(resource)?;
        let mut notes = Notes::default();
        let words = consent::read(resource, index, &mut notes)?;
        let subject = subject::of(ResourceType::Consent, entry, index, self.source)?;
        self.note(notes);
        let schema = self.schemas.of(ResourceType::Consent);
        let records = words.into_iter().zip(0..).map(|(dated, part)| Mapped {
            key: key.clone(),
            part: Some(part),
            version: version.clone(),
            content,
            last_updated,
            subject: subject.clone(),
            fields: dated.word.fields(schema),
            valid: dated.valid(),
            entry: entry.number,
        });
        Ok(records.collect())
    }
}

fn check_bundle_type(bundle: &Node<'_>) -> Read<()> {
    match bundle.text_at("type")? {
        Some(("transaction" | "batch" | "collection" | "searchset" | "document", _)) => Ok(()),
        Some((_, node)) => Err(node.error(Why::Unsupported(
            "a bundle of this type is not read: send a transaction, batch, collection, searchset or document",
        ))),
        None => Err(Why::Missing("type").at(bundle.path_of("type"))),
    }
}

fn entry(number: usize, node: Node<'_>) -> Read<Entry<'_>> {
    let node = node.check_object()?;
    if let Some(request) = node.object("request")?
        && let Some((method, at)) = request.text_at("method")?
        && !matches!(method, "POST" | "PUT")
    {
        return Err(at.error(Why::Unsupported(
            "only POST and PUT are read; to withdraw a record, send it with the status entered-in-error",
        )));
    }
    let full_url = node.text("fullUrl")?;
    let Some(resource) = node.object("resource")? else {
        return Err(Why::Missing("a resource").at(node.path_of("resource")));
    };
    let type_name = resource::type_of(&resource)?;
    Ok(Entry { number: Some(number), full_url, type_name, resource })
}

/// For each entry that repeats another: which, and whether all of them say the same. Then the first is taken.
fn duplicates(entries: &[Entry<'_>]) -> BTreeMap<usize, (usize, bool)> {
    let mut groups: BTreeMap<(ResourceType, &str), Vec<usize>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        let id = resource::id_of(&entry.resource, entry.full_url);
        if let (Some(resource_type), Ok(id)) = (ResourceType::named(entry.type_name), id) {
            groups.entry((resource_type, id)).or_default().push(at);
        }
    }
    let mut found = BTreeMap::new();
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let contents: Vec<_> =
            group.iter().filter_map(|at| entries.get(*at)).map(|e| ContentDigest::of(e.resource.json())).collect();
        let same = contents.windows(2).all(|pair| pair[0] == pair[1]);
        let (first, second) = (group[0], group[1]);
        found.extend(group.iter().skip(1).map(|at| (*at, (first, same))));
        if !same {
            found.insert(first, (second, same));
        }
    }
    found
}

/// Whether the status says entered-in-error. Asked before anything else may go wrong with the resource.
fn withdraws(resource: &Node<'_>, resource_type: ResourceType, schema: &Schema) -> Read<bool> {
    let field = if resource_type == ResourceType::Condition { "verificationStatus" } else { "status" };
    let Some((_, field)) = schema.field(field) else { return Ok(false) };
    let withdraws = |code: &str| field.status.get(code) == Some(&StatusEffect::Withdraws);
    match resource_type {
        ResourceType::Patient | ResourceType::Consent => Ok(false),
        ResourceType::Condition => {
            let Some(concept) = resource.object("verificationStatus")? else { return Ok(false) };
            let mut any = false;
            for coding in concept.objects("coding")? {
                any |= coding.text("code")?.is_some_and(withdraws);
            }
            Ok(any)
        }
        _ => Ok(resource.text("status")?.is_some_and(withdraws)),
    }
}

fn last_updated(resource: &Node<'_>) -> Read<Option<i64>> {
    let Some(meta) = resource.object("meta")? else { return Ok(None) };
    let Some((text, node)) = meta.text_at("lastUpdated")? else { return Ok(None) };
    match date::parse(text) {
        Ok(Moment::Instant { seconds, .. }) => Ok(Some(seconds)),
        _ => Err(node.error(Why::BadForm("not an instant: YYYY-MM-DDThh:mm:ss with a zone"))),
    }
}
