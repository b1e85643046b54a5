//! The keystore: one file with the institution's root secrets, sealed under a passphrase.
//!
//! The layout is that of `sealed_file` with the magic "VOUCHKEY".
//!
//! Integers are big-endian; `contents` has its own layout. The file has mode 0600; a new one never overwrites another.
//! Does not protect against one who has both file and passphrase, nor a weak passphrase for ever.

mod contents;
mod file;

pub use crate::sealed_file::KdfParams;
pub use contents::Keystore;
pub use file::{CreateError, OpenError, ReplaceError};
