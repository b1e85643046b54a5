//! The book of questions: what was asked online and not yet fetched, sealed, so that a restart loses none.
//!
//! ```text
//! DIR/‹call id hex›    the caller's page about one question, a sealed page
//! ```
//!
//! What stands on a page is its caller's business. The folder tells how many questions there are and when they were asked,
//! which whoever runs the service sees anyway.

use std::path::Path;

use rand::{CryptoRng, RngCore};
use vouchsafe_ledger_types::ids::CallId;
use zeroize::Zeroizing;

use crate::labels;
use crate::pages::{PageError, Pages};
use crate::secret::AuditSeed;

/// The questions of one institution.
#[derive(Debug)]
pub struct QuestionBook {
    pages: Pages,
}

impl QuestionBook {
    /// Opens the book in a folder, which is made if it is not there.
    pub fn open(dir: &Path, seed: &AuditSeed) -> Result<QuestionBook, PageError> {
        Ok(QuestionBook { pages: Pages::open(dir, seed, &[labels::QUESTION_KEY])? })
    }

    /// Writes a question's page, or writes it anew; durable when this returns.
    pub fn write(&self, id: CallId, page: &[u8], rng: &mut (impl RngCore + CryptoRng)) -> Result<(), PageError> {
        self.pages.write(&id.to_string(), page, rng)
    }

    /// A question's page, if it is there.
    pub fn read(&self, id: CallId) -> Result<Option<Zeroizing<Vec<u8>>>, PageError> {
        self.pages.read(&id.to_string())
    }

    /// Forgets a question.
    pub fn remove(&self, id: CallId) -> Result<(), PageError> {
        self.pages.remove(&id.to_string())
    }

    /// All of them, in the order of their ids.
    pub fn ids(&self) -> Result<Vec<CallId>, PageError> {
        let names = self.pages.names("")?;
        names.into_iter().map(|name| name.parse().map_err(|_| PageError::Damaged(self.pages.file(&name)))).collect()
    }
}
