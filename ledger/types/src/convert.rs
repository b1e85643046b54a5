//! Where the generated protobuf types end: every message is parsed into ours here, and written from ours.
//!
//! A parsed message is written again and must give the same bytes; so there is one encoding, and unknown, reordered or
//! default-valued fields and trailing bytes are refused.

mod access;
mod entry;
mod founding;
mod research;
mod state;

use prost::Message;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::{Commitment, Fe};

pub(crate) use entry::{check, entry, entry_bytes, signed, signed_bytes};
pub(crate) use state::StateMessage;

use crate::entry::{EntryError, PurposeClass};
use crate::ids::{EntryId, MemberId};
use crate::signing::PublicKey;
use crate::units::BlockTime;

/// Reads a message and refuses bytes that are not its one encoding.
fn canonical<M: Message + Default>(bytes: &[u8]) -> Result<M, EntryError> {
    let message = M::decode(bytes).map_err(|error| EntryError::NotProtobuf(error.to_string()))?;
    if message.encode_to_vec() == bytes { Ok(message) } else { Err(EntryError::NotCanonical) }
}

fn refused(field: &'static str, why: impl ToString) -> EntryError {
    EntryError::Field { field, why: why.to_string() }
}

fn present<T>(value: Option<T>, field: &'static str) -> Result<T, EntryError> {
    value.ok_or_else(|| refused(field, "is missing"))
}

fn fixed<const N: usize>(bytes: &[u8], field: &'static str) -> Result<[u8; N], EntryError> {
    bytes.try_into().map_err(|_| refused(field, format!("has {} bytes instead of {N}", bytes.len())))
}

fn element(bytes: &[u8], suite: Suite, field: &'static str) -> Result<Fe, EntryError> {
    Fe::from_bytes(suite, fixed(bytes, field)?).map_err(|error| refused(field, error))
}

fn commitment(bytes: &[u8], suite: Suite, field: &'static str) -> Result<Commitment, EntryError> {
    element(bytes, suite, field).map(Commitment::new)
}

fn member(bytes: &[u8], field: &'static str) -> Result<MemberId, EntryError> {
    MemberId::from_bytes(fixed(bytes, field)?).map_err(|error| refused(field, error))
}

fn key(bytes: &[u8], field: &'static str) -> Result<PublicKey, EntryError> {
    PublicKey::from_bytes(fixed(bytes, field)?).map_err(|error| refused(field, error))
}

fn time(seconds: u64, field: &'static str) -> Result<BlockTime, EntryError> {
    BlockTime::from_unix(seconds).ok_or_else(|| refused(field, "is after the year 9999"))
}

fn purpose(code: u32, field: &'static str) -> Result<PurposeClass, EntryError> {
    PurposeClass::from_code(code).ok_or_else(|| refused(field, "is unknown"))
}

fn entry_id(bytes: &[u8], field: &'static str) -> Result<EntryId, EntryError> {
    fixed(bytes, field).map(EntryId::from_bytes)
}

fn suite(code: u32, field: &'static str) -> Result<Suite, EntryError> {
    Suite::from_code(code).ok_or_else(|| refused(field, format!("{code} is no suite of this program")))
}

fn parse<T: core::str::FromStr>(text: &str, field: &'static str) -> Result<T, EntryError>
where
    T::Err: core::fmt::Display,
{
    text.parse().map_err(|error| refused(field, error))
}
