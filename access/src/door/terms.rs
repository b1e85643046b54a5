//! What exactly is released: the digest that the ledger's entry commits to, and that vault and reader compute alike.
//!
//! ```text
//! release digest = digest_fe(Release, chain ‖ member ‖ record ‖ tier u8 ‖ purpose ‖ card id ‖ basis ‖ until u64)
//! basis          = 1 ‖ grant id, or 2 ‖ reason commitment                               each part behind its length
//! key info       = label ‖ entry id ‖ card id ‖ until u64 ‖ record ‖ part u8            HPKE info of one data key
//! ```
//!
//! The digest stands in the entry's commitment where a question's digest stands in a disclosure's.

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::RequestDigest;
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::tags::{Domain, digest, digest_fe};
use vouchsafe_ledger_types::entry::PurposeClass;
use vouchsafe_ledger_types::ids::{CardId, ChainId, EntryId, GrantId, LogHash, MemberId};
use vouchsafe_ledger_types::units::BlockTime;

use crate::envelope::Part;
use crate::labels;
use crate::vault::RecordId;
use crate::wire::Writer;

/// The blinded reason of an emergency: fixed by the ledger's entry, told by the institution alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReasonCommitment(LogHash);

impl ReasonCommitment {
    pub(super) fn of(reason: &str, blinding: &[u8; 32]) -> ReasonCommitment {
        ReasonCommitment(LogHash::from_bytes(digest(Domain::Reason, &[reason.as_bytes(), blinding])))
    }
}

/// What a release rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// A grant.
    Grant(GrantId),
    /// An emergency, with its reason.
    Emergency(ReasonCommitment),
}

impl Basis {
    fn to_bytes(self) -> Vec<u8> {
        let (code, id) = match &self {
            Basis::Grant(grant) => (1, grant.as_bytes()),
            Basis::Emergency(reason) => (2, reason.0.as_bytes()),
        };
        Writer::with_capacity(33).u8(code).raw(id).public()
    }
}

/// One release: what, to whom, why, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReleaseTerms {
    pub(crate) chain: ChainId,
    pub(crate) member: MemberId,
    pub(crate) record: RecordId,
    pub(crate) tier: Tier,
    pub(crate) purpose: PurposeClass,
    pub(crate) card: CardId,
    pub(crate) basis: Basis,
    pub(crate) until: BlockTime,
}

impl ReleaseTerms {
    /// What the entry's commitment holds.
    pub(crate) fn digest(&self) -> RequestDigest {
        let parts: [&[u8]; 8] = [
            self.chain.as_str().as_bytes(),
            &self.member.to_bytes(),
            &self.record.to_bytes(),
            &[self.tier as u8],
            self.purpose.as_str().as_bytes(),
            self.card.as_bytes(),
            &self.basis.to_bytes(),
            &self.until.unix().to_be_bytes(),
        ];
        RequestDigest::new(digest_fe(Domain::Release, &parts))
    }

    /// What the sealed data key of a tier is bound to.
    pub(crate) fn key_info(&self, entry: EntryId, tier: Tier) -> Vec<u8> {
        Writer::with_capacity(160)
            .raw(labels::RELEASE_INFO)
            .raw(entry.as_bytes())
            .raw(self.card.as_bytes())
            .u64(self.until.unix())
            .raw(&self.record.to_bytes())
            .u8(Part::Tier(tier).code())
            .public()
    }
}

/// A purpose class as its HL7 code in JSON; another spelling is refused.
pub(crate) mod purpose_code {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};
    use vouchsafe_ledger_types::entry::PurposeClass;

    pub(crate) fn serialize<S: Serializer>(purpose: &PurposeClass, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(purpose.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PurposeClass, D::Error> {
        let code = String::deserialize(deserializer)?;
        let purpose = PurposeClass::of_code(&code);
        if purpose.as_str() == code { Ok(purpose) } else { Err(D::Error::custom("not a class of purposes")) }
    }
}

#[cfg(test)]
mod tests {
    use vouchsafe_circuits::{Commitment, Fe};

    use super::*;

    fn terms() -> ReleaseTerms {
        let chain: ChainId = "demo".parse().unwrap();
        ReleaseTerms {
            member: MemberId::of(&chain, &"a".parse().unwrap()),
            chain,
            record: RecordId::of(Commitment::new(Fe::from_u64(1))),
            tier: Tier::DeIdentified,
            purpose: PurposeClass::Treatment,
            card: CardId::from_bytes([1; 32]),
            basis: Basis::Grant(GrantId::of(EntryId::from_bytes([2; 32]))),
            until: BlockTime::from_unix(7).unwrap(),
        }
    }

    #[test]
    fn everything_is_in_the_digest() {
        let other_chain: ChainId = "demo2".parse().unwrap();
        let others = [
            ReleaseTerms { chain: other_chain.clone(), ..terms() },
            ReleaseTerms { member: MemberId::of(&other_chain, &"b".parse().unwrap()), ..terms() },
            ReleaseTerms { record: RecordId::of(Commitment::new(Fe::from_u64(2))), ..terms() },
            ReleaseTerms { tier: Tier::Identifying, ..terms() },
            ReleaseTerms { purpose: PurposeClass::Research, ..terms() },
            ReleaseTerms { card: CardId::from_bytes([9; 32]), ..terms() },
            ReleaseTerms { basis: Basis::Grant(GrantId::of(EntryId::from_bytes([9; 32]))), ..terms() },
            ReleaseTerms { basis: Basis::Emergency(ReasonCommitment(LogHash::from_bytes([2; 32]))), ..terms() },
            ReleaseTerms { until: BlockTime::from_unix(8).unwrap(), ..terms() },
        ];
        let mut all: Vec<_> = others.iter().chain([&terms()]).map(ReleaseTerms::digest).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_sealed_key_is_bound_to_entry_reader_time_record_and_part() {
        let (entry, other) = (EntryId::from_bytes([3; 32]), EntryId::from_bytes([4; 32]));
        let mut all = vec![
            terms().key_info(entry, Tier::Public),
            terms().key_info(entry, Tier::Internal),
            terms().key_info(other, Tier::Public),
            ReleaseTerms { card: CardId::from_bytes([9; 32]), ..terms() }.key_info(entry, Tier::Public),
            ReleaseTerms { until: BlockTime::MAX, ..terms() }.key_info(entry, Tier::Public),
            ReleaseTerms { record: RecordId::of(Commitment::new(Fe::ZERO)), ..terms() }.key_info(entry, Tier::Public),
        ];
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
