//! A record's sealed parts as one blob. Layout: the parent module.

use super::{EnvelopeError, Part, SealedPart};
use crate::aead::CipherSuite;
use crate::wire::{Reader, WireError, Writer};

const MAGIC: &[u8] = b"VOUCHBLB";
const VERSION: u16 = 1;

impl SealedPart {
    /// The bytes of a blob that holds these parts, which stand in rising order.
    pub(crate) fn to_blob(cipher: CipherSuite, parts: &[SealedPart]) -> Vec<u8> {
        let size = 13 + parts.iter().map(|p| p.sealed.len() + 5).sum::<usize>();
        let mut writer = Writer::with_capacity(size).raw(MAGIC).u16(VERSION).u16(cipher.code()).u8(parts.len() as u8);
        for part in parts {
            writer = writer.u8(part.part.code()).bytes(&part.sealed);
        }
        writer.public()
    }

    /// Reads a blob; refuses anything that [`SealedPart::to_blob`] does not write.
    pub(crate) fn from_blob(bytes: &[u8]) -> Result<(CipherSuite, Vec<SealedPart>), EnvelopeError> {
        read(bytes).map_err(|e| EnvelopeError::Blob(e.to_string()))
    }
}

fn read(bytes: &[u8]) -> Result<(CipherSuite, Vec<SealedPart>), WireError> {
    let mut reader = Reader::new(bytes);
    reader.expect(MAGIC, "magic")?;
    if reader.u16()? != VERSION {
        return Err(WireError::Bad("version"));
    }
    let cipher = CipherSuite::from_code(reader.u16()?).ok_or(WireError::Bad("suite"))?;
    let mut parts: Vec<SealedPart> = Vec::new();
    for _ in 0..reader.u8()? {
        let part = Part::from_code(reader.u8()?).ok_or(WireError::Bad("part"))?;
        if parts.last().is_some_and(|last| last.part >= part) {
            return Err(WireError::Bad("order of parts"));
        }
        parts.push(SealedPart { part, sealed: reader.bytes()?.to_vec() });
    }
    reader.finish()?;
    Ok((cipher, parts))
}

#[cfg(test)]
mod tests {
    use vouchsafe_circuits::record::Tier;

    use super::*;

    #[test]
    fn blobs_read_back_and_nothing_else_does() {
        let parts =
            [Part::Tier(Tier::Internal), Part::Header].map(|part| SealedPart { part, sealed: vec![part.code(); 40] });
        let blob = SealedPart::to_blob(CipherSuite::Aes256, &parts);
        assert_eq!(SealedPart::from_blob(&blob), Ok((CipherSuite::Aes256, parts.to_vec())));
        for end in 0..blob.len() {
            assert!(SealedPart::from_blob(&blob[..end]).is_err(), "cut at {end}");
        }
        assert!(SealedPart::from_blob(&[&blob[..], &[0]].concat()).is_err());
        let twice = SealedPart::to_blob(CipherSuite::Aes256, &[parts[1].clone(), parts[1].clone()]);
        assert!(SealedPart::from_blob(&twice).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(tail in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            for bytes in [tail.clone(), [MAGIC, &[0, 1, 0, 1], &tail[..]].concat()] {
                if let Ok((cipher, parts)) = SealedPart::from_blob(&bytes) {
                    proptest::prop_assert_eq!(SealedPart::to_blob(cipher, &parts), bytes);
                }
            }
        }
    }
}
