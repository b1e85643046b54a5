//! A party: somebody outside the institution's own service who asks or reads. Its secrets, and the file they lie in.
//!
//! ```text
//! secrets   signing seed (Ed25519, signs calls) · reader secret (X25519, data keys are sealed to it)
//! card      name and both public keys: ledger-types, `card`
//! file      the layout of `sealed_file` with the magic "VOUCHPTY"; contents: version u8 = 1 · name · seed 32 · secret 32
//! ```
//!
//! The file has mode 0600 and never overwrites another. Whoever has it and the passphrase is that party; a lost
//! passphrase cannot be recovered: make a new party and grant again.

mod file;

use rand::{CryptoRng, RngCore};
use vouchsafe_ledger_types::card::{Card, CardError, PartyName, ReaderKey};
use vouchsafe_ledger_types::signing::SigningKey;
use zeroize::Zeroizing;

pub use file::{CreatePartyError, OpenPartyError};

use crate::secret::{ReaderSecret, secret_bytes};
use crate::wire::{Reader, WireError, Writer};

const VERSION: u8 = 1;

secret_bytes! {
    /// The Ed25519 seed with which a party signs its calls.
    PartySeed,
}

/// Both secrets of a party, and its name. Wiped when dropped.
#[derive(Clone)]
pub struct PartySecrets {
    name: PartyName,
    seed: PartySeed,
    reader: ReaderSecret,
}

impl PartySecrets {
    /// Draws both secrets.
    pub fn generate(name: PartyName, rng: &mut (impl RngCore + CryptoRng)) -> PartySecrets {
        PartySecrets { name, seed: PartySeed::random(rng), reader: ReaderSecret::random(rng) }
    }

    /// What it shows of itself.
    pub fn card(&self) -> Result<Card, CardError> {
        let secret = x25519_dalek::StaticSecret::from(*self.reader.expose());
        let reader = ReaderKey::from_bytes(x25519_dalek::PublicKey::from(&secret).to_bytes())?;
        Ok(Card::new(self.name.clone(), self.signing_key().public(), reader))
    }

    /// What it signs calls with.
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(self.seed.expose())
    }

    /// What opens the data keys that were sealed to it.
    pub(crate) fn reader_secret(&self) -> &ReaderSecret {
        &self.reader
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Writer::with_capacity(160)
            .u8(VERSION)
            .bytes(self.name.as_str().as_bytes())
            .raw(self.seed.expose())
            .raw(self.reader.expose())
            .done()
    }

    fn from_bytes(bytes: &[u8]) -> Result<PartySecrets, WireError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(WireError::Bad("version"));
        }
        let name = std::str::from_utf8(reader.bytes()?).map_err(|_| WireError::Bad("name"))?;
        let secrets = PartySecrets {
            name: name.parse().map_err(|_| WireError::Bad("name"))?,
            seed: PartySeed::new(reader.array()?),
            reader: ReaderSecret::new(reader.array()?),
        };
        reader.finish()?;
        Ok(secrets)
    }
}

impl std::fmt::Debug for PartySecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PartySecrets")
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn contents_read_back_and_nothing_else_does() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let secrets = PartySecrets::generate("Dr. Ada".parse().unwrap(), &mut rng);
        let bytes = secrets.to_bytes();
        let again = PartySecrets::from_bytes(&bytes).unwrap();
        assert_eq!(again.card().unwrap().id(), secrets.card().unwrap().id());
        for end in 0..bytes.len() {
            assert!(PartySecrets::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert!(PartySecrets::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        assert_eq!(format!("{secrets:?} {:?}", secrets.signing_key()), "PartySecrets SigningKey");
    }

    #[test]
    fn another_name_is_another_card() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let secrets = PartySecrets::generate("a".parse().unwrap(), &mut rng);
        let other = PartySecrets { name: "b".parse().unwrap(), ..secrets.clone() };
        assert_ne!(secrets.card().unwrap().id(), other.card().unwrap().id());
    }
}
