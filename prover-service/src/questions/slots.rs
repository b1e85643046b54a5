//! Slots: the fixed times at which answers leave, whatever they say.
//!
//! ```text
//! asked ──delay──►│ slot │ slot │ slot         slots begin at multiples of the period since 1970
//!                 └ the first one with a place: so many answers leave in each, so many of one party
//! ```
//!
//! A question's slot is fixed when it is taken, from how many were taken before it; what is found out later does not
//! move it. If the work is not done by then, it leaves at the next slot. The delay must be longer than the work.

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

    /// Takes a place for a party's question that came now.
    pub fn take(&mut self, asker: PublicKey, now: Millis) -> Result<Millis, Full> {
        self.taken = self.taken.split_off(&now.saturating_sub(self.config.slot_ms));
        let first = self.at_or_after(now.saturating_add(self.config.delay_ms));
        let slots = (0..u64::from(self.config.slots_ahead)).map(|n| first + n * self.config.slot_ms);
        let (per_slot, per_party) = (self.config.per_slot, self.per_party());
        for slot in slots {
            let askers = self.taken.entry(slot).or_default();
            let (all, own) = (askers.values().sum::<u32>(), askers.get(&asker).copied().unwrap_or(0));
            if all < per_slot && own < per_party {
                askers.insert(asker, own + 1);
                return Ok(slot);
            }
        }
        Err(Full { retry_after_ms: self.config.slot_ms })
    }

    /// Notes a place that was given before a restart.
    pub fn given(&mut self, asker: PublicKey, slot: Millis) {
        *self.taken.entry(slot).or_default().entry(asker).or_default() += 1;
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

    #[test]
    fn answers_leave_at_multiples_of_the_period_after_the_delay() {
        let (mut slots, one, _) = slots();
        assert_eq!(slots.take(one, 10_000), Ok(12_000));
        assert_eq!(slots.take(one, 10_499), Ok(12_000));
        assert_eq!(slots.take(one, 10_501), Ok(13_000), "its two places in the slot are taken");
        assert_eq!(slots.at_or_after(12_000), 12_000);
        assert_eq!(slots.at_or_after(12_001), 13_000);
    }

    #[test]
    fn a_party_that_asks_a_lot_leaves_places_to_others() {
        let (mut slots, one, other) = slots();
        let taken: Vec<_> = (0..5).map(|_| slots.take(one, 10_000)).collect();
        assert_eq!(taken[..4], [Ok(12_000), Ok(12_000), Ok(13_000), Ok(13_000)]);
        assert_eq!(taken[4], Err(Full { retry_after_ms: 1000 }));
        assert_eq!(slots.take(other, 10_000), Ok(12_000));
        assert_eq!(slots.take(other, 10_000), Ok(13_000), "three leave in a slot");
        assert!(slots.take(other, 10_000).is_err());
        assert_eq!(slots.take(one, 12_000), Ok(14_000), "time goes on");
    }

    #[test]
    fn places_given_before_a_restart_are_taken() {
        let (mut slots, one, other) = slots();
        slots.given(one, 12_000);
        slots.given(one, 12_000);
        assert_eq!(slots.take(one, 10_000), Ok(13_000));
        assert_eq!(slots.take(other, 10_000), Ok(12_000));
        assert_eq!(slots.take(other, 10_000), Ok(13_000), "three leave in a slot");
    }
}
