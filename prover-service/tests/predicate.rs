//! Predicates: what compiles to which clauses, what is refused and why, and that the meaning is CEL's.

mod hostile;
mod meaning;
mod refusals;
mod table;

use vouchsafe_circuits::record::Day;
use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_prover_service::calendar::parse_date;
use vouchsafe_prover_service::predicate::{Predicate, PredicateError, compile};

/// The day of asking in these tests.
fn today() -> Day {
    parse_date("2026-06-15").unwrap()
}

fn schema(name: &str) -> Schema {
    builtin::by_name(name).unwrap()
}

fn compiled(schema_name: &str, text: &str) -> Result<Predicate, PredicateError> {
    compile(text, &schema(schema_name), today())
}
