//! What a keystore holds, and its bytes.
//!
//! ```text
//! version u8 = 1 · items, each: tag u8 · number u32 · 32 bytes
//! 1 vault root · 2 subjects · 3 index · 4 audit seed · 5 member seed · 6 validator seed · 7 reader key
//! 16 epoch secret (number = epoch)
//! ```
//!
//! Items stand in rising order of (tag, number), each once; the number is 0 but for epochs. Unknown tags are refused.

use std::collections::BTreeMap;

use rand::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use crate::ladder::{Epoch, HolderKey};
use crate::secret::{
    AuditSeed, EpochSecret, IndexSecret, MemberSeed, ReaderSecret, SubjectSecret, ValidatorSeed, VaultRootSecret,
};
use crate::wire::{Reader, WireError, Writer};

const VERSION: u8 = 1;
const VAULT_ROOT: u8 = 1;
const SUBJECT: u8 = 2;
const INDEX: u8 = 3;
const AUDIT: u8 = 4;
const MEMBER: u8 = 5;
const VALIDATOR: u8 = 6;
const READER: u8 = 7;
const EPOCH: u8 = 16;

/// The institution's root secrets. Wiped when dropped.
#[derive(Clone)]
pub struct Keystore {
    vault_root: VaultRootSecret,
    subject: SubjectSecret,
    index: IndexSecret,
    audit: AuditSeed,
    member: MemberSeed,
    validator: ValidatorSeed,
    reader: ReaderSecret,
    epochs: BTreeMap<Epoch, EpochSecret>,
}

impl Keystore {
    /// Draws every secret; the ladder starts at [`Epoch::FIRST`].
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Keystore {
        Keystore {
            vault_root: VaultRootSecret::random(rng),
            subject: SubjectSecret::random(rng),
            index: IndexSecret::random(rng),
            audit: AuditSeed::random(rng),
            member: MemberSeed::random(rng),
            validator: ValidatorSeed::random(rng),
            reader: ReaderSecret::random(rng),
            epochs: BTreeMap::from([(Epoch::FIRST, EpochSecret::random(rng))]),
        }
    }

    /// Begins a new epoch: new records are sealed in it, old ones keep theirs until they are re-wrapped.
    /// Write the keystore with [`Keystore::replace`] before the new epoch is used.
    pub fn add_epoch(&mut self, rng: &mut (impl RngCore + CryptoRng)) -> Epoch {
        let next = Epoch::new(self.current_epoch().get().saturating_add(1));
        self.epochs.entry(next).or_insert_with(|| EpochSecret::random(rng));
        next
    }

    /// What the vault's index wraps subjects with.
    pub fn vault_root(&self) -> &VaultRootSecret {
        &self.vault_root
    }

    /// What subject keys come from.
    pub fn subject_secret(&self) -> &SubjectSecret {
        &self.subject
    }

    /// What the index's handles come from.
    pub fn index_secret(&self) -> &IndexSecret {
        &self.index
    }

    /// What the blindings of disclosure entries come from.
    pub fn audit_seed(&self) -> &AuditSeed {
        &self.audit
    }

    /// The seed of the member's signing key.
    pub fn member_seed(&self) -> &MemberSeed {
        &self.member
    }

    /// The seed of the validator's signing key.
    pub fn validator_seed(&self) -> &ValidatorSeed {
        &self.validator
    }

    /// The member's own X25519 key, for data keys that others release to it.
    pub fn reader_secret(&self) -> &ReaderSecret {
        &self.reader
    }

    /// The newest epoch: what new records are sealed in.
    pub fn current_epoch(&self) -> Epoch {
        self.epochs.keys().next_back().copied().unwrap_or(Epoch::FIRST)
    }

    /// The holder key of an epoch, if the keystore has that epoch.
    pub fn holder_key(&self, epoch: Epoch) -> Option<HolderKey> {
        self.epochs.get(&epoch).map(|secret| HolderKey::of_epoch(epoch, secret))
    }

    /// The holder keys of all epochs, oldest first.
    pub(crate) fn holder_keys(&self) -> impl Iterator<Item = HolderKey> {
        self.epochs.iter().map(|(epoch, secret)| HolderKey::of_epoch(*epoch, secret))
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let single = [
            (VAULT_ROOT, self.vault_root.expose()),
            (SUBJECT, self.subject.expose()),
            (INDEX, self.index.expose()),
            (AUDIT, self.audit.expose()),
            (MEMBER, self.member.expose()),
            (VALIDATOR, self.validator.expose()),
            (READER, self.reader.expose()),
        ];
        let items = single.len() + self.epochs.len();
        let mut writer = Writer::with_capacity(1 + items * 37).u8(VERSION);
        for (tag, secret) in single {
            writer = writer.u8(tag).u32(0).raw(secret);
        }
        for (epoch, secret) in &self.epochs {
            writer = writer.u8(EPOCH).u32(epoch.get()).raw(secret.expose());
        }
        writer.done()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Keystore, WireError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(WireError::Bad("version"));
        }
        let keystore = Keystore {
            vault_root: VaultRootSecret::new(single(&mut reader, VAULT_ROOT)?),
            subject: SubjectSecret::new(single(&mut reader, SUBJECT)?),
            index: IndexSecret::new(single(&mut reader, INDEX)?),
            audit: AuditSeed::new(single(&mut reader, AUDIT)?),
            member: MemberSeed::new(single(&mut reader, MEMBER)?),
            validator: ValidatorSeed::new(single(&mut reader, VALIDATOR)?),
            reader: ReaderSecret::new(single(&mut reader, READER)?),
            epochs: epochs(&mut reader)?,
        };
        reader.finish()?;
        Ok(keystore)
    }
}

impl std::fmt::Debug for Keystore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keystore({} epochs)", self.epochs.len())
    }
}

fn single(reader: &mut Reader<'_>, tag: u8) -> Result<[u8; 32], WireError> {
    if reader.u8()? != tag || reader.u32()? != 0 {
        return Err(WireError::Bad("item"));
    }
    reader.array()
}

fn epochs(reader: &mut Reader<'_>) -> Result<BTreeMap<Epoch, EpochSecret>, WireError> {
    let mut epochs = BTreeMap::new();
    while !reader.rest().is_empty() {
        if reader.u8()? != EPOCH {
            return Err(WireError::Bad("item"));
        }
        let epoch = Epoch::new(reader.u32()?);
        if epochs.last_key_value().is_some_and(|(last, _)| *last >= epoch) {
            return Err(WireError::Bad("order of epochs"));
        }
        epochs.insert(epoch, EpochSecret::new(reader.array()?));
    }
    if epochs.is_empty() { Err(WireError::Short) } else { Ok(epochs) }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn contents_read_back_and_nothing_else_does() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let mut keystore = Keystore::generate(&mut rng);
        keystore.add_epoch(&mut rng);
        let bytes = keystore.to_bytes();
        let again = Keystore::from_bytes(&bytes).unwrap();
        assert_eq!(*again.to_bytes(), *bytes);
        // cut after the first epoch, it reads as a keystore without the second: the file's checksum and seal forbid that
        for end in (0..bytes.len()).filter(|end| *end != bytes.len() - 37) {
            assert!(Keystore::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert!(Keystore::from_bytes(&longer).is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_changed_byte_is_read_or_refused(at in 0usize..297, value: u8) {
            let mut bytes = Keystore::generate(&mut rand_chacha::ChaCha20Rng::seed_from_u64(1)).to_bytes();
            bytes[at] = value;
            if let Ok(keystore) = Keystore::from_bytes(&bytes) {
                proptest::prop_assert_eq!(keystore.to_bytes(), bytes);
            }
        }
    }
}
