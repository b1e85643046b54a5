//! Sealed pages: small secrets of the institution in a folder, each durable when it is written.
//!
//! ```text
//! DIR/‹name›    AES-256-GCM-SIV(HKDF(audit seed, label of the book), page); the name is bound as additional data
//! ```
//!
//! A page is written whole or not at all, and cannot be passed off as another one or as one of another book. The folder tells how
//! many pages there are, their names, sizes and times; and it has no guard: an older page that is put back opens.

use std::io::Write;
use std::path::{Path, PathBuf};

use rand::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use crate::aead::{self, WrapKey};
use crate::secret::AuditSeed;

/// A page could not be written or read. The machine's fault, or somebody's who changed the folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// A page does not open.
    #[error("{0} is damaged: restore the folder from a backup")]
    Damaged(PathBuf),
    /// The disk.
    #[error("{0}")]
    Io(PathBuf, #[source] std::io::Error),
}

/// A folder of sealed pages.
pub(crate) struct Pages {
    dir: PathBuf,
    key: WrapKey,
}

impl Pages {
    /// Opens a book's folder, which is made if it is not there; its label separates it from the other books.
    pub(crate) fn open(dir: &Path, seed: &AuditSeed, label: &[&[u8]]) -> Result<Pages, PageError> {
        let failed = |e| PageError::Io(dir.to_owned(), e);
        if !dir.is_dir() {
            let mut builder = std::fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.recursive(true).create(dir).map_err(failed)?;
            if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
                std::fs::File::open(above).and_then(|above| above.sync_all()).map_err(failed)?;
            }
        }
        Ok(Pages { dir: dir.to_owned(), key: WrapKey::new(*aead::derive(seed.expose(), None, label)) })
    }

    /// Writes a page, or writes it anew; durable when this returns. Names are plain file names of ours.
    pub(crate) fn write(&self, name: &str, page: &[u8], rng: &mut (impl RngCore + CryptoRng)) -> Result<(), PageError> {
        let file = self.dir.join(name);
        let failed = |e| PageError::Io(file.clone(), e);
        let sealed = aead::wrap(&self.key, name.as_bytes(), page, rng);
        let mut out = tempfile::Builder::new().prefix(".page-").tempfile_in(&self.dir).map_err(failed)?;
        out.write_all(&sealed).and_then(|()| out.as_file().sync_all()).map_err(failed)?;
        out.persist(&file).map_err(|e| failed(e.error))?;
        self.sync()
    }

    /// A page's contents, if it is there.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, PageError> {
        let file = self.dir.join(name);
        let sealed = match std::fs::read(&file) {
            Ok(sealed) => sealed,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(PageError::Io(file, e)),
        };
        let page = aead::unwrap(&self.key, name.as_bytes(), &sealed);
        page.map(Some).map_err(|_| PageError::Damaged(file))
    }

    /// Removes a page; gone for good when this returns.
    pub(crate) fn remove(&self, name: &str) -> Result<(), PageError> {
        let file = self.dir.join(name);
        match std::fs::remove_file(&file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(PageError::Io(file, e)),
            _ => self.sync(),
        }
    }

    /// What follows a prefix in the names of pages, in order. What a crash left half written has no name.
    pub(crate) fn names(&self, prefix: &str) -> Result<Vec<String>, PageError> {
        let failed = |e| PageError::Io(self.dir.clone(), e);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if let Some(name) = name.strip_prefix(prefix).filter(|_| !name.starts_with('.')) {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Where a page is, for errors.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn sync(&self) -> Result<(), PageError> {
        let failed = |e| PageError::Io(self.dir.clone(), e);
        std::fs::File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed)
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pages({})", self.dir.display())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_page_reads_back_and_is_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let seed = AuditSeed::new([7; 32]);
        let book = Pages::open(dir.path(), &seed, &[b"book"]).unwrap();
        book.write("one", b"secret text", &mut rng).unwrap();
        book.write("two", b"other text", &mut rng).unwrap();
        std::fs::write(dir.path().join(".page-left"), b"half").unwrap();
        assert_eq!(book.names("").unwrap(), ["one", "two"]);
        assert_eq!(book.read("one").unwrap().unwrap().as_slice(), b"secret text");
        assert!(book.read("three").unwrap().is_none());
        let raw = std::fs::read(book.file("one")).unwrap();
        assert!(!raw.windows(6).any(|w| w == b"secret"));
        // another book, another seed, another name, a changed byte
        for (seed, label) in [(seed.clone(), &b"other"[..]), (AuditSeed::new([8; 32]), b"book")] {
            let other = Pages::open(dir.path(), &seed, &[label]).unwrap();
            assert!(matches!(other.read("one"), Err(PageError::Damaged(_))));
        }
        std::fs::copy(book.file("one"), book.file("two")).unwrap();
        assert!(matches!(book.read("two"), Err(PageError::Damaged(_))));
        let mut cut = raw.clone();
        cut[20] ^= 1;
        std::fs::write(book.file("one"), cut).unwrap();
        assert!(matches!(book.read("one"), Err(PageError::Damaged(_))));
        book.write("one", b"anew", &mut rng).unwrap();
        assert_eq!(book.read("one").unwrap().unwrap().as_slice(), b"anew");
        assert_eq!(book.names("o").unwrap(), ["ne"]);
        book.remove("one").unwrap();
        book.remove("one").unwrap();
        assert!(book.read("one").unwrap().is_none());
    }
}
