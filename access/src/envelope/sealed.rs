//! Sealing a part, wrapping its data key, and the way back.

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::ids::{Commitment, SchemaId};
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::suite::Suite;

use super::{HeaderPayload, Part, TierPayload};
use crate::aead::{self, CipherSuite, DataKey, OVERHEAD, WrapKey};
use crate::labels;
use crate::ladder::{Epoch, EraseKey, HolderKey, KeyId, TierKey};
use crate::wire::{Reader, WireError, Writer};

/// What every part and wrap of a record is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The algorithms of the envelope.
    pub cipher: CipherSuite,
    /// The suite of the record's commitment.
    pub proof: Suite,
    /// The record's commitment.
    pub commitment: Commitment,
    /// The record's schema.
    pub schema: SchemaId,
}

/// The ciphertext of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPart {
    pub(super) part: Part,
    pub(super) sealed: Vec<u8>,
}

/// The data key of one part, wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    part: Part,
    epoch: Epoch,
    key_id: KeyId,
    sealed: [u8; WRAPPED],
}

const WRAPPED: usize = 32 + OVERHEAD;

/// A part could not be opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The key given stands below the part on the ladder.
    #[error("a key of tier {has} cannot open {needs}: ask for a higher tier", has = *has as u8)]
    TierTooLow {
        /// The key's tier.
        has: Tier,
        /// The part.
        needs: Part,
    },
    /// The wrap was made with another key.
    #[error("{part} is wrapped with key {wrapped_with} of epoch {epoch}, which is not the key given")]
    OtherKey {
        /// The part.
        part: Part,
        /// The key it was wrapped with.
        wrapped_with: KeyId,
        /// The epoch of that key.
        epoch: Epoch,
    },
    /// The wrap does not open: another record's, another subject's erase key, or damaged.
    #[error(
        "the data key of {0} does not unwrap: the erase key is another, or the wrap is damaged or another record's"
    )]
    Wrap(Part),
    /// The payload does not open: another record's or part's, or damaged.
    #[error("{0} does not open: it is damaged, or another record's")]
    Payload(Part),
    /// The payload opened, but cannot be read.
    #[error("{0} opened, but its contents cannot be read: {1}")]
    Contents(Part, String),
    /// The blob is no blob of ours.
    #[error("not a readable envelope: {0}")]
    Blob(String),
    /// The envelope lacks a part that the schema asks for, or has one too many.
    #[error("the envelope has not exactly the parts that its schema asks for ({0})")]
    Parts(Part),
}

impl SealedPart {
    /// Seals a tier's fields under a fresh data key.
    pub fn seal_tier(
        binding: &Binding,
        tier: Tier,
        payload: &TierPayload,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> (SealedPart, DataKey) {
        Self::seal(binding, Part::Tier(tier), &payload.to_bytes(), rng)
    }

    /// Seals a header under a fresh data key.
    pub fn seal_header(
        binding: &Binding,
        payload: &HeaderPayload,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> (SealedPart, DataKey) {
        Self::seal(binding, Part::Header, &payload.to_bytes(), rng)
    }

    fn seal(
        binding: &Binding,
        part: Part,
        plain: &[u8],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> (SealedPart, DataKey) {
        let key = DataKey::random(rng);
        let sealed = aead::seal_payload(&key, &part_aad(binding, part), plain, rng);
        (SealedPart { part, sealed }, key)
    }

    /// The same part with other fields, under the key that it has: that key then seals two payloads. To show that a
    /// reader notices; see [`crate::door::Parcel::dangerous_change`].
    pub(crate) fn dangerous_reseal_tier(
        &self,
        binding: &Binding,
        payload: &TierPayload,
        key: &DataKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> SealedPart {
        let sealed = aead::seal_payload(key, &part_aad(binding, self.part), &payload.to_bytes(), rng);
        SealedPart { part: self.part, sealed }
    }

    /// Opens a tier's fields.
    pub fn open_tier(&self, binding: &Binding, key: &DataKey) -> Result<TierPayload, EnvelopeError> {
        let plain = self.open(binding, key)?;
        TierPayload::from_bytes(&plain).map_err(|e| EnvelopeError::Contents(self.part, e.to_string()))
    }

    /// Opens a header.
    pub fn open_header(&self, binding: &Binding, key: &DataKey) -> Result<HeaderPayload, EnvelopeError> {
        let plain = self.open(binding, key)?;
        HeaderPayload::from_bytes(&plain, binding.proof).map_err(|e| EnvelopeError::Contents(self.part, e.to_string()))
    }

    fn open(&self, binding: &Binding, key: &DataKey) -> Result<zeroize::Zeroizing<Vec<u8>>, EnvelopeError> {
        aead::open_payload(key, &part_aad(binding, self.part), &self.sealed)
            .map_err(|_| EnvelopeError::Payload(self.part))
    }

    /// Which part it is.
    pub fn part(&self) -> Part {
        self.part
    }
}

impl Wrap {
    /// Wraps the data key of a header.
    pub fn of_header(
        binding: &Binding,
        holder: &HolderKey,
        erase: &EraseKey,
        data_key: &DataKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Wrap {
        Self::make(binding, Part::Header, holder.epoch(), holder.id(), &holder.wrap_key(erase), data_key, rng)
    }

    /// Wraps the data key of the fields of the key's tier.
    pub fn of_tier(
        binding: &Binding,
        key: &TierKey,
        erase: &EraseKey,
        data_key: &DataKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Wrap {
        Self::make(binding, Part::Tier(key.tier()), key.epoch(), key.id(), &key.wrap_key(erase), data_key, rng)
    }

    fn make(
        binding: &Binding,
        part: Part,
        epoch: Epoch,
        key_id: KeyId,
        key: &WrapKey,
        data_key: &DataKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Wrap {
        let sealed = aead::wrap(key, &wrap_aad(binding, part, epoch, key_id), data_key.expose(), rng);
        let Ok(sealed) = sealed.try_into() else { unreachable!("a wrapped key has one length") };
        Wrap { part, epoch, key_id, sealed }
    }

    /// Unwraps the data key of a tier with that tier's key or one above.
    pub fn open_with_tier_key(
        &self,
        binding: &Binding,
        key: &TierKey,
        erase: &EraseKey,
    ) -> Result<DataKey, EnvelopeError> {
        let too_low = EnvelopeError::TierTooLow { has: key.tier(), needs: self.part };
        let Part::Tier(tier) = self.part else { return Err(too_low) };
        let key = key.down_to(tier).ok_or(too_low)?;
        self.check_key(key.epoch(), key.id())?;
        self.open(binding, &key.wrap_key(erase))
    }

    /// Unwraps the data key of any part with the holder key.
    pub fn open_with_holder_key(
        &self,
        binding: &Binding,
        key: &HolderKey,
        erase: &EraseKey,
    ) -> Result<DataKey, EnvelopeError> {
        match self.part {
            Part::Tier(tier) => self.open_with_tier_key(binding, &key.tier(tier), erase),
            Part::Header => {
                self.check_key(key.epoch(), key.id())?;
                self.open(binding, &key.wrap_key(erase))
            }
        }
    }

    fn check_key(&self, epoch: Epoch, id: KeyId) -> Result<(), EnvelopeError> {
        if epoch == self.epoch && id == self.key_id {
            return Ok(());
        }
        Err(EnvelopeError::OtherKey { part: self.part, wrapped_with: self.key_id, epoch: self.epoch })
    }

    fn open(&self, binding: &Binding, key: &WrapKey) -> Result<DataKey, EnvelopeError> {
        let failed = EnvelopeError::Wrap(self.part);
        let aad = wrap_aad(binding, self.part, self.epoch, self.key_id);
        let plain = aead::unwrap(key, &aad, &self.sealed).map_err(|_| failed.clone())?;
        plain.first_chunk::<32>().map(|key| DataKey::new(*key)).ok_or(failed)
    }

    /// Which part's data key it holds.
    pub fn part(&self) -> Part {
        self.part
    }

    /// The epoch of the key that made it.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn write(&self, writer: Writer) -> Writer {
        writer.u8(self.part.code()).u32(self.epoch.get()).raw(self.key_id.as_bytes()).raw(&self.sealed)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Wrap, WireError> {
        Ok(Wrap {
            part: Part::from_code(reader.u8()?).ok_or(WireError::Bad("part"))?,
            epoch: Epoch::new(reader.u32()?),
            key_id: KeyId::new(reader.array()?),
            sealed: reader.array()?,
        })
    }
}

fn part_aad(binding: &Binding, part: Part) -> Vec<u8> {
    bound(Writer::with_capacity(128).raw(labels::PART_AAD), binding, part).public()
}

fn wrap_aad(binding: &Binding, part: Part, epoch: Epoch, key_id: KeyId) -> Vec<u8> {
    let writer = bound(Writer::with_capacity(128).raw(labels::WRAP_AAD), binding, part);
    writer.u32(epoch.get()).raw(key_id.as_bytes()).public()
}

/// suite u16 ‖ proof suite u32 ‖ commitment 32 ‖ schema 32 ‖ part u8
fn bound(writer: Writer, binding: &Binding, part: Part) -> Writer {
    writer
        .u16(binding.cipher.code())
        .u32(binding.proof.code())
        .raw(binding.commitment.fe().as_bytes())
        .raw(binding.schema.fe().as_bytes())
        .u8(part.code())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use vouchsafe_circuits::fe::Fe;

    use super::*;

    fn binding(commitment: u64) -> Binding {
        Binding {
            cipher: CipherSuite::Aes256,
            proof: Suite::Bn254,
            commitment: Commitment::new(Fe::from_u64(commitment)),
            schema: SchemaId::new(Fe::from_u64(1)),
        }
    }

    /// Two records of one subject and tier have one wrap key: bound data alone keeps their wraps apart.
    #[test]
    fn without_bound_data_a_wrap_could_be_moved() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let holder = HolderKey::of_epoch(Epoch::FIRST, &crate::secret::EpochSecret::random(&mut rng));
        let (erase, data_key) = (EraseKey::random(&mut rng), DataKey::random(&mut rng));
        let moved = Wrap::of_header(&binding(1), &holder, &erase, &data_key, &mut rng);
        let opened = moved.open_with_holder_key(&binding(2), &holder, &erase);
        assert_eq!(opened.unwrap_err(), EnvelopeError::Wrap(Part::Header));
        // control: sealed with nothing bound, it opens wherever it is shown
        let unbound = aead::wrap(&holder.wrap_key(&erase), b"", data_key.expose(), &mut rng);
        assert_eq!(aead::unwrap(&holder.wrap_key(&erase), b"", &unbound).unwrap()[..], data_key.expose()[..]);
    }

    /// Each field of the bound data changes it, and so does the kind of thing that is sealed.
    #[test]
    fn bound_data_differs_in_each_of_its_fields() {
        let (b, id) = (binding(1), KeyId::new([1; 8]));
        let mut all = vec![
            part_aad(&b, Part::Header),
            part_aad(&b, Part::Tier(Tier::Public)),
            part_aad(&binding(2), Part::Header),
            part_aad(&Binding { schema: SchemaId::new(Fe::from_u64(2)), ..b }, Part::Header),
            wrap_aad(&b, Part::Header, Epoch::FIRST, id),
            wrap_aad(&b, Part::Header, Epoch::new(1), id),
            wrap_aad(&b, Part::Header, Epoch::FIRST, KeyId::new([2; 8])),
            wrap_aad(&b, Part::Tier(Tier::Public), Epoch::FIRST, id),
        ];
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        let text = part_aad(&b, Part::Header);
        let suites = &text[labels::PART_AAD.len()..];
        assert_eq!(suites[..6], [0, 1, 0, 0, 0, 1], "cipher suite, then proof suite");
    }
}
