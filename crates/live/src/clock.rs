//! Model time on the wall: one wall second is `pace` model seconds for everything.

use assize_fault::Nanos;
use std::time::Duration;
use tokio::time::Instant;

/// Where a run stands in model time. Cheap to copy; all parts of a run share one.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    pace: u32,
}

impl Clock {
    /// The scenario's `start` is at `start` on the wall. `pace` is at least 1.
    #[must_use]
    pub fn new(start: Instant, pace: u32) -> Self {
        Self {
            start,
            pace: pace.max(1),
        }
    }

    /// Model seconds per wall second.
    #[must_use]
    pub const fn pace(&self) -> u32 {
        self.pace
    }

    /// Model time now; negative while steady state is held.
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.model(Instant::now())
    }

    /// Model time at an instant.
    #[must_use]
    pub fn model(&self, at: Instant) -> Nanos {
        let wall = |d: Duration| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX);
        let since = match at.checked_duration_since(self.start) {
            Some(after) => wall(after),
            None => -wall(self.start - at),
        };
        Nanos(since.saturating_mul(i64::from(self.pace)))
    }

    /// The instant at which model time is `at`.
    #[must_use]
    pub fn instant(&self, at: Nanos) -> Instant {
        let wall = self.wall(Nanos(at.0.saturating_abs()));
        if at.0 < 0 {
            self.start.checked_sub(wall).unwrap_or(self.start)
        } else {
            self.start + wall
        }
    }

    /// How long a model duration takes on the wall.
    #[must_use]
    pub fn wall(&self, length: Nanos) -> Duration {
        Duration::from_nanos(u64::try_from(length.0 / i64::from(self.pace)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_wall_second_is_so_many_model_seconds() {
        let start = Instant::now() + Duration::from_secs(10);
        let clock = Clock::new(start, 20);
        assert_eq!(clock.now(), Nanos::secs(-200));
        tokio::time::sleep(Duration::from_secs(13)).await;
        assert_eq!(clock.now(), Nanos::secs(60));
        assert_eq!(
            clock.model(clock.instant(Nanos::secs(-40))),
            Nanos::secs(-40)
        );
        assert_eq!(clock.wall(Nanos::secs(60)), Duration::from_secs(3));
    }
}
