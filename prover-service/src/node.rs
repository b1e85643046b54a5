//! A node: an institution in service. The services hang on it; it knows no socket.
//!
//! ```text
//! serving ──► stopping   somebody asked: what was accepted is finished, nothing new is begun
//!         ──► failed     the ledger stopped: what it says it has may not be on disk, so the process must end
//! ```
//!
//! One node has a folder open at a time; the folder's own lock sees to that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use vouchsafe_access::disclosures::BookError;
use vouchsafe_access::door::Door;
use vouchsafe_access::policy::Policy;
use vouchsafe_access::research::ResearchDesk;
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger_types::evidence::{ReadError, read_json};
use vouchsafe_ledger_types::ids::ChainId;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::{BlockTime, Height};

use crate::config::Config;
use crate::institution::{Institution, OpenError};
use crate::key_files::{KeyFolder, KeyRing};
use crate::parties::Parties;
use crate::questions::{QuestionError, Questions};
use crate::server::{Gate, TakenCalls};
use crate::telemetry::Metrics;

/// Whether a node takes new work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It does.
    Serving,
    /// It finishes what it has.
    Stopping,
    /// Its ledger has stopped.
    Failed,
}

/// Why a node cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A trust file cannot be read.
    #[error("the trust file {0} cannot be read")]
    TrustIo(PathBuf, #[source] std::io::Error),
    /// It is none.
    #[error("the trust file {0}")]
    Trust(PathBuf, #[source] ReadError),
    /// Two of them speak of one ledger.
    #[error("two trust files are about the ledger {0}: which one counts?")]
    TrustTwice(ChainId),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] QueryError),
    /// The policy.
    #[error(transparent)]
    Policy(#[from] OpenError),
    /// A book of the door.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The research desk.
    #[error(transparent)]
    Research(#[from] vouchsafe_access::research::QueryError),
    /// The book of questions.
    #[error(transparent)]
    Questions(#[from] QuestionError),
}

/// An institution in service.
pub struct Node {
    institution: Arc<Institution>,
    keys: KeyRing,
    trust: Trust,
    trust_of_others: Vec<Trust>,
    config: Config,
    gate: Gate,
    policy: Arc<Policy>,
    door: Door,
    questions: Questions,
    research: ResearchDesk,
    taken_calls: TakenCalls,
    metrics: Arc<Metrics>,
    phase: watch::Sender<Phase>,
    began: BlockTime,
}

impl Node {
    /// Puts an institution into service.
    pub async fn new(institution: Arc<Institution>, config: Config, metrics: Metrics) -> Result<Node, NodeError> {
        let (trust, trust_of_others) = read_trust(&institution, &config)?;
        let keys = KeyRing::new(KeyFolder::of(&institution.layout().keys()), institution.identity().suite);
        let metrics = Arc::new(metrics);
        let gate = Gate::new(config.limits, Arc::clone(&metrics));
        let began = institution.clock().now();
        let phase = watch::Sender::new(Phase::Serving);
        let policy = Arc::new(institution.policy()?);
        let door = institution.door(Arc::clone(&policy))?;
        let questions = Questions::open(institution.question_book().map_err(QuestionError::from)?, config.questions)?;
        let research = institution.research_desk().await?;
        let taken_calls = TakenCalls::default();
        let node = Node {
            institution,
            keys,
            trust,
            trust_of_others,
            config,
            gate,
            policy,
            door,
            questions,
            research,
            taken_calls,
            metrics,
            phase,
            began,
        };
        node.height()?;
        Ok(node)
    }

    /// The institution.
    pub fn institution(&self) -> &Arc<Institution> {
        &self.institution
    }

    /// Its proving keys.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// What evidence about a ledger is verified against; of a ledger that is not known, the own trust file, which
    /// refuses it.
    pub fn trust(&self, chain: &ChainId) -> &Trust {
        self.trust_of_others.iter().find(|trust| trust.chain == *chain).unwrap_or(&self.trust)
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The gate in front of all work.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The policy in force.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The one door out of the vault.
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// The questions asked online.
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// The research desk.
    pub fn research(&self) -> &ResearchDesk {
        &self.research
    }

    /// The signed calls that were taken.
    pub fn taken_calls(&self) -> &TakenCalls {
        &self.taken_calls
    }

    /// The counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The parties that this institution knows.
    pub fn parties(&self) -> Parties {
        Parties::of(&self.institution.layout().parties())
    }

    /// The time.
    pub fn now(&self) -> BlockTime {
        self.institution.clock().now()
    }

    /// Since when it is in service.
    pub fn began(&self) -> BlockTime {
        self.began
    }

    /// The newest block. Notices a ledger that has stopped.
    pub fn height(&self) -> Result<Height, QueryError> {
        let height = self.institution.ledger().snapshot().map(|snapshot| snapshot.height());
        match &height {
            Ok(height) => self.metrics.height.set(height.get() as f64),
            Err(QueryError::Stopped(why)) => self.fail(why),
            Err(_) => {}
        }
        height
    }

    /// Whether it takes new work, now and later.
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Takes nothing new from now on.
    pub fn stop(&self) {
        self.phase.send_if_modified(|phase| {
            let serving = *phase == Phase::Serving;
            if serving {
                *phase = Phase::Stopping;
            }
            serving
        });
    }

    /// The ledger has stopped: the process has to end.
    pub fn fail(&self, why: &str) {
        let first = self.phase.send_replace(Phase::Failed) != Phase::Failed;
        if first {
            self.metrics.ledger_stopped.set(1.0);
            tracing::error!(why, "the ledger has stopped");
        }
    }
}

/// The institution's own trust file, and those of others.
fn read_trust(institution: &Institution, config: &Config) -> Result<(Trust, Vec<Trust>), NodeError> {
    let own = read_one(&institution.layout().trust())?;
    let mut others: Vec<Trust> = Vec::new();
    for file in &config.verifier.trust_files {
        let trust = read_one(file)?;
        if std::iter::once(&own).chain(&others).any(|other| other.chain == trust.chain) {
            return Err(NodeError::TrustTwice(trust.chain));
        }
        others.push(trust);
    }
    Ok((own, others))
}

fn read_one(file: &Path) -> Result<Trust, NodeError> {
    let bytes = std::fs::read(file).map_err(|e| NodeError::TrustIo(file.to_owned(), e))?;
    read_json("a trust file", &bytes).map_err(|e| NodeError::Trust(file.to_owned(), e))
}
