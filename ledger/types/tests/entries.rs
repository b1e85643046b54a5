//! Entries go around through their one encoding; everything else is refused.

use proptest::prelude::*;
use vouchsafe_circuits::{Commitment, Fe, SchemaId, Suite};
use vouchsafe_ledger_types::entry::{
    Body, Commit, ENTRY_BYTES_MAX, Entry, EntryError, FoundingMember, Genesis, Header, Nonce, OpenDataSet, Parameters,
    RegisterSchema, Role, SignedEntry, Validator,
};
use vouchsafe_ledger_types::ids::{ChainId, MemberId};
use vouchsafe_ledger_types::signing::{Algorithm, SigningKey};
use vouchsafe_ledger_types::units::{BlockTime, MicroEpsilon};

use crate::bodies::arb_body;

const S: Suite = Suite::Bn254;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn chain() -> ChainId {
    "demo".parse().unwrap()
}

fn entry(body: Body) -> Entry {
    let header = Header {
        chain: chain(),
        member: MemberId::of(&chain(), &"hospital-a".parse().unwrap()),
        signer: key(1).public(),
        algorithm: Algorithm::Ed25519,
        expiry: BlockTime::from_unix(1_700_000_000).unwrap(),
        nonce: Nonce::new([5; 16]),
    };
    Entry { header, body }
}

fn signed(body: Body) -> SignedEntry {
    SignedEntry::sign(entry(body), &[&key(1)]).unwrap()
}

fn commit(numbers: &[u64]) -> Body {
    Body::Commit(Commit { commitments: numbers.iter().map(|n| Commitment::new(Fe::from_u64(*n))).collect() })
}

pub fn genesis() -> Genesis {
    let founder = |name: &str, seed| FoundingMember {
        name: name.parse().unwrap(),
        roles: vec![Role::Issuer, Role::Registrar],
        keys: vec![key(seed).public()],
    };
    Genesis {
        suite: S,
        development: true,
        members: vec![founder("hospital-a", 1), founder("clinic-b", 2)],
        validators: vec![Validator { name: "solo".parse().unwrap(), key: key(9).public(), power: 1 }],
        parameters: Parameters::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn around(body in arb_body()) {
        let signed = signed(body);
        let bytes = signed.encode();
        let decoded = SignedEntry::decode(&bytes, S).unwrap();
        prop_assert_eq!(&decoded, &signed);
        prop_assert_eq!(decoded.id(), signed.id());
        prop_assert_eq!(decoded.encode(), bytes);
    }

    /// Whatever decodes, encodes to the same bytes; and no bit can be changed without a new id or a broken signature.
    #[test]
    fn changed_bytes(body in arb_body(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let signed = signed(body);
        let mut bytes = signed.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = SignedEntry::decode(&bytes, S) {
            prop_assert_eq!(changed.encode(), bytes);
            prop_assert!(changed.verify(&chain()).is_err());
        }
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = SignedEntry::decode(&bytes, S);
        let _ = Entry::decode(&bytes, S);
    }
}

/// A protobuf field with these bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(number < 16 && bytes.len() < 128);
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

fn header_bytes() -> Vec<u8> {
    let bytes = entry(commit(&[])).encode();
    bytes[..2 + usize::from(bytes[1])].to_vec()
}

#[test]
fn not_canonical() {
    let header = header_bytes();
    let element = |last: u8| [[0; 31].as_slice(), &[last]].concat();
    let commit = |commitments: &[u8]| field(5, commitments);
    let good = [header.clone(), commit(&field(1, &element(1)))].concat();
    assert!(Entry::decode(&good, S).is_ok());
    let cases: [(&str, Vec<u8>); 9] = [
        ("trailing bytes", [good.clone(), vec![0]].concat()),
        ("an unknown field", [good.clone(), field(15, b"x")].concat()),
        (
            "an unknown inner field",
            [header.clone(), commit(&[field(1, &element(1)), field(2, b"x")].concat())].concat(),
        ),
        ("body before header", [commit(&field(1, &element(1))), header.clone()].concat()),
        ("two bodies", [good.clone(), field(7, &[])].concat()),
        ("the header twice", [header.clone(), good.clone()].concat()),
        ("a long length", [header.clone(), vec![5 << 3 | 2, 0x80, 0]].concat()),
        ("a default written out", [header.clone(), field(7, &[8, 0])].concat()),
        ("cut short", good[..good.len() - 1].to_vec()),
    ];
    for (what, bytes) in cases {
        let error = Entry::decode(&bytes, S).unwrap_err();
        assert!(matches!(error, EntryError::NotCanonical | EntryError::NotProtobuf(_)), "{what}: {error:?}");
    }
}

#[test]
fn impossible_fields() {
    let header = header_bytes();
    let modulus = hex::decode("010000f093f5e1439170b97948e833285d588181b64550b829a031e1724e6430").unwrap();
    let withdraw = |commitment: &[u8]| field(7, &field(2, commitment));
    let disclosure = |fields: &[Vec<u8>]| field(8, &fields.concat());
    let data_set = |fields: &[Vec<u8>]| field(14, &[&[field(1, b"a")], fields].concat().concat());
    let cases: [(&str, Vec<u8>); 16] = [
        ("grant.commitment", field(9, &field(1, &[1; 31]))),
        ("grant.purpose_class", field(9, &field(1, &[1; 32]))),
        ("revoke_grant.grant", field(10, &field(1, &[1; 33]))),
        ("key_release.grant", field(11, &[])),
        ("review.commitment", field(13, &field(1, &[1; 32]))),
        ("open_data_set.schemas", data_set(&[])),
        ("open_data_set.schemas", data_set(&[field(2, &modulus)])),
        ("open_data_set.name", field(14, &field(1, b"A name"))),
        ("commit.commitments", field(5, &field(1, &modulus))),
        ("commit.commitments", field(5, &field(1, &[0xff; 32]))),
        ("withdraw.commitment", withdraw(&[0; 31])),
        ("withdraw.commitment", withdraw(&[0; 33])),
        ("disclosure.commitment", disclosure(&[field(1, &[1; 31])])),
        ("disclosure.purpose_class", disclosure(&[field(1, &[1; 32]), vec![2 << 3, 99]])),
        ("register_schema.schema", field(3, &[])),
        ("body", Vec::new()),
    ];
    for (name, body) in cases {
        let error = Entry::decode(&[header.clone(), body].concat(), S).unwrap_err();
        assert!(matches!(error, EntryError::Field { field, .. } if field == name), "{name}: {error:?}");
    }
    // Each part of the header: one bit of it makes another one, or none.
    let long = SignedEntry::decode(&vec![0; ENTRY_BYTES_MAX + 1], S);
    assert_eq!(long, Err(EntryError::TooLong));
    let huge = Body::RegisterSchema(RegisterSchema { schema: vec![1; ENTRY_BYTES_MAX] });
    assert_eq!(SignedEntry::sign(entry(huge), &[&key(1)]), Err(EntryError::TooLong));
}

/// 1 to 16 schemas, ascending: when it is written as when it is read.
#[test]
fn schemas_of_a_data_set() {
    let body = |numbers: &[u64]| {
        let schemas = numbers.iter().map(|n| SchemaId::new(Fe::from_u64(*n))).collect();
        Body::OpenDataSet(OpenDataSet { name: "all".parse().unwrap(), schemas, budget: MicroEpsilon::new(1) })
    };
    let many: Vec<u64> = (1..=17).collect();
    for bad in [&[][..], &[2, 1], &[1, 1], &[1, 2, 2], &many] {
        let refused = |error: &EntryError| matches!(error, EntryError::Field { field: "open_data_set.schemas", .. });
        assert!(refused(&SignedEntry::sign(entry(body(bad)), &[&key(1)]).unwrap_err()), "{bad:?}");
        assert!(refused(&Entry::decode(&entry(body(bad)).encode(), S).unwrap_err()), "{bad:?}");
    }
    for good in [&[1][..], &[1, 2], &many[..16]] {
        assert!(SignedEntry::decode(&signed(body(good)).encode(), S).is_ok());
    }
}

#[test]
fn genesis_rules() {
    let sign = |genesis: Genesis| SignedEntry::sign(entry(Body::Genesis(genesis)), &[&key(1), &key(2)]);
    assert!(sign(genesis()).unwrap().verify(&chain()).is_ok());
    let broken: [fn(&mut Genesis); 10] = [
        |genesis| genesis.members.clear(),
        |genesis| genesis.validators.clear(),
        |genesis| genesis.members[1].name = "hospital-a".parse().unwrap(),
        |genesis| genesis.members[1].keys = vec![key(1).public()],
        |genesis| genesis.members[1].keys.clear(),
        |genesis| genesis.members[0].roles.reverse(),
        |genesis| genesis.validators[0].power = 0,
        |genesis| genesis.parameters.block_bytes_max = 1000,
        |genesis| genesis.parameters.expiry_horizon_seconds = u64::MAX,
        |genesis| genesis.parameters.entry_commitments_max = 0,
    ];
    for (nth, spoil) in broken.iter().enumerate() {
        let mut genesis = genesis();
        spoil(&mut genesis);
        assert!(matches!(sign(genesis), Err(EntryError::Field { .. })), "{nth}");
    }
    // All founders sign, in order, and the header is the first one's.
    let verify = |keys: &[&SigningKey]| {
        SignedEntry::sign(entry(Body::Genesis(genesis())), keys).unwrap().verify(&chain()).map(|_| ())
    };
    assert_eq!(verify(&[&key(1)]), Err(EntryError::SignatureCount { needed: 2 }));
    assert_eq!(verify(&[&key(1), &key(3)]), Err(EntryError::BadSignature(1)));
    assert_eq!(verify(&[&key(2), &key(1)]), Err(EntryError::BadSignature(0)));
    let mut other = genesis();
    other.members.reverse();
    let other = SignedEntry::sign(entry(Body::Genesis(other)), &[&key(2), &key(1)]).unwrap().verify(&chain());
    assert!(matches!(other, Err(EntryError::Field { .. })));
}

/// A signature is for one chain: the same bytes on another one do not verify, even if the header were ignored.
#[test]
fn signatures_are_for_one_chain_and_one_domain() {
    let here = signed(commit(&[1]));
    assert_eq!(here.clone().verify(&"other".parse().unwrap()), Err(EntryError::WrongChain(chain())));
    // Control: the bare bytes are not what was signed.
    let bare = key(1).sign(&here.entry().encode());
    let spliced = here.encode();
    let at = spliced.len() - 64;
    let forged = [&spliced[..at], bare.as_bytes()].concat();
    let forged = SignedEntry::decode(&forged, S).unwrap();
    assert_eq!(forged.id(), here.id());
    assert_eq!(forged.verify(&chain()), Err(EntryError::BadSignature(0)));
    assert!(here.verify(&chain()).is_ok());
}
