//! Genesis, validators and parameters to and from their messages; what a genesis must keep.

use std::collections::BTreeSet;

use super::entry::SIGNATURES_MAX;
use super::{key, parse, present, refused, suite};
use crate::entry::{ENTRY_BYTES_MAX, EntryError, FoundingMember, Genesis, Parameters, Role, Validator};
use crate::proto;
use crate::signing::PublicKey;

const KEYS_MAX: usize = 8;
const VALIDATORS_MAX: usize = 256;
/// 2^54: so that the sum of 256 powers is a number.
const POWER_MAX: u64 = 1 << 54;
/// A hundred years: expiries stay numbers.
const HORIZON_MAX: u64 = 3_155_760_000;

pub(super) fn genesis_message(genesis: &Genesis) -> proto::Genesis {
    proto::Genesis {
        suite: genesis.suite.code(),
        development: genesis.development,
        members: genesis.members.iter().map(founder_message).collect(),
        validators: genesis.validators.iter().map(validator_message).collect(),
        parameters: Some(parameters_message(&genesis.parameters)),
    }
}

pub(super) fn genesis(message: &proto::Genesis) -> Result<Genesis, EntryError> {
    Ok(Genesis {
        suite: suite(message.suite, "genesis.suite")?,
        development: message.development,
        members: message.members.iter().map(founder).collect::<Result<_, _>>()?,
        validators: message.validators.iter().map(validator).collect::<Result<_, _>>()?,
        parameters: parameters(present(message.parameters.as_ref(), "genesis.parameters")?)?,
    })
}

/// Distinct names and keys, bounded numbers of them, parameters that let the ledger work.
pub(super) fn check(genesis: &Genesis) -> Result<(), EntryError> {
    let members = &genesis.members;
    if members.is_empty() || members.len() > SIGNATURES_MAX {
        return Err(refused("genesis.members", format!("must be 1 to {SIGNATURES_MAX}")));
    }
    let names: BTreeSet<_> = members.iter().map(|member| &member.name).collect();
    let keys: Vec<&PublicKey> = members.iter().flat_map(|member| &member.keys).collect();
    if names.len() != members.len() || keys.iter().collect::<BTreeSet<_>>().len() != keys.len() {
        return Err(refused("genesis.members", "share a name or a key"));
    }
    for member in members {
        check_roles(&member.roles)?;
        if member.keys.is_empty() || member.keys.len() > KEYS_MAX {
            return Err(refused("genesis.members.keys", format!("must be 1 to {KEYS_MAX}")));
        }
    }
    check_validators(&genesis.validators)?;
    check_parameters(&genesis.parameters)
}

pub(super) fn check_roles(roles: &[Role]) -> Result<(), EntryError> {
    let ascending = roles.iter().zip(roles.iter().skip(1)).all(|(one, next)| one < next);
    if ascending { Ok(()) } else { Err(refused("roles", "must be ascending, without repetition")) }
}

fn check_validators(validators: &[Validator]) -> Result<(), EntryError> {
    if validators.is_empty() || validators.len() > VALIDATORS_MAX {
        return Err(refused("genesis.validators", format!("must be 1 to {VALIDATORS_MAX}")));
    }
    let names: BTreeSet<_> = validators.iter().map(|validator| &validator.name).collect();
    let keys: BTreeSet<_> = validators.iter().map(|validator| &validator.key).collect();
    if names.len() != validators.len() || keys.len() != validators.len() {
        return Err(refused("genesis.validators", "share a name or a key"));
    }
    if validators.iter().any(|validator| validator.power == 0 || validator.power > POWER_MAX) {
        return Err(refused("genesis.validators.power", format!("must be 1 to {POWER_MAX}")));
    }
    Ok(())
}

fn check_parameters(parameters: &Parameters) -> Result<(), EntryError> {
    let zero = parameters.block_entries_max == 0
        || parameters.entry_commitments_max == 0
        || parameters.expiry_horizon_seconds == 0
        || parameters.anchor_window_heights == 0;
    if zero {
        return Err(refused("genesis.parameters", "must not be zero"));
    }
    if parameters.block_bytes_max < ENTRY_BYTES_MAX as u64 {
        return Err(refused("genesis.parameters.block_bytes_max", "must let one entry of full length in"));
    }
    if parameters.expiry_horizon_seconds > HORIZON_MAX {
        return Err(refused("genesis.parameters.expiry_horizon_seconds", "is over a hundred years"));
    }
    Ok(())
}

fn founder_message(member: &FoundingMember) -> proto::FoundingMember {
    proto::FoundingMember {
        name: member.name.as_str().to_owned(),
        roles: role_codes(&member.roles),
        keys: key_bytes(&member.keys),
    }
}

fn founder(message: &proto::FoundingMember) -> Result<FoundingMember, EntryError> {
    Ok(FoundingMember {
        name: parse(&message.name, "genesis.members.name")?,
        roles: roles(&message.roles)?,
        keys: keys(&message.keys)?,
    })
}

pub(super) fn role_codes(roles: &[Role]) -> Vec<u32> {
    roles.iter().map(|role| role.code()).collect()
}

pub(super) fn roles(codes: &[u32]) -> Result<Vec<Role>, EntryError> {
    let known = codes.iter().map(|code| Role::from_code(*code).ok_or_else(|| refused("roles", "has an unknown one")));
    known.collect()
}

pub(super) fn key_bytes(keys: &[PublicKey]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.as_bytes().to_vec()).collect()
}

pub(super) fn keys(bytes: &[Vec<u8>]) -> Result<Vec<PublicKey>, EntryError> {
    bytes.iter().map(|bytes| key(bytes, "keys")).collect()
}

pub(super) fn validator_message(validator: &Validator) -> proto::Validator {
    proto::Validator {
        name: validator.name.as_str().to_owned(),
        key: validator.key.as_bytes().to_vec(),
        power: validator.power,
    }
}

pub(super) fn validator(message: &proto::Validator) -> Result<Validator, EntryError> {
    Ok(Validator {
        name: parse(&message.name, "validators.name")?,
        key: key(&message.key, "validators.key")?,
        power: message.power,
    })
}

pub(super) fn parameters_message(parameters: &Parameters) -> proto::Parameters {
    proto::Parameters {
        block_entries_max: parameters.block_entries_max,
        block_bytes_max: parameters.block_bytes_max,
        entry_commitments_max: parameters.entry_commitments_max,
        expiry_horizon_seconds: parameters.expiry_horizon_seconds,
        anchor_window_heights: parameters.anchor_window_heights,
    }
}

pub(super) fn parameters(message: &proto::Parameters) -> Result<Parameters, EntryError> {
    let parameters = Parameters {
        block_entries_max: message.block_entries_max,
        block_bytes_max: message.block_bytes_max,
        entry_commitments_max: message.entry_commitments_max,
        expiry_horizon_seconds: message.expiry_horizon_seconds,
        anchor_window_heights: message.anchor_window_heights,
    };
    check_parameters(&parameters).map(|()| parameters)
}
