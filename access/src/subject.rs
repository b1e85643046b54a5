//! Subjects: who a record is about, known to the index by handles and to statements by a subject key.
//!
//! ```text
//! handle       HMAC-SHA256(index secret, label ‖ 0 ‖ "SYSTEM|VALUE")            many handles, one subject
//! subject key  first 31 bytes of HMAC-SHA256(subject secret, label ‖ n ‖ "SYSTEM|VALUE") of the canonical identifier,
//!              n = 0, or the first that gives no zero
//! erase key    32 random bytes per subject, kept only in the subject's row, wrapped: no row, no data keys
//! ```
//!
//! The canonical identifier is the one first given when the subject was first seen. Identifiers are trimmed, otherwise
//! compared as they are: "0123" and "123" are two. Cannot check that two identifiers are one person's: the source says so.

use hmac::{Hmac, KeyInit, Mac};
use rand::{CryptoRng, RngCore};
use sha2::Sha256;
use vouchsafe_circuits::fe::Fe;
use vouchsafe_circuits::secrets::SubjectKey;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::aead::{self, CipherSuite, OpenError, WrapKey};
use crate::labels;
use crate::ladder::EraseKey;
use crate::secret::{IndexSecret, SubjectSecret, VaultRootSecret, random_bytes};
use crate::wire::Writer;

/// An identifier of a subject, `SYSTEM|VALUE`. Personal data: Debug shows the type only.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Identifier(String);

/// Why a text is no identifier. The fault is the caller's.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum IdentifierError {
    /// No `|`.
    #[error("an identifier is SYSTEM|VALUE, such as http://hospital.example/mrn|12345; there is no '|' in it")]
    NoBar,
    /// Nothing before or after the `|`.
    #[error("an identifier is SYSTEM|VALUE; one of the two is empty")]
    Empty,
    /// A control character, or a `|` in the system.
    #[error("an identifier holds no control characters, and its system no '|'")]
    BadCharacter,
}

impl Identifier {
    /// From system and value; both are trimmed.
    pub fn new(system: &str, value: &str) -> Result<Identifier, IdentifierError> {
        let (system, value) = (system.trim(), value.trim());
        if system.is_empty() || value.is_empty() {
            return Err(IdentifierError::Empty);
        }
        if system.contains('|') || system.chars().chain(value.chars()).any(char::is_control) {
            return Err(IdentifierError::BadCharacter);
        }
        Ok(Identifier(format!("{system}|{value}")))
    }

    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::str::FromStr for Identifier {
    type Err = IdentifierError;

    /// The system ends at the first `|`.
    fn from_str(text: &str) -> Result<Identifier, IdentifierError> {
        let (system, value) = text.split_once('|').ok_or(IdentifierError::NoBar)?;
        Identifier::new(system, value)
    }
}

impl std::fmt::Debug for Identifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identifier")
    }
}

/// What the index knows an identifier, a source or a version by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle([u8; 32]);

impl Handle {
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Handle {
        Handle(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The index's own random name of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId([u8; 16]);

impl SubjectId {
    pub(crate) fn random(rng: &mut (impl RngCore + CryptoRng)) -> SubjectId {
        SubjectId(random_bytes(rng))
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> SubjectId {
        SubjectId(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Display for SubjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A subject's secrets, as its row in the index holds them, wrapped.
#[derive(Clone, Debug)]
pub struct SubjectSecrets {
    /// Half of every key that wraps the subject's data keys.
    pub erase_key: EraseKey,
    /// What statements know the subject by.
    pub subject_key: SubjectKey,
}

/// The handle of an identifier.
pub fn alias_handle(secret: &IndexSecret, identifier: &Identifier) -> Handle {
    Handle(*mac(secret.expose(), labels::ALIAS_HANDLE, 0, &[identifier.as_bytes()]))
}

/// How strongly an identifier names its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasKind {
    /// It is the subject's own: whoever comes with it is that subject.
    Identity = 1,
    /// It finds the subject, but makes nobody it: national numbers, licences, which two people may share by mistake.
    Lookup = 2,
}

/// Which subject an identifier leads to. Bound to its handle, so that a row copied to another place does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AliasRow {
    pub subject: SubjectId,
    pub kind: AliasKind,
}

impl AliasRow {
    /// Subject 16, kind 1, tag 16.
    pub(crate) fn to_bytes(self, secret: &IndexSecret, handle: Handle) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes[..16].copy_from_slice(self.subject.as_bytes());
        bytes[16] = self.kind as u8;
        let tag = alias_tag(secret, handle, &bytes[..17]);
        bytes[17..].copy_from_slice(&tag);
        bytes
    }

    /// None if the row is not one that was written for this handle.
    pub(crate) fn from_bytes(secret: &IndexSecret, handle: Handle, bytes: &[u8]) -> Option<AliasRow> {
        let bytes: &[u8; 33] = bytes.try_into().ok()?;
        let tag = alias_tag(secret, handle, &bytes[..17]);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&bytes[17..], &tag[..])) {
            return None;
        }
        let kind = match bytes[16] {
            1 => AliasKind::Identity,
            2 => AliasKind::Lookup,
            _ => return None,
        };
        Some(AliasRow { subject: SubjectId::from_bytes(bytes[..16].try_into().ok()?), kind })
    }
}

fn alias_tag(secret: &IndexSecret, handle: Handle, row: &[u8]) -> [u8; 16] {
    let wide = mac(secret.expose(), labels::ALIAS_ROW, 0, &[handle.as_bytes(), row]);
    let mut tag = [0; 16];
    tag.copy_from_slice(&wide[..16]);
    tag
}

/// The handle of a resource in a source, or of one version of it.
pub(crate) fn source_handle(secret: &IndexSecret, label: &[u8], parts: &[&str]) -> Handle {
    let mut message = Zeroizing::new(Vec::new());
    for part in parts {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    Handle(*mac(secret.expose(), label, 0, &[&message]))
}

/// The subject key of a canonical identifier.
pub fn subject_key(secret: &SubjectSecret, canonical: &Identifier) -> SubjectKey {
    let mut n = 0;
    loop {
        let wide = mac(secret.expose(), labels::SUBJECT_KEY, n, &[canonical.as_bytes()]);
        let mut first = Zeroizing::new([0; 31]);
        first.copy_from_slice(&wide[..31]);
        if let Some(key) = SubjectKey::new(Fe::from_be_31(&first)) {
            return key;
        }
        n += 1;
    }
}

/// Seals subject rows: suite u16 ‖ nonce 12 ‖ AES-256-GCM-SIV(erase key ‖ subject key) ‖ tag, bound to the subject's id.
pub(crate) struct SubjectRows(WrapKey);

impl SubjectRows {
    pub(crate) fn new(root: &VaultRootSecret) -> SubjectRows {
        SubjectRows(WrapKey::new(*aead::derive(root.expose(), None, &[labels::SUBJECT_WRAP_KEY])))
    }

    pub(crate) fn seal(
        &self,
        id: SubjectId,
        secrets: &SubjectSecrets,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Vec<u8> {
        let plain =
            Writer::with_capacity(64).raw(secrets.erase_key.expose()).raw(secrets.subject_key.fe().as_bytes()).done();
        let sealed = aead::wrap(&self.0, &aad(id), &plain, rng);
        Writer::with_capacity(2 + sealed.len()).u16(CipherSuite::Aes256.code()).raw(&sealed).public()
    }

    pub(crate) fn open(&self, id: SubjectId, row: &[u8]) -> Result<SubjectSecrets, OpenError> {
        let (suite, sealed) = row.split_first_chunk::<2>().ok_or(OpenError)?;
        CipherSuite::from_code(u16::from_be_bytes(*suite)).ok_or(OpenError)?;
        let plain = aead::unwrap(&self.0, &aad(id), sealed)?;
        let (erase, rest) = plain.split_first_chunk::<32>().ok_or(OpenError)?;
        let subject: [u8; 32] = rest.try_into().map_err(|_| OpenError)?;
        // A subject key is 31 bytes wide, so it is canonical in every suite.
        let fe = Fe::from_bytes(vouchsafe_circuits::suite::Suite::Bn254, subject).map_err(|_| OpenError)?;
        Ok(SubjectSecrets { erase_key: EraseKey::new(*erase), subject_key: SubjectKey::new(fe).ok_or(OpenError)? })
    }
}

fn aad(id: SubjectId) -> Vec<u8> {
    [labels::SUBJECT_ROW_AAD, &CipherSuite::Aes256.code().to_be_bytes(), id.as_bytes()].concat()
}

fn mac(key: &[u8; 32], label: &[u8], n: u8, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let Ok(mut mac) = mac else { unreachable!("HMAC takes keys of any length") };
    mac.update(label);
    mac.update(&[n]);
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_trimmed_and_checked() {
        let a: Identifier = " http://h.example/mrn | 12 ".parse().unwrap();
        assert_eq!(a, Identifier::new("http://h.example/mrn", "12").unwrap());
        assert_eq!("12".parse::<Identifier>(), Err(IdentifierError::NoBar));
        assert_eq!("a|".parse::<Identifier>(), Err(IdentifierError::Empty));
        assert_eq!(Identifier::new("a|b", "c"), Err(IdentifierError::BadCharacter));
        assert!("a|b|c".parse::<Identifier>().is_ok());
        assert_eq!(format!("{a:?}"), "Identifier");
    }

    #[test]
    fn an_alias_row_is_of_its_own_handle() {
        let secret = IndexSecret::new([1; 32]);
        let [a, b] = ["s|1", "s|2"].map(|text| alias_handle(&secret, &text.parse().unwrap()));
        let row = AliasRow { subject: SubjectId::from_bytes([7; 16]), kind: AliasKind::Identity };
        let bytes = row.to_bytes(&secret, a);
        assert_eq!(AliasRow::from_bytes(&secret, a, &bytes), Some(row));
        assert_eq!(AliasRow::from_bytes(&secret, b, &bytes), None, "copied to another identifier");
        for at in 0..bytes.len() {
            let mut changed = bytes;
            changed[at] ^= 1;
            assert_eq!(AliasRow::from_bytes(&secret, a, &changed), None, "byte {at}");
        }
        assert_eq!(AliasRow::from_bytes(&secret, a, &bytes[..32]), None);
    }

    #[test]
    fn handles_do_not_run_together() {
        let secret = IndexSecret::new([3; 32]);
        let one = source_handle(&secret, labels::SOURCE_HANDLE, &["ab", "c"]);
        assert_ne!(one, source_handle(&secret, labels::SOURCE_HANDLE, &["a", "bc"]));
        assert_ne!(one, source_handle(&secret, labels::VERSION_HANDLE, &["ab", "c"]));
        assert_ne!(one, source_handle(&IndexSecret::new([4; 32]), labels::SOURCE_HANDLE, &["ab", "c"]));
    }

    #[test]
    fn a_row_opens_for_its_own_subject_only() {
        use rand::SeedableRng;
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(5);
        let rows = SubjectRows::new(&VaultRootSecret::new([1; 32]));
        let (a, b) = (SubjectId::random(&mut rng), SubjectId::random(&mut rng));
        let canonical: Identifier = "s|1".parse().unwrap();
        let secrets = SubjectSecrets {
            erase_key: EraseKey::random(&mut rng),
            subject_key: subject_key(&SubjectSecret::new([2; 32]), &canonical),
        };
        let row = rows.seal(a, &secrets, &mut rng);
        assert_eq!(rows.open(a, &row).unwrap().erase_key, secrets.erase_key);
        assert!(rows.open(b, &row).is_err());
        assert!(SubjectRows::new(&VaultRootSecret::new([9; 32])).open(a, &row).is_err());
    }
}
