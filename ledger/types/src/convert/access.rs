//! Grants, releases, emergencies and reviews, and what the state knows of them, to and from their messages.

use prost::Message;

use super::state::StateMessage;
use super::{canonical, entry_id, fixed, member, purpose, refused, time};
use crate::entry::{EmergencyAccess, EntryError, Grant, KeyRelease, Review, RevokeGrant};
use crate::ids::{DisclosureCommitment, EmergencyId, GrantCommitment, GrantId, ReviewCommitment};
use crate::proto;
use crate::state_value::{EmergencyState, GrantState, ReviewsDue};

pub(super) fn grant_message(body: &Grant) -> proto::Grant {
    proto::Grant {
        commitment: body.commitment.as_bytes().to_vec(),
        purpose_class: body.purpose.code(),
        until: body.until.unix(),
    }
}

pub(super) fn grant(message: &proto::Grant) -> Result<Grant, EntryError> {
    Ok(Grant {
        commitment: GrantCommitment::from_bytes(fixed(&message.commitment, "grant.commitment")?),
        purpose: purpose(message.purpose_class, "grant.purpose_class")?,
        until: time(message.until, "grant.until")?,
    })
}

pub(super) fn revoke_message(body: &RevokeGrant) -> proto::RevokeGrant {
    proto::RevokeGrant { grant: body.grant.as_bytes().to_vec() }
}

pub(super) fn revoke(message: &proto::RevokeGrant) -> Result<RevokeGrant, EntryError> {
    Ok(RevokeGrant { grant: GrantId::of(entry_id(&message.grant, "revoke_grant.grant")?) })
}

pub(super) fn release_message(body: &KeyRelease) -> proto::KeyRelease {
    proto::KeyRelease {
        grant: body.grant.as_bytes().to_vec(),
        commitment: body.commitment.as_bytes().to_vec(),
        purpose_class: body.purpose.code(),
        deadline: body.deadline.unix(),
    }
}

pub(super) fn release(message: &proto::KeyRelease) -> Result<KeyRelease, EntryError> {
    Ok(KeyRelease {
        grant: GrantId::of(entry_id(&message.grant, "key_release.grant")?),
        commitment: DisclosureCommitment::from_bytes(fixed(&message.commitment, "key_release.commitment")?),
        purpose: purpose(message.purpose_class, "key_release.purpose_class")?,
        deadline: time(message.deadline, "key_release.deadline")?,
    })
}

pub(super) fn emergency_message(body: &EmergencyAccess) -> proto::EmergencyAccess {
    proto::EmergencyAccess {
        commitment: body.commitment.as_bytes().to_vec(),
        released_at: body.released_at.unix(),
        review_by: body.review_by.unix(),
        deadline: body.deadline.unix(),
    }
}

pub(super) fn emergency(message: &proto::EmergencyAccess) -> Result<EmergencyAccess, EntryError> {
    Ok(EmergencyAccess {
        commitment: DisclosureCommitment::from_bytes(fixed(&message.commitment, "emergency_access.commitment")?),
        released_at: time(message.released_at, "emergency_access.released_at")?,
        review_by: time(message.review_by, "emergency_access.review_by")?,
        deadline: time(message.deadline, "emergency_access.deadline")?,
    })
}

pub(super) fn review_message(body: &Review) -> proto::Review {
    proto::Review { emergency: body.emergency.as_bytes().to_vec(), commitment: body.commitment.as_bytes().to_vec() }
}

pub(super) fn review(message: &proto::Review) -> Result<Review, EntryError> {
    Ok(Review {
        emergency: EmergencyId::of(entry_id(&message.emergency, "review.emergency")?),
        commitment: ReviewCommitment::from_bytes(fixed(&message.commitment, "review.commitment")?),
    })
}

impl StateMessage for GrantState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::GrantState {
            member: self.member.to_bytes().to_vec(),
            purpose_class: self.purpose.code(),
            until: self.until.unix(),
            revoked: self.revoked,
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::GrantState = canonical(bytes)?;
        Ok(Self {
            member: member(&message.member, "member")?,
            purpose: purpose(message.purpose_class, "purpose_class")?,
            until: time(message.until, "until")?,
            revoked: message.revoked,
        })
    }
}

impl StateMessage for EmergencyState {
    fn to_bytes(&self) -> Vec<u8> {
        proto::EmergencyState {
            member: self.member.to_bytes().to_vec(),
            review_by: self.review_by.unix(),
            reviewed: self.reviewed,
        }
        .encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::EmergencyState = canonical(bytes)?;
        Ok(Self {
            member: member(&message.member, "member")?,
            review_by: time(message.review_by, "review_by")?,
            reviewed: message.reviewed,
        })
    }
}

impl StateMessage for ReviewsDue {
    fn to_bytes(&self) -> Vec<u8> {
        let due = self.due.iter().map(|(review_by, emergency)| proto::ReviewDue {
            review_by: review_by.unix(),
            emergency: emergency.as_bytes().to_vec(),
        });
        proto::ReviewsDue { due: due.collect() }.encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let message: proto::ReviewsDue = canonical(bytes)?;
        let due = message.due.iter().map(|due| {
            let emergency = EmergencyId::of(entry_id(&due.emergency, "due.emergency")?);
            Ok((time(due.review_by, "due.review_by")?, emergency))
        });
        let due = due.collect::<Result<Vec<_>, EntryError>>()?;
        if due.len() > Self::MAX || due.iter().zip(due.iter().skip(1)).any(|(one, next)| one >= next) {
            return Err(refused("due", format!("must be at most {}, ascending", Self::MAX)));
        }
        Ok(Self { due })
    }
}
