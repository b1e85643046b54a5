//! Proofs and their bytes: what verifies, and what does not after one change.

use std::sync::OnceLock;
use std::time::Instant;

use vouchsafe_circuits::fact::{Clause, prove, shape, verify};
use vouchsafe_circuits::keys::generate_development;
use vouchsafe_circuits::{ProvingKey, Statement};

use crate::sample::{SUITE, Sample, field, number, rng, yes};

/// Keys made once for the whole binary.
pub fn key(statement: Statement) -> &'static ProvingKey {
    static KEYS: [OnceLock<ProvingKey>; 2] = [const { OnceLock::new() }; 2];
    let slot = &KEYS[usize::from(statement == Statement::Fact4)];
    slot.get_or_init(|| generate_development(SUITE, statement, &mut rng(1)).expect("keys").0)
}

#[test]
fn one_clause() {
    let sample = Sample::new();
    let public = sample.public(yes(), &[Clause::between(field(3), number(100), number(110))]);
    let started = Instant::now();
    println!("{:?}", shape(SUITE, Statement::Fact1));
    println!("shape {:?}", started.elapsed());
    let started = Instant::now();
    let key = key(Statement::Fact1);
    println!("keys {:?}", started.elapsed());
    for _ in 0..3 {
        let started = Instant::now();
        let proof = prove(key, &public, &sample.witness(), &mut rng(2)).expect("a true fact");
        println!("prove {:?}", started.elapsed());
        let started = Instant::now();
        verify(key.prepared(), &public, &proof).expect("a proof");
        println!("verify {:?}", started.elapsed());
    }
}
