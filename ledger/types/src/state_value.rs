//! The values of the authenticated state; each has one encoding (`proto/ledger.proto`).

mod access;
mod research;

use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::{Anchor, SchemaId};

pub use access::{EmergencyState, GrantState, ReviewsDue};
pub use research::{DataSetOf, DataSetState, ProjectState, ReservationState};

use crate::convert::StateMessage;
use crate::entry::{Parameters, Role, Validator};
use crate::ids::{
    ChainId, DataSetId, EmergencyId, EntryId, GrantId, KeyId, MemberId, MemberName, ProjectId, ReservationId,
    StatementName,
};
use crate::signing::PublicKey;
use crate::state_key::StateKey;
use crate::units::{BlockTime, Height, ProtocolVersion};

/// Not the one encoding of a state value: a proof made up, or a damaged store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the bytes of a state value: {0}")]
pub struct StateValueError(String);

/// A value of the state: its key, and its bytes.
pub trait StateValue: Sized {
    /// What the key needs to know beyond the type.
    type Id;

    /// Under which key it is kept.
    fn key(id: Self::Id) -> StateKey;
    /// Its bytes.
    fn encode(&self) -> Vec<u8>;
    /// Parses its bytes.
    fn decode(bytes: &[u8]) -> Result<Self, StateValueError>;
}

/// The chain and the rules in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainState {
    /// Its name.
    pub chain: ChainId,
    /// Its suite.
    pub suite: Suite,
    /// Whether development keys count.
    pub development: bool,
    /// The id of its genesis.
    pub genesis: EntryId,
    /// The rules in force.
    pub protocol_version: ProtocolVersion,
    /// Whose signatures make a checkpoint.
    pub validators: Vec<Validator>,
    /// The bounds in force.
    pub parameters: Parameters,
}

/// The last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TipState {
    /// Its height.
    pub height: Height,
    /// Its time.
    pub time: BlockTime,
}

/// A member. Its id is never used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberState {
    /// Its name.
    pub name: MemberName,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The keys of its service.
    pub keys: Vec<PublicKey>,
    /// Since when it is a member.
    pub joined: Height,
}

/// Whether a member's new facts count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemberStatus {
    /// In good standing.
    Active,
    /// It may still withdraw; verifiers refuse its new facts.
    Suspended,
}

/// A member's status and active set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnchorState {
    /// Whether its new facts count.
    pub status: MemberStatus,
    /// The root of its active set.
    pub anchor: Anchor,
    /// The next free position; 2^32 when the set is full.
    pub next_position: u64,
    /// How many of its commitments are active.
    pub active: u64,
}

/// A registered schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaState {
    /// Who registered it.
    pub registrar: MemberId,
    /// When.
    pub height: Height,
    /// Whether it is out of use.
    pub retired: bool,
}

/// A registered verifying key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKeyState {
    /// The statement it verifies.
    pub statement: StatementName,
    /// Whether it comes from a single-party setup.
    pub development: bool,
    /// Who registered it.
    pub registrar: MemberId,
    /// When.
    pub height: Height,
    /// Whether it is out of use.
    pub retired: bool,
}

macro_rules! values {
    ($($value:ty, $id:ty, $bound:pat => $key:expr;)+) => {$(
        impl StateValue for $value {
            type Id = $id;

            fn key($bound: $id) -> StateKey {
                $key
            }

            fn encode(&self) -> Vec<u8> {
                StateMessage::to_bytes(self)
            }

            fn decode(bytes: &[u8]) -> Result<Self, StateValueError> {
                StateMessage::from_bytes(bytes).map_err(|error| StateValueError(error.to_string()))
            }
        }
    )+};
}

values! {
    ChainState, (), () => StateKey::Chain;
    TipState, (), () => StateKey::Tip;
    MemberState, MemberId, id => StateKey::Member(id);
    AnchorState, MemberId, id => StateKey::Anchor(id);
    SchemaState, SchemaId, id => StateKey::Schema(id);
    VerifyingKeyState, KeyId, id => StateKey::VerifyingKey(id);
    GrantState, GrantId, id => StateKey::Grant(id);
    EmergencyState, EmergencyId, id => StateKey::Emergency(id);
    ReviewsDue, MemberId, id => StateKey::Reviews(id);
    DataSetState, DataSetId, id => StateKey::DataSet(id);
    DataSetOf, (MemberId, SchemaId), (member, schema) => StateKey::DataSetOf(member, schema);
    ProjectState, ProjectId, id => StateKey::Project(id);
    ReservationState, ReservationId, id => StateKey::Reservation(id);
}
