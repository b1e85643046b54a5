//! Values before and after encoding, and the small types around them.

use serde::{Deserialize, Serialize};

use crate::fe::Fe;
use crate::record::FIELDS;

/// Which of the sixteen fields: 0 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct FieldIndex(u8);

impl FieldIndex {
    /// All sixteen.
    pub fn all() -> impl Iterator<Item = FieldIndex> {
        (0..FIELDS as u8).map(FieldIndex)
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The number, to index an array of sixteen with.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// The number is above 15.
#[derive(Debug, thiserror::Error)]
#[error("a record has 16 fields, numbered from 0: there is no field {0}")]
pub struct NoSuchField(u8);

impl TryFrom<u8> for FieldIndex {
    type Error = NoSuchField;

    fn try_from(number: u8) -> Result<FieldIndex, NoSuchField> {
        if usize::from(number) < FIELDS { Ok(FieldIndex(number)) } else { Err(NoSuchField(number)) }
    }
}

impl From<FieldIndex> for u8 {
    fn from(field: FieldIndex) -> u8 {
        field.0
    }
}

/// Who may read a field; a higher tier opens the lower ones too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[repr(u8)]
pub enum Tier {
    /// Anybody.
    Public = 0,
    /// The institution's own staff and partners.
    Internal = 1,
    /// De-identified.
    DeIdentified = 2,
    /// Limited: pseudonymised.
    Limited = 3,
    /// Identifying.
    Identifying = 4,
}

impl Tier {
    /// All five, lowest first.
    pub const ALL: [Tier; 5] = [Tier::Public, Tier::Internal, Tier::DeIdentified, Tier::Limited, Tier::Identifying];
}

/// The number is above 4.
#[derive(Debug, thiserror::Error)]
#[error("tiers go from 0 (public) to 4 (identifying): there is no tier {0}")]
pub struct NoSuchTier(u8);

impl TryFrom<u8> for Tier {
    type Error = NoSuchTier;

    fn try_from(number: u8) -> Result<Tier, NoSuchTier> {
        Tier::ALL.get(usize::from(number)).copied().ok_or(NoSuchTier(number))
    }
}

impl From<Tier> for u8 {
    fn from(tier: Tier) -> u8 {
        tier as u8
    }
}

/// A calendar day: days since 1970-01-01, negative before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(i32);

impl Day {
    /// The day with this number.
    pub const fn new(days: i32) -> Day {
        Day(days)
    }

    /// Its number.
    pub const fn get(self) -> i32 {
        self.0
    }
}

/// A value of a field, before encoding.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// A number, in units of the field's scale.
    Integer(i64),
    /// A day.
    Date(Day),
    /// Seconds since 1970-01-01T00:00:00Z.
    Instant(i64),
    /// A code of the field's coding system.
    Code(String),
    /// Text; only its hash is committed to.
    Text(String),
    /// Bytes; only their hash is committed to.
    Bytes(Vec<u8>),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Value") // what a patient's record holds is not for logs
    }
}

/// Why a field has no value. The numbers are final: leaves commit to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Absence {
    /// Not recorded: nobody asked or wrote it down.
    NotAsked = 1,
    /// Not recorded: the test was not made.
    NotTested = 2,
    /// Not recorded: it does not apply.
    NotApplicable = 3,
    /// Unsaid: there is a value and it is withheld.
    Withheld = 4,
    /// Unsaid: the value is less precise than the field.
    Imprecise = 5,
    /// Unsaid: the value could not be mapped to the field.
    Unmapped = 6,
    /// Beyond the schema.
    Unused = 7,
}

impl Absence {
    /// All reasons.
    pub const ALL: [Absence; 7] = [
        Absence::NotAsked,
        Absence::NotTested,
        Absence::NotApplicable,
        Absence::Withheld,
        Absence::Imprecise,
        Absence::Unmapped,
        Absence::Unused,
    ];

    /// Whether there is nothing to know: `absent(f)` holds for these reasons alone.
    pub const fn is_not_recorded(self) -> bool {
        matches!(self, Absence::NotAsked | Absence::NotTested | Absence::NotApplicable)
    }
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldValue {
    /// It has a value.
    Present(Value),
    /// It has none, for this reason.
    Absent(Absence),
}

/// A field as its leaf commits to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum EncodedField {
    /// The encoded value.
    Present(Fe),
    /// The reason why there is none.
    Absent(Absence),
}

impl std::fmt::Debug for EncodedField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EncodedField")
    }
}

/// The days on which a record may be used, both included, as days since 1970-01-01 in 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// The first day.
    pub from: u32,
    /// The last day.
    pub until: u32,
}

impl Validity {
    /// Any day.
    pub const ALWAYS: Validity = Validity { from: 0, until: u32::MAX };

    /// Whether the day lies inside.
    pub const fn holds_on(self, day: u32) -> bool {
        self.from <= day && day <= self.until
    }
}
