//! The one home of state keys: what the authenticated state holds and under which bytes.
//! ```text
//! chain · tip · member/‹id› · anchor/‹id› · schema/‹id› · key/‹id›          ids are 32 raw bytes
//! ```
//! The path in the authenticated map is the SHA-256 of these bytes.

use jmt::KeyHash;
use vouchsafe_circuits::SchemaId;

use crate::ids::{KeyId, MemberId};
use crate::state_proof::MapHasher;

/// Names one value of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StateKey {
    /// The chain: `ChainState`.
    Chain,
    /// The last height and its time: `TipState`.
    Tip,
    /// A member's name, roles and keys: `MemberState`.
    Member(MemberId),
    /// A member's status and active set: `AnchorState`.
    Anchor(MemberId),
    /// A registered schema: `SchemaState`.
    Schema(SchemaId),
    /// A registered verifying key: `VerifyingKeyState`.
    VerifyingKey(KeyId),
}

impl StateKey {
    /// The key's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let under = |prefix: &[u8], id: &[u8; 32]| [prefix, id.as_slice()].concat();
        match self {
            StateKey::Chain => b"chain".to_vec(),
            StateKey::Tip => b"tip".to_vec(),
            StateKey::Member(id) => under(b"member/", &id.to_bytes()),
            StateKey::Anchor(id) => under(b"anchor/", &id.to_bytes()),
            StateKey::Schema(id) => under(b"schema/", id.fe().as_bytes()),
            StateKey::VerifyingKey(id) => under(b"key/", id.as_bytes()),
        }
    }

    /// Where the value is in the authenticated map.
    pub fn path(&self) -> KeyHash {
        KeyHash::with::<MapHasher>(self.to_bytes())
    }
}
