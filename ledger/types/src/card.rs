//! Cards: what a party shows of itself. Public: a name and two keys.
//! ```text
//! card id = digest(Card, name ‖ signing key ‖ reader key)                            each part behind its length
//! ```
//! A card says nothing about who stands behind it: an institution admits it, after it compared the id by another way.

use core::fmt;

use curve25519_dalek::montgomery::MontgomeryPoint;
use serde::{Deserialize, Serialize};
use vouchsafe_circuits::tags::{Domain, digest};

use crate::ids::{CardId, parse_hex};
use crate::signing::PublicKey;

/// The version of the card's form.
pub const CARD_VERSION: u32 = 1;

/// Why a card or a part of it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// A name that cannot be compared by eye, or too long.
    #[error("a party's name has 1 to 64 bytes, no control or direction characters, and no blanks at its ends")]
    Name,
    /// Not an X25519 key, or one with which everybody shares the same secret.
    #[error("a reader key is an X25519 public key: 64 lower-case hex digits, and not of small order")]
    ReaderKey,
    /// Another version of this form.
    #[error("this program reads cards of version {CARD_VERSION}, not {0}")]
    Version(u32),
}

/// A party's name: 1 to 64 bytes that a person can read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartyName(String);

impl PartyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that are not seen, or turn the others around: two names that look alike must not differ in them.
fn hidden(c: char) -> bool {
    let direction = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control() || direction || matches!(c, '\u{ad}' | '\u{61c}' | '\u{feff}')
}

impl TryFrom<String> for PartyName {
    type Error = CardError;

    fn try_from(text: String) -> Result<Self, CardError> {
        let bounded = (1..=64).contains(&text.len()) && text.trim() == text;
        if bounded && !text.chars().any(hidden) { Ok(Self(text)) } else { Err(CardError::Name) }
    }
}

impl core::str::FromStr for PartyName {
    type Err = CardError;

    fn from_str(text: &str) -> Result<Self, CardError> {
        Self::try_from(text.to_owned())
    }
}

impl From<PartyName> for String {
    fn from(name: PartyName) -> String {
        name.0
    }
}

impl fmt::Display for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An X25519 public key, to which data keys are sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReaderKey([u8; 32]);

impl ReaderKey {
    /// Takes the 32 bytes of a key that is not of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, CardError> {
        // a clamped scalar is a multiple of eight, and takes the points of small order, and no others, to zero
        let shared = MontgomeryPoint(bytes).mul_clamped([0x40; 32]);
        if shared.0 == [0; 32] { Err(CardError::ReaderKey) } else { Ok(Self(bytes)) }
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<String> for ReaderKey {
    type Error = CardError;

    fn try_from(text: String) -> Result<Self, CardError> {
        Self::from_bytes(parse_hex(&text).ok_or(CardError::ReaderKey)?)
    }
}

impl From<ReaderKey> for String {
    fn from(key: ReaderKey) -> String {
        hex::encode(key.0)
    }
}

impl fmt::Display for ReaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ReaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReaderKey({self})")
    }
}

/// What a party shows of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// [`CARD_VERSION`].
    pub version: u32,
    /// Its name, in its own words.
    pub name: PartyName,
    /// The key that signs its calls.
    pub signing: PublicKey,
    /// The key to which data keys are sealed for it.
    pub reader: ReaderKey,
}

impl Card {
    /// The card of a name and two keys.
    pub fn new(name: PartyName, signing: PublicKey, reader: ReaderKey) -> Self {
        Self { version: CARD_VERSION, name, signing, reader }
    }

    /// Checks what the types of the fields do not.
    pub fn check(&self) -> Result<(), CardError> {
        if self.version == CARD_VERSION { Ok(()) } else { Err(CardError::Version(self.version)) }
    }

    /// The card's id; another name or key gives another.
    pub fn id(&self) -> CardId {
        let parts: [&[u8]; 3] = [self.name.as_str().as_bytes(), self.signing.as_bytes(), self.reader.as_bytes()];
        CardId::from_bytes(digest(Domain::Card, &parts))
    }
}
