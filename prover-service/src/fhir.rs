//! FHIR R4 in: a bundle or a single resource becomes records of the built-in schemas, one per resource (of a
//! Consent up to eight).
//!
//! Nothing is lost silently: resource types without a schema are counted (`skipped`), elements that a field
//! cannot hold are absent as unmapped and counted (`unmapped`), rounded numbers are counted, and a resource that
//! cannot be taken is an error with file, entry and path while the rest is still taken. What denies (refuted,
//! not done, cancelled, tentative) never becomes a positive fact; what was entered in error withdraws.
//!
//! Does not validate FHIR beyond what is mapped, follow references out of the file, or convert units.

mod absence;
mod bundle;
mod condition;
mod consent;
mod date;
mod decimal;
mod draft;
mod error;
mod immunization;
mod json;
mod medication_request;
mod observation;
mod path;
mod patient;
mod resource;
mod subject;

pub use bundle::{BundleReading, FILE_BYTES_MAX, Mapped, Withdrawal, read_bundle};
pub use error::{Fault, IngestError, Why};
pub use json::ContentDigest;
pub use resource::{BadSource, ResourceKey, ResourceType, Schemas, Source, Version};
pub use subject::{SubjectId, SubjectIds};
