//! Questions asked online: from a party's signed call to the slot at which its answer leaves.
//!
//! ```text
//! taken ──policy──► permitted ──┐
//!         ├───────► inbox ──person──► permitted or denied ──┐     one worker, one after another, the same work for all
//!         └───────► denied ──┴───────────────────────────────┴──► done ──slot──► answer, padded
//! ```
//!
//! A question is durable before its asker gets its id, and ends by its deadline: what nobody decided by then is denied. From
//! outside, yes, no, unknown and denied differ in nothing but what the body says. After a restart a question that was at
//! work is worked on again, and so may be logged twice. Policy is asked when a question comes, and again when its turn has come.

mod page;
mod ruling;
mod slots;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rand::rngs::OsRng;
use tokio::sync::{Notify, watch};
use vouchsafe_access::PageError;
use vouchsafe_access::policy::Policy;
use vouchsafe_access::question_book::QuestionBook;
use vouchsafe_ledger_types::ids::CallId;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::signing::PublicKey;
use vouchsafe_ledger_types::units::BlockTime;

pub use page::{Page, Stage, Waiting, body_bytes};
pub use ruling::judge;
pub use slots::{Full, Millis, Place, Slots};

use crate::answer::{self, AnswerError, Ruling};
use crate::config::QuestionsConfig;
use crate::institution::Institution;
use crate::key_files::ProvingKeys;
use crate::parties::Party;
use ruling::first_stage;

/// The longest identifier of a subject, in bytes.
const SUBJECT_BYTES_MAX: usize = 512;
/// The part of a stretch after which the entry is sent: searching must be done by then, or its length shows.
const SEARCH_PART: u64 = 4;
/// How often what waits for a person is looked at.
const TIDY_MS: Millis = 1_000;
/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// When a party whose questions fill its share should come again: people take their time.
const INBOX_RETRY_MS: Millis = 60_000;

/// A question that was taken, as its asker is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub id: CallId,
    /// When its answer leaves, at the earliest.
    pub answer_at: Millis,
    /// When it ends, whatever comes.
    pub ends_at: BlockTime,
}

/// Why a question was not taken, or not found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// The request is not in order. The asker's fault, whoever it is about.
    #[error(transparent)]
    Request(#[from] AnswerError),
    /// The subject is not an identifier.
    #[error("the subject is written SYSTEM|VALUE")]
    Subject,
    /// The name in the request is another one.
    #[error("the request is of {0:?}: a verifier asks in its own name, which is on its card")]
    OtherName(String),
    /// All slots ahead are taken, or the party's share of the inbox.
    #[error("no place is left: come again in {} ms", .0.retry_after_ms)]
    Full(Full),
    /// There is no such question, or it is another party's.
    #[error("there is no such question: ask again")]
    Unknown,
    /// It was decided before.
    #[error("the question is decided already")]
    Decided,
    /// The book.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A page cannot be read. Somebody changed the folder, or our bug.
    #[error("a page of the book of questions cannot be read: {0}")]
    Damaged(String),
}

/// What is known in memory of a question.
struct Held {
    signer: PublicKey,
    taken_ms: Millis,
    slot_ms: Millis,
    start_ms: Millis,
    ends_at: BlockTime,
    stage: watch::Sender<Stage>,
}

struct State {
    held: BTreeMap<CallId, Held>,
    slots: Slots,
}

impl State {
    /// How many questions of a party are kept.
    fn of(&self, signer: &PublicKey) -> usize {
        self.held.values().filter(|held| held.signer == *signer).count()
    }

    /// How many questions of a party wait for a person.
    fn in_inbox(&self, signer: &PublicKey) -> usize {
        self.held.values().filter(|held| held.signer == *signer && *held.stage.borrow() == Stage::Inbox).count()
    }
}

/// All questions of a node.
pub struct Questions {
    book: QuestionBook,
    config: QuestionsConfig,
    state: Mutex<State>,
    work: Notify,
}

impl Questions {
    /// Opens the book; what was not done goes on.
    pub fn open(book: QuestionBook, config: QuestionsConfig) -> Result<Questions, QuestionError> {
        let (mut held, mut slots) = (BTreeMap::new(), Slots::new(config));
        for id in book.ids()? {
            let page = match read(&book, id) {
                Ok(Some(page)) => page,
                Ok(None) => continue,
                // one damaged page does not keep the others from being answered
                Err(error @ (QuestionError::Damaged(_) | QuestionError::Page(PageError::Damaged(_)))) => {
                    tracing::error!(question = %id, %error, "a question is lost");
                    continue;
                }
                Err(error) => return Err(error),
            };
            slots.given(page.signer, page.parts(), page.slot_ms);
            held.insert(id, Held::of(&page));
        }
        let state = Mutex::new(State { held, slots });
        Ok(Questions { book, config, state, work: Notify::new() })
    }

    /// Takes a question whose call was checked; durable when this returns. The same call again is the same question.
    pub fn take(
        &self,
        institution: &Institution,
        keys: &dyn ProvingKeys,
        policy: &Policy,
        asked: Asked<'_>,
    ) -> Result<Taken, QuestionError> {
        let Asked { id, party, request, subject, now_ms } = asked;
        if let Some(held) = self.state().held.get(&id) {
            return Ok(held.taken(id));
        }
        if request.verifier != party.card.name.as_str() {
            return Err(QuestionError::OtherName(request.verifier));
        }
        let readable = subject.len() <= SUBJECT_BYTES_MAX && !subject.chars().any(char::is_control);
        if !readable || subject.parse::<vouchsafe_access::subject::Identifier>().is_err() {
            return Err(QuestionError::Subject);
        }
        answer::check(institution, keys, &request)?;
        let now = institution.clock().now();
        let stage = first_stage(policy, party, &request, now);
        let last = now.plus_seconds(self.config.decide_within_seconds).unwrap_or(now);
        let ends_at = request.expires.min(last);
        let mut state = self.state();
        // two of the same call at once: the first one's place counts
        if let Some(held) = state.held.get(&id) {
            return Ok(held.taken(id));
        }
        let signer = party.card.signing;
        let full = stage == Stage::Inbox && state.in_inbox(&signer) >= self.config.inbox_per_party as usize
            || state.of(&signer) >= self.config.held_per_party as usize;
        if full {
            return Err(QuestionError::Full(Full { retry_after_ms: INBOX_RETRY_MS }));
        }
        let place = state.slots.take(signer, parts_of(&request), now_ms).map_err(QuestionError::Full)?;
        let Place { slot_ms, start_ms } = place;
        let asker = party.card.name.clone();
        let (person, body) = (false, String::new());
        let taken_ms = now_ms;
        let page = Page {
            version: 1,
            asker,
            signer,
            request,
            subject,
            taken_ms,
            slot_ms,
            start_ms,
            ends_at,
            stage,
            person,
            body,
        };
        self.write(id, &page)?;
        let held = Held::of(&page);
        let taken = held.taken(id);
        state.held.insert(id, held);
        drop(state);
        self.work.notify_one();
        Ok(taken)
    }

    /// Follows a question of this signer.
    pub fn follow(&self, id: CallId, signer: &PublicKey) -> Result<watch::Receiver<Stage>, QuestionError> {
        let state = self.state();
        let held = state.held.get(&id).filter(|held| held.signer == *signer);
        Ok(held.ok_or(QuestionError::Unknown)?.stage.subscribe())
    }

    /// Waits until a question of this signer is done and its slot has come.
    pub async fn done(&self, id: CallId, signer: &PublicKey) -> Result<(), QuestionError> {
        let slot_ms = self.worked_on(id, signer).await?;
        self.sleep_to_slot(slot_ms).await;
        Ok(())
    }

    /// The body of a question of this signer, padded. Waits until it is done, and leaves at a slot: its own, or if it is
    /// fetched later any other, so that the time it takes to read the page does not show.
    pub async fn body(&self, id: CallId, signer: &PublicKey) -> Result<Vec<u8>, QuestionError> {
        let slot_ms = self.worked_on(id, signer).await?;
        let page = tokio::task::block_in_place(|| read(&self.book, id))?.ok_or(QuestionError::Unknown)?;
        let body = page.body.into_bytes();
        self.sleep_to_slot(slot_ms).await;
        Ok(body)
    }

    async fn worked_on(&self, id: CallId, signer: &PublicKey) -> Result<Millis, QuestionError> {
        let mut stage = self.follow(id, signer)?;
        stage.wait_for(|stage| *stage == Stage::Done).await.map_err(|_| QuestionError::Unknown)?;
        self.state().held.get(&id).map(|held| held.slot_ms).ok_or(QuestionError::Unknown)
    }

    async fn sleep_to_slot(&self, slot_ms: Millis) {
        if self.config.dangerous_without_slots {
            return;
        }
        let slot_ms = slot_ms.max(self.state().slots.at_or_after(now_ms()));
        // the clock may be set meanwhile, so it is asked again
        while let Some(left) = slot_ms.checked_sub(now_ms()).filter(|left| *left > 0) {
            tokio::time::sleep(Duration::from_millis(left)).await;
        }
    }

    /// What waits for a person.
    pub fn inbox(&self) -> Result<Vec<Waiting>, QuestionError> {
        let ids: Vec<CallId> = {
            let state = self.state();
            state.held.iter().filter(|(_, held)| *held.stage.borrow() == Stage::Inbox).map(|(id, _)| *id).collect()
        };
        let mut waiting = Vec::new();
        for id in ids {
            let Some(page) = read(&self.book, id)? else { continue };
            waiting.push(Waiting::of(id, page));
        }
        Ok(waiting)
    }

    /// A person decides; durable when this returns.
    pub fn decide(&self, id: CallId, permitted: bool, now_ms: Millis) -> Result<(), QuestionError> {
        let stage = if permitted { Stage::Permitted } else { Stage::Denied };
        self.settle(id, stage, now_ms)
    }

    fn settle(&self, id: CallId, stage: Stage, now_ms: Millis) -> Result<(), QuestionError> {
        let mut state = self.state();
        let State { held, slots } = &mut *state;
        let held = held.get_mut(&id).ok_or(QuestionError::Unknown)?;
        if *held.stage.borrow() != Stage::Inbox {
            return Err(QuestionError::Decided);
        }
        let mut page = read(&self.book, id)?.ok_or(QuestionError::Unknown)?;
        page.stage = stage;
        page.person = stage == Stage::Permitted;
        let place = slots.take_anywhere(page.signer, page.parts(), now_ms).map_err(QuestionError::Full)?;
        (page.slot_ms, page.start_ms) = (place.slot_ms, place.start_ms);
        self.write(id, &page)?;
        (held.slot_ms, held.start_ms) = (place.slot_ms, place.start_ms);
        held.stage.send_replace(stage);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// Works until it is dropped: one question after another, each from the beginning of its stretch on. `judge` says what
    /// policy says now; a failure is told to `report` and tried again, and stops nothing else.
    pub async fn work(
        &self,
        institution: &Institution,
        keys: &dyn ProvingKeys,
        judge: impl Fn(&Page) -> Ruling,
        report: impl Fn(&dyn std::error::Error),
    ) {
        loop {
            let next = match self.tidy() {
                Ok(()) => self.next(),
                Err(error) => {
                    report(&error);
                    tokio::time::sleep(AGAIN).await;
                    None
                }
            };
            let wait = next.map_or(TIDY_MS, |(_, start_ms)| start_ms.saturating_sub(now_ms()));
            if wait > 0 && !(self.config.dangerous_without_slots && next.is_some()) {
                // what comes in meanwhile may begin earlier, and what waits for a person has a deadline
                let wait = Duration::from_millis(wait.min(TIDY_MS));
                let _ = tokio::time::timeout(wait, self.work.notified()).await;
                continue;
            }
            let Some((id, _)) = next else { continue };
            match self.answer(institution, keys, id, &judge).await {
                Ok(None) => {}
                Ok(Some(failure)) => report(&failure),
                Err(error) => {
                    report(&error);
                    if !matches!(error, QuestionError::Page(PageError::Io(..))) {
                        // its page says nothing any more: nobody can answer it
                        self.state().held.remove(&id);
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn next(&self) -> Option<(CallId, Millis)> {
        let state = self.state();
        let decided = state.held.iter().filter(|(_, held)| held.stage.borrow().is_decided());
        let first = decided.min_by_key(|(id, held)| (held.start_ms, held.taken_ms, **id));
        first.map(|(id, held)| (*id, held.start_ms))
    }

    /// Answers one question. An error of ours is no answer either: its asker is refused, and the holder told.
    async fn answer(
        &self,
        institution: &Institution,
        keys: &dyn ProvingKeys,
        id: CallId,
        judge: impl Fn(&Page) -> Ruling,
    ) -> Result<Option<AnswerError>, QuestionError> {
        let mut page = read(&self.book, id)?.ok_or(QuestionError::Unknown)?;
        let subject = page.subject.parse().map_err(|_| QuestionError::Subject)?;
        // what was permitted when it was asked may not be now: another policy, another role
        let ruling = match (page.stage, judge(&page)) {
            (Stage::Permitted, ruling) => ruling,
            (_, Ruling::Permitted(policy) | Ruling::Denied(policy)) => Ruling::Denied(policy),
        };
        let response = if self.config.dangerous_without_slots {
            answer::dangerous_respond_without_decoys(institution, keys, &page.request, &subject, ruling, &mut OsRng)
                .await
        } else {
            // the entry is sent at a time that does not depend on how long the search took
            let search_ms = self.state().slots.stretch(page.parts()) / SEARCH_PART;
            let log_at = page.start_ms.saturating_add(search_ms);
            let wait = Duration::from_millis(log_at.saturating_sub(now_ms()));
            let log_at = tokio::time::Instant::now() + wait;
            answer::respond_at(institution, keys, &page.request, &subject, ruling, log_at, &mut OsRng).await
        };
        let (evidence, failure) = match response {
            Ok(response) => (response.evidence, response.damage.map(AnswerError::from)),
            Err(error) => (None, Some(error)),
        };
        page.body = page::body(&page.request, evidence.as_ref());
        page.stage = Stage::Done;
        let mut state = self.state();
        page.slot_ms = page.slot_ms.max(state.slots.at_or_after(now_ms()));
        self.write(id, &page)?;
        if let Some(held) = state.held.get_mut(&id) {
            held.slot_ms = page.slot_ms;
            held.stage.send_replace(Stage::Done);
        }
        Ok(failure)
    }

    /// Denies what nobody decided in time, and forgets what is long over.
    fn tidy(&self) -> Result<(), QuestionError> {
        let now_ms = now_ms();
        let ends = |held: &Held| held.ends_at.unix().saturating_mul(1000);
        let (mut late, mut over) = (Vec::new(), Vec::new());
        for (id, held) in &self.state().held {
            let stage = *held.stage.borrow();
            if stage == Stage::Inbox && ends(held) <= now_ms.saturating_add(self.config.delay_ms) {
                late.push(*id);
            }
            let keep_ms = self.config.keep_seconds.saturating_mul(1000);
            if stage == Stage::Done && ends(held).max(held.slot_ms).saturating_add(keep_ms) <= now_ms {
                over.push(*id);
            }
        }
        for id in late {
            match self.settle(id, Stage::Denied, now_ms) {
                Ok(()) | Err(QuestionError::Decided | QuestionError::Unknown) => {}
                Err(error) => return Err(error),
            }
        }
        for id in over {
            self.book.remove(id)?;
            self.state().held.remove(&id);
        }
        Ok(())
    }

    fn write(&self, id: CallId, page: &Page) -> Result<(), QuestionError> {
        let bytes = serde_json::to_vec(page).map_err(|e| QuestionError::Damaged(e.to_string()))?;
        Ok(self.book.write(id, &zeroize::Zeroizing::new(bytes), &mut OsRng)?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // a thread that died while it held the lock left whole rows
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Questions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Questions")
    }
}

impl Held {
    fn of(page: &Page) -> Held {
        let Page { signer, taken_ms, slot_ms, start_ms, ends_at, stage, .. } = page;
        let stage = watch::Sender::new(*stage);
        let (taken_ms, slot_ms, start_ms) = (*taken_ms, *slot_ms, *start_ms);
        Held { signer: *signer, taken_ms, slot_ms, start_ms, ends_at: *ends_at, stage }
    }

    fn taken(&self, id: CallId) -> Taken {
        Taken { id, answer_at: self.slot_ms, ends_at: self.ends_at }
    }
}

/// A question as it comes in.
pub struct Asked<'a> {
    /// The id of the call that brought it.
    pub id: CallId,
    /// Who signed the call.
    pub party: &'a Party,
    /// What is asked.
    pub request: Request,
    /// About whom.
    pub subject: String,
    /// When it came.
    pub now_ms: Millis,
}

fn parts_of(request: &Request) -> u32 {
    request.parts.len() as u32 // at most four
}

fn read(book: &QuestionBook, id: CallId) -> Result<Option<Page>, QuestionError> {
    let Some(bytes) = book.read(id)? else { return Ok(None) };
    let page: Page = serde_json::from_slice(&bytes).map_err(|e| QuestionError::Damaged(e.to_string()))?;
    if page.version == 1 { Ok(Some(page)) } else { Err(QuestionError::Damaged("of another version".to_owned())) }
}

/// The time of slots: the machine's, in milliseconds.
pub fn now_ms() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
