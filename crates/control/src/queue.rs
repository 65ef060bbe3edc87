//! A bounded first-in, first-out queue in front of a service of fixed capacity.
//!
//! Work is fluid in whole units and comes in batches (one cohort's tries). A batch counts as
//! served in time for the part that is through by its deadline. Stale work, whose client has
//! given up, is thrown away if the queue does so (`stale_after`), and otherwise served in
//! vain: that is how a service stays down long after its fault has ended.

use assize_fault::{Nanos, Rate};
use assize_model::topology::WhenFull;
use std::collections::VecDeque;

/// The machine.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Units per second, times a million.
    micro_per_sec: u128,
    max: Option<u64>,
    when_full: WhenFull,
    stale_after: Option<Nanos>,
    batches: VecDeque<Batch>,
    /// `base` units were done at `origin`; since then at the present rate.
    origin: Nanos,
    base: u64,
    /// Units ever accepted, less those thrown away.
    tail: u64,
}

#[derive(Clone, Copy, Debug)]
struct Batch {
    tag: u64,
    amount: u64,
    /// Position at which it is done.
    end: u64,
    entered: Nanos,
    deadline: Nanos,
    /// Its client has been told the outcome.
    settled: bool,
}

/// The outcome of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// As given to [`Queue::offer`].
    pub tag: u64,
    /// Units served in time.
    pub served: u64,
    /// Units whose client gave up.
    pub failed: u64,
}

impl Queue {
    /// An empty queue. `unit` is how many units one request counts as; `max` is in requests.
    #[must_use]
    pub fn new(
        rate: Rate,
        unit: u64,
        max: Option<u64>,
        when_full: WhenFull,
        stale_after: Option<Nanos>,
        now: Nanos,
    ) -> Self {
        Self {
            micro_per_sec: per_second(rate, unit),
            max: max.map(|m| m * unit),
            when_full,
            stale_after,
            batches: VecDeque::new(),
            origin: now,
            base: 0,
            tail: 0,
        }
    }

    /// Units in the queue, stale ones included.
    #[must_use]
    pub fn amount(&self, now: Nanos) -> u64 {
        self.tail - self.position(now).min(self.tail)
    }

    /// What a client that finds the queue full learns.
    #[must_use]
    pub const fn when_full(&self) -> WhenFull {
        self.when_full
    }

    /// Offers a batch; returns how many of its units found room.
    pub fn offer(&mut self, now: Nanos, tag: u64, amount: u64, deadline: Nanos) -> u64 {
        self.settle_origin(now);
        let room = self
            .max
            .map_or(amount, |max| max.saturating_sub(self.amount(now)));
        let accepted = amount.min(room);
        if accepted > 0 {
            self.tail += accepted;
            self.batches.push_back(Batch {
                tag,
                amount: accepted,
                end: self.tail,
                entered: now,
                deadline,
                settled: false,
            });
        }
        accepted
    }

    /// Outcomes that are due.
    pub fn on_wake(&mut self, now: Nanos, out: &mut Vec<Done>) {
        let position = self.position(now);
        while let Some(batch) = self.batches.pop_front_if(|b| b.end <= position) {
            if !batch.settled {
                out.push(Done {
                    tag: batch.tag,
                    served: batch.amount,
                    failed: 0,
                });
            }
        }
        for batch in self
            .batches
            .iter_mut()
            .filter(|b| !b.settled && b.deadline <= now)
        {
            let begin = batch.end - batch.amount;
            let served = position.saturating_sub(begin);
            batch.settled = true;
            out.push(Done {
                tag: batch.tag,
                served,
                failed: batch.amount - served,
            });
        }
        self.throw_away_stale(now, position);
    }

    /// When the next outcome is due.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        let done = self.batches.front().map(|b| self.time_of(b.end));
        let open = self
            .batches
            .iter()
            .filter(|b| !b.settled)
            .map(|b| b.deadline)
            .min();
        let stale = self
            .stale_after
            .and_then(|age| self.batches.iter().map(|b| b.entered + age).min());
        [done, open, stale].into_iter().flatten().min()
    }

    /// The service has crashed or is cut off: all that waits is lost, and its clients with it.
    pub fn on_lost(&mut self, now: Nanos, out: &mut Vec<Done>) {
        self.on_wake(now, out);
        let position = self.position(now);
        for batch in self.batches.drain(..).filter(|b| !b.settled) {
            let served = position.saturating_sub(batch.end - batch.amount);
            out.push(Done {
                tag: batch.tag,
                served,
                failed: batch.amount - served,
            });
        }
        self.origin = now;
        self.base = self.tail;
    }

    /// The capacity changes, as when a replica joins or leaves.
    pub fn on_capacity(&mut self, now: Nanos, rate: Rate, unit: u64) {
        self.base = self.position(now).min(self.tail);
        self.origin = now;
        self.micro_per_sec = per_second(rate, unit);
    }

    fn throw_away_stale(&mut self, now: Nanos, position: u64) {
        let Some(age) = self.stale_after else { return };
        if !self
            .batches
            .iter()
            .any(|b| b.entered + age <= now && b.end > position)
        {
            return;
        }
        let mut tail = position.min(self.tail);
        self.batches.retain_mut(|b| {
            let left = b.end - position.max(b.end - b.amount);
            if b.settled && b.entered + age <= now {
                return false;
            }
            tail += left;
            b.end = tail;
            true
        });
        self.tail = tail;
    }

    /// An idle queue starts counting anew, so that idle time earns nothing.
    fn settle_origin(&mut self, now: Nanos) {
        if self.position(now) >= self.tail && self.batches.is_empty() {
            self.origin = now;
            self.base = self.tail;
        }
    }

    /// Units done by `now`, if the queue never runs empty.
    fn position(&self, now: Nanos) -> u64 {
        let ns = (now - self.origin).0.max(0) as u128;
        self.base + (ns * self.micro_per_sec / 1_000_000_000_000_000) as u64
    }

    /// When the unit at this position is done.
    fn time_of(&self, position: u64) -> Nanos {
        if self.micro_per_sec == 0 {
            return Nanos::NEVER;
        }
        let ns =
            (u128::from(position - self.base) * 1_000_000_000_000_000).div_ceil(self.micro_per_sec);
        self.origin + Nanos(ns.min(Nanos::NEVER.0 as u128) as i64)
    }
}

fn per_second(rate: Rate, unit: u64) -> u128 {
    u128::from(rate.micro) * u128::from(unit) * 1_000_000_000 / (rate.per.0.max(1) as u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty thousand devices in 64 batches, 278 a second; a try lasts 3 s, the next comes 2 s
    /// after a failure. Returns when the last was served, and how many were.
    fn storm(max: Option<u64>, stale_after: Option<Nanos>, limit: Nanos) -> (Nanos, u64) {
        let (lasts, again) = (Nanos::secs(3), Nanos::secs(2));
        let mut queue = Queue::new(
            Rate::per_second(278),
            64,
            max,
            WhenFull::Refuse,
            stale_after,
            Nanos::ZERO,
        );
        let mut tries: Vec<(Nanos, u64, u64)> = (0..64).map(|k| (Nanos::ZERO, k, 20_000)).collect();
        let (mut served, mut last) = (0, Nanos::ZERO);
        loop {
            tries.sort_unstable();
            let try_at = tries.first().map(|t| t.0);
            let Some(now) = [try_at, queue.next_wake()].into_iter().flatten().min() else {
                break;
            };
            if now > limit {
                break;
            }
            let mut out = Vec::new();
            queue.on_wake(now, &mut out);
            for done in out {
                served += done.served;
                if done.served > 0 {
                    last = now;
                }
                if done.failed > 0 {
                    tries.push((now + again, done.tag, done.failed));
                }
            }
            tries.sort_unstable();
            while tries.first().is_some_and(|t| t.0 <= now) {
                let (_, k, amount) = tries.remove(0);
                let accepted = queue.offer(now, k, amount, now + lasts);
                if accepted < amount {
                    tries.push((now + again, k, amount - accepted));
                }
            }
        }
        (last, served)
    }

    #[test]
    fn a_bounded_fresh_queue_clears_at_full_capacity() {
        let (last, served) = storm(Some(834), Some(Nanos::secs(3)), Nanos::secs(600));
        assert_eq!(served, 20_000 * 64);
        // 20,000 / 278 per second = 71.942 s.
        assert_eq!(last.0 / 1_000_000, 71_942);
    }

    #[test]
    fn an_unbounded_queue_that_serves_stale_work_never_recovers() {
        let (last, served) = storm(None, None, Nanos::secs(3600));
        // 278 × 3 = 834 in the first three seconds, and never more.
        assert_eq!((served, last), (834 * 64, Nanos::secs(3)));
    }

    #[test]
    fn throwing_stale_work_away_is_enough_to_recover() {
        let (_, served) = storm(None, Some(Nanos::secs(3)), Nanos::secs(3600));
        assert_eq!(served, 20_000 * 64);
    }

    #[test]
    fn a_crash_loses_what_waits() {
        let mut queue = Queue::new(
            Rate::per_second(10),
            1,
            None,
            WhenFull::Refuse,
            None,
            Nanos::ZERO,
        );
        queue.offer(Nanos::ZERO, 7, 100, Nanos::secs(60));
        let mut out = Vec::new();
        queue.on_lost(Nanos::secs(1), &mut out);
        assert_eq!(
            out,
            vec![Done {
                tag: 7,
                served: 10,
                failed: 90
            }]
        );
        assert_eq!((queue.amount(Nanos::secs(2)), queue.next_wake()), (0, None));
    }
}
