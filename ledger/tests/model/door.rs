//! Random histories of grants, emergencies and budgets against a plain model; and the same on disk: every seal
//! of RocksDB's ledger is the one of the state in memory, and replaying it from its entries gives it again.

use std::sync::Arc;

use proptest::prelude::*;
use vouchsafe_ledger::memory::MemoryState;
use vouchsafe_ledger::state::StateRead;
use vouchsafe_ledger::state_machine::Block;
use vouchsafe_ledger::{Engine, ManualClock, Options, Solo};
use vouchsafe_ledger_types::entry::{Body, SignedEntry};
use vouchsafe_ledger_types::ids::{DataSetId, EntryId};
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode};
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::state_value::{DataSetState, ReviewsDue};
use vouchsafe_ledger_types::units::Height;

use crate::world::{self, Hand, at, chain, clinic, data_set, genesis, hospital, schemas, validator};

/// What somebody wishes; a number names an earlier wish, of whatever kind, by whomever.
#[derive(Debug, Clone)]
enum Wish {
    Grant(u64),
    Revoke(usize),
    Release(usize),
    Emergency(u64),
    Review(usize),
    Project(usize, u64),
    Reserve(usize, u64),
    Spend(usize),
}

fn arb_wish() -> impl Strategy<Value = Wish> {
    let earlier = 0..24usize;
    prop_oneof![
        2 => (1..300u64).prop_map(Wish::Grant),
        1 => earlier.clone().prop_map(Wish::Revoke),
        3 => earlier.clone().prop_map(Wish::Release),
        1 => (0..300u64).prop_map(Wish::Emergency),
        2 => earlier.clone().prop_map(Wish::Review),
        2 => (0..3usize, 0..14u64).prop_map(|(set, budget)| Wish::Project(set, budget)),
        5 => (earlier.clone(), 0..6u64).prop_map(|(of, amount)| Wish::Reserve(of, amount)),
        3 => earlier.prop_map(Wish::Spend),
    ]
}

/// What an accepted wish made.
#[derive(Debug, Clone)]
enum Made {
    Nothing,
    Grant { until: u64, revoked: bool },
    Emergency { by: u64, reviewed: bool },
    Project { set: usize, left: u64 },
    Reservation { set: usize, amount: u64, spent: bool },
}

/// The hospital's two data sets and the clinic's one.
const BUDGETS: [u64; 3] = [12, 20, 12];

fn sets() -> [DataSetId; 3] {
    [data_set(&hospital(), "one"), data_set(&hospital(), "two"), data_set(&clinic(), "one")]
}

/// The ledger as one would write it down.
#[derive(Debug, Default)]
struct Model {
    made: Vec<(bool, Made)>,
    reserved: [u64; 3],
    spent: [u64; 3],
}

impl Model {
    fn own(&mut self, first: bool, nth: usize) -> Option<&mut Made> {
        self.made.get_mut(nth).filter(|(author, _)| *author == first).map(|(_, made)| made)
    }

    fn overdue(&self, first: bool, now: u64) -> bool {
        let late = |made: &Made| matches!(made, Made::Emergency { by, reviewed: false } if *by <= now);
        self.made.iter().any(|(author, made)| *author == first && late(made))
    }

    fn apply(&mut self, first: bool, wish: &Wish, now: u64) -> ReceiptCode {
        let (code, made) = match wish {
            Wish::Grant(until) if *until <= now => (ReceiptCode::GrantEnded, Made::Nothing),
            Wish::Grant(until) => (ReceiptCode::Accepted, Made::Grant { until: *until, revoked: false }),
            Wish::Revoke(nth) => (self.revoke(first, *nth), Made::Nothing),
            Wish::Release(nth) => (self.release(first, *nth, now), Made::Nothing),
            Wish::Emergency(0) => (ReceiptCode::ReviewTime, Made::Nothing),
            Wish::Emergency(by) => (ReceiptCode::Accepted, Made::Emergency { by: *by, reviewed: false }),
            Wish::Review(nth) => (self.review(first, *nth), Made::Nothing),
            Wish::Project(set, _) if (*set < 2) != first => (ReceiptCode::UnknownDataSet, Made::Nothing),
            Wish::Project(_, 0) => (ReceiptCode::BudgetRange, Made::Nothing),
            Wish::Project(set, budget) => (ReceiptCode::Accepted, Made::Project { set: *set, left: *budget }),
            Wish::Reserve(nth, amount) => self.reserve(first, *nth, *amount),
            Wish::Spend(nth) => (self.spend(first, *nth), Made::Nothing),
        };
        self.made.push((first, made));
        code
    }

    fn revoke(&mut self, first: bool, nth: usize) -> ReceiptCode {
        match self.own(first, nth) {
            Some(Made::Grant { revoked: true, .. }) => ReceiptCode::GrantRevoked,
            Some(Made::Grant { revoked, .. }) => {
                *revoked = true;
                ReceiptCode::Accepted
            }
            _ => ReceiptCode::UnknownGrant,
        }
    }

    fn release(&mut self, first: bool, nth: usize, now: u64) -> ReceiptCode {
        let overdue = self.overdue(first, now);
        match self.own(first, nth) {
            Some(Made::Grant { revoked: true, .. }) => ReceiptCode::GrantRevoked,
            Some(Made::Grant { until, .. }) if *until <= now => ReceiptCode::GrantEnded,
            Some(Made::Grant { .. }) if overdue => ReceiptCode::ReviewOverdue,
            Some(Made::Grant { .. }) => ReceiptCode::Accepted,
            _ => ReceiptCode::UnknownGrant,
        }
    }

    fn review(&mut self, first: bool, nth: usize) -> ReceiptCode {
        match self.own(first, nth) {
            Some(Made::Emergency { reviewed: true, .. }) => ReceiptCode::AlreadyReviewed,
            Some(Made::Emergency { reviewed, .. }) => {
                *reviewed = true;
                ReceiptCode::Accepted
            }
            _ => ReceiptCode::UnknownEmergency,
        }
    }

    fn reserve(&mut self, first: bool, nth: usize, amount: u64) -> (ReceiptCode, Made) {
        let reserved = self.reserved;
        let Some(Made::Project { set, left }) = self.own(first, nth) else {
            return (ReceiptCode::UnknownProject, Made::Nothing);
        };
        if amount == 0 {
            return (ReceiptCode::BudgetRange, Made::Nothing);
        }
        let set = *set;
        if amount > *left || amount > BUDGETS[set] - reserved[set] {
            return (ReceiptCode::BudgetExhausted, Made::Nothing);
        }
        *left -= amount;
        self.reserved[set] += amount;
        (ReceiptCode::Accepted, Made::Reservation { set, amount, spent: false })
    }

    fn spend(&mut self, first: bool, nth: usize) -> ReceiptCode {
        let Some(Made::Reservation { set, amount, spent }) = self.own(first, nth) else {
            return ReceiptCode::UnknownReservation;
        };
        if *spent {
            return ReceiptCode::AlreadySpent;
        }
        *spent = true;
        let (set, amount) = (*set, *amount);
        self.spent[set] += amount;
        ReceiptCode::Accepted
    }

    /// When the reviews are due that a member still owes, in order.
    fn due(&self, first: bool) -> Vec<u64> {
        let waits = |(author, made): &(bool, Made)| match made {
            Made::Emergency { by, reviewed: false } if *author == first => Some(*by),
            _ => None,
        };
        let mut due: Vec<u64> = self.made.iter().filter_map(waits).collect();
        due.sort_unstable();
        due
    }
}

fn hand(first: bool) -> Hand {
    if first { hospital() } else { clinic() }
}

fn body(wish: &Wish, ids: &[EntryId]) -> Body {
    let id = |nth: &usize| ids.get(*nth).copied().unwrap_or(EntryId::from_bytes([0xee; 32]));
    match wish {
        Wish::Grant(until) => world::grant(at(*until)),
        Wish::Revoke(nth) => world::revoke(id(nth)),
        Wish::Release(nth) => world::release(id(nth)),
        Wish::Emergency(by) => world::emergency(at(0), at(*by)),
        Wish::Review(nth) => world::review(id(nth)),
        Wish::Project(set, budget) => world::open_project(sets()[*set], *budget),
        Wish::Reserve(nth, amount) => world::reserve(id(nth), *amount),
        Wish::Spend(nth) => world::spend(id(nth)),
    }
}

/// The blocks after the genesis: schemas and data sets, then the wishes, so many in a block.
fn blocks(wishes: &[(bool, Wish)], size: usize) -> Vec<Vec<SignedEntry>> {
    let all = schemas();
    let mut setup: Vec<_> = (1000..).zip(&all).map(|(n, schema)| hospital().sign(n, world::register(schema))).collect();
    setup.push(hospital().sign(1010, world::open_data_set("one", &all[..1], BUDGETS[0])));
    setup.push(hospital().sign(1011, world::open_data_set("two", &all[1..], BUDGETS[1])));
    setup.push(clinic().sign(1012, world::open_data_set("one", &all[..2], BUDGETS[2])));
    let mut ids = Vec::new();
    let mut entries = Vec::new();
    for (nonce, (first, wish)) in (1..).zip(wishes) {
        let entry = hand(*first).sign(nonce, body(wish, &ids));
        ids.push(entry.id());
        entries.push(entry);
    }
    let mut blocks = vec![setup];
    blocks.extend(entries.chunks(size).map(<[SignedEntry]>::to_vec));
    blocks
}

/// The time of a block, in seconds since the start.
fn seconds(nth: usize) -> u64 {
    10 * nth as u64
}

fn in_memory(blocks: &[Vec<SignedEntry>]) -> (MemoryState, Vec<Receipt>, Vec<Seal>) {
    let mut state = MemoryState::default();
    let (mut receipts, mut seals) = (Vec::new(), Vec::new());
    for (height, entries) in (1..).zip(std::iter::once(&vec![genesis()]).chain(blocks)) {
        let entries = entries.iter().map(|entry| entry.clone().verify(&chain()).unwrap()).collect();
        let time = at(seconds(height as usize - 1));
        let (applied, seal) = state.advance(&Block { height: Height::new(height), time, entries }).unwrap();
        receipts.extend(applied.receipts);
        seals.push(seal);
    }
    (state, receipts, seals)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn grants_emergencies_budgets(wishes in prop::collection::vec((any::<bool>(), arb_wish()), 1..60), size in 1..20usize) {
        let blocks = blocks(&wishes, size);
        let (state, receipts, _) = in_memory(&blocks);
        let (setup, receipts) = receipts.split_at(1 + blocks[0].len());
        prop_assert!(setup.iter().all(|receipt| receipt.code.is_accepted()));
        let mut model = Model::default();
        for (nth, (receipt, (first, wish))) in receipts.iter().zip(&wishes).enumerate() {
            let now = seconds(2 + nth / size);
            prop_assert_eq!(receipt.code, model.apply(*first, wish, now), "{:?} at {}", wish, now);
        }
        for (nth, id) in sets().into_iter().enumerate() {
            let set: DataSetState = state.value(id).unwrap().unwrap();
            prop_assert_eq!((set.reserved.get(), set.spent.get()), (model.reserved[nth], model.spent[nth]));
        }
        for first in [true, false] {
            let due: ReviewsDue = state.value(hand(first).id()).unwrap().unwrap_or_default();
            let due: Vec<u64> = due.due.iter().map(|(by, _)| by.unix() - at(0).unix()).collect();
            prop_assert_eq!(due, model.due(first));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_disk_and_replay_agree(wishes in prop::collection::vec((any::<bool>(), arb_wish()), 1..40), size in 1..20usize) {
        let blocks = blocks(&wishes, size);
        let (_, receipts, seals) = in_memory(&blocks);
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(at(0)));
        let options = Options::default();
        let ledger = Solo::create(dir.path(), genesis(), validator(), clock.clone(), options.clone()).unwrap();
        let mut found = vec![receipts[0]];
        for (nth, entries) in (1..).zip(&blocks) {
            clock.set(at(seconds(nth)));
            found.extend(ledger.submit(entries.clone()).unwrap());
        }
        prop_assert_eq!(&found, &receipts);
        drop(ledger);
        let ledger = Solo::open(dir.path(), validator(), clock, options).unwrap();
        let snapshot = ledger.snapshot().unwrap();
        prop_assert_eq!(snapshot.height().get(), seals.len() as u64);
        for seal in &seals {
            prop_assert_eq!(snapshot.seal_at(seal.height).unwrap(), *seal);
        }
        let audited = vouchsafe_ledger::audit::audit(&snapshot).unwrap();
        prop_assert_eq!(audited.entries, receipts.len() as u64);
    }
}
