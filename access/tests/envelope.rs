//! Envelopes: both keys are needed, keys open downwards only, and nothing can be moved to another place.

use vouchsafe_access::aead::{CipherSuite, DataKey};
use vouchsafe_access::envelope::{Binding, EnvelopeError, HeaderPayload, Part, SealedPart, TierPayload, Wrap};
use vouchsafe_access::ladder::{Epoch, EraseKey, HolderKey};
use vouchsafe_access::secret::EpochSecret;
use vouchsafe_circuits::record::{FieldIndex, FieldValue, Header, Tier, Validity, Value};
use vouchsafe_circuits::{Blinding, Commitment, Fe, SaltSeed, SchemaId, SubjectKey, Suite};

use crate::support::rng;

struct Sealed {
    binding: Binding,
    holder: HolderKey,
    erase: EraseKey,
    part: SealedPart,
    wrap: Wrap,
    key: DataKey,
}

fn binding(commitment: u64) -> Binding {
    Binding {
        cipher: CipherSuite::Aes256,
        proof: Suite::Bn254,
        commitment: Commitment::new(Fe::from_u64(commitment)),
        schema: SchemaId::new(Fe::from_u64(1)),
    }
}

fn payload() -> TierPayload {
    let field = FieldIndex::try_from(3).unwrap();
    TierPayload { seed: SaltSeed::new([9; 32]), fields: vec![(field, FieldValue::Present(Value::Integer(42)))] }
}

fn sealed(tier: Tier) -> Sealed {
    let mut rng = rng(40);
    let (binding, erase) = (binding(100), EraseKey::random(&mut rng));
    let holder = HolderKey::of_epoch(Epoch::FIRST, &EpochSecret::random(&mut rng));
    let (part, key) = SealedPart::seal_tier(&binding, tier, &payload(), &mut rng);
    let wrap = Wrap::of_tier(&binding, &holder.tier(tier), &erase, &key, &mut rng);
    Sealed { binding, holder, erase, part, wrap, key }
}

#[test]
fn both_keys_open_and_one_does_not() {
    let s = sealed(Tier::DeIdentified);
    let tier_key = s.holder.tier(Tier::DeIdentified);
    let key = s.wrap.open_with_tier_key(&s.binding, &tier_key, &s.erase).unwrap();
    assert_eq!(s.part.open_tier(&s.binding, &key).unwrap().fields, payload().fields);

    let destroyed = EraseKey::new([0; 32]);
    let e = s.wrap.open_with_tier_key(&s.binding, &tier_key, &destroyed).unwrap_err();
    assert_eq!(e, EnvelopeError::Wrap(Part::Tier(Tier::DeIdentified)));
    let another = EraseKey::random(&mut rng(41));
    assert!(s.wrap.open_with_holder_key(&s.binding, &s.holder, &another).is_err());
}

#[test]
fn a_higher_tier_opens_and_a_lower_one_does_not() {
    for sealed_for in Tier::ALL {
        let s = sealed(sealed_for);
        for given in Tier::ALL {
            let opened = s.wrap.open_with_tier_key(&s.binding, &s.holder.tier(given), &s.erase);
            if given >= sealed_for {
                assert!(opened.unwrap() == s.key);
            } else {
                let wanted = EnvelopeError::TierTooLow { has: given, needs: Part::Tier(sealed_for) };
                assert_eq!(opened.unwrap_err(), wanted);
            }
        }
    }
}

#[test]
fn the_header_opens_for_the_holder_alone() {
    let mut rng = rng(42);
    let s = sealed(Tier::Identifying);
    let header = Header {
        subject_key: SubjectKey::new(Fe::from_u64(5)).unwrap(),
        valid: Validity::ALWAYS,
        blinding: Blinding::new(Fe::from_u64(6)),
    };
    let (part, key) = SealedPart::seal_header(&s.binding, &HeaderPayload(header), &mut rng);
    let wrap = Wrap::of_header(&s.binding, &s.holder, &s.erase, &key, &mut rng);
    let key = wrap.open_with_holder_key(&s.binding, &s.holder, &s.erase).unwrap();
    assert_eq!(part.open_header(&s.binding, &key).unwrap().0.subject_key.fe(), Fe::from_u64(5));
    let top = s.holder.tier(Tier::Identifying);
    assert!(matches!(
        wrap.open_with_tier_key(&s.binding, &top, &s.erase),
        Err(EnvelopeError::TierTooLow { has: Tier::Identifying, needs: Part::Header })
    ));
}

#[test]
fn another_epoch_does_not_open() {
    let mut rng = rng(43);
    let s = sealed(Tier::Limited);
    for other in [
        HolderKey::of_epoch(Epoch::new(1), &EpochSecret::random(&mut rng)),
        HolderKey::of_epoch(Epoch::FIRST, &EpochSecret::random(&mut rng)),
    ] {
        let e = s.wrap.open_with_holder_key(&s.binding, &other, &s.erase).unwrap_err();
        assert!(matches!(e, EnvelopeError::OtherKey { .. }), "{e}");
    }
}

/// Every part of the binding, changed alone, keeps both the wrap and the part shut.
#[test]
fn nothing_opens_under_another_binding() {
    let s = sealed(Tier::Limited);
    let right = s.wrap.open_with_holder_key(&s.binding, &s.holder, &s.erase).unwrap();
    assert!(s.part.open_tier(&s.binding, &right).is_ok(), "control: unchanged, it opens");
    let others =
        [("commitment", binding(101)), ("schema", Binding { schema: SchemaId::new(Fe::from_u64(2)), ..s.binding })];
    for (what, other) in others {
        assert!(s.wrap.open_with_holder_key(&other, &s.holder, &s.erase).is_err(), "wrap: {what}");
        assert!(s.part.open_tier(&other, &right).is_err(), "part: {what}");
    }
}

/// A part of one tier, shown as another's, does not open even with the right data key.
#[test]
fn a_part_cannot_change_its_tier() {
    let mut rng = rng(44);
    let s = sealed(Tier::Internal);
    let (other, _) = SealedPart::seal_tier(&s.binding, Tier::Limited, &payload(), &mut rng);
    assert!(other.open_tier(&s.binding, &s.key).is_err(), "another part's key");
    assert!(s.part.open_header(&s.binding, &s.key).is_err(), "a tier is no header");
    assert!(s.part.open_tier(&s.binding, &s.key).is_ok(), "control");
}
