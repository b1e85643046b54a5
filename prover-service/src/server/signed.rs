//! Signed calls: who asks, by its card.
//!
//! ```text
//! SignedCall ─► for this method, chain and time? ─► signed by a card that was admitted? ─► the party
//! ```
//!
//! A call that changes something is taken once: its id is remembered until it expires. After a restart the memory is
//! empty, and a call of the last ten minutes could be sent again by whoever saw it inside TLS: it brings what it brought.

use std::collections::BTreeMap;
use std::sync::Mutex;

use prost::Message;
use tonic::{Code, Status};
use vouchsafe_ledger_types::call::{CallNonce, SignedCall};
use vouchsafe_ledger_types::ids::CallId;
use vouchsafe_ledger_types::signing::{PublicKey, Signature};
use vouchsafe_ledger_types::units::BlockTime;

use super::status;
use crate::node::Node;
use crate::parties::Party;
use crate::proto;

/// How many calls are remembered; beyond them calls are turned away.
const REMEMBERED_MAX: usize = 1 << 20;

/// A call whose signature was checked, and who signed it.
pub(super) struct Called<T> {
    pub(super) id: CallId,
    pub(super) party: Party,
    pub(super) message: T,
}

/// The calls that were taken and have not expired.
#[derive(Debug, Default)]
pub struct TakenCalls(Mutex<BTreeMap<(BlockTime, CallId), ()>>);

impl TakenCalls {
    /// Takes a call; false if it was taken before, or too many are remembered.
    fn take(&self, id: CallId, expires: BlockTime, now: BlockTime) -> bool {
        // a thread that died while it held the lock left whole rows
        let mut taken = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while taken.first_key_value().is_some_and(|((expires, _), ())| *expires <= now) {
            taken.pop_first();
        }
        taken.len() < REMEMBERED_MAX && taken.insert((expires, id), ()).is_none()
    }
}

/// Checks a call of a method; it may come again.
pub(super) fn called<T: Message + Default>(
    node: &Node,
    method: &str,
    call: proto::SignedCall,
) -> Result<Called<T>, Status> {
    let call = parse(call)?;
    let unauthenticated = |why: String| status::refused(Code::Unauthenticated, "BAD_SIGNATURE", why);
    call.verify(method, &node.institution().rules().chain, node.now()).map_err(|e| unauthenticated(e.to_string()))?;
    let party = node.parties().signer(&call.signer).map_err(|e| status::ours("reading the parties", &e))?;
    let party = party.ok_or_else(|| {
        let text = "this institution does not know the signing key: have your card admitted";
        status::refused(Code::PermissionDenied, "NOT_ADMITTED", text)
    })?;
    let message = T::decode(&call.payload[..]).map_err(|e| status::bad_field("payload", e.to_string()))?;
    Ok(Called { id: call.id(), party, message })
}

/// Checks a call of a method that is taken once.
pub(super) fn called_once<T: Message + Default>(
    node: &Node,
    method: &str,
    call: proto::SignedCall,
) -> Result<Called<T>, Status> {
    let expires = call.expires;
    let called = called(node, method, call)?;
    let expires = BlockTime::from_unix(expires).unwrap_or(BlockTime::MAX);
    if node.taken_calls().take(called.id, expires, node.now()) {
        return Ok(called);
    }
    let text = "this call was taken before: sign a new one, with a nonce of its own";
    Err(status::refused(Code::AlreadyExists, "CALL_TAKEN", text))
}

fn parse(call: proto::SignedCall) -> Result<SignedCall, Status> {
    let proto::SignedCall { payload, chain, expires, nonce, signer, signature } = call;
    let bad = |field: &'static str| move |why: String| status::bad_field(field, why);
    let bytes = |field: &'static str, bytes: Vec<u8>| {
        <[u8; 32]>::try_from(bytes).map_err(|_| status::bad_field(field, "32 bytes are needed"))
    };
    Ok(SignedCall {
        payload,
        chain: chain.parse().map_err(|e: vouchsafe_ledger_types::ids::IdError| bad("chain")(e.to_string()))?,
        expires: BlockTime::from_unix(expires)
            .ok_or_else(|| status::bad_field("expires", "seconds since 1970, before the year 10000"))?,
        nonce: CallNonce::new(bytes("nonce", nonce)?),
        signer: PublicKey::from_bytes(bytes("signer", signer)?).map_err(|e| bad("signer")(e.to_string()))?,
        signature: Signature::from_slice(&signature).map_err(|e| bad("signature")(e.to_string()))?,
    })
}
