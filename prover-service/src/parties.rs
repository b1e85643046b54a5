//! The parties that an institution knows: their cards, and what it lets them be.
//!
//! ```text
//! DIR/parties/NAME.json   { version, card, roles }      NAME: bytes other than a-z A-Z 0-9 - _ become %XX
//! ```
//!
//! A card is public and proves nothing: before it is admitted, somebody compares its id by another way. Who can write
//! the folder can admit. A name is taken once; another card under it is refused until the first is removed.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vouchsafe_access::policy::{PartyRole, UnknownRole};
use vouchsafe_ledger_types::card::{Card, CardError, PartyName};
use vouchsafe_ledger_types::signing::PublicKey;

/// The version of the file's form.
const VERSION: u32 = 1;
/// No file of a party is longer.
const FILE_BYTES_MAX: u64 = 16 << 10;

/// A party as the institution knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// What it shows of itself.
    pub card: Card,
    /// What it may be here.
    pub roles: BTreeSet<PartyRole>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    card: Card,
    roles: Vec<String>,
}

/// Why a party could not be admitted, found or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartyError {
    /// The card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// A role.
    #[error(transparent)]
    Role(#[from] UnknownRole),
    /// A party without a role can do nothing.
    #[error("give it at least one role: reader, emergency, researcher, verifier or auditor")]
    NoRole,
    /// The name is taken.
    #[error("there is a party {0} with another card: remove it first, if it has a new card")]
    OtherCard(PartyName),
    /// The keys are.
    #[error("the party {0} has this signing key already: every party has its own")]
    KeyTaken(PartyName),
    /// There is none.
    #[error("there is no party {0}")]
    Unknown(PartyName),
    /// A file is not one of a party.
    #[error("{0} is damaged: remove it and admit the party again ({1})")]
    Damaged(PathBuf, String),
    /// The disk.
    #[error("{0}")]
    Io(PathBuf, #[source] std::io::Error),
}

/// The folder of parties.
#[derive(Clone, Debug)]
pub struct Parties(PathBuf);

impl Parties {
    /// The parties of a folder; it need not be there yet.
    pub fn of(folder: &Path) -> Parties {
        Parties(folder.to_owned())
    }

    /// Admits a card; one that is known gets these roles instead of those that it had.
    pub fn admit(&self, card: Card, roles: BTreeSet<PartyRole>) -> Result<Party, PartyError> {
        card.check()?;
        if roles.is_empty() {
            return Err(PartyError::NoRole);
        }
        for party in self.list()? {
            if party.card.name == card.name && party.card.id() != card.id() {
                return Err(PartyError::OtherCard(card.name));
            }
            if party.card.name != card.name && party.card.signing == card.signing {
                return Err(PartyError::KeyTaken(party.card.name));
            }
        }
        let party = Party { card, roles };
        self.write(&party)?;
        Ok(party)
    }

    /// All of them, by name.
    pub fn list(&self) -> Result<Vec<Party>, PartyError> {
        let failed = |e| PartyError::Io(self.0.clone(), e);
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut parties = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                parties.push(self.read(&path)?);
            }
        }
        parties.sort_by(|a, b| a.card.name.cmp(&b.card.name));
        Ok(parties)
    }

    /// The party of this name.
    pub fn named(&self, name: &PartyName) -> Result<Party, PartyError> {
        let path = self.file(name);
        if path.exists() { self.read(&path) } else { Err(PartyError::Unknown(name.clone())) }
    }

    /// The party that signs with this key; none if no party does.
    pub fn signer(&self, key: &PublicKey) -> Result<Option<Party>, PartyError> {
        Ok(self.list()?.into_iter().find(|party| party.card.signing == *key))
    }

    /// Forgets a party. Grants that it has on the ledger stay until they are revoked.
    pub fn remove(&self, name: &PartyName) -> Result<(), PartyError> {
        let path = self.file(name);
        match std::fs::remove_file(&path) {
            Ok(()) => self.sync(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(PartyError::Unknown(name.clone())),
            Err(e) => Err(PartyError::Io(path, e)),
        }
    }

    fn read(&self, path: &Path) -> Result<Party, PartyError> {
        use std::io::Read;
        let failed = |e| PartyError::Io(path.to_owned(), e);
        let damaged = |why: String| PartyError::Damaged(path.to_owned(), why);
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(damaged("too long".to_owned()));
        }
        let file: File = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        file.card.check().map_err(|e| damaged(e.to_string()))?;
        let roles = file.roles.iter().map(|role| role.parse()).collect::<Result<_, UnknownRole>>();
        let roles = roles.map_err(|e| damaged(e.to_string()))?;
        if file.version != VERSION || self.file(&file.card.name) != path {
            return Err(damaged("another version, or another party's name".to_owned()));
        }
        Ok(Party { card: file.card, roles })
    }

    fn write(&self, party: &Party) -> Result<(), PartyError> {
        let path = self.file(&party.card.name);
        let failed = |e| PartyError::Io(path.clone(), e);
        let roles = party.roles.iter().map(|role| role.as_str().to_owned()).collect();
        let file = File { version: VERSION, card: party.card.clone(), roles };
        let text = serde_json::to_vec_pretty(&file).map_err(|e| failed(std::io::Error::other(e)))?;
        std::fs::create_dir_all(&self.0).map_err(failed)?;
        let mut beside = tempfile::NamedTempFile::new_in(&self.0).map_err(failed)?;
        beside.write_all(&text).and_then(|()| beside.as_file().sync_all()).map_err(failed)?;
        beside.persist(&path).map_err(|e| failed(e.error))?;
        self.sync()
    }

    fn sync(&self) -> Result<(), PartyError> {
        let synced = std::fs::File::open(&self.0).and_then(|folder| folder.sync_all());
        synced.map_err(|e| PartyError::Io(self.0.clone(), e))
    }

    /// A name may hold anything that can be read, a path must not.
    fn file(&self, name: &PartyName) -> PathBuf {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let letters =
            name.as_str().bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") });
        self.0.join(letters.collect::<String>() + ".json")
    }
}
