//! The order of one instant: what the timeline does comes before the checks that are due then.
//!
//! The director and the checks run side by side, so a check might look before a fault of the same
//! instant is on. It waits here until that is carried out, for a while: a fault that is slow to
//! come, such as a process that does not end, must not keep checks from being made, nor those that
//! are due later.

use assize_fault::Nanos;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// The first turn of the timeline that is not carried out yet: [`Nanos::NEVER`] when none is left.
#[derive(Debug)]
pub(crate) struct Turns(watch::Sender<Nanos>);

impl Default for Turns {
    /// Nothing is known yet, and so nothing is waited for.
    fn default() -> Self {
        Self(watch::Sender::new(Nanos::NEVER))
    }
}

impl Turns {
    /// Everything before this instant is carried out.
    pub(crate) fn set(&self, next: Nanos) {
        self.0.send_if_modified(|before| {
            let changed = *before != next;
            *before = next;
            changed
        });
    }

    /// Returns when all is done that the timeline does within `lately` up to an instant, or after
    /// a while.
    pub(crate) async fn done_through(&self, at: Nanos, lately: Nanos, patience: Duration) {
        let mut turns = self.0.subscribe();
        let done = turns.wait_for(|next| *next > at || *next < at - lately);
        // What takes longer is met later, as by any other check.
        let _ = timeout(patience, done).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::time::{Instant, sleep};

    const LATELY: Nanos = Nanos::secs(1);
    const PATIENCE: Duration = Duration::from_millis(500);

    #[tokio::test(start_paused = true)]
    async fn a_check_waits_for_the_fault_of_its_instant_and_not_for_a_later_one() {
        let turns = Arc::new(Turns::default());
        turns.set(Nanos::secs(30));
        let begun = Instant::now();
        turns.done_through(Nanos::secs(28), LATELY, PATIENCE).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let carried_out = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move {
                sleep(Duration::from_millis(40)).await;
                turns.set(Nanos::secs(90));
            }
        });
        turns.done_through(Nanos::secs(30), LATELY, PATIENCE).await;
        assert_eq!(begun.elapsed(), Duration::from_millis(40));
        carried_out.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_waits_for_ever() {
        let turns = Turns::default();
        turns.set(Nanos::secs(30));
        let begun = Instant::now();
        turns.done_through(Nanos::secs(30), LATELY, PATIENCE).await;
        assert_eq!(begun.elapsed(), PATIENCE);
        // What has been under way for longer keeps nobody waiting.
        turns.done_through(Nanos::secs(32), LATELY, PATIENCE).await;
        assert_eq!(begun.elapsed(), PATIENCE);
    }
}
