//! Every byte arrives later.
//!
//! Attributes:
//! - `latency` (ms): the delay. Default 0.
//! - `jitter` (ms): how much the delay varies. Default 0.
//! - `distribution`: how it varies. `uniform` (default): anything from latency − jitter to
//!   latency + jitter. `normal`: jitter is the standard deviation, cut at four of them. `pareto`:
//!   jitter is the standard deviation, most delays a little below the mean, a few far above.
//!
//! A delay is never negative. It counts from the arrival of each chunk, so a stream keeps its
//! throughput up to the bound of what is held. On a stream nothing overtakes: a chunk leaves no
//! earlier than the one before it. On UDP each datagram has its own delay, so jitter reorders.
//! The end of a stream is delayed by `latency` as well, as a packet on the same way would be.
//! The handshake of a connection is not delayed: the proxy has accepted it already.

use super::{Fate, Head, Machine, Wire, millis};
use crate::chance::Dice;
use crate::pipe::{Begun, Item};
use crate::settings::{settings, words};
use crate::time::Nanos;

settings! {
    /// The settings of `latency`.
    Latency {
        /// The delay, in milliseconds.
        latency: i64 = 0, "ms";
        /// How much the delay varies, in milliseconds.
        jitter: i64 = 0, "ms";
    }
    beyond {
        /// How it varies.
        distribution: Distribution = Distribution::Uniform, "";
    }
}

words! {
    /// The shape of jitter.
    Distribution {
        /// Jitter is the half-width.
        Uniform = "uniform",
        /// Jitter is the standard deviation.
        Normal = "normal",
        /// Jitter is the standard deviation; the tail is long.
        Pareto = "pareto",
    }
}

impl Latency {
    pub(super) fn machine(&self, _now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        Box::new(Delay(self.clone()))
    }

    fn draw(&self, dice: &mut Dice) -> Nanos {
        let base = millis(self.latency);
        if self.jitter == 0 {
            return base;
        }
        let share = match self.distribution {
            Distribution::Uniform => dice.uniform(),
            Distribution::Normal => dice.normal(),
            Distribution::Pareto => dice.pareto(),
        };
        let varied = base.0 as f64 + millis(self.jitter).0 as f64 * share;
        // A cast of a number out of range saturates.
        Nanos((varied as i64).clamp(0, Nanos::LONGEST.0))
    }
}

#[derive(Debug)]
struct Delay(Latency);

impl Machine for Delay {
    fn change(&mut self, _now: Nanos, wire: &Wire) -> bool {
        let Wire::Latency(new) = wire else {
            return false;
        };
        self.0 = new.clone();
        true
    }

    fn decide(&mut self, head: Head<'_>, dice: &mut Dice) -> Fate {
        let delay = match head.item {
            Item::Data(_) => self.0.draw(dice),
            _ => millis(self.0.latency),
        };
        head.after(delay)
    }

    fn keeps_order(&self) -> bool {
        false
    }
}
