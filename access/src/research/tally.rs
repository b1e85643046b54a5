//! Exact counts of subjects: what noise is added to. They never leave this crate without it.
//!
//! ```text
//! count       a subject counts once, if any of its records is in the cohort
//! histogram   a subject falls into the bin of one of its records in the cohort: the one with the smallest
//!             HMAC-SHA256(choice key, commitment), which depends on no value
//! ```
//!
//! Adding or removing one subject with all its records moves one bin by one, so the L1 sensitivity is 1, however many
//! records it has. Not bounded: what changing a subject's records does (one bin less, another more: 2).

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::labels;
use crate::subject::SubjectId;
use crate::vault::RecordId;

/// What decides which of a subject's records speaks for it.
#[derive(Clone)]
pub(super) struct ChoiceKey(pub(super) Zeroizing<[u8; 32]>);

/// Subjects, each in at most one bin.
pub(super) struct Tally {
    key: ChoiceKey,
    bins: usize,
    chosen: BTreeMap<SubjectId, Chosen>,
}

struct Chosen {
    rank: [u8; 32],
    bin: usize,
}

impl Tally {
    pub(super) fn new(key: ChoiceKey, bins: usize) -> Tally {
        Tally { key, bins, chosen: BTreeMap::new() }
    }

    /// A record of the cohort, and the bin that it falls into.
    pub(super) fn add(&mut self, subject: SubjectId, record: RecordId, bin: usize) {
        let new = Chosen { rank: self.rank(record), bin };
        match self.chosen.get_mut(&subject) {
            Some(chosen) if chosen.rank <= new.rank => {}
            Some(chosen) => *chosen = new,
            None => drop(self.chosen.insert(subject, new)),
        }
    }

    /// How many subjects are in each bin.
    pub(super) fn counts(&self) -> Vec<i64> {
        let mut counts = vec![0; self.bins];
        for chosen in self.chosen.values() {
            if let Some(count) = counts.get_mut(chosen.bin) {
                *count += 1;
            }
        }
        counts
    }

    fn rank(&self, record: RecordId) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key.0[..]) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.update(labels::RESEARCH_CHOICE);
        mac.update(record.commitment().fe().as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vouchsafe_circuits::Fe;
    use vouchsafe_circuits::ids::Commitment;

    use super::*;

    fn record(number: u64) -> RecordId {
        RecordId::of(Commitment::new(Fe::from_u64(number)))
    }

    fn counts(rows: &[(u8, u64, usize)]) -> Vec<i64> {
        let mut tally = Tally::new(ChoiceKey(Zeroizing::new([7; 32])), 4);
        for (subject, number, bin) in rows {
            tally.add(SubjectId::from_bytes([*subject; 16]), record(*number), *bin);
        }
        tally.counts()
    }

    #[test]
    fn fifty_records_count_as_one_subject() {
        let others: Vec<_> = (1..20u8).map(|s| (s, u64::from(s), usize::from(s % 4))).collect();
        let mut with = others.clone();
        with.extend((0..50).map(|n| (200, 1000 + n, (n % 4) as usize)));
        let (a, b) = (counts(&others), counts(&with));
        let moved: i64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
        assert_eq!(moved, 1);
        // control: counting records, the same fifty move the counts by fifty
        assert_eq!(with.len() - others.len(), 50);
    }

    #[test]
    fn which_record_speaks_depends_on_no_value() {
        let bins_of = |shift: usize| -> usize {
            let rows: Vec<_> = (0..50).map(|n| (1, n, (n as usize + shift) % 4)).collect();
            counts(&rows).iter().position(|count| *count == 1).unwrap()
        };
        // other values in the same records: the same record speaks, so its bin moves along
        assert!((0..4).all(|shift| bins_of(shift) == (bins_of(0) + shift) % 4));
        // and under other keys other records do
        let chosen: std::collections::BTreeSet<usize> = (0..40)
            .map(|key| {
                let mut tally = Tally::new(ChoiceKey(Zeroizing::new([key; 32])), 50);
                (0..50).for_each(|n| tally.add(SubjectId::from_bytes([1; 16]), record(n), n as usize));
                tally.counts().iter().position(|count| *count == 1).unwrap()
            })
            .collect();
        assert!(chosen.len() > 10);
    }

    proptest! {
        /// Without any one subject, the counts differ by at most one in all.
        #[test]
        fn one_subject_moves_the_counts_by_at_most_one(
            rows in prop::collection::vec((0u8..8, any::<u64>(), 0usize..4), 0..80),
            gone in 0u8..8,
        ) {
            let without: Vec<_> = rows.iter().copied().filter(|(subject, ..)| *subject != gone).collect();
            let (a, b) = (counts(&rows), counts(&without));
            let moved: i64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
            prop_assert_eq!(moved, i64::from(without.len() < rows.len()));
            let mut shuffled = rows.clone();
            shuffled.reverse();
            prop_assert_eq!(counts(&shuffled).iter().sum::<i64>(), a.iter().sum::<i64>());
        }
    }
}
