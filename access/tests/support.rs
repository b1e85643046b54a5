//! A small hospital, a ledger in memory that can fail, and a blob store that can fail.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::path::Path as BlobPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use tempfile::TempDir;
use vouchsafe_access::keystore::Keystore;
use vouchsafe_access::ledger::{Amendment, Height, LedgerError, LedgerView, LedgerWriter, Located, Placed, Withdrawal};
use vouchsafe_access::subject::Identifier;
use vouchsafe_access::vault::{Draft, Incoming, Outcome, RecordId, SourceKey, Vault};
use vouchsafe_circuits::record::{Absence, Day, FieldValue, Validity, Value};
use vouchsafe_circuits::schema::builtin;
use vouchsafe_circuits::tree::Position;
use vouchsafe_circuits::{Commitment, Fe, IssuerId, Suite};

pub const FAMILY_NAME: &str = "Abernathy-Wintergreen";
pub const GIVEN_NAME: &str = "Philomena";
pub const SYSTEM: &str = "http://hospital.example/mrn";

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub fn mrn(number: u32) -> Identifier {
    Identifier::new(SYSTEM, &format!("MRN-{number:06}")).unwrap()
}

pub fn source(resource: &str, version: &str) -> SourceKey {
    SourceKey { source: "main".to_owned(), resource: resource.to_owned(), version: version.to_owned() }
}

pub fn issuer() -> IssuerId {
    IssuerId::new(Fe::from_u64(4711))
}

/// A patient record. Different patients differ by number only.
pub fn patient(number: u32, version: &str) -> Draft {
    let schema = Arc::new(builtin::patient());
    let mut fields = schema.all_absent(Absence::NotAsked);
    let mut set = |name: &str, value| fields[schema.place(name).unwrap()] = FieldValue::Present(value);
    set("birthDate", Value::Date(Day::new(-(number as i32))));
    set("gender", Value::Code("female".to_owned()));
    set("familyName", Value::Text(FAMILY_NAME.to_owned()));
    set("givenName", Value::Text(format!("{GIVEN_NAME} {number}")));
    set("active", Value::Code("true".to_owned()));
    Draft {
        schema,
        issuer: issuer(),
        suite: Suite::Bn254,
        subject: vec![mrn(number)],
        lookups: Vec::new(),
        introduces: true,
        fields,
        valid: Validity::ALWAYS,
        source: source(&format!("Patient/{number}"), version),
    }
}

pub fn record(draft: Draft) -> Incoming {
    Incoming::Record(Box::new(draft))
}

/// A vault in a folder of its own, its keystore, and a ledger.
pub struct Hospital {
    pub dir: TempDir,
    pub keystore: Keystore,
    pub ledger: FakeLedger,
    pub rng: ChaCha20Rng,
}

impl Hospital {
    pub fn new(seed: u64) -> (Hospital, Vault) {
        let mut rng = rng(seed);
        let dir = tempfile::tempdir().unwrap();
        let keystore = Keystore::generate(&mut rng);
        let vault = Vault::create(&dir.path().join("vault"), &keystore).unwrap();
        (Hospital { dir, keystore, ledger: FakeLedger::default(), rng }, vault)
    }

    pub fn reopen(&self) -> Vault {
        Vault::open(&self.vault_dir(), &self.keystore).unwrap()
    }

    pub fn vault_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("vault")
    }

    pub async fn stage(&mut self, vault: &Vault, incoming: Vec<Incoming>) -> Vec<Outcome> {
        let staged = vault.stage(incoming, &mut self.rng).await.unwrap();
        staged.outcomes.into_iter().map(Result::unwrap).collect()
    }

    pub async fn ingest(&mut self, vault: &Vault, incoming: Vec<Incoming>) -> Vec<Outcome> {
        let outcomes = self.stage(vault, incoming).await;
        vault.settle(&self.ledger, &mut self.rng).await.unwrap();
        outcomes
    }
}

pub fn new_id(outcome: &Outcome) -> RecordId {
    match outcome {
        Outcome::New(id) | Outcome::Amends { record: id, .. } => *id,
        other => panic!("no new record: {other:?}"),
    }
}

/// Every file below a folder, with its bytes.
pub fn files(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}

/// Which call fails, and whether it takes effect before it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    Before,
    After,
}

/// One member's active set in memory.
#[derive(Default)]
pub struct FakeLedger(Mutex<Set>);

#[derive(Default)]
struct Set {
    leaves: Vec<(Commitment, bool)>,
    height: u64,
    writes: usize,
    crash: Option<(usize, Crash)>,
    blind: bool,
}

impl FakeLedger {
    /// The n-th write from now (0: the next) fails.
    pub fn crash_at(&self, nth: usize, crash: Crash) {
        let mut set = self.0.lock().unwrap();
        set.crash = Some((set.writes + nth, crash));
    }

    /// From now on, every look-up finds nothing.
    pub fn go_blind(&self) {
        self.0.lock().unwrap().blind = true;
    }

    pub fn leaves(&self) -> Vec<(Commitment, bool)> {
        self.0.lock().unwrap().leaves.clone()
    }

    pub fn active(&self) -> usize {
        self.leaves().iter().filter(|(_, active)| *active).count()
    }

    fn write<T>(&self, change: impl FnOnce(&mut Set) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let mut set = self.0.lock().unwrap();
        let nth = set.writes;
        set.writes += 1;
        let crash = set.crash.filter(|(at, _)| *at == nth).map(|(_, crash)| crash);
        if crash == Some(Crash::Before) {
            return Err(LedgerError::Unavailable("crashed before".to_owned()));
        }
        set.height += 1;
        let done = change(&mut set)?;
        if crash == Some(Crash::After) {
            return Err(LedgerError::Unavailable("crashed after".to_owned()));
        }
        Ok(done)
    }
}

impl Set {
    fn append(&mut self, commitment: Commitment) -> Placed {
        self.leaves.push((commitment, true));
        Placed { position: Position::new(self.leaves.len() as u32 - 1), height: Height::new(self.height) }
    }

    fn clear(&mut self, position: Position, commitment: Commitment) -> Result<(), LedgerError> {
        match self.leaves.get_mut(position.get() as usize) {
            Some((c, active)) if *c == commitment && *active => {
                *active = false;
                Ok(())
            }
            _ => Err(LedgerError::Refused("no such active commitment".to_owned())),
        }
    }
}

#[async_trait]
impl LedgerView for FakeLedger {
    async fn lookup(&self, commitment: Commitment) -> Result<Option<Located>, LedgerError> {
        let set = self.0.lock().unwrap();
        let at = set.leaves.iter().position(|(c, _)| *c == commitment).filter(|_| !set.blind);
        Ok(at.map(|at| Located { position: Position::new(at as u32), active: set.leaves[at].1 }))
    }
}

#[async_trait]
impl LedgerWriter for FakeLedger {
    async fn commit(&self, commitments: Vec<Commitment>) -> Result<Vec<Placed>, LedgerError> {
        self.write(|set| Ok(commitments.into_iter().map(|c| set.append(c)).collect()))
    }

    async fn amend(&self, amendment: Amendment) -> Result<Placed, LedgerError> {
        self.write(|set| {
            set.clear(amendment.position, amendment.old)?;
            Ok(set.append(amendment.new))
        })
    }

    async fn withdraw(&self, withdrawal: Withdrawal) -> Result<Height, LedgerError> {
        self.write(|set| {
            set.clear(withdrawal.position, withdrawal.commitment)?;
            Ok(Height::new(set.height))
        })
    }

    fn commit_max(&self) -> usize {
        4
    }
}

/// A blob store of which one put fails, before or after it took effect.
#[derive(Debug)]
pub struct FailingStore {
    inner: Arc<dyn ObjectStore>,
    puts_left: AtomicI64,
    crash: Crash,
}

impl FailingStore {
    pub fn new(inner: Arc<dyn ObjectStore>, nth: i64, crash: Crash) -> FailingStore {
        FailingStore { inner, puts_left: AtomicI64::new(nth), crash }
    }
}

impl std::fmt::Display for FailingStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FailingStore")
    }
}

fn broken() -> object_store::Error {
    object_store::Error::Generic { store: "FailingStore", source: "the disk is gone".into() }
}

#[async_trait]
impl ObjectStore for FailingStore {
    async fn put_opts(
        &self,
        location: &BlobPath,
        payload: PutPayload,
        opts: PutOptions,
    ) -> object_store::Result<PutResult> {
        let left = self.puts_left.fetch_sub(1, Ordering::SeqCst);
        if left < 0 || (left == 0 && self.crash == Crash::Before) {
            return Err(broken());
        }
        let done = self.inner.put_opts(location, payload, opts).await?;
        if left == 0 { Err(broken()) } else { Ok(done) }
    }

    async fn put_multipart_opts(
        &self,
        location: &BlobPath,
        opts: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &BlobPath, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<BlobPath>>,
    ) -> BoxStream<'static, object_store::Result<BlobPath>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&BlobPath>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&BlobPath>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &BlobPath, to: &BlobPath, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
