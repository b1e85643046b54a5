//! Releasing: the one place where data keys are taken from the vault and sealed to a reader (HPKE, RFC 9180).
//!
//! ```text
//! warrant   an accepted entry (AcceptedEntry), or one that lies synced in the journal (Journalled): of exactly this release
//! clear     the warrant's commitment holds these terms ──► Cleared, which the vault asks for
//! seal      DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode; info: `terms`
//! ```
//!
//! Neither kind of warrant can be made by hand: one comes out of a verified proof, the other out of a synced write.
//! Base mode does not say who sealed: the reader learns that from the entry, and what was sealed from the commitment.

use std::convert::Infallible;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeS, Serializable};
use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::schema::Schema;
use vouchsafe_ledger_types::accepted::{AcceptanceProof, AcceptedEntry};
use vouchsafe_ledger_types::card::{Card, ReaderKey};
use vouchsafe_ledger_types::disclosure::QuestionOpening;
use vouchsafe_ledger_types::entry::{Body, Entry, PurposeClass};
use vouchsafe_ledger_types::ids::EntryId;

use super::emergency::Journalled;
use super::parcel::{Logged, PARCEL_VERSION, Parcel, SealedKey};
use super::terms::{Basis, ReleaseTerms};
use crate::aead::DataKey;
use crate::vault::{ReadError, RecordId, Vault};

/// What shows that this release is on the ledger, or durably on its way there.
pub(super) enum Warrant {
    /// The ledger accepted the entry; the proof goes to the reader.
    Accepted(Box<AcceptedEntry>, Box<AcceptanceProof>),
    /// The ledger was not reached; the entry is in the journal of emergencies.
    Journalled(Box<Journalled>),
}

/// That a warrant covers the release of this record up to this tier. Only this module makes one.
pub(crate) struct Cleared {
    record: RecordId,
    tier: Tier,
}

impl Cleared {
    pub(crate) fn record(&self) -> RecordId {
        self.record
    }

    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }
}

/// Nothing was released.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The entry is of another release: our bug.
    #[error("the logged entry is not of this release: {0}")]
    OtherRelease(&'static str),
    /// The vault could not open the record.
    #[error(transparent)]
    Read(Box<ReadError>),
    /// The key on the card cannot be sealed to.
    #[error("the reader's key cannot be sealed to: admit the reader again with a new card")]
    ReaderKey,
}

impl From<ReadError> for ReleaseError {
    fn from(error: ReadError) -> ReleaseError {
        ReleaseError::Read(Box::new(error))
    }
}

impl Warrant {
    fn entry(&self) -> (&Entry, EntryId) {
        match self {
            Warrant::Accepted(accepted, _) => (accepted.entry(), accepted.id()),
            Warrant::Journalled(journalled) => (journalled.entry(), journalled.id()),
        }
    }

    /// Whether the entry is of exactly this release.
    fn clear(&self, terms: &ReleaseTerms, shown: &QuestionOpening) -> Result<Cleared, ReleaseError> {
        let (entry, _) = self.entry();
        covers(entry, terms, shown).map_err(ReleaseError::OtherRelease)?;
        Ok(Cleared { record: terms.record, tier: terms.tier })
    }
}

/// Whether an entry is of exactly this release: vault and reader ask alike.
pub(super) fn covers(entry: &Entry, terms: &ReleaseTerms, shown: &QuestionOpening) -> Result<(), &'static str> {
    if entry.header.chain != terms.chain || entry.header.member != terms.member {
        return Err("it is another member's, or of another chain");
    }
    let commitment = match (&entry.body, terms.basis) {
        (Body::KeyRelease(body), Basis::Grant(grant)) if body.grant == grant && body.purpose == terms.purpose => {
            body.commitment
        }
        (Body::EmergencyAccess(body), Basis::Emergency(_)) if terms.purpose == PurposeClass::Emergency => {
            body.commitment
        }
        _ => return Err("it is of another kind, grant or purpose"),
    };
    if commitment == shown.commitment(&terms.digest()) { Ok(()) } else { Err("it commits to another release") }
}

/// Takes the data keys out of the vault and seals them to the card's reader key.
pub(super) async fn release(
    vault: &Vault,
    warrant: Warrant,
    terms: &ReleaseTerms,
    shown: QuestionOpening,
    card: &Card,
    schema: &Schema,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Parcel, ReleaseError> {
    if card.id() != terms.card {
        return Err(ReleaseError::OtherRelease("it is to another card"));
    }
    let cleared = warrant.clear(terms, &shown)?;
    let (_, entry) = warrant.entry();
    let unsealed = vault.unseal(&cleared, schema).await?;
    let mut keys = Vec::new();
    for (tier, key) in &unsealed.keys {
        keys.push(seal_key(key, *tier, &card.reader, &terms.key_info(entry, *tier), rng)?);
    }
    let logged = match warrant {
        Warrant::Accepted(_, proof) => Logged::Accepted(proof),
        Warrant::Journalled(journalled) => Logged::Promised(journalled.encoded()),
    };
    Ok(Parcel {
        version: PARCEL_VERSION,
        record: terms.record,
        issuer: terms.member,
        schema: schema.to_bytes(),
        tier: terms.tier,
        parts: unsealed.parts,
        keys,
        leaves: unsealed.leaves,
        header: unsealed.header,
        card: terms.card,
        purpose: terms.purpose,
        basis: terms.basis,
        until: terms.until,
        question: shown,
        logged,
    })
}

fn seal_key(
    key: &DataKey,
    tier: Tier,
    reader: &ReaderKey,
    info: &[u8],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<SealedKey, ReleaseError> {
    type Recipient = <X25519HkdfSha256 as Kem>::PublicKey;
    let recipient = Recipient::from_bytes(reader.as_bytes()).map_err(|_| ReleaseError::ReaderKey)?;
    let sealed = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &recipient,
        info,
        key.expose(),
        b"",
        &mut HpkeRng(rng),
    );
    let (encapsulated, sealed) = sealed.map_err(|_| ReleaseError::ReaderKey)?;
    Ok(SealedKey { tier, encapsulated: encapsulated.to_bytes().to_vec(), sealed })
}

/// Our random generator as the kind that `hpke` knows.
struct HpkeRng<'a, R>(&'a mut R);

impl<R: RngCore + CryptoRng> TryRng for HpkeRng<'_, R> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl<R: RngCore + CryptoRng> TryCryptoRng for HpkeRng<'_, R> {}
