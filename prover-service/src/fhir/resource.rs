//! Which resource: its type, its key in the source it came from, its version, and the schema it maps to.
//!
//! ```text
//! key = source | type / id          version = meta.versionId, else the digest of the content
//! ```
//!
//! The same key and version again is the same resource; a newer version amends. Versions have no order:
//! which one is newer is known from `meta.lastUpdated` alone, where the source writes it.

use std::fmt;

use serde::Serialize;
use vouchsafe_circuits::schema::{Schema, builtin};

use super::error::{Located, Why};
use super::json::ContentDigest;
use super::path::{Node, Read};

/// The resource types that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ResourceType {
    /// A person.
    Patient,
    /// A measurement or finding.
    Observation,
    /// A diagnosis.
    Condition,
    /// A prescription.
    MedicationRequest,
    /// A vaccination.
    Immunization,
    /// What a subject permits and denies.
    Consent,
}

impl ResourceType {
    /// All of them.
    pub const ALL: [ResourceType; 6] = [
        ResourceType::Patient,
        ResourceType::Observation,
        ResourceType::Condition,
        ResourceType::MedicationRequest,
        ResourceType::Immunization,
        ResourceType::Consent,
    ];

    /// FHIR's name.
    pub const fn name(self) -> &'static str {
        match self {
            ResourceType::Patient => "Patient",
            ResourceType::Observation => "Observation",
            ResourceType::Condition => "Condition",
            ResourceType::MedicationRequest => "MedicationRequest",
            ResourceType::Immunization => "Immunization",
            ResourceType::Consent => "Consent",
        }
    }

    /// The name of the built-in schema.
    pub const fn schema_name(self) -> &'static str {
        match self {
            ResourceType::Patient => "patient",
            ResourceType::Observation => "observation",
            ResourceType::Condition => "condition",
            ResourceType::MedicationRequest => "medication-request",
            ResourceType::Immunization => "immunization",
            ResourceType::Consent => "consent",
        }
    }

    pub(super) fn named(name: &str) -> Option<ResourceType> {
        ResourceType::ALL.into_iter().find(|t| t.name() == name)
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The built-in schemas, made once for many files.
pub struct Schemas([Schema; 6]);

impl Schemas {
    /// The schemas that come with Vouchsafe.
    pub fn built_in() -> Schemas {
        Schemas([
            builtin::patient(),
            builtin::observation(),
            builtin::condition(),
            builtin::medication_request(),
            builtin::immunization(),
            builtin::consent(),
        ])
    }

    /// The schema of a resource type.
    pub fn of(&self, resource_type: ResourceType) -> &Schema {
        &self.0[resource_type as usize]
    }
}

/// The system that files come from, as configured: resource ids are unique in it, not beyond.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Source(String);

/// The text is not the name of a source.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not the name of a source: 1 to 64 letters, digits, '-', '_' and '.'")]
pub struct BadSource(String);

impl Source {
    /// Checks a name. It has no ':' or '|', so that it can never be the system of an identifier.
    pub fn new(name: &str) -> Result<Source, BadSource> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
            Ok(Source(name.to_owned()))
        } else {
            Err(BadSource(name.to_owned()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A resource in its source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ResourceKey {
    /// Where it came from.
    pub source: Source,
    /// Its type.
    pub resource_type: ResourceType,
    /// Its id in that source.
    pub id: String,
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}/{}", self.source.0, self.resource_type, self.id)
    }
}

/// Which version of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Version {
    /// `meta.versionId`.
    Named(String),
    /// The source names none: the content itself.
    Content(ContentDigest),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Version::Named(name) => write!(f, "version:{name}"),
            Version::Content(digest) => write!(f, "sha256:{digest}"),
        }
    }
}

impl Version {
    pub(super) fn read(resource: &Node<'_>, content: ContentDigest) -> Read<Version> {
        let Some(meta) = resource.object("meta")? else { return Ok(Version::Content(content)) };
        match meta.text_at("versionId")? {
            Some((name, node)) if !is_fhir_id(name) => Err(node.error(Why::BadForm("not a FHIR id"))),
            Some((name, _)) => Ok(Version::Named(name.to_owned())),
            None => Ok(Version::Content(content)),
        }
    }
}

/// FHIR's grammar of ids.
pub(super) fn is_fhir_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// The type that a resource names; an error when there is none or it is not a name.
pub(super) fn type_of<'a>(resource: &Node<'a>) -> Result<&'a str, Located> {
    let Some((name, node)) = resource.text_at("resourceType")? else {
        return Err(Why::Missing("resourceType; is this FHIR?").at(resource.path_of("resourceType")));
    };
    if name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphabetic()) {
        Ok(name)
    } else {
        Err(node.error(Why::BadForm("not the name of a resource type")))
    }
}

/// The id of a resource: its own, else the UUID of the entry's fullUrl.
pub(super) fn id_of<'a>(resource: &Node<'a>, full_url: Option<&'a str>) -> Read<&'a str> {
    match resource.text_at("id")? {
        Some((id, _)) if is_fhir_id(id) => Ok(id),
        Some((_, node)) => Err(node.error(Why::BadForm("not a FHIR id"))),
        None => full_url
            .and_then(|url| url.strip_prefix("urn:uuid:"))
            .filter(|uuid| is_fhir_id(uuid))
            .ok_or_else(|| Why::Missing("an id, or a fullUrl with a UUID").at(resource.path_of("id"))),
    }
}
