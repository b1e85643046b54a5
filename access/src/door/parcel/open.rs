//! Opening a parcel: the reader's checks, in the order in which each may rely on those before it.

mod doctored;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR};
use vouchsafe_circuits::fe::Fe;
use vouchsafe_circuits::ids::{Commitment, LeafHash};
use vouchsafe_circuits::record::{
    EncodedField, FIELDS, FieldIndex, FieldValue, Tier, commitment_from, leaf_hash, root_of_leaves,
};
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::secrets::SaltSeed;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_ledger_types::entry::{Entry, SignedEntry};
use vouchsafe_ledger_types::ids::{EntryId, MemberId};
use vouchsafe_ledger_types::units::{BlockTime, Height};
use zeroize::Zeroizing;

use super::{Logged, PARCEL_VERSION, Parcel, SealedKey};
use crate::aead::DataKey;
use crate::door::release::covers;
use crate::door::terms::ReleaseTerms;
use crate::envelope::{Binding, LeafTiers, Part, SealedPart, TierPayload};
use crate::ledger::ChainRules;
use crate::party::PartySecrets;
use crate::secret::ReaderSecret;
use crate::vault::RecordId;

/// The checks of a reader, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParcelCheck {
    /// Version, schema and parts can be read.
    Form,
    /// It is sealed to this reader's card.
    Addressee,
    /// It is of the record that was asked for.
    Expected,
    /// Its time is not over.
    InForce,
    /// The entry was accepted; or, of an emergency without network, is signed.
    Logged,
    /// The entry is the issuer's, and of exactly this release.
    Release,
    /// The data keys and the parts open.
    Keys,
    /// What was received gives the record's commitment.
    Content,
}

/// A parcel was refused: by which check, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parcel is refused ({check:?}): {why}")]
pub struct ParcelError {
    /// The check that failed.
    pub check: ParcelCheck,
    /// Why; never a value.
    pub why: String,
}

/// How far the entry had got when the parcel was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The ledger accepted it.
    Logged {
        /// In which block.
        height: Height,
        /// When.
        time: BlockTime,
    },
    /// An emergency without network: there is the institution's signature, and no word of the ledger yet.
    Promised,
}

/// A parcel that passed every check. Holds what a record says: Debug shows the type only.
pub struct OpenedParcel {
    /// Which record.
    pub record: RecordId,
    /// Who committed it.
    pub issuer: MemberId,
    /// Its schema.
    pub schema: Schema,
    /// The fields up to the parcel's tier, in the order of the schema.
    pub fields: Vec<(FieldIndex, FieldValue)>,
    /// The entry that says that it was released.
    pub entry: EntryId,
    /// How far that entry had got.
    pub standing: Standing,
}

impl std::fmt::Debug for OpenedParcel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenedParcel")
    }
}

type Outcome<T = ()> = Result<T, String>;

/// What was received of one tier.
struct Received {
    tier: Tier,
    payload: TierPayload,
}

impl Parcel {
    /// Opens it, if every check passes. `expected` is the record that the reader asked for, not what the parcel says.
    pub fn open(
        &self,
        secrets: &PartySecrets,
        expected: RecordId,
        rules: &ChainRules,
        now: BlockTime,
    ) -> Result<OpenedParcel, ParcelError> {
        self.run(secrets, expected, rules, now, None)
    }

    /// Opens it without one check: what an attack does where nobody looks. For controls in tests.
    pub fn dangerous_open_without(
        &self,
        skipped: ParcelCheck,
        secrets: &PartySecrets,
        expected: RecordId,
        rules: &ChainRules,
        now: BlockTime,
    ) -> Result<OpenedParcel, ParcelError> {
        self.run(secrets, expected, rules, now, Some(skipped))
    }

    fn run(
        &self,
        secrets: &PartySecrets,
        expected: RecordId,
        rules: &ChainRules,
        now: BlockTime,
        skipped: Option<ParcelCheck>,
    ) -> Result<OpenedParcel, ParcelError> {
        let judge = |check: ParcelCheck, outcome: Outcome| match outcome {
            Err(why) if skipped != Some(check) => Err(ParcelError { check, why }),
            _ => Ok(()),
        };
        let must = |check: ParcelCheck| move |why: String| ParcelError { check, why };
        let (schema, parts) = self.form().map_err(must(ParcelCheck::Form))?;
        judge(ParcelCheck::Addressee, self.addressed_to(secrets))?;
        judge(ParcelCheck::Expected, same(self.record == expected, "it is of another record than was asked for"))?;
        judge(ParcelCheck::InForce, same(now < self.until, "its time is over: ask again"))?;
        let accepted = self.accepted(rules);
        judge(ParcelCheck::Logged, accepted.as_ref().map(|_| ()).map_err(Clone::clone))?;
        // without a proof there is only the entry's own word, which a skipped check takes
        let found = accepted.or_else(|_| self.claimed(rules)).map_err(must(ParcelCheck::Logged))?;
        let terms = self.terms(rules);
        judge(ParcelCheck::Release, covers(&found.entry, &terms, &self.question).map_err(str::to_owned))?;
        let received = self.received(secrets, rules.suite, &schema, &parts, &terms, found.id);
        let received = received.map_err(must(ParcelCheck::Keys))?;
        judge(ParcelCheck::Content, self.content(rules.suite, &schema, &received))?;
        let mut fields: Vec<_> = received.into_iter().flat_map(|received| received.payload.fields).collect();
        fields.sort_by_key(|(index, _)| *index);
        let (record, issuer) = (self.record, self.issuer);
        Ok(OpenedParcel { record, issuer, schema, fields, entry: found.id, standing: found.standing })
    }

    fn form(&self) -> Outcome<(Schema, Vec<SealedPart>)> {
        if self.version != PARCEL_VERSION {
            return Err(format!("this program reads parcels of version {PARCEL_VERSION}"));
        }
        let schema = Schema::parse(&self.schema).map_err(text)?;
        let (_, parts) = SealedPart::from_blob(&self.parts).map_err(text)?;
        let tiers = LeafTiers::of(&schema);
        let wanted: Vec<Tier> = Tier::ALL.into_iter().filter(|tier| tiers.uses(*tier) && *tier <= self.tier).collect();
        if !parts.iter().map(SealedPart::part).eq(wanted.iter().map(|tier| Part::Tier(*tier))) {
            return Err("it has not exactly the parts that its schema and tier ask for".to_owned());
        }
        if !self.keys.iter().map(|key| key.tier).eq(wanted) {
            return Err("it has not exactly one key for each part".to_owned());
        }
        let above = FieldIndex::all().filter(|leaf| tiers.tier(*leaf) > self.tier);
        if !self.leaves.iter().map(|(leaf, _)| *leaf).eq(above) {
            return Err("it has not exactly the hashes of the leaves above its tier".to_owned());
        }
        Ok((schema, parts))
    }

    fn addressed_to(&self, secrets: &PartySecrets) -> Outcome {
        let own = secrets.card().map_err(text)?.id();
        same(self.card == own, "it is sealed to another reader's card")
    }

    fn accepted(&self, rules: &ChainRules) -> Outcome<Found> {
        match &self.logged {
            Logged::Accepted(proof) => {
                let accepted = rules.accepted(proof).map_err(text)?;
                let standing = Standing::Logged { height: accepted.height(), time: accepted.time() };
                Ok(Found { entry: accepted.entry().clone(), id: accepted.id(), standing })
            }
            Logged::Promised(bytes) => {
                let entry = SignedEntry::decode(bytes, rules.suite).map_err(text)?;
                let entry = entry.verify(&rules.chain).map_err(text)?;
                if !matches!(entry.entry().body, vouchsafe_ledger_types::entry::Body::EmergencyAccess(_)) {
                    return Err("only an emergency may be released before the ledger took its entry".to_owned());
                }
                Ok(Found { entry: entry.entry().clone(), id: entry.id(), standing: Standing::Promised })
            }
        }
    }

    /// What the entry says, whoever signed it and whether or not it was accepted.
    fn claimed(&self, rules: &ChainRules) -> Outcome<Found> {
        let bytes = match &self.logged {
            Logged::Accepted(proof) => &proof.entry,
            Logged::Promised(bytes) => bytes,
        };
        let entry = SignedEntry::decode(bytes, rules.suite).map_err(text)?;
        Ok(Found { entry: entry.entry().clone(), id: entry.id(), standing: Standing::Promised })
    }

    fn terms(&self, rules: &ChainRules) -> ReleaseTerms {
        ReleaseTerms {
            chain: rules.chain.clone(),
            member: self.issuer,
            record: self.record,
            tier: self.tier,
            purpose: self.purpose,
            card: self.card,
            basis: self.basis,
            until: self.until,
        }
    }

    fn received(
        &self,
        secrets: &PartySecrets,
        suite: Suite,
        schema: &Schema,
        parts: &[SealedPart],
        terms: &ReleaseTerms,
        entry: EntryId,
    ) -> Outcome<Vec<Received>> {
        let (cipher, _) = SealedPart::from_blob(&self.parts).map_err(text)?;
        let (commitment, schema) = (self.record.commitment(), schema.id());
        let binding = Binding { cipher, proof: suite, commitment, schema };
        let mut received = Vec::new();
        for (part, key) in parts.iter().zip(&self.keys) {
            let data_key = open_key(key, secrets.reader_secret(), &terms.key_info(entry, key.tier))?;
            let payload = part.open_tier(&binding, &data_key).map_err(text)?;
            received.push(Received { tier: key.tier, payload });
        }
        Ok(received)
    }

    /// Computes C again from what was received.
    fn content(&self, suite: Suite, schema: &Schema, received: &[Received]) -> Outcome {
        let computed = self.computed(suite, schema, received)?;
        same(
            computed == self.record.commitment(),
            "what was received is not what was committed to: the institution changed the record, or shows another",
        )
    }

    fn computed(&self, suite: Suite, schema: &Schema, received: &[Received]) -> Outcome<Commitment> {
        let tiers = LeafTiers::of(schema);
        let mut leaves: [Option<LeafHash>; FIELDS] = [None; FIELDS];
        for (leaf, hash) in &self.leaves {
            leaves[leaf.as_usize()] = Some(*hash);
        }
        for Received { tier, payload } in received {
            let own: Vec<FieldIndex> = FieldIndex::all().filter(|leaf| tiers.tier(*leaf) == *tier).collect();
            let named = own.iter().filter(|leaf| schema.field_at(**leaf).is_some());
            if !payload.fields.iter().map(|(index, _)| index).eq(named) {
                return Err("a tier holds other fields than its schema says".to_owned());
            }
            for leaf in own {
                let value = payload.fields.iter().find(|(index, _)| *index == leaf).map(|(_, value)| value);
                let hash = leaf_of(suite, schema, leaf, value, &payload.seed)?;
                leaves[leaf.as_usize()] = Some(hash);
            }
        }
        let mut all = [LeafHash::new(Fe::ZERO); FIELDS];
        for (to, from) in all.iter_mut().zip(leaves) {
            *to = from.ok_or("a leaf is missing")?;
        }
        let root = root_of_leaves(suite, &all).map_err(text)?;
        commitment_from(suite, self.issuer.issuer(), schema.id(), root, self.header).map_err(text)
    }
}

/// The entry behind a parcel.
struct Found {
    entry: Entry,
    id: EntryId,
    standing: Standing,
}

fn leaf_of(
    suite: Suite,
    schema: &Schema,
    leaf: FieldIndex,
    value: Option<&FieldValue>,
    seed: &SaltSeed,
) -> Outcome<LeafHash> {
    use vouchsafe_circuits::record::Absence;
    let encoded = match (schema.field_at(leaf), value) {
        (Some(field), Some(FieldValue::Present(value))) => EncodedField::Present(field.encode(value).map_err(text)?),
        (Some(_), Some(FieldValue::Absent(reason))) => EncodedField::Absent(*reason),
        _ => EncodedField::Absent(Absence::Unused),
    };
    leaf_hash(suite, &encoded, &seed.salt(leaf)).map_err(text)
}

fn open_key(key: &SealedKey, secret: &ReaderSecret, info: &[u8]) -> Outcome<DataKey> {
    type Private = <X25519HkdfSha256 as Kem>::PrivateKey;
    type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;
    let shut = |_| "a data key does not open: it is sealed to another key, or for another release".to_owned();
    let secret = Private::from_bytes(secret.expose()).map_err(shut)?;
    let encapsulated = Encapsulated::from_bytes(&key.encapsulated).map_err(shut)?;
    let opened = hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret,
        &encapsulated,
        info,
        &key.sealed,
        b"",
    );
    let opened = Zeroizing::new(opened.map_err(shut)?);
    let bytes: &[u8; 32] = opened.as_slice().try_into().map_err(|_| "a data key has 32 bytes".to_owned())?;
    Ok(DataKey::new(*bytes))
}

fn same(holds: bool, why: &str) -> Outcome {
    if holds { Ok(()) } else { Err(why.to_owned()) }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
