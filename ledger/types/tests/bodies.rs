//! Entries of every kind, at random.

use proptest::prelude::*;
use vouchsafe_circuits::tree::Position;
use vouchsafe_circuits::{Commitment, Fe, SchemaId};
use vouchsafe_ledger_types::entry::{
    Amend, Body, Commit, Disclosure, EmergencyAccess, Genesis, Grant, KeyRelease, OpenDataSet, OpenProject,
    PurposeClass, RegisterSchema, RegisterVerifyingKey, ReserveBudget, Review, RevokeGrant, SpendBudget, Withdraw,
};
use vouchsafe_ledger_types::ids::{
    DataSetId, DisclosureCommitment, EmergencyId, EntryId, GrantCommitment, GrantId, KeyId, ProjectCommitment,
    ProjectId, QueryCommitment, ReservationId, ReviewCommitment, RuleSetDigest,
};
use vouchsafe_ledger_types::units::{BlockTime, MicroEpsilon};

use crate::entries::genesis;

pub type Bytes = [u8; 32];

pub fn arb_fe() -> impl Strategy<Value = Fe> {
    any::<[u8; 31]>().prop_map(|bytes| Fe::from_be_31(&bytes))
}

/// Zero is left out of an encoding, so it must be common.
pub fn arb_time() -> impl Strategy<Value = BlockTime> {
    prop_oneof![Just(0), 0..253_402_300_800u64].prop_map(|seconds| BlockTime::from_unix(seconds).unwrap())
}

pub fn arb_amount() -> impl Strategy<Value = MicroEpsilon> {
    prop_oneof![Just(0), any::<u64>()].prop_map(MicroEpsilon::new)
}

pub fn arb_entry_id() -> impl Strategy<Value = EntryId> {
    any::<Bytes>().prop_map(EntryId::from_bytes)
}

pub fn arb_purpose() -> impl Strategy<Value = PurposeClass> {
    prop::sample::select(vec!["TREAT", "ETREAT", "HPAYMT", "HRESCH", "anything"]).prop_map(PurposeClass::of_code)
}

/// 1 to 16 schemas, ascending.
pub fn arb_schemas() -> impl Strategy<Value = Vec<SchemaId>> {
    let schemas = prop::collection::btree_set(arb_fe(), 1..=16);
    schemas.prop_map(|schemas| schemas.into_iter().map(SchemaId::new).collect())
}

fn arb_records() -> impl Strategy<Value = Body> {
    let commitment = || arb_fe().prop_map(Commitment::new);
    let position = || any::<u32>().prop_map(Position::new);
    prop_oneof![
        any::<bool>().prop_map(|development| Body::Genesis(Genesis { development, ..genesis() })),
        prop::collection::vec(any::<u8>(), 1..99).prop_map(|schema| Body::RegisterSchema(RegisterSchema { schema })),
        (any::<Bytes>(), any::<bool>()).prop_map(|(id, development)| {
            let statement = "fact-1".parse().unwrap();
            Body::RegisterVerifyingKey(RegisterVerifyingKey { statement, key_id: KeyId::new(id), development })
        }),
        prop::collection::vec(commitment(), 0..9).prop_map(|commitments| Body::Commit(Commit { commitments })),
        (position(), commitment(), commitment()).prop_map(|(position, old, new)| Body::Amend(Amend {
            position,
            old,
            new
        })),
        (position(), commitment()).prop_map(|(position, commitment)| Body::Withdraw(Withdraw { position, commitment })),
    ]
}

fn arb_access() -> impl Strategy<Value = Body> {
    let disclosure = || any::<Bytes>().prop_map(DisclosureCommitment::from_bytes);
    prop_oneof![
        (disclosure(), arb_purpose(), arb_time())
            .prop_map(|(commitment, purpose, deadline)| Body::Disclosure(Disclosure { commitment, purpose, deadline })),
        (any::<Bytes>(), arb_purpose(), arb_time()).prop_map(|(bytes, purpose, until)| {
            Body::Grant(Grant { commitment: GrantCommitment::from_bytes(bytes), purpose, until })
        }),
        arb_entry_id().prop_map(|id| Body::RevokeGrant(RevokeGrant { grant: GrantId::of(id) })),
        (arb_entry_id(), disclosure(), arb_purpose(), arb_time()).prop_map(|(id, commitment, purpose, deadline)| {
            Body::KeyRelease(KeyRelease { grant: GrantId::of(id), commitment, purpose, deadline })
        }),
        (disclosure(), arb_time(), arb_time(), arb_time()).prop_map(
            |(commitment, released_at, review_by, deadline)| {
                Body::EmergencyAccess(EmergencyAccess { commitment, released_at, review_by, deadline })
            }
        ),
        (arb_entry_id(), any::<Bytes>()).prop_map(|(id, bytes)| {
            let commitment = ReviewCommitment::from_bytes(bytes);
            Body::Review(Review { emergency: EmergencyId::of(id), commitment })
        }),
    ]
}

fn arb_research() -> impl Strategy<Value = Body> {
    let project = (any::<[Bytes; 3]>(), arb_purpose(), any::<u32>(), arb_amount(), arb_time());
    prop_oneof![
        (arb_schemas(), arb_amount()).prop_map(|(schemas, budget)| {
            Body::OpenDataSet(OpenDataSet { name: "all-of.it".parse().unwrap(), schemas, budget })
        }),
        project.prop_map(|([commitment, data_set, rule_set], purpose, threshold, budget, until)| {
            Body::OpenProject(OpenProject {
                commitment: ProjectCommitment::from_bytes(commitment),
                data_set: DataSetId::from_bytes(data_set),
                purpose,
                rule_set: RuleSetDigest::from_bytes(rule_set),
                threshold,
                budget,
                until,
            })
        }),
        (arb_entry_id(), any::<Bytes>(), arb_amount()).prop_map(|(id, query, amount)| {
            let query = QueryCommitment::from_bytes(query);
            Body::ReserveBudget(ReserveBudget { project: ProjectId::of(id), query, amount })
        }),
        arb_entry_id().prop_map(|id| Body::SpendBudget(SpendBudget { reservation: ReservationId::of(id) })),
    ]
}

/// An entry's body of any kind.
pub fn arb_body() -> impl Strategy<Value = Body> {
    prop_oneof![arb_records(), arb_access(), arb_research()]
}
