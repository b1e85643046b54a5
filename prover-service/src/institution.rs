//! An institution on one machine: its keystore, its vault, and the ledger that it keeps (solo engine).
//!
//! ```text
//! DIR/institution.json   who this is, on which chain          DIR/keystore      secrets, under a passphrase
//! DIR/ledger/            the ledger                           DIR/vault/        records, encrypted
//! DIR/disclosures/       openings of logged disclosures       DIR/trust.json    what verifiers need
//! DIR/keys/              proving and verifying keys          DIR/parties/      cards of those it knows
//! DIR/policy.cedar       its policy; else the standard one     DIR/questions/    what was asked online
//! DIR/grants/            what its grants say                    DIR/emergencies/  journal of broken glass
//! DIR/research/          projects, queries and their answers
//! DIR/operator.sock      while a node runs: its own people's verbs
//! ```
//!
//! A folder is founded whole or not at all: it is made beside and renamed. One process at a time has it open.

mod bridge;
mod found;
mod passphrase;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::RngCore;
use serde::{Deserialize, Serialize};
use vouchsafe_access::PageError;
use vouchsafe_access::disclosures::{BookError, DisclosureBook};
use vouchsafe_access::door::{Door, EmergencyBook, Fittings, GrantBook};
use vouchsafe_access::keystore::{Keystore, OpenError as KeystoreError};
use vouchsafe_access::ledger::ChainRules;
use vouchsafe_access::policy::{Policy, PolicyError};
use vouchsafe_access::question_book::QuestionBook;
use vouchsafe_access::research::{QueryError as ResearchError, ResearchDesk};
use vouchsafe_access::secret::Passphrase;
use vouchsafe_access::vault::{OpenVaultError, Vault};
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger::clock::Clock;
use vouchsafe_ledger::engine::{Engine, QueryError, SubmitError};
use vouchsafe_ledger::solo::{OpenError as LedgerOpenError, Options, Solo};
use vouchsafe_ledger_types::entry::{Body, Entry, EntryError, Header, Nonce, SignedEntry};
use vouchsafe_ledger_types::ids::{ChainId, MemberId, MemberName};
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode};
use vouchsafe_ledger_types::signing::{Algorithm, SigningKey};

pub use bridge::LedgerBridge;
pub use found::{FoundError, Founder, Founding, trust_of};
pub use passphrase::{PassphraseError, passphrase};

/// How long an entry of ours may wait to be applied.
const ENTRY_LIFETIME_SECONDS: u64 = 600;

/// Who this folder belongs to: `institution.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The version of this form.
    pub version: u32,
    /// The ledger.
    pub chain: ChainId,
    /// The member.
    pub member: MemberName,
    /// The ledger's suite.
    pub suite: Suite,
}

/// The files of an institution's folder.
#[derive(Clone, Debug)]
pub struct Layout(PathBuf);

impl Layout {
    /// The layout of a folder.
    pub fn of(dir: &Path) -> Layout {
        Layout(dir.to_owned())
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// `institution.json`.
    pub fn identity(&self) -> PathBuf {
        self.0.join("institution.json")
    }

    /// `keystore`.
    pub fn keystore(&self) -> PathBuf {
        self.0.join("keystore")
    }

    /// `trust.json`.
    pub fn trust(&self) -> PathBuf {
        self.0.join("trust.json")
    }

    /// `keys/`.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// `parties/`: those whom the institution knows by their cards.
    pub fn parties(&self) -> PathBuf {
        self.0.join("parties")
    }

    /// `operator.sock`: where a node that runs takes the verbs of its own people.
    pub fn operator_socket(&self) -> PathBuf {
        self.0.join("operator.sock")
    }

    /// `policy.cedar`: the institution's own policy, if it wrote one.
    pub fn policy(&self) -> PathBuf {
        self.0.join("policy.cedar")
    }

    fn questions(&self) -> PathBuf {
        self.0.join("questions")
    }

    fn grants(&self) -> PathBuf {
        self.0.join("grants")
    }

    fn research(&self) -> PathBuf {
        self.0.join("research")
    }

    fn emergencies(&self) -> PathBuf {
        self.0.join("emergencies")
    }

    fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    fn vault(&self) -> PathBuf {
        self.0.join("vault")
    }

    fn disclosures(&self) -> PathBuf {
        self.0.join("disclosures")
    }
}

/// Why an institution could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is none.
    #[error("{0} holds no institution: make one with `vouch init --data {0}`")]
    Missing(PathBuf),
    /// The identity file is not one.
    #[error("{0} is damaged: {1}")]
    Identity(PathBuf, String),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] OpenVaultError),
    /// The book of disclosures.
    #[error(transparent)]
    Disclosures(#[from] BookError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerOpenError),
    /// The ledger opened, but cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The institution's policy.
    #[error("{0}")]
    Policy(PathBuf, #[source] PolicyError),
    /// The disk.
    #[error("{0}")]
    Io(PathBuf, #[source] std::io::Error),
}

/// Why the ledger did not take an entry of ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The entry could not be made. Our bug.
    #[error("the entry could not be made")]
    Entry(#[from] EntryError),
    /// The ledger did not take it.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The ledger refused it.
    #[error("the ledger refused the entry: {0}")]
    Refused(ReceiptCode),
    /// The ledger could not be read.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// An open institution.
pub struct Institution {
    identity: Identity,
    layout: Layout,
    member: MemberId,
    keystore: Keystore,
    vault: Arc<Vault>,
    ledger: Arc<Solo>,
    rules: ChainRules,
    disclosures: DisclosureBook,
    clock: Arc<dyn Clock>,
}

impl Institution {
    /// Opens an institution's folder.
    pub fn open(dir: &Path, passphrase: &Passphrase, clock: Arc<dyn Clock>) -> Result<Institution, OpenError> {
        let layout = Layout::of(dir);
        let identity = read_identity(dir, &layout)?;
        let keystore = Keystore::open(&layout.keystore(), passphrase)?;
        // the vault first: it says in words when another process has the folder open
        let vault = Vault::open(&layout.vault(), &keystore)?;
        let validator = SigningKey::from_seed(keystore.validator_seed().expose());
        let ledger = Solo::open(&layout.ledger(), validator, Arc::clone(&clock), Options::default())?;
        let disclosures = DisclosureBook::open(&layout.disclosures(), keystore.audit_seed())?;
        let member = MemberId::of(&identity.chain, &identity.member);
        let rules = {
            let snapshot = ledger.snapshot()?;
            let chain = snapshot.chain();
            ChainRules { chain: chain.chain.clone(), suite: chain.suite, validators: chain.validators.clone() }
        };
        Ok(Institution {
            identity,
            layout,
            member,
            keystore,
            vault: Arc::new(vault),
            ledger: Arc::new(ledger),
            rules,
            disclosures,
            clock,
        })
    }

    /// Who this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where its files are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its id on the ledger.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// Its vault.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// The ledger that it keeps.
    pub fn ledger(&self) -> &Arc<Solo> {
        &self.ledger
    }

    /// Its book of disclosures.
    pub fn disclosures(&self) -> &DisclosureBook {
        &self.disclosures
    }

    /// The clock in force.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The ledger as the vault sees it.
    pub fn bridge(&self) -> LedgerBridge {
        LedgerBridge::new(Arc::clone(&self.ledger), self.pen(), self.rules.clone())
    }

    /// Which ledger, and whose signatures make its checkpoints.
    pub fn rules(&self) -> &ChainRules {
        &self.rules
    }

    /// Its policy: its own, or the standard one.
    pub fn policy(&self) -> Result<Policy, OpenError> {
        let file = self.layout.policy();
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Policy::STANDARD.to_owned(),
            Err(e) => return Err(OpenError::Io(file, e)),
        };
        Policy::load(&text).map_err(|e| OpenError::Policy(file, e))
    }

    /// Its book of questions. One at a time has it open.
    pub fn question_book(&self) -> Result<QuestionBook, PageError> {
        QuestionBook::open(&self.layout.questions(), self.keystore.audit_seed())
    }

    /// The one door out of its vault. One at a time.
    pub fn door(&self, policy: Arc<Policy>) -> Result<Door, BookError> {
        let seed = self.keystore.audit_seed();
        let clock = Arc::clone(&self.clock);
        Ok(Door::new(Fittings {
            member: self.member,
            vault: Arc::clone(&self.vault),
            ledger: Arc::new(self.bridge()),
            policy,
            grants: GrantBook::open(&self.layout.grants(), seed)?,
            disclosures: DisclosureBook::open(&self.layout.disclosures(), seed)?,
            emergencies: EmergencyBook::open(&self.layout.emergencies(), seed)?,
            schemas: builtin::all().into_iter().map(Arc::new).collect(),
            now: Arc::new(move || clock.now()),
        }))
    }

    /// Its research desk. One at a time.
    pub async fn research_desk(&self) -> Result<ResearchDesk, ResearchError> {
        let (seed, ledger) = (self.keystore.audit_seed(), Arc::new(self.bridge()));
        ResearchDesk::open(&self.layout.research(), seed, Arc::clone(&self.vault), ledger, self.member).await
    }

    /// What signs this member's entries.
    pub fn pen(&self) -> Pen {
        Pen {
            chain: self.identity.chain.clone(),
            member: self.member,
            key: SigningKey::from_seed(self.keystore.member_seed().expose()),
            clock: Arc::clone(&self.clock),
        }
    }
}

/// Writes and signs a member's entries.
#[derive(Clone)]
pub struct Pen {
    chain: ChainId,
    member: MemberId,
    key: SigningKey,
    clock: Arc<dyn Clock>,
}

impl Pen {
    /// A pen for a member of a chain.
    pub fn new(chain: ChainId, member: MemberId, key: SigningKey, clock: Arc<dyn Clock>) -> Pen {
        Pen { chain, member, key, clock }
    }

    /// The member whose entries it writes.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// An entry with this body, signed, with a fresh nonce and a short life.
    pub fn write(&self, body: Body) -> Result<SignedEntry, EntryError> {
        let mut nonce = [0; 16];
        rand::rngs::OsRng.fill_bytes(&mut nonce);
        let now = self.clock.now();
        let header = Header {
            chain: self.chain.clone(),
            member: self.member,
            signer: self.key.public(),
            algorithm: Algorithm::Ed25519,
            expiry: now.plus_seconds(ENTRY_LIFETIME_SECONDS).unwrap_or(now),
            nonce: Nonce::new(nonce),
        };
        SignedEntry::sign(Entry { header, body }, &[&self.key])
    }

    /// Has the ledger take an entry; durable and accepted when this returns.
    pub fn submit(&self, ledger: &Solo, body: Body) -> Result<Receipt, WriteError> {
        let receipts = ledger.submit(vec![self.write(body)?])?;
        match receipts.first() {
            Some(receipt) if receipt.code.is_accepted() => Ok(*receipt),
            Some(receipt) => Err(WriteError::Refused(receipt.code)),
            None => Err(WriteError::Submit(SubmitError::Stopped("no receipt came back".to_owned()))),
        }
    }
}

fn read_identity(dir: &Path, layout: &Layout) -> Result<Identity, OpenError> {
    let file = layout.identity();
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(OpenError::Missing(dir.to_owned())),
        Err(e) => return Err(OpenError::Io(file, e)),
    };
    let identity: Identity =
        serde_json::from_slice(&bytes).map_err(|e| OpenError::Identity(file.clone(), e.to_string()))?;
    match identity.version {
        1 => Ok(identity),
        other => Err(OpenError::Identity(file, format!("version {other} is not known to this program"))),
    }
}
