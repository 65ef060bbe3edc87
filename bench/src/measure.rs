//! Rounds of timings, their median and their spread.
//!
//! Wall time of this machine, for a person to read; no figure of the product rests on it.

use std::fmt;
use std::time::{Duration, Instant};

/// Values of several rounds, in order of size.
#[derive(Clone, Debug)]
pub(crate) struct Rounds(Vec<f64>);

impl Rounds {
    /// Of these values, at least one.
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The middle value; of an even number, the mean of the middle two. Zero of none.
    pub(crate) fn median(&self) -> f64 {
        let n = self.0.len();
        match (self.0.get(n.wrapping_sub(1) / 2), self.0.get(n / 2)) {
            (Some(a), Some(b)) => f64::midpoint(*a, *b),
            _ => 0.0,
        }
    }

    /// The least and the greatest.
    pub(crate) fn spread(&self) -> (f64, f64) {
        (
            self.0.first().copied().unwrap_or(0.0),
            self.0.last().copied().unwrap_or(0.0),
        )
    }
}

/// How long a part of the benchmark may go on beginning rounds.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The time that a part has left.
pub(crate) struct Budget(Instant);

impl Budget {
    /// All of it.
    #[expect(
        clippy::disallowed_methods,
        reason = "wall time is what a benchmark is about"
    )]
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    /// Whether another round may begin.
    #[expect(
        clippy::disallowed_methods,
        reason = "wall time is what a benchmark is about"
    )]
    pub(crate) fn is_left(&self) -> bool {
        self.0.elapsed() < LIMIT
    }
}

/// How long one call takes.
#[expect(
    clippy::disallowed_methods,
    reason = "wall time is what a benchmark is about"
)]
pub(crate) fn time<T>(body: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let value = body();
    (begun.elapsed(), value)
}

/// Calls again and again until `least` has passed; gives the work done per second, where each
/// call says how much it did.
pub(crate) fn per_second(least: Duration, mut body: impl FnMut() -> u64) -> f64 {
    let mut done = 0_u64;
    let mut taken = Duration::ZERO;
    while taken < least {
        let (took, work) = time(&mut body);
        taken += took;
        done += work;
    }
    // Counts of a benchmark stay far below 2^53.
    done as f64 / taken.as_secs_f64()
}

/// A number with a comma at every thousand, such as `12,345,678`.
pub(crate) struct Thousands(pub(crate) f64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:.0}", self.0);
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad_integral(true, "", &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_the_spread_the_ends() {
        let odd = Rounds::new(vec![3.0, 1.0, 100.0]);
        assert!((odd.median() - 3.0).abs() < 1e-9);
        assert!((odd.spread().0 - 1.0).abs() < 1e-9 && (odd.spread().1 - 100.0).abs() < 1e-9);
        assert!((Rounds::new(vec![4.0, 1.0, 2.0, 9.0]).median() - 3.0).abs() < 1e-9);
        assert!(Rounds::new(Vec::new()).median().abs() < 1e-9);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(Thousands(0.4).to_string(), "0");
        assert_eq!(Thousands(999.0).to_string(), "999");
        assert_eq!(Thousands(1_000.0).to_string(), "1,000");
        assert_eq!(format!("{:>12}", Thousands(1_234_567.0)), "   1,234,567");
    }

    #[test]
    fn per_second_counts_the_work_and_not_the_calls() {
        let one = per_second(Duration::from_millis(20), || {
            std::hint::black_box((0..2_000_u64).sum::<u64>());
            1
        });
        let thousand = per_second(Duration::from_millis(20), || {
            std::hint::black_box((0..2_000_u64).sum::<u64>());
            1_000
        });
        assert!(thousand > 20.0 * one, "{thousand} {one}");
    }
}
