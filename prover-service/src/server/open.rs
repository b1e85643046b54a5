//! `Records.Open`: a reader's way to the one door.
//!
//! ```text
//! signed call ─► card, roles ─► records ─► door: grant, policy, entry, release ─► a parcel for each
//! ```
//!
//! A reader is told one thing of what it may not have: that it is not permitted, whether there is such a record or
//! not. It is told at once, so that time may say more; who may sign calls here is the institution's choice.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::OsRng;
use tonic::{Code, Request, Response, Status};
use vouchsafe_access::door::{DoorError, EmergencyOrder, OpenOrder, Parcel, Reader};
use vouchsafe_access::vault::RecordId;
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_circuits::{Commitment, Fe};
use vouchsafe_ledger_types::entry::PurposeClass;
use vouchsafe_ledger_types::ids::{EntryId, GrantId};

use super::signed::{Called, called_once};
use super::status;
use crate::node::{Node, Phase};
use crate::proto::open_request::What;
use crate::proto::{OpenRequest, OpenResponse, RecordsOf, SignedCall};

/// The path of `Open`, which its caller signs.
pub const OPEN: &str = "/vouchsafe.v1.Records/Open";
/// How many records one call may open. More of a subject's are named one by one.
const RECORDS_MAX: usize = 64;
/// How many in an emergency: each has an entry and a review of its own.
const EMERGENCY_RECORDS_MAX: usize = 4;

pub(super) async fn open(node: &Arc<Node>, call: Request<SignedCall>) -> Result<Response<OpenResponse>, Status> {
    let _permit = node.gate().enter().await?;
    let called: Called<OpenRequest> = called_once(node, OPEN, call.into_inner())?;
    let message = &called.message;
    let tier = u8::try_from(message.tier).ok().and_then(|tier| Tier::try_from(tier).ok());
    let tier = tier.ok_or_else(|| status::bad_field("tier", "0 to 4"))?;
    let purpose = PurposeClass::named(&message.purpose);
    let purpose =
        purpose.ok_or_else(|| status::bad_field("purpose", "TREAT, ETREAT, HPAYMT, HOPERAT, PUBHLTH, HRESCH …"))?;
    let reader = Reader { card: &called.party.card, roles: &called.party.roles };
    // whatever does not depend on a record is said before one is looked up: else it would tell that there is one
    let open = match message.emergency {
        true => node.door().emergency_stands_open(purpose, &message.reason, &mut OsRng).await,
        false => node.door().stands_open(&mut OsRng).await,
    };
    open.map_err(|error| failure(node, &error))?;
    let records = wanted(node, message)?;
    if records.len() > if message.emergency { EMERGENCY_RECORDS_MAX } else { RECORDS_MAX } {
        tracing::info!(reader = %called.party.card.id(), "too many records for one call");
        return Err(not_permitted());
    }
    let grant = message.grant.as_deref().map(grant).transpose()?;
    let mut parcels = Vec::new();
    let mut refused = None;
    for record in records {
        let opened = if message.emergency {
            let order = EmergencyOrder { record, tier, purpose, reason: message.reason.clone() };
            node.door().emergency(&reader, &order, &mut OsRng).await
        } else {
            let order = OpenOrder { record, tier, purpose, grant };
            node.door().unseal(&reader, &order, &mut OsRng).await
        };
        match opened {
            Ok(parcel) => parcels.push(Parcel::to_json(&parcel)),
            // of several records those are opened that may be
            Err(error) if error.is_refusal() => refused = Some(error),
            // what was released is logged: its reader gets it, and asks for the rest again
            Err(error) if !parcels.is_empty() => {
                tracing::error!(error = status::causes(&error), "some of several records were not opened");
                let _ = node.height();
                break;
            }
            Err(error) => return Err(failure(node, &error)),
        }
    }
    if parcels.is_empty() {
        if let Some(why) = refused {
            tracing::info!(reader = %called.party.card.id(), %why, "not opened");
        }
        return Err(not_permitted());
    }
    node.metrics().parcels.increment(parcels.len() as u64);
    Ok(Response::new(OpenResponse { parcels }))
}

/// The records that are asked for; none where there is no such subject.
fn wanted(node: &Node, message: &OpenRequest) -> Result<Vec<RecordId>, Status> {
    match &message.what {
        None => Err(status::bad_field("what", "name a record, or a subject and a schema")),
        Some(What::Record(bytes)) => {
            let bytes = <[u8; 32]>::try_from(&bytes[..]).ok();
            let suite = node.institution().identity().suite;
            let record = bytes.and_then(|bytes| Fe::from_bytes(suite, bytes).ok());
            let record = record.ok_or_else(|| status::bad_field("record", "32 bytes: the record's commitment"))?;
            Ok(vec![RecordId::of(Commitment::new(record))])
        }
        Some(What::RecordsOf(RecordsOf { subject, schema })) => {
            let subject = subject.parse().map_err(|_| status::bad_field("subject", "SYSTEM|VALUE"))?;
            let schema =
                builtin::by_name(schema).ok_or_else(|| status::bad_field("schema", "no schema of this name"))?;
            let vault = node.institution().vault();
            let ours = |e: vouchsafe_access::vault::IndexError| status::ours("looking a subject up", &e);
            let Some(subject) = vault.subject(&subject).map_err(ours)? else { return Ok(Vec::new()) };
            let records = vault.find(subject, schema.id()).map_err(ours)?;
            Ok(records)
        }
    }
}

fn grant(bytes: &[u8]) -> Result<GrantId, Status> {
    let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| status::bad_field("grant", "32 bytes: the grant's id"))?;
    Ok(GrantId::of(EntryId::from_bytes(bytes)))
}

fn not_permitted() -> Status {
    status::refused(Code::PermissionDenied, "NOT_PERMITTED", "not permitted")
}

/// Tells the ledger of emergencies that it has not been told of, now and then, until the node ends.
pub(super) async fn report_emergencies(node: Arc<Node>) {
    let mut phase = node.phase();
    loop {
        match node.door().submit_overdue(&mut OsRng).await {
            Ok(0) => {}
            Ok(told) => tracing::warn!(told, "emergencies were reported to the ledger"),
            Err(error) => tracing::error!(error = status::causes(&error), "an emergency is not reported yet"),
        }
        node.metrics().unreported.set(node.door().unsubmitted().map_or(f64::NAN, |count| count as f64));
        tokio::select! {
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
            () = tokio::time::sleep(Duration::from_secs(10)) => {}
        }
    }
}

fn failure(node: &Node, error: &DoorError) -> Status {
    match error {
        DoorError::Order(why) => status::refused(Code::InvalidArgument, "BAD_ORDER", why.clone()),
        DoorError::Blocked(blocked) => {
            tracing::warn!(%blocked, "the door is shut");
            let text = "nothing is released here for the time being: its people have something to do first";
            status::refused(Code::FailedPrecondition, "DOOR_SHUT", text)
        }
        // the ledger's own rule refused: a grant that was revoked meanwhile
        DoorError::Ledger(vouchsafe_access::ledger::LedgerError::Refused(_)) => not_permitted(),
        error => {
            // a stopped ledger looks like this too
            let _ = node.height();
            status::ours("opening a record", error)
        }
    }
}
