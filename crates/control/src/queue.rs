//! A bounded first-in, first-out queue in front of a service of fixed capacity.
//!
//! Work is fluid in whole units and comes in batches (one cohort's tries). A batch counts as
//! served in time for the part that is through by its deadline. Stale work, whose client has
//! given up, is thrown away if the queue does so (`stale_after`), and otherwise served in
//! vain: that is how a service stays down long after its fault has ended.

use assize_fault::{Nanos, Rate};
use assize_model::topology::WhenFull;
use std::collections::{BTreeMap, VecDeque};

/// The machine.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Units per second, times a million.
    micro_per_sec: u128,
    max: Option<u64>,
    when_full: WhenFull,
    stale_after: Option<Nanos>,
    /// In order of arrival, numbered through; `first` is the number of the front.
    batches: VecDeque<Batch>,
    first: u64,
    /// No batch before this number has clients that still wait.
    first_open: u64,
    /// Batches whose clients still wait, by deadline and number; with what was thrown away.
    open: BTreeMap<(Nanos, u64), Option<Thrown>>,
    /// `base` units were done (or thrown away) at `origin`; since then at the present rate.
    origin: Nanos,
    base: u64,
    /// Units ever accepted.
    tail: u64,
}

/// Work that arrived together and whose clients wait equally long: parts in order.
#[derive(Clone, Debug)]
struct Batch {
    /// Tag and amount.
    parts: Vec<(u64, u64)>,
    /// The first part that is not done, and the position at which it is.
    next: usize,
    next_end: u64,
    /// Position at which all of it is done.
    end: u64,
    entered: Nanos,
    deadline: Nanos,
    /// Its clients know the outcome.
    settled: bool,
}

/// Parts that were thrown away while their clients wait, the first of them partly done.
#[derive(Clone, Debug)]
struct Thrown {
    parts: Vec<(u64, u64)>,
    done: u64,
}

/// The outcome of a part of a batch.
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
            first: 0,
            first_open: 0,
            open: BTreeMap::new(),
            origin: now,
            base: 0,
            tail: 0,
        }
    }

    /// Units in the queue, stale ones included.
    #[must_use]
    pub fn amount(&self, now: Nanos) -> u64 {
        self.tail - self.position(now)
    }

    /// What a client that finds the queue full learns.
    #[must_use]
    pub const fn when_full(&self) -> WhenFull {
        self.when_full
    }

    /// Offers work in parts (tag and amount); returns how many units found room, from the first
    /// part on.
    pub fn offer(&mut self, now: Nanos, parts: &[(u64, u64)], deadline: Nanos) -> u64 {
        // An idle queue starts counting anew, so that idle time earns nothing.
        if self.position(now) == self.tail {
            self.base = self.tail;
            self.origin = now;
        }
        let offered: u64 = parts.iter().map(|p| p.1).sum();
        let room = self
            .max
            .map_or(offered, |max| max.saturating_sub(self.amount(now)));
        let accepted = offered.min(room);
        let mut left = accepted;
        let mut taken = Vec::with_capacity(parts.len());
        for &(tag, amount) in parts {
            let part = amount.min(left);
            left -= part;
            if part > 0 {
                taken.push((tag, part));
            }
        }
        if let Some(&(_, first)) = taken.first() {
            let number = self.first + self.batches.len() as u64;
            self.open.insert((deadline, number), None);
            self.batches.push_back(Batch {
                next: 0,
                next_end: self.tail + first,
                parts: taken,
                end: self.tail + accepted,
                entered: now,
                deadline,
                settled: false,
            });
            self.tail += accepted;
        }
        accepted
    }

    /// Outcomes that are due.
    pub fn on_wake(&mut self, now: Nanos, out: &mut Vec<Done>) {
        let position = self.position(now);
        self.serve(position, out);
        while let Some(entry) = self.open.first_entry().filter(|e| e.key().0 <= now) {
            let ((_, number), thrown) = entry.remove_entry();
            match thrown {
                Some(thrown) => settle(&thrown.parts, thrown.done, out),
                None => self.give_up(number, position, out),
            }
        }
        self.throw_away_stale(now, position);
        self.first_open = self.first_open.max(self.first);
        while self.batch(self.first_open).is_some_and(|b| b.settled) {
            self.first_open += 1;
        }
    }

    /// When the next outcome is due.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        let done = self
            .batch(self.first_open)
            .map(|b| self.time_of(b.next_end));
        let open = self.open.first_key_value().map(|(key, _)| key.0);
        let front = self.batches.front();
        let stale = self
            .stale_after
            .and_then(|age| front.map(|b| b.entered + age));
        [done, open, stale].into_iter().flatten().min()
    }

    /// The service has crashed or is cut off: all that waits is lost, and its clients with it.
    pub fn on_lost(&mut self, now: Nanos, out: &mut Vec<Done>) {
        self.on_wake(now, out);
        let position = self.position(now);
        for ((_, number), thrown) in std::mem::take(&mut self.open) {
            match thrown {
                Some(thrown) => settle(&thrown.parts, thrown.done, out),
                None => self.give_up(number, position, out),
            }
        }
        self.first += self.batches.len() as u64;
        self.batches.clear();
        self.origin = now;
        self.base = self.tail;
    }

    /// The capacity changes, as when a replica joins or leaves.
    pub fn on_capacity(&mut self, now: Nanos, rate: Rate, unit: u64) {
        self.base = self.position(now);
        self.origin = now;
        self.micro_per_sec = per_second(rate, unit);
    }

    fn batch(&self, number: u64) -> Option<&Batch> {
        self.batches.get(number.checked_sub(self.first)? as usize)
    }

    /// Parts that are through, and batches that are.
    fn serve(&mut self, position: u64, out: &mut Vec<Done>) {
        while let Some(batch) = self.batches.front_mut() {
            while !batch.settled && batch.next_end <= position {
                let (tag, amount) = batch.parts[batch.next];
                out.push(Done {
                    tag,
                    served: amount,
                    failed: 0,
                });
                batch.next += 1;
                match batch.parts.get(batch.next) {
                    Some(part) => batch.next_end += part.1,
                    None => batch.settled = true,
                }
            }
            if batch.end > position {
                return;
            }
            self.open.remove(&(batch.deadline, self.first));
            self.batches.pop_front();
            self.first += 1;
        }
    }

    /// The clients of a batch give up; what was done by then was in time.
    fn give_up(&mut self, number: u64, position: u64, out: &mut Vec<Done>) {
        let index = number.checked_sub(self.first).map(|i| i as usize);
        let Some(batch) = index.and_then(|i| self.batches.get_mut(i)) else {
            return;
        };
        if !batch.settled {
            batch.settled = true;
            let parts = std::mem::take(&mut batch.parts);
            let begin = batch.next_end - parts[batch.next].1;
            settle(&parts[batch.next..], position.saturating_sub(begin), out);
        }
    }

    /// Work is queued in order of age, so what is stale stands at the front: the server passes
    /// over it. A client that still waits learns of it by its own deadline.
    fn throw_away_stale(&mut self, now: Nanos, position: u64) {
        let Some(age) = self.stale_after else { return };
        while let Some(batch) = self.batches.pop_front_if(|b| b.entered + age <= now) {
            if !batch.settled
                && let Some(open) = self.open.get_mut(&(batch.deadline, self.first))
            {
                let begin = batch.next_end - batch.parts[batch.next].1;
                let done = position.saturating_sub(begin);
                *open = Some(Thrown {
                    parts: batch.parts[batch.next..].to_vec(),
                    done,
                });
            }
            self.first += 1;
            self.base = batch.end;
            self.origin = now;
        }
    }

    /// Units done by `now`.
    fn position(&self, now: Nanos) -> u64 {
        let ns = (now - self.origin).0.max(0) as u128;
        let done = (ns * self.micro_per_sec / 1_000_000_000_000_000) as u64;
        (self.base + done).min(self.tail)
    }

    /// When the unit at this position is done.
    fn time_of(&self, position: u64) -> Nanos {
        if self.micro_per_sec == 0 {
            return Nanos::NEVER;
        }
        let ns = (u128::from(position.saturating_sub(self.base)) * 1_000_000_000_000_000)
            .div_ceil(self.micro_per_sec);
        self.origin + Nanos(ns.min(Nanos::NEVER.0 as u128) as i64)
    }
}

/// Of these parts so many units are done, from the first on; the rest has failed.
fn settle(parts: &[(u64, u64)], mut done: u64, out: &mut Vec<Done>) {
    for &(tag, amount) in parts {
        let served = amount.min(done);
        done -= served;
        out.push(Done {
            tag,
            served,
            failed: amount - served,
        });
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
            let due: Vec<(u64, u64)> = tries
                .extract_if(.., |t| t.0 <= now)
                .map(|t| (t.1, t.2))
                .collect();
            let mut accepted = queue.offer(now, &due, now + lasts);
            for (k, amount) in due {
                let taken = amount.min(accepted);
                accepted -= taken;
                if taken < amount {
                    tries.push((now + again, k, amount - taken));
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
        queue.offer(Nanos::ZERO, &[(7, 100)], Nanos::secs(60));
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
