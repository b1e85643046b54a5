//! The public side of a fact, and the checks that a verifier makes outside of the circuit.
//!
//! Prover and verifier run the same [`Public::check`]; the circuit relies on it for the bounds of public values.

use serde::{Deserialize, Serialize};

use crate::fe::{Fe, FeError};
use crate::ids::{Anchor, IssuerId, Pseudonym, RequestDigest, SchemaId, Scope};
use crate::record::Day;
use crate::statements::Statement;
use crate::statements::fact::inputs;
use crate::statements::fact::predicate::{Clause, Mode, TruthTable, operand};
use crate::suite::{Suite, with_field};

/// What a proof of a fact is about. The verifier makes it from its own request and a trusted seal; the
/// pseudonym alone comes from the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    /// The issuer's active set at the seal.
    pub anchor: Anchor,
    /// The member that committed the record.
    pub issuer: IssuerId,
    /// The record's schema.
    pub schema: SchemaId,
    /// The UTC day of the seal, from 1970 on.
    pub today: Day,
    /// Where the pseudonym holds.
    pub scope: Scope,
    /// The subject's name in that scope.
    pub pseudonym: Pseudonym,
    /// Everything that the request binds.
    pub digest: RequestDigest,
    /// How the clauses are joined.
    pub table: TruthTable,
    /// As many clauses as the statement has, the unused ones at any place.
    pub clauses: Vec<Clause>,
}

/// Why public values are not those of a statement. The fault is of whoever made them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicError {
    /// Too few or too many clauses.
    #[error("{statement} has {} clauses, {given} were given: fill up with unused ones", statement.clauses())]
    ClauseCount {
        /// The statement.
        statement: Statement,
        /// How many there are.
        given: usize,
    },
    /// A bit of the table is set beyond its rows.
    #[error("the truth table has more bits than the statement's clauses allow")]
    Table,
    /// The table looks at a clause that says nothing.
    #[error("the truth table depends on clause {clause}, which is unused")]
    DependsOnUnused {
        /// Which clause, from 0.
        clause: usize,
    },
    /// An operand is out of its bounds for its mode.
    #[error(
        "clause {clause}: between needs low ≤ high < 2^120, equals a high of zero, absent and unused no operands, \
         unused the field 0"
    )]
    Operands {
        /// Which clause, from 0.
        clause: usize,
    },
    /// The day lies before 1970.
    #[error("today lies before 1970-01-01")]
    Today,
    /// A value is not below the suite's modulus.
    #[error(transparent)]
    Element(#[from] FeError),
}

impl Public {
    /// Everything about the public values that the circuit leaves to whoever gives them.
    pub fn check(&self, suite: Suite, statement: Statement) -> Result<(), PublicError> {
        if self.clauses.len() != statement.clauses() {
            return Err(PublicError::ClauseCount { statement, given: self.clauses.len() });
        }
        if !self.table.fits(statement.clauses()) {
            return Err(PublicError::Table);
        }
        for (number, clause) in self.clauses.iter().enumerate() {
            if !clause.operands_fit() {
                return Err(PublicError::Operands { clause: number });
            }
            if clause.mode == Mode::Unused && self.table.depends_on(number) {
                return Err(PublicError::DependsOnUnused { clause: number });
            }
        }
        if self.today.get() < 0 {
            return Err(PublicError::Today);
        }
        for input in self.inputs() {
            with_field!(suite, F => input.to_field::<F>().map(drop))?;
        }
        Ok(())
    }

    /// The public inputs in their order; see docs/spec/fact.md.
    pub fn inputs(&self) -> Vec<Fe> {
        let mut all = vec![Fe::ZERO; inputs::count(self.clauses.len())];
        all[inputs::ANCHOR] = self.anchor.fe();
        all[inputs::ISSUER] = self.issuer.fe();
        all[inputs::SCHEMA] = self.schema.fe();
        all[inputs::TODAY] = Fe::from_u64(u64::from(self.today_number()));
        all[inputs::SCOPE] = self.scope.fe();
        all[inputs::PSEUDONYM] = self.pseudonym.fe();
        all[inputs::DIGEST] = self.digest.fe();
        all[inputs::TABLE] = Fe::from_u64(u64::from(self.table.bits()));
        for (number, clause) in self.clauses.iter().enumerate() {
            all[inputs::of_clause(number, inputs::FIELD)] = Fe::from_u64(u64::from(clause.field.get()));
            all[inputs::of_clause(number, inputs::MODE)] = Fe::from_u64(clause.mode as u64);
            all[inputs::of_clause(number, inputs::LOW)] = clause.low;
            all[inputs::of_clause(number, inputs::HIGH)] = clause.high;
        }
        all
    }

    /// The names of the inputs, in the same order.
    pub fn input_names(statement: Statement) -> Vec<String> {
        (0..statement.public_inputs()).map(inputs::name).collect()
    }

    /// Today as validity counts days; [`Public::check`] refuses the days that have no such number.
    pub(crate) fn today_number(&self) -> u32 {
        self.today.get() as u32
    }
}

impl Clause {
    fn operands_fit(&self) -> bool {
        let no_operands = self.low.is_zero() && self.high.is_zero();
        match self.mode {
            Mode::Unused => no_operands && self.field.get() == 0,
            Mode::Between => operand(self.low).zip(operand(self.high)).is_some_and(|(low, high)| low <= high),
            Mode::Equals => self.high.is_zero(),
            Mode::Absent => no_operands,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_not_below_the_modulus_are_refused_in_every_place() {
        let clause = Clause::equals(Clause::unused().field, Fe::from_u64(1));
        let good = Public {
            anchor: Anchor::new(Fe::ZERO),
            issuer: IssuerId::new(Fe::ZERO),
            schema: SchemaId::new(Fe::ZERO),
            today: Day::new(1),
            scope: Scope::new(Fe::ZERO),
            pseudonym: Pseudonym::new(Fe::ZERO),
            digest: RequestDigest::new(Fe::ZERO),
            table: TruthTable::new(0b10),
            clauses: vec![clause],
        };
        assert_eq!(good.check(Suite::Bn254, Statement::Fact1), Ok(()), "control");
        let wide = Fe::unchecked([0xff; 32]);
        let places: [fn(&mut Public, Fe); 7] = [
            |p, fe| p.anchor = Anchor::new(fe),
            |p, fe| p.issuer = IssuerId::new(fe),
            |p, fe| p.schema = SchemaId::new(fe),
            |p, fe| p.scope = Scope::new(fe),
            |p, fe| p.pseudonym = Pseudonym::new(fe),
            |p, fe| p.digest = RequestDigest::new(fe),
            |p, fe| p.clauses[0].low = fe,
        ];
        for place in places {
            let mut public = good.clone();
            place(&mut public, wide);
            let expected = Err(PublicError::Element(FeError::NotCanonical(Suite::Bn254)));
            assert_eq!(public.check(Suite::Bn254, Statement::Fact1), expected);
        }
    }
}
