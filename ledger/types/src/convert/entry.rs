//! Entries to and from their protobuf messages.

use prost::Message;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::tree::Position;

use super::{
    access, canonical, commitment, fixed, founding, key, member, parse, present, purpose, refused, research, time,
};
use crate::entry::{
    Amend, Body, Commit, Disclosure, Entry, EntryError, Header, Nonce, RegisterSchema, RegisterVerifyingKey, Withdraw,
};
use crate::ids::{DisclosureCommitment, KeyId};
use crate::proto;
use crate::signing::{Algorithm, Signature};

/// No genesis has more signers, so no entry has more signatures.
pub(super) const SIGNATURES_MAX: usize = 64;

pub(crate) fn signed_bytes(entry: &[u8], signatures: &[Signature]) -> Vec<u8> {
    let signatures = signatures.iter().map(|signature| signature.as_bytes().to_vec()).collect();
    proto::SignedEntry { entry: entry.to_vec(), signatures }.encode_to_vec()
}

pub(crate) fn signed(bytes: &[u8]) -> Result<(Vec<u8>, Vec<Signature>), EntryError> {
    let message: proto::SignedEntry = canonical(bytes)?;
    if message.signatures.is_empty() || message.signatures.len() > SIGNATURES_MAX {
        return Err(refused("signatures", format!("must be 1 to {SIGNATURES_MAX}")));
    }
    let parsed = message.signatures.iter().map(|bytes| Signature::from_slice(bytes));
    let signatures: Result<Vec<_>, _> = parsed.collect();
    Ok((message.entry, signatures.map_err(|error| refused("signatures", error))?))
}

pub(crate) fn entry_bytes(entry: &Entry) -> Vec<u8> {
    let header = &entry.header;
    let header = proto::Header {
        chain_id: header.chain.as_str().to_owned(),
        member: header.member.to_bytes().to_vec(),
        signer: header.signer.as_bytes().to_vec(),
        algorithm: header.algorithm.code(),
        expiry: header.expiry.unix(),
        nonce: header.nonce.as_bytes().to_vec(),
    };
    proto::Entry { header: Some(header), body: Some(body_message(&entry.body)) }.encode_to_vec()
}

pub(crate) fn entry(bytes: &[u8], suite: Suite) -> Result<Entry, EntryError> {
    let message: proto::Entry = canonical(bytes)?;
    let header = present(message.header, "header")?;
    let algorithm = Algorithm::from_code(header.algorithm);
    let header = Header {
        chain: parse(&header.chain_id, "header.chain_id")?,
        member: member(&header.member, "header.member")?,
        signer: key(&header.signer, "header.signer")?,
        algorithm: algorithm.ok_or_else(|| refused("header.algorithm", "is none that this program knows"))?,
        expiry: time(header.expiry, "header.expiry")?,
        nonce: Nonce::new(fixed(&header.nonce, "header.nonce")?),
    };
    let body = body(present(message.body, "body")?, suite)?;
    check(&body)?;
    Ok(Entry { header, body })
}

/// What a body must keep beyond the types of its fields.
pub(crate) fn check(body: &Body) -> Result<(), EntryError> {
    match body {
        Body::Genesis(genesis) => founding::check(genesis),
        Body::RegisterSchema(body) if body.schema.is_empty() => Err(refused("register_schema.schema", "is empty")),
        Body::OpenDataSet(body) => research::check_schemas(&body.schemas, "open_data_set.schemas"),
        _ => Ok(()),
    }
}

fn body_message(body: &Body) -> proto::entry::Body {
    use proto::entry::Body as Message;
    match body {
        Body::Genesis(body) => Message::Genesis(founding::genesis_message(body)),
        Body::RegisterSchema(body) => Message::RegisterSchema(proto::RegisterSchema { schema: body.schema.clone() }),
        Body::RegisterVerifyingKey(body) => Message::RegisterVerifyingKey(proto::RegisterVerifyingKey {
            statement: body.statement.as_str().to_owned(),
            key_id: body.key_id.as_bytes().to_vec(),
            development: body.development,
        }),
        Body::Commit(body) => {
            let bytes = |commitment: &vouchsafe_circuits::Commitment| commitment.fe().as_bytes().to_vec();
            Message::Commit(proto::Commit { commitments: body.commitments.iter().map(bytes).collect() })
        }
        Body::Amend(body) => Message::Amend(proto::Amend {
            position: body.position.get(),
            old: body.old.fe().as_bytes().to_vec(),
            new: body.new.fe().as_bytes().to_vec(),
        }),
        Body::Withdraw(body) => Message::Withdraw(proto::Withdraw {
            position: body.position.get(),
            commitment: body.commitment.fe().as_bytes().to_vec(),
        }),
        Body::Disclosure(body) => Message::Disclosure(proto::Disclosure {
            commitment: body.commitment.as_bytes().to_vec(),
            purpose_class: body.purpose.code(),
            deadline: body.deadline.unix(),
        }),
        Body::Grant(body) => Message::Grant(access::grant_message(body)),
        Body::RevokeGrant(body) => Message::RevokeGrant(access::revoke_message(body)),
        Body::KeyRelease(body) => Message::KeyRelease(access::release_message(body)),
        Body::EmergencyAccess(body) => Message::EmergencyAccess(access::emergency_message(body)),
        Body::Review(body) => Message::Review(access::review_message(body)),
        Body::OpenDataSet(body) => Message::OpenDataSet(research::data_set_message(body)),
        Body::OpenProject(body) => Message::OpenProject(research::project_message(body)),
        Body::ReserveBudget(body) => Message::ReserveBudget(research::reserve_message(body)),
        Body::SpendBudget(body) => Message::SpendBudget(research::spend_message(body)),
    }
}

fn body(message: proto::entry::Body, suite: Suite) -> Result<Body, EntryError> {
    use proto::entry::Body as Message;
    Ok(match message {
        Message::Genesis(body) => Body::Genesis(founding::genesis(&body)?),
        Message::RegisterSchema(body) => Body::RegisterSchema(RegisterSchema { schema: body.schema }),
        Message::RegisterVerifyingKey(body) => Body::RegisterVerifyingKey(RegisterVerifyingKey {
            statement: parse(&body.statement, "register_verifying_key.statement")?,
            key_id: KeyId::new(fixed(&body.key_id, "register_verifying_key.key_id")?),
            development: body.development,
        }),
        Message::Commit(body) => {
            let parsed = body.commitments.iter().map(|bytes| commitment(bytes, suite, "commit.commitments"));
            Body::Commit(Commit { commitments: parsed.collect::<Result<_, _>>()? })
        }
        Message::Amend(body) => Body::Amend(Amend {
            position: Position::new(body.position),
            old: commitment(&body.old, suite, "amend.old")?,
            new: commitment(&body.new, suite, "amend.new")?,
        }),
        Message::Withdraw(body) => Body::Withdraw(Withdraw {
            position: Position::new(body.position),
            commitment: commitment(&body.commitment, suite, "withdraw.commitment")?,
        }),
        Message::Disclosure(body) => Body::Disclosure(Disclosure {
            commitment: DisclosureCommitment::from_bytes(fixed(&body.commitment, "disclosure.commitment")?),
            purpose: purpose(body.purpose_class, "disclosure.purpose_class")?,
            deadline: time(body.deadline, "disclosure.deadline")?,
        }),
        Message::Grant(body) => Body::Grant(access::grant(&body)?),
        Message::RevokeGrant(body) => Body::RevokeGrant(access::revoke(&body)?),
        Message::KeyRelease(body) => Body::KeyRelease(access::release(&body)?),
        Message::EmergencyAccess(body) => Body::EmergencyAccess(access::emergency(&body)?),
        Message::Review(body) => Body::Review(access::review(&body)?),
        Message::OpenDataSet(body) => Body::OpenDataSet(research::data_set(&body, suite)?),
        Message::OpenProject(body) => Body::OpenProject(research::project(&body)?),
        Message::ReserveBudget(body) => Body::ReserveBudget(research::reserve(&body)?),
        Message::SpendBudget(body) => Body::SpendBudget(research::spend(&body)?),
    })
}
