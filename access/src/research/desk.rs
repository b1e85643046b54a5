//! The research desk: the one way from a query to a noisy answer.
//!
//! ```text
//! policy (Cedar: query) ──► the list of records and the anchor, of one moment ──► stored answer? given, pays nothing
//! exact counts ──► opening and mark on the shelf ──► ReserveBudget, its acceptance verified ──► noise drawn
//! ──► answer on the shelf ──► SpendBudget ──► mark cleared ──► answer given
//! ```
//!
//! What is reserved never comes back: a crash after the reservation loses its answer or keeps it, and buys no second
//! draw. A mark that a crash left is spent before anything else is answered. One query at a time.
//! Does not protect from the institution, which holds the records; nor across institutions. Spec: docs/spec/research.md.

mod answer;
mod opening;
mod pages;

use std::path::Path;
use std::sync::Arc;

use futures_util::lock::Mutex;
use hmac::{Hmac, KeyInit, Mac};
use rand::{CryptoRng, RngCore};
use sha2::Sha256;
use vouchsafe_circuits::ids::Anchor;
use vouchsafe_circuits::tags::Domain;
use vouchsafe_ledger_types::accepted::AcceptanceError;
use vouchsafe_ledger_types::entry::{Body, ReserveBudget, SpendBudget};
use vouchsafe_ledger_types::ids::{AppHash, EntryId, MemberId, ProjectId, QueryCommitment, ReservationId};
use vouchsafe_ledger_types::state_value::{AnchorState, DataSetState, ProjectState, ReservationState};
use vouchsafe_ledger_types::units::{BlockTime, Height, MicroEpsilon};
use zeroize::Zeroizing;

pub use answer::{Answer, AnsweredBin, QueryError, Refusal, Researcher};
use answer::{answer, bin, left, of_data_set, of_project};
pub use opening::OpenError;

use super::noise::Noise;
use super::query::{Plan, Query};
use super::shelf::{Drawer, Page, PageName, Shelf};
use super::tally::{ChoiceKey, Tally};
use super::{ProjectTerms, project};
use crate::aead;
use crate::labels;
use crate::ledger::{AccessLedger, LedgerError, state};
use crate::pages::PageError;
use crate::policy::{Asker, Policy, Question};
use crate::secret::AuditSeed;
use crate::vault::{CohortError, Listed, Vault};
use pages::{QueryWords, StoredAnswer};

/// What stored answers are named with.
struct NameKey(Zeroizing<[u8; 32]>);

/// Answers research queries of one institution.
pub struct ResearchDesk {
    vault: Arc<Vault>,
    ledger: Arc<dyn AccessLedger>,
    member: MemberId,
    shelf: Shelf,
    choice: ChoiceKey,
    names: NameKey,
    asking: Mutex<()>,
}

/// The records and the ledger at one moment.
struct Moment {
    height: Height,
    app_hash: AppHash,
    anchor: Anchor,
    listed: Vec<Listed>,
}

impl std::fmt::Debug for ResearchDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResearchDesk")
    }
}

impl ResearchDesk {
    /// Opens the desk with its folder, which is made if it is not there. Spends what a crash left reserved, as
    /// [`ResearchDesk::settle`] does.
    pub async fn open(
        dir: &Path,
        seed: &AuditSeed,
        vault: Arc<Vault>,
        ledger: Arc<dyn AccessLedger>,
        member: MemberId,
    ) -> Result<ResearchDesk, QueryError> {
        let desk = ResearchDesk {
            vault,
            ledger,
            member,
            shelf: Shelf::open(dir, seed)?,
            choice: ChoiceKey(aead::derive(seed.expose(), None, &[labels::RESEARCH_CHOICE])),
            names: NameKey(aead::derive(seed.expose(), None, &[labels::RESEARCH_NAME])),
            asking: Mutex::new(()),
        };
        desk.settle().await?;
        Ok(desk)
    }

    /// Tells the ledger of reservations whose noise may have been drawn: it counts them as spent. How many there were.
    pub async fn settle(&self) -> Result<usize, QueryError> {
        let _one_at_a_time = self.asking.lock().await;
        self.spend_what_is_left().await
    }

    /// Answers a query, or gives the answer that was given before. `now` is the institution's clock.
    pub async fn query(
        &self,
        policy: &Policy,
        asker: &Researcher,
        query: &Query,
        now: BlockTime,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Answer, QueryError> {
        let _one_at_a_time = self.asking.lock().await;
        let terms = self.project(query.project)?.filter(|terms| terms.researcher == asker.card.id());
        let terms = terms.ok_or(Refusal::NoProject)?;
        self.spend_what_is_left().await?;
        let (project, data_set) = self.permit(policy, asker, &terms, query, now).await?;
        let plan = Plan::of(query)?;
        let noise = Noise::paid_by(query.amount)?;
        let moment = self.moment(query).await?;
        let name = self.name_of(query, moment.anchor);
        if let Some(page) = self.shelf.page::<StoredAnswer>(Drawer::Answers, name)? {
            return Ok(answer(page.words(), noise.scale(), None, &project, &data_set));
        }
        let remaining = left(&project, &data_set);
        if noise.cost() > remaining {
            return Err(QueryError::BudgetExhausted { offered: noise.cost(), remaining });
        }
        let Moment { height, app_hash, anchor, listed } = moment;
        let exact = self.count(&plan, query, listed).await?;
        let words = QueryWords::of(query, noise.cost(), height, anchor);
        let reservation = self.reserve(query, words, noise.cost(), rng).await?;

        let drawn = noise.add(&exact)?;
        let bins = plan.names().into_iter().zip(drawn).map(|(name, noisy)| bin(name, noisy, project.threshold));
        let stored = StoredAnswer { reservation, height, app_hash, bins: bins.collect() };
        self.shelf.put(Drawer::Answers, name, &Page::blinded(stored.clone(), rng), rng)?;
        self.spend(reservation).await?;
        let (project, data_set) = self.states(query.project).await?;
        Ok(answer(stored, noise.scale(), Some(noise.cost()), &project, &data_set))
    }

    /// What a project is about, if it is one of this desk.
    pub fn project(&self, id: ProjectId) -> Result<Option<ProjectTerms>, PageError> {
        Ok(self.shelf.page::<ProjectTerms>(Drawer::Projects, id.entry().into())?.map(Page::words))
    }

    /// What a data set and a project have left.
    pub async fn remaining(&self, project: ProjectId) -> Result<(MicroEpsilon, MicroEpsilon), QueryError> {
        let (project, data_set) = self.states(project).await?;
        Ok((of_data_set(&data_set), of_project(&project)))
    }

    async fn permit(
        &self,
        policy: &Policy,
        asker: &Researcher,
        terms: &ProjectTerms,
        query: &Query,
        now: BlockTime,
    ) -> Result<(ProjectState, DataSetState), QueryError> {
        let (project, data_set) = self.states(query.project).await?;
        let (_, block_time, _) = self.ledger.tip().await?;
        let now = now.max(block_time);
        if project.until <= now {
            return Err(Refusal::Ended.into());
        }
        if !data_set.schemas.contains(&query.schema.id()) {
            return Err(Refusal::OtherSchema.into());
        }
        if project.rule_set != project::rule_set(&data_set.schemas) {
            return Err(Refusal::OtherRules.into());
        }
        let question =
            Question::Query { data_set: data_set.name.as_str(), purpose: &terms.purpose, threshold: project.threshold };
        let party = Asker::admitted(&asker.card, asker.roles.clone());
        policy.decide(&party, &question, now).map_err(Refusal::from)?;
        Ok((project, data_set))
    }

    async fn states(&self, id: ProjectId) -> Result<(ProjectState, DataSetState), QueryError> {
        let project: ProjectState = state(&*self.ledger, id).await?.ok_or(Refusal::NoProject)?;
        let data_set: DataSetState = state(&*self.ledger, project.data_set).await?.ok_or(Refusal::NoProject)?;
        if project.member != self.member || data_set.member != self.member {
            return Err(Refusal::NoProject.into());
        }
        Ok((project, data_set))
    }

    /// The active records of the schema, and the anchor that they are the active set of. While they are listed nothing
    /// is settled, and nobody but the vault changes this member's set.
    async fn moment(&self, query: &Query) -> Result<Moment, QueryError> {
        let still = self.vault.hold_still().await?;
        let (height, _, app_hash) = self.ledger.tip().await?;
        let state: Option<AnchorState> = state(&*self.ledger, self.member).await?;
        let anchor =
            state.ok_or_else(|| LedgerError::Unavailable("it has no anchor of this member".to_owned()))?.anchor;
        let listed = still.list(query.schema.id()).map_err(CohortError::from)?;
        Ok(Moment { height, app_hash, anchor, listed })
    }

    async fn count(&self, plan: &Plan, query: &Query, listed: Vec<Listed>) -> Result<Vec<i64>, QueryError> {
        let mut tally = Tally::new(self.choice.clone(), plan.names().len());
        let mut misfit = None;
        let each = |record: crate::vault::LowRecord| match plan.place(&record.values) {
            Ok(Some(bin)) => tally.add(record.subject, record.id, bin),
            Ok(None) => {}
            Err(e) => misfit = Some(CohortError::Sealed { record: record.id, why: e.to_string() }),
        };
        self.vault.open_low(listed, &query.schema, each).await?;
        misfit.map_or_else(|| Ok(tally.counts()), |e| Err(e.into()))
    }

    /// Takes the budget. When this returns, it is gone, and the mark that says so is durable.
    async fn reserve(
        &self,
        query: &Query,
        words: QueryWords,
        amount: MicroEpsilon,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<ReservationId, QueryError> {
        let page = Page::blinded(words, rng);
        let commitment = QueryCommitment::from_bytes(page.commitment(Domain::Query));
        let body = ReserveBudget { project: query.project, query: commitment, amount };
        let entry = self.ledger.sign(Body::ReserveBudget(body)).await?;
        let (id, mark) = (entry.id(), pages::Mark { expires: entry.entry().header.expiry });
        self.shelf.put(Drawer::Queries, id.into(), &page, rng)?;
        self.shelf.put(Drawer::Unspent, id.into(), &Page::blinded(mark, rng), rng)?;
        let shown = match self.ledger.send(entry).await {
            Ok(proof) => self.ledger.chain().accepted(&proof).map_err(|e| match e {
                AcceptanceError::Refused(code) => LedgerError::Refused(code.to_string()),
                e => unproven(&e.to_string()),
            }),
            Err(e) => Err(e),
        };
        match shown {
            Ok(accepted) if accepted.id() == id => Ok(ReservationId::of(id)),
            Ok(other) => Err(unproven(&format!("it showed entry {}", other.id())).into()),
            Err(LedgerError::Refused(why)) => {
                self.shelf.remove(Drawer::Unspent, id.into())?; // nothing was taken
                let (project, data_set) = self.states(query.project).await?;
                let remaining = left(&project, &data_set);
                match amount > remaining {
                    true => Err(QueryError::BudgetExhausted { offered: amount, remaining }),
                    false => Err(LedgerError::Refused(why).into()),
                }
            }
            Err(e) => Err(e.into()),
        }
    }

    async fn spend(&self, reservation: ReservationId) -> Result<(), QueryError> {
        self.ledger.log(Body::SpendBudget(SpendBudget { reservation })).await?;
        Ok(self.shelf.remove(Drawer::Unspent, reservation.entry().into())?)
    }

    /// Goes through the marks. One without a reservation is kept until its entry has expired: it may be on its way.
    async fn spend_what_is_left(&self) -> Result<usize, QueryError> {
        let mut spent = 0;
        for name in self.shelf.names(Drawer::Unspent)? {
            let id = ReservationId::of(EntryId::from_bytes(name.0));
            match state::<ReservationState>(&*self.ledger, id).await? {
                Some(reservation) if !reservation.spent => {
                    self.spend(id).await?;
                    spent += 1;
                }
                Some(_) => self.shelf.remove(Drawer::Unspent, name)?,
                None => {
                    let mark = self.shelf.page::<pages::Mark>(Drawer::Unspent, name)?.map(Page::words);
                    let (_, block_time, _) = self.ledger.tip().await?;
                    if mark.is_none_or(|mark| mark.expires <= block_time) {
                        self.shelf.remove(Drawer::Unspent, name)?;
                    }
                }
            }
        }
        Ok(spent)
    }

    fn name_of(&self, query: &Query, anchor: Anchor) -> PageName {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.names.0[..]) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.update(labels::RESEARCH_NAME);
        mac.update(anchor.fe().as_bytes());
        mac.update(&query.canonical());
        PageName(mac.finalize().into_bytes().into())
    }
}

fn unproven(why: &str) -> LedgerError {
    LedgerError::Unavailable(format!("it does not show that the reservation was accepted: {why}"))
}
