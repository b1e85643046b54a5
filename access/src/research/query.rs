//! A query: which project asks, of which cohort, how many subjects, for how much budget.
//!
//! ```text
//! canonical   version u8 = 1 · project 32 · schema 32 · table u16 · clauses u8, each: field u8 · mode u8 · low 32 · high 32 ·
//!             0 count | 1 histogram: field u8 · bins u8, each length u32 · text  · micro-ε u64
//! ```
//!
//! Two queries are the same if their canonical bytes are: what the clauses say counts, not how they were written.
//! The clauses come compiled; that they are what the text says is the compiler's word. Spec: docs/spec/research.md.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::fact::{Clause, Mode, TruthTable, eval};
use vouchsafe_circuits::record::{EncodedField, FIELDS, FieldIndex, FieldValue};
use vouchsafe_circuits::schema::{CodeForm, EncodeError, Field, Grid, Kind, Schema, decode_code};
use vouchsafe_ledger_types::ids::ProjectId;
use vouchsafe_ledger_types::units::MicroEpsilon;

use super::bins::{Bins, BinsError};
use super::deidentify::{self, Closed, is_left_whole, open_to_research};
use crate::wire::Writer;

const VERSION: u8 = 1;

/// Which records a query is about: those that satisfy a predicate over de-identified fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    source: String,
    clauses: Vec<Clause>,
    table: TruthTable,
}

impl Cohort {
    /// Every record of the schema.
    pub fn everybody() -> Cohort {
        Cohort { source: String::new(), clauses: Vec::new(), table: TruthTable::new(1) }
    }

    /// The records that satisfy these clauses under this table; `source` is what they were compiled from.
    pub fn of(source: &str, clauses: Vec<Clause>, table: TruthTable) -> Cohort {
        Cohort { source: source.to_owned(), clauses, table }
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Measure {
    /// The subjects with a record in the cohort.
    Count,
    /// The same, by what one of those records says in a field.
    Histogram {
        /// The field, by name.
        field: String,
        /// The bins, for a code whose schema lists no values; else none.
        bins: Vec<String>,
    },
}

/// A query.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which project asks.
    pub project: ProjectId,
    /// Of records of this schema.
    pub schema: Arc<Schema>,
    /// Of which of them.
    pub cohort: Cohort,
    /// What is counted.
    pub measure: Measure,
    /// What is offered for it: less noise for more.
    pub amount: MicroEpsilon,
}

/// A query cannot be answered, whatever the records are. The fault is the asker's.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[non_exhaustive]
pub enum PlanError {
    /// The schema has no such field.
    #[error("the schema has no field {0}")]
    NoField(String),
    /// A field is closed to queries.
    #[error("{field} is closed to research: {why}")]
    Closed {
        /// The field.
        field: String,
        /// Why.
        why: Closed,
    },
    /// A code that no de-identified row holds.
    #[error("{code:?} is finer than what research sees of {field}: ask for the part that its rule leaves")]
    TooFine {
        /// The field.
        field: String,
        /// The code.
        code: String,
    },
    /// The clauses are not those of a compiled predicate.
    #[error("the cohort is not a compiled predicate: {0}")]
    NotCompiled(&'static str),
    /// The histogram has no bins.
    #[error(transparent)]
    Bins(#[from] BinsError),
}

impl Query {
    /// What makes it the same query as another.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let clauses = &self.cohort.clauses;
        let mut writer = Writer::with_capacity(512)
            .u8(VERSION)
            .raw(self.project.as_bytes())
            .raw(self.schema.id().fe().as_bytes())
            .u16(self.cohort.table.bits())
            .u8(clauses.len() as u8);
        for clause in clauses {
            writer = writer.u8(clause.field.get()).u8(clause.mode as u8);
            writer = writer.raw(clause.low.as_bytes()).raw(clause.high.as_bytes());
        }
        writer = match &self.measure {
            Measure::Count => writer.u8(0),
            Measure::Histogram { field, bins } => {
                let place = self.schema.place(field).unwrap_or(FIELDS); // a plan has been made: the field is there
                let writer = writer.u8(1).u8(place as u8).u8(bins.len() as u8);
                bins.iter().fold(writer, |writer, bin| writer.bytes(bin.as_bytes()))
            }
        };
        writer.u64(self.amount.get()).public()
    }
}

/// A query that can be answered: where each row of the cohort falls.
#[derive(Debug)]
pub(super) struct Plan {
    schema: Arc<Schema>,
    cohort: Cohort,
    histogram: Option<(FieldIndex, Bins)>,
}

impl Plan {
    /// Checks everything that does not depend on the records.
    pub(super) fn of(query: &Query) -> Result<Plan, PlanError> {
        let (schema, cohort) = (&*query.schema, &query.cohort);
        if cohort.clauses.len() > TruthTable::CLAUSES_MAX {
            return Err(PlanError::NotCompiled("it has more than four clauses"));
        }
        if !cohort.table.fits(cohort.clauses.len()) {
            return Err(PlanError::NotCompiled("its truth table has rows for clauses that it lacks"));
        }
        for clause in cohort.clauses.iter().filter(|clause| clause.mode != Mode::Unused) {
            check_clause(schema, clause)?;
        }
        let histogram = match &query.measure {
            Measure::Count => None,
            Measure::Histogram { field: name, bins } => {
                let (index, field) = schema.field(name).ok_or_else(|| PlanError::NoField(name.clone()))?;
                check_open(field)?;
                Some((index, Bins::of(field, row_of_code(schema, field, cohort), bins)?))
            }
        };
        Ok(Plan { schema: query.schema.clone(), cohort: cohort.clone(), histogram })
    }

    /// The names of the bins; a count has one, without a name.
    pub(super) fn names(&self) -> Vec<String> {
        self.histogram.as_ref().map_or_else(|| vec![String::new()], |(_, bins)| bins.names())
    }

    /// Which bin a record falls into; none if it is not in the cohort.
    pub(super) fn place(&self, values: &[FieldValue]) -> Result<Option<usize>, EncodeError> {
        let row: [EncodedField; FIELDS] = deidentify::row(&self.schema, values)?;
        if !eval(&self.cohort.clauses, self.cohort.table, &row) {
            return Ok(None);
        }
        Ok(Some(self.histogram.as_ref().map_or(0, |(index, bins)| bins.place(&row[index.as_usize()]))))
    }
}

fn check_open(field: &Field) -> Result<(), PlanError> {
    open_to_research(field).map_err(|why| PlanError::Closed { field: field.name.to_string(), why })
}

fn check_clause(schema: &Schema, clause: &Clause) -> Result<(), PlanError> {
    let field = schema.field_at(clause.field).ok_or(PlanError::NotCompiled("a clause is of no field"))?;
    check_open(field)?;
    let (Kind::Code { form, .. }, Mode::Equals | Mode::Between) = (&field.kind, clause.mode) else { return Ok(()) };
    // A subtree begins at its prefix, so its lower end reads as that.
    let code = code_of(*form, clause).ok_or(PlanError::NotCompiled("a clause compares a code with no code"))?;
    if is_left_whole(field, &code) { Ok(()) } else { Err(PlanError::TooFine { field: field.name.to_string(), code }) }
}

fn code_of(form: CodeForm, clause: &Clause) -> Option<String> {
    decode_code(form, clause.low).ok()
}

/// What a number means next to the code that the cohort fixes: that holds in every row for which the table says yes.
fn row_of_code(schema: &Schema, field: &Field, cohort: &Cohort) -> Option<(Grid, u8)> {
    let Kind::IntegerByCode { code_field } = &field.kind else { return None };
    let (code_index, code_field) = schema.field(code_field.as_str())?;
    let Kind::Code { form, .. } = &code_field.kind else { return None };
    let mut fixed = cohort.clauses.iter().enumerate().filter(|(number, clause)| {
        let rows = (0..16).filter(|row| cohort.table.bits() >> row & 1 == 1);
        let always = rows.into_iter().all(|row| row >> number & 1 == 1);
        clause.mode == Mode::Equals && clause.field == code_index && always
    });
    let row = schema.code_row(&code_of(*form, fixed.next()?.1)?)?;
    Some((row.grid, row.scale))
}

#[cfg(test)]
mod tests {
    use vouchsafe_circuits::record::Value;
    use vouchsafe_circuits::schema::{builtin, subtree};
    use vouchsafe_ledger_types::ids::EntryId;

    use super::*;

    fn query(schema: Schema, cohort: Cohort, measure: Measure) -> Query {
        let project = ProjectId::of(EntryId::from_bytes([1; 32]));
        Query { project, schema: Arc::new(schema), cohort, measure, amount: MicroEpsilon::new(1) }
    }

    fn equals(schema: &Schema, name: &str, code: &str) -> Clause {
        let (index, field) = schema.field(name).unwrap();
        Clause::equals(index, field.encode(&Value::Code(code.to_owned())).unwrap())
    }

    fn histogram(field: &str) -> Measure {
        Measure::Histogram { field: field.to_owned(), bins: Vec::new() }
    }

    const ONE: TruthTable = TruthTable::new(0b10);

    #[test]
    fn fields_above_tier_2_are_refused_wherever_they_stand() {
        let patient = builtin::patient();
        let (birth, field) = patient.field("birthDate").unwrap();
        let closed = PlanError::Closed { field: field.name.to_string(), why: Closed::Tier(4) };
        let zero = vouchsafe_circuits::Fe::ZERO;
        for clause in [Clause::absent(birth), Clause::equals(birth, zero), Clause::between(birth, zero, zero)] {
            let asked = query(patient.clone(), Cohort::of("", vec![clause], ONE), Measure::Count);
            assert_eq!(Plan::of(&asked).unwrap_err(), closed);
        }
        let asked = query(patient.clone(), Cohort::everybody(), histogram("birthDate"));
        assert_eq!(Plan::of(&asked).unwrap_err(), closed);
        let dates = query(builtin::immunization(), Cohort::everybody(), histogram("occurrence"));
        assert!(matches!(Plan::of(&dates).unwrap_err(), PlanError::Closed { why: Closed::Tier(3), .. }));
        assert!(Plan::of(&query(patient, Cohort::everybody(), histogram("gender"))).is_ok(), "control");
    }

    #[test]
    fn a_code_finer_than_the_rule_is_refused_and_not_answered_with_nobody() {
        let condition = builtin::condition();
        let asked = |clause| query(condition.clone(), Cohort::of("", vec![clause], ONE), Measure::Count);
        let fine = asked(equals(&condition, "icd10", "E11.9"));
        assert!(matches!(Plan::of(&fine), Err(PlanError::TooFine { .. })));
        let index = condition.field("icd10").unwrap().0;
        let under = |prefix| {
            let (low, high) = subtree(prefix).unwrap();
            asked(Clause::between(index, low, high))
        };
        assert!(matches!(Plan::of(&under("E11.")), Err(PlanError::TooFine { .. })));
        let plan = Plan::of(&under("E11")).unwrap();
        let mut values = condition.all_absent(vouchsafe_circuits::record::Absence::NotAsked);
        values[index.as_usize()] = FieldValue::Present(Value::Code("E11.65".to_owned()));
        assert_eq!(plan.place(&values).unwrap(), Some(0), "the row says E11");
        assert_eq!(Plan::of(&under("E12")).unwrap().place(&values).unwrap(), None);
    }

    #[test]
    fn a_code_is_fixed_only_if_no_row_of_the_table_leaves_it_open() {
        let schema = builtin::observation();
        let clauses = vec![equals(&schema, "code", "4548-4"), Clause::absent(schema.field("systolic").unwrap().0)];
        let plan = |table| Plan::of(&query(schema.clone(), Cohort::of("", clauses.clone(), table), histogram("value")));
        let both = TruthTable::from_fn(2, |v| v[0] && v[1]);
        assert_eq!(plan(both).unwrap().names().len(), 43, "41 bins, other and absent");
        let either = TruthTable::from_fn(2, |v| v[0] || v[1]);
        assert!(matches!(plan(either), Err(PlanError::Bins(BinsError::CodeNotFixed { .. }))));
    }

    #[test]
    fn what_was_not_compiled_is_refused() {
        let schema = builtin::patient();
        let clause = equals(&schema, "gender", "female");
        let cohorts = [
            Cohort::of("", vec![clause; 5], ONE),
            Cohort::of("", vec![clause], TruthTable::new(0b1000)),
            Cohort::of("", vec![Clause { field: FieldIndex::try_from(15).unwrap(), ..clause }], ONE),
            Cohort::of("", vec![Clause { low: vouchsafe_circuits::Fe::from_u64(1), ..clause }], ONE),
        ];
        for cohort in cohorts {
            let refused = Plan::of(&query(schema.clone(), cohort, Measure::Count));
            assert!(matches!(refused, Err(PlanError::NotCompiled(_))), "{refused:?}");
        }
    }

    #[test]
    fn canonical_bytes_tell_queries_apart_and_texts_not() {
        let schema = builtin::patient();
        let clause = equals(&schema, "gender", "female");
        let base = query(schema.clone(), Cohort::of("gender == \"female\"", vec![clause], ONE), Measure::Count);
        let mut respelled = base.clone();
        respelled.cohort.source = "\"female\" == gender".to_owned();
        assert_eq!(base.canonical(), respelled.canonical());
        let bins = |bins: &[&str]| Measure::Histogram {
            field: "country".to_owned(),
            bins: bins.iter().map(|b| (*b).to_owned()).collect(),
        };
        let mut all = [
            base.clone(),
            Query { amount: MicroEpsilon::new(2), ..base.clone() },
            Query { project: ProjectId::of(EntryId::from_bytes([2; 32])), ..base.clone() },
            Query { schema: Arc::new(builtin::condition()), ..base.clone() },
            Query { cohort: Cohort::everybody(), ..base.clone() },
            Query { cohort: Cohort::of("", vec![clause], TruthTable::new(1)), ..base.clone() },
            Query { measure: bins(&["ab", "c"]), ..base.clone() },
            Query { measure: bins(&["a", "bc"]), ..base.clone() },
        ]
        .iter()
        .map(Query::canonical)
        .collect::<Vec<_>>();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 8);
    }
}
