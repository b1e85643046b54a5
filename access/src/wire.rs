//! Bytes in and out: big-endian integers, fixed arrays, length-prefixed strings; reading is strict.
//!
//! A reader never panics and never allocates more than its input holds; [`Reader::finish`] refuses trailing bytes.

use zeroize::Zeroizing;

/// Why bytes could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum WireError {
    /// The input ends too soon.
    #[error("ends too soon")]
    Short,
    /// The input goes on after its end.
    #[error("has trailing bytes")]
    Trailing,
    /// A field has a value that is not allowed there.
    #[error("has a bad {0}")]
    Bad(&'static str),
}

/// Reads from a slice.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(WireError::Short)?;
        self.0 = tail;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(WireError::Short)?;
        self.0 = tail;
        Ok(*head)
    }

    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[b]| b)
    }

    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_be_bytes)
    }

    /// A byte string with a 32-bit length.
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let n = self.u32()?;
        self.take(usize::try_from(n).map_err(|_| WireError::Short)?)
    }

    /// A fixed string that must be there.
    pub fn expect(&mut self, what: &[u8], name: &'static str) -> Result<(), WireError> {
        if self.take(what.len())? == what { Ok(()) } else { Err(WireError::Bad(name)) }
    }

    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub fn finish(self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
    }
}

/// Writes to a buffer that is wiped when dropped (a buffer that grows leaves copies: give it its capacity).
pub struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub fn with_capacity(n: usize) -> Writer {
        Writer(Zeroizing::new(Vec::with_capacity(n)))
    }

    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Writer {
        self.0.extend_from_slice(bytes);
        self
    }

    #[must_use]
    pub fn u8(self, value: u8) -> Writer {
        self.raw(&[value])
    }

    #[must_use]
    pub fn u16(self, value: u16) -> Writer {
        self.raw(&value.to_be_bytes())
    }

    #[must_use]
    pub fn u32(self, value: u32) -> Writer {
        self.raw(&value.to_be_bytes())
    }

    #[must_use]
    pub fn u64(self, value: u64) -> Writer {
        self.raw(&value.to_be_bytes())
    }

    /// A byte string with a 32-bit length. Lengths above 4 GiB saturate and so fail to read back.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Writer {
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).raw(bytes)
    }

    pub fn done(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// The bytes, where nothing in them is secret.
    pub fn public(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_strict() {
        let bytes = Writer::with_capacity(16).u16(7).bytes(b"abc").public();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.u16(), Ok(7));
        assert_eq!(reader.bytes(), Ok(&b"abc"[..]));
        assert_eq!(reader.finish(), Ok(()));
        assert_eq!(Reader::new(&bytes).finish(), Err(WireError::Trailing));
        assert_eq!(Reader::new(&[255, 255, 255, 255, 0]).bytes(), Err(WireError::Short));
    }
}
