//! Entries of the one door: grants, releases under them, emergencies and their reviews. All blinded: the ledger sees
//! that something was opened, roughly what for and when, and not for whom or of whom.

use super::PurposeClass;
use crate::ids::{DisclosureCommitment, EmergencyId, GrantCommitment, GrantId, ReviewCommitment};
use crate::units::BlockTime;

/// Gives a reader the right to open records. The grant's id is that of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// To whom and what, blinded.
    pub commitment: GrantCommitment,
    /// Roughly what for.
    pub purpose: PurposeClass,
    /// Until when; from then on nothing is released under it.
    pub until: BlockTime,
}

/// Takes a grant back, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevokeGrant {
    /// The grant.
    pub grant: GrantId,
}

/// Logs that keys will be released under a grant, before they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRelease {
    /// The grant it rests on.
    pub grant: GrantId,
    /// What is opened to whom, blinded.
    pub commitment: DisclosureCommitment,
    /// Roughly what for; the grant's own.
    pub purpose: PurposeClass,
    /// Until when an auditor's wish to open it must be met.
    pub deadline: BlockTime,
}

/// Reports an opening without a grant. The emergency's id is that of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmergencyAccess {
    /// What is opened to whom, blinded.
    pub commitment: DisclosureCommitment,
    /// When the keys were released, by the member's own clock.
    pub released_at: BlockTime,
    /// When it must have been reviewed: otherwise the member releases nothing under grants.
    pub review_by: BlockTime,
    /// Until when an auditor's wish to open it must be met.
    pub deadline: BlockTime,
}

/// Says that somebody at the member looked into an emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// The emergency.
    pub emergency: EmergencyId,
    /// Who looked and what they found, blinded.
    pub commitment: ReviewCommitment,
}
