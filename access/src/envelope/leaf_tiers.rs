//! Which tier each of a record's sixteen leaves belongs to: a field's own, and beyond the schema the lowest in use.

use vouchsafe_circuits::record::{FIELDS, FieldIndex, Tier};
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::secrets::{Salt, SaltSeed};

/// The tier of each leaf under a schema.
pub(crate) struct LeafTiers([Tier; FIELDS]);

impl LeafTiers {
    pub(crate) fn of(schema: &Schema) -> LeafTiers {
        let lowest = schema.fields().map(|(_, field)| field.tier).min().unwrap_or(Tier::Public);
        let mut tiers = [lowest; FIELDS];
        for (index, field) in schema.fields() {
            tiers[index.as_usize()] = field.tier;
        }
        LeafTiers(tiers)
    }

    pub(crate) fn tier(&self, leaf: FieldIndex) -> Tier {
        self.0[leaf.as_usize()]
    }

    pub(crate) fn uses(&self, tier: Tier) -> bool {
        self.0.contains(&tier)
    }

    /// The salts of all leaves, if there is a seed for every tier in use.
    pub(crate) fn salts(&self, seed: impl Fn(Tier) -> Option<SaltSeed>) -> Option<[Salt; FIELDS]> {
        let seeds = Tier::ALL.map(seed);
        let salts: Option<Vec<Salt>> = FieldIndex::all()
            .zip(self.0)
            .map(|(index, tier)| seeds[tier as usize].as_ref().map(|seed| seed.salt(index)))
            .collect();
        salts?.try_into().ok()
    }
}
