//! Public values with a meaning: each is a field element with a type of its own, so that two of them cannot
//! be swapped by mistake.

use serde::{Deserialize, Serialize};

use crate::fe::Fe;

macro_rules! public_value {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Fe);

        impl $name {
            /// Gives a field element this meaning.
            pub const fn new(value: Fe) -> Self {
                Self(value)
            }

            /// The field element.
            pub const fn fe(&self) -> Fe {
                self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

public_value! {
    /// What stands for a record on the ledger: a hiding, binding hash of its root and header.
    Commitment,
    /// The root of a member's active set at some height.
    Anchor,
    /// The member that committed a record.
    IssuerId,
    /// The schema of a record: a digest of its document.
    SchemaId,
    /// Where a pseudonym holds: a hash of verifier and purpose, or of a project.
    Scope,
    /// One public name per subject and scope.
    Pseudonym,
    /// A digest of everything that a request binds.
    RequestDigest,
    /// The salted hash of one field.
    LeafHash,
    /// The root over the sixteen leaves of a record.
    RecordRoot,
    /// The hash of subject key, validity and blinding.
    HeaderHash,
}
