//! How a worker waits: to a fraction of a millisecond, and on several cores without sleeping when
//! sleeping costs more than it saves.
//!
//! A deadline is waited for in two steps, to a millisecond before it and then for the rest,
//! because a long sleep overshoots by more than a short one. The last moments may be spent
//! looking at the clock.

use crate::clock;
use crate::engine::Shared;
use crate::inbox::Inbox;
use crate::poll::{Poller, Ready};
use assize_fault::Nanos;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// The second step of a wait for a deadline.
const SECOND_STEP: Nanos = Nanos::millis(1);

/// Before a deadline, so long is spent looking at the clock when the engine may spin: waking up
/// takes about as long.
const LAST_MOMENTS: Nanos = Nanos(60_000);

/// After the last event, so long a spinning worker goes on looking.
const SPIN: Nanos = Nanos(50_000);

/// Waits in a row with few events before spinning begins.
const QUIET_WAITS: u32 = 4;
const FEW_EVENTS: usize = 2;

/// One worker's way of waiting.
#[derive(Debug)]
pub(super) struct Wait {
    spins: bool,
    quiet: u32,
}

/// Makes the timers of the calling thread exact.
///
/// Not `SCHED_BATCH`, which moves bulk data faster on an idle machine: as soon as anything else
/// wants the processor, a batch thread waits for the next tick, 4 ms, and a fault that is late by
/// that is none of the accuracy that it claims.
pub(super) fn prepare_thread() {
    #[cfg(target_os = "linux")]
    {
        // It may be forbidden; it only makes timers more exact.
        let _ = rustix::thread::set_current_timer_slack(core::num::NonZeroU64::new(1));
    }
}

impl Wait {
    pub(super) const fn new(spins: bool) -> Self {
        Self { spins, quiet: 0 }
    }

    /// Waits for events, messages, or `deadline`; it may come back before any of them.
    pub(super) fn wait(
        &mut self,
        poller: &mut Poller,
        inbox: &Inbox,
        shared: &Shared,
        ready: &mut Vec<Ready>,
        deadline: Option<Nanos>,
    ) {
        if self.spins && self.quiet >= QUIET_WAITS && spin(poller, inbox, shared, ready, deadline) {
            return;
        }
        let timeout = deadline.map(|deadline| {
            let left = deadline - clock::now();
            if left > SECOND_STEP {
                left - SECOND_STEP
            } else if self.spins && left > Nanos::ZERO {
                // The rest is spent below.
                (left - LAST_MOMENTS).max(Nanos::ZERO)
            } else {
                left.max(Nanos::ZERO)
            }
        });
        let timeout = if inbox.is_filled() {
            Some(Nanos::ZERO)
        } else {
            timeout
        };
        if poller.wait(ready, timeout).is_err() {
            // A poller fails only when it is misused or memory is short; a worker that gave up
            // would take its connections with it, one that goes on looks again.
            ready.clear();
        }
        self.quiet = if ready.len() > FEW_EVENTS {
            0
        } else {
            self.quiet.saturating_add(1)
        };
        if self.spins && ready.is_empty() {
            last_moments(inbox, deadline);
        }
    }
}

/// Looks at the clock until a near deadline.
fn last_moments(inbox: &Inbox, deadline: Option<Nanos>) {
    let Some(deadline) = deadline else {
        return;
    };
    while !inbox.is_filled() {
        let left = deadline - clock::now();
        if left <= Nanos::ZERO || left > LAST_MOMENTS {
            return;
        }
        std::hint::spin_loop();
    }
}

/// Looks for events without sleeping, if no other worker does; `true` if there were some.
fn spin(
    poller: &mut Poller,
    inbox: &Inbox,
    shared: &Shared,
    ready: &mut Vec<Ready>,
    deadline: Option<Nanos>,
) -> bool {
    if shared
        .spinner
        .compare_exchange(false, true, SeqCst, Relaxed)
        .is_err()
    {
        return false;
    }
    let end = clock::now() + SPIN;
    let end = deadline.map_or(end, |deadline| deadline.min(end));
    let mut found = false;
    while !found && !inbox.is_filled() && clock::now() < end {
        found = poller.wait(ready, Some(Nanos::ZERO)).is_ok() && !ready.is_empty();
    }
    shared.spinner.store(false, SeqCst);
    found
}
