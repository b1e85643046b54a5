//! Calls that their caller signed: mutual TLS says which service is connected, the signature says who asks.
//! ```text
//! signed = len ‖ "vouchsafe/call/v1" ‖ len ‖ method ‖ len ‖ chain ‖ expires ‖ nonce ‖ payload
//! id     = digest(Call, chain ‖ expires ‖ nonce ‖ signer ‖ payload)        each part behind its length
//! ```
//! Lengths and `expires`: 8 bytes, big-endian; method as in the path, such as `/vouchsafe.v1.Prover/Ask`. The id leaves the
//! signature out, since one message has many. `verify` does not remember: whoever takes calls keeps the ids that
//! it took until they expire, and refuses them a second time. Nor does it say who the signer is.

use core::fmt;

use vouchsafe_circuits::tags::{Domain, digest};

use crate::ids::{CallId, ChainId};
use crate::signing::{PublicKey, Signature, SigningKey};
use crate::units::BlockTime;

/// How far ahead a call may expire.
pub const CALL_SECONDS_MAX: u64 = 600;

/// Why a call was refused; the caller's to repair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// For another ledger.
    #[error("the call is for chain {0}")]
    WrongChain(ChainId),
    /// Too late.
    #[error("the call has expired: sign it again, and check the clock")]
    Expired,
    /// It would have to be remembered too long.
    #[error("the call expires more than {CALL_SECONDS_MAX} s ahead: sign it for a shorter time, and check the clock")]
    TooFarAhead,
    /// Not signed, or for another method or content.
    #[error("the signature does not hold for this method, chain and content")]
    BadSignature,
}

/// Thirty-two random bytes that make two equal calls two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CallNonce([u8; 32]);

impl CallNonce {
    /// Takes bytes from a random source.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CallNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallNonce({})", hex::encode(self.0))
    }
}

/// A call with its caller's signature, not yet checked.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedCall {
    /// The bytes of the method's own message.
    pub payload: Vec<u8>,
    /// The ledger that the call is for.
    pub chain: ChainId,
    /// Before when it must be taken.
    pub expires: BlockTime,
    /// Makes the call unique.
    pub nonce: CallNonce,
    /// The signing key on the caller's card.
    pub signer: PublicKey,
    /// The signature.
    pub signature: Signature,
}

/// The payload may name a subject.
impl fmt::Debug for SignedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedCall({})", self.id())
    }
}

impl SignedCall {
    /// Signs a call of a method.
    pub fn sign(
        key: &SigningKey,
        method: &str,
        chain: ChainId,
        expires: BlockTime,
        nonce: CallNonce,
        payload: Vec<u8>,
    ) -> Self {
        let signature = key.sign(&signed_message(method, &chain, expires, &nonce, &payload));
        Self { payload, chain, expires, nonce, signer: key.public(), signature }
    }

    /// Checks that the signer meant this method, on this chain, now.
    pub fn verify(&self, method: &str, chain: &ChainId, now: BlockTime) -> Result<(), CallError> {
        if self.chain != *chain {
            return Err(CallError::WrongChain(self.chain.clone()));
        }
        if self.expires <= now {
            return Err(CallError::Expired);
        }
        if self.expires.unix() - now.unix() > CALL_SECONDS_MAX {
            return Err(CallError::TooFarAhead);
        }
        let message = signed_message(method, &self.chain, self.expires, &self.nonce, &self.payload);
        self.signer.verify(&message, &self.signature).map_err(|_| CallError::BadSignature)
    }

    /// The call's id, by which a second taking is noticed.
    pub fn id(&self) -> CallId {
        let expires = self.expires.unix().to_be_bytes();
        let (chain, nonce, signer) = (self.chain.as_str().as_bytes(), self.nonce.as_bytes(), self.signer.as_bytes());
        CallId::from_bytes(digest(Domain::Call, &[chain, &expires, nonce, signer, &self.payload]))
    }
}

fn signed_message(method: &str, chain: &ChainId, expires: BlockTime, nonce: &CallNonce, payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    for part in [Domain::Call.as_str(), method, chain.as_str()] {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    message.extend_from_slice(&expires.unix().to_be_bytes());
    message.extend_from_slice(nonce.as_bytes());
    message.extend_from_slice(payload);
    message
}
