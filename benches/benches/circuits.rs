//! Criterion benches of the parts that proofs and ingest are made of.

use criterion::{Criterion, criterion_group, criterion_main};
use vouchsafe_circuits::tree::{self, NodeId, Position};
use vouchsafe_circuits::{Fe, Suite, poseidon};

fn hashing(criterion: &mut Criterion) {
    for arity in [3usize, 4, 5] {
        let inputs: Vec<Fe> = (0..arity as u64).map(Fe::from_u64).collect();
        criterion.bench_function(&format!("poseidon/{arity}"), |bench| {
            bench.iter(|| poseidon::hash_fe(Suite::Bn254, &inputs));
        });
    }
    let empty = |_: NodeId| Ok::<_, std::convert::Infallible>(None);
    let leaves: Vec<_> = (0..256).map(|n| (Position::new(n), Fe::from_u64(u64::from(n) + 1))).collect();
    criterion.bench_function("tree/update-256", |bench| {
        bench.iter(|| tree::update(Suite::Bn254, &empty, &leaves));
    });
}

criterion_group!(benches, hashing);
criterion_main!(benches);
