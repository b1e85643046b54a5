//! The shelf: what the research desk must not forget, sealed in files.
//!
//! ```text
//! DIR/projects/‹project›     opening of a project's commitment          page = blinding 32 ‖ JSON, sealed with
//! DIR/queries/‹reservation›  opening of a query's commitment            AES-256-GCM-SIV(HKDF(audit seed)), bound to
//! DIR/answers/‹name›         an answer that was given or may have been  drawer and name
//! DIR/unspent/‹reservation›  mark: the reservation's noise may have been drawn, and the ledger was not told
//! ```
//!
//! What is put is durable when that returns. Sizes and counts of files are readable; what they say is not.

use std::io::Write;
use std::path::{Path, PathBuf};

use rand::{CryptoRng, RngCore};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vouchsafe_circuits::tags::{Domain, digest};
use vouchsafe_ledger_types::ids::EntryId;

use crate::aead::{self, WrapKey};
use crate::labels;
use crate::secret::{AuditSeed, random_bytes};

/// The shelf could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShelfError {
    /// A page does not open.
    #[error("the page {0} is damaged, or of another keystore: restore the folder from a backup")]
    Damaged(PathBuf),
    /// The disk.
    #[error("the research folder, {0}")]
    Io(PathBuf, #[source] std::io::Error),
}

/// Which kind of page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawer {
    Projects,
    Queries,
    Answers,
    Unspent,
}

impl Drawer {
    const ALL: [Drawer; 4] = [Drawer::Projects, Drawer::Queries, Drawer::Answers, Drawer::Unspent];

    const fn folder(self) -> &'static str {
        match self {
            Drawer::Projects => "projects",
            Drawer::Queries => "queries",
            Drawer::Answers => "answers",
            Drawer::Unspent => "unspent",
        }
    }
}

/// A page's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PageName(pub [u8; 32]);

impl From<EntryId> for PageName {
    fn from(entry: EntryId) -> PageName {
        PageName(*entry.as_bytes())
    }
}

/// Words with the blinding that hides them on the ledger.
pub(super) struct Page<T> {
    blinding: [u8; 32],
    words: T,
}

impl<T: Serialize + DeserializeOwned> Page<T> {
    pub(super) fn blinded(words: T, rng: &mut (impl RngCore + CryptoRng)) -> Page<T> {
        Page { blinding: random_bytes(rng), words }
    }

    /// What the ledger holds of it.
    pub(super) fn commitment(&self, domain: Domain) -> [u8; 32] {
        digest(domain, &[&self.json(), &self.blinding])
    }

    pub(super) fn words(self) -> T {
        self.words
    }

    fn json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.words).unwrap_or_default() // plain structs and strings: cannot fail
    }
}

pub(super) struct Shelf {
    dir: PathBuf,
    key: WrapKey,
}

impl Shelf {
    /// Opens the shelf in a folder, which is made if it is not there.
    pub(super) fn open(dir: &Path, seed: &AuditSeed) -> Result<Shelf, ShelfError> {
        for folder in Drawer::ALL.map(Drawer::folder) {
            let path = dir.join(folder);
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&path).and_then(|()| sync_dir(dir)).map_err(|e| ShelfError::Io(path, e))?;
        }
        if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
            sync_dir(above).map_err(|e| ShelfError::Io(above.to_owned(), e))?;
        }
        let key = WrapKey::new(*aead::derive(seed.expose(), None, &[labels::RESEARCH_KEY]));
        Ok(Shelf { dir: dir.to_owned(), key })
    }

    /// Puts a page, in the place of the one with that name if there is one.
    pub(super) fn put<T: Serialize + DeserializeOwned>(
        &self,
        drawer: Drawer,
        name: PageName,
        page: &Page<T>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), ShelfError> {
        let plain = zeroize::Zeroizing::new([&page.blinding[..], &page.json()].concat());
        let sealed = aead::wrap(&self.key, &bound(drawer, name), &plain, rng);
        self.write(drawer, name, &sealed)
    }

    /// A page, if there is one.
    pub(super) fn page<T: Serialize + DeserializeOwned>(
        &self,
        drawer: Drawer,
        name: PageName,
    ) -> Result<Option<Page<T>>, ShelfError> {
        let file = self.file(drawer, name);
        let sealed = match std::fs::read(&file) {
            Ok(sealed) => sealed,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(ShelfError::Io(file, e)),
        };
        let plain = aead::unwrap(&self.key, &bound(drawer, name), &sealed).ok();
        let page = plain.as_ref().and_then(|plain| {
            let (blinding, json) = plain.split_first_chunk::<32>()?;
            Some(Page { blinding: *blinding, words: serde_json::from_slice(json).ok()? })
        });
        page.map(Some).ok_or(ShelfError::Damaged(file))
    }

    /// Takes a page away; that there is none is fine.
    pub(super) fn remove(&self, drawer: Drawer, name: PageName) -> Result<(), ShelfError> {
        let file = self.file(drawer, name);
        let removed = match std::fs::remove_file(&file) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        removed.and_then(|()| sync_dir(&self.dir.join(drawer.folder()))).map_err(|e| ShelfError::Io(file, e))
    }

    /// The names of a drawer's pages, in order.
    pub(super) fn names(&self, drawer: Drawer) -> Result<Vec<PageName>, ShelfError> {
        let dir = self.dir.join(drawer.folder());
        let failed = |e| ShelfError::Io(dir.clone(), e);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let mut bytes = [0; 32];
            // Any other name is that of a page half written, which never counted.
            if name.to_str().is_some_and(|name| hex::decode_to_slice(name, &mut bytes).is_ok()) {
                found.push(PageName(bytes));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn file(&self, drawer: Drawer, name: PageName) -> PathBuf {
        self.dir.join(drawer.folder()).join(hex::encode(name.0))
    }

    fn write(&self, drawer: Drawer, name: PageName, bytes: &[u8]) -> Result<(), ShelfError> {
        let (dir, file) = (self.dir.join(drawer.folder()), self.file(drawer, name));
        let failed = |e| ShelfError::Io(file.clone(), e);
        let mut out = tempfile::NamedTempFile::new_in(&dir).map_err(failed)?;
        out.write_all(bytes).and_then(|()| out.as_file().sync_all()).map_err(failed)?;
        out.persist(&file).map_err(|e| failed(e.error))?;
        sync_dir(&dir).map_err(failed)
    }
}

fn bound(drawer: Drawer, name: PageName) -> Vec<u8> {
    [labels::RESEARCH_PAGE, &[drawer as u8], &name.0].concat()
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn pages_come_back_from_their_own_place_alone() {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let shelf = Shelf::open(&dir.path().join("research"), &AuditSeed::new([7; 32])).unwrap();
        let (a, b) = (PageName([1; 32]), PageName([2; 32]));
        let page = Page::blinded("whom it may concern".to_owned(), &mut rng);
        let commitment = page.commitment(Domain::Project);
        shelf.put(Drawer::Projects, a, &page, &mut rng).unwrap();
        let back: Page<String> = shelf.page(Drawer::Projects, a).unwrap().unwrap();
        assert_eq!(back.commitment(Domain::Project), commitment);
        assert_eq!(back.words(), "whom it may concern");
        assert!(shelf.page::<String>(Drawer::Projects, b).unwrap().is_none());

        let bytes = std::fs::read(shelf.file(Drawer::Projects, a)).unwrap();
        assert!(!bytes.windows(7).any(|w| w == b"concern"));
        for file in [shelf.file(Drawer::Projects, b), shelf.file(Drawer::Answers, a)] {
            std::fs::write(file, &bytes).unwrap();
        }
        assert!(matches!(shelf.page::<String>(Drawer::Projects, b), Err(ShelfError::Damaged(_))), "moved");
        assert!(matches!(shelf.page::<String>(Drawer::Answers, a), Err(ShelfError::Damaged(_))), "moved");
        let other = Shelf::open(&dir.path().join("research"), &AuditSeed::new([8; 32])).unwrap();
        assert!(matches!(other.page::<String>(Drawer::Projects, a), Err(ShelfError::Damaged(_))));
    }

    #[test]
    fn marks_stay_until_they_are_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(2);
        let shelf = Shelf::open(dir.path(), &AuditSeed::new([7; 32])).unwrap();
        let names = [1, 2].map(|n| PageName([n; 32]));
        for name in names {
            shelf.put(Drawer::Unspent, name, &Page::blinded((), &mut rng), &mut rng).unwrap();
        }
        std::fs::write(dir.path().join("unspent/.tmpX"), b"").unwrap();
        let again = Shelf::open(dir.path(), &AuditSeed::new([7; 32])).unwrap();
        assert!(again.names(Drawer::Unspent).unwrap() == names);
        again.remove(Drawer::Unspent, names[0]).unwrap();
        again.remove(Drawer::Unspent, names[0]).unwrap();
        assert!(shelf.names(Drawer::Unspent).unwrap() == names[1..]);
    }
}
