//! The one place of this crate that reads a clock: monotonic, in nanoseconds.

use assize_fault::Nanos;
use rustix::time::{ClockId, clock_gettime};

/// Now, counted from an arbitrary instant that is the same for the whole process.
pub(crate) fn now() -> Nanos {
    let t = clock_gettime(ClockId::Monotonic);
    Nanos(t.tv_sec * 1_000_000_000 + t.tv_nsec)
}
