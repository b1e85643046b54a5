//! A hospital with a real ledger in a folder, a researcher, and faults at the ledger's door.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rand_chacha::ChaCha20Rng;
use tempfile::TempDir;
use vouchsafe_access::keystore::Keystore;
use vouchsafe_access::ledger::{AccessLedger, Amendment, ChainRules, Height, LedgerError, LedgerView, LedgerWriter};
use vouchsafe_access::ledger::{Located, Placed, Withdrawal};
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::{PartyRole, Policy};
use vouchsafe_access::research::{Answer, Cohort, Measure, ProjectTerms, Query, QueryError, ResearchDesk, Researcher};
use vouchsafe_access::vault::{Draft, Incoming, Vault};
use vouchsafe_circuits::record::{Absence, FieldValue, Validity, Value};
use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_circuits::{Commitment, Suite};
use vouchsafe_ledger::{Engine, ManualClock, Options, Solo};
use vouchsafe_ledger_types::accepted::AcceptanceProof;
use vouchsafe_ledger_types::entry::{
    Amend, Body, Commit, Entry, FoundingMember, Genesis, Header, Nonce, Parameters, RegisterSchema, Role, SignedEntry,
    Validator, Withdraw,
};
use vouchsafe_ledger_types::ids::{AppHash, ChainId, DataSetId, MemberId, ProjectId};
use vouchsafe_ledger_types::receipt::Receipt;
use vouchsafe_ledger_types::signing::{Algorithm, SigningKey};
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_value::DataSetState;
use vouchsafe_ledger_types::units::{BlockTime, MicroEpsilon};

use crate::support::{mrn, patient, record, rng, source};

pub const START: u64 = 1_700_000_000;
/// ε 50: the noise is zero but once in 10^21 draws, so the answer is the exact count.
pub const EXACT: MicroEpsilon = MicroEpsilon::new(50_000_000);

pub fn at(seconds: u64) -> BlockTime {
    BlockTime::from_unix(START + seconds).unwrap()
}

/// What goes wrong with the next entry of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not sent.
    Before,
    /// It is logged, but the answer does not arrive.
    After,
    /// As [`Fault::After`], and the call never returns: as if the process were killed there.
    Killed,
    /// The proof of another entry is shown.
    OtherProof,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Reserve,
    Spend,
}

/// The solo engine, for one member.
pub struct Ledger {
    solo: Solo,
    key: SigningKey,
    member: MemberId,
    rules: ChainRules,
    nonce: AtomicU64,
    fault: Mutex<Option<(Kind, Fault)>>,
    pub clock: Arc<ManualClock>,
    first: AcceptanceProof,
}

impl Ledger {
    fn create(dir: &std::path::Path) -> Ledger {
        let (key, validator) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[9; 32]));
        let chain: ChainId = "demo".parse().unwrap();
        let member = FoundingMember {
            name: "hospital-a".parse().unwrap(),
            roles: vec![Role::Issuer, Role::Registrar],
            keys: vec![key.public()],
        };
        let id = MemberId::of(&chain, &member.name);
        let validators = vec![Validator { name: "solo".parse().unwrap(), key: validator.public(), power: 1 }];
        let genesis = Genesis {
            suite: Suite::Bn254,
            development: true,
            members: vec![member],
            validators: validators.clone(),
            parameters: Parameters::default(),
        };
        let clock = Arc::new(ManualClock::new(at(0)));
        let entry = sign(&key, &chain, id, 0, Body::Genesis(genesis), at(0));
        let first = entry.id();
        let solo = Solo::create(dir, entry, validator, clock.clone(), Options::default()).unwrap();
        let first = solo.acceptance(first).unwrap();
        Ledger {
            solo,
            key,
            member: id,
            rules: ChainRules { chain, suite: Suite::Bn254, validators },
            nonce: AtomicU64::new(1),
            fault: Mutex::new(None),
            clock,
            first,
        }
    }

    pub fn fail(&self, kind: Kind, fault: Fault) {
        *self.fault.lock().unwrap() = Some((kind, fault));
    }

    fn fault_of(&self, body: &Body) -> Option<Fault> {
        let kind = match body {
            Body::ReserveBudget(_) => Kind::Reserve,
            Body::SpendBudget(_) => Kind::Spend,
            _ => return None,
        };
        let mut fault = self.fault.lock().unwrap();
        let (_, found) = fault.filter(|(of, _)| *of == kind)?;
        *fault = None;
        Some(found)
    }

    fn signed(&self, body: Body) -> SignedEntry {
        let nonce = self.nonce.fetch_add(1, Ordering::SeqCst);
        let now = vouchsafe_ledger::Clock::now(&*self.clock);
        sign(&self.key, &self.rules.chain, self.member, nonce, body, now)
    }

    fn submit(&self, body: Body) -> Result<Receipt, LedgerError> {
        let receipts = self.solo.submit(vec![self.signed(body)]);
        let receipt = receipts.map_err(|e| LedgerError::Unavailable(e.to_string()))?[0];
        if receipt.code.is_accepted() { Ok(receipt) } else { Err(LedgerError::Refused(receipt.code.to_string())) }
    }

    pub fn data_set(&self, id: DataSetId) -> DataSetState {
        self.solo.snapshot().unwrap().value(id).unwrap().unwrap()
    }

    pub fn app_hash_at(&self, height: Height) -> AppHash {
        self.solo.snapshot().unwrap().seal_at(height).unwrap().app_hash()
    }
}

fn sign(key: &SigningKey, chain: &ChainId, member: MemberId, n: u64, body: Body, now: BlockTime) -> SignedEntry {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&n.to_be_bytes());
    let header = Header {
        chain: chain.clone(),
        member,
        signer: key.public(),
        algorithm: Algorithm::Ed25519,
        expiry: now.plus_seconds(600).unwrap(),
        nonce: Nonce::new(nonce),
    };
    SignedEntry::sign(Entry { header, body }, &[key]).unwrap()
}

#[async_trait]
impl AccessLedger for Ledger {
    async fn value(&self, key: StateKey) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.solo.snapshot().unwrap().bytes(&key).unwrap())
    }

    async fn tip(&self) -> Result<(Height, BlockTime, AppHash), LedgerError> {
        let snapshot = self.solo.snapshot().unwrap();
        let tip = snapshot.tip();
        Ok((tip.height, tip.time, snapshot.seal().app_hash()))
    }

    async fn sign(&self, body: Body) -> Result<SignedEntry, LedgerError> {
        Ok(self.signed(body))
    }

    async fn send(&self, entry: SignedEntry) -> Result<AcceptanceProof, LedgerError> {
        tokio::task::yield_now().await; // so that two askers come here side by side
        let (id, fault) = (entry.id(), self.fault_of(&entry.entry().body));
        if fault == Some(Fault::Before) {
            return Err(LedgerError::Unavailable("cut off before".to_owned()));
        }
        let receipts = self.solo.submit(vec![entry]).map_err(|e| LedgerError::Unavailable(e.to_string()))?;
        match fault {
            Some(Fault::After) => return Err(LedgerError::Unavailable("cut off after".to_owned())),
            Some(Fault::Killed) => std::future::pending().await,
            Some(Fault::OtherProof) => return Ok(self.first.clone()),
            _ => {}
        }
        if !receipts[0].code.is_accepted() {
            return Err(LedgerError::Refused(receipts[0].code.to_string()));
        }
        self.solo.acceptance(id).map_err(|e| LedgerError::Unavailable(e.to_string()))
    }

    fn chain(&self) -> &ChainRules {
        &self.rules
    }
}

#[async_trait]
impl LedgerView for Ledger {
    async fn lookup(&self, commitment: Commitment) -> Result<Option<Located>, LedgerError> {
        let found = self.solo.snapshot().unwrap().lookup(self.member, commitment).unwrap();
        Ok(found.map(|place| Located { position: place.position, active: place.active }))
    }
}

#[async_trait]
impl LedgerWriter for Ledger {
    async fn commit(&self, commitments: Vec<Commitment>) -> Result<Vec<Placed>, LedgerError> {
        let count = commitments.len() as u32;
        let receipt = self.submit(Body::Commit(Commit { commitments }))?;
        Ok((0..count).map(|n| placed(&receipt, n)).collect())
    }

    async fn amend(&self, amendment: Amendment) -> Result<Placed, LedgerError> {
        let Amendment { position, old, new } = amendment;
        Ok(placed(&self.submit(Body::Amend(Amend { position, old, new }))?, 0))
    }

    async fn withdraw(&self, withdrawal: Withdrawal) -> Result<Height, LedgerError> {
        let Withdrawal { position, commitment } = withdrawal;
        Ok(self.submit(Body::Withdraw(Withdraw { position, commitment }))?.height)
    }
}

fn placed(receipt: &Receipt, nth: u32) -> Placed {
    Placed { position: receipt.position(nth).unwrap(), height: receipt.height }
}

/// An institution with research going on.
pub struct World {
    pub dir: TempDir,
    pub keystore: Keystore,
    pub vault: Arc<Vault>,
    pub ledger: Arc<Ledger>,
    pub desk: ResearchDesk,
    pub policy: Policy,
    pub researcher: Researcher,
    pub data_set: DataSetId,
    pub rng: ChaCha20Rng,
}

impl World {
    /// A data set of patients and observations with this budget, and no records.
    pub async fn new(seed: u64, budget: MicroEpsilon) -> World {
        let mut rng = rng(seed);
        let dir = tempfile::tempdir().unwrap();
        let keystore = Keystore::generate(&mut rng);
        let vault = Arc::new(Vault::create(&dir.path().join("vault"), &keystore).unwrap());
        let ledger = Arc::new(Ledger::create(&dir.path().join("ledger")));
        for schema in builtin::all() {
            ledger.submit(Body::RegisterSchema(RegisterSchema { schema: schema.to_bytes() })).unwrap();
        }
        let desk = open_desk(&dir, &keystore, &vault, &ledger, "research").await.unwrap();
        let schemas = [builtin::patient().id(), builtin::observation().id()];
        let name = "everything".parse().unwrap();
        let data_set = desk.open_data_set(name, BTreeSet::from(schemas), budget).await.unwrap();
        let researcher = researcher("r-1", &mut rng);
        let policy = Policy::load(Policy::STANDARD).unwrap();
        World { dir, keystore, vault, ledger, desk, policy, researcher, data_set, rng }
    }

    pub fn terms(&self, budget: MicroEpsilon) -> ProjectTerms {
        ProjectTerms {
            title: "blood sugar in town".to_owned(),
            researcher: self.researcher.card.id(),
            researcher_name: self.researcher.card.name.clone(),
            purpose: "HRESCH".to_owned(),
            data_set: self.data_set,
            threshold: 5,
            budget,
            until: at(100_000),
        }
    }

    pub async fn project(&mut self, budget: MicroEpsilon) -> ProjectId {
        let terms = self.terms(budget);
        self.desk.open_project(terms, &mut self.rng).await.unwrap()
    }

    pub async fn ingest(&mut self, drafts: Vec<Draft>) {
        let incoming: Vec<Incoming> = drafts.into_iter().map(record).collect();
        for outcome in self.vault.stage(incoming, &mut self.rng).await.unwrap().outcomes {
            outcome.unwrap();
        }
        self.vault.settle(&*self.ledger, &mut self.rng).await.unwrap();
    }

    pub async fn ask(&mut self, query: &Query) -> Result<Answer, QueryError> {
        self.desk.query(&self.policy, &self.researcher, query, at(0), &mut self.rng).await
    }

    /// The process ends, and another one opens the same folders.
    pub async fn restart(&mut self) {
        self.desk = open_desk(&self.dir, &self.keystore, &self.vault, &self.ledger, "research").await.unwrap();
    }

    /// Another desk of the same institution: only the ledger keeps the two apart.
    pub async fn second_desk(&self) -> ResearchDesk {
        open_desk(&self.dir, &self.keystore, &self.vault, &self.ledger, "research-2").await.unwrap()
    }

    pub fn research_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("research")
    }

    pub fn reserved_and_spent(&self) -> (u64, u64) {
        let state = self.ledger.data_set(self.data_set);
        (state.reserved.get(), state.spent.get())
    }
}

async fn open_desk(
    dir: &TempDir,
    keystore: &Keystore,
    vault: &Arc<Vault>,
    ledger: &Arc<Ledger>,
    name: &str,
) -> Result<ResearchDesk, QueryError> {
    let member = ledger.member;
    ResearchDesk::open(&dir.path().join(name), keystore.audit_seed(), vault.clone(), ledger.clone(), member).await
}

pub fn researcher(name: &str, rng: &mut ChaCha20Rng) -> Researcher {
    let card = PartySecrets::generate(name.parse().unwrap(), rng).card().unwrap();
    Researcher { card, roles: BTreeSet::from([PartyRole::Researcher]) }
}

pub fn patients(numbers: std::ops::Range<u32>) -> Vec<Draft> {
    numbers.map(|n| patient(n, "1")).collect()
}

/// An observation of a patient with a systolic pressure.
pub fn pressure(number: u32, nth: u32, systolic: i64) -> Draft {
    let schema = Arc::new(builtin::observation());
    let mut fields = schema.all_absent(Absence::NotAsked);
    fields[schema.place("systolic").unwrap()] = FieldValue::Present(Value::Integer(systolic));
    Draft {
        schema,
        issuer: crate::support::issuer(),
        suite: Suite::Bn254,
        subject: vec![mrn(number)],
        lookups: Vec::new(),
        introduces: false,
        fields,
        valid: Validity::ALWAYS,
        source: source(&format!("Observation/{number}-{nth}"), "1"),
    }
}

pub fn count(project: ProjectId, schema: Schema, amount: MicroEpsilon) -> Query {
    let schema = Arc::new(schema);
    Query { project, schema, cohort: Cohort::everybody(), measure: Measure::Count, amount }
}

pub fn histogram(project: ProjectId, schema: Schema, field: &str, amount: MicroEpsilon) -> Query {
    let measure = Measure::Histogram { field: field.to_owned(), bins: Vec::new() };
    Query { measure, ..count(project, schema, amount) }
}
