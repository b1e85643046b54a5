//! State values go around through their one encoding, and state keys through their text.

use std::collections::BTreeSet;

use proptest::prelude::*;
use vouchsafe_circuits::{Fe, SchemaId};
use vouchsafe_ledger_types::ids::{
    DataSetId, EmergencyId, EntryId, GrantId, KeyId, MemberId, ProjectId, ReservationId, RuleSetDigest,
};
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_value::{
    DataSetOf, DataSetState, EmergencyState, GrantState, ProjectState, ReservationState, ReviewsDue, StateValue,
};
use vouchsafe_ledger_types::units::{BlockTime, MicroEpsilon};

use crate::bodies::{Bytes, arb_amount, arb_entry_id, arb_purpose, arb_schemas, arb_time};

fn member(name: &str) -> MemberId {
    MemberId::of(&"demo".parse().unwrap(), &name.parse().unwrap())
}

/// Around; and no other bytes decode to anything that encodes to other bytes.
fn around<V: StateValue + PartialEq + std::fmt::Debug>(value: &V, at: usize, bit: u8) {
    let bytes = value.encode();
    assert_eq!(V::decode(&bytes).as_ref(), Ok(value));
    if let Some(at) = at.checked_rem(bytes.len()) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        if let Ok(changed_value) = V::decode(&changed) {
            assert_eq!(changed_value.encode(), changed);
        }
    }
    assert!(V::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_the_door(
        times in (arb_time(), arb_time()),
        purpose in arb_purpose(),
        flag in any::<bool>(),
        ids in prop::collection::btree_set(arb_entry_id(), 0..64),
        at in any::<usize>(),
        bit in 0..8u8,
    ) {
        let member = member("a");
        around(&GrantState { member, purpose, until: times.0, revoked: flag }, at, bit);
        around(&EmergencyState { member, review_by: times.1, reviewed: flag }, at, bit);
        let due: Vec<_> = ids.into_iter().map(|id| (times.0, EmergencyId::of(id))).collect();
        around(&ReviewsDue { due }, at, bit);
    }

    #[test]
    fn of_research(
        schemas in arb_schemas(),
        purpose in arb_purpose(),
        mut amounts in prop::array::uniform3(arb_amount()),
        (id, until, threshold, flag) in (any::<Bytes>(), arb_time(), any::<u32>(), any::<bool>()),
        at in any::<usize>(),
        bit in 0..8u8,
    ) {
        let member = member("a");
        amounts.sort();
        let [spent, reserved, budget] = amounts;
        let data_set = DataSetId::from_bytes(id);
        let name = "all".parse().unwrap();
        around(&DataSetState { member, name, schemas, budget, reserved, spent }, at, bit);
        around(&DataSetOf { data_set }, at, bit);
        let rule_set = RuleSetDigest::from_bytes(id);
        around(&ProjectState { member, data_set, purpose, rule_set, threshold, budget, reserved, until }, at, bit);
        let project = ProjectId::of(EntryId::from_bytes(id));
        around(&ReservationState { project, amount: budget, spent: flag }, at, bit);
    }

    #[test]
    fn any_text_is_a_key_or_none(text in "[a-z]{0,12}(/[0-9a-f]{62,66}){0,3}") {
        if let Ok(key) = text.parse::<StateKey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }
}

#[test]
fn values_that_cannot_be() {
    let id = |byte| EmergencyId::of(EntryId::from_bytes([byte; 32]));
    let at = |seconds| BlockTime::from_unix(seconds).unwrap();
    for due in [vec![(at(2), id(1)), (at(1), id(2))], vec![(at(1), id(1)), (at(1), id(1))]] {
        assert!(ReviewsDue::decode(&ReviewsDue { due }.encode()).is_err());
    }
    let many = (0..65).map(|n| (at(n), id(1))).collect();
    assert!(ReviewsDue::decode(&ReviewsDue { due: many }.encode()).is_err());
    let state = |reserved, spent| DataSetState {
        member: member("a"),
        name: "all".parse().unwrap(),
        schemas: vec![SchemaId::new(Fe::from_u64(1))],
        budget: MicroEpsilon::new(10),
        reserved: MicroEpsilon::new(reserved),
        spent: MicroEpsilon::new(spent),
    };
    for (reserved, spent, may_be) in [(10, 10, true), (10, 0, true), (11, 0, false), (5, 6, false)] {
        assert_eq!(DataSetState::decode(&state(reserved, spent).encode()).is_ok(), may_be);
    }
}

#[test]
fn keys_as_text() {
    let (member, schema) = (member("a"), SchemaId::new(Fe::from_u64(7)));
    let id = EntryId::from_bytes([0xab; 32]);
    let keys = [
        StateKey::Chain,
        StateKey::Tip,
        StateKey::Member(member),
        StateKey::Anchor(member),
        StateKey::Schema(schema),
        StateKey::VerifyingKey(KeyId::new([0xab; 32])),
        StateKey::Grant(GrantId::of(id)),
        StateKey::Emergency(EmergencyId::of(id)),
        StateKey::Reviews(member),
        StateKey::DataSet(DataSetId::from_bytes([0xab; 32])),
        StateKey::DataSetOf(member, schema),
        StateKey::Project(ProjectId::of(id)),
        StateKey::Reservation(ReservationId::of(id)),
    ];
    for key in keys {
        assert_eq!(key.to_string().parse(), Ok(key), "{key}");
        let upper = key.to_string().to_uppercase();
        for bad in [upper, format!("{key}/"), format!("/{key}"), format!(" {key}"), format!("{key}0")] {
            assert!(bad.parse::<StateKey>().is_err(), "{bad}");
        }
    }
    assert_eq!(keys.iter().map(StateKey::to_bytes).collect::<BTreeSet<_>>().len(), keys.len());
    assert_eq!(StateKey::Grant(GrantId::of(id)).to_bytes(), [b"grant/".as_slice(), &[0xab; 32]].concat());
    let text = format!("data-set-of/{member}/{schema}");
    assert_eq!(text.parse(), Ok(StateKey::DataSetOf(member, schema)));
    let long = format!("data-set-of/{}", "0".repeat(1 << 20));
    for bad in ["", "chain/", "tip/00", "anchor", "grant/ab", "unknown/00", "member/ff", &long] {
        assert!(bad.parse::<StateKey>().is_err());
    }
    // 32 bytes that no member id and no schema id can be.
    let large = "f".repeat(64);
    assert!(format!("anchor/{large}").parse::<StateKey>().is_err());
    assert!(format!("schema/{large}").parse::<StateKey>().is_err());
    assert!(format!("grant/{large}").parse::<StateKey>().is_ok());
}
