//! Each rule of the state machine, by the code it refuses with; and that a refusal changes nothing but the burnt id.

mod access;
mod research;

use vouchsafe_circuits::schema::builtin;
use vouchsafe_circuits::tree::Position;
use vouchsafe_ledger::memory::MemoryState;
use vouchsafe_ledger::state::StateRead;
use vouchsafe_ledger::state_machine::{Applied, ApplyError, Block};
use vouchsafe_ledger_types::entry::{
    Body, Disclosure, PurposeClass, RegisterSchema, RegisterVerifyingKey, SignedEntry, VerifiedEntry,
};
use vouchsafe_ledger_types::ids::{DisclosureCommitment, EntryId, KeyId};
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode};
use vouchsafe_ledger_types::state_value::{AnchorState, MemberStatus};
use vouchsafe_ledger_types::units::{BlockTime, Height};

use crate::world::{Hand, amend, at, auditor, chain, clinic, commit, commitment, disclosure, genesis_with, hospital};
use crate::world::{parameters, withdraw};

struct World {
    state: MemoryState,
    height: u64,
    time: BlockTime,
}

impl World {
    fn new() -> Self {
        Self::with(true)
    }

    fn with(development: bool) -> Self {
        let mut world = Self { state: MemoryState::default(), height: 0, time: at(0) };
        world.block(vec![genesis_with(parameters(), development).verify(&chain()).unwrap()]);
        world
    }

    fn block(&mut self, entries: Vec<VerifiedEntry>) -> Applied {
        self.height += 1;
        let block = Block { height: Height::new(self.height), time: self.time, entries };
        self.state.advance(&block).unwrap().0
    }

    /// An entry that expires an hour after the world's time.
    fn write(&self, hand: &Hand, nonce: u64, body: Body) -> VerifiedEntry {
        let entry = hand.entry(nonce, self.time.plus_seconds(3600).unwrap(), body);
        SignedEntry::sign(entry, &[&hand.key]).unwrap().verify(&chain()).unwrap()
    }

    fn one(&mut self, entry: VerifiedEntry) -> Receipt {
        self.block(vec![entry]).receipts[0]
    }

    fn code(&mut self, hand: &Hand, nonce: u64, body: Body) -> ReceiptCode {
        self.one(self.write(hand, nonce, body)).code
    }

    /// An entry that is accepted; its id.
    fn accepted(&mut self, hand: &Hand, nonce: u64, body: Body) -> EntryId {
        let receipt = self.one(self.write(hand, nonce, body));
        assert_eq!(receipt.code, ReceiptCode::Accepted);
        receipt.entry
    }

    /// The codes of entries in one block.
    fn codes(&mut self, entries: Vec<VerifiedEntry>) -> Vec<ReceiptCode> {
        self.block(entries).receipts.iter().map(|receipt| receipt.code).collect()
    }

    fn suspend(&mut self, hand: &Hand) {
        let set = self.set(hand);
        self.state.dangerous_set(hand.id(), &AnchorState { status: MemberStatus::Suspended, ..set });
    }

    fn set(&self, hand: &Hand) -> AnchorState {
        self.state.value(hand.id()).unwrap().unwrap()
    }
}

/// Asserts that an entry is refused with a code, and changes nothing else.
fn refused(world: &mut World, hand: &Hand, nonce: u64, body: Body, code: ReceiptCode) {
    let sets = [hospital(), clinic()].map(|hand| world.set(&hand));
    let applied = world.block(vec![world.write(hand, nonce, body)]);
    assert_eq!(applied.receipts[0].code, code);
    assert_eq!((applied.receipts[0].first_position, applied.receipts[0].positions), (0, 0));
    assert_eq!(applied.values.len(), 1, "only the tip");
    assert!(applied.set_nodes.is_empty() && applied.positions.is_empty());
    assert_eq!(applied.burnt.len(), 1);
    assert_eq!([hospital(), clinic()].map(|hand| world.set(&hand)), sets);
}

#[test]
fn commit_amend_withdraw() {
    let mut world = World::new();
    let receipt = world.one(hospital().verified(1, commit([10, 11, 12])));
    assert_eq!((receipt.code, receipt.first_position, receipt.positions), (ReceiptCode::Accepted, 0, 3));
    let before = world.set(&hospital());
    assert_eq!((before.next_position, before.active), (3, 3));
    let receipt = world.one(hospital().verified(2, amend(1, 11, 20)));
    assert_eq!((receipt.code, receipt.first_position, receipt.positions), (ReceiptCode::Accepted, 3, 1));
    assert_eq!((world.set(&hospital()).next_position, world.set(&hospital()).active), (4, 3));
    assert_eq!(world.code(&hospital(), 3, withdraw(3, 20)), ReceiptCode::Accepted);
    assert_eq!((world.set(&hospital()).next_position, world.set(&hospital()).active), (4, 2));
    assert_ne!(world.set(&hospital()).anchor, before.anchor);
    let leaf = |n| world.state.leaf(hospital().id(), Position::new(n)).unwrap();
    assert_eq!([leaf(0), leaf(2)], [commitment(10).fe(), commitment(12).fe()]);
    assert!(leaf(1).is_zero() && leaf(3).is_zero());
    // Another member's set is untouched, and may hold a copy of the same commitment.
    assert_eq!(world.set(&clinic()).next_position, 0);
    assert_eq!(world.code(&clinic(), 4, commit([10])), ReceiptCode::Accepted);
}

#[test]
fn only_in_its_own_set() {
    let mut world = World::new();
    world.code(&hospital(), 1, commit([10]));
    refused(&mut world, &clinic(), 2, withdraw(0, 10), ReceiptCode::UnknownPosition);
    world.code(&clinic(), 3, commit([30]));
    refused(&mut world, &clinic(), 4, withdraw(0, 10), ReceiptCode::NotActive);
    refused(&mut world, &clinic(), 5, amend(0, 10, 31), ReceiptCode::NotActive);
}

#[test]
fn what_is_gone_stays_gone() {
    let mut world = World::new();
    world.code(&hospital(), 1, commit([10, 11]));
    world.code(&hospital(), 2, withdraw(0, 10));
    refused(&mut world, &hospital(), 3, withdraw(0, 10), ReceiptCode::NotActive);
    refused(&mut world, &hospital(), 4, amend(0, 10, 12), ReceiptCode::NotActive);
    refused(&mut world, &hospital(), 5, withdraw(0, 0), ReceiptCode::ZeroCommitment);
    refused(&mut world, &hospital(), 6, withdraw(1, 12), ReceiptCode::NotActive);
    refused(&mut world, &hospital(), 7, withdraw(2, 12), ReceiptCode::UnknownPosition);
    refused(&mut world, &hospital(), 8, commit([10]), ReceiptCode::DuplicateCommitment);
    refused(&mut world, &hospital(), 9, amend(1, 11, 10), ReceiptCode::DuplicateCommitment);
    refused(&mut world, &hospital(), 10, amend(1, 11, 11), ReceiptCode::DuplicateCommitment);
    refused(&mut world, &hospital(), 11, amend(1, 11, 0), ReceiptCode::ZeroCommitment);
}

#[test]
fn batches() {
    let mut world = World::new();
    refused(&mut world, &hospital(), 1, commit([]), ReceiptCode::BatchSize);
    refused(&mut world, &hospital(), 2, commit(1..=101), ReceiptCode::BatchSize);
    refused(&mut world, &hospital(), 3, commit([5, 0, 6]), ReceiptCode::ZeroCommitment);
    refused(&mut world, &hospital(), 4, commit([5, 6, 5]), ReceiptCode::DuplicateCommitment);
    assert_eq!(world.code(&hospital(), 5, commit(1..=100)), ReceiptCode::Accepted);
    // Two entries of one block see each other.
    let entries = vec![hospital().verified(6, commit([200])), hospital().verified(7, commit([200]))];
    let codes: Vec<_> = world.block(entries).receipts.iter().map(|receipt| receipt.code).collect();
    assert_eq!(codes, [ReceiptCode::Accepted, ReceiptCode::DuplicateCommitment]);
    let entries = vec![hospital().verified(8, commit([300])), hospital().verified(9, withdraw(101, 300))];
    assert!(world.block(entries).receipts.iter().all(|receipt| receipt.code.is_accepted()));
}

#[test]
fn a_full_set() {
    let mut world = World::new();
    let set = world.set(&hospital());
    world.state.dangerous_set(hospital().id(), &AnchorState { next_position: (1 << 32) - 1, ..set });
    refused(&mut world, &hospital(), 1, commit([5, 6]), ReceiptCode::SetFull);
    let receipt = world.one(hospital().verified(2, commit([5])));
    assert_eq!((receipt.code, receipt.first_position), (ReceiptCode::Accepted, u32::MAX));
    refused(&mut world, &hospital(), 3, amend(u32::MAX, 5, 6), ReceiptCode::SetFull);
    assert_eq!(world.code(&hospital(), 4, withdraw(u32::MAX, 5)), ReceiptCode::Accepted);
}

#[test]
fn roles_and_suspension() {
    let mut world = World::new();
    let schema = || Body::RegisterSchema(RegisterSchema { schema: builtin::patient().to_bytes() });
    refused(&mut world, &auditor(), 1, commit([1]), ReceiptCode::MissingRole);
    refused(&mut world, &auditor(), 2, withdraw(0, 1), ReceiptCode::MissingRole);
    refused(&mut world, &clinic(), 3, schema(), ReceiptCode::MissingRole);
    world.code(&hospital(), 4, commit([1, 2]));
    let set = world.set(&hospital());
    world.state.dangerous_set(hospital().id(), &AnchorState { status: MemberStatus::Suspended, ..set });
    refused(&mut world, &hospital(), 5, commit([3]), ReceiptCode::Suspended);
    refused(&mut world, &hospital(), 6, amend(0, 1, 3), ReceiptCode::Suspended);
    refused(&mut world, &hospital(), 7, schema(), ReceiptCode::Suspended);
    assert_eq!(world.code(&hospital(), 8, withdraw(0, 1)), ReceiptCode::Accepted);
    assert_eq!(world.set(&hospital()).status, MemberStatus::Suspended);
    assert_eq!(world.code(&hospital(), 9, disclosure(1)), ReceiptCode::Accepted);
}

#[test]
fn the_registry() {
    let mut world = World::with(false);
    let schema = |bytes: &[u8]| Body::RegisterSchema(RegisterSchema { schema: bytes.to_vec() });
    let bytes = builtin::patient().to_bytes();
    refused(&mut world, &hospital(), 1, schema(&bytes[1..]), ReceiptCode::InvalidSchema);
    assert_eq!(world.code(&hospital(), 2, schema(&bytes)), ReceiptCode::Accepted);
    refused(&mut world, &hospital(), 3, schema(&bytes), ReceiptCode::DuplicateSchema);
    let key = |development| {
        let key_id = KeyId::new([7; 32]);
        Body::RegisterVerifyingKey(RegisterVerifyingKey { statement: "fact-1".parse().unwrap(), key_id, development })
    };
    refused(&mut world, &hospital(), 4, key(true), ReceiptCode::DevelopmentKey);
    assert_eq!(world.code(&hospital(), 5, key(false)), ReceiptCode::Accepted);
    refused(&mut world, &hospital(), 6, key(false), ReceiptCode::DuplicateVerifyingKey);
    let mut world = World::with(true);
    assert_eq!(world.code(&hospital(), 4, key(true)), ReceiptCode::Accepted);
}

#[test]
fn disclosures_and_a_second_genesis() {
    let mut world = World::new();
    let late = Disclosure {
        commitment: DisclosureCommitment::from_bytes([1; 32]),
        purpose: PurposeClass::Research,
        deadline: at(0),
    };
    refused(&mut world, &hospital(), 1, Body::Disclosure(late), ReceiptCode::DeadlinePassed);
    assert_eq!(world.code(&auditor(), 2, disclosure(1)), ReceiptCode::Accepted);
    let again = genesis_with(parameters(), false).verify(&chain()).unwrap();
    assert_eq!(world.one(again).code, ReceiptCode::NotGenesis);
}

/// What is not admitted gets a receipt in a foreign block, and burns no id.
#[test]
fn admission() {
    let mut world = World::new();
    let signed = |hand: &Hand, seconds| {
        let entry = hand.entry(1, at(seconds), commit([1]));
        SignedEntry::sign(entry, &[&hand.key]).unwrap().verify(&chain()).unwrap()
    };
    let stranger = Hand::new("stranger", 7);
    let forger = Hand { key: stranger.key.clone(), ..hospital() };
    for (entry, code) in [
        (signed(&hospital(), 0), ReceiptCode::Expired),
        (signed(&hospital(), 7201), ReceiptCode::ExpiryTooFar),
        (signed(&stranger, 60), ReceiptCode::UnknownMember),
        (signed(&forger, 60), ReceiptCode::UnknownKey),
    ] {
        let applied = world.block(vec![entry]);
        assert_eq!(applied.receipts[0].code, code);
        assert!(applied.burnt.is_empty());
    }
    assert_eq!(world.one(signed(&hospital(), 7200)).code, ReceiptCode::Accepted);
    assert_eq!(world.one(signed(&hospital(), 7200)).code, ReceiptCode::Replayed);
}

/// A refused entry is burnt too: what it wished for may become possible, and it must not come true then.
#[test]
fn ids_are_burnt_until_they_expire() {
    let mut world = World::new();
    let early = hospital().verified(1, withdraw(0, 10));
    assert_eq!(world.one(early.clone()).code, ReceiptCode::UnknownPosition);
    world.one(hospital().verified(2, commit([10])));
    assert_eq!(world.one(early.clone()).code, ReceiptCode::Replayed);
    assert_eq!(world.state.burnt_ids(), 3);
    world.time = at(3599);
    assert_eq!(world.one(early.clone()).code, ReceiptCode::Replayed);
    // The control: the same wish under a new id does come true.
    assert_eq!(world.one(hospital().verified(3, withdraw(0, 10))).code, ReceiptCode::Accepted);
    world.time = at(3600);
    let applied = world.block(vec![early.clone()]);
    assert_eq!(applied.receipts[0].code, ReceiptCode::Expired);
    assert_eq!((applied.forgotten.len(), world.state.burnt_ids()), (4, 0));
}

#[test]
fn blocks_out_of_order_or_too_large() {
    let mut world = World::new();
    let mut advance = |height, time, entries| {
        let block = Block { height: Height::new(height), time: at(time), entries };
        world.state.advance(&block).map(|_| ())
    };
    let entry = |nonce| hospital().verified(nonce, disclosure(1));
    assert!(matches!(advance(3, 0, vec![entry(1)]), Err(ApplyError::Order { .. })));
    assert!(matches!(advance(1, 0, vec![entry(1)]), Err(ApplyError::Order { .. })));
    assert_eq!(advance(2, 10, vec![entry(1)]), Ok(()));
    assert!(matches!(advance(3, 9, vec![entry(2)]), Err(ApplyError::Order { .. })));
    assert_eq!(advance(3, 10, (10..75).map(entry).collect()), Err(ApplyError::TooLarge));
    let mut nothing = MemoryState::default();
    let block = Block { height: Height::new(1), time: at(0), entries: vec![entry(1)] };
    assert!(matches!(nothing.advance(&block), Err(ApplyError::Genesis(_))));
}

/// The same entries give the same seals with one thread and with sixteen.
#[test]
fn threads_do_not_show() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut world = World::new();
            let mut seals = Vec::new();
            for n in 0..6u64 {
                let entries = [hospital(), clinic()].into_iter().flat_map(|hand| {
                    let first = 1000 * n + 1;
                    [hand.verified(2 * n + 1, commit(first..first + 20)), hand.verified(2 * n + 2, disclosure(n as u8))]
                });
                world.height += 1;
                let block = Block { height: Height::new(world.height), time: at(n), entries: entries.collect() };
                seals.push(world.state.advance(&block).unwrap().1);
            }
            seals
        })
    };
    assert_eq!(run(1), run(16));
}
