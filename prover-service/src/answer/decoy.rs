//! A proof for nothing: a made-up record in a made-up active set, proved like a real one and thrown away, so that a
//! question without an answer costs what an answer costs.
//!
//! Nothing here is secret, and nothing made here leaves the process: its anchor is no member's.

use vouchsafe_circuits::record::{
    Absence, Day, EncodedField, FIELDS, FieldIndex, Header, RecordOpening, Validity, pseudonym,
};
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::statements::fact::{Clause, Public, TruthTable, Witness};
use vouchsafe_circuits::tree::{ARITY, DEPTH, MembershipPath, Position};
use vouchsafe_circuits::{Blinding, Fe, FeError, RequestDigest, SaltSeed, SubjectKey};
use vouchsafe_ledger_types::request::{Part, Request};

/// What is proved in place of a part: the same statement, issuer and schema, with as many clauses in use.
pub(super) fn decoy(
    request: &Request,
    part: &Part,
    schema: &Schema,
    digest: RequestDigest,
    today: u32,
) -> Result<(Public, Witness), FeError> {
    let suite = request.suite;
    let seed = SaltSeed::new([0x5a; 32]);
    let salts: Vec<_> = FieldIndex::all().map(|field| seed.salt(field)).collect();
    let Ok(salts) = <[_; FIELDS]>::try_from(salts) else { unreachable!("as many indices as fields") };
    let mut fields = [EncodedField::Absent(Absence::NotAsked); FIELDS];
    fields.fill(EncodedField::Present(wide(1)));
    let Some(subject_key) = SubjectKey::new(wide(2)) else { unreachable!("not zero") };
    let blinding = Blinding::new(wide(3));
    let opening = RecordOpening {
        issuer: part.issuer.issuer(),
        schema: schema.id(),
        fields,
        salts,
        header: Header { subject_key, valid: Validity::ALWAYS, blinding },
    };
    let path = MembershipPath { position: Position::new(0x0123_4567), siblings: [[wide(4); ARITY - 1]; DEPTH] };
    let not_of_suite = FeError::NotCanonical(suite);
    let anchor = path.root(suite, opening.commitment(suite)?.fe()).ok_or(not_of_suite)?;
    let used = part.clauses.iter().filter(|clause| **clause != Clause::unused()).count();
    let mut clauses: Vec<Clause> = FieldIndex::all().take(used).map(|field| Clause::equals(field, wide(1))).collect();
    clauses.resize(part.clauses.len(), Clause::unused());
    let public = Public {
        anchor,
        issuer: opening.issuer,
        schema: opening.schema,
        today: Day::new(today as i32), // block times end with the year 9999
        scope: request.scope(),
        pseudonym: pseudonym(suite, &opening.header.subject_key, request.scope())?,
        digest,
        table: TruthTable::from_fn(clauses.len(), |values| values[..used].iter().all(|value| *value)),
        clauses,
    };
    Ok((public, Witness::new(opening, path)))
}

/// An element as wide as real ones: narrow ones would be proved faster.
fn wide(byte: u8) -> Fe {
    Fe::from_be_31(&[byte; 31])
}
