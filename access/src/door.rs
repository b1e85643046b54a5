//! The one door: the only way by which a reader gets a key to a record.
//!
//! ```text
//! unseal     grant covers it · policy permits it · opening noted · KeyRelease accepted, its proof verified · release
//! emergency  policy permits it · opening noted · entry synced in the journal · accepted if the ledger is there · release
//! ```
//!
//! Both end in `release`, which takes a warrant that only a verified proof or a synced journal can make. A grant is
//! needed whatever the policy says, and the policy whatever the grant says. Who the reader is, the caller has made sure;
//! but a parcel is sealed to the key on the granted card, whoever asks. Does not stop a reader from passing on what it
//! read, nor an institution that reads its own vault. Spec: docs/spec/door.md.

mod emergency;
mod grants;
mod parcel;
mod release;
mod review;
mod terms;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::lock::Mutex;
use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_ledger_types::accepted::{AcceptanceError, AcceptanceProof, AcceptedEntry};
use vouchsafe_ledger_types::card::Card;
use vouchsafe_ledger_types::disclosure::{DisclosureDetails, DisclosureOpening, Outcome};
use vouchsafe_ledger_types::entry::{Body, KeyRelease, PurposeClass};
use vouchsafe_ledger_types::ids::{EmergencyId, GrantId, MemberId};
use vouchsafe_ledger_types::state_value::ReviewsDue;
use vouchsafe_ledger_types::units::{BlockTime, Height};

pub use emergency::{
    EmergencyBook, EmergencyOrder, EmergencySummary, OVERDUE_SECONDS, REASON_BYTES_MAX, REVIEW_SECONDS,
};
pub use grants::{GrantBook, GrantSummary, GrantTerms, NoGrant};
pub use parcel::{
    OpenedParcel, PARCEL_BYTES_MAX, PARCEL_VERSION, Parcel, ParcelCheck, ParcelError, ParcelFormError, Standing,
};
pub(crate) use release::Cleared;
pub use release::ReleaseError;
pub use review::{FINDING_BYTES_MAX, Finding};
pub use terms::{Basis, ReasonCommitment};

use crate::disclosures::{BookError, DisclosureBook, opening_deadline};
use crate::envelope::LeafTiers;
use crate::ledger::{AccessLedger, LedgerError, state};
use crate::policy::{Asker, Denial, Granted, PartyRole, Permit, Policy, Question};
use crate::vault::{IndexError, ReadError, RecordId, RecordState, RecordSummary, Vault};
use grants::Wish;
use release::Warrant;
use terms::ReleaseTerms;

/// How many seconds a parcel may be opened: a day, and never past its grant.
pub const PARCEL_SECONDS: u64 = 86_400;

/// Where the present time comes from.
pub type Now = Arc<dyn Fn() -> BlockTime + Send + Sync>;

/// What a door is made of.
pub struct Fittings {
    /// The member whose door it is.
    pub member: MemberId,
    /// Its vault.
    pub vault: Arc<Vault>,
    /// Its ledger.
    pub ledger: Arc<dyn AccessLedger>,
    /// What decides.
    pub policy: Arc<Policy>,
    /// What the grants say.
    pub grants: GrantBook,
    /// The openings of releases, for the auditor.
    pub disclosures: DisclosureBook,
    /// The journal of emergencies.
    pub emergencies: EmergencyBook,
    /// The schemas of its records.
    pub schemas: Vec<Arc<Schema>>,
    /// The clock.
    pub now: Now,
}

/// The one door out of a vault. Calls run side by side.
pub struct Door {
    member: MemberId,
    vault: Arc<Vault>,
    ledger: Arc<dyn AccessLedger>,
    policy: Arc<Policy>,
    grants: GrantBook,
    disclosures: DisclosureBook,
    emergencies: EmergencyBook,
    schemas: Vec<Arc<Schema>>,
    now: Now,
    seen: AtomicU64,
    submitting: Mutex<()>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Door")
    }
}

/// A reader at the door: its card, and the roles that the institution gave it.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Its card, as the institution admitted it.
    pub card: &'a Card,
    /// Its roles.
    pub roles: &'a BTreeSet<PartyRole>,
}

impl Reader<'_> {
    fn asker(&self) -> Asker {
        Asker::admitted(self.card, self.roles.clone())
    }
}

/// What a reader asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// Which record.
    pub record: RecordId,
    /// Up to which tier.
    pub tier: Tier,
    /// What for.
    pub purpose: PurposeClass,
    /// The grant it rests on; none: any that covers it.
    pub grant: Option<GrantId>,
}

/// Why nothing is released for the time being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Blocked {
    /// The ledger has still to be told of emergencies.
    #[error("{0} emergencies have not been reported to the ledger yet: nothing is released until they are")]
    Unsubmitted(usize),
    /// An emergency should have been reviewed.
    #[error("emergency {0} should have been reviewed by now: review it first")]
    ReviewOverdue(EmergencyId),
}

/// Nothing was released. A reader is told of the first three alike: that it is not permitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DoorError {
    /// There is no such record here that could be released.
    #[error("record {0} cannot be opened here: {1}")]
    Record(RecordId, &'static str),
    /// No grant covers it.
    #[error("not permitted: {0}")]
    NoGrant(#[from] NoGrant),
    /// The policy does not permit it.
    #[error("not permitted: {0}")]
    Denied(#[from] Denial),
    /// What was asked for makes no sense. The fault is the caller's.
    #[error("{0}")]
    Order(String),
    /// Something else must happen first.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// The ledger refused, or did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger did not show that it accepted the entry.
    #[error("the ledger's answer does not show that the entry was accepted, so nothing was released: {0}")]
    NotShown(String),
    /// A book could not be written or read.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The vault failed, before the entry or after it.
    #[error("nothing was released: {0}")]
    Release(#[from] ReleaseError),
}

impl From<IndexError> for DoorError {
    fn from(error: IndexError) -> DoorError {
        DoorError::Release(ReadError::from(error).into())
    }
}

impl DoorError {
    /// Whether this is a refusal, of which a reader may not be told which: no such record, no grant, no permission.
    pub fn is_refusal(&self) -> bool {
        matches!(self, DoorError::Record(..) | DoorError::NoGrant(_) | DoorError::Denied(_))
    }

    fn is_ledger(&self) -> bool {
        matches!(self, DoorError::Ledger(_) | DoorError::NotShown(_))
    }
}

impl Door {
    /// Puts a door together. Run [`Door::submit_overdue`] next, and whenever the ledger is reached again.
    pub fn new(fittings: Fittings) -> Door {
        let Fittings { member, vault, ledger, policy, grants, disclosures, emergencies, schemas, now } = fittings;
        let (seen, submitting) = (AtomicU64::new(0), Mutex::new(()));
        Door { member, vault, ledger, policy, grants, disclosures, emergencies, schemas, now, seen, submitting }
    }

    /// Whether anything can be released at all: no emergency waits for the ledger (those that do are sent), none for its
    /// review. Says nothing of any record, so ask it before one is looked up.
    pub async fn stands_open(&self, rng: &mut (impl RngCore + CryptoRng)) -> Result<(), DoorError> {
        self.nothing_waits(rng).await?;
        let (now, _) = self.now_with_tip().await?;
        self.nothing_to_review(now).await
    }

    /// Releases a record's keys to a reader on a grant: after the ledger's entry, and never before.
    pub async fn unseal(
        &self,
        reader: &Reader<'_>,
        order: &OpenOrder,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Parcel, DoorError> {
        self.nothing_waits(rng).await?;
        let (now, seen) = self.now_with_tip().await?;
        self.nothing_to_review(now).await?;
        let (record, schema) = self.open_record(order.record, order.tier)?;
        let (tier, purpose) = (order.tier, order.purpose);
        let wish = Wish { card: reader.card.id(), record: &record, tier, purpose };
        let (grant, granted) = self.grant_for(order.grant, &wish, now).await?;
        let allows = Granted { tier: granted.tier, purpose: granted.purpose.as_str(), until: granted.until };
        let question = Question::Open {
            record: record.id,
            schema: schema.name(),
            tier,
            purpose: purpose.as_str(),
            grant: Some(allows),
        };
        let permit = self.policy.decide(&reader.asker(), &question, now)?;
        let until = self.parcel_end(now, Some(granted.until));
        let terms = self.terms(reader, &record, tier, purpose, Basis::Grant(grant), until);
        let opening = self.note(reader, &terms, permit, seen, rng)?;
        let (commitment, deadline) = (opening.commitment(), opening_deadline(now));
        let body = Body::KeyRelease(KeyRelease { grant, commitment, purpose, deadline });
        let proof = self.ledger.log(body.clone()).await?;
        let accepted = self.accepted(&proof, &body)?;
        let warrant = Warrant::Accepted(Box::new(accepted), Box::new(proof));
        Ok(release::release(&self.vault, warrant, &terms, opening.question(), reader.card, &schema, rng).await?)
    }

    /// The accepted entry behind a proof, if it is ours and says this.
    fn accepted(&self, proof: &AcceptanceProof, body: &Body) -> Result<AcceptedEntry, DoorError> {
        let accepted = self.ledger.chain().accepted(proof).map_err(|e| match e {
            // shown, and shown to be refused: that is the ledger's answer, not the want of one
            AcceptanceError::Refused(code) => DoorError::Ledger(LedgerError::Refused(code.to_string())),
            e => DoorError::NotShown(e.to_string()),
        })?;
        if accepted.entry().header.member == self.member && accepted.entry().body == *body {
            return Ok(accepted);
        }
        Err(DoorError::NotShown("it shows another entry".to_owned()))
    }

    /// A record that could be released, with its schema: ours, committed, with fields up to the tier.
    fn open_record(&self, id: RecordId, tier: Tier) -> Result<(RecordSummary, Arc<Schema>), DoorError> {
        let refuse = |why| DoorError::Record(id, why);
        let record = self.vault.record(id)?.ok_or(refuse("there is no such record"))?;
        if !matches!(record.state, RecordState::Committed { .. }) {
            return Err(refuse("it is not active on the ledger"));
        }
        if record.issuer != self.member.issuer() || record.suite != self.suite() {
            return Err(refuse("it is another member's or another ledger's"));
        }
        let schema = self.schemas.iter().find(|schema| schema.id() == record.schema);
        let schema = schema.ok_or(refuse("its schema is not known here"))?.clone();
        let tiers = LeafTiers::of(&schema);
        let any = Tier::ALL.into_iter().any(|of| of <= tier && tiers.uses(of));
        if any { Ok((record, schema)) } else { Err(refuse("it has no field of that tier or below")) }
    }

    fn terms(
        &self,
        reader: &Reader<'_>,
        record: &RecordSummary,
        tier: Tier,
        purpose: PurposeClass,
        basis: Basis,
        until: BlockTime,
    ) -> ReleaseTerms {
        let chain = self.ledger.chain().chain.clone();
        ReleaseTerms {
            chain,
            member: self.member,
            record: record.id,
            tier,
            purpose,
            card: reader.card.id(),
            basis,
            until,
        }
    }

    /// Writes down what is about to be released; durable when this returns.
    fn note(
        &self,
        reader: &Reader<'_>,
        terms: &ReleaseTerms,
        permit: Permit,
        seen: Height,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<DisclosureOpening, DoorError> {
        let details = DisclosureDetails {
            reader: reader.card.name.to_string(),
            verifier: terms.card.to_string(),
            records: vec![terms.record.commitment()],
            tier: terms.tier,
            outcome: Outcome::Released,
            policy: permit.policy(),
            seen,
        };
        Ok(self.disclosures.note(details, terms.digest(), rng)?)
    }

    /// No emergency waits for the ledger; those that do are sent first.
    async fn nothing_waits(&self, rng: &mut (impl RngCore + CryptoRng)) -> Result<(), DoorError> {
        if self.unsubmitted()? == 0 {
            return Ok(());
        }
        let sent = self.submit_overdue(rng).await;
        match self.unsubmitted()? {
            0 => sent.map(|_| ()),
            left => Err(Blocked::Unsubmitted(left).into()),
        }
    }

    /// No emergency is past its review. The ledger refuses too: this says which one it is.
    async fn nothing_to_review(&self, now: BlockTime) -> Result<(), DoorError> {
        let due: Option<ReviewsDue> = state(&*self.ledger, self.member).await?;
        match due.and_then(|due| due.due.first().copied()) {
            Some((by, emergency)) if by <= now => Err(Blocked::ReviewOverdue(emergency).into()),
            _ => Ok(()),
        }
    }

    fn parcel_end(&self, now: BlockTime, granted: Option<BlockTime>) -> BlockTime {
        let day = now.plus_seconds(PARCEL_SECONDS).unwrap_or(BlockTime::MAX);
        granted.map_or(day, |granted| granted.min(day))
    }

    fn suite(&self) -> Suite {
        self.ledger.chain().suite
    }

    fn clock_now(&self) -> BlockTime {
        (self.now)()
    }

    /// Our time, which is never before the ledger's, and the height that was seen.
    async fn now_with_tip(&self) -> Result<(BlockTime, Height), LedgerError> {
        let (height, time, _) = self.ledger.tip().await?;
        self.seen.fetch_max(height.get(), Ordering::Relaxed);
        Ok((self.clock_now().max(time), height))
    }

    /// The highest height seen so far; without the ledger.
    fn last_seen(&self) -> Height {
        Height::new(self.seen.load(Ordering::Relaxed))
    }
}
