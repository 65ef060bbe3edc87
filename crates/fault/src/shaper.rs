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

    /// The bytes of 100 milliseconds, at least 16 KiB: what may wait before the source is held
    /// back. A driver that wakes late by less than this does not let the line run dry.
    #[must_use]
    pub fn backlog(self) -> usize {
        usize::try_from(self.0 / 10)
            .unwrap_or(usize::MAX)
            .max(16 << 10)
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
