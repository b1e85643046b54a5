//! Authenticated encryption, by suite. Every envelope and file names the suite that sealed it.
//!
//! ```text
//! aes256 (code 1)   payloads  AES-256-GCM (SP 800-38D), one message per key, 96-bit random nonce
//!                   keys      AES-256-GCM-SIV (RFC 8452), which survives a repeated nonce
//!                   KDF       HKDF-SHA256
//! sealed            nonce (12) ‖ ciphertext ‖ tag (16)
//! ```
//!
//! Hides no lengths. A failure to open does not say why: key, bound data and ciphertext are one to the cipher.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, AeadCore, KeyInit, Payload};
use aes_gcm_siv::Aes256GcmSiv;
use hkdf::Hkdf;
use rand::{CryptoRng, RngCore};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::{random_bytes, secret_bytes};

/// Which algorithms sealed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CipherSuite {
    /// AES-256-GCM, AES-256-GCM-SIV, HKDF-SHA256.
    Aes256,
}

impl CipherSuite {
    /// The number that stands for the suite in files and bound data.
    pub const fn code(self) -> u16 {
        match self {
            CipherSuite::Aes256 => 1,
        }
    }

    /// The suite of a [`CipherSuite::code`].
    pub const fn from_code(code: u16) -> Option<CipherSuite> {
        match code {
            1 => Some(CipherSuite::Aes256),
            _ => None,
        }
    }
}

secret_bytes! {
    /// The key of one sealed payload: fresh, random, used once.
    DataKey,
    /// A key that seals other keys.
    WrapKey,
}

/// Something sealed did not open: wrong key, other bound data, or damaged bytes.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("does not open: wrong key, bound to something else, or damaged")]
pub struct OpenError;

/// Bytes of a nonce and a tag around each ciphertext.
pub(crate) const OVERHEAD: usize = NONCE + 16;
const NONCE: usize = 12;

type Nonce = aes_gcm::aead::Nonce<Aes256Gcm>;

/// Seals a payload under a key that seals nothing else.
pub(crate) fn seal_payload(key: &DataKey, aad: &[u8], plain: &[u8], rng: &mut (impl RngCore + CryptoRng)) -> Vec<u8> {
    seal(&Aes256Gcm::new(key.expose().into()), random_bytes(rng), aad, plain)
}

/// Opens what [`seal_payload`] sealed.
pub(crate) fn open_payload(key: &DataKey, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    open(&Aes256Gcm::new(key.expose().into()), aad, sealed)
}

/// Seals key material.
pub(crate) fn wrap(key: &WrapKey, aad: &[u8], plain: &[u8], rng: &mut (impl RngCore + CryptoRng)) -> Vec<u8> {
    seal(&Aes256GcmSiv::new(key.expose().into()), random_bytes(rng), aad, plain)
}

/// Opens what [`wrap`] sealed.
pub(crate) fn unwrap(key: &WrapKey, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    open(&Aes256GcmSiv::new(key.expose().into()), aad, sealed)
}

/// HKDF-SHA256: 32 bytes from a key, an optional salt and the parts of an info string (the label, then fixed lengths).
pub(crate) fn derive(key: &[u8; 32], salt: Option<&[u8; 32]>, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    let expanded = Hkdf::<Sha256>::new(salt.map(|s| &s[..]), key).expand_multi_info(info, &mut *out);
    assert!(expanded.is_ok(), "32 bytes are within HKDF-SHA256's limit");
    out
}

fn seal<C>(cipher: &C, nonce: [u8; NONCE], aad: &[u8], plain: &[u8]) -> Vec<u8>
where
    C: Aead + AeadCore<NonceSize = <Aes256Gcm as AeadCore>::NonceSize>,
{
    let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
    sealed.extend_from_slice(&nonce);
    let encrypted = cipher.encrypt(&Nonce::from(nonce), Payload { msg: plain, aad });
    let Ok(encrypted) = encrypted else { unreachable!("payloads are far below 64 GiB") };
    sealed.extend_from_slice(&encrypted);
    sealed
}

fn open<C>(cipher: &C, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError>
where
    C: Aead + AeadCore<NonceSize = <Aes256Gcm as AeadCore>::NonceSize>,
{
    let (nonce, msg) = sealed.split_first_chunk::<NONCE>().ok_or(OpenError)?;
    let plain = cipher.decrypt(&Nonce::from(*nonce), Payload { msg, aad }).map_err(|_| OpenError)?;
    Ok(Zeroizing::new(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let mut out = [0; N];
        hex::decode_to_slice(hex, &mut out).unwrap();
        out
    }

    /// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 14 and 16, as submitted to
    /// NIST (gcmEncryptExtIV256 holds the same shapes).
    #[test]
    fn aes_256_gcm_agrees_with_nist() {
        let sealed = seal(&Aes256Gcm::new(&[0; 32].into()), [0; 12], b"", &[0; 16]);
        assert_eq!(hex::encode(&sealed[12..]), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");

        let key: [u8; 32] = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let plain: [u8; 60] = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525\
             b16aedf5aa0de657ba637b39",
        );
        let aad: [u8; 20] = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let sealed = seal(&Aes256Gcm::new(&key.into()), bytes("cafebabefacedbaddecaf888"), &aad, &plain);
        assert_eq!(
            hex::encode(&sealed[12..]),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838\
             c5f61e6393ba7a0abcc9f662\
             76fc6ece0f4e1768cddf8853bb2d551b",
        );
        assert_eq!(open(&Aes256Gcm::new(&key.into()), &aad, &sealed).unwrap().as_slice(), plain);
        assert_eq!(open(&Aes256Gcm::new(&key.into()), b"", &sealed), Err(OpenError));
    }

    /// RFC 8452, appendix C.2 (AEAD_AES_256_GCM_SIV): the empty plaintext and the eight-byte one.
    #[test]
    fn aes_256_gcm_siv_agrees_with_rfc_8452() {
        let key: [u8; 32] = bytes("0100000000000000000000000000000000000000000000000000000000000000");
        let nonce = bytes("030000000000000000000000");
        let sealed = seal(&Aes256GcmSiv::new(&key.into()), nonce, b"", b"");
        assert_eq!(hex::encode(&sealed[12..]), "07f5f4169bbf55a8400cd47ea6fd400f");
        let sealed = seal(&Aes256GcmSiv::new(&key.into()), nonce, b"", &bytes::<8>("0100000000000000"));
        assert_eq!(hex::encode(&sealed[12..]), "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28");
    }

    #[test]
    fn hkdf_takes_its_info_in_parts_and_heeds_its_salt() {
        let whole = derive(&[1; 32], Some(&[2; 32]), &[b"labelpart"]);
        assert_eq!(*whole, *derive(&[1; 32], Some(&[2; 32]), &[b"label", b"part"]));
        assert_ne!(*whole, *derive(&[1; 32], None, &[b"labelpart"]));
    }
}
