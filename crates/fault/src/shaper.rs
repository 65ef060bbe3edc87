//! Rates, and a line of a rate that several pipes share.
//!
//! Who sends over the shared line books one turn at a time, of about a millisecond; those who
//! have more to send take turns for that reason, and nobody waits for somebody who is idle.

use crate::time::Nanos;
use std::sync::{Arc, Mutex, PoisonError};

/// A rate in bytes per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Speed(u64);

impl Speed {
    /// The smallest piece that a rate is cut into: about what a packet carries anyway.
    const LEAST: usize = 512;

    /// So many thousands of bytes per second; a negative number counts as 0.
    #[must_use]
    pub fn kilobytes(per_second: i64) -> Self {
        Self(u64::try_from(per_second).unwrap_or(0).saturating_mul(1_000))
    }

    /// So many bytes per second.
    #[must_use]
    pub const fn bytes(per_second: u64) -> Self {
        Self(per_second)
    }

    /// Whether nothing passes.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// How long so many bytes take, to the nearest nanosecond; [`Nanos::NEVER`] if nothing
    /// passes.
    #[must_use]
    pub fn time_for(self, bytes: usize) -> Nanos {
        if self.0 == 0 {
            return Nanos::NEVER;
        }
        let rate = u128::from(self.0);
        let ns = (bytes as u128 * 1_000_000_000 + rate / 2) / rate;
        Nanos(i64::try_from(ns).unwrap_or(i64::MAX).min(Nanos::NEVER.0))
    }

    /// The bytes of one millisecond, at least 512: what leaves at once.
    #[must_use]
    pub fn quantum(self) -> usize {
        usize::try_from(self.0 / 1_000)
            .unwrap_or(usize::MAX)
            .max(Self::LEAST)
    }

    /// The bytes of 100 milliseconds, at least 16 KiB, and those of a way that takes `span`: what
    /// may wait before the source is held back. A driver that wakes late by less than this does
    /// not let the line run dry.
    #[must_use]
    pub fn backlog(self, span: Nanos) -> usize {
        let waiting = usize::try_from(self.0 / 10).unwrap_or(usize::MAX);
        let under_way = u128::from(self.0) * u128::from(span.0.unsigned_abs()) / 1_000_000_000;
        let under_way = usize::try_from(under_way).unwrap_or(usize::MAX);
        waiting.max(16 << 10).saturating_add(under_way)
    }
}

/// A line of one rate that several pipes share fairly; clones are the same line.
#[derive(Clone, Default, Debug)]
pub struct SharedShaper(Arc<Mutex<Shared>>);

#[derive(Default, Debug)]
struct Shared {
    speed: Speed,
    /// When the line is free.
    free: Nanos,
}

impl SharedShaper {
    /// A line of this rate.
    #[must_use]
    pub fn new(speed: Speed) -> Self {
        let free = Nanos::ZERO;
        Self(Arc::new(Mutex::new(Shared { speed, free })))
    }

    /// Sets the rate; turns that were booked at another rate no longer count.
    pub fn set(&self, now: Nanos, speed: Speed) {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if line.speed != speed {
            *line = Shared { speed, free: now };
        }
    }

    /// Books the next turn for so many bytes, not before `from`; says when their last has passed.
    #[must_use]
    pub fn book(&self, from: Nanos, bytes: usize) -> Nanos {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let time = line.speed.time_for(bytes);
        line.free = Nanos(line.free.max(from).0.saturating_add(time.0)).min(Nanos::NEVER);
        line.free
    }
}

/// The same line, not the same rate.
impl PartialEq for SharedShaper {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{bytes, origin, wire};
    use crate::{Begun, FaultId, Item, Order, Pipe, Size};

    /// Bytes that each pipe has delivered after one second on one line, fed with its own chunks.
    fn shares(rate: &str, chunks: &[usize]) -> Vec<usize> {
        let fault = wire(&format!("bandwidth shared=yes rate={rate}"));
        let mut pipes: Vec<Pipe> = (0..chunks.len() as u64)
            .map(|n| {
                let mut pipe = Pipe::new(Order::Stream, Size(1 << 30), origin(n));
                pipe.attach(Nanos::ZERO, FaultId(1), 0, &fault, Begun::Live);
                pipe
            })
            .collect();
        let mut sums = vec![0; chunks.len()];
        let end = Nanos::secs(1);
        let mut now = Nanos::ZERO;
        while now <= end {
            for (n, pipe) in pipes.iter_mut().enumerate() {
                while chunks[n] > 0 && pipe.room() > 0 {
                    pipe.input(now, Item::Data(bytes(0, chunks[n])));
                }
                while let Some((due, item)) = pipe.poll(now) {
                    assert_eq!(due, now);
                    sums[n] += item.len();
                }
            }
            now = pipes
                .iter()
                .filter_map(Pipe::next_wake)
                .min()
                .expect("more to come");
        }
        sums
    }

    #[test]
    fn a_shared_line_has_its_rate_and_is_shared_equally() {
        // 10 MB in a second among five with chunks of all sizes.
        let sums = shares("10000", &[64 << 10, 64 << 10, 1_000, 100, 10_000]);
        let total: usize = sums.iter().sum();
        assert!((9_950_000..=10_000_000).contains(&total), "{total}");
        for sum in &sums {
            // A turn is 10 kB, and a share is 2 MB.
            assert!((1_980_000..2_020_000).contains(sum), "{sums:?}");
        }
    }

    #[test]
    fn who_is_idle_leaves_the_line_to_the_others() {
        let sums = shares("1000", &[10_000, 0]);
        assert!(
            (999_000..=1_000_000).contains(&sums[0]) && sums[1] == 0,
            "{sums:?}"
        );
    }

    #[test]
    fn any_rate_gives_a_time() {
        assert_eq!(
            Speed::kilobytes(i64::MAX).time_for(usize::MAX),
            Nanos(1_000_000_000)
        );
        assert_eq!(Speed::bytes(1).time_for(usize::MAX), Nanos::NEVER);
        assert_eq!(Speed::kilobytes(-5).time_for(1), Nanos::NEVER);
        assert_eq!(Speed::bytes(3).time_for(1), Nanos(333_333_333));
        let line = SharedShaper::new(Speed::bytes(1));
        assert_eq!(line.book(Nanos::NEVER, usize::MAX), Nanos::NEVER);
    }
}
