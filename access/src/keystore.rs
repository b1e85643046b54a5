//! The keystore: one file with the institution's root secrets, sealed under a passphrase.
//!
//! ```text
//! header    "VOUCHKEY" · version u16 = 1 · suite u16 = 1 · memory KiB u32 · passes u32 · lanes u32 · salt 16
//! body      length u32 · nonce 12 ‖ AES-256-GCM-SIV(contents) ‖ tag 16, key = Argon2id(passphrase), bound to the header
//! checksum  SHA-256 of header and body: tells a damaged file from a wrong passphrase
//! ```
//!
//! Integers are big-endian; `contents` has its own layout. The file has mode 0600; a new one never overwrites another.
//! Does not protect against one who has both file and passphrase, nor a weak passphrase for ever.

mod contents;
mod file;

pub use contents::Keystore;
pub use file::{CreateError, KdfParams, OpenError, ReplaceError};
