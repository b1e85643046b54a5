//! Placeholder.

pub mod demo;
pub mod fhir;
