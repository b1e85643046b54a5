//! Cards: names that people can compare, keys that keep secrets, one id for each.

use vouchsafe_ledger_types::card::{Card, CardError, PartyName, ReaderKey};
use vouchsafe_ledger_types::signing::SigningKey;

/// A point of large order: the base point of RFC 7748.
fn reader() -> ReaderKey {
    let mut bytes = [0; 32];
    bytes[0] = 9;
    ReaderKey::from_bytes(bytes).unwrap()
}

fn card(name: &str) -> Card {
    Card::new(name.parse().unwrap(), SigningKey::from_seed(&[1; 32]).public(), reader())
}

#[test]
fn names() {
    let long = "a".repeat(64);
    for good in ["Dr. Ada Lovelace", "x", "Müller & Söhne", &long] {
        assert_eq!(good.parse::<PartyName>().unwrap().as_str(), good);
    }
    let longer = "a".repeat(65);
    let bad =
        ["", " ", " a", "a ", "a\nb", "a\0", "\u{7f}", "a\u{202e}b", "a\u{200b}b", "\u{feff}a", "a\u{ad}b", &longer];
    for bad in bad {
        assert_eq!(bad.parse::<PartyName>(), Err(CardError::Name), "{bad:?}");
    }
}

#[test]
fn reader_keys_of_small_order_are_refused() {
    // RFC 7748's list: 0, 1, the two points of order 8, and p-1, p, p+1.
    let small = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for text in small {
        assert_eq!(ReaderKey::try_from(text.to_owned()), Err(CardError::ReaderKey), "{text}");
    }
    let text = String::from(reader());
    assert_eq!(ReaderKey::try_from(text.clone()), Ok(reader()));
    for bad in [&text[1..], &format!("{text}0"), &text.replace('9', "G")] {
        assert_eq!(ReaderKey::try_from(bad.to_owned()), Err(CardError::ReaderKey));
    }
}

#[test]
fn ids_and_json() {
    let card = card("Dr. Ada");
    let json = serde_json::to_string(&card).unwrap();
    assert_eq!(serde_json::from_str::<Card>(&json).unwrap(), card);
    assert!(serde_json::from_str::<Card>(&json.replacen('{', "{\"role\":\"reader\",", 1)).is_err());
    assert!(serde_json::from_str::<Card>(&json.replace("Dr. Ada", "Dr.\\u202eAda")).is_err());
    assert_eq!(card.check(), Ok(()));
    assert_eq!(Card { version: 2, ..card.clone() }.check(), Err(CardError::Version(2)));
    let others = [
        Card { name: "Dr. Bea".parse().unwrap(), ..card.clone() },
        Card { signing: SigningKey::from_seed(&[2; 32]).public(), ..card.clone() },
        Card { reader: ReaderKey::from_bytes([5; 32]).unwrap(), ..card.clone() },
    ];
    for other in others {
        assert_ne!(other.id(), card.id());
    }
    assert_eq!(Card { version: 2, ..card.clone() }.id(), card.id(), "the id is of what a party is, not of a form");
}
