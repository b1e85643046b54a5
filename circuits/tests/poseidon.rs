//! Poseidon against circomlib's own values, for every arity that they cover.

use std::collections::BTreeSet;

use num_bigint::BigUint;
use vouchsafe_circuits::{Fe, Suite, poseidon::hash_fe};

fn element(decimal: &str) -> Fe {
    let mut bytes = decimal.parse::<BigUint>().expect("a decimal number").to_bytes_le();
    bytes.resize(32, 0);
    Fe::from_bytes(Suite::Bn254, bytes.try_into().expect("32 bytes")).expect("below the modulus")
}

#[test]
fn agrees_with_circomlib() {
    let Some(folder) = crate::fixtures::folder() else { return };
    let text = std::fs::read_to_string(folder.join("poseidon-bn254-circomlib.json")).expect("the vectors");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut arities = BTreeSet::new();
    for vector in file["vectors"].as_array().expect("a list") {
        let inputs: Vec<Fe> =
            vector["inputs"].as_array().expect("inputs").iter().map(|i| element(i.as_str().expect("text"))).collect();
        let expected = element(vector["hash"].as_str().expect("text"));
        assert_eq!(hash_fe(Suite::Bn254, &inputs), Ok(expected), "arity {}", inputs.len());
        arities.insert(inputs.len());
    }
    assert_eq!(arities, (1..=12).collect());
}
