//! The door's other side: grants, emergencies and their review, and where a subject's records are.

use std::collections::BTreeSet;

use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use vouchsafe_access::door::{DoorError, EmergencyOrder, Finding, GrantTerms, OpenOrder, Reader};
use vouchsafe_access::subject::Identifier;
use vouchsafe_access::vault::RecordId;
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger_types::card::PartyName;
use vouchsafe_ledger_types::entry::PurposeClass;
use vouchsafe_ledger_types::ids::{EmergencyId, GrantId};
use vouchsafe_ledger_types::units::BlockTime;

use super::Done;
use crate::node::Node;
use crate::parties::PartyError;
use crate::server::causes;

pub(super) const PURPOSES: &str =
    "a purpose is TREAT, ETREAT, HPAYMT, HOPERAT, PUBHLTH, HRESCH, PATRQT, HLEGAL or OTHER";

/// What a grant shall say. It may name a subject: Debug shows the type alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantOrder {
    /// To whom.
    pub party: PartyName,
    /// Up to which tier, 0 to 4.
    pub tier: u8,
    /// For which purpose: a code.
    pub purpose: String,
    /// Until when.
    pub until: BlockTime,
    /// Records of which schemas; none named: all.
    pub schemas: Vec<String>,
    /// Records of whom; none: all.
    pub subject: Option<String>,
}

impl std::fmt::Debug for GrantOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantOrder")
    }
}

pub(super) async fn grant(node: &Node, order: GrantOrder) -> Done {
    let terms = match terms(node, order) {
        Ok(terms) => terms,
        Err(done) => return done,
    };
    match node.door().grant(terms, &mut OsRng).await {
        Ok(grant) => Done::ok(json!({ "grant": grant })),
        Err(error) => failed(&error),
    }
}

fn terms(node: &Node, order: GrantOrder) -> Result<GrantTerms, Done> {
    let party = node.parties().named(&order.party).map_err(|error| match error {
        PartyError::Unknown(_) => Done::usage(format!("{error}: admit its card first")),
        error => Done::ours(error),
    })?;
    let tier = Tier::try_from(order.tier).map_err(|_| Done::usage("a tier is 0 to 4"))?;
    let purpose = PurposeClass::named(&order.purpose).ok_or_else(|| Done::usage(PURPOSES))?;
    let schema = |name: &String| {
        builtin::by_name(name)
            .map(|schema| schema.id())
            .ok_or_else(|| Done::usage(format!("no schema is called {name}")))
    };
    let schemas = order.schemas.iter().map(schema).collect::<Result<BTreeSet<_>, _>>()?;
    let subject = match order.subject {
        None => None,
        Some(text) => Some(subject(node, &text)?),
    };
    let schemas = Some(schemas).filter(|schemas| !schemas.is_empty());
    Ok(GrantTerms {
        card: party.card.id(),
        reader: party.card.name,
        tier,
        schemas,
        subject,
        purpose,
        until: order.until,
    })
}

fn subject(node: &Node, text: &str) -> Result<vouchsafe_access::subject::SubjectId, Done> {
    let identifier: Identifier = text.parse().map_err(|_| Done::usage("a subject is written SYSTEM|VALUE"))?;
    let found = node.institution().vault().subject(&identifier).map_err(Done::ours)?;
    found.ok_or_else(|| Done::refused("no subject of this vault has that identifier"))
}

/// What a party opens at the institution's desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenByParty {
    /// Who; the parcel is sealed to the key on its card.
    pub party: PartyName,
    /// Which record, by its id.
    pub record: String,
    /// Up to which tier, 0 to 4.
    pub tier: u8,
    /// What for: a code.
    pub purpose: String,
    /// Whether to break the glass.
    pub emergency: bool,
    /// Why.
    pub reason: String,
}

pub(super) async fn open(node: &Node, order: OpenByParty) -> Done {
    let Ok(record) = order.record.parse::<RecordId>() else { return Done::usage("a record's id is 64 hex digits") };
    let Ok(tier) = Tier::try_from(order.tier) else { return Done::usage("a tier is 0 to 4") };
    let party = match node.parties().named(&order.party) {
        Ok(party) => party,
        Err(error @ PartyError::Unknown(_)) => return Done::refused(error),
        Err(error) => return Done::ours(error),
    };
    let reader = Reader { card: &party.card, roles: &party.roles };
    let Some(purpose) = PurposeClass::named(&order.purpose) else { return Done::usage(PURPOSES) };
    let opened = if order.emergency {
        let order = EmergencyOrder { record, tier, purpose, reason: order.reason };
        node.door().emergency(&reader, &order, &mut OsRng).await
    } else {
        let order = OpenOrder { record, tier, purpose, grant: None };
        node.door().unseal(&reader, &order, &mut OsRng).await
    };
    match opened {
        Ok(parcel) => match serde_json::to_value(&parcel) {
            Ok(parcel) => Done::ok(json!({ "parcel": parcel })),
            Err(error) => Done::ours(error),
        },
        Err(error) => failed(&error),
    }
}

pub(super) async fn revoke(node: &Node, grant: GrantId) -> Done {
    match node.door().revoke(grant).await {
        Ok(()) => Done::ok(json!({ "revoked": grant })),
        Err(error) => failed(&error),
    }
}

pub(super) async fn grants(node: &Node) -> Done {
    let grants = match node.door().grants().await {
        Ok(grants) => grants,
        Err(error) => return failed(&error),
    };
    let shown: Vec<_> = grants
        .iter()
        .map(|grant| {
            let terms = &grant.terms;
            json!({
                "grant": grant.id, "party": terms.reader, "card": terms.card, "tier": terms.tier as u8,
                "purpose": terms.purpose.as_str(), "until": terms.until, "one_subject": terms.subject.is_some(),
                "schemas": terms.schemas.as_ref().map(|schemas| schemas.len()),
                "logged": grant.state.is_some(), "revoked": grant.state.as_ref().is_some_and(|state| state.revoked),
            })
        })
        .collect();
    Done::ok(json!({ "grants": shown }))
}

pub(super) async fn emergencies(node: &Node) -> Done {
    let emergencies = match node.door().emergencies().await {
        Ok(emergencies) => emergencies,
        Err(error) => return failed(&error),
    };
    let shown: Vec<_> = emergencies
        .iter()
        .map(|emergency| {
            json!({
                "emergency": emergency.id, "reader": emergency.reader, "record": emergency.record.to_string(),
                "tier": emergency.tier as u8, "reason": emergency.reason, "released_at": emergency.released_at,
                "review_by": emergency.review_by, "submitted": emergency.submitted,
                "reviewed": emergency.state.as_ref().is_some_and(|state| state.reviewed),
            })
        })
        .collect();
    Done::ok(json!({ "emergencies": shown }))
}

pub(super) async fn review(node: &Node, emergency: EmergencyId, finding: Finding) -> Done {
    match node.door().review(emergency, &finding, &mut OsRng).await {
        Ok(review) => Done::ok(json!({ "emergency": emergency, "review": review })),
        Err(error) => failed(&error),
    }
}

/// The ids of a subject's active records, by schema.
pub(super) fn find(node: &Node, text: &str) -> Done {
    let subject = match subject(node, text) {
        Ok(subject) => subject,
        Err(done) => return done,
    };
    let mut records = Vec::new();
    for schema in builtin::all() {
        match node.institution().vault().find(subject, schema.id()) {
            Ok(found) => {
                records.extend(found.iter().map(|id| json!({ "record": id.to_string(), "schema": schema.name() })));
            }
            Err(error) => return Done::ours(error),
        }
    }
    Done::ok(json!({ "records": records }))
}

fn failed(error: &DoorError) -> Done {
    match error {
        DoorError::Order(_) => Done::usage(error),
        error if error.is_refusal() => Done::refused(error),
        DoorError::Blocked(_) | DoorError::Ledger(vouchsafe_access::ledger::LedgerError::Refused(_)) => {
            Done::refused(causes(error))
        }
        error => Done::ours(causes(error)),
    }
}
