//! A queue that works in vain, and the rounds of tries that change nothing but its length.

use super::{Batch, Queue};
use crate::Part;
use assize_fault::Nanos;
use std::collections::VecDeque;

impl Queue {
    /// Whether nothing that waits, or that comes at `arrivals` (in order, with how many units) and
    /// waits `lasts`, is ever served in time, if all of it comes again every `period` without
    /// end. That is so where work that nobody waits for any more fills the queue: what comes in
    /// a period is at least what is done in one, so that a queue too long once stays too long.
    #[must_use]
    pub fn is_in_vain(&self, lasts: Nanos, period: Nanos, arrivals: &[(Nanos, u64)]) -> bool {
        if self.max.is_some() || self.stale_after.is_some() || self.micro_per_sec == 0 {
            return false;
        }
        let open = self.batches.len() - self.open.len().min(self.batches.len());
        let mut start = self.batches.get(open).map_or(self.tail, Batch::start);
        let again = self.tail - start + arrivals.iter().map(|a| a.1).sum::<u64>();
        let done = period.0.max(0) as u128 * self.micro_per_sec;
        if u128::from(again) * 1_000_000_000_000_000 < done {
            return false;
        }
        let waiting = self.batches.range(open..);
        let open_in_vain = waiting.clone().all(|b| {
            !b.settled && b.deadline == b.entered + lasts && self.time_of(b.start()) >= b.deadline
        });
        start = self.tail;
        open_in_vain
            && arrivals.iter().all(|&(at, units)| {
                let in_vain = self.time_of(start) >= at + lasts;
                start += units;
                in_vain
            })
    }

    /// Passes over so many periods in which everything came again, `arrivals` units and what
    /// waits now, and nothing was served in time ([`is_in_vain`](Self::is_in_vain)).
    pub fn pass_over(&mut self, periods: u64, period: Nanos, arrivals: u64) {
        let open = self.batches.len() - self.open.len();
        let start = self.batches.get(open).map_or(self.tail, Batch::start);
        let more = periods * (self.tail - start + arrivals);
        let later = period * periods as i64;
        self.tail += more;
        for batch in self.batches.range_mut(open..) {
            batch.next_end += more;
            batch.end += more;
            batch.entered += later;
            batch.deadline += later;
        }
        // What came meanwhile is one batch that nobody waits for.
        let passed = Batch {
            parts: VecDeque::new(),
            next_end: start,
            end: start + more,
            entered: Nanos::ZERO,
            deadline: Nanos::NEVER,
            settled: true,
        };
        self.batches.insert(open, passed);
        let keys = std::mem::take(&mut self.open).into_iter();
        self.open = keys
            .map(|((deadline, number), thrown)| ((deadline + later, number + 1), thrown))
            .collect();
        self.first_open = self.first + open as u64 + 1;
    }

    /// What waits for an outcome.
    pub fn waiting(&self) -> impl Iterator<Item = &Part> {
        self.batches.iter().flat_map(|b| &b.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{AGAIN, LASTS, Storm};
    use super::*;
    use proptest::prelude::*;

    impl Storm {
        fn arrivals(&self) -> Vec<(Nanos, u64)> {
            let mut list: Vec<(Nanos, u64)> =
                self.tries.iter().map(|t| (t.0, t.1.amount())).collect();
            list.sort_unstable();
            list
        }
    }

    #[test]
    fn a_storm_that_can_still_end_is_not_in_vain() {
        let mut bounded = Storm::new(Some(834), Some(LASTS), &[Nanos::ZERO]);
        bounded.run(Nanos::secs(60));
        let arrivals = bounded.arrivals();
        assert!(!bounded.queue.is_in_vain(LASTS, LASTS + AGAIN, &arrivals));
        // In its first three seconds the queue serves in time.
        let mut young = Storm::new(None, None, &[Nanos::ZERO]);
        young.run(Nanos::ZERO);
        assert!(
            !young
                .queue
                .is_in_vain(LASTS, LASTS + AGAIN, &young.arrivals())
        );
    }

    proptest! {
        /// Passing over rounds leaves what taking each of them leaves, also when the service
        /// is then made fast enough to serve everybody.
        #[test]
        fn passing_over_rounds_is_as_good_as_taking_them(
            begin in prop::collection::vec(0i64..5_000, 1..4),
            from in 10_000i64..30_000,
            rounds in 1u64..40,
            rest in 0i64..7_000,
        ) {
            let begin: Vec<Nanos> = begin.into_iter().map(Nanos::millis).collect();
            let (from, rest) = (Nanos::millis(from), Nanos::millis(rest));
            let period = LASTS + AGAIN;
            let mut passed = Storm::new(None, None, &begin);
            passed.run(from);
            let arrivals = passed.arrivals();
            prop_assert!(passed.queue.is_in_vain(LASTS, period, &arrivals));
            passed.queue.pass_over(rounds, period, arrivals.iter().map(|a| a.1).sum());
            let later = period * rounds as i64;
            passed.tries.iter_mut().for_each(|t| t.0 += later);
            let mut taken = Storm::new(None, None, &begin);
            let end = from + later + rest;
            for storm in [passed.run(end), taken.run(end)] {
                storm.queue.on_capacity(end, assize_fault::Rate::per_second(2_000_000), 64, 1);
                storm.run(end + Nanos::secs(60));
            }
            prop_assert!(taken.served > 834 * 64 && taken.last > end);
            prop_assert_eq!((passed.served, passed.last), (taken.served, taken.last));
            let amount = |s: &Storm| s.queue.amount(end + Nanos::secs(60));
            prop_assert_eq!(amount(&passed), amount(&taken));
        }
    }
}
