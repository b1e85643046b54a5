//! Names and digests: chains, members, entries, keys, roots.
//!
//! Digests are 32 bytes, written as 64 hex digits. A member's id is a field element, since commitments hold it:
//! ```text
//! member id   = digest_fe(Member, chain id, member name)
//! data set id = digest(DataSet, member id, name)
//! ```
//! What an entry founded (a grant, a project) is named by that entry's id, under a type of its own: `ids::founded`.

mod founded;

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::Fe;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::tags::{Domain, digest, digest_fe};

pub use founded::{EmergencyId, GrantId, ProjectId, ReservationId};
pub use vouchsafe_circuits::{IssuerId, KeyId};

/// Why a name or digest was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// A name with a character or a length that is not allowed.
    #[error("{what} must have 1 to {max} characters of a-z, 0-9, '-' and '.', and begin with a letter or digit")]
    Name {
        /// Which kind of name.
        what: &'static str,
        /// How long it may be.
        max: usize,
    },
    /// Not 64 hex digits.
    #[error("{what} must be 64 lower-case hex digits")]
    Hex {
        /// Which kind of digest.
        what: &'static str,
    },
    /// Not the bytes of a member id.
    #[error("a member id is a 31-byte number in 32 little-endian bytes")]
    Member,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                let bytes = text.as_bytes();
                let begins = bytes.first().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
                let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-' || *b == b'.';
                if begins && bytes.len() <= $max && bytes.iter().all(plain) {
                    Ok(Self(text))
                } else {
                    Err(IdError::Name { what: $what, max: $max })
                }
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a ledger; CometBFT allows 50 characters.
    ChainId, "a chain id", 50
);
name!(
    /// The name of a member or of a validator.
    MemberName, "a member's name", 64
);
name!(
    /// The name of a statement, such as `fact-1`.
    StatementName, "a statement's name", 32
);
name!(
    /// The name of a member's data set.
    DataSetName, "a data set's name", 64
);

macro_rules! digest32 {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes the 32 bytes as they are.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex(text).map(Self).ok_or(IdError::Hex { what: $what })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(digest: $name) -> String {
                hex::encode(digest.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), hex::encode(self.0))
            }
        }
    };
}

digest32!(
    /// The hash of an entry's bytes (without its signatures).
    EntryId, "an entry id"
);
digest32!(
    /// The hash of a log's leaf, inner node or root.
    LogHash, "a log hash"
);
digest32!(
    /// The root of the authenticated state.
    StateRoot, "a state root"
);
digest32!(
    /// The root of a block's receipts.
    ReceiptsRoot, "a receipts root"
);
digest32!(
    /// The digest of a seal.
    AppHash, "an app hash"
);
digest32!(
    /// The blinded commitment of a disclosure.
    DisclosureCommitment, "a disclosure commitment"
);
digest32!(
    /// The blinded commitment of a grant's terms.
    GrantCommitment, "a grant commitment"
);
digest32!(
    /// The blinded commitment of what a review of an emergency found.
    ReviewCommitment, "a review commitment"
);
digest32!(
    /// The blinded commitment of a project: who researches, and what for.
    ProjectCommitment, "a project commitment"
);
digest32!(
    /// The blinded commitment of a query.
    QueryCommitment, "a query commitment"
);
digest32!(
    /// The digest of the rules under which a project's queries are answered.
    RuleSetDigest, "a rule set's digest"
);
digest32!(
    /// The digest of the policy that was asked.
    PolicyDigest, "a policy digest"
);
digest32!(
    /// A member's data set.
    DataSetId, "a data set's id"
);
digest32!(
    /// A party's card.
    CardId, "a card id"
);
digest32!(
    /// A signed call.
    CallId, "a call id"
);

impl PolicyDigest {
    /// No policy was asked.
    pub const NONE: PolicyDigest = PolicyDigest([0; 32]);
}

impl DataSetId {
    /// The id of a member's data set of this name.
    pub fn of(member: MemberId, name: &DataSetName) -> Self {
        Self(digest(Domain::DataSet, &[&member.to_bytes(), name.as_str().as_bytes()]))
    }
}

/// 64 lower-case hex digits, and nothing else.
pub(crate) fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Who a member is on one chain; as an issuer it is part of every commitment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberId(IssuerId);

impl MemberId {
    /// The id of the member with this name on this chain.
    pub fn of(chain: &ChainId, name: &MemberName) -> Self {
        let parts = [chain.as_str().as_bytes(), name.as_str().as_bytes()];
        Self(IssuerId::new(digest_fe(Domain::Member, &parts)))
    }

    /// The id as the issuer of commitments.
    pub fn issuer(&self) -> IssuerId {
        self.0
    }

    /// The 32 little-endian bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.0.fe().as_bytes()
    }

    /// Parses the 32 little-endian bytes; ids are 31-byte numbers, so they are canonical in every suite.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, IdError> {
        if bytes[31] != 0 {
            return Err(IdError::Member);
        }
        Fe::from_bytes(Suite::Bn254, bytes).map(|fe| Self(IssuerId::new(fe))).map_err(|_| IdError::Member)
    }
}

impl TryFrom<String> for MemberId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::from_bytes(parse_hex(&text).ok_or(IdError::Hex { what: "a member id" })?)
    }
}

impl FromStr for MemberId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::try_from(text.to_owned())
    }
}

impl From<MemberId> for String {
    fn from(id: MemberId) -> String {
        hex::encode(id.to_bytes())
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemberId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_not_repaired() {
        for bad in ["", "-a", "A", "a b", "a/b", "a\n", "ä", &"a".repeat(51)] {
            assert!(bad.parse::<ChainId>().is_err(), "{bad:?}");
        }
        assert_eq!("st-mary.example".parse::<ChainId>().map(String::from), Ok("st-mary.example".into()));
    }

    #[test]
    fn digests_have_one_spelling() {
        let id = EntryId::from_bytes([0xab; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<EntryId>().is_err());
        assert!(id.to_string()[2..].parse::<EntryId>().is_err());
        assert!(MemberId::from_bytes([1; 32]).is_err());
    }
}
