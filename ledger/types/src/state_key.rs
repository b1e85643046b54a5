//! The one home of state keys: what the authenticated state holds and under which bytes.
//! ```text
//! chain · tip · member/‹id› · anchor/‹id› · schema/‹id› · key/‹id›                   ids are 32 raw bytes
//! grant/‹entry id› · emergency/‹entry id› · reviews/‹member›
//! data-set/‹id› · data-set-of/‹member›/‹schema› · project/‹entry id› · reservation/‹entry id›
//! ```
//! The path in the authenticated map is the SHA-256 of these bytes. As text a key has 64 hex digits for each id.

use core::fmt;
use core::str::FromStr;

use jmt::KeyHash;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::{Fe, SchemaId};

use crate::ids::{DataSetId, EmergencyId, EntryId, GrantId, KeyId, MemberId, ProjectId, ReservationId, parse_hex};
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
    /// A grant: `GrantState`.
    Grant(GrantId),
    /// An emergency: `EmergencyState`.
    Emergency(EmergencyId),
    /// The emergencies of a member that wait for their review: `ReviewsDue`.
    Reviews(MemberId),
    /// A data set and its budget: `DataSetState`.
    DataSet(DataSetId),
    /// Which data set of a member a schema is in: `DataSetOf`.
    DataSetOf(MemberId, SchemaId),
    /// A project: `ProjectState`.
    Project(ProjectId),
    /// A reservation: `ReservationState`.
    Reservation(ReservationId),
}

/// Not the text of a state key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a state key: write chain, tip, or a name and ids of 64 lower-case hex digits, such as anchor/HEX")]
pub struct StateKeyError;

impl StateKey {
    /// Its name, and its ids.
    fn parts(&self) -> (&'static str, [Option<[u8; 32]>; 2]) {
        let one = |id: &[u8; 32]| [Some(*id), None];
        match self {
            StateKey::Chain => ("chain", [None, None]),
            StateKey::Tip => ("tip", [None, None]),
            StateKey::Member(id) => ("member", one(&id.to_bytes())),
            StateKey::Anchor(id) => ("anchor", one(&id.to_bytes())),
            StateKey::Schema(id) => ("schema", one(id.fe().as_bytes())),
            StateKey::VerifyingKey(id) => ("key", one(id.as_bytes())),
            StateKey::Grant(id) => ("grant", one(id.as_bytes())),
            StateKey::Emergency(id) => ("emergency", one(id.as_bytes())),
            StateKey::Reviews(id) => ("reviews", one(&id.to_bytes())),
            StateKey::DataSet(id) => ("data-set", one(id.as_bytes())),
            StateKey::DataSetOf(member, schema) => {
                ("data-set-of", [Some(member.to_bytes()), Some(*schema.fe().as_bytes())])
            }
            StateKey::Project(id) => ("project", one(id.as_bytes())),
            StateKey::Reservation(id) => ("reservation", one(id.as_bytes())),
        }
    }

    /// The key's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (name, ids) = self.parts();
        let mut bytes = name.as_bytes().to_vec();
        for id in ids.iter().flatten() {
            bytes.push(b'/');
            bytes.extend_from_slice(id);
        }
        bytes
    }

    /// Where the value is in the authenticated map.
    pub fn path(&self) -> KeyHash {
        KeyHash::with::<MapHasher>(self.to_bytes())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let name = parts.next()?;
        let ids = parts.map(parse_hex).collect::<Option<Vec<[u8; 32]>>>()?;
        let member = |id: [u8; 32]| MemberId::from_bytes(id).ok();
        // This program has one suite; a schema's id is a 31-byte number in every one.
        let schema = |id: [u8; 32]| Fe::from_bytes(Suite::Bn254, id).ok().map(SchemaId::new);
        Some(match (name, ids.as_slice()) {
            ("chain", []) => StateKey::Chain,
            ("tip", []) => StateKey::Tip,
            ("member", [id]) => StateKey::Member(member(*id)?),
            ("anchor", [id]) => StateKey::Anchor(member(*id)?),
            ("schema", [id]) => StateKey::Schema(schema(*id)?),
            ("key", [id]) => StateKey::VerifyingKey(KeyId::new(*id)),
            ("grant", [id]) => StateKey::Grant(GrantId::of(EntryId::from_bytes(*id))),
            ("emergency", [id]) => StateKey::Emergency(EmergencyId::of(EntryId::from_bytes(*id))),
            ("reviews", [id]) => StateKey::Reviews(member(*id)?),
            ("data-set", [id]) => StateKey::DataSet(DataSetId::from_bytes(*id)),
            ("data-set-of", [id, of]) => StateKey::DataSetOf(member(*id)?, schema(*of)?),
            ("project", [id]) => StateKey::Project(ProjectId::of(EntryId::from_bytes(*id))),
            ("reservation", [id]) => StateKey::Reservation(ReservationId::of(EntryId::from_bytes(*id))),
            _ => return None,
        })
    }
}

impl FromStr for StateKey {
    type Err = StateKeyError;

    fn from_str(text: &str) -> Result<Self, StateKeyError> {
        // no key is longer; so hostile text costs nothing
        const LONGEST: usize = "data-set-of".len() + 2 * 65;
        if text.len() > LONGEST { Err(StateKeyError) } else { Self::parse(text).ok_or(StateKeyError) }
    }
}

impl fmt::Display for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, ids) = self.parts();
        f.write_str(name)?;
        ids.iter().flatten().try_for_each(|id| write!(f, "/{}", hex::encode(id)))
    }
}
