//! A field: name, kind, tier, what may be asked of it and how it is de-identified.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::Tier;

/// The longest list of the codes that a field may hold.
const VALUES_MAX: usize = 64;

/// The name of a field, as predicates write it: a letter, then letters and digits, at most 40.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldName(String);

impl FieldName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for FieldName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a field name.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a field name: a letter, then letters and digits, at most 40")]
pub struct NotAFieldName(String);

impl TryFrom<String> for FieldName {
    type Error = NotAFieldName;

    fn try_from(name: String) -> Result<FieldName, NotAFieldName> {
        let letter_first = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if letter_first && name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric()) {
            Ok(FieldName(name))
        } else {
            Err(NotAFieldName(name))
        }
    }
}

impl From<FieldName> for String {
    fn from(name: FieldName) -> String {
        name.0
    }
}

/// One field of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in predicates.
    pub name: FieldName,
    /// What it holds.
    pub kind: Kind,
    /// Who may read it.
    pub tier: Tier,
    /// How a research release treats it.
    pub deidentify: DeidRule,
    /// For a status: what each code does to the record; a code not listed asserts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub status: BTreeMap<String, StatusEffect>,
}

/// What a status says about the record it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusEffect {
    /// The record says what it says.
    Asserts,
    /// The record must not be read as a positive fact: refuted, not done, cancelled.
    Denies,
    /// The record was a mistake: it is withdrawn.
    Withdraws,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Kind {
    /// A decimal number kept as an integer of 10^-scale units.
    Integer {
        /// Digits after the point, 0 to 9.
        scale: u8,
        /// The unit in UCUM.
        unit: String,
        /// Which operands questions may use.
        grid: Grid,
    },
    /// A number whose scale, unit and grid depend on the code in another field: see the code table.
    IntegerByCode {
        /// The field that holds the code.
        code_field: FieldName,
    },
    /// A day.
    Date {
        /// Which operands questions may use; steps are days.
        grid: Grid,
    },
    /// A point in time; steps are seconds.
    Instant {
        /// Which operands questions may use.
        grid: Grid,
    },
    /// A code.
    Code {
        /// The coding systems it may come from, as FHIR names them.
        systems: Vec<String>,
        /// How it becomes a number.
        form: CodeForm,
        /// Whether a prefix names a subtree, as in ICD-10.
        prefix: bool,
        /// Every code that the field may hold, ascending; empty if the schema does not list them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        values: Vec<String>,
    },
    /// Text; only equality can be asked.
    Text,
    /// Bytes; only equality can be asked.
    Bytes,
}

/// How a code becomes a number of 120 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeForm {
    /// Up to 15 printable ASCII characters, left-aligned in 120 bits.
    Ascii,
    /// A decimal number without leading zeros, below 2^64: SNOMED CT, RxNorm.
    Number,
}

/// Which operands questions may use, so that repeated questions cannot search for the exact value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Grid {
    /// From `min` to `max` in steps, in the field's own units.
    Steps {
        /// The least operand.
        min: i64,
        /// The greatest operand.
        max: i64,
        /// The distance between two operands.
        step: u64,
    },
    /// For dates: whole years before today, up to this many.
    YearsBeforeToday {
        /// The greatest number of years.
        max: u16,
    },
}

/// What a research release does with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DeidRule {
    /// As it is.
    Keep,
    /// Not at all.
    Drop,
    /// Rounded down to a multiple.
    Bucket {
        /// The size of a bucket, in the field's units.
        size: u64,
    },
    /// Values above the bound become the bound.
    TopCode {
        /// The bound, in the field's units.
        bound: i64,
    },
    /// The first characters of a code.
    Prefix {
        /// How many.
        length: u8,
    },
    /// The year alone.
    Year,
    /// Moved by whole weeks, the same for all of a subject in a project.
    WeekShift,
}

/// What a number means next to a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRow {
    /// The code.
    pub code: String,
    /// The unit in UCUM.
    pub unit: String,
    /// Digits after the point, 0 to 9.
    pub scale: u8,
    /// Which operands questions may use.
    pub grid: Grid,
}

impl CodeRow {
    pub(super) fn check(&self) -> Result<(), String> {
        super::encode_code(CodeForm::Ascii, &self.code).map_err(|e| e.to_string())?;
        check_number(self.scale, &self.unit, &self.grid)
    }
}

impl Field {
    pub(super) fn check(&self) -> Result<(), String> {
        let deid_ok = match (&self.kind, self.deidentify) {
            (_, DeidRule::Keep | DeidRule::Drop) => true,
            (Kind::Integer { .. } | Kind::IntegerByCode { .. }, DeidRule::Bucket { size }) => size > 0,
            (Kind::Integer { .. }, DeidRule::TopCode { .. }) => true,
            (Kind::Code { .. }, DeidRule::Prefix { length }) => (1..=15).contains(&length),
            (Kind::Date { .. } | Kind::Instant { .. }, DeidRule::Year | DeidRule::WeekShift) => true,
            _ => false,
        };
        if !deid_ok {
            return Err("the de-identification rule does not fit the kind".to_owned());
        }
        if !self.status.is_empty() && !matches!(self.kind, Kind::Code { .. }) {
            return Err("only a code field can be a status".to_owned());
        }
        if let Kind::Code { form, .. } = &self.kind {
            let asserting = self.status.iter().filter(|(_, effect)| **effect != StatusEffect::Withdraws);
            for (code, _) in asserting {
                super::encode_code(*form, code).map_err(|e| format!("status {code:?}: {e}"))?;
            }
        }
        match &self.kind {
            Kind::Integer { scale, unit, grid } => check_number(*scale, unit, grid),
            Kind::Date { grid } => check_grid(grid),
            Kind::Instant { grid: Grid::YearsBeforeToday { .. } } => {
                Err("whole years before today fit dates alone".to_owned())
            }
            Kind::Instant { grid } => check_grid(grid),
            Kind::Code { form: CodeForm::Number, prefix: true, .. } => {
                Err("a prefix names a subtree of ASCII codes alone".to_owned())
            }
            Kind::Code { systems, .. } if systems.is_empty() => Err("no coding system".to_owned()),
            Kind::Code { form, values, .. } => check_values(*form, values),
            Kind::IntegerByCode { .. } | Kind::Text | Kind::Bytes => Ok(()),
        }
    }
}

fn check_values(form: CodeForm, values: &[String]) -> Result<(), String> {
    if values.len() > VALUES_MAX {
        return Err(format!("at most {VALUES_MAX} values, not {}: leave the list out", values.len()));
    }
    if !values.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err("the values must be ascending, each once".to_owned());
    }
    for value in values {
        super::encode_code(form, value).map_err(|e| format!("value {value:?}: {e}"))?;
    }
    Ok(())
}

fn check_number(scale: u8, unit: &str, grid: &Grid) -> Result<(), String> {
    if scale > 9 {
        return Err(format!("scale {scale} is above 9"));
    }
    if unit.is_empty() || unit.len() > 64 {
        return Err("a unit is 1 to 64 characters of UCUM; write \"1\" for a pure number".to_owned());
    }
    match grid {
        Grid::YearsBeforeToday { .. } => Err("whole years before today fit dates alone".to_owned()),
        steps => check_grid(steps),
    }
}

fn check_grid(grid: &Grid) -> Result<(), String> {
    match grid {
        Grid::Steps { min, max, step } if min > max || *step == 0 => {
            Err("a grid has min ≤ max and a step above 0".to_owned())
        }
        _ => Ok(()),
    }
}
