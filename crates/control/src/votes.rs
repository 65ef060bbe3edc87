//! Results of actual health checks, counted: `fall` failures in a row call a replica down, `rise`
//! successes in a row call it up again. It is what [`Checker`](crate::Checker) computes ahead for
//! checks that nobody makes.

/// The machine.
#[derive(Clone, Debug)]
pub struct Votes {
    fall: u32,
    rise: u32,
    up: bool,
    /// Results in a row against the present verdict.
    against: u32,
}

impl Votes {
    /// Of a replica that has been found well.
    #[must_use]
    pub fn new(fall: u32, rise: u32) -> Self {
        Self {
            fall: fall.max(1),
            rise: rise.max(1),
            up: true,
            against: 0,
        }
    }

    /// A check has a result; returns the new verdict if this turns it, `true` for up.
    pub fn on_result(&mut self, good: bool) -> Option<bool> {
        if good == self.up {
            self.against = 0;
            return None;
        }
        self.against += 1;
        let needed = if self.up { self.fall } else { self.rise };
        if self.against < needed {
            return None;
        }
        self.against = 0;
        self.up = good;
        Some(good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checker, Seen};
    use assize_fault::Nanos;
    use assize_model::topology::{Check, Probes};
    use proptest::prelude::*;

    /// What the next checks see.
    fn seen() -> impl Strategy<Value = Seen> {
        prop_oneof![
            (0..1_000_i64).prop_map(|ms| Seen::Good(Nanos::millis(ms))),
            (0..1_000_i64).prop_map(|ms| Seen::Bad(Nanos::millis(ms))),
            Just(Seen::Silent),
            Just(Seen::Unmade),
        ]
    }

    fn spec(fall: u32, rise: u32) -> Check {
        Check {
            every: Nanos::secs(2),
            timeout: Nanos::secs(1),
            fall,
            rise,
            from: Vec::new(),
            phase: None,
            probes: Probes::Service,
        }
    }

    proptest! {
        /// Every check is made, and each has its result when the computed one would have it.
        #[test]
        fn counted_and_computed_verdicts_are_the_same(
            fall in 1..5_u32,
            rise in 1..5_u32,
            phases in prop::collection::vec((seen(), 1..20_i64, 0..2_000_i64), 1..8),
        ) {
            let spec = spec(fall, rise);
            let mut checker = Checker::new(&spec, Nanos::ZERO, Nanos::ZERO);
            let mut computed = Vec::new();
            let mut votes = Votes::new(fall, rise);
            let mut counted = Vec::new();
            let (mut now, mut start) = (Nanos::ZERO, Nanos::ZERO);
            for (seen, checks, more) in phases {
                checker.on_seen(now, seen);
                let until = now + spec.every * checks + Nanos::millis(more);
                while start < until {
                    let (good, took) = match seen {
                        Seen::Good(took) => (true, took),
                        Seen::Bad(took) => (false, took),
                        Seen::Silent => (false, spec.timeout),
                        Seen::Unmade => {
                            start += spec.every;
                            continue;
                        }
                    };
                    let verdict = votes.on_result(good);
                    counted.extend(verdict.map(|up| (start + took, up)));
                    start += spec.every;
                }
                while let Some(at) = checker.next_wake().filter(|at| *at < until) {
                    let mut out = Vec::new();
                    checker.on_wake(at, &mut out);
                    computed.extend(out.into_iter().map(|up| (at, up)));
                }
                now = until;
            }
            // Results of checks that started before the end may come after it.
            while let Some(at) = checker.next_wake().filter(|at| *at < now + spec.timeout) {
                let mut out = Vec::new();
                checker.on_wake(at, &mut out);
                computed.extend(out.into_iter().map(|up| (at, up)));
            }
            counted.retain(|c| c.0 < now);
            computed.retain(|c| c.0 < now);
            prop_assert_eq!(counted, computed);
        }
    }
}
