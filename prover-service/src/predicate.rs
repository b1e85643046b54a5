//! Predicates: the question that a verifier writes in CEL, compiled to the clauses and truth table of a `fact`.
//!
//! ```text
//! expression → tests on single fields → clauses (equal tests are one) + truth table over them
//! ```
//!
//! A clause compares one field with constants on the schema's grid; what cannot be a clause is refused with the
//! part and the reason. Compiling is a pure function of text, schema and day, so a verifier compiles again and
//! compares. It does not ask whether *other* records exist: no clause can. Spec: docs/spec/predicate.md.

mod lower;
mod operand;
mod show;
mod test;

use cel::common::ast::IdedExpr;
use cel::parser::{ParseErrors, Parser};
use vouchsafe_circuits::record::Day;
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::statements::Statement;
use vouchsafe_circuits::statements::fact::{Clause, TruthTable};

use lower::Lowering;
use test::Formula;

/// The version of the language and of its compilation; bound by the request digest.
pub const LANGUAGE: &str = "vouchsafe-cel/1";

const TEXT_BYTES_MAX: usize = 4096;
const DEPTH_MAX: u16 = 32;
const DIGITS_MAX: usize = 15;
const CLAUSES_MAX: usize = 4;
/// How much of a part an error shows.
const PART_CHARS_MAX: usize = 200;

/// A compiled predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    /// The smallest statement that holds it.
    pub statement: Statement,
    /// As many clauses as the statement has; the last ones may be unused.
    pub clauses: Vec<Clause>,
    /// Which combinations of clauses satisfy it.
    pub table: TruthTable,
}

/// Why a text is not a provable predicate. The fault is the asker's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PredicateError {
    /// It is not CEL.
    #[error("the predicate is not CEL: {0}")]
    Syntax(String),
    /// Its parts are nested too deeply.
    #[error("the predicate is nested deeper than {DEPTH_MAX} levels: write it flatter")]
    TooDeep,
    /// It is longer than 4096 bytes.
    #[error("the predicate is longer than {TEXT_BYTES_MAX} bytes")]
    TooLong,
    /// A part of it cannot be a clause.
    #[error("`{part}` cannot be proved: {why}")]
    Part {
        /// The part.
        part: String,
        /// The reason, and what to write instead.
        why: String,
    },
    /// It needs more clauses than a statement has.
    #[error("the predicate needs {0} clauses, and a fact has at most {CLAUSES_MAX}: ask in two requests")]
    TooManyClauses(usize),
    /// It is true, or false, whatever the record holds.
    #[error("the predicate is always {0}: it asks nothing")]
    Constant(bool),
}

impl PredicateError {
    /// The first thing that the parser objects to; what follows is mostly a consequence.
    fn syntax(errors: &ParseErrors) -> PredicateError {
        let Some(first) = errors.errors.first() else { return PredicateError::Syntax("it does not parse".to_owned()) };
        if errors.errors.iter().any(|error| error.msg.to_lowercase().contains("recursion limit")) {
            return PredicateError::TooDeep;
        }
        let (line, column) = first.pos;
        PredicateError::Syntax(format!("line {line}, column {column}: {}", first.msg))
    }

    fn part(expr: &IdedExpr, why: impl Into<String>) -> PredicateError {
        PredicateError::named(&show::show(expr), why)
    }

    /// A part by its text, cut where nobody would read on.
    fn named(part: &str, why: impl Into<String>) -> PredicateError {
        let mut shown: String = part.chars().take(PART_CHARS_MAX).collect();
        if shown.len() < part.len() {
            shown.push('…');
        }
        PredicateError::Part { part: shown, why: why.into() }
    }
}

/// Compiles a predicate for records of a schema, asked on a day.
pub fn compile(text: &str, schema: &Schema, asked_on: Day) -> Result<Predicate, PredicateError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(PredicateError::TooLong);
    }
    numbers_are_exact(text)?;
    let parser = Parser::new().max_recursion_depth(DEPTH_MAX).error_recovery_limit(1);
    let expr = parser.parse(text).map_err(|e| PredicateError::syntax(&e))?;
    let formula = Lowering { schema, asked_on }.formula(&expr)?;
    into_clauses(formula)
}

/// CEL reads decimals as doubles, which keep 15 digits: with more, another number would be asked than was written.
fn numbers_are_exact(text: &str) -> Result<(), PredicateError> {
    let mut quote = None;
    let mut digits = 0;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_ascii_digit() => digits += 1,
            (None, '.') if digits > 0 => {}
            (None, _) => digits = 0,
        }
        if digits > DIGITS_MAX {
            return Err(PredicateError::Syntax(format!("a number has at most {DIGITS_MAX} digits")));
        }
    }
    Ok(())
}

fn into_clauses(formula: Formula) -> Result<Predicate, PredicateError> {
    let mut tests = Vec::new();
    formula.collect(&mut tests);
    if tests.len() > CLAUSES_MAX {
        return Err(PredicateError::TooManyClauses(tests.len()));
    }
    let statement = if tests.len() <= 1 { Statement::Fact1 } else { Statement::Fact4 };
    let holds = |values: &[bool]| formula.eval(&|test| tests.iter().position(|t| t == test).is_some_and(|i| values[i]));
    let table = TruthTable::from_fn(statement.clauses(), holds);
    let rows = 1usize << statement.clauses();
    let yes = (0..rows).filter(|row| table.bits() >> row & 1 == 1).count();
    if yes == 0 || yes == rows {
        return Err(PredicateError::Constant(yes > 0));
    }
    for (index, test) in tests.iter().enumerate() {
        if !table.depends_on(index) {
            return Err(PredicateError::named(&test.source, "it makes no difference to the answer: leave it out"));
        }
    }
    let mut clauses: Vec<Clause> = tests.iter().map(|test| test.clause()).collect();
    clauses.resize(statement.clauses(), Clause::unused());
    Ok(Predicate { statement, clauses, table })
}
