//! The order of the public inputs, written once: the circuit, the verifier and the spec read it here.
//!
//! ```text
//! anchor issuer schema today scope pseudonym digest table, then for each clause: field mode low high
//! ```

pub(crate) const ANCHOR: usize = 0;
pub(crate) const ISSUER: usize = 1;
pub(crate) const SCHEMA: usize = 2;
pub(crate) const TODAY: usize = 3;
pub(crate) const SCOPE: usize = 4;
pub(crate) const PSEUDONYM: usize = 5;
pub(crate) const DIGEST: usize = 6;
pub(crate) const TABLE: usize = 7;
/// Where the clauses begin.
const CLAUSES: usize = 8;

/// Offsets inside a clause.
pub(crate) const FIELD: usize = 0;
pub(crate) const MODE: usize = 1;
pub(crate) const LOW: usize = 2;
pub(crate) const HIGH: usize = 3;
const CLAUSE_INPUTS: usize = 4;

/// How many inputs a statement with this many clauses has.
pub(crate) const fn count(clauses: usize) -> usize {
    CLAUSES + clauses * CLAUSE_INPUTS
}

/// The place of a clause's input.
pub(crate) const fn of_clause(clause: usize, offset: usize) -> usize {
    CLAUSES + clause * CLAUSE_INPUTS + offset
}

/// The name of an input, for messages and tests.
pub(crate) fn name(input: usize) -> String {
    const HEAD: [&str; CLAUSES] = ["anchor", "issuer", "schema", "today", "scope", "pseudonym", "digest", "table"];
    const CLAUSE: [&str; CLAUSE_INPUTS] = ["field", "mode", "low", "high"];
    match HEAD.get(input) {
        Some(name) => (*name).to_owned(),
        None => {
            let (clause, offset) = ((input - CLAUSES) / CLAUSE_INPUTS, (input - CLAUSES) % CLAUSE_INPUTS);
            format!("{} {clause}", CLAUSE[offset])
        }
    }
}
