//! What is inside a part, and its bytes.
//!
//! ```text
//! padded   length u32 · body · zeros to a multiple of 64
//! tier     version u8 = 1 · salt seed 32 · count u8 · fields in rising order, each: index u8 · value
//! header   version u8 = 1 · subject key 32 · valid from u32 · valid until u32 · blinding 32
//! value    0 absent: reason u8 · 1 integer: i64 · 2 date: i32 · 3 instant: i64 · 4 code, 5 text, 6 bytes: length u32 · bytes
//! ```
//!
//! Values are kept raw, not encoded: text is only hashed into a leaf. Decoding takes exactly what encoding writes.

use vouchsafe_circuits::fe::Fe;
use vouchsafe_circuits::record::{Absence, Day, FieldIndex, FieldValue, Header, Validity, Value};
use vouchsafe_circuits::secrets::{Blinding, SaltSeed, SubjectKey};
use vouchsafe_circuits::suite::Suite;
use zeroize::Zeroizing;

use crate::wire::{Reader, WireError, Writer};

const VERSION: u8 = 1;
const BLOCK: usize = 64;

/// The fields of one tier and the seed of their salts.
#[derive(Clone, Debug)]
pub struct TierPayload {
    /// What the salts of this tier's leaves are derived from.
    pub seed: SaltSeed,
    /// The tier's fields, in rising order.
    pub fields: Vec<(FieldIndex, FieldValue)>,
}

/// What only the holder may read: the part of a record that is not a field.
#[derive(Clone, Debug)]
pub struct HeaderPayload(pub Header);

impl TierPayload {
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let size = 34 + self.fields.iter().map(|(_, value)| 1 + size_of(value)).sum::<usize>();
        padded(size, |mut writer| {
            writer = writer.u8(VERSION).raw(self.seed.as_bytes()).u8(self.fields.len() as u8);
            for (index, value) in &self.fields {
                writer = write_value(writer.u8(index.get()), value);
            }
            writer
        })
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<TierPayload, WireError> {
        let mut reader = unpadded(bytes)?;
        let seed = SaltSeed::new(reader.array()?);
        let mut fields: Vec<(FieldIndex, FieldValue)> = Vec::new();
        for _ in 0..reader.u8()? {
            let index = FieldIndex::try_from(reader.u8()?).map_err(|_| WireError::Bad("field index"))?;
            if fields.last().is_some_and(|(last, _)| *last >= index) {
                return Err(WireError::Bad("order of fields"));
            }
            fields.push((index, read_value(&mut reader)?));
        }
        reader.finish()?;
        Ok(TierPayload { seed, fields })
    }
}

impl HeaderPayload {
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Header { subject_key, valid, blinding } = &self.0;
        padded(73, |writer| {
            writer
                .u8(VERSION)
                .raw(subject_key.fe().as_bytes())
                .u32(valid.from)
                .u32(valid.until)
                .raw(blinding.fe().as_bytes())
        })
    }

    pub(super) fn from_bytes(bytes: &[u8], suite: Suite) -> Result<HeaderPayload, WireError> {
        let mut reader = unpadded(bytes)?;
        let fe = |bytes, what| Fe::from_bytes(suite, bytes).map_err(|_| WireError::Bad(what));
        let subject_key = fe(reader.array()?, "subject key")?;
        let header = Header {
            subject_key: SubjectKey::new(subject_key).ok_or(WireError::Bad("subject key"))?,
            valid: Validity { from: reader.u32()?, until: reader.u32()? },
            blinding: Blinding::new(fe(reader.array()?, "blinding")?),
        };
        reader.finish()?;
        Ok(HeaderPayload(header))
    }
}

fn padded(body: usize, write: impl FnOnce(Writer) -> Writer) -> Zeroizing<Vec<u8>> {
    let whole = (4 + body).next_multiple_of(BLOCK);
    let mut bytes = write(Writer::with_capacity(whole).u32(body as u32)).done();
    debug_assert_eq!(bytes.len(), 4 + body);
    bytes.resize(whole, 0);
    bytes
}

/// A reader of the body, after its version.
fn unpadded(bytes: &[u8]) -> Result<Reader<'_>, WireError> {
    let mut reader = Reader::new(bytes);
    let body = reader.bytes()?;
    let padding = reader.rest();
    if !bytes.len().is_multiple_of(BLOCK) || padding.len() >= BLOCK || padding.iter().any(|b| *b != 0) {
        return Err(WireError::Bad("padding"));
    }
    let mut reader = Reader::new(body);
    if reader.u8()? == VERSION { Ok(reader) } else { Err(WireError::Bad("version")) }
}

fn size_of(value: &FieldValue) -> usize {
    1 + match value {
        FieldValue::Absent(_) => 1,
        FieldValue::Present(Value::Date(_)) => 4,
        FieldValue::Present(Value::Integer(_) | Value::Instant(_)) => 8,
        FieldValue::Present(Value::Code(text) | Value::Text(text)) => 4 + text.len(),
        FieldValue::Present(Value::Bytes(bytes)) => 4 + bytes.len(),
    }
}

fn write_value(writer: Writer, value: &FieldValue) -> Writer {
    match value {
        FieldValue::Absent(reason) => writer.u8(0).u8(*reason as u8),
        FieldValue::Present(Value::Integer(n)) => writer.u8(1).raw(&n.to_be_bytes()),
        FieldValue::Present(Value::Date(day)) => writer.u8(2).raw(&day.get().to_be_bytes()),
        FieldValue::Present(Value::Instant(n)) => writer.u8(3).raw(&n.to_be_bytes()),
        FieldValue::Present(Value::Code(code)) => writer.u8(4).bytes(code.as_bytes()),
        FieldValue::Present(Value::Text(text)) => writer.u8(5).bytes(text.as_bytes()),
        FieldValue::Present(Value::Bytes(bytes)) => writer.u8(6).bytes(bytes),
    }
}

fn read_value(reader: &mut Reader<'_>) -> Result<FieldValue, WireError> {
    Ok(FieldValue::Present(match reader.u8()? {
        0 => {
            let code = reader.u8()?;
            let reason = Absence::ALL.into_iter().find(|reason| *reason as u8 == code);
            return reason.map(FieldValue::Absent).ok_or(WireError::Bad("reason of absence"));
        }
        1 => Value::Integer(i64::from_be_bytes(reader.array()?)),
        2 => Value::Date(Day::new(i32::from_be_bytes(reader.array()?))),
        3 => Value::Instant(i64::from_be_bytes(reader.array()?)),
        4 => Value::Code(text(reader)?),
        5 => Value::Text(text(reader)?),
        6 => Value::Bytes(reader.bytes()?.to_vec()),
        _ => return Err(WireError::Bad("kind of value")),
    }))
}

fn text(reader: &mut Reader<'_>) -> Result<String, WireError> {
    let bytes = reader.bytes()?;
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| WireError::Bad("text"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arb_value() -> impl Strategy<Value = FieldValue> {
        prop_oneof![
            prop::sample::select(Absence::ALL.to_vec()).prop_map(FieldValue::Absent),
            any::<i64>().prop_map(|n| FieldValue::Present(Value::Integer(n))),
            any::<i32>().prop_map(|n| FieldValue::Present(Value::Date(Day::new(n)))),
            any::<i64>().prop_map(|n| FieldValue::Present(Value::Instant(n))),
            "[A-Z0-9.]{1,15}".prop_map(|s| FieldValue::Present(Value::Code(s))),
            ".{0,80}".prop_map(|s| FieldValue::Present(Value::Text(s))),
            prop::collection::vec(any::<u8>(), 0..80).prop_map(|b| FieldValue::Present(Value::Bytes(b))),
        ]
    }

    proptest! {
        #[test]
        fn tiers_read_back_and_nothing_else_does(seed: [u8; 32], values in prop::collection::vec(arb_value(), 0..16)) {
            let payload = TierPayload { seed: SaltSeed::new(seed), fields: FieldIndex::all().zip(values).collect() };
            let bytes = payload.to_bytes();
            let again = TierPayload::from_bytes(&bytes).unwrap();
            prop_assert_eq!(again.seed.as_bytes(), &seed);
            prop_assert_eq!(&again.fields, &payload.fields);
            prop_assert_eq!(bytes.len() % BLOCK, 0);
            prop_assert!(TierPayload::from_bytes(&bytes[..bytes.len() - 1]).is_err());
            let longer = [&bytes[..], &[0; BLOCK]].concat();
            prop_assert!(TierPayload::from_bytes(&longer).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            if let Ok(payload) = TierPayload::from_bytes(&bytes) {
                prop_assert_eq!(&payload.to_bytes()[..], &bytes[..]);
            }
            let _ = HeaderPayload::from_bytes(&bytes, Suite::Bn254);
        }
    }

    #[test]
    fn headers_read_back() {
        let header = Header {
            subject_key: SubjectKey::new(Fe::from_u64(7)).unwrap(),
            valid: Validity { from: 1, until: 2 },
            blinding: Blinding::new(Fe::from_u64(9)),
        };
        let bytes = HeaderPayload(header.clone()).to_bytes();
        let again = HeaderPayload::from_bytes(&bytes, Suite::Bn254).unwrap().0;
        assert!(again.subject_key == header.subject_key && again.blinding == header.blinding);
        assert_eq!(again.valid, header.valid);
        let mut zero = bytes.to_vec();
        zero[5..37].fill(0);
        assert!(HeaderPayload::from_bytes(&zero, Suite::Bn254).is_err());
    }
}
