//! Ed25519 signatures with the rules of ZIP-215, so that every replica and every implementation agrees.
//!
//! Valid when s < l and 8·(sB − kA − R) = 0, with A and R decoded leniently. ed25519-dalek's own `verify` has no
//! factor 8 and refuses non-canonical R, so it can disagree with batch verifiers; ed25519-zebra verifies, and dalek signs.
//! A key of small order, under which a signature can hold for any message, is refused when a key is parsed.

use core::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::Signer as _;
use serde::{Deserialize, Serialize};

/// Why a key or signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// Not the encoding of a point, or of one of small order.
    #[error("not an Ed25519 public key, or one of small order under which anybody can sign")]
    PublicKey,
    /// Not 64 bytes, or not in lower-case hex.
    #[error("not an Ed25519 signature: it has 64 bytes")]
    SignatureLength,
    /// The signature does not hold.
    #[error("the signature does not hold for this key and these bytes")]
    Invalid,
}

/// How entries are signed; named in every header, so that another algorithm can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519 with the rules of ZIP-215.
    Ed25519,
}

impl Algorithm {
    pub(crate) fn code(self) -> u32 {
        match self {
            Algorithm::Ed25519 => 1,
        }
    }

    pub(crate) fn from_code(code: u32) -> Option<Self> {
        (code == 1).then_some(Algorithm::Ed25519)
    }
}

/// An Ed25519 public key that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Parses the 32 bytes of a key.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, SigningError> {
        let point = CompressedEdwardsY(bytes).decompress().ok_or(SigningError::PublicKey)?;
        if point.is_small_order() { Err(SigningError::PublicKey) } else { Ok(Self(bytes)) }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks a signature over these bytes.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SigningError> {
        if zip215(&self.0, message, &signature.0) { Ok(()) } else { Err(SigningError::Invalid) }
    }
}

/// The rules of ZIP-215.
fn zip215(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = ed25519_zebra::Signature::from_bytes(signature);
    ed25519_zebra::VerificationKey::try_from(*key).is_ok_and(|key| key.verify(&signature, message).is_ok())
}

impl TryFrom<String> for PublicKey {
    type Error = SigningError;

    fn try_from(text: String) -> Result<Self, SigningError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| SigningError::PublicKey)?;
        Self::from_bytes(bytes)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        hex::encode(key.0)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// The 64 bytes of a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Takes exactly 64 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SigningError> {
        bytes.try_into().map(Self).map_err(|_| SigningError::SignatureLength)
    }

    /// The 64 bytes.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", hex::encode(self.0))
    }
}

/// A secret signing key of a member's service or of a validator. Wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of this 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        // A secret scalar is clamped, so its public key is never of small order.
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs these bytes.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ZIP-215's table of small-order encodings: eight canonical ones and six that are not.
    const SMALL_ORDER: [&str; 14] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    fn encoding(hex_text: &str) -> [u8; 32] {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex_text, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn zip215_accepts_all_196_small_order_vectors_and_dalek_does_not() {
        let mut dalek_refuses = 0;
        for a in SMALL_ORDER.map(encoding) {
            for r in SMALL_ORDER.map(encoding) {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&r);
                assert!(zip215(&a, b"Zcash", &signature), "{} {}", hex::encode(a), hex::encode(r));
                let key = ed25519_dalek::VerifyingKey::from_bytes(&a).unwrap();
                let other = ed25519_dalek::Signature::from_bytes(&signature);
                dalek_refuses += usize::from(ed25519_dalek::Verifier::verify(&key, b"Zcash", &other).is_err());
            }
            assert_eq!(PublicKey::from_bytes(a), Err(SigningError::PublicKey));
        }
        assert!(dalek_refuses > 0, "then dalek's own would do");
    }

    #[test]
    fn rfc8032_vector_and_tampering() {
        let seed = encoding("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = SigningKey::from_seed(&seed);
        assert_eq!(key.public().to_string(), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature = key.sign(&[0x72]);
        assert_eq!(
            hex::encode(signature.as_bytes()),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert_eq!(key.public().verify(&[0x72], &signature), Ok(()));
        assert_eq!(key.public().verify(&[0x73], &signature), Err(SigningError::Invalid));
        for byte in 0..64 {
            let mut bytes = *signature.as_bytes();
            bytes[byte] ^= 1;
            assert_eq!(key.public().verify(&[0x72], &Signature(bytes)), Err(SigningError::Invalid), "{byte}");
        }
        // s + l is the same scalar, and is refused.
        let order = encoding("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut bytes = *signature.as_bytes();
        let mut carry = 0u16;
        for (byte, add) in bytes[32..].iter_mut().zip(order) {
            carry += u16::from(*byte) + u16::from(add);
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        assert_eq!(key.public().verify(&[0x72], &Signature(bytes)), Err(SigningError::Invalid));
        assert_eq!(format!("{key:?}"), "SigningKey");
    }
}
