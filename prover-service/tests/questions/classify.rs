//! A bystander's classifiers: the best threshold on one feature, the nearest neighbours on all, and a logistic regression.
//!
//! ```text
//! trained on one half, judged on the other;   better than chance = above majority + 4·√(majority·(1 − majority) / n)
//! ```

/// What was seen of a question, and which of two kinds it was.
pub type Seen<'a> = (bool, &'a [f64]);

/// How well a classifier does on samples that it was not trained on.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// Share of right answers.
    pub accuracy: f64,
    /// What chance does not reach.
    pub bound: f64,
}

impl Score {
    pub fn beats_chance(&self) -> bool {
        self.accuracy > self.bound
    }
}

const NEIGHBOURS: usize = 7;
const ERRORS: f64 = 4.0;

/// All classifiers by name. The threshold's name holds the feature that it found best.
pub fn scores(train: &[Seen<'_>], test: &[Seen<'_>], names: &[String]) -> Vec<(String, Score)> {
    let scale = Scale::of(train);
    let (near, far) = (scale.all(train), scale.all(test));
    let (feature, threshold) = threshold(train, test);
    let feature = names.get(feature).map_or("nothing", String::as_str);
    vec![
        (format!("threshold on {feature}"), threshold),
        ("nearest neighbours".to_owned(), nearest(&near, &far)),
        ("logistic regression".to_owned(), logistic(&near, &far)),
    ]
}

fn score(test: &[bool], guesses: impl Iterator<Item = bool>) -> Score {
    let n = test.len().max(1) as f64;
    let right = test.iter().zip(guesses).filter(|(is, guess)| **is == *guess).count();
    let yes = test.iter().filter(|is| **is).count() as f64 / n;
    let majority = yes.max(1.0 - yes);
    Score { accuracy: right as f64 / n, bound: majority + ERRORS * (majority * (1.0 - majority) / n).sqrt() }
}

/// The feature and the value that part the training half best, and how they do on the other.
fn threshold(train: &[Seen<'_>], test: &[Seen<'_>]) -> (usize, Score) {
    let yes = train.iter().filter(|(is, _)| *is).count();
    let features = train.first().map_or(0, |(_, features)| features.len());
    // (right answers, feature, threshold, whether above means yes)
    let mut best = (0, usize::MAX, f64::INFINITY, false);
    for feature in 0..features {
        let mut values: Vec<(f64, bool)> = train.iter().map(|(is, features)| (features[feature], *is)).collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut yes_below = 0;
        for (n, pair) in values.windows(2).enumerate() {
            yes_below += usize::from(pair[0].1);
            if pair[0].0 == pair[1].0 {
                continue;
            }
            let no_below = n + 1 - yes_below;
            let above = no_below + (yes - yes_below);
            for (right, above_is_yes) in [(above, true), (train.len() - above, false)] {
                if right > best.0 {
                    best = (right, feature, (pair[0].0 + pair[1].0) / 2.0, above_is_yes);
                }
            }
        }
    }
    let (_, feature, value, above_is_yes) = best;
    let truth: Vec<bool> = test.iter().map(|(is, _)| *is).collect();
    let guess = |features: &[f64]| features.get(feature).is_some_and(|x| (*x > value) == above_is_yes);
    (feature, score(&truth, test.iter().map(|(_, features)| guess(features))))
}

type Scaled = Vec<(bool, Vec<f64>)>;

/// Mean and spread of each feature in the training half.
struct Scale(Vec<(f64, f64)>);

impl Scale {
    fn of(train: &[Seen<'_>]) -> Scale {
        let n = train.len().max(1) as f64;
        let features = train.first().map_or(0, |(_, features)| features.len());
        let of = |feature: usize| {
            let mean = train.iter().map(|(_, x)| x[feature]).sum::<f64>() / n;
            let spread = (train.iter().map(|(_, x)| (x[feature] - mean).powi(2)).sum::<f64>() / n).sqrt();
            (mean, spread)
        };
        Scale((0..features).map(of).collect())
    }

    /// A feature that never changes counts for nothing; a wild value for no more than a very odd one.
    fn all(&self, seen: &[Seen<'_>]) -> Scaled {
        let one = |x: f64, (mean, spread): (f64, f64)| {
            if spread < 1e-9 { 0.0 } else { ((x - mean) / spread).clamp(-4.0, 4.0) }
        };
        let all = |x: &[f64]| x.iter().zip(&self.0).map(|(x, scale)| one(*x, *scale)).collect();
        seen.iter().map(|(is, x)| (*is, all(x))).collect()
    }
}

fn nearest(train: &Scaled, test: &Scaled) -> Score {
    let guess = |x: &[f64]| {
        let distance = |y: &[f64]| x.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let mut near: Vec<(f64, bool)> = train.iter().map(|(is, y)| (distance(y), *is)).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(NEIGHBOURS);
        2 * near.iter().filter(|(_, is)| *is).count() > near.len()
    };
    let truth: Vec<bool> = test.iter().map(|(is, _)| *is).collect();
    score(&truth, test.iter().map(|(_, x)| guess(x)))
}

fn logistic(train: &Scaled, test: &Scaled) -> Score {
    let features = train.first().map_or(0, |(_, x)| x.len());
    let mut weights = vec![0.0; features + 1];
    let sum = |weights: &[f64], x: &[f64]| weights[features] + x.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>();
    let n = train.len().max(1) as f64;
    for _ in 0..300 {
        let mut slope: Vec<f64> = weights.iter().map(|w| 0.01 * w).collect();
        for (is, x) in train {
            let off = 1.0 / (1.0 + (-sum(&weights, x)).exp()) - f64::from(u8::from(*is));
            x.iter().chain([&1.0]).zip(&mut slope).for_each(|(x, slope)| *slope += off * x / n);
        }
        weights.iter_mut().zip(&slope).for_each(|(w, slope)| *w -= 0.3 * slope);
    }
    let truth: Vec<bool> = test.iter().map(|(is, _)| *is).collect();
    score(&truth, test.iter().map(|(_, x)| sum(&weights, x) > 0.0))
}

/// The classifiers find a difference where there is one, whatever its form, and none where there is none.
#[test]
fn they_find_a_difference_and_no_other() {
    use rand::{Rng, SeedableRng};
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let mut sample = |shift: f64| {
        let is: bool = rng.r#gen();
        let mut x: Vec<f64> = (0..20).map(|_| rng.gen_range(-1.0..1.0)).collect();
        x[7] += if is { shift } else { 0.0 };
        (is, x)
    };
    let names: Vec<String> = (0..20).map(|n| format!("x{n}")).collect();
    for (shift, found) in [(0.0, false), (3.0, true)] {
        let samples: Vec<_> = (0..400).map(|_| sample(shift)).collect();
        let seen: Vec<Seen<'_>> = samples.iter().map(|(is, x)| (*is, &x[..])).collect();
        let scores = scores(&seen[..200], &seen[200..], &names);
        assert!(scores.iter().all(|(_, score)| score.beats_chance() == found), "{shift}: {scores:?}");
        assert!(!found || scores[0].0.ends_with("x7"), "{scores:?}");
    }
}
