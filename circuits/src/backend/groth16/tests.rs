//! What arkworks leaves to its caller, shown on a circuit of two constraints: each refusal beside a control in
//! which arkworks' own verifier is fooled.

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, PrimeField};
use ark_relations::gr1cs::{ConstraintSystemRef, Variable};
use ark_relations::lc;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;

type Key = ArkVerifyingKey<Bn254>;

/// w · w = x0 and w · x1 = x2.
struct Toy {
    inputs: [u64; 3],
    root: u64,
}

impl ConstraintSynthesizer<Fr> for Toy {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let mut x = Vec::new();
        for input in self.inputs {
            x.push(cs.new_input_variable(|| Ok(Fr::from(input)))?);
        }
        let root = cs.new_witness_variable(|| Ok(Fr::from(self.root)))?;
        let one = |variable: Variable| lc!() + variable;
        cs.enforce_r1cs_constraint(|| one(root), || one(root), || one(x[0]))?;
        cs.enforce_r1cs_constraint(|| one(root), || one(x[1]), || one(x[2]))
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(3)
}

fn keys() -> ArkProvingKey<Bn254> {
    setup::<Bn254>(Toy { inputs: [0; 3], root: 0 }, &mut rng()).unwrap()
}

fn proof_of(key: &ArkProvingKey<Bn254>, inputs: [u64; 3], root: u64) -> Proof {
    let proof = Groth16::<Bn254>::create_random_proof_with_reduction(Toy { inputs, root }, key, &mut rng()).unwrap();
    Proof::from_bytes(&compressed(&proof)).unwrap()
}

fn ark_accepts(key: &Key, inputs: &[Fr], proof: &Proof) -> bool {
    let proof = exactly::<ark_groth16::Proof<Bn254>>(proof.as_bytes()).unwrap();
    Groth16::<Bn254>::verify_proof(&ark_groth16::prepare_verifying_key(key), &proof, inputs).unwrap()
}

fn fr(values: &[u64]) -> Vec<Fr> {
    values.iter().copied().map(Fr::from).collect()
}

#[test]
fn the_number_of_inputs_is_checked() {
    let key = keys();
    let prepared = ark_groth16::prepare_verifying_key(&key.vk);
    let proof = proof_of(&key, [9, 2, 6], 3);
    assert_eq!(verify(&prepared, &fr(&[9, 2, 6]), &proof), Ok(()));
    assert_eq!(verify(&prepared, &fr(&[9, 2, 7]), &proof), Err(ProofRefused::Equation));

    let longer = fr(&[9, 2, 6, 0, 1]);
    assert!(ark_accepts(&key.vk, &longer, &proof), "control: arkworks does not count");
    assert_eq!(verify(&prepared, &longer, &proof), Err(ProofRefused::InputCount { expected: 3, given: 5 }));

    let proof = proof_of(&key, [9, 0, 0], 3);
    assert!(ark_accepts(&key.vk, &fr(&[9]), &proof), "control: nor are trailing zeros missed");
    assert_eq!(verify(&prepared, &fr(&[9]), &proof), Err(ProofRefused::InputCount { expected: 3, given: 1 }));
}

/// The proof that anybody can make if the last two pairings cancel: (α, β, C).
fn forged(key: &Key, c: G1Affine) -> Proof {
    Proof::from_bytes(&compressed(&ark_groth16::Proof::<Bn254> { a: key.alpha_g1, b: key.beta_g2, c })).unwrap()
}

fn prepared_input(key: &Key, inputs: &[Fr]) -> G1Affine {
    let prepared = ark_groth16::prepare_verifying_key(key);
    Groth16::<Bn254>::prepare_inputs(&prepared, inputs).unwrap().into_affine()
}

#[test]
fn a_key_whose_last_step_nobody_did_is_refused() {
    let good = keys().vk;
    assert_eq!(check_verifying_key(&good, 3), Ok(()), "control");
    let lie = fr(&[1, 2, 3]);

    let same = Key { delta_g2: good.gamma_g2, ..good.clone() };
    let proof = forged(&same, (-prepared_input(&same, &lie).into_group()).into_affine());
    assert!(ark_accepts(&same, &lie, &proof), "control: anybody proves anything");
    assert!(!ark_accepts(&good, &lie, &proof), "the same under a good key");
    assert_eq!(check_verifying_key(&same, 3), Err(KeyRefused::Degenerate));

    let generator = Key { delta_g2: G2Affine::generator(), ..good.clone() };
    assert_eq!(check_verifying_key(&generator, 3), Err(KeyRefused::Degenerate));
    let usual = Key { gamma_g2: G2Affine::generator(), ..good };
    assert_eq!(check_verifying_key(&usual, 3), Ok(()), "ceremonies leave gamma at the generator");
}

#[test]
fn a_key_with_an_identity_is_refused() {
    let good = keys().vk;
    let lie = fr(&[1, 2, 3]);
    let no_gamma = Key { gamma_g2: G2Affine::zero(), ..good.clone() };
    assert!(ark_accepts(&no_gamma, &lie, &forged(&no_gamma, G1Affine::zero())), "control");

    let mut unbound = good.clone();
    unbound.gamma_abc_g1[2] = G1Affine::zero();
    assert_eq!(
        prepared_input(&unbound, &fr(&[1, 2, 3])),
        prepared_input(&unbound, &fr(&[1, 9, 3])),
        "control: the second input counts for nothing"
    );
    for key in [
        no_gamma,
        unbound,
        Key { delta_g2: G2Affine::zero(), ..good.clone() },
        Key { beta_g2: G2Affine::zero(), ..good.clone() },
        Key { alpha_g1: G1Affine::zero(), ..good.clone() },
    ] {
        assert_eq!(check_verifying_key(&key, 3), Err(KeyRefused::Identity));
    }
    let count = KeyRefused::InputCount { expected: 4, given: 3 };
    assert_eq!(check_verifying_key(&good, 4), Err(count));
    let none = Key { gamma_abc_g1: Vec::new(), ..good };
    assert!(matches!(check_verifying_key(&none, 3), Err(KeyRefused::InputCount { .. })));
}

#[test]
fn points_have_one_encoding() {
    let good = keys().vk;
    let bytes = compressed(&good);
    assert_eq!(parse_verifying_key::<Bn254>(&bytes, 3), Ok(good.clone()), "control");
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(parse_verifying_key::<Bn254>(&longer, 3), Err(KeyRefused::Encoding));

    let mut many = bytes.clone();
    many[32 + 3 * 64..][..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(parse_verifying_key::<Bn254>(&many, 3), Err(KeyRefused::Encoding), "a length of 2^64 − 1");

    // on the twist, not in the subgroup
    let outside = (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(ark_bn254::Fq2::from(x), false))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    let key = Key { delta_g2: outside, ..good.clone() };
    assert_eq!(parse_verifying_key::<Bn254>(&compressed(&key), 3), Err(KeyRefused::Encoding));
    let prepared = ark_groth16::prepare_verifying_key(&good);
    let proof = ark_groth16::Proof::<Bn254> { a: good.alpha_g1, b: outside, c: good.alpha_g1 };
    let proof = Proof::from_bytes(&compressed(&proof)).unwrap();
    assert_eq!(verify(&prepared, &fr(&[9, 2, 6]), &proof), Err(ProofRefused::Encoding));

    // x + p is the same point to a reader that reduces
    let point = (1u64..)
        .map(|k| (G1Affine::generator() * Fr::from(k)).into_affine())
        .find(|point| point.x.into_bigint().to_bytes_le()[31] < 0x0f)
        .unwrap();
    let mut twice = compressed(&point);
    assert_eq!(exactly::<G1Affine>(&twice), Some(point), "control");
    let flags = twice[31] & 0xc0;
    let mut sum = point.x.into_bigint();
    sum.add_with_carry(&Fq::MODULUS);
    twice.copy_from_slice(&sum.to_bytes_le());
    assert_eq!(twice[31] & 0xc0, 0, "it fits beside the flags");
    twice[31] |= flags;
    assert_eq!(exactly::<G1Affine>(&twice), None);

    // the identity with anything else in its bytes
    let mut identity = compressed(&G1Affine::zero());
    assert_eq!(exactly::<G1Affine>(&identity), Some(G1Affine::zero()), "control");
    identity[0] = 1;
    assert_eq!(exactly::<G1Affine>(&identity), None);
}

/// With δ gone from the first group, the first point of a proof says nothing but what the witness is: two proofs of one
/// fact begin alike, and both verify. A setup party could test guesses against it.
#[test]
fn a_proving_key_that_does_not_hide_is_refused() {
    let good = keys();
    assert_eq!(check_blinding(&good), Ok(()), "control");
    let mut leaky = good.clone();
    leaky.delta_g1 = G1Affine::zero();
    leaky.beta_g1 = G1Affine::zero();
    leaky.b_g1_query.fill(G1Affine::zero());
    let proofs = [1, 2].map(|seed| {
        let toy = Toy { inputs: [9, 2, 6], root: 3 };
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        Groth16::<Bn254>::create_random_proof_with_reduction(toy, &leaky, rng).unwrap()
    });
    assert_eq!(proofs[0].a, proofs[1].a, "control: nothing is blinded");
    for proof in &proofs {
        let proof = Proof::from_bytes(&compressed(proof)).unwrap();
        assert!(ark_accepts(&good.vk, &fr(&[9, 2, 6]), &proof), "control: and it verifies");
    }
    assert_eq!(check_blinding(&leaky), Err(KeyRefused::Blinding));
    let other = ArkProvingKey::<Bn254> { delta_g1: good.beta_g1, ..good };
    assert_eq!(check_blinding(&other), Err(KeyRefused::Blinding));
}
