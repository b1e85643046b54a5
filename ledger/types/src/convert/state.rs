//! State values to and from their messages.

use prost::Message;
use vouchsafe_circuits::Anchor;

use super::founding::{
    check_roles, key_bytes, keys, parameters, parameters_message, role_codes, roles, validator, validator_message,
};
use super::{canonical, element, fixed, member, parse, present, refused, suite, time};
use crate::entry::EntryError;
use crate::ids::EntryId;
use crate::proto;
use crate::state_value::{
    AnchorState, ChainState, MemberState, MemberStatus, SchemaState, TipState, VerifyingKeyState,
};
use crate::units::{Height, ProtocolVersion};

/// A state value and its bytes.
pub(crate) trait StateMessage: Sized {
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError>;
}

impl StateMessage for ChainState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::ChainState {
            chain_id: self.chain.as_str().to_owned(),
            suite: self.suite.code(),
            development: self.development,
            genesis: self.genesis.as_bytes().to_vec(),
            protocol_version: self.protocol_version.get(),
            validators: self.validators.iter().map(validator_message).collect(),
            parameters: Some(parameters_message(&self.parameters)),
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::ChainState = canonical(bytes)?;
        Ok(Self {
            chain: parse(&message.chain_id, "chain_id")?,
            suite: suite(message.suite, "suite")?,
            development: message.development,
            genesis: EntryId::from_bytes(fixed(&message.genesis, "genesis")?),
            protocol_version: ProtocolVersion::new(message.protocol_version),
            validators: message.validators.iter().map(validator).collect::<Result<_, _>>()?,
            parameters: parameters(present(message.parameters.as_ref(), "parameters")?)?,
        })
    }
}

impl StateMessage for TipState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::TipState { height: self.height.get(), time: self.time.unix() }.encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::TipState = canonical(bytes)?;
        Ok(Self { height: Height::new(message.height), time: time(message.time, "time")? })
    }
}

impl StateMessage for MemberState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::MemberState {
            name: self.name.as_str().to_owned(),
            roles: role_codes(&self.roles),
            keys: key_bytes(&self.keys),
            joined: self.joined.get(),
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::MemberState = canonical(bytes)?;
        let roles = roles(&message.roles)?;
        check_roles(&roles)?;
        Ok(Self {
            name: parse(&message.name, "name")?,
            roles,
            keys: keys(&message.keys)?,
            joined: Height::new(message.joined),
        })
    }
}

impl StateMessage for AnchorState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::AnchorState {
            status: match self.status {
                MemberStatus::Active => 1,
                MemberStatus::Suspended => 2,
            },
            anchor: self.anchor.fe().as_bytes().to_vec(),
            next_position: self.next_position,
            active: self.active,
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::AnchorState = canonical(bytes)?;
        // This program has one suite; with a second one the widest of them, since every use checks again.
        let anchor = element(&message.anchor, vouchsafe_circuits::Suite::Bn254, "anchor")?;
        Ok(Self {
            status: match message.status {
                1 => MemberStatus::Active,
                2 => MemberStatus::Suspended,
                _ => return Err(refused("status", "is unknown")),
            },
            anchor: Anchor::new(anchor),
            next_position: message.next_position,
            active: message.active,
        })
    }
}

impl StateMessage for SchemaState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::SchemaState {
            registrar: self.registrar.to_bytes().to_vec(),
            height: self.height.get(),
            retired: self.retired,
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::SchemaState = canonical(bytes)?;
        Ok(Self {
            registrar: member(&message.registrar, "registrar")?,
            height: Height::new(message.height),
            retired: message.retired,
        })
    }
}

impl StateMessage for VerifyingKeyState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::VerifyingKeyState {
            statement: self.statement.as_str().to_owned(),
            development: self.development,
            registrar: self.registrar.to_bytes().to_vec(),
            height: self.height.get(),
            retired: self.retired,
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::VerifyingKeyState = canonical(bytes)?;
        Ok(Self {
            statement: parse(&message.statement, "statement")?,
            development: message.development,
            registrar: member(&message.registrar, "registrar")?,
            height: Height::new(message.height),
            retired: message.retired,
        })
    }
}
