//! Deadlines of connections: a heap in which outdated entries stay until they come up, and are
//! swept out when they are too many.

use assize_fault::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Outdated entries that are not worth a sweep.
const FEW: usize = 1_024;

/// The deadlines of one worker.
#[derive(Default, Debug)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Nanos, u64)>>,
}

impl Timers {
    /// Sets a deadline for what `token` names.
    pub(super) fn set(&mut self, at: Nanos, token: u64) {
        self.heap.push(Reverse((at, token)));
    }

    /// The next deadline that is live. Outdated ones before it are dropped, so that an idle
    /// worker sets no timer.
    pub(super) fn next(&mut self, is_live: impl Fn(Nanos, u64) -> bool) -> Option<Nanos> {
        while let Some(&Reverse((at, token))) = self.heap.peek() {
            if is_live(at, token) {
                return Some(at);
            }
            self.heap.pop();
        }
        None
    }

    /// One deadline that has come by `now`.
    pub(super) fn due(&mut self, now: Nanos) -> Option<(Nanos, u64)> {
        let Reverse((at, token)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        Some((at, token))
    }

    /// Sweeps outdated entries out when they outnumber `live` ones by far.
    pub(super) fn sweep(&mut self, live: usize, is_live: impl Fn(Nanos, u64) -> bool) {
        if self.heap.len() > 4 * live + FEW {
            self.heap
                .retain(|Reverse((at, token))| is_live(*at, *token));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_and_never_early() {
        let mut timers = Timers::default();
        for at in [5, 1, 3] {
            timers.set(Nanos(at), at as u64);
        }
        assert_eq!(timers.next(|_, _| true), Some(Nanos(1)));
        assert_eq!(timers.due(Nanos(0)), None);
        assert_eq!(timers.due(Nanos(4)), Some((Nanos(1), 1)));
        assert_eq!(timers.due(Nanos(4)), Some((Nanos(3), 3)));
        assert_eq!(timers.due(Nanos(4)), None);
        assert_eq!(timers.next(|_, token| token != 5), None);
        assert_eq!(timers.due(Nanos(5)), None, "what is outdated is gone");
    }

    #[test]
    fn outdated_entries_do_not_pile_up() {
        let mut timers = Timers::default();
        for at in 0..100_000 {
            timers.set(Nanos(at), 0);
            timers.sweep(1, |at, _| at.0 % 1_000 == 0);
            assert!(timers.heap.len() <= FEW + 5 + 100);
        }
        assert_eq!(timers.due(Nanos::NEVER), Some((Nanos(0), 0)));
        assert!(timers.heap.len() >= 99, "what is live stays");
    }
}
