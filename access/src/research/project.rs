//! Projects: what a researcher may ask of which data set, and the rules under which it is answered.
//!
//! ```text
//! commitment = digest(Project, terms as JSON, blinding)           on the ledger; the opening is on the shelf
//! rule set   = digest(RuleSet, "vouchsafe-research/1", schema ids in order)
//! ```
//!
//! The schemas' documents hold their de-identification rules, so their ids fix them; the version names how this code
//! applies them. On the ledger in clear: data set, class of purpose, threshold, budget, end.

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::ids::SchemaId;
use vouchsafe_circuits::tags::{Domain, digest};
use vouchsafe_ledger_types::card::PartyName;
use vouchsafe_ledger_types::ids::{CardId, DataSetId, RuleSetDigest};
use vouchsafe_ledger_types::units::{BlockTime, MicroEpsilon};

/// How rows are made and counted, by version.
pub const RULES: &str = "vouchsafe-research/1";

/// The longest title or purpose of a project, in bytes.
pub const TERMS_BYTES_MAX: usize = 1000;

/// What a project is about: on the ledger blinded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectTerms {
    /// Its title.
    pub title: String,
    /// Whose card asks its queries.
    pub researcher: CardId,
    /// What that card is called.
    pub researcher_name: PartyName,
    /// What for, as an HL7 purpose of use code; the ledger shows its class.
    pub purpose: String,
    /// On which data set.
    pub data_set: DataSetId,
    /// Below how many subjects, by the noisy count, nothing is told.
    pub threshold: u32,
    /// What it may spend.
    pub budget: MicroEpsilon,
    /// Until when it may ask.
    pub until: BlockTime,
}

/// The digest of the rules for a data set with these schemas.
pub fn rule_set(schemas: &[SchemaId]) -> RuleSetDigest {
    let ids: Vec<_> = schemas.iter().map(|schema| *schema.fe().as_bytes()).collect();
    let mut parts: Vec<&[u8]> = vec![RULES.as_bytes()];
    parts.extend(ids.iter().map(|id| &id[..]));
    RuleSetDigest::from_bytes(digest(Domain::RuleSet, &parts))
}
