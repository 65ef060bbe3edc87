//! Wall time for the measurements of proxies, in nanoseconds.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Now, from some instant on.
pub(super) fn now() -> u64 {
    let t = clock_gettime(ClockId::Monotonic);
    t.tv_sec.unsigned_abs() * 1_000_000_000 + t.tv_nsec.unsigned_abs()
}

/// Seconds since then.
pub(super) fn since(then: u64) -> f64 {
    now().saturating_sub(then) as f64 / 1e9
}

/// Lets time pass.
#[expect(
    clippy::disallowed_methods,
    reason = "a load lasts as long as it lasts"
)]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
