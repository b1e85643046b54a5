//! Secrets of 32 bytes and the passphrase: wiped when dropped, compared in constant time, silent in Debug.
//!
//! Each secret has a type of its own, so that two of them cannot be swapped by mistake.

use rand::{CryptoRng, RngCore};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

macro_rules! secret_bytes {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes 32 bytes, which must be uniformly random or derived from such.
            pub fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Draws 32 bytes.
            #[allow(dead_code)] // some are derived, never drawn
            pub fn random(rng: &mut (impl rand::RngCore + rand::CryptoRng + ?Sized)) -> Self {
                let mut secret = Self([0; 32]);
                rng.fill_bytes(&mut secret.0);
                secret
            }

            /// The bytes; handle them as the secret they are.
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                subtle::ConstantTimeEq::ct_eq(&self.0[..], &other.0[..]).into()
            }
        }

        impl Eq for $name {}

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}
pub(crate) use secret_bytes;

secret_bytes! {
    /// What the keys of the vault's index are derived from.
    VaultRootSecret,
    /// What subject keys are derived from: a subject's pseudonyms hang on it for ever.
    SubjectSecret,
    /// What the handles of the index are derived from: subjects' aliases, resource ids, versions.
    IndexSecret,
    /// What one epoch's holder key and tier keys are derived from.
    EpochSecret,
    /// What the blindings of disclosure entries are derived from.
    AuditSeed,
    /// The Ed25519 seed with which the member signs entries.
    MemberSeed,
    /// The Ed25519 seed with which the member's validator signs seals and checkpoints.
    ValidatorSeed,
    /// The X25519 key with which the member receives data keys.
    ReaderSecret,
}

/// A passphrase: never empty.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

/// The passphrase is empty. The fault is the caller's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the passphrase is empty: keys are never stored unprotected; give one")]
pub struct EmptyPassphrase;

impl Passphrase {
    /// Takes the text as it is; refuses an empty one.
    pub fn new(text: String) -> Result<Passphrase, EmptyPassphrase> {
        let text = Zeroizing::new(text);
        if text.is_empty() { Err(EmptyPassphrase) } else { Ok(Passphrase((*text).clone())) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Draws `N` bytes; for nonces, ids and salts, which are not secret.
pub(crate) fn random_bytes<const N: usize>(rng: &mut (impl RngCore + CryptoRng + ?Sized)) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_type_only() {
        assert_eq!(format!("{:?}", MemberSeed::new([7; 32])), "MemberSeed");
        let passphrase = Passphrase::new("correct horse".to_owned()).unwrap();
        assert_eq!(format!("{passphrase:?}"), "Passphrase");
    }

    #[test]
    fn an_empty_passphrase_is_refused() {
        assert_eq!(Passphrase::new(String::new()).unwrap_err(), EmptyPassphrase);
    }
}
