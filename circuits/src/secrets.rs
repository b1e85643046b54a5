//! Secrets of a record: salts, blinding, subject key. Wiped when dropped; their Debug shows the type's name.
//!
//! Born in the vault (`access`), used in a prover's witness, never serialised here.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::fe::Fe;
use crate::record::FieldIndex;
use crate::tags::Domain;

macro_rules! secret_element {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Fe);

        impl $name {
            /// The field element; handle it as the secret it is.
            pub fn fe(&self) -> Fe {
                self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl Zeroize for $name {
            fn zeroize(&mut self) {
                self.0.zeroize();
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.zeroize();
            }
        }

        impl ZeroizeOnDrop for $name {}
    )+};
}

secret_element! {
    /// What makes the hash of one field unguessable.
    Salt,
    /// What makes a header, and so a commitment, hiding.
    Blinding,
    /// The secret behind a subject's pseudonyms; never zero.
    SubjectKey,
}

impl Salt {
    /// Gives a field element this meaning.
    pub fn new(value: Fe) -> Salt {
        Salt(value)
    }
}

impl Blinding {
    /// Gives a field element this meaning.
    pub fn new(value: Fe) -> Blinding {
        Blinding(value)
    }
}

impl SubjectKey {
    /// Gives a field element this meaning; zero is refused, since no statement accepts it.
    pub fn new(value: Fe) -> Option<SubjectKey> {
        (!value.is_zero()).then_some(SubjectKey(value))
    }
}

/// The seed of a tier's salts: who holds it can recompute the salts of that tier's fields and no others.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SaltSeed([u8; 32]);

impl SaltSeed {
    /// Takes 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> SaltSeed {
        SaltSeed(bytes)
    }

    /// The 32 bytes, to be sealed with the tier's fields.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The salt of a field: the first 31 bytes of HMAC-SHA256(seed, domain ‖ index) as an integer.
    pub fn salt(&self, field: FieldIndex) -> Salt {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0);
        let Ok(mut mac) = mac else { unreachable!("HMAC takes keys of any length") };
        mac.update(Domain::Salt.as_str().as_bytes());
        mac.update(&[field.get()]);
        let mut wide: [u8; 32] = mac.finalize().into_bytes().into();
        let mut first = [0; 31];
        first.copy_from_slice(&wide[..31]);
        let salt = Salt(Fe::from_be_31(&first));
        wide.zeroize();
        first.zeroize();
        salt
    }
}

impl std::fmt::Debug for SaltSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SaltSeed")
    }
}
