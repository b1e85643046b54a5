//! Checkpoints: a log's size and root, in C2SP tlog-checkpoint form, signed by validators as a signed note.
//! ```text
//! vouchsafe.ledger/‹chain id›\n ‹size›\n ‹base64 root›\n \n — ‹origin›/‹validator› ‹base64(key hash ‖ signature)›\n
//! ```
//! key hash = SHA-256(key name ‖ "\n" ‖ 0x01 ‖ public key), 4 bytes. No extension lines. Signatures of unknown keys
//! (witnesses) are kept and do not count here. Valid above two thirds of the validators' power.

use core::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::entry::Validator;
use crate::ids::{ChainId, LogHash, MemberName};
use crate::signing::{PublicKey, Signature, SigningKey};
use crate::units::LogSize;

const ORIGIN: &str = "vouchsafe.ledger/";
const NOTE_BYTES_MAX: usize = 64 * 1024;
const SIGNATURES_MAX: usize = 512;
const ED25519_NOTE: u8 = 1;

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not a signed note with a checkpoint.
    #[error("not a signed checkpoint: {0}")]
    Malformed(&'static str),
    /// Of another ledger.
    #[error("the checkpoint is of {0}")]
    WrongOrigin(String),
    /// A validator's signature does not hold.
    #[error("the checkpoint's signature of {0} does not hold")]
    BadSignature(MemberName),
    /// Too few validators signed.
    #[error("the checkpoint is signed by validators of power {signed} of {total}: more than two thirds are needed")]
    TooFew {
        /// The power that signed.
        signed: u128,
        /// All power.
        total: u128,
    },
}

/// A log's size and root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger.
    pub chain: ChainId,
    /// How many leaves.
    pub size: LogSize,
    /// The root over them.
    pub root: LogHash,
}

impl Checkpoint {
    /// What is signed.
    fn text(&self) -> String {
        format!("{ORIGIN}{}\n{}\n{}\n", self.chain, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    /// Signs as these validators.
    pub fn sign(self, signers: &[(&MemberName, &SigningKey)]) -> SignedCheckpoint {
        let text = self.text();
        let signatures = signers.iter().map(|(validator, key)| {
            let name = key_name(&self.chain, validator);
            NoteSignature {
                hash: key_hash(&name, &key.public()),
                bytes: key.sign(text.as_bytes()).as_bytes().to_vec(),
                name,
            }
        });
        let signatures = signatures.collect();
        SignedCheckpoint { checkpoint: self, signatures }
    }
}

/// A checkpoint with the signatures under it; parsed, but not yet verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    signatures: Vec<NoteSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    hash: [u8; 4],
    bytes: Vec<u8>,
}

impl SignedCheckpoint {
    /// Parses a signed note.
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        if note.len() > NOTE_BYTES_MAX || note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(CheckpointError::Malformed("too long, or with control characters"));
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(CheckpointError::Malformed("no blank line"))?;
        let checkpoint = parse_text(text)?;
        let lines = signatures.strip_suffix('\n').ok_or(CheckpointError::Malformed("no newline at its end"))?;
        let signatures: Vec<NoteSignature> = lines.split('\n').map(parse_signature).collect::<Result<_, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(CheckpointError::Malformed("too many signatures"));
        }
        Ok(Self { checkpoint, signatures })
    }

    /// Checks that validators with more than two thirds of the power signed this chain's checkpoint.
    pub fn verify(&self, chain: &ChainId, validators: &[Validator]) -> Result<&Checkpoint, CheckpointError> {
        if self.checkpoint.chain != *chain {
            return Err(CheckpointError::WrongOrigin(format!("{ORIGIN}{}", self.checkpoint.chain)));
        }
        let text = self.checkpoint.text();
        let (mut signed, mut total) = (0u128, 0u128);
        for validator in validators {
            total += u128::from(validator.power);
            let name = key_name(chain, &validator.name);
            let hash = key_hash(&name, &validator.key);
            let mut theirs = self.signatures.iter().filter(|line| line.name == name && line.hash == hash).peekable();
            if theirs.peek().is_none() {
                continue;
            }
            for line in theirs {
                let holds = Signature::from_slice(&line.bytes)
                    .and_then(|signature| validator.key.verify(text.as_bytes(), &signature));
                holds.map_err(|_| CheckpointError::BadSignature(validator.name.clone()))?;
            }
            signed += u128::from(validator.power);
        }
        if signed * 3 > total * 2 { Ok(&self.checkpoint) } else { Err(CheckpointError::TooFew { signed, total }) }
    }

    /// What it says, whoever signed it.
    pub fn unverified(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.checkpoint.text())?;
        for line in &self.signatures {
            writeln!(f, "— {} {}", line.name, STANDARD.encode([line.hash.as_slice(), &line.bytes].concat()))?;
        }
        Ok(())
    }
}

impl TryFrom<String> for SignedCheckpoint {
    type Error = CheckpointError;

    fn try_from(note: String) -> Result<Self, CheckpointError> {
        Self::parse(&note)
    }
}

impl From<SignedCheckpoint> for String {
    fn from(checkpoint: SignedCheckpoint) -> String {
        checkpoint.to_string()
    }
}

/// The name of a validator's key in notes.
fn key_name(chain: &ChainId, validator: &MemberName) -> String {
    format!("{ORIGIN}{chain}/{validator}")
}

fn key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    let hash =
        Sha256::new().chain_update(name).chain_update([b'\n', ED25519_NOTE]).chain_update(key.as_bytes()).finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The three lines of a checkpoint, without the newline that ends the last.
fn parse_text(text: &str) -> Result<Checkpoint, CheckpointError> {
    let lines: Vec<&str> = text.split('\n').collect();
    let [origin, size, root] = lines.as_slice() else {
        return Err(CheckpointError::Malformed("it needs three lines: origin, size, root"));
    };
    let chain = origin.strip_prefix(ORIGIN).and_then(|chain| chain.parse().ok());
    let chain = chain.ok_or_else(|| CheckpointError::WrongOrigin((*origin).to_owned()))?;
    let number: u64 = size.parse().map_err(|_| CheckpointError::Malformed("the size is no number"))?;
    if number.to_string() != *size {
        return Err(CheckpointError::Malformed("the size has another spelling"));
    }
    let root = STANDARD.decode(root).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let root = LogHash::from_bytes(root.ok_or(CheckpointError::Malformed("the root is not 32 bytes in base64"))?);
    Ok(Checkpoint { chain, size: LogSize::new(number), root })
}

fn parse_signature(line: &str) -> Result<NoteSignature, CheckpointError> {
    let malformed = CheckpointError::Malformed("a signature line is not \"— name base64\"");
    let parts = line.strip_prefix("— ").and_then(|rest| rest.split_once(' '));
    let Some((name, base64)) = parts else { return Err(malformed) };
    if name.is_empty() || name.contains('+') || name.chars().any(char::is_whitespace) {
        return Err(malformed);
    }
    let Ok(bytes) = STANDARD.decode(base64) else { return Err(malformed) };
    match bytes.split_first_chunk::<4>() {
        Some((hash, rest)) if !rest.is_empty() => {
            Ok(NoteSignature { name: name.to_owned(), hash: *hash, bytes: rest.to_vec() })
        }
        _ => Err(malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> MemberName {
        text.parse().unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { chain: "demo".parse().unwrap(), size: LogSize::new(7), root: LogHash::from_bytes([9; 32]) }
    }

    #[test]
    fn more_than_two_thirds_must_sign() {
        let keys: Vec<SigningKey> = (1u8..=3).map(|n| SigningKey::from_seed(&[n; 32])).collect();
        let names = ["a", "b", "c"].map(name);
        let validators: Vec<Validator> = keys
            .iter()
            .zip(&names)
            .map(|(key, name)| Validator { name: name.clone(), key: key.public(), power: 1 })
            .collect();
        let chain = "demo".parse().unwrap();
        let all: Vec<_> = names.iter().zip(&keys).collect();
        let note = checkpoint().sign(&all);
        assert_eq!(note.verify(&chain, &validators), Ok(&checkpoint()));
        let two = checkpoint().sign(&all[..2]);
        assert_eq!(two.verify(&chain, &validators), Err(CheckpointError::TooFew { signed: 2, total: 3 }));
        // One validator signing three times is still one.
        let thrice = checkpoint().sign(&[all[0], all[0], all[0]]);
        assert_eq!(thrice.verify(&chain, &validators), Err(CheckpointError::TooFew { signed: 1, total: 3 }));
        assert_eq!(SignedCheckpoint::parse(&note.to_string()), Ok(note.clone()));
        let other = "other".parse().unwrap();
        assert!(matches!(note.verify(&other, &validators), Err(CheckpointError::WrongOrigin(_))));
        let changed = note.to_string().replacen("\n7\n", "\n8\n", 1);
        let changed = SignedCheckpoint::parse(&changed).unwrap();
        assert_eq!(changed.verify(&chain, &validators), Err(CheckpointError::BadSignature(name("a"))));
    }

    #[test]
    fn witness_lines_are_kept_and_do_not_count() {
        let key = SigningKey::from_seed(&[1; 32]);
        let validator = Validator { name: name("a"), key: key.public(), power: 1 };
        let note = checkpoint().sign(&[(&validator.name, &key)]);
        let text = format!("{note}— witness.example/w {}\n", STANDARD.encode([7; 76]));
        let witnessed = SignedCheckpoint::parse(&text).unwrap();
        assert_eq!(witnessed.to_string(), text);
        assert!(witnessed.verify(&"demo".parse().unwrap(), &[validator]).is_ok());
    }

    #[test]
    fn other_spellings_are_refused() {
        let key = SigningKey::from_seed(&[1; 32]);
        let note = checkpoint().sign(&[(&name("a"), &key)]).to_string();
        for (from, to) in [
            ("\n7\n", "\n07\n"),
            ("\n7\n", "\n+7\n"),
            ("\n7\n", "\n7\nextension\n"),
            ("vouchsafe", "vouchsafe "),
            ("— ", "- "),
            ("\n\n", "\n"),
            ("/a ", "/a+ "),
            ("\n7\n", "\n7\r\n"),
        ] {
            assert!(SignedCheckpoint::parse(&note.replacen(from, to, 1)).is_err(), "{from:?} {to:?}");
        }
        assert!(SignedCheckpoint::parse(note.trim_end()).is_err());
        assert!(SignedCheckpoint::parse("").is_err());
    }
}
