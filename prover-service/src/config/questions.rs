//! How questions asked online are answered: slots, and how long a person has.

use serde::Deserialize;

use super::LimitsError;

/// The slots at which answers leave. A proof, with the search before it, must take less than `slot_ms / per_slot`: else answers
/// slip to later slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuestionsConfig {
    /// How far apart slots are.
    pub slot_ms: u64,
    /// How long after a question its slot is, at least.
    pub delay_ms: u64,
    /// How many parts are answered in a slot.
    pub per_slot: u32,
    /// How many slots ahead places are given away.
    pub slots_ahead: u32,
    /// How many questions of one party are kept, answered or not.
    pub held_per_party: u32,
    /// How many questions of one party may wait for a person.
    pub inbox_per_party: u32,
    /// How long a person may take to decide.
    pub decide_within_seconds: u64,
    /// How long an answer can be fetched after the question's end.
    pub keep_seconds: u64,
    /// Answers leave when they are made, and nothing is made for a refusal: whoever has a clock sees which is which. For
    /// the control of a test; no file can set it.
    #[serde(skip)]
    pub dangerous_without_slots: bool,
}

impl Default for QuestionsConfig {
    fn default() -> Self {
        QuestionsConfig {
            slot_ms: 4_000,
            delay_ms: 6_000,
            per_slot: 4,
            slots_ahead: 60,
            held_per_party: 10_000,
            inbox_per_party: 100,
            decide_within_seconds: 3 * 86_400,
            keep_seconds: 86_400,
            dangerous_without_slots: false,
        }
    }
}

impl QuestionsConfig {
    /// Whether these can be.
    pub(super) fn check(&self) -> Result<(), LimitsError> {
        let bounds = [
            ("questions.slot_ms", self.slot_ms, 10, 3_600_000),
            ("questions.delay_ms", self.delay_ms, 10, 3_600_000),
            ("questions.per_slot", u64::from(self.per_slot), 1, 1_000),
            ("questions.slots_ahead", u64::from(self.slots_ahead), 1, 100_000),
            ("questions.held_per_party", u64::from(self.held_per_party), 1, 10_000_000),
            ("questions.inbox_per_party", u64::from(self.inbox_per_party), 1, 100_000),
            ("questions.decide_within_seconds", self.decide_within_seconds, 1, 366 * 86_400),
            ("questions.keep_seconds", self.keep_seconds, 600, 366 * 86_400),
        ];
        bounds.into_iter().try_for_each(|(name, value, least, most)| LimitsError::within(name, value, least, most))
    }
}
