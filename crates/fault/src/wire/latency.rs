//! Every byte arrives later.
//!
//! Attributes:
//! - `latency` (ms): the delay. Default 0.
//! - `jitter` (ms): how much the delay varies. Default 0.
//! - `distribution`: how it varies. `uniform` (default): anything from latency − jitter to
//!   latency + jitter. `normal`: jitter is the standard deviation, cut at four of them. `pareto`:
//!   jitter is the standard deviation, most delays a little below the mean, a few far above.
//! - `latency_us`, `jitter_us` (µs): added to `latency` and `jitter`, for what is less than a
//!   millisecond. Default 0.
//!
//! A delay is never negative. It counts from the arrival of each chunk, so a stream keeps its
//! throughput up to the bound of what is held. On a stream nothing overtakes: a chunk leaves no
//! earlier than the one before it. On UDP each datagram has its own delay, so jitter reorders.
//! The end of a stream is delayed by `latency` as well, as a packet on the same way would be.
//! The handshake of a connection is not delayed: the proxy has accepted it already.

use super::{Fate, Head, Machine, Wire, later, micros, millis};
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
        /// Added to the delay, in microseconds.
        latency_us: i64 = 0, "µs";
        /// Added to how much the delay varies, in microseconds.
        jitter_us: i64 = 0, "µs";
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

    fn delay(&self) -> Nanos {
        later(millis(self.latency), micros(self.latency_us))
    }

    fn width(&self) -> Nanos {
        later(millis(self.jitter), micros(self.jitter_us))
    }

    fn draw(&self, dice: &mut Dice) -> Nanos {
        let (base, jitter) = (self.delay(), self.width());
        if jitter == Nanos::ZERO {
            return base;
        }
        let share = match self.distribution {
            Distribution::Uniform => dice.uniform(),
            Distribution::Normal => dice.normal(),
            Distribution::Pareto => dice.pareto(),
        };
        let varied = base.0 as f64 + jitter.0 as f64 * share;
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
            _ => self.0.delay(),
        };
        head.after(delay)
    }

    fn keeps_order(&self) -> bool {
        false
    }

    fn span(&self) -> Nanos {
        later(self.0.delay(), self.0.width())
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{check, check_datagrams, pieces};

    #[test]
    fn every_chunk_waits_from_its_own_arrival_and_the_end_does_too() {
        check(
            "attach latency latency=100
             0ms data 10
             30ms data 20
             40ms end",
            "100ms data 10
             130ms data 20
             140ms end",
        );
    }

    #[test]
    fn a_delay_may_be_finer_than_a_millisecond() {
        let one = pieces("latency latency=1 latency_us=250", &[5]);
        assert_eq!(one[0].0.0, 1_250_000);
        let varied = pieces("latency latency_us=500 jitter_us=100", &[1; 500]);
        let times = || varied.iter().map(|p| p.0.0);
        assert!(times().all(|at| (400_000..600_000).contains(&at)));
        assert!(times().max() > times().min());
    }

    #[test]
    fn what_is_held_follows_a_change_from_its_own_arrival() {
        // Shorter: 10 ms after arrival is over for the first, so it leaves at once.
        check(
            "attach latency latency=100
             0ms data 1
             45ms data 2
             50ms change latency latency=10
             60ms data 3",
            "50ms data 1
             55ms data 2
             70ms data 3",
        );
        check(
            "attach latency latency=100
             0ms data 1
             50ms change latency latency=300",
            "300ms data 1",
        );
    }

    #[test]
    fn a_fault_that_ends_lets_go_at_once() {
        check(
            "attach latency latency=100
             0ms data 1
             1ms end
             50ms detach latency",
            "50ms data 1
             50ms end",
        );
    }

    #[test]
    fn two_add_up() {
        check(
            "attach latency latency=100
             attach slow_close delay=0
             0ms data 1
             10ms attach bandwidth rate=1
             20ms look",
            // 1 byte at 1 KB/s takes 1 ms. 16 KiB may wait, and 100 ms at 1 KB/s be under way.
            "20ms holds 1, room 16483
             101ms data 1",
        );
    }

    #[test]
    fn jitter_stays_within_its_width_and_a_stream_in_order() {
        let pieces = pieces("latency latency=50 jitter=20", &[10; 2_000]);
        assert!(
            pieces
                .iter()
                .all(|(at, _)| (30..70).contains(&(at.0 / 1_000_000)))
        );
        assert!(pieces.is_sorted_by_key(|(at, _)| *at));
        // All came at once, so each waits for the largest delay before it: within 1 ms of 70 ms
        // after 2,000 draws.
        assert!(pieces[1_999].0.0 > 69_000_000);
        // More jitter than latency: no negative delay.
        let wide = crate::trace::pieces("latency latency=1 jitter=1000", &[1; 100]);
        assert!(wide.iter().all(|(at, _)| at.0 >= 0));
    }

    #[test]
    fn datagrams_overtake() {
        // Ten at once with much jitter: sorted by delay, so out of order with a probability of
        // 1 − 1/10!.
        let mut bench = crate::trace::Bench::new(crate::Order::Datagram);
        let fault = crate::trace::wire("latency latency=50 jitter=50 distribution=normal");
        let zero = crate::Nanos::ZERO;
        bench
            .pipe
            .attach(zero, crate::FaultId(1), 0, &fault, crate::Begun::Live);
        for n in 0..10_u8 {
            bench.pipe.input(zero, crate::Item::Data(vec![n].into()));
        }
        let mut seen = Vec::new();
        while let Some((_, crate::Item::Data(data))) = bench.pipe.poll(crate::Nanos::secs(9)) {
            seen.push(data[0]);
        }
        assert!(!seen.is_sorted(), "{seen:?}");
        seen.sort_unstable();
        assert_eq!(seen, (0..10).collect::<Vec<u8>>());
        check_datagrams("attach latency latency=10\n 0ms data 5", "10ms data 5");
    }
}
