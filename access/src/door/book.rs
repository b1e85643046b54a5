//! A folder of sealed pages: what the door writes down for itself and for the auditor.
//!
//! ```text
//! DIR/‹name›    AES-256-GCM-SIV(HKDF(audit seed, label), page); the name is bound as additional data
//! ```
//!
//! A page is durable, with its name, when `put` returns. Names tell how many pages of a kind there are and when they came;
//! pages tell nothing without the audit seed. Who has the seed can write pages too.

use std::io::Write;
use std::path::{Path, PathBuf};

use rand::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use crate::aead::{self, WrapKey};
use crate::disclosures::BookError;
use crate::secret::AuditSeed;

pub(super) struct SealedBook {
    dir: PathBuf,
    key: WrapKey,
}

impl SealedBook {
    /// Opens the book in a folder, which is made if it is not there.
    pub(super) fn open(dir: &Path, seed: &AuditSeed, label: &[u8]) -> Result<SealedBook, BookError> {
        let failed = |e| BookError::Io(dir.to_owned(), e);
        if !dir.is_dir() {
            let mut builder = std::fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.recursive(true).create(dir).map_err(failed)?;
            if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
                std::fs::File::open(above).and_then(|above| above.sync_all()).map_err(failed)?;
            }
        }
        Ok(SealedBook { dir: dir.to_owned(), key: WrapKey::new(*aead::derive(seed.expose(), None, &[label])) })
    }

    /// Writes a page, in the place of one of that name; durable when this returns.
    pub(super) fn put(&self, name: &str, page: &[u8], rng: &mut (impl RngCore + CryptoRng)) -> Result<(), BookError> {
        let file = self.dir.join(name);
        let failed = |e| BookError::Io(file.clone(), e);
        let sealed = aead::wrap(&self.key, name.as_bytes(), page, rng);
        let mut out = tempfile::NamedTempFile::new_in(&self.dir).map_err(failed)?;
        out.write_all(&sealed).and_then(|()| out.as_file().sync_all()).map_err(failed)?;
        out.persist(&file).map_err(|e| failed(e.error))?;
        self.sync().map_err(failed)
    }

    /// A page; none if there is none of that name.
    pub(super) fn page(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, BookError> {
        let file = self.dir.join(name);
        let sealed = match std::fs::read(&file) {
            Ok(sealed) => sealed,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(BookError::Io(file, e)),
        };
        aead::unwrap(&self.key, name.as_bytes(), &sealed).map(Some).map_err(|_| BookError::Damaged(file))
    }

    /// Takes a page out; its name is gone for good when this returns.
    pub(super) fn remove(&self, name: &str) -> Result<(), BookError> {
        let file = self.dir.join(name);
        match std::fs::remove_file(&file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(BookError::Io(file, e)),
            _ => self.sync().map_err(|e| BookError::Io(file, e)),
        }
    }

    /// What follows a prefix in the names of pages, in order.
    pub(super) fn names(&self, prefix: &str) -> Result<Vec<String>, BookError> {
        let failed = |e| BookError::Io(self.dir.clone(), e);
        let mut names = Vec::new();
        for file in std::fs::read_dir(&self.dir).map_err(failed)? {
            let name = file.map_err(failed)?.file_name();
            names.extend(name.to_str().and_then(|name| name.strip_prefix(prefix)).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The file of a page, to name it in an error.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn sync(&self) -> std::io::Result<()> {
        std::fs::File::open(&self.dir).and_then(|dir| dir.sync_all())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::labels;

    #[test]
    fn pages_come_back_under_their_own_name_alone() {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let book = SealedBook::open(&dir.path().join("b"), &AuditSeed::new([7; 32]), labels::GRANT_KEY).unwrap();
        book.put("open-1", b"page", &mut rng).unwrap();
        assert_eq!(book.page("open-1").unwrap().unwrap()[..], b"page"[..]);
        assert_eq!(book.names("open-").unwrap(), ["1"]);
        assert!(book.page("open-2").unwrap().is_none());
        std::fs::copy(book.file("open-1"), book.file("open-2")).unwrap();
        assert!(matches!(book.page("open-2"), Err(BookError::Damaged(_))), "a page that was copied to another name");
        book.remove("open-1").unwrap();
        book.remove("open-1").unwrap();
        assert!(book.page("open-1").unwrap().is_none());
    }
}
