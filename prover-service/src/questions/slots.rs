//! Slots: the fixed times at which answers leave, whatever they say.
//!
//! ```text
//! asked ──delay──►│ slot │ slot │ slot         slots begin at multiples of the period since 1970
//!                 └ the first one with places: a question takes one for each of its parts; so many in all, so many of one party
//! work of a slot  begins delay before it; each place has its own stretch of that, period / places long
//! ```
//!
//! Slot and stretch are fixed when a question is taken, from what was taken before it; what is found out later does not
//! move them. If the work is not done by then, the answer leaves at the next slot: a stretch must be longer than a proof.

use std::collections::BTreeMap;

use vouchsafe_ledger_types::signing::PublicKey;

use crate::config::QuestionsConfig;

/// A time, in milliseconds since 1970.
pub type Millis = u64;

/// Which slots have places left.
#[derive(Debug)]
pub struct Slots {
    config: QuestionsConfig,
    taken: BTreeMap<Millis, BTreeMap<PublicKey, u32>>,
}

/// A question's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When its answer leaves, at the earliest.
    pub slot_ms: Millis,
    /// When work on it begins, and not before.
    pub start_ms: Millis,
}

/// All slots ahead are full, or this party's places in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// When to come again.
    pub retry_after_ms: Millis,
}

impl Slots {
    /// Slots of which none is taken.
    pub fn new(config: QuestionsConfig) -> Slots {
        Slots { config, taken: BTreeMap::new() }
    }

    /// The first slot that begins at this time or later.
    pub fn at_or_after(&self, time: Millis) -> Millis {
        time.div_ceil(self.config.slot_ms).saturating_mul(self.config.slot_ms)
    }

    /// Takes places for a party's question of so many parts that came now, not further ahead than is configured.
    pub fn take(&mut self, asker: PublicKey, parts: u32, now: Millis) -> Result<Place, Full> {
        self.take_within(asker, parts, now, u64::from(self.config.slots_ahead))
    }

    /// The same, however far ahead: for a question that was taken before and decided now.
    pub fn take_anywhere(&mut self, asker: PublicKey, parts: u32, now: Millis) -> Result<Place, Full> {
        self.take_within(asker, parts, now, u64::from(u32::MAX))
    }

    fn take_within(&mut self, asker: PublicKey, parts: u32, now: Millis, ahead: u64) -> Result<Place, Full> {
        self.taken = self.taken.split_off(&now.saturating_sub(self.config.slot_ms));
        let first = self.at_or_after(now.saturating_add(self.config.delay_ms));
        let (per_slot, per_party) = (self.config.per_slot, self.per_party());
        for slot_ms in (0..ahead).map(|n| first.saturating_add(n.saturating_mul(self.config.slot_ms))) {
            let askers = self.taken.entry(slot_ms).or_default();
            let (all, own) = (askers.values().sum::<u32>(), askers.get(&asker).copied().unwrap_or(0));
            // one that is larger than a share or a slot is taken alone
            let fits = all + parts <= per_slot && (own == 0 || own + parts <= per_party);
            if fits || all == 0 {
                askers.insert(asker, own + parts);
                return Ok(Place { slot_ms, start_ms: self.start_of(slot_ms, all) });
            }
        }
        Err(Full { retry_after_ms: self.config.slot_ms })
    }

    /// Notes places that were given before a restart.
    pub fn given(&mut self, asker: PublicKey, parts: u32, slot: Millis) {
        *self.taken.entry(slot).or_default().entry(asker).or_default() += parts;
    }

    /// How long the work on a question may take before it delays others.
    pub fn stretch(&self, parts: u32) -> Millis {
        (self.config.slot_ms / u64::from(self.config.per_slot)).saturating_mul(u64::from(parts))
    }

    fn start_of(&self, slot_ms: Millis, places_before: u32) -> Millis {
        slot_ms.saturating_sub(self.config.delay_ms).saturating_add(self.stretch(places_before))
    }

    /// One party does not fill the slots of all others.
    fn per_party(&self) -> u32 {
        self.config.per_slot.div_ceil(2)
    }
}

#[cfg(test)]
mod tests {
    use vouchsafe_ledger_types::signing::SigningKey;

    use super::*;

    fn slots() -> (Slots, PublicKey, PublicKey) {
        let config =
            QuestionsConfig { slot_ms: 1000, delay_ms: 1500, per_slot: 3, slots_ahead: 2, ..Default::default() };
        let key = |n| SigningKey::from_seed(&[n; 32]).public();
        (Slots::new(config), key(1), key(2))
    }

    fn slot(taken: Result<Place, Full>) -> Millis {
        taken.unwrap().slot_ms
    }

    #[test]
    fn answers_leave_at_multiples_of_the_period_after_the_delay() {
        let (mut slots, one, _) = slots();
        assert_eq!(slots.take(one, 1, 10_000), Ok(Place { slot_ms: 12_000, start_ms: 10_500 }));
        assert_eq!(slots.take(one, 1, 10_499), Ok(Place { slot_ms: 12_000, start_ms: 10_833 }));
        assert_eq!(slot(slots.take(one, 1, 10_501)), 13_000, "its two places in the slot are taken");
        assert_eq!(slots.at_or_after(12_000), 12_000);
        assert_eq!(slots.at_or_after(12_001), 13_000);
    }

    #[test]
    fn a_party_that_asks_a_lot_leaves_places_to_others() {
        let (mut slots, one, other) = slots();
        let taken: Vec<_> = (0..4).map(|_| slot(slots.take(one, 1, 10_000))).collect();
        assert_eq!(taken, [12_000, 12_000, 13_000, 13_000]);
        assert_eq!(slots.take(one, 1, 10_000), Err(Full { retry_after_ms: 1000 }));
        assert_eq!(slot(slots.take(other, 1, 10_000)), 12_000);
        assert_eq!(slot(slots.take(other, 1, 10_000)), 13_000, "three leave in a slot");
        assert!(slots.take(other, 1, 10_000).is_err());
        assert_eq!(slot(slots.take_anywhere(other, 1, 10_000)), 14_000, "one that was decided is not turned away");
        assert_eq!(slot(slots.take(one, 1, 12_000)), 14_000, "time goes on");
    }

    #[test]
    fn a_question_takes_a_place_for_each_part() {
        let (mut slots, one, other) = slots();
        assert_eq!(slot(slots.take(one, 3, 10_000)), 12_000, "larger than a share, and alone");
        assert_eq!(slot(slots.take(other, 1, 10_000)), 13_000);
        assert!(slots.take(one, 4, 10_000).is_err(), "larger than a slot, and no slot is empty");
        assert_eq!(slot(slots.take(one, 4, 12_000)), 14_000);
        assert_eq!(slots.stretch(3), 999);
    }
}
