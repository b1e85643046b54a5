//! What can be wrong with a resource, whose fault it is, and where: file, entry and path.
//!
//! An error text names places, types and coding systems, never the value found: it may end in a log.

use serde::{Serialize, Serializer};

/// Who has to act on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The file breaks FHIR R4 or JSON: whoever wrote it has to mend it.
    File,
    /// The file is sound, but says what Vouchsafe does not read (yet).
    Unsupported,
    /// A defect of Vouchsafe: please report it.
    Ours,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Fault::File => "the file's fault: ask whoever wrote it",
            Fault::Unsupported => "the file is sound, Vouchsafe does not read this",
            Fault::Ours => "a defect of Vouchsafe: please report it",
        })
    }
}

/// Why a file or a resource was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// Not JSON, or JSON that two readers may read differently.
    #[error("not well-formed JSON at line {line}, column {column}: {detail}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser said.
        detail: String,
    },
    /// The file is larger than is read at once.
    #[error("the file has {bytes} bytes, at most {bytes_max} are read at once: split it")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// Another JSON type than FHIR says.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What FHIR says.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A required element is not there.
    #[error("missing: {0}")]
    Missing(&'static str),
    /// The right type, but not of the form that FHIR says.
    #[error("{0}")]
    BadForm(&'static str),
    /// A well-formed value that the field cannot hold.
    #[error("out of range: {0}")]
    OutOfRange(String),
    /// The same resource twice in one file.
    #[error("the same resource as entry {of}, {}", if *.same { "repeated" } else { "with other content: neither is taken" })]
    Duplicate {
        /// The other entry.
        of: usize,
        /// Whether both say the same.
        same: bool,
    },
    /// A reference that leads nowhere, or to something else.
    #[error("{0}")]
    Reference(&'static str),
    /// Sound FHIR that is not read.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The mapping made something that the schema refuses.
    #[error("the mapping does not fit the schema: {0}")]
    Mapping(String),
}

impl Why {
    /// Whose fault it is.
    pub const fn fault(&self) -> Fault {
        match self {
            Why::Unsupported(_) | Why::TooLarge { .. } => Fault::Unsupported,
            Why::Mapping(_) => Fault::Ours,
            _ => Fault::File,
        }
    }

    /// The error at a place.
    pub(super) fn at(self, path: impl Into<String>) -> Located {
        Located { path: path.into(), why: self }
    }
}

/// A reason with its path, before the file and the entry are known.
#[derive(Debug)]
pub(super) struct Located {
    pub path: String,
    pub why: Why,
}

/// A file or a resource that was not taken. The rest of the file was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, {}{path}: {why} ({})", entry.map(|e| format!("entry {e}, ")).unwrap_or_default(), why.fault())]
pub struct IngestError {
    /// Which file.
    pub file: String,
    /// Which entry of the bundle, from 0; none when the whole file is concerned.
    pub entry: Option<usize>,
    /// The JSON path from the top of the file; `$` is the top.
    pub path: String,
    /// What is wrong.
    pub why: Why,
}

impl Serialize for IngestError {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = to.serialize_struct("IngestError", 5)?;
        object.serialize_field("file", &self.file)?;
        object.serialize_field("entry", &self.entry)?;
        object.serialize_field("path", &self.path)?;
        object.serialize_field("why", &self.why.to_string())?;
        object.serialize_field("fault", &self.why.fault())?;
        object.end()
    }
}
