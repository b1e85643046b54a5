//! Where the keystore's passphrase comes from: a file, the environment, or the person at the terminal.
//!
//! Never from the command line, where others see it, and never left out: without one there is an error.

use std::io::IsTerminal;
use std::path::Path;

use vouchsafe_access::secret::Passphrase;
use zeroize::Zeroizing;

/// Why there is no passphrase. The fault is the caller's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// None was given.
    #[error("the keystore needs a passphrase: set VOUCH_PASSPHRASE, give --passphrase-file FILE, or run in a terminal")]
    None,
    /// The two typed in differ.
    #[error("the two passphrases differ: start again")]
    Differ,
    /// It is empty.
    #[error("the passphrase is empty")]
    Empty,
    /// The file or terminal could not be read.
    #[error("the passphrase could not be read from {from}")]
    Read {
        /// Where from.
        from: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// Finds the passphrase. For a new keystore a person types it twice.
pub fn passphrase(file: Option<&Path>, new: bool) -> Result<Passphrase, PassphraseError> {
    let text = match (file, std::env::var("VOUCH_PASSPHRASE")) {
        (Some(file), _) => {
            let from = file.display().to_string();
            let text = std::fs::read_to_string(file).map_err(|source| PassphraseError::Read { from, source })?;
            let text = Zeroizing::new(text);
            Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
        }
        (None, Ok(text)) => Zeroizing::new(text),
        (None, Err(_)) if std::io::stdin().is_terminal() => typed(new)?,
        (None, Err(_)) => return Err(PassphraseError::None),
    };
    Passphrase::new(text.to_string()).map_err(|_| PassphraseError::Empty)
}

fn typed(new: bool) -> Result<Zeroizing<String>, PassphraseError> {
    let ask = |prompt: &str| {
        let failed = |source| PassphraseError::Read { from: "the terminal".to_owned(), source };
        rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(failed)
    };
    let first = ask("Passphrase of the keystore: ")?;
    if new && *first != *ask("Once more: ")? {
        return Err(PassphraseError::Differ);
    }
    Ok(first)
}
