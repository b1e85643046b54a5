//! What the state knows of grants and emergencies.

use crate::entry::PurposeClass;
use crate::ids::{EmergencyId, MemberId};
use crate::units::BlockTime;

/// A grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantState {
    /// Who gave it.
    pub member: MemberId,
    /// Roughly what for.
    pub purpose: PurposeClass,
    /// Until when.
    pub until: BlockTime,
    /// Whether it was taken back.
    pub revoked: bool,
}

/// An emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmergencyState {
    /// Who reported it.
    pub member: MemberId,
    /// When it must have been reviewed.
    pub review_by: BlockTime,
    /// Whether it was.
    pub reviewed: bool,
}

/// The emergencies of a member that wait for their review.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReviewsDue {
    /// By when, and which; ascending, at most [`ReviewsDue::MAX`].
    pub due: Vec<(BlockTime, EmergencyId)>,
}

impl ReviewsDue {
    /// How many may wait.
    pub const MAX: usize = 64;

    /// Whether one should have been reviewed by this time.
    pub fn overdue(&self, now: BlockTime) -> bool {
        self.due.first().is_some_and(|(review_by, _)| *review_by <= now)
    }

    /// With one more; none if too many wait already.
    pub fn with(mut self, review_by: BlockTime, emergency: EmergencyId) -> Option<Self> {
        if self.due.len() >= Self::MAX {
            return None;
        }
        self.due.push((review_by, emergency));
        self.due.sort_unstable();
        Some(self)
    }

    /// Without this one.
    pub fn without(mut self, emergency: EmergencyId) -> Self {
        self.due.retain(|(_, other)| *other != emergency);
        self
    }
}
