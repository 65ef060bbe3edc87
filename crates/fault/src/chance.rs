//! Chance on the wire: which connections a fault touches, and the draws of each fault on each.
//!
//! Every draw is keyed by the seed, the proxy, the connection, the direction and the fault, never
//! by the order of events, so that a run can be repeated. The shapes of jitter are here too.

use crate::rng::Stream;

/// Which way bytes flow through a proxy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// From the client to the server.
    Upstream,
    /// From the server to the client.
    Downstream,
}

impl Direction {
    /// `upstream` or `downstream`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
        }
    }
}

/// A fault as the random streams know it: the same name on the same proxy is the same fault, in
/// whatever order faults were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FaultId(pub u64);

impl FaultId {
    /// The fault called `name` on the proxy called `proxy`.
    #[must_use]
    pub fn named(proxy: &str, name: &str) -> Self {
        Self(Stream::new(0, &["fault", proxy, name]).bits())
    }
}

/// Where the bytes of one pipe come from: the key of all its draws.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// The seed of the run.
    pub seed: u64,
    /// The connection, counted from the first of its proxy.
    pub connection: u64,
    /// The direction.
    pub direction: Direction,
}

impl Origin {
    /// Whether a fault of this toxicity (a share of connections, from 0 to 1) touches this
    /// connection in this direction. The answer never changes while the connection lives, and a
    /// higher toxicity touches all that a lower one touches.
    #[must_use]
    pub fn is_touched(&self, fault: FaultId, toxicity: f64) -> bool {
        self.stream("toxicity", fault).unit() < toxicity
    }

    /// The draws of a fault on this pipe.
    pub(crate) fn dice(&self, fault: FaultId) -> Dice {
        Dice(self.stream("wire", fault))
    }

    fn stream(&self, purpose: &str, fault: FaultId) -> Stream {
        let connection = self.connection.to_string();
        let fault = fault.0.to_string();
        let names = [purpose, &fault, &connection, self.direction.name()];
        Stream::new(self.seed, &names)
    }
}

/// What one fault draws on one pipe.
#[derive(Debug)]
pub(crate) struct Dice(Stream);

impl Dice {
    /// Whether something of this probability happens; nothing is drawn when it is certain.
    pub(crate) fn hits(&mut self, probability: f64) -> bool {
        probability > 0.0 && (probability >= 1.0 || self.0.unit() < probability)
    }

    /// A whole number from 0 to `most`, both included.
    pub(crate) fn up_to(&mut self, most: u64) -> u64 {
        match most.checked_add(1) {
            Some(bound) => self.0.below(bound),
            None => self.0.bits(),
        }
    }

    /// Uniform from −1 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0.unit() * 2.0 - 1.0
    }

    /// The standard normal distribution (Box and Muller, 1958), cut at four standard deviations.
    pub(crate) fn normal(&mut self) -> f64 {
        // The logarithm of zero is avoided: 1 − u is in (0, 1].
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.0.unit()));
        let angle = 2.0 * core::f64::consts::PI * self.0.unit();
        (radius * libm::cos(angle)).clamp(-4.0, 4.0)
    }

    /// A Pareto distribution of shape 3, shifted and scaled to mean 0 and standard deviation 1,
    /// as netem's table of that name is: most values a little below the mean, a few far above.
    pub(crate) fn pareto(&mut self) -> f64 {
        const MEAN: f64 = 1.5;
        const DEVIATION: f64 = 0.866_025_403_784_438_6;
        (1.0 / libm::cbrt(1.0 - self.0.unit()) - MEAN) / DEVIATION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(connection: u64) -> Origin {
        Origin {
            seed: 7,
            connection,
            direction: Direction::Downstream,
        }
    }

    /// Mean and standard deviation of 100,000 draws.
    fn moments(mut draw: impl FnMut(&mut Dice) -> f64) -> (f64, f64) {
        let mut dice = origin(0).dice(FaultId(1));
        let n = 100_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let x = draw(&mut dice);
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(n);
        (mean, (squares / f64::from(n) - mean * mean).sqrt())
    }

    #[test]
    fn toxicity_is_a_share_of_connections_and_grows_without_swapping() {
        let id = FaultId::named("db", "slow");
        let touched = |toxicity: f64| -> Vec<u64> {
            (0..10_000)
                .filter(|&c| origin(c).is_touched(id, toxicity))
                .collect()
        };
        let (some, more) = (touched(0.3), touched(0.5));
        // 3,000 of 10,000 expected; the standard deviation is 46.
        assert!((2_800..3_200).contains(&some.len()), "{}", some.len());
        assert!(some.iter().all(|c| more.contains(c)));
        assert!(touched(0.0).is_empty());
        assert_eq!(touched(1.0).len(), 10_000);
        assert!(touched(f64::NAN).is_empty());
        assert_ne!(FaultId::named("db", "slow"), FaultId::named("d", "bslow"));
    }

    #[test]
    fn directions_draw_apart() {
        let id = FaultId(3);
        let down: Vec<bool> = (0..64).map(|c| origin(c).is_touched(id, 0.5)).collect();
        let up: Vec<bool> = (0..64)
            .map(|c| {
                Origin {
                    direction: Direction::Upstream,
                    ..origin(c)
                }
                .is_touched(id, 0.5)
            })
            .collect();
        assert_ne!(down, up);
    }

    #[test]
    fn shapes_have_their_mean_and_deviation() {
        // The standard error of the mean is 0.003; Pareto's fourth moment is infinite, so its
        // deviation converges slowly and from below.
        let (mean, deviation) = moments(Dice::normal);
        assert!(mean.abs() < 0.015 && (deviation - 1.0).abs() < 0.015);
        let (mean, deviation) = moments(Dice::pareto);
        assert!(
            mean.abs() < 0.015 && (0.8..1.3).contains(&deviation),
            "{deviation}"
        );
        // A uniform number in (−1, 1) has the deviation 1/√3.
        let (mean, deviation) = moments(Dice::uniform);
        assert!(mean.abs() < 0.015 && (deviation - 0.5774).abs() < 0.01);
    }
}
