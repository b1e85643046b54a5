//! Founding: a new consortium, its first member's folder, and the trust file that goes to verifiers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::{CryptoRng, RngCore};
use vouchsafe_access::disclosures::{BookError, DisclosureBook};
use vouchsafe_access::keystore::{CreateError, KdfParams, Keystore};
use vouchsafe_access::secret::Passphrase;
use vouchsafe_access::vault::{OpenVaultError, Vault};
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::keys::VerifyingKey;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger::clock::Clock;
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger::solo::{OpenError as LedgerOpenError, Options, Solo};
use vouchsafe_ledger_types::entry::{
    Body, Entry, EntryError, FoundingMember, Genesis, Header, Nonce, Parameters, RegisterSchema, RegisterVerifyingKey,
    Role, SignedEntry, Validator,
};
use vouchsafe_ledger_types::ids::{ChainId, IdError, MemberId, MemberName};
use vouchsafe_ledger_types::signing::{Algorithm, SigningKey};
use vouchsafe_ledger_types::trust::{Base, TRUST_VERSION, Trust, TrustedKey};
use vouchsafe_ledger_types::units::BlockTime;

use crate::key_files::{KeyFileError, KeyFolder, KeyPair};

use super::{Identity, Layout, Pen, WriteError};

/// How long a trust file is good for.
const TRUST_LIFETIME_SECONDS: u64 = 180 * 86_400;

/// A founding member besides the one whose folder is made.
pub struct Founder {
    /// Its name.
    pub name: MemberName,
    /// Its first key, with which it signs the genesis.
    pub key: SigningKey,
}

/// What a new consortium is to be.
pub struct Founding {
    /// The ledger's name.
    pub chain: ChainId,
    /// Its suite.
    pub suite: Suite,
    /// The member whose folder is made; its service is the only validator.
    pub member: MemberName,
    /// Further founding members.
    pub others: Vec<Founder>,
    /// The keys to register and to keep in the folder.
    pub keys: Vec<KeyPair>,
    /// How the passphrase is stretched.
    pub kdf: KdfParams,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Why a consortium could not be founded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoundError {
    /// The folder is there already.
    #[error("{0} is there already: choose another folder, or use the institution in it")]
    Exists(PathBuf),
    /// The disk.
    #[error("{0}")]
    Io(PathBuf, #[source] std::io::Error),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] CreateError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] OpenVaultError),
    /// The book of disclosures.
    #[error(transparent)]
    Disclosures(#[from] BookError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerOpenError),
    /// The keys could not be kept.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// An entry was not taken. Our bug.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A name or entry is not valid.
    #[error("{0}")]
    Name(String),
}

impl From<EntryError> for FoundError {
    fn from(error: EntryError) -> FoundError {
        FoundError::Name(error.to_string())
    }
}

impl From<IdError> for FoundError {
    fn from(error: IdError) -> FoundError {
        FoundError::Name(error.to_string())
    }
}

impl From<QueryError> for FoundError {
    fn from(error: QueryError) -> FoundError {
        FoundError::Write(WriteError::Query(error))
    }
}

impl Founding {
    /// Founds the consortium: the folder is there whole when this returns, or not at all.
    pub fn found(
        &self,
        dir: &Path,
        passphrase: &Passphrase,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Trust, FoundError> {
        if dir.exists() {
            return Err(FoundError::Exists(dir.to_owned()));
        }
        let io = |path: &Path| {
            let path = path.to_owned();
            move |e| FoundError::Io(path, e)
        };
        let parent = dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(io(parent))?;
        let beside = private_folder(parent).map_err(io(parent))?;
        let trust = self.fill(&Layout::of(beside.path()), passphrase, rng)?;
        for folder in [beside.path().join("keys"), beside.path().to_owned()] {
            std::fs::File::open(&folder).and_then(|d| d.sync_all()).map_err(io(&folder))?;
        }
        std::fs::rename(beside.path(), dir).map_err(io(dir))?;
        std::fs::File::open(parent).and_then(|d| d.sync_all()).map_err(io(parent))?;
        let _ = beside.keep(); // renamed: nothing is left to remove
        Ok(trust)
    }

    fn fill(
        &self,
        layout: &Layout,
        passphrase: &Passphrase,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Trust, FoundError> {
        let keystore = Keystore::generate(rng);
        keystore.create(&layout.keystore(), passphrase, self.kdf, rng)?;
        drop(Vault::create(&layout.vault(), &keystore)?);
        drop(DisclosureBook::open(&layout.disclosures(), keystore.audit_seed())?);
        let member_key = SigningKey::from_seed(keystore.member_seed().expose());
        let validator_key = SigningKey::from_seed(keystore.validator_seed().expose());
        let genesis = self.genesis(&member_key, &validator_key, rng)?;
        let clock = Arc::clone(&self.clock);
        let ledger = Solo::create(&layout.ledger(), genesis, validator_key, clock, Options::default())?;
        let pen = Pen::new(self.chain.clone(), self.member_id(), member_key, Arc::clone(&self.clock));
        for schema in builtin::all() {
            pen.submit(&ledger, Body::RegisterSchema(RegisterSchema { schema: schema.to_bytes() }))?;
        }
        std::fs::create_dir_all(layout.keys()).map_err(|e| FoundError::Io(layout.keys(), e))?;
        for pair in &self.keys {
            let key = &pair.1;
            KeyFolder::of(&layout.keys()).keep(self.suite, key.statement(), pair)?;
            let body = RegisterVerifyingKey {
                statement: key.statement().name().parse()?,
                key_id: key.id(),
                development: key.is_development(),
            };
            pen.submit(&ledger, Body::RegisterVerifyingKey(body))?;
        }
        let verifying: Vec<&VerifyingKey> = self.keys.iter().map(|pair| pair.1.as_ref()).collect();
        let trust = trust_of(&ledger, &verifying, self.clock.now())?;
        let identity =
            Identity { version: 1, chain: self.chain.clone(), member: self.member.clone(), suite: self.suite };
        write_json(&layout.identity(), &identity)?;
        write_json(&layout.trust(), &trust)?;
        Ok(trust)
    }

    fn member_id(&self) -> MemberId {
        MemberId::of(&self.chain, &self.member)
    }

    fn genesis(
        &self,
        member_key: &SigningKey,
        validator_key: &SigningKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<SignedEntry, FoundError> {
        let founding = |name: &MemberName, key: &SigningKey| FoundingMember {
            name: name.clone(),
            roles: vec![Role::Issuer, Role::Registrar],
            keys: vec![key.public()],
        };
        let mut members = vec![founding(&self.member, member_key)];
        members.extend(self.others.iter().map(|other| founding(&other.name, &other.key)));
        let body = Body::Genesis(Genesis {
            suite: self.suite,
            development: self.keys.iter().any(|pair| pair.1.is_development()),
            members,
            validators: vec![Validator { name: self.member.clone(), key: validator_key.public(), power: 1 }],
            parameters: Parameters::default(),
        });
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let now = self.clock.now();
        let header = Header {
            chain: self.chain.clone(),
            member: self.member_id(),
            signer: member_key.public(),
            algorithm: Algorithm::Ed25519,
            expiry: now.plus_seconds(super::ENTRY_LIFETIME_SECONDS).unwrap_or(now),
            nonce: Nonce::new(nonce),
        };
        let mut keys = vec![member_key];
        keys.extend(self.others.iter().map(|other| &other.key));
        Ok(SignedEntry::sign(Entry { header, body }, &keys)?)
    }
}

/// The trust file of a ledger as it stands: its last block is the base.
pub fn trust_of(ledger: &Solo, keys: &[&VerifyingKey], now: BlockTime) -> Result<Trust, QueryError> {
    let snapshot = ledger.snapshot()?;
    let chain = snapshot.chain();
    Ok(Trust {
        version: TRUST_VERSION,
        chain: chain.chain.clone(),
        suite: chain.suite,
        genesis: chain.genesis,
        base: Base {
            height: snapshot.height(),
            app_hash: snapshot.seal().app_hash(),
            validators: chain.validators.clone(),
        },
        keys: keys.iter().map(|key| TrustedKey { statement: key.statement(), id: key.id() }).collect(),
        accept_development_keys: keys.iter().any(|key| key.is_development()),
        witnesses: Vec::new(),
        witnesses_required: 0,
        refresh_by: now.plus_seconds(TRUST_LIFETIME_SECONDS).unwrap_or(now),
    })
}

/// A folder beside the one to be, that nobody else can read.
fn private_folder(parent: &Path) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".vouch-init-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(parent)
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), FoundError> {
    let failed = |e| FoundError::Io(path.to_owned(), e);
    let text = serde_json::to_string_pretty(value).map_err(|e| failed(std::io::Error::other(e)))?;
    let mut file = std::fs::File::create(path).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
