//! The one place of this verb that reads clocks: for budgets, progress and the first record.

use assize_fault::Nanos;
use std::time::Instant;

/// Counts wall time from when it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a run takes wall time")]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "a run takes wall time")]
    pub(super) fn elapsed(self) -> Nanos {
        Nanos(i64::try_from(self.0.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }
}

/// The wall clock, RFC 3339.
#[expect(
    clippy::disallowed_methods,
    reason = "a journal says when it was begun"
)]
pub(super) fn wall() -> String {
    jiff::Timestamp::now().to_string()
}
