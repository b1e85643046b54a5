//! The key ladder of an epoch: who holds a key can derive those below it, never one above.
//!
//! ```text
//! epoch secret → holder key → T4 → T3 → T2 → T1 → T0        each arrow HKDF-SHA256, info = label ‖ epoch ‖ rung
//! wrap key of a part = HKDF-SHA256(ikm = holder or tier key, salt = subject's erase key, info = label ‖ epoch ‖ part)
//! ```
//!
//! The holder key opens headers (subject key, validity, blinding) as well, so it stands above every tier.
//! These keys never leave the vault: readers get data keys. Does not protect a record of which a data key was
//! released: revocation stops later releases. Spec: docs/architecture.md, "Vault and keys".

use vouchsafe_circuits::record::Tier;

use crate::aead::{WrapKey, derive};
use crate::envelope::Part;
use crate::labels;
use crate::secret::{EpochSecret, secret_bytes};

/// The number of a rotation of the ladder; the first is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// The first epoch.
    pub const FIRST: Epoch = Epoch(0);

    /// Gives a number this meaning.
    pub const fn new(number: u32) -> Epoch {
        Epoch(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A public name of a holder or tier key: says which key a wrap needs, gives nothing of it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// Takes the bytes of an id.
    pub const fn new(bytes: [u8; 8]) -> KeyId {
        KeyId(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

secret_bytes! {
    /// One subject's half of every key that wraps its data keys: destroyed, the subject's records cannot be opened.
    EraseKey,
}

secret_bytes! {
    /// The bytes of a rung of the ladder.
    RungSecret,
}

/// The top of an epoch's ladder: opens headers, and every tier.
#[derive(Clone)]
pub struct HolderKey {
    epoch: Epoch,
    secret: RungSecret,
}

/// The key of one tier in one epoch: opens that tier and, by [`TierKey::below`], the lower ones.
#[derive(Clone)]
pub struct TierKey {
    epoch: Epoch,
    tier: Tier,
    secret: RungSecret,
}

impl HolderKey {
    /// The holder key of an epoch.
    pub fn of_epoch(epoch: Epoch, secret: &EpochSecret) -> HolderKey {
        let number = epoch.get().to_be_bytes();
        HolderKey { epoch, secret: RungSecret::new(*derive(secret.expose(), None, &[labels::HOLDER_KEY, &number])) }
    }

    /// The key of a tier, however low.
    pub fn tier(&self, tier: Tier) -> TierKey {
        let mut key = TierKey::step(self.epoch, &self.secret, Tier::Identifying);
        while key.tier != tier
            && let Some(lower) = key.below()
        {
            key = lower;
        }
        key
    }

    /// The epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Its public name.
    pub fn id(&self) -> KeyId {
        id_of(&self.secret)
    }

    pub(crate) fn wrap_key(&self, erase: &EraseKey) -> WrapKey {
        wrap_key(&self.secret, self.epoch, Part::Header, erase)
    }
}

impl TierKey {
    fn step(epoch: Epoch, above: &RungSecret, tier: Tier) -> TierKey {
        let number = epoch.get().to_be_bytes();
        let info = [labels::TIER_KEY, &number, &[Part::Tier(tier).code()]];
        TierKey { epoch, tier, secret: RungSecret::new(*derive(above.expose(), None, &info)) }
    }

    /// The key of the tier below; none below the lowest.
    pub fn below(&self) -> Option<TierKey> {
        let lower = match self.tier {
            Tier::Identifying => Tier::Limited,
            Tier::Limited => Tier::DeIdentified,
            Tier::DeIdentified => Tier::Internal,
            Tier::Internal => Tier::Public,
            Tier::Public => return None,
        };
        Some(TierKey::step(self.epoch, &self.secret, lower))
    }

    /// The key of `tier`, if that is this tier or one below.
    pub fn down_to(&self, tier: Tier) -> Option<TierKey> {
        let mut key = self.clone();
        while key.tier != tier {
            key = key.below()?;
        }
        Some(key)
    }

    /// The tier.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// The epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Its public name.
    pub fn id(&self) -> KeyId {
        id_of(&self.secret)
    }

    pub(crate) fn wrap_key(&self, erase: &EraseKey) -> WrapKey {
        wrap_key(&self.secret, self.epoch, Part::Tier(self.tier), erase)
    }
}

impl std::fmt::Debug for HolderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HolderKey(epoch {})", self.epoch)
    }
}

impl std::fmt::Debug for TierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TierKey(epoch {}, {:?})", self.epoch, self.tier)
    }
}

fn id_of(secret: &RungSecret) -> KeyId {
    let wide = derive(secret.expose(), None, &[labels::KEY_ID]);
    let mut id = [0; 8];
    id.copy_from_slice(&wide[..8]);
    KeyId(id)
}

fn wrap_key(secret: &RungSecret, epoch: Epoch, part: Part, erase: &EraseKey) -> WrapKey {
    let info = [labels::WRAP_KEY, &epoch.get().to_be_bytes(), &[part.code()]];
    WrapKey::new(*derive(secret.expose(), Some(erase.expose()), &info))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIERS: [Tier; 5] = [Tier::Public, Tier::Internal, Tier::DeIdentified, Tier::Limited, Tier::Identifying];

    #[test]
    fn a_tier_opens_those_below_and_none_above() {
        let holder = HolderKey::of_epoch(Epoch::FIRST, &EpochSecret::new([1; 32]));
        for from in TIERS {
            for to in TIERS {
                let reached = holder.tier(from).down_to(to);
                assert_eq!(reached.is_some(), to <= from);
                assert!(reached.is_none_or(|key| key.id() == holder.tier(to).id()));
            }
        }
    }

    #[test]
    fn every_rung_and_epoch_differs() {
        let secret = EpochSecret::new([1; 32]);
        let mut ids = Vec::new();
        for epoch in [Epoch::new(0), Epoch::new(1)] {
            let holder = HolderKey::of_epoch(epoch, &secret);
            ids.push(holder.id().0);
            ids.extend(TIERS.map(|t| holder.tier(t).id().0));
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 12);
    }
}
