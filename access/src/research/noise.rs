//! Noise: OpenDP's discrete Laplace, at sensitivity 1, at a scale that costs no more than was offered.
//!
//! ```text
//! P[noise = x] ∝ e^(−|x| / scale)       scale = the least double at which OpenDP's own map charges at most the offer
//! cost = ⌈10^6 · map(1)⌉ micro-ε        map(1) = 1 / scale, rounded up by OpenDP
//! ```
//!
//! The randomness is OpenDP's, which takes no generator and no seed: built without OpenSSL it draws from rand 0.7's
//! `thread_rng`, ChaCha20 seeded by the operating system and reseeded every 64 KiB. Sampling is exact (no floating
//! point), but not in constant time: its duration tells of the noise to who can time it to the microsecond.

use opendp::core::Measurement;
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::measurements::make_laplace;
use opendp::measures::MaxDivergence;
use opendp::metrics::L1Distance;
use vouchsafe_ledger_types::units::MicroEpsilon;

/// What the distribution is called in answers.
pub const DISTRIBUTION: &str = "discrete Laplace";

/// By how much one subject moves all counts of a query together.
const SENSITIVITY: i64 = 1;
/// How many doubles above 1/ε are tried: rounding never needs more than two.
const STEPS_MAX: usize = 8;
const MILLION: u128 = 1_000_000;

type Mechanism = Measurement<VectorDomain<AtomDomain<i64>>, L1Distance<i64>, MaxDivergence, Vec<i64>>;

/// Noise could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// No noise is had for nothing. The fault is the asker's.
    #[error("a query pays at least one millionth of ε: offer more")]
    NothingOffered,
    /// No scale was found that costs no more than the offer.
    #[error("no noise scale costs at most {0}: this is a defect, report it")]
    NoScale(MicroEpsilon),
    /// The library failed, for lack of randomness.
    #[error("OpenDP failed: {0}")]
    Library(String),
}

/// The scale of a distribution of noise.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct NoiseScale(f64);

impl NoiseScale {
    /// The bare number; the standard deviation is about its √2-fold.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl std::fmt::Display for NoiseScale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Noise of a certain scale.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    scale: NoiseScale,
    cost: MicroEpsilon,
}

impl Noise {
    /// The least noise that this amount pays for.
    pub fn paid_by(offer: MicroEpsilon) -> Result<Noise, NoiseError> {
        if offer == MicroEpsilon::ZERO {
            return Err(NoiseError::NothingOffered);
        }
        let mut scale = MILLION as f64 / offer.get() as f64;
        for _ in 0..STEPS_MAX {
            let noise = Noise::of_scale(scale)?;
            if noise.cost <= offer {
                return Ok(noise);
            }
            scale = scale.next_up();
        }
        Err(NoiseError::NoScale(offer))
    }

    fn of_scale(scale: f64) -> Result<Noise, NoiseError> {
        let epsilon = mechanism(scale)?.map(&SENSITIVITY).map_err(library)?;
        let cost = micro_ceil(epsilon).ok_or_else(|| NoiseError::Library(format!("it charges ε {epsilon}")))?;
        Ok(Noise { scale: NoiseScale(scale), cost })
    }

    /// Draws, and adds to each count: once drawn, the budget is spent whatever becomes of the answer.
    pub fn add(&self, counts: &[i64]) -> Result<Vec<i64>, NoiseError> {
        mechanism(self.scale.0)?.invoke(&counts.to_vec()).map_err(library)
    }

    /// The scale.
    pub fn scale(&self) -> NoiseScale {
        self.scale
    }

    /// What it costs, which may be less than was offered.
    pub fn cost(&self) -> MicroEpsilon {
        self.cost
    }
}

/// OpenDP's mechanism. It cannot move between threads, so it is made anew for each use.
fn mechanism(scale: f64) -> Result<Mechanism, NoiseError> {
    let space = (VectorDomain::new(AtomDomain::<i64>::default()), L1Distance::<i64>::default());
    make_laplace(space.0, space.1, scale, None).map_err(library)
}

fn library(error: opendp::error::Error) -> NoiseError {
    NoiseError::Library(error.to_string())
}

/// ⌈10^6 · ε⌉, exactly; none if ε is no number of that size.
fn micro_ceil(epsilon: f64) -> Option<MicroEpsilon> {
    if !epsilon.is_finite() || epsilon < 0.0 || epsilon >= u64::MAX as f64 / MILLION as f64 {
        return None;
    }
    let (fraction, exponent) = parts(epsilon);
    let millionths = u128::from(fraction) * MILLION; // below 2^53 · 2^20
    let rounded_up = match exponent {
        0.. => millionths.checked_shl(u32::try_from(exponent).ok()?).filter(|n| n >> exponent == millionths)?,
        -127..0 => millionths.div_ceil(1 << -exponent),
        _ => u128::from(millionths > 0),
    };
    u64::try_from(rounded_up).ok().map(MicroEpsilon::new)
}

/// A finite double as fraction · 2^exponent.
fn parts(number: f64) -> (u64, i32) {
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = number.to_bits();
    let (biased, low) = ((bits >> FRACTION_BITS & 0x7ff) as i32, bits & ((1 << FRACTION_BITS) - 1));
    let fraction = if biased == 0 { low } else { low | 1 << FRACTION_BITS };
    (fraction, biased.max(1) - 1075)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_rounded_up_and_never_above_the_offer() {
        let offers = (1..2000).chain((0..63).map(|bit| 1 << bit).take_while(|n| *n <= 1_000_000_000));
        for offer in offers.chain([333_333, 999_999, 1_000_001, 123_456_789]).map(MicroEpsilon::new) {
            let noise = Noise::paid_by(offer).unwrap();
            assert!(noise.cost() <= offer, "{offer}");
            assert!(noise.cost().get() + 1 >= offer.get(), "{offer} buys the scale it pays for");
            let ideal = 1e6 / offer.get() as f64;
            assert!(noise.scale().get() >= ideal && noise.scale().get() <= ideal * (1.0 + 1e-12));
        }
        assert!(matches!(Noise::paid_by(MicroEpsilon::ZERO), Err(NoiseError::NothingOffered)));
    }

    #[test]
    fn rounding_up_is_exact() {
        let cases = [
            (0.0, Some(0)),
            (1.0, Some(1_000_000)),
            (0.5, Some(500_000)),
            (1000.0, Some(1_000_000_000)),
            (0.1, Some(100_001)), // the double is above a tenth
            (1.0_f64.next_up(), Some(1_000_001)),
            (1e-300, Some(1)),
            (f64::MIN_POSITIVE / 4.0, Some(1)),
            (f64::INFINITY, None),
            (f64::NAN, None),
            (-1.0, None),
            (1e19, None),
        ];
        for (epsilon, micro) in cases {
            assert_eq!(micro_ceil(epsilon).map(MicroEpsilon::get), micro, "{epsilon}");
        }
    }

    /// χ² of draws against the stated distribution, over 0, ±1 … ±5 and the two tails: 12 degrees of freedom.
    fn chi_square(draws: &[i64], scale: f64) -> f64 {
        let q = (-1.0 / scale).exp();
        let at = |x: i32| (1.0 - q) / (1.0 + q) * q.powi(x.abs());
        let tail = q.powi(6) / (1.0 + q);
        let n = draws.len() as f64;
        let count = |f: &dyn Fn(i64) -> bool| draws.iter().filter(|x| f(**x)).count() as f64;
        let term = |seen: f64, p: f64| (seen - n * p).powi(2) / (n * p);
        let middle: f64 = (-5..=5).map(|x| term(count(&|d| d == i64::from(x)), at(x))).sum();
        middle + term(count(&|d| d < -5), tail) + term(count(&|d| d > 5), tail)
    }

    /// OpenDP takes no seed. The bound is passed by right noise but once in 10^9 runs (χ², 12 degrees of freedom).
    const BOUND: f64 = 68.0;

    #[test]
    fn ten_thousand_draws_fit_the_stated_noise() {
        for offer in [250_000, 500_000, 1_000_000] {
            let noise = Noise::paid_by(MicroEpsilon::new(offer)).unwrap();
            let draws = noise.add(&[0; 10_000]).unwrap();
            let scale = noise.scale().get();
            assert!(chi_square(&draws, scale) < BOUND, "ε = {offer} millionths");
            // control: half the scale, or a third more, is told apart
            assert!(chi_square(&draws, scale / 2.0) > BOUND);
            assert!(chi_square(&draws, scale * 1.33) > BOUND);
        }
    }

    #[test]
    fn each_count_has_noise_of_its_own_around_itself() {
        let noise = Noise::paid_by(MicroEpsilon::new(100_000)).unwrap();
        let drawn = noise.add(&[1_000_000, -1_000_000, 0, 0, 0, 0, 0, 0]).unwrap();
        assert!((drawn[0] - 1_000_000).abs() < 10_000 && (drawn[1] + 1_000_000).abs() < 10_000);
        assert!(drawn[2..].iter().any(|n| *n != drawn[2]), "six draws of scale 10 are equal once in a million");
    }
}
