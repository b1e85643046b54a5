//! The envelope of a record: its parts, each sealed under a data key of its own, and the wraps of those keys.
//!
//! ```text
//! part     Tier(t): the fields of tier t, raw, with the seed of their salts; Header: subject key, validity, blinding
//! payload  AES-256-GCM under a fresh data key; bound to suite, proof suite, commitment, schema and part
//! wrap     data key under AES-256-GCM-SIV, key = HKDF(tier or holder key, salt = erase key);
//!          bound to the same, and to epoch and key id
//! blob     "VOUCHBLB" · version u16 = 1 · suite u16 · parts u8, each: part u8 · length u32 · sealed; nothing else readable
//! ```
//!
//! Payloads go to the blob, wraps to the index, so that a rotation re-wraps keys and leaves payloads alone. A reader of
//! a tier needs that tier's fields and salts, the other leaf hashes and the header hash, and recomputes the commitment.
//! Sizes tell the number of fields of a tier, roughly: payloads are padded to 64 bytes.

mod blob;
mod leaf_tiers;
mod payload;
mod sealed;

pub(crate) use leaf_tiers::LeafTiers;
pub use payload::{HeaderPayload, TierPayload};
pub use sealed::{Binding, EnvelopeError, SealedPart, Wrap};

use vouchsafe_circuits::record::Tier;

/// A part of a record: what one key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The fields of a tier.
    Tier(Tier),
    /// Subject key, validity and blinding: for the holder alone.
    Header,
}

impl Part {
    /// The number that stands for the part in bytes and bound data: the tier's, or 5.
    pub const fn code(self) -> u8 {
        match self {
            Part::Tier(tier) => tier as u8,
            Part::Header => 5,
        }
    }

    /// The part of a [`Part::code`].
    pub const fn from_code(code: u8) -> Option<Part> {
        Some(match code {
            0 => Part::Tier(Tier::Public),
            1 => Part::Tier(Tier::Internal),
            2 => Part::Tier(Tier::DeIdentified),
            3 => Part::Tier(Tier::Limited),
            4 => Part::Tier(Tier::Identifying),
            5 => Part::Header,
            _ => return None,
        })
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Part::Tier(tier) => write!(f, "tier {}", *tier as u8),
            Part::Header => f.write_str("header"),
        }
    }
}
