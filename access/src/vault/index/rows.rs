//! The bytes of the index's rows, format 1.
//!
//! ```text
//! record   suite u16 · proof suite u32 · schema 32 · issuer 32 · subject 16 · blob 32 · source 32 · state ·
//!          wraps u8, each: part u8 · epoch u32 · key id 8 · nonce 12 ‖ wrapped key 32 ‖ tag 16
//! state    0 pending · 1 committed: position u32 · height u64 · 2 superseded: position u32 · 3 withdrawn: position u32
//!          (height 2^64 − 1: learned by looking the commitment up)
//! head     0 withdrawn · 1 commitment 32
//! pending  1 commit: C 32 · 2 amend: C 32 · old C 32 · 3 withdraw: C 32
//! ```

use vouchsafe_circuits::fe::Fe;
use vouchsafe_circuits::ids::{Commitment, IssuerId, SchemaId};
use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::tree::Position;

use crate::aead::CipherSuite;
use crate::envelope::{Binding, Wrap};
use crate::ledger::Height;
use crate::subject::{Handle, SubjectId};
use crate::vault::blobs::BlobId;
use crate::wire::{Reader, WireError, Writer};

const NO_HEIGHT: u64 = u64::MAX;

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordState {
    /// Durable here; the ledger has not acknowledged it.
    Pending,
    /// On the ledger and, as far as this vault knows, active.
    Committed {
        /// Its position.
        position: Position,
        /// The block that took it in, if the acknowledgement was seen.
        height: Option<Height>,
    },
    /// Replaced by a newer version.
    Superseded {
        /// Its position.
        position: Position,
    },
    /// Withdrawn.
    Withdrawn {
        /// Its position.
        position: Position,
    },
}

impl RecordState {
    /// Its position, if the ledger has it.
    pub fn position(&self) -> Option<Position> {
        match self {
            RecordState::Pending => None,
            RecordState::Committed { position, .. }
            | RecordState::Superseded { position }
            | RecordState::Withdrawn { position } => Some(*position),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::vault) struct RecordRow {
    pub cipher: CipherSuite,
    pub proof: Suite,
    pub schema: SchemaId,
    pub issuer: IssuerId,
    pub subject: SubjectId,
    pub blob: BlobId,
    pub source: Handle,
    pub state: RecordState,
    pub wraps: Vec<Wrap>,
}

/// What the newest version of a resource became; none: withdrawn.
pub(in crate::vault) type SourceHead = Option<Commitment>;

/// One thing that the ledger has still to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vault) struct Pending {
    pub commitment: Commitment,
    pub intent: Intent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vault) enum Intent {
    Commit,
    Amend { old: Commitment },
    Withdraw,
}

impl RecordRow {
    pub(in crate::vault) fn binding(&self, commitment: Commitment) -> Binding {
        Binding { cipher: self.cipher, proof: self.proof, commitment, schema: self.schema }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(256 + self.wraps.len() * 80)
            .u16(self.cipher.code())
            .u32(self.proof.code())
            .raw(self.schema.fe().as_bytes())
            .raw(self.issuer.fe().as_bytes())
            .raw(self.subject.as_bytes())
            .raw(self.blob.as_bytes())
            .raw(self.source.as_bytes());
        writer = match self.state {
            RecordState::Pending => writer.u8(0),
            RecordState::Committed { position, height } => {
                writer.u8(1).u32(position.get()).u64(height.map_or(NO_HEIGHT, Height::get))
            }
            RecordState::Superseded { position } => writer.u8(2).u32(position.get()),
            RecordState::Withdrawn { position } => writer.u8(3).u32(position.get()),
        };
        writer = writer.u8(self.wraps.len() as u8);
        for wrap in &self.wraps {
            writer = wrap.write(writer);
        }
        writer.public()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<RecordRow, WireError> {
        let mut reader = Reader::new(bytes);
        let cipher = CipherSuite::from_code(reader.u16()?).ok_or(WireError::Bad("suite"))?;
        let proof = Suite::from_code(reader.u32()?).ok_or(WireError::Bad("proof suite"))?;
        let mut fe = |what| Fe::from_bytes(proof, reader.array()?).map_err(|_| WireError::Bad(what));
        let (schema, issuer) = (SchemaId::new(fe("schema")?), IssuerId::new(fe("issuer")?));
        let row = RecordRow {
            cipher,
            proof,
            schema,
            issuer,
            subject: SubjectId::from_bytes(reader.array()?),
            blob: BlobId::from_bytes(reader.array()?),
            source: Handle::from_bytes(reader.array()?),
            state: state(&mut reader)?,
            wraps: (0..reader.u8()?).map(|_| Wrap::read(&mut reader)).collect::<Result<_, _>>()?,
        };
        reader.finish()?;
        Ok(row)
    }
}

fn state(reader: &mut Reader<'_>) -> Result<RecordState, WireError> {
    let kind = reader.u8()?;
    if kind == 0 {
        return Ok(RecordState::Pending);
    }
    let position = Position::new(reader.u32()?);
    match kind {
        1 => {
            let height = reader.u64()?;
            Ok(RecordState::Committed { position, height: (height != NO_HEIGHT).then(|| Height::new(height)) })
        }
        2 => Ok(RecordState::Superseded { position }),
        3 => Ok(RecordState::Withdrawn { position }),
        _ => Err(WireError::Bad("state")),
    }
}

impl Pending {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let c = *self.commitment.fe().as_bytes();
        let writer = Writer::with_capacity(65);
        match self.intent {
            Intent::Commit => writer.u8(1).raw(&c),
            Intent::Amend { old } => writer.u8(2).raw(&c).raw(old.fe().as_bytes()),
            Intent::Withdraw => writer.u8(3).raw(&c),
        }
        .public()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Pending, WireError> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        let c = commitment(reader.array()?)?;
        let intent = match kind {
            1 => Intent::Commit,
            2 => Intent::Amend { old: commitment(reader.array()?)? },
            3 => Intent::Withdraw,
            _ => return Err(WireError::Bad("intent")),
        };
        reader.finish()?;
        Ok(Pending { commitment: c, intent })
    }
}

pub(super) fn head_to_bytes(head: SourceHead) -> Vec<u8> {
    match head {
        None => vec![0],
        Some(commitment) => [&[1], &commitment.fe().as_bytes()[..]].concat(),
    }
}

pub(super) fn head_from_bytes(bytes: &[u8]) -> Result<SourceHead, WireError> {
    let mut reader = Reader::new(bytes);
    let head = match reader.u8()? {
        0 => None,
        1 => Some(commitment(reader.array()?)?),
        _ => return Err(WireError::Bad("head")),
    };
    reader.finish()?;
    Ok(head)
}

/// A commitment is an element of the widest suite's field; the row or the ledger says which suite's.
pub(super) fn commitment(bytes: [u8; 32]) -> Result<Commitment, WireError> {
    Fe::from_bytes(Suite::Bn254, bytes).map(Commitment::new).map_err(|_| WireError::Bad("commitment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(state: RecordState) -> RecordRow {
        RecordRow {
            cipher: CipherSuite::Aes256,
            proof: Suite::Bn254,
            schema: SchemaId::new(Fe::from_u64(1)),
            issuer: IssuerId::new(Fe::from_u64(2)),
            subject: SubjectId::from_bytes([3; 16]),
            blob: BlobId::from_bytes([4; 32]),
            source: Handle::from_bytes([5; 32]),
            state,
            wraps: Vec::new(),
        }
    }

    #[test]
    fn rows_read_back_and_nothing_else_does() {
        let position = Position::new(7);
        for state in [
            RecordState::Pending,
            RecordState::Committed { position, height: None },
            RecordState::Committed { position, height: Some(Height::new(9)) },
            RecordState::Superseded { position },
            RecordState::Withdrawn { position },
        ] {
            let bytes = row(state).to_bytes();
            assert_eq!(RecordRow::from_bytes(&bytes), Ok(row(state)));
            for end in 0..bytes.len() {
                assert!(RecordRow::from_bytes(&bytes[..end]).is_err());
            }
            assert!(RecordRow::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            kind in 0u8..4,
            tail in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        ) {
            let bytes = [&[0, 1, 0, 0, 0, 1, kind], &tail[..]].concat();
            for bytes in [&bytes[..], &bytes[6..]] {
                if let Ok(row) = RecordRow::from_bytes(bytes) {
                    proptest::prop_assert_eq!(&row.to_bytes()[..], bytes);
                }
                if let Ok(pending) = Pending::from_bytes(bytes) {
                    proptest::prop_assert_eq!(&pending.to_bytes()[..], bytes);
                }
                if let Ok(head) = head_from_bytes(bytes) {
                    proptest::prop_assert_eq!(&head_to_bytes(head)[..], bytes);
                }
            }
        }
    }

    #[test]
    fn pending_rows_read_back() {
        let c = Commitment::new(Fe::from_u64(1));
        for intent in [Intent::Commit, Intent::Amend { old: Commitment::new(Fe::from_u64(2)) }, Intent::Withdraw] {
            let pending = Pending { commitment: c, intent };
            assert_eq!(Pending::from_bytes(&pending.to_bytes()), Ok(pending));
        }
        assert!(Pending::from_bytes(&[9; 33]).is_err());
    }
}
