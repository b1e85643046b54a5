//! The shelf: what the research desk must not forget, sealed in files.
//!
//! ```text
//! DIR/projects/‹project›     opening of a project's commitment
//! DIR/queries/‹reservation›  opening of a query's commitment               page = blinding 32 ‖ JSON, a sealed page
//! DIR/answers/‹name›         an answer that was given or may have been
//! DIR/unspent/‹reservation›  mark: the reservation's noise may have been drawn, and the ledger was not told
//! ```
//!
//! What is put is durable when that returns. Sizes and counts of files are readable; what they say is not.

use std::path::Path;

use rand::{CryptoRng, RngCore};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vouchsafe_circuits::tags::{Domain, digest};
use vouchsafe_ledger_types::ids::EntryId;

use crate::labels;
use crate::pages::{PageError, Pages};
use crate::secret::{AuditSeed, random_bytes};

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

impl PageName {
    fn text(self) -> String {
        hex::encode(self.0)
    }
}

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

pub(super) struct Shelf([Pages; 4]);

impl Shelf {
    /// Opens the shelf in a folder, which is made if it is not there.
    pub(super) fn open(dir: &Path, seed: &AuditSeed) -> Result<Shelf, PageError> {
        let drawer = |drawer: Drawer| {
            let name = drawer.folder();
            Pages::open(&dir.join(name), seed, &[labels::RESEARCH_KEY, name.as_bytes()])
        };
        let [a, b, c, d] = Drawer::ALL;
        Ok(Shelf([drawer(a)?, drawer(b)?, drawer(c)?, drawer(d)?]))
    }

    /// Puts a page, in the place of the one with that name if there is one.
    pub(super) fn put<T: Serialize + DeserializeOwned>(
        &self,
        drawer: Drawer,
        name: PageName,
        page: &Page<T>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), PageError> {
        let plain = zeroize::Zeroizing::new([&page.blinding[..], &page.json()].concat());
        self.drawer(drawer).write(&name.text(), &plain, rng)
    }

    /// A page, if there is one.
    pub(super) fn page<T: Serialize + DeserializeOwned>(
        &self,
        drawer: Drawer,
        name: PageName,
    ) -> Result<Option<Page<T>>, PageError> {
        let pages = self.drawer(drawer);
        let Some(plain) = pages.read(&name.text())? else { return Ok(None) };
        let page = plain
            .split_first_chunk::<32>()
            .and_then(|(blinding, json)| Some(Page { blinding: *blinding, words: serde_json::from_slice(json).ok()? }));
        page.map(Some).ok_or_else(|| PageError::Damaged(pages.file(&name.text())))
    }

    /// Takes a page away; that there is none is fine.
    pub(super) fn remove(&self, drawer: Drawer, name: PageName) -> Result<(), PageError> {
        self.drawer(drawer).remove(&name.text())
    }

    /// The names of a drawer's pages, in order.
    pub(super) fn names(&self, drawer: Drawer) -> Result<Vec<PageName>, PageError> {
        let pages = self.drawer(drawer);
        let parse = |name: String| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(&name, &mut bytes).map_err(|_| PageError::Damaged(pages.file(&name)))?;
            Ok(PageName(bytes))
        };
        pages.names("")?.into_iter().map(parse).collect()
    }

    fn drawer(&self, drawer: Drawer) -> &Pages {
        &self.0[drawer as usize]
    }

    #[cfg(test)]
    fn file(&self, drawer: Drawer, name: PageName) -> std::path::PathBuf {
        self.drawer(drawer).file(&name.text())
    }
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
        assert!(matches!(shelf.page::<String>(Drawer::Projects, b), Err(PageError::Damaged(_))), "moved");
        assert!(matches!(shelf.page::<String>(Drawer::Answers, a), Err(PageError::Damaged(_))), "moved");
        let other = Shelf::open(&dir.path().join("research"), &AuditSeed::new([8; 32])).unwrap();
        assert!(matches!(other.page::<String>(Drawer::Projects, a), Err(PageError::Damaged(_))));
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
