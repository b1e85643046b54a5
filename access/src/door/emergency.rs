//! Breaking the glass: a release at once, without a grant and without the network if need be, that reports itself.
//!
//! ```text
//! journal    DIR/open-‹entry id›     the signed entry, who, what, why; synced before anything is released
//!            DIR/done-‹entry id›     the same, once the ledger accepted the entry
//! page       entry · name · card id 32 · record 32 · tier u8 · reason · blinding 32
//! ```
//!
//! While a page is open nothing is released on a grant; while one is open for a day, nothing at all. An entry that
//! expired on the way is signed again, with the same content. One that the ledger refuses stays open, and the door shut.

use std::path::Path;

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::Commitment;
use vouchsafe_circuits::fe::Fe;
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_ledger_types::card::PartyName;
use vouchsafe_ledger_types::entry::{Body, EmergencyAccess, Entry, PurposeClass, SignedEntry};
use vouchsafe_ledger_types::ids::{CardId, EmergencyId, EntryId};
use vouchsafe_ledger_types::state_value::EmergencyState;
use vouchsafe_ledger_types::units::BlockTime;

use super::parcel::Parcel;
use super::release::{self, Warrant};
use super::terms::{Basis, ReasonCommitment};
use super::{Blocked, Door, DoorError, Reader};
use crate::disclosures::{BookError, opening_deadline};
use crate::labels;
use crate::ledger::{LedgerError, state};
use crate::pages::{PageError, Pages};
use crate::policy::Question;
use crate::secret::{AuditSeed, random_bytes};
use crate::vault::RecordId;
use crate::wire::{self, WireError, Writer};

/// Within how many seconds an emergency is to be reviewed: three days.
pub const REVIEW_SECONDS: u64 = 3 * 86_400;
/// After how many seconds in the journal an emergency shuts the door for other emergencies too.
pub const OVERDUE_SECONDS: u64 = 86_400;
/// How long a reason may be, in bytes.
pub const REASON_BYTES_MAX: usize = 256;

const OPEN: &str = "open-";
const DONE: &str = "done-";

/// What is asked for in an emergency.
#[derive(Clone)]
pub struct EmergencyOrder {
    /// Which record.
    pub record: RecordId,
    /// Up to which tier.
    pub tier: Tier,
    /// ETREAT, or it is refused.
    pub purpose: PurposeClass,
    /// Why; for the review.
    pub reason: String,
}

impl std::fmt::Debug for EmergencyOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmergencyOrder")
    }
}

/// An emergency's entry that lies in the journal, synced. Only the journal makes one, after the write.
pub(super) struct Journalled(SignedEntry);

impl Journalled {
    pub(super) fn entry(&self) -> &Entry {
        self.0.entry()
    }

    pub(super) fn id(&self) -> EntryId {
        self.0.id()
    }

    pub(super) fn encoded(&self) -> Vec<u8> {
        self.0.encode()
    }
}

/// One emergency, for the review. Debug shows the type only.
#[derive(Clone)]
pub struct EmergencySummary {
    /// Which.
    pub id: EmergencyId,
    /// Who read.
    pub reader: PartyName,
    /// With which card.
    pub card: CardId,
    /// Which record.
    pub record: RecordId,
    /// Up to which tier.
    pub tier: Tier,
    /// Why.
    pub reason: String,
    /// When, by our clock.
    pub released_at: BlockTime,
    /// When it must have been reviewed.
    pub review_by: BlockTime,
    /// Whether the ledger has it, as far as the journal knows.
    pub submitted: bool,
    /// What the ledger says of it.
    pub state: Option<EmergencyState>,
}

impl std::fmt::Debug for EmergencySummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmergencySummary")
    }
}

/// A page of the journal.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) entry: SignedEntry,
    pub(super) reader: PartyName,
    pub(super) card: CardId,
    pub(super) record: RecordId,
    pub(super) tier: Tier,
    pub(super) reason: String,
    pub(super) blinding: [u8; 32],
}

impl Page {
    fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        Writer::with_capacity(1024)
            .bytes(&self.entry.encode())
            .bytes(self.reader.as_str().as_bytes())
            .raw(self.card.as_bytes())
            .raw(&self.record.to_bytes())
            .u8(self.tier as u8)
            .bytes(self.reason.as_bytes())
            .raw(&self.blinding)
            .done()
    }

    fn from_bytes(bytes: &[u8], suite: Suite) -> Result<Page, WireError> {
        let mut reader = wire::Reader::new(bytes);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| WireError::Bad("text"));
        let entry = SignedEntry::decode(reader.bytes()?, suite).map_err(|_| WireError::Bad("entry"))?;
        let name = text(reader.bytes()?)?;
        let card = CardId::from_bytes(reader.array()?);
        let record = Fe::from_bytes(suite, reader.array()?).map_err(|_| WireError::Bad("record"))?;
        let page = Page {
            entry,
            reader: name.parse().map_err(|_| WireError::Bad("name"))?,
            card,
            record: RecordId::of(Commitment::new(record)),
            tier: Tier::try_from(reader.u8()?).map_err(|_| WireError::Bad("tier"))?,
            reason: text(reader.bytes()?)?,
            blinding: reader.array()?,
        };
        reader.finish()?;
        Ok(page)
    }

    fn body(&self) -> Option<EmergencyAccess> {
        match self.entry.entry().body {
            Body::EmergencyAccess(body) => Some(body),
            _ => None,
        }
    }
}

/// The journal of emergencies.
pub struct EmergencyBook(pub(super) Pages);

impl std::fmt::Debug for EmergencyBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmergencyBook")
    }
}

impl EmergencyBook {
    /// Opens the journal in a folder, which is made if it is not there.
    pub fn open(dir: &Path, seed: &AuditSeed) -> Result<EmergencyBook, BookError> {
        Ok(EmergencyBook(Pages::open(dir, seed, &[labels::EMERGENCY_KEY])?))
    }

    /// Writes a page down as open; durable when this returns.
    fn write(&self, page: &Page, rng: &mut (impl RngCore + CryptoRng)) -> Result<Journalled, BookError> {
        self.0.write(&format!("{OPEN}{}", page.entry.id()), &page.to_bytes(), rng)?;
        Ok(Journalled(page.entry.clone()))
    }

    /// Notes that the ledger has it.
    fn close(&self, page: &Page, rng: &mut (impl RngCore + CryptoRng)) -> Result<(), BookError> {
        self.0.write(&format!("{DONE}{}", page.entry.id()), &page.to_bytes(), rng)?;
        self.strike(page)
    }

    /// Takes an open page out: nothing was released on it, or another took its place.
    fn strike(&self, page: &Page) -> Result<(), BookError> {
        Ok(self.0.remove(&format!("{OPEN}{}", page.entry.id()))?)
    }

    fn pages(&self, prefix: &str, suite: Suite) -> Result<Vec<Page>, BookError> {
        let mut pages = Vec::new();
        for id in self.0.names(prefix)? {
            let name = format!("{prefix}{id}");
            let Some(bytes) = self.0.read(&name)? else { continue };
            let damaged = || BookError::from(PageError::Damaged(self.0.file(&name)));
            let page = Page::from_bytes(&bytes, suite).map_err(|_| damaged())?;
            if page.entry.id().to_string() != id || page.body().is_none() {
                return Err(damaged());
            }
            pages.push(page);
        }
        Ok(pages)
    }

    /// What has still to be told to the ledger.
    fn waiting(&self, suite: Suite) -> Result<Vec<Page>, BookError> {
        self.pages(OPEN, suite)
    }
}

impl Door {
    /// Opens a record in an emergency. With the ledger reached, its entry is accepted first; without, it lies signed
    /// and synced in the journal first.
    pub async fn emergency(
        &self,
        reader: &Reader<'_>,
        order: &EmergencyOrder,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Parcel, DoorError> {
        let (now, seen) = match self.now_with_tip().await {
            Ok((now, seen)) => (now, seen),
            Err(LedgerError::Unavailable(_)) => (self.clock_now(), self.last_seen()),
            Err(refused) => return Err(refused.into()),
        };
        check_words(order.purpose, &order.reason)?;
        self.submit_overdue(rng).await.or_else(|e| e.is_ledger().then_some(0).ok_or(e))?;
        self.not_overdue(now)?;
        let (record, schema) = self.open_record(order.record, order.tier)?;
        let question = Question::Emergency {
            record: record.id,
            schema: schema.name(),
            tier: order.tier,
            purpose: order.purpose.as_str(),
            reason: !order.reason.is_empty(),
        };
        let permit = self.policy.decide(&reader.asker(), &question, now)?;
        let blinding: [u8; 32] = random_bytes(rng);
        let basis = Basis::Emergency(ReasonCommitment::of(&order.reason, &blinding));
        let terms = self.terms(reader, &record, order.tier, order.purpose, basis, self.parcel_end(now, None));
        let opening = self.note(reader, &terms, permit, seen, rng)?;
        let body = EmergencyAccess {
            commitment: opening.commitment(),
            released_at: now,
            review_by: now.plus_seconds(REVIEW_SECONDS).unwrap_or(BlockTime::MAX),
            deadline: opening_deadline(now),
        };
        let body = Body::EmergencyAccess(body);
        let page = Page {
            entry: self.ledger.sign(body.clone()).await?,
            reader: reader.card.name.clone(),
            card: terms.card,
            record: record.id,
            tier: order.tier,
            reason: order.reason.clone(),
            blinding,
        };
        let journalled = self.emergencies.write(&page, rng)?;
        let warrant = match self.report(&page, rng).await {
            Ok(warrant) => warrant,
            Err(DoorError::Ledger(LedgerError::Refused(why))) => {
                self.emergencies.strike(&page)?;
                return Err(LedgerError::Refused(why).into());
            }
            Err(e) if e.is_ledger() => Warrant::Journalled(Box::new(journalled)),
            Err(e) => return Err(e),
        };
        let shown = opening.question();
        Ok(release::release(&self.vault, warrant, &terms, shown, reader.card, &schema, rng).await?)
    }

    /// Whether an emergency could be answered: what is asked for makes sense, and none has waited for the ledger too long. Says
    /// nothing of any record.
    pub async fn emergency_stands_open(
        &self,
        purpose: PurposeClass,
        reason: &str,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), DoorError> {
        check_words(purpose, reason)?;
        self.submit_overdue(rng).await.or_else(|e| e.is_ledger().then_some(0).ok_or(e))?;
        self.not_overdue(self.clock_now())
    }

    /// Tells the ledger of the emergencies that it has not been told of; how many were.
    pub async fn submit_overdue(&self, rng: &mut (impl RngCore + CryptoRng)) -> Result<usize, DoorError> {
        let _one_at_a_time = self.submitting.lock().await;
        let (mut told, mut left) = (0, None);
        for page in self.emergencies.waiting(self.suite())? {
            let outcome = match self.report(&page, rng).await {
                // expired on the way, or refused before: the same content is signed again, and may be taken now
                Err(DoorError::Ledger(LedgerError::Refused(_))) => self.report_again(&page, rng).await,
                outcome => outcome.map(|_| ()),
            };
            match outcome {
                Ok(()) => told += 1,
                // one that the ledger will not have does not keep the others from it
                Err(e @ DoorError::Ledger(LedgerError::Refused(_))) => left = Some(e),
                Err(e) => return Err(e),
            }
        }
        left.map_or(Ok(told), Err)
    }

    /// The emergencies, newest last, for the review.
    pub async fn emergencies(&self) -> Result<Vec<EmergencySummary>, DoorError> {
        let mut all = Vec::new();
        for (prefix, submitted) in [(DONE, true), (OPEN, false)] {
            for page in self.emergencies.pages(prefix, self.suite())? {
                let Some(body) = page.body() else { continue };
                let id = EmergencyId::of(page.entry.id());
                all.push(EmergencySummary {
                    id,
                    reader: page.reader,
                    card: page.card,
                    record: page.record,
                    tier: page.tier,
                    reason: page.reason,
                    released_at: body.released_at,
                    review_by: body.review_by,
                    submitted,
                    state: state(&*self.ledger, id).await.unwrap_or_default(),
                });
            }
        }
        all.sort_by_key(|emergency| emergency.released_at);
        Ok(all)
    }

    /// How many emergencies the ledger has still to be told of.
    pub fn unsubmitted(&self) -> Result<usize, DoorError> {
        Ok(self.emergencies.waiting(self.suite())?.len())
    }

    async fn report(&self, page: &Page, rng: &mut (impl RngCore + CryptoRng)) -> Result<Warrant, DoorError> {
        let proof = self.ledger.send(page.entry.clone()).await?;
        let accepted = self.accepted(&proof, &page.entry.entry().body)?;
        self.emergencies.close(page, rng)?;
        Ok(Warrant::Accepted(Box::new(accepted), Box::new(proof)))
    }

    /// Reports an emergency under another entry with the same content.
    async fn report_again(&self, page: &Page, rng: &mut (impl RngCore + CryptoRng)) -> Result<(), DoorError> {
        let entry = self.ledger.sign(page.entry.entry().body.clone()).await?;
        let again = Page { entry, ..page.clone() };
        self.emergencies.write(&again, rng)?;
        self.emergencies.strike(page)?;
        self.report(&again, rng).await.map(|_| ())
    }

    /// While an emergency has waited too long, nothing is released.
    fn not_overdue(&self, now: BlockTime) -> Result<(), DoorError> {
        let waiting = self.emergencies.waiting(self.suite())?;
        let oldest = waiting.iter().filter_map(Page::body).map(|body| body.released_at).min();
        let overdue = oldest.and_then(|at| at.plus_seconds(OVERDUE_SECONDS)).is_some_and(|end| end <= now);
        if overdue { Err(DoorError::Blocked(Blocked::Unsubmitted(waiting.len()))) } else { Ok(()) }
    }
}

fn check_words(purpose: PurposeClass, reason: &str) -> Result<(), DoorError> {
    if purpose != PurposeClass::Emergency {
        return Err(DoorError::Order("an emergency is for the purpose ETREAT alone".to_owned()));
    }
    let readable = !reason.trim().is_empty() && !reason.chars().any(char::is_control);
    if readable && reason.len() <= REASON_BYTES_MAX {
        return Ok(());
    }
    Err(DoorError::Order(format!("give a reason of 1 to {REASON_BYTES_MAX} bytes, without control characters")))
}
