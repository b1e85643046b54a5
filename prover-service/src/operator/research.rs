//! Data sets and projects.

use std::collections::BTreeSet;

use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use vouchsafe_access::ledger::LedgerError;
use vouchsafe_access::research::{OpenError, ProjectTerms};
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger_types::card::PartyName;
use vouchsafe_ledger_types::entry::PurposeClass;
use vouchsafe_ledger_types::ids::{DataSetId, DataSetName};
use vouchsafe_ledger_types::units::{BlockTime, MicroEpsilon};

use super::Done;
use super::door::PURPOSES;
use crate::node::Node;
use crate::parties::PartyError;
use crate::server::causes;

/// What a data set shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSetOrder {
    /// Its name.
    pub name: DataSetName,
    /// Records of which schemas.
    pub schemas: Vec<String>,
    /// Its budget, for good.
    pub budget: MicroEpsilon,
}

/// What a project shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectOrder {
    /// Its title.
    pub title: String,
    /// Who asks its queries: a party that is admitted.
    pub researcher: PartyName,
    /// What for: a code.
    pub purpose: String,
    /// On which data set, by name.
    pub data_set: DataSetName,
    /// Below how many subjects nothing is told.
    pub threshold: u32,
    /// What it may spend.
    pub budget: MicroEpsilon,
    /// Until when.
    pub until: BlockTime,
}

pub(super) async fn open_data_set(node: &Node, order: DataSetOrder) -> Done {
    let mut schemas = BTreeSet::new();
    for name in &order.schemas {
        let Some(schema) = builtin::by_name(name) else { return Done::usage(format!("no schema is called {name}")) };
        schemas.insert(schema.id());
    }
    match node.research().open_data_set(order.name, schemas, order.budget).await {
        Ok(id) => Done::ok(json!({ "data_set": id })),
        Err(error) => failed(&error),
    }
}

pub(super) async fn open_project(node: &Node, order: ProjectOrder) -> Done {
    let party = match node.parties().named(&order.researcher) {
        Ok(party) => party,
        Err(error @ PartyError::Unknown(_)) => return Done::usage(format!("{error}: admit its card first")),
        Err(error) => return Done::ours(error),
    };
    if PurposeClass::named(&order.purpose).is_none() {
        return Done::usage(PURPOSES);
    }
    let terms = ProjectTerms {
        title: order.title,
        researcher: party.card.id(),
        researcher_name: party.card.name,
        purpose: order.purpose,
        data_set: DataSetId::of(node.institution().member(), &order.data_set),
        threshold: order.threshold,
        budget: order.budget,
        until: order.until,
    };
    match node.research().open_project(terms, &mut OsRng).await {
        Ok(id) => Done::ok(json!({ "project": id })),
        Err(error) => failed(&error),
    }
}

fn failed(error: &OpenError) -> Done {
    match error {
        OpenError::Terms | OpenError::NoDataSet(_) => Done::usage(error),
        OpenError::Ledger(LedgerError::Refused(_)) | OpenError::Unproven(_) => Done::refused(causes(error)),
        error => Done::ours(causes(error)),
    }
}
