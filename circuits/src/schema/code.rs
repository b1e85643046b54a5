//! Codes as numbers of 120 bits, and subtrees as ranges of them.
//!
//! ```text
//! ascii:  "E11.9" → bytes 45 31 31 2e 39 00 … 00 (15), read as a big-endian integer
//! number: "73211009" → 73211009
//! subtree of "E11": from 45 31 31 00 … to 45 31 31 ff …
//! ```
//!
//! "08" and "8" differ. A system with leading zeros must use the ASCII form.

use crate::fe::Fe;
use crate::schema::CodeForm;

const WIDTH: usize = 15;

/// Why a text is not a code. The fault is the caller's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeError {
    /// Empty, too long, or not printable ASCII.
    #[error("the code must be 1 to 15 printable ASCII characters without spaces")]
    NotAscii,
    /// Not a number in shortest form.
    #[error("the code must be a decimal number below 2^64 without leading zeros")]
    NotNumber,
    /// A number does not stand for a code.
    #[error("the value does not encode a code")]
    NotACode,
}

/// A code as a field element below 2^120.
pub fn encode_code(form: CodeForm, code: &str) -> Result<Fe, CodeError> {
    match form {
        CodeForm::Ascii => padded(code, 0).map(Fe::from_u128),
        CodeForm::Number => parse_number(code).map(Fe::from_u64),
    }
}

/// The code that a field element stands for.
pub fn decode_code(form: CodeForm, value: Fe) -> Result<String, CodeError> {
    match form {
        CodeForm::Number => value.to_u64().map(|n| n.to_string()).ok_or(CodeError::NotACode),
        CodeForm::Ascii => {
            let value = value.to_u128().filter(|v| v >> (8 * WIDTH) == 0).ok_or(CodeError::NotACode)?;
            let bytes = value.to_be_bytes();
            let text = bytes[16 - WIDTH..].split(|b| *b == 0).next().unwrap_or_default();
            let code = String::from_utf8(text.to_vec()).map_err(|_| CodeError::NotACode)?;
            let same = padded(&code, 0).map_err(|_| CodeError::NotACode)? == value;
            same.then_some(code).ok_or(CodeError::NotACode)
        }
    }
}

/// The least and the greatest number of the codes that begin with a prefix.
pub fn subtree(prefix: &str) -> Result<(Fe, Fe), CodeError> {
    Ok((Fe::from_u128(padded(prefix, 0)?), Fe::from_u128(padded(prefix, 0xff)?)))
}

fn padded(code: &str, fill: u8) -> Result<u128, CodeError> {
    let fits = (1..=WIDTH).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic());
    if !fits {
        return Err(CodeError::NotAscii);
    }
    let mut bytes = [0; 16];
    bytes[16 - WIDTH..].fill(fill);
    bytes[16 - WIDTH..][..code.len()].copy_from_slice(code.as_bytes());
    Ok(u128::from_be_bytes(bytes))
}

fn parse_number(code: &str) -> Result<u64, CodeError> {
    let number: u64 = code.parse().map_err(|_| CodeError::NotNumber)?;
    (number.to_string() == code).then_some(number).ok_or(CodeError::NotNumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_count_and_round_trip() {
        let (a, b) = (encode_code(CodeForm::Ascii, "08").unwrap(), encode_code(CodeForm::Ascii, "8").unwrap());
        assert_ne!(a, b);
        assert_eq!(decode_code(CodeForm::Ascii, a).unwrap(), "08");
        assert_eq!(encode_code(CodeForm::Number, "08"), Err(CodeError::NotNumber));
        assert_eq!(encode_code(CodeForm::Number, "+8"), Err(CodeError::NotNumber));
        assert_eq!(encode_code(CodeForm::Ascii, "1234567890123456"), Err(CodeError::NotAscii));
        assert_eq!(encode_code(CodeForm::Ascii, ""), Err(CodeError::NotAscii));
        assert_eq!(decode_code(CodeForm::Ascii, Fe::from_u64(1)), Err(CodeError::NotACode));
    }

    #[test]
    fn a_subtree_holds_its_codes_and_no_neighbours() {
        let (low, high) = subtree("E11").unwrap();
        let inside = |code| {
            let v = encode_code(CodeForm::Ascii, code).unwrap().to_u128();
            low.to_u128() <= v && v <= high.to_u128()
        };
        assert!(["E11", "E11.9", "E11.65", "E119"].into_iter().all(inside));
        assert!(!["E10.9", "E12", "E1", "e11", "F11"].into_iter().any(inside));
    }
}
