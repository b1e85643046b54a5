//! From an encoded draft to a commitment and sealed parts, and back.
//!
//! A leaf belongs to its field's tier; the leaves beyond the schema belong to the lowest tier that the schema uses.
//! Every tier has a random salt seed, from which the salts of its leaves come. Opening recomputes the commitment from
//! what was decrypted, and refuses if it is another.

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::fe::{Fe, FeError};
use vouchsafe_circuits::ids::{Commitment, IssuerId, SchemaId};
use vouchsafe_circuits::record::{EncodedField, FIELDS, FieldIndex, FieldValue, Header, RecordOpening, Tier, Validity};
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::secrets::{Blinding, SaltSeed};
use vouchsafe_circuits::suite::Suite;

use crate::aead::{CipherSuite, DataKey};
use crate::envelope::{Binding, EnvelopeError, HeaderPayload, LeafTiers, Part, SealedPart, TierPayload, Wrap};
use crate::ladder::{EraseKey, HolderKey};
use crate::secret::random_bytes;
use crate::subject::SubjectSecrets;

/// What a record is made of, before it is committed to.
pub(super) struct Plain<'a> {
    pub schema: &'a Schema,
    pub schema_id: SchemaId,
    pub issuer: IssuerId,
    pub suite: Suite,
    pub values: &'a [FieldValue],
    pub fields: [EncodedField; FIELDS],
    pub valid: Validity,
}

/// A record, committed to and sealed.
pub(super) struct SealedRecord {
    pub binding: Binding,
    pub blob: Vec<u8>,
    pub wraps: Vec<Wrap>,
}

/// A record, opened.
pub(super) struct OpenedRecord {
    pub opening: RecordOpening,
    pub values: Vec<FieldValue>,
}

/// A record's parts do not make up the record.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenRecordError {
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    #[error("what was opened does not fit the schema ({0})")]
    Schema(String),
    #[error("what was opened gives another commitment, {0}")]
    OtherCommitment(Commitment),
    #[error("the keystore has no key of epoch {0}")]
    NoEpoch(crate::ladder::Epoch),
}

/// Draws salts and blinding, computes C, seals every part under the holder's ladder and the subject's erase key.
pub(super) fn seal(
    plain: &Plain<'_>,
    subject: &SubjectSecrets,
    holder: &HolderKey,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<SealedRecord, FeError> {
    let leaves = LeafTiers::of(plain.schema);
    let seeds = Tier::ALL.map(|_| SaltSeed::new(random_bytes(rng)));
    let Some(salts) = leaves.salts(|tier| Some(seeds[tier as usize].clone())) else {
        unreachable!("there is a seed for every tier")
    };
    let header = Header {
        subject_key: subject.subject_key.clone(),
        valid: plain.valid,
        blinding: Blinding::new(Fe::from_be_31(&random_bytes(rng))),
    };
    let opening = RecordOpening {
        issuer: plain.issuer,
        schema: plain.schema_id,
        fields: plain.fields,
        salts,
        header: header.clone(),
    };
    let binding = Binding {
        cipher: CipherSuite::Aes256,
        proof: plain.suite,
        commitment: opening.commitment(plain.suite)?,
        schema: plain.schema_id,
    };
    let (mut parts, mut wraps) = (Vec::new(), Vec::new());
    for tier in Tier::ALL.into_iter().filter(|tier| leaves.uses(*tier)) {
        let fields = FieldIndex::all().zip(plain.values).filter(|(index, _)| leaves.tier(*index) == tier);
        let payload = TierPayload {
            seed: seeds[tier as usize].clone(),
            fields: fields.map(|(index, value)| (index, value.clone())).collect(),
        };
        let (part, key) = SealedPart::seal_tier(&binding, tier, &payload, rng);
        wraps.push(Wrap::of_tier(&binding, &holder.tier(tier), &subject.erase_key, &key, rng));
        parts.push(part);
    }
    let (part, key) = SealedPart::seal_header(&binding, &HeaderPayload(header), rng);
    wraps.push(Wrap::of_header(&binding, holder, &subject.erase_key, &key, rng));
    parts.push(part);
    Ok(SealedRecord { blob: SealedPart::to_blob(binding.cipher, &parts), binding, wraps })
}

/// Opens every part, and checks that together they are the record that the binding names.
pub(super) fn open<'k>(
    binding: &Binding,
    issuer: IssuerId,
    schema: &Schema,
    blob: &[u8],
    wraps: &[Wrap],
    erase: &EraseKey,
    holder: impl Fn(crate::ladder::Epoch) -> Option<&'k HolderKey>,
) -> Result<OpenedRecord, OpenRecordError> {
    let leaves = LeafTiers::of(schema);
    let parts = parts_of(binding, blob, &leaves)?;
    let mut seeds: [Option<SaltSeed>; 5] = Tier::ALL.map(|_| None);
    let mut values: Vec<(FieldIndex, FieldValue)> = Vec::new();
    let mut header = None;
    for sealed in &parts {
        let key = data_key(binding, wraps, sealed.part(), erase, &holder)?;
        match sealed.part() {
            Part::Header => header = Some(sealed.open_header(binding, &key)?.0),
            Part::Tier(tier) => {
                let payload = sealed.open_tier(binding, &key)?;
                seeds[tier as usize] = Some(payload.seed);
                values.extend(payload.fields);
            }
        }
    }
    values.sort_by_key(|(index, _)| *index);
    if !values.iter().map(|(index, _)| *index).eq(schema.fields().map(|(index, _)| index)) {
        return Err(OpenRecordError::Schema("other fields than the schema's".to_owned()));
    }
    let values: Vec<FieldValue> = values.into_iter().map(|(_, value)| value).collect();
    let fields = schema.encode(&values).map_err(|e| OpenRecordError::Schema(e.to_string()))?;
    let opening = RecordOpening {
        issuer,
        schema: binding.schema,
        fields,
        salts: leaves
            .salts(|tier| seeds[tier as usize].clone())
            .ok_or_else(|| OpenRecordError::Schema("a tier is missing".to_owned()))?,
        header: header.ok_or(EnvelopeError::Parts(Part::Header))?,
    };
    let computed = opening.commitment(binding.proof).map_err(|e| OpenRecordError::Schema(e.to_string()))?;
    if computed != binding.commitment {
        return Err(OpenRecordError::OtherCommitment(computed));
    }
    Ok(OpenedRecord { opening, values })
}

/// The data key of one part.
pub(super) fn data_key<'k>(
    binding: &Binding,
    wraps: &[Wrap],
    part: Part,
    erase: &EraseKey,
    holder: impl Fn(crate::ladder::Epoch) -> Option<&'k HolderKey>,
) -> Result<DataKey, OpenRecordError> {
    let wrap = wraps.iter().find(|wrap| wrap.part() == part).ok_or(EnvelopeError::Parts(part))?;
    let key = holder(wrap.epoch()).ok_or(OpenRecordError::NoEpoch(wrap.epoch()))?;
    Ok(wrap.open_with_holder_key(binding, key, erase)?)
}

/// The parts of a blob up to a tier; never the header.
pub(super) fn parts_below(
    binding: &Binding,
    blob: &[u8],
    leaves: &LeafTiers,
    tier: Tier,
) -> Result<Vec<SealedPart>, EnvelopeError> {
    let mut parts = parts_of(binding, blob, leaves)?;
    parts.retain(|sealed| matches!(sealed.part(), Part::Tier(of) if of <= tier));
    Ok(parts)
}

/// The parts in a blob, which must be exactly those that the schema asks for.
fn parts_of(binding: &Binding, blob: &[u8], leaves: &LeafTiers) -> Result<Vec<SealedPart>, EnvelopeError> {
    let (cipher, parts) = SealedPart::from_blob(blob)?;
    if cipher != binding.cipher {
        return Err(EnvelopeError::Blob("has another algorithm suite than its row".to_owned()));
    }
    let wanted: Vec<Part> =
        Tier::ALL.into_iter().filter(|t| leaves.uses(*t)).map(Part::Tier).chain([Part::Header]).collect();
    for part in &wanted {
        if !parts.iter().any(|sealed| sealed.part() == *part) {
            return Err(EnvelopeError::Parts(*part));
        }
    }
    match parts.iter().find(|sealed| !wanted.contains(&sealed.part())) {
        Some(extra) => Err(EnvelopeError::Parts(extra.part())),
        None => Ok(parts),
    }
}
