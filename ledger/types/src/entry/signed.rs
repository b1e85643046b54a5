//! An entry with its signatures, and one whose signatures were checked.

use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::tags::Domain;

use super::{Body, ENTRY_BYTES_MAX, Entry, EntryError, id_of};
use crate::convert;
use crate::ids::{ChainId, EntryId, LogHash};
use crate::signing::{PublicKey, Signature, SigningKey};

/// An entry, its bytes and its signatures; well formed, but not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEntry {
    entry: Entry,
    bytes: Vec<u8>,
    signatures: Vec<Signature>,
}

impl SignedEntry {
    /// Signs an entry with one key, the header's signer; or a genesis with the first key of each founder, in order.
    /// A key that is not the one named is found by `verify`.
    pub fn sign(entry: Entry, keys: &[&SigningKey]) -> Result<Self, EntryError> {
        convert::check(&entry.body)?;
        let bytes = entry.encode();
        let message = signed_message(&entry.header.chain, &bytes);
        let signatures = keys.iter().map(|key| key.sign(&message)).collect();
        let signed = Self { entry, bytes, signatures };
        if signed.encode().len() > ENTRY_BYTES_MAX { Err(EntryError::TooLong) } else { Ok(signed) }
    }

    /// The one encoding: what is sent and logged.
    pub fn encode(&self) -> Vec<u8> {
        convert::signed_bytes(&self.bytes, &self.signatures)
    }

    /// Parses the bytes of a signed entry; field elements must be canonical in this suite.
    pub fn decode(bytes: &[u8], suite: Suite) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong);
        }
        let (entry_bytes, signatures) = convert::signed(bytes)?;
        let entry = Entry::decode(&entry_bytes, suite)?;
        Ok(Self { entry, bytes: entry_bytes, signatures })
    }

    /// What it says.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The id of its entry.
    pub fn id(&self) -> EntryId {
        id_of(&self.bytes)
    }

    /// Checks that it is for this chain and that its signatures hold. Whether the signer is a member is not asked here.
    pub fn verify(self, chain: &ChainId) -> Result<VerifiedEntry, EntryError> {
        if self.entry.header.chain != *chain {
            return Err(EntryError::WrongChain(self.entry.header.chain.clone()));
        }
        let signers = self.signers()?;
        if signers.len() != self.signatures.len() {
            return Err(EntryError::SignatureCount { needed: signers.len() });
        }
        let message = signed_message(chain, &self.bytes);
        for (nth, (key, signature)) in signers.iter().zip(&self.signatures).enumerate() {
            key.verify(&message, signature).map_err(|_| EntryError::BadSignature(nth))?;
        }
        Ok(VerifiedEntry { id: self.id(), encoded: self.encode(), entry: self.entry })
    }

    /// Whose signatures it needs, in order.
    fn signers(&self) -> Result<Vec<PublicKey>, EntryError> {
        let header = &self.entry.header;
        let Body::Genesis(genesis) = &self.entry.body else { return Ok(vec![header.signer]) };
        let firsts: Vec<PublicKey> = genesis.members.iter().filter_map(|member| member.keys.first().copied()).collect();
        let founder = genesis.members.first().map(|member| member.id(&header.chain));
        if firsts.first() != Some(&header.signer) || founder != Some(header.member) {
            let why = "a genesis is signed for its first member, with that member's first key".into();
            return Err(EntryError::Field { field: "header.signer", why });
        }
        Ok(firsts)
    }
}

/// A well-formed entry whose signatures hold; what a block is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEntry {
    id: EntryId,
    encoded: Vec<u8>,
    entry: Entry,
}

impl VerifiedEntry {
    /// Its id.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// What it says.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The bytes of the signed entry, as they are logged.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Its leaf hash in the log.
    pub fn leaf(&self) -> LogHash {
        LogHash::entry_leaf(&self.encoded)
    }
}

/// What is signed: domain and chain id, each behind its length, then the entry's bytes.
fn signed_message(chain: &ChainId, entry: &[u8]) -> Vec<u8> {
    let domain = Domain::EntrySignature.as_str().as_bytes();
    let chain = chain.as_str().as_bytes();
    let mut message = Vec::with_capacity(16 + domain.len() + chain.len() + entry.len());
    for part in [domain, chain] {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part);
    }
    message.extend_from_slice(entry);
    message
}
