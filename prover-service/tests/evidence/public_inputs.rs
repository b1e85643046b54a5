//! Each public input in the file, changed alone, is refused.

use vouchsafe_circuits::record::Day;
use vouchsafe_circuits::statements::fact::{Mode, Public, TruthTable};
use vouchsafe_circuits::{Anchor, Fe, IssuerId, Pseudonym, RequestDigest, SchemaId, Scope};
use vouchsafe_ledger_types::verify::Check;

use super::Case;
use crate::scene::scene;

type Change = fn(&mut Public);

const OTHER: Fe = Fe::ZERO;

/// The inputs by their names in the statement; of clauses the first.
const CHANGES: &[(&str, Change)] = &[
    ("anchor", |p| p.anchor = Anchor::new(OTHER)),
    ("issuer", |p| p.issuer = IssuerId::new(OTHER)),
    ("schema", |p| p.schema = SchemaId::new(OTHER)),
    ("today", |p| p.today = Day::new(p.today.get() - 1)),
    ("scope", |p| p.scope = Scope::new(OTHER)),
    ("digest", |p| p.digest = RequestDigest::new(OTHER)),
    ("table", |p| p.table = TruthTable::new(p.table.bits() ^ 1)),
    ("clause field", |p| p.clauses[0].field = 7u8.try_into().unwrap()),
    ("clause mode", |p| p.clauses[0].mode = Mode::Equals),
    ("clause low", |p| p.clauses[0].low = Fe::from_u64(1)),
    ("clause high", |p| p.clauses[0].high = Fe::from_u64(u64::MAX)),
    ("last clause mode", |p| p.clauses.last_mut().unwrap().mode = Mode::Absent),
    ("a clause more", |p| p.clauses.push(p.clauses[0])),
    ("a clause less", |p| p.clauses.truncate(p.clauses.len() - 1)),
];

#[test]
fn each_public_input_changed_alone_is_refused() {
    for predicate in ["birthDate <= yearsAgo(18)", "birthDate <= yearsAgo(18) && gender in [\"female\", \"male\"]"] {
        let request = scene().ask(predicate);
        let Ok(evidence) = scene().answer(&request) else { panic!("{predicate} is not answered") };
        let honest = Case::of(request, evidence);
        for (name, change) in CHANGES {
            let mut case = honest.clone();
            change(&mut case.evidence.answers[0].public);
            case.refused_here_and_by_the_proof(name);
        }
        // the pseudonym alone is the answer's own: the proof is what ties it
        let mut case = honest;
        case.evidence.answers[0].public.pseudonym = Pseudonym::new(OTHER);
        case.stopped_by_this_alone("pseudonym", Check::Proof);
    }
}

impl Case {
    /// Refused as a public input; with the file's word taken for it, the proof does not fit.
    fn refused_here_and_by_the_proof(&self, name: &str) {
        self.refused(name, Check::PublicInputs);
        let without = self.verifier().dangerous_verify_without(Check::PublicInputs, &self.evidence);
        assert_eq!(without.unwrap_err().check, Check::Proof, "{name}");
    }
}
