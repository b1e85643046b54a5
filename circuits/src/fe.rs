//! Field elements at the border: 32 canonical little-endian bytes, of whichever suite the ledger has.
//!
//! A value that is not below the modulus is refused, never reduced. Nothing secret is held in an [`Fe`]
//! for long: secrets have types of their own in [`crate::secrets`].

use ark_ff::{BigInteger, PrimeField};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::suite::{Suite, with_field};

/// A field element: an integer below the suite's scalar modulus, as 32 little-endian bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fe([u8; 32]);

/// Why bytes are not a field element. The fault is the sender's.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeError {
    /// The integer is not below the modulus of the suite.
    #[error("not a canonical field element of {0}: the value is not below the modulus; send the reduced value")]
    NotCanonical(Suite),
    /// The text is not 64 hexadecimal digits.
    #[error("a field element is 64 hexadecimal digits (32 bytes, little-endian)")]
    NotHex,
}

impl Fe {
    /// Zero.
    pub const ZERO: Fe = Fe([0; 32]);

    /// Parses 32 little-endian bytes; refuses values that are not below the suite's modulus.
    pub fn from_bytes(suite: Suite, bytes: [u8; 32]) -> Result<Fe, FeError> {
        with_field!(suite, F => Fe(bytes).to_field::<F>()).map(|_| Fe(bytes))
    }

    /// The 32 little-endian bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A 64-bit integer as a field element.
    pub const fn from_u64(value: u64) -> Fe {
        Fe::from_u128(value as u128)
    }

    /// A 128-bit integer as a field element; every suite's modulus is above 2^128.
    pub const fn from_u128(value: u128) -> Fe {
        let (low, mut bytes, mut i) = (value.to_le_bytes(), [0; 32], 0);
        while i < 16 {
            bytes[i] = low[i];
            i += 1;
        }
        Fe(bytes)
    }

    /// 31 bytes read as a big-endian integer; below every suite's modulus (2^248).
    pub fn from_be_31(bytes: &[u8; 31]) -> Fe {
        let mut le = [0; 32];
        for (to, from) in le.iter_mut().zip(bytes.iter().rev()) {
            *to = *from;
        }
        Fe(le)
    }

    /// The value, if it is below 2^128.
    pub fn to_u128(&self) -> Option<u128> {
        let (low, high) = self.0.split_at(16);
        let low: [u8; 16] = low.try_into().ok()?;
        high.iter().all(|b| *b == 0).then(|| u128::from_le_bytes(low))
    }

    /// The value, if it is below 2^64.
    pub fn to_u64(&self) -> Option<u64> {
        self.to_u128().and_then(|v| u64::try_from(v).ok())
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 32]
    }

    /// As an element of a suite's field; refuses what is not below its modulus.
    pub(crate) fn to_field<F: crate::suite::SuiteField>(self) -> Result<F, FeError> {
        let mut limbs = F::BigInt::from(0u64);
        for (limb, bytes) in limbs.as_mut().iter_mut().zip(self.0.chunks_exact(8)) {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            *limb = u64::from_le_bytes(word);
        }
        F::from_bigint(limbs).ok_or(FeError::NotCanonical(F::SUITE))
    }

    /// From an element of a suite's field.
    pub(crate) fn from_field<F: PrimeField>(value: &F) -> Fe {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&value.into_bigint().to_bytes_le());
        Fe(bytes)
    }

    /// Wipes the bytes; for the secret types that hold one.
    pub(crate) fn zeroize(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }

    /// Bytes that were checked by nobody, to test those who must.
    #[cfg(test)]
    pub(crate) fn unchecked(bytes: [u8; 32]) -> Fe {
        Fe(bytes)
    }

    fn from_hex(text: &str) -> Result<Fe, FeError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| FeError::NotHex)?;
        Ok(Fe(bytes))
    }
}

impl std::fmt::Debug for Fe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Display for Fe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for Fe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

/// Reads 64 lower-case hexadecimal digits, canonical in the widest suite of this build. A suite with a
/// smaller modulus checks again where the element is used: every function of this crate that takes an
/// [`Fe`] and a [`Suite`] refuses a value not below that suite's modulus.
impl<'de> Deserialize<'de> for Fe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fe, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(D::Error::custom(FeError::NotHex));
        }
        let fe = Fe::from_hex(&text).map_err(D::Error::custom)?;
        Fe::from_bytes(Suite::Bn254, fe.0).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULUS_LE: &str = "010000f093f5e1439170b97948e833285d588181b64550b829a031e1724e6430";

    #[test]
    fn the_modulus_is_refused_and_one_less_is_taken() {
        let mut bytes = Fe::from_hex(MODULUS_LE).unwrap().0;
        assert_eq!(Fe::from_bytes(Suite::Bn254, bytes), Err(FeError::NotCanonical(Suite::Bn254)));
        bytes[0] -= 1;
        assert!(Fe::from_bytes(Suite::Bn254, bytes).is_ok());
        assert!(Fe::from_bytes(Suite::Bn254, [0xff; 32]).is_err());
    }

    #[test]
    fn text_is_canonical() {
        let fe = Fe::from_u64(7);
        let json = serde_json::to_string(&fe).unwrap();
        assert_eq!(serde_json::from_str::<Fe>(&json).unwrap(), fe);
        assert!(serde_json::from_str::<Fe>(&format!("\"{MODULUS_LE}\"")).is_err());
        assert!(serde_json::from_str::<Fe>(&json.to_uppercase()).is_ok(), "digits only");
        assert!(serde_json::from_str::<Fe>(&format!("\"{}\"", "AB".repeat(31) + "00")).is_err());
    }
}
