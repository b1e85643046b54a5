//! Random histories against a plain model: the same codes, the same positions, the same anchors; and however they are
//! cut into blocks, the same active sets.

mod door;

use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;
use vouchsafe_circuits::tree::{self, Position};
use vouchsafe_circuits::{Fe, Suite};
use vouchsafe_ledger::memory::MemoryState;
use vouchsafe_ledger::state::StateRead;
use vouchsafe_ledger::state_machine::Block;
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode};
use vouchsafe_ledger_types::state_value::AnchorState;
use vouchsafe_ledger_types::units::Height;

use crate::world::{Hand, amend, at, chain, clinic, commit, genesis, hospital, withdraw};

#[derive(Debug, Clone)]
enum Wish {
    Commit(Vec<u64>),
    Amend(u32, u64, u64),
    Withdraw(u32, u64),
}

fn arb_wish() -> impl Strategy<Value = Wish> {
    // Few values, so that duplicates, hits and misses are common.
    let value = 0..14u64;
    prop_oneof![
        3 => prop::collection::vec(value.clone(), 0..4).prop_map(Wish::Commit),
        2 => (0..10u32, value.clone(), value.clone()).prop_map(|(at, old, new)| Wish::Amend(at, old, new)),
        2 => (0..10u32, value).prop_map(|(at, old)| Wish::Withdraw(at, old)),
    ]
}

/// One member's set, as one would write it down.
#[derive(Default)]
struct Model {
    placed: Vec<u64>,
    active: Vec<bool>,
}

impl Model {
    fn append(&mut self, values: &[u64]) -> ReceiptCode {
        let mut seen = self.placed.clone();
        for value in values {
            if *value == 0 {
                return ReceiptCode::ZeroCommitment;
            }
            if seen.contains(value) {
                return ReceiptCode::DuplicateCommitment;
            }
            seen.push(*value);
        }
        self.placed = seen;
        self.active.resize(self.placed.len(), true);
        ReceiptCode::Accepted
    }

    fn check(&self, at: u32, old: u64) -> ReceiptCode {
        match self.placed.get(at as usize) {
            _ if old == 0 => ReceiptCode::ZeroCommitment,
            None => ReceiptCode::UnknownPosition,
            Some(value) if *value == old && self.active[at as usize] => ReceiptCode::Accepted,
            Some(_) => ReceiptCode::NotActive,
        }
    }

    fn apply(&mut self, wish: &Wish) -> ReceiptCode {
        match wish {
            Wish::Commit(values) if values.is_empty() => ReceiptCode::BatchSize,
            Wish::Commit(values) => self.append(values),
            Wish::Amend(at, old, new) => {
                let mut code = self.check(*at, *old);
                if code.is_accepted() {
                    code = self.append(&[*new]);
                }
                if code.is_accepted() {
                    self.active[*at as usize] = false;
                }
                code
            }
            Wish::Withdraw(at, old) => {
                let code = self.check(*at, *old);
                if code.is_accepted() {
                    self.active[*at as usize] = false;
                }
                code
            }
        }
    }

    fn anchor(&self) -> vouchsafe_circuits::Anchor {
        let leaf = |(value, active): (&u64, &bool)| if *active { Fe::from_u64(*value) } else { Fe::ZERO };
        let leaves = self.placed.iter().zip(&self.active).map(leaf);
        let leaves: Vec<_> = (0..).map(Position::new).zip(leaves).collect();
        tree::update::<Infallible>(Suite::Bn254, &|_| Ok(None), &leaves).unwrap().root
    }
}

/// Runs a history in blocks of a size; the receipts and the two sets it ends with.
fn run(wishes: &[(bool, Wish)], size: usize) -> (Vec<Receipt>, [AnchorState; 2]) {
    let mut state = MemoryState::default();
    let mut receipts = Vec::new();
    let block = |height, entries| Block { height: Height::new(height), time: at(0), entries };
    state.advance(&block(1, vec![genesis().verify(&chain()).unwrap()])).unwrap();
    let entries: Vec<_> = (1..)
        .zip(wishes)
        .map(|(nonce, (first, wish))| {
            let hand: Hand = if *first { hospital() } else { clinic() };
            hand.verified(
                nonce,
                match wish {
                    Wish::Commit(values) => commit(values.iter().copied()),
                    Wish::Amend(at, old, new) => amend(*at, *old, *new),
                    Wish::Withdraw(at, old) => withdraw(*at, *old),
                },
            )
        })
        .collect();
    for (height, entries) in (2..).zip(entries.chunks(size)) {
        receipts.extend(state.advance(&block(height, entries.to_vec())).unwrap().0.receipts);
    }
    let sets = [hospital(), clinic()].map(|hand| state.value(hand.id()).unwrap().unwrap());
    (receipts, sets)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn histories(wishes in prop::collection::vec((any::<bool>(), arb_wish()), 1..60), size in 1..20usize) {
        let (receipts, sets) = run(&wishes, size);
        let mut models: BTreeMap<bool, Model> = BTreeMap::from([(true, Model::default()), (false, Model::default())]);
        for (receipt, (first, wish)) in receipts.iter().zip(&wishes) {
            let model = models.get_mut(first).unwrap();
            let next = model.placed.len() as u32;
            prop_assert_eq!(receipt.code, model.apply(wish), "{:?}", wish);
            let appended = model.placed.len() as u32 - next;
            prop_assert_eq!(receipt.positions, appended);
            prop_assert_eq!(receipt.first_position, if appended > 0 { next } else { 0 });
        }
        for (set, first) in sets.iter().zip([true, false]) {
            let model = &models[&first];
            prop_assert_eq!(set.anchor, model.anchor());
            prop_assert_eq!(set.next_position, model.placed.len() as u64);
            prop_assert_eq!(set.active, model.active.iter().filter(|active| **active).count() as u64);
        }
        let (_, other) = run(&wishes, 64);
        prop_assert_eq!(sets, other);
    }
}
