//! What a path, or a part of one, does to what passes: delay, loss, errors, bandwidth.

use super::state::Fault;
use assize_fault::{Bandwidth, Nanos, Ppb};
use assize_model::faults::Degrade;

/// The quality of a path, or of a part of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quality {
    /// One way.
    pub latency: Nanos,
    /// Half-width of the variation of the latency, one way.
    pub jitter: Nanos,
    /// Share of packets that get through.
    pub passes: Ppb,
    /// Share of requests that do not end in an error.
    pub correct: Ppb,
    /// The narrowest place, if any is limited.
    pub bandwidth: Option<Bandwidth>,
}

impl Quality {
    /// Nothing is delayed, lost or limited.
    pub const PERFECT: Self = Self {
        latency: Nanos::ZERO,
        jitter: Nanos::ZERO,
        passes: Ppb::ONE,
        correct: Ppb::ONE,
        bandwidth: None,
    };

    /// One after the other.
    #[must_use]
    pub fn then(self, other: Self) -> Self {
        Self {
            latency: self.latency + other.latency,
            jitter: self.jitter + other.jitter,
            passes: times(self.passes, other.passes),
            correct: times(self.correct, other.correct),
            bandwidth: match (self.bandwidth, other.bandwidth) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }

    /// With the faults on it.
    #[must_use]
    pub fn degraded(self, faults: &[(Fault, Degrade)]) -> Self {
        faults.iter().fold(self, |q, (_, d)| {
            q.then(Self {
                latency: d.latency,
                jitter: d.jitter,
                passes: d.loss.complement(),
                correct: d.errors.complement(),
                bandwidth: d.bandwidth,
            })
        })
    }
}

/// The product of two shares.
#[must_use]
pub const fn times(a: Ppb, b: Ppb) -> Ppb {
    Ppb((a.0 as u128 * b.0 as u128 / 1_000_000_000) as u64)
}
