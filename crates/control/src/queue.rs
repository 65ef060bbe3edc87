//! A bounded first-in, first-out queue in front of a service of fixed capacity.
//!
//! Work is fluid in whole units and comes in batches (one cohort's tries). A batch counts as
//! served in time for the part that is through by its deadline. Stale work, whose client has
//! given up, is thrown away if the queue does so (`stale_after`), and otherwise served in
//! vain: that is how a service stays down long after its fault has ended.

mod in_vain;

use crate::matured::bits;
use assize_fault::{Nanos, Rate};
use assize_model::topology::WhenFull;
use std::collections::{BTreeMap, VecDeque};

/// The machine.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Units per second, times a million.
    micro_per_sec: u128,
    /// Of each server.
    max: Option<u64>,
    servers: u64,
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

/// Work of several cohorts, each of the same amount, in order of their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Whose; the caller's own number.
    pub tag: u64,
    /// Cohorts.
    pub mask: u64,
    /// Units of each cohort.
    pub each: u64,
}

/// Work that arrived together and whose clients wait equally long: parts in order.
#[derive(Clone, Debug)]
struct Batch {
    /// What is not done yet; a cohort leaves its part when it is done.
    parts: VecDeque<Part>,
    /// Position at which the next cohort is done.
    next_end: u64,
    /// Position at which all of it is done.
    end: u64,
    entered: Nanos,
    deadline: Nanos,
    /// Its clients know the outcome.
    settled: bool,
}

/// Parts that were thrown away while their clients wait, with so many units done.
#[derive(Clone, Debug)]
struct Thrown {
    parts: VecDeque<Part>,
    done: u64,
}

/// The outcome of work that was offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// Whose, which cohorts, how much of each.
    pub part: Part,
    /// Served in time; otherwise its client gave up.
    pub served: bool,
}

impl Part {
    /// Units in all.
    #[must_use]
    pub fn amount(&self) -> u64 {
        u64::from(self.mask.count_ones()) * self.each
    }

    /// The first so many units, and the rest. A cohort that is divided appears on both sides.
    pub fn split(self, amount: u64, first: &mut Vec<Self>, rest: &mut Vec<Self>) {
        let whole = amount.checked_div(self.each).unwrap_or(0).min(64) as u32;
        let mut taken = 0u64;
        let mut left = self.mask;
        for _ in 0..whole {
            let bit = left & left.wrapping_neg();
            taken |= bit;
            left ^= bit;
        }
        let divided = amount - u64::from(taken.count_ones()) * self.each;
        let put = |list: &mut Vec<Self>, mask: u64, each: u64| {
            if mask != 0 && each != 0 {
                list.push(Self { mask, each, ..self });
            }
        };
        put(first, taken, self.each);
        if divided > 0 && left != 0 {
            let bit = left & left.wrapping_neg();
            left ^= bit;
            put(first, bit, divided);
            put(rest, bit, self.each - divided);
        }
        put(rest, left, self.each);
    }
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
            servers: 1,
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

    /// Offers work; what finds no room, the last cohorts of every part, goes to `refused`.
    pub fn offer(&mut self, now: Nanos, parts: &[Part], deadline: Nanos, refused: &mut Vec<Part>) {
        // An idle queue starts counting anew, so that idle time earns nothing.
        if self.position(now) == self.tail {
            self.base = self.tail;
            self.origin = now;
        }
        let room = self.max.map_or(u64::MAX, |max| {
            (max * self.servers).saturating_sub(self.amount(now))
        });
        let mut taken = Vec::with_capacity(parts.len());
        share_room(room, parts, &mut taken, refused);
        let Some(first) = taken.first() else { return };
        let number = self.first + self.batches.len() as u64;
        self.open.insert((deadline, number), None);
        let end = self.tail + taken.iter().map(Part::amount).sum::<u64>();
        self.batches.push_back(Batch {
            next_end: self.tail + first.each,
            parts: taken.into(),
            end,
            entered: now,
            deadline,
            settled: false,
        });
        self.tail = end;
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

    /// The capacity changes, as when a replica joins or leaves; `rate` is that of all.
    pub fn on_capacity(&mut self, now: Nanos, rate: Rate, unit: u64, servers: u64) {
        self.servers = servers.max(1);
        self.base = self.position(now);
        self.origin = now;
        self.micro_per_sec = per_second(rate, unit);
    }

    fn batch(&self, number: u64) -> Option<&Batch> {
        self.batches.get(number.checked_sub(self.first)? as usize)
    }

    /// Cohorts that are through, and batches that are.
    fn serve(&mut self, position: u64, out: &mut Vec<Done>) {
        while let Some(batch) = self.batches.front_mut() {
            while !batch.settled && batch.next_end <= position {
                batch.serve_one(out);
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
        if let Some(batch) = index.and_then(|i| self.batches.get_mut(i)) {
            let thrown = batch.abandon(position);
            settle(&thrown.parts, thrown.done, out);
        }
    }

    /// Work is queued in order of age, so what is stale stands at the front: the server passes
    /// over it. A client that still waits learns of it by its own deadline.
    fn throw_away_stale(&mut self, now: Nanos, position: u64) {
        let Some(age) = self.stale_after else { return };
        while let Some(mut batch) = self.batches.pop_front_if(|b| b.entered + age <= now) {
            if let Some(open) = self.open.get_mut(&(batch.deadline, self.first)) {
                *open = Some(batch.abandon(position));
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

impl Batch {
    /// Position at which its next cohort begins.
    fn start(&self) -> u64 {
        self.next_end - self.parts.front().map_or(0, |p| p.each)
    }

    /// The next cohort is done.
    fn serve_one(&mut self, out: &mut Vec<Done>) {
        let Some(part) = self.parts.front_mut() else {
            return;
        };
        let bit = part.mask & part.mask.wrapping_neg();
        out.push(Done {
            part: Part { mask: bit, ..*part },
            served: true,
        });
        part.mask ^= bit;
        if part.mask == 0 {
            self.parts.pop_front();
        }
        match self.parts.front() {
            Some(part) => self.next_end += part.each,
            None => self.settled = true,
        }
    }

    /// Nobody waits for it in the queue any more; returns what was not done, and how much of
    /// that had been begun.
    fn abandon(&mut self, position: u64) -> Thrown {
        let done = position.saturating_sub(self.start());
        self.settled = true;
        Thrown {
            parts: std::mem::take(&mut self.parts),
            done,
        }
    }
}

/// Cohort by cohort, so that none of several parts comes before the others: they are many people
/// who arrive in no order.
fn share_room(mut room: u64, parts: &[Part], taken: &mut Vec<Part>, refused: &mut Vec<Part>) {
    if parts.iter().map(Part::amount).sum::<u64>() <= room {
        taken.extend_from_slice(parts);
        return;
    }
    let mut asked = [0u64; 64];
    for part in parts {
        bits(part.mask).for_each(|k| asked[k] += part.each);
    }
    let fits = asked.iter().take_while(|units| {
        let fits = **units <= room;
        room -= if fits { **units } else { 0 };
        fits
    });
    let divided = fits.count();
    let (before, at) = ((1u64 << divided) - 1, 1u64 << divided);
    for part in parts {
        let part_of = |mask: u64, each: u64| Part {
            mask,
            each,
            ..*part
        };
        let some = room.min(part.each) * u64::from(part.mask & at != 0);
        room -= some;
        let pieces = [part_of(part.mask & before, part.each), part_of(at, some)];
        let rest = part.each - some;
        let left = [
            part_of(part.mask & at, rest),
            part_of(part.mask & !before & !at, part.each),
        ];
        let there = |p: &Part| p.mask != 0 && p.each != 0;
        taken.extend(pieces.into_iter().filter(there));
        refused.extend(left.into_iter().filter(there));
    }
}

/// Of these parts so many units are done, from the first on; the rest has failed.
fn settle(parts: &VecDeque<Part>, mut done: u64, out: &mut Vec<Done>) {
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for part in parts {
        let amount = done.min(part.amount());
        done -= amount;
        part.split(amount, &mut first, &mut rest);
        out.extend(first.drain(..).map(|part| Done { part, served: true }));
        out.extend(rest.drain(..).map(|part| Done {
            part,
            served: false,
        }));
    }
}

fn per_second(rate: Rate, unit: u64) -> u128 {
    u128::from(rate.micro) * u128::from(unit) * 1_000_000_000 / (rate.per.0.max(1) as u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty thousand devices in 64 batches, 278 a second; a try lasts 3 s, the next comes 2 s
    /// after a failure.
    pub(super) struct Storm {
        pub(super) queue: Queue,
        pub(super) tries: Vec<(Nanos, Part)>,
        /// How many were served, and the last of them when.
        pub(super) served: u64,
        pub(super) last: Nanos,
    }

    pub(super) const LASTS: Nanos = Nanos::secs(3);
    pub(super) const AGAIN: Nanos = Nanos::secs(2);

    impl Storm {
        pub(super) fn new(max: Option<u64>, stale_after: Option<Nanos>, begin: &[Nanos]) -> Self {
            let rate = Rate::per_second(278);
            let queue = Queue::new(rate, 64, max, WhenFull::Refuse, stale_after, Nanos::ZERO);
            let share = 64 / begin.len() as u32;
            let part = |i: usize| Part {
                tag: 0,
                mask: (u64::MAX >> (64 - share)) << (i as u32 * share),
                each: 20_000,
            };
            let tries = begin.iter().enumerate().map(|(i, at)| (*at, part(i)));
            Self {
                queue,
                tries: tries.collect(),
                served: 0,
                last: Nanos::ZERO,
            }
        }

        /// Up to and including `limit`.
        pub(super) fn run(&mut self, limit: Nanos) -> &mut Self {
            loop {
                let try_at = self.tries.iter().map(|t| t.0).min();
                let next = [try_at, self.queue.next_wake()].into_iter().flatten().min();
                let Some(now) = next.filter(|n| *n <= limit) else {
                    return self;
                };
                let mut out = Vec::new();
                self.queue.on_wake(now, &mut out);
                for done in out {
                    if done.served {
                        self.served += done.part.amount();
                        self.last = now;
                    } else {
                        self.tries.push((now + AGAIN, done.part));
                    }
                }
                let due = self.tries.extract_if(.., |t| t.0 <= now).map(|t| t.1);
                let mut due: Vec<Part> = due.collect();
                due.sort_by_key(|p| p.mask.trailing_zeros());
                let mut refused = Vec::new();
                self.queue.offer(now, &due, now + LASTS, &mut refused);
                let refused = refused.into_iter().map(|part| (now + AGAIN, part));
                self.tries.extend(refused);
            }
        }
    }

    fn storm(max: Option<u64>, stale_after: Option<Nanos>, limit: Nanos) -> (Nanos, u64) {
        let mut storm = Storm::new(max, stale_after, &[Nanos::ZERO]);
        storm.run(limit);
        (storm.last, storm.served)
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
    fn room_is_shared_cohort_by_cohort() {
        let rate = Rate::per_second(1);
        let mut queue = Queue::new(rate, 1, Some(50), WhenFull::Refuse, None, Nanos::ZERO);
        let part = |tag, mask, each| Part { tag, mask, each };
        let mut refused = Vec::new();
        let offered = [part(1, 0b111, 10), part(2, 0b111, 8), part(3, 0b100, 20)];
        queue.offer(Nanos::ZERO, &offered, Nanos::secs(60), &mut refused);
        // Cohorts 0 and 1 of both: 36 units. Of the third, the 14 that are left: 10 and 4.
        let taken: Vec<Part> = queue.waiting().copied().collect();
        let both = |tag, each| part(tag, 0b011, each);
        assert_eq!(
            taken,
            vec![
                both(1, 10),
                part(1, 0b100, 10),
                both(2, 8),
                part(2, 0b100, 4)
            ]
        );
        assert_eq!(refused, vec![part(2, 0b100, 4), part(3, 0b100, 20)]);
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
        let part = Part {
            tag: 7,
            mask: 1,
            each: 100,
        };
        queue.offer(Nanos::ZERO, &[part], Nanos::secs(60), &mut Vec::new());
        let mut out = Vec::new();
        queue.on_lost(Nanos::secs(1), &mut out);
        let piece = |each, served| Done {
            part: Part { each, ..part },
            served,
        };
        assert_eq!(out, vec![piece(10, true), piece(90, false)]);
        assert_eq!((queue.amount(Nanos::secs(2)), queue.next_wake()), (0, None));
    }
}
