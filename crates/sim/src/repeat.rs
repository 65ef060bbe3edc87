//! A storm that only repeats itself is passed over.
//!
//! Where a service works in vain on tries that nobody waits for any more, every round of tries is
//! like the last. Until something else happens, the rounds change nothing but the length of the
//! queue, which is counted here without an event for each.

use crate::engine::Engine;
use crate::wakes::Wake;
use assize_control::Part;
use assize_fault::Nanos;

/// A storm of one service of which every round is like the last.
struct Storm {
    service: usize,
    period: Nanos,
    /// Units that come in a round, besides those that wait in the queue.
    comes: u64,
}

impl Engine<'_> {
    /// Moves the tries and the queue of such a storm on to the last round before anything else
    /// happens. Returns whether there was more than one round to pass over.
    pub(crate) fn pass_over_rounds(&mut self) -> bool {
        let Some(storm) = self.storm_that_repeats() else {
            return false;
        };
        let own = |wake: Wake| matches!(wake, Wake::Tries) || wake == Wake::Queue(storm.service);
        let until = self.wakes.next_but(own).min(self.plan.scenario.end);
        let rounds = (until - self.now).0 / storm.period.0;
        if rounds < 2 {
            return false;
        }
        let later = storm.period * rounds;
        let tries = std::mem::take(&mut self.tries);
        self.tries = tries.into_iter().map(|(at, p)| (at + later, p)).collect();
        let state = &mut self.services[storm.service];
        if let Some(queue) = &mut state.queue {
            queue.pass_over(rounds as u64, storm.period, storm.comes);
        }
        self.record.figure(&[self.now.0, later.0]);
        self.note_queue(storm.service);
        true
    }

    /// All tries that wait or are under way are one service's, their clients wait equally long
    /// and can all reach it, and it serves none of them in time.
    fn storm_that_repeats(&self) -> Option<Storm> {
        let (_, first) = self.tries.first_key_value()?;
        let one = &self.leases[first.first()?.tag as usize];
        let (service, lasts, again) = (one.service, one.lasts, one.again);
        let state = &self.services[service.index()];
        let queue = state.queue.as_ref().filter(|_| state.load.is_none())?;
        let alike = |part: &Part| {
            let lease = &self.leases[part.tag as usize];
            (lease.service, lease.lasts, lease.again) == (service, lasts, again)
                && part.mask & !self.entries[lease.entry].ok == 0
        };
        let mut parts = self.tries.values().flatten().chain(queue.waiting());
        if !parts.all(alike) {
            return None;
        }
        let units = |parts: &Vec<Part>| parts.iter().map(Part::amount).sum::<u64>();
        let arrivals: Vec<(Nanos, u64)> = self.tries.iter().map(|t| (*t.0, units(t.1))).collect();
        let period = lasts + again;
        let storm = Storm {
            service: service.index(),
            period,
            comes: arrivals.iter().map(|a| a.1).sum(),
        };
        (period > Nanos::ZERO && queue.is_in_vain(lasts, period, &arrivals)).then_some(storm)
    }
}
