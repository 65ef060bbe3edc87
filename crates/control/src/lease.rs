//! What one client keeps of a service: a lease, a ticket, a session. Renewed at one age, void at
//! another, and needed anew by whoever joins.
//!
//! It knows what is kept and when to ask; whether there is an answer, it is told. While there is
//! one, renewals come when they are due and nothing changes but the age, so that
//! [`Lease::catch_up`] may skip them: [`crate::Cache`] keeps 64 of these for as many cohorts in
//! this way, and a live engine asks a real service each time.

use assize_fault::Nanos;
use assize_model::topology::LeaseSpec;

/// The machine. Nothing is due until it is anchored or granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    renew: Nanos,
    expire: Nanos,
    join_every: Nanos,
    due: Nanos,
    void: Nanos,
    join: Nanos,
    /// Somebody joins and has not been answered yet, while what was kept before is valid.
    joining: bool,
}

impl Lease {
    /// As the need says; somebody joins every so often, or never.
    #[must_use]
    pub fn new(spec: &LeaseSpec, join_every: Nanos) -> Self {
        Self {
            renew: spec.renew.max(Nanos(1)),
            expire: spec.expire.max(spec.renew).max(Nanos(1)),
            join_every,
            due: Nanos::NEVER,
            void: Nanos::NEVER,
            join: Nanos::NEVER,
            joining: false,
        }
    }

    /// Ages count from `now`: the renewal of a phase (0 to 63) is due at the middle of its 64th of
    /// the renewal age.
    pub fn anchor(&mut self, now: Nanos, phase: u8) {
        self.due_at(now + fraction(self.renew, phase));
    }

    /// Joins count from `now`, in the same way.
    pub fn anchor_joins(&mut self, now: Nanos, phase: u8) {
        if !self.join_every.is_never() {
            self.join = now + fraction(self.join_every, phase);
        }
    }

    /// Every renewal and join before `now` was answered at once: on to those ahead.
    pub fn catch_up(&mut self, now: Nanos) {
        if self.due < now {
            self.due_at(now + (self.due - now) % self.renew);
        }
        if self.join < now {
            self.join = now + (self.join - now) % self.join_every;
        }
    }

    /// Renewals are made from `now` on, those before the anchor too.
    pub fn wind(&mut self, now: Nanos) {
        self.due_at(now + (self.due - now) % self.renew);
    }

    /// When the service is asked next, unless something happens before: for a renewal, or because
    /// somebody joins.
    #[must_use]
    pub fn asks_at(&self) -> Nanos {
        self.due.min(self.join)
    }

    /// When the next renewal is due.
    #[must_use]
    pub const fn due(&self) -> Nanos {
        self.due
    }

    /// When what is held ends if there is no answer before: its time is over, or somebody joins and
    /// gets nothing.
    #[must_use]
    pub fn ends_at(&self) -> Nanos {
        self.void.min(self.join)
    }

    /// Somebody joins, if it is time; returns whether it is. Who joins holds nothing until there is
    /// an answer.
    pub fn on_join(&mut self, now: Nanos) -> bool {
        self.joining = self.join <= now;
        self.joining
    }

    /// All that is held is void.
    pub const fn on_void(&mut self, now: Nanos) {
        self.due = now;
        self.void = now;
        self.joining = false;
    }

    /// The service was asked and gave no answer: who joined has nothing, whatever was held before.
    pub fn on_unanswered(&mut self, now: Nanos) {
        if std::mem::take(&mut self.joining) {
            self.due = self.due.min(now);
        }
    }

    /// It has been obtained at `now`. Who joined and was answered at once changes no one's age.
    pub fn on_granted(&mut self, now: Nanos) {
        if !std::mem::take(&mut self.joining) || self.due <= now {
            self.due = now + self.renew;
            self.void = now + self.expire;
        }
        if self.join <= now {
            let ahead = (self.join - now) % self.join_every;
            self.join = now
                + if ahead == Nanos::ZERO {
                    self.join_every
                } else {
                    ahead
                };
        }
    }

    fn due_at(&mut self, due: Nanos) {
        self.due = due;
        self.void = due + (self.expire - self.renew);
    }
}

/// The middle of one of 64 parts.
const fn fraction(whole: Nanos, phase: u8) -> Nanos {
    Nanos((whole.0 as i128 * (2 * phase as i128 + 1) / 128) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cache;
    use proptest::prelude::*;

    const START: Nanos = Nanos(-5_000);
    const END: Nanos = Nanos(60_000);

    /// Something that happens to a service: it is out in this span, or all that is held of it is
    /// void at its beginning.
    #[derive(Clone, Copy, Debug)]
    struct Event {
        from: Nanos,
        to: Nanos,
        voids: bool,
    }

    /// When what one cohort holds became valid, or void.
    type Turns = Vec<(Nanos, bool)>;

    /// As a simulation uses it: told when the service is there, renewals skipped.
    fn simulated(spec: &LeaseSpec, joins: Nanos, events: &[Event]) -> Vec<Turns> {
        let phase = core::array::from_fn(|k| k as u8);
        let mut cache = Cache::new(spec, phase, joins, phase);
        let mut turns = vec![Turns::new(); 64];
        let mut before = u64::MAX;
        let mut look = |at: Nanos, cache: &Cache| {
            for (k, turns) in turns.iter_mut().enumerate() {
                if (before ^ cache.valid()) & (1 << k) != 0 {
                    turns.push((at, cache.valid() & (1 << k) != 0));
                }
            }
            before = cache.valid();
        };
        for event in events {
            if event.voids {
                let change = cache.on_void(event.from);
                cache.on_granted(event.from, change.asks);
            } else {
                cache.on_available(event.from, 0);
                while let Some(at) = cache.next_wake().filter(|at| *at < event.to) {
                    cache.on_wake(at);
                    look(at, &cache);
                }
                let change = cache.on_available(event.to, u64::MAX);
                cache.on_granted(event.to, change.asks);
            }
            look(event.to, &cache);
        }
        turns
    }

    /// As a live engine uses it: asks each time, and goes on asking until there is an answer.
    fn asked(mut lease: Lease, events: &[Event]) -> Turns {
        let mut turns = Turns::new();
        let mut voids = events.iter().filter(|e| e.voids).map(|e| e.from).peekable();
        let back = |at: Nanos| {
            let mut outages = events.iter().filter(|e| !e.voids);
            outages.find(|e| e.from <= at && at < e.to).map(|e| e.to)
        };
        loop {
            let at = match voids.next_if(|v| *v <= lease.asks_at()) {
                Some(at) => {
                    lease.on_void(at);
                    at
                }
                None => lease.asks_at(),
            };
            if at >= END {
                return turns;
            }
            let joins = lease.on_join(at);
            let Some(back) = back(at) else {
                lease.on_granted(at);
                continue;
            };
            let ends = if joins { at } else { lease.ends_at() };
            lease.on_unanswered(at);
            if ends < back {
                turns.extend([(ends, false), (back, true)]);
            }
            lease.on_granted(back);
        }
    }

    /// Events one after the other, the first of them an outage: that is what ages count from.
    fn events() -> impl Strategy<Value = Vec<Event>> {
        let one = (1_i64..6_000, 1_i64..6_000, prop::bool::weighted(0.2));
        prop::collection::vec(one, 1..8).prop_map(|list| {
            let mut at = 0;
            let events = list
                .into_iter()
                .enumerate()
                .map(|(i, (gap, length, voids))| {
                    let voids = voids && i > 0;
                    let from = at + if i == 0 { 0 } else { gap };
                    at = from + if voids { 0 } else { length };
                    Event {
                        from: Nanos(from),
                        to: Nanos(at),
                        voids,
                    }
                });
            events.collect()
        })
    }

    proptest! {
        #[test]
        fn who_asks_each_time_and_who_skips_renewals_find_the_same(
            renew in 1_i64..5_000,
            more in 0_i64..5_000,
            joins in prop::option::of(1_000_i64..20_000),
            events in events(),
        ) {
            let spec = LeaseSpec {
                renew: Nanos(renew),
                expire: Nanos(renew + more),
                aligned: false,
            };
            let joins = joins.map_or(Nanos::NEVER, Nanos);
            let simulated = simulated(&spec, joins, &events);
            for (phase, simulated) in (0..64).zip(simulated) {
                let mut lease = Lease::new(&spec, joins);
                lease.anchor(Nanos::ZERO, phase);
                lease.wind(START);
                lease.anchor_joins(Nanos::ZERO, phase);
                prop_assert_eq!(asked(lease, &events), simulated, "phase {}", phase);
            }
        }
    }
}
