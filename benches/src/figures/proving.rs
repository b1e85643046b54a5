//! Constraints, proving and verifying of `fact`, beside arkworks' own prover on the same circuit.

use rand::rngs::OsRng;
use serde_json::Value;
use vouchsafe_circuits::keys::{ProvingKey, generate_development};
use vouchsafe_circuits::record::{Absence, Day, EncodedField, FIELDS, FieldIndex, Header, RecordOpening, Validity};
use vouchsafe_circuits::statements::Statement;
use vouchsafe_circuits::statements::fact::{self, Clause, Public, TruthTable, Witness, reference};
use vouchsafe_circuits::tree::{self, NodeId, Position};
use vouchsafe_circuits::{
    Blinding, Fe, IssuerId, RequestDigest, SaltSeed, SchemaId, Scope, SubjectKey, Suite, record::pseudonym,
};

use super::{Figures, median, ms, rounded, times};

const SUITE: Suite = Suite::Bn254;
const ROUNDS: usize = 9;

pub(super) fn figures() -> anyhow::Result<Figures> {
    let mut figures = Figures::new();
    for (statement, name) in [(Statement::Fact1, "fact_1"), (Statement::Fact4, "fact_4")] {
        let shape = fact::shape(SUITE, statement)?;
        figures.insert(format!("constraints_{name}"), Value::from(shape.constraints + shape.public_inputs));
        let (public, witness) = sample(statement)?;
        let (key, verifying) = generate_development(SUITE, statement, &mut OsRng)?;
        let (ours, theirs) = beside(&key, &public, &witness)?;
        figures.insert(format!("prove_{name}_ms"), ms(median(&ours)));
        if statement == Statement::Fact1 {
            let ratio = median(&theirs).as_secs_f64() / median(&ours).as_secs_f64();
            figures.insert("prove_ratio_to_ark".to_owned(), rounded(ratio));
            figures.insert("prove_ark_fact_1_ms".to_owned(), ms(median(&theirs)));
            let proof = fact::prove(&key, &public, &witness, &mut OsRng)?;
            let prepared = verifying.prepare();
            let verify = times(101, || Ok(fact::verify(&prepared, &public, &proof)?))?;
            figures.insert("verify_ms".to_owned(), ms(median(&verify)));
        }
    }
    Ok(figures)
}

/// Ours and arkworks' times, measured in turn. Ours checks the relation first and its own proof last.
fn beside(
    key: &ProvingKey,
    public: &Public,
    witness: &Witness,
) -> anyhow::Result<(Vec<std::time::Duration>, Vec<std::time::Duration>)> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.extend(times(1, || Ok(fact::prove(key, public, witness, &mut OsRng)?))?);
        theirs.extend(times(1, || Ok(reference::prove(key, public, witness, &mut OsRng)?))?);
    }
    ours.sort();
    theirs.sort();
    Ok((ours, theirs))
}

/// A record among others, and a true fact about its first field.
pub fn sample(statement: Statement) -> anyhow::Result<(Public, Witness)> {
    let seed = SaltSeed::new([7; 32]);
    let salts: Vec<_> = FieldIndex::all().map(|field| seed.salt(field)).collect();
    let mut fields = [EncodedField::Absent(Absence::Unused); FIELDS];
    fields[0] = EncodedField::Present(Fe::from_u64(1_000));
    let subject_key = SubjectKey::new(Fe::from_u64(5)).ok_or_else(|| anyhow::anyhow!("zero"))?;
    let header = Header { subject_key, valid: Validity::ALWAYS, blinding: Blinding::new(Fe::from_u64(6)) };
    let opening = RecordOpening {
        issuer: IssuerId::new(Fe::from_u64(1)),
        schema: SchemaId::new(Fe::from_u64(2)),
        fields,
        salts: salts.try_into().map_err(|_| anyhow::anyhow!("sixteen salts"))?,
        header,
    };
    let position = Position::new(123_456);
    let leaves = [(position, opening.commitment(SUITE)?.fe()), (Position::new(3), Fe::from_u64(9))];
    let none = |_: NodeId| Ok::<_, std::convert::Infallible>(None);
    let update = tree::update(SUITE, &none, &leaves)?;
    let nodes: std::collections::BTreeMap<_, _> = update.nodes.into_iter().collect();
    let path = tree::path(SUITE, &|id| Ok::<_, std::convert::Infallible>(nodes.get(&id).copied()), position)?;
    let field = FieldIndex::try_from(0)?;
    let mut clauses = vec![Clause::unused(); statement.clauses()];
    clauses[0] = Clause::between(field, Fe::from_u64(500), Fe::from_u64(2_000));
    let scope = Scope::new(Fe::from_u64(8));
    let public = Public {
        anchor: update.root,
        issuer: opening.issuer,
        schema: opening.schema,
        today: Day::new(20_000),
        scope,
        pseudonym: pseudonym(SUITE, &opening.header.subject_key, scope)?,
        digest: RequestDigest::new(Fe::from_u64(11)),
        table: TruthTable::from_fn(statement.clauses(), |values| values[0]),
        clauses,
    };
    Ok((public, Witness::new(opening, path)))
}
