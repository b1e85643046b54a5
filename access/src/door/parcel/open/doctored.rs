//! A parcel as a vault makes it that changed a field: to show that its reader notices.
//!
//! ```text
//! data key of the field's tier ─► the tier's fields, one value changed ─► sealed again under the same key; all else as it was
//! ```
//!
//! Takes the reader's secrets, since nobody else gets a data key out of a parcel. Gives nothing away: what comes out is
//! a parcel for the same reader, which that reader refuses.

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::record::{FieldIndex, FieldValue};

use super::{Outcome, open_key, text};
use crate::door::{Parcel, ParcelCheck, ParcelError};
use crate::envelope::{Binding, Part, SealedPart};
use crate::ledger::ChainRules;
use crate::party::PartySecrets;

impl Parcel {
    /// The parcel with another value in one field: what a dishonest vault would send. For demonstrations and tests.
    pub fn dangerous_change(
        &self,
        secrets: &PartySecrets,
        rules: &ChainRules,
        field: FieldIndex,
        value: &FieldValue,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Parcel, ParcelError> {
        let changed = self.changed(secrets, rules, field, value, rng);
        changed.map_err(|why| ParcelError { check: ParcelCheck::Form, why })
    }

    fn changed(
        &self,
        secrets: &PartySecrets,
        rules: &ChainRules,
        field: FieldIndex,
        value: &FieldValue,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Outcome<Parcel> {
        let (schema, parts) = self.form()?;
        let tier = schema.field_at(field).ok_or("the schema has no such field")?.tier;
        let entry = self.claimed(rules)?.id;
        let key = self.keys.iter().find(|key| key.tier == tier).ok_or("the field is above the parcel's tier")?;
        let key = open_key(key, secrets.reader_secret(), &self.terms(rules).key_info(entry, tier))?;
        let (cipher, _) = SealedPart::from_blob(&self.parts).map_err(text)?;
        let (commitment, schema) = (self.record.commitment(), schema.id());
        let binding = Binding { cipher, proof: rules.suite, commitment, schema };
        let mut changed = Vec::with_capacity(parts.len());
        for part in parts {
            if part.part() != Part::Tier(tier) {
                changed.push(part);
                continue;
            }
            let mut payload = part.open_tier(&binding, &key).map_err(text)?;
            let place = payload.fields.iter_mut().find(|(index, _)| *index == field);
            place.ok_or("the tier has no such field")?.1 = value.clone();
            changed.push(part.dangerous_reseal_tier(&binding, &payload, &key, rng));
        }
        Ok(Parcel { parts: SealedPart::to_blob(cipher, &changed), ..self.clone() })
    }
}
