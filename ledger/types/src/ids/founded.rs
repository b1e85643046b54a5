//! Ids of what an entry founded: each is that entry's id, under a type of its own, so that a grant is not taken
//! for a project. Whether the entry was of that kind, and accepted, only the ledger's state says.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{EntryId, IdError, parse_hex};

macro_rules! founded {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(EntryId);

        impl $name {
            /// What this entry founded.
            pub const fn of(entry: EntryId) -> Self {
                Self(entry)
            }

            /// The entry that founded it.
            pub const fn entry(self) -> EntryId {
                self.0
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                self.0.as_bytes()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex(text).map(|bytes| Self(EntryId::from_bytes(bytes))).ok_or(IdError::Hex { what: $what })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )+};
}

founded! {
    /// A grant: the id of the entry that gave it.
    GrantId, "a grant's id";
    /// An emergency opening: the id of the entry that reported it.
    EmergencyId, "an emergency's id";
    /// A project: the id of the entry that opened it.
    ProjectId, "a project's id";
    /// A reservation of budget: the id of the entry that made it.
    ReservationId, "a reservation's id";
}
