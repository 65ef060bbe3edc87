//! A health check of one replica: `every` (start to start), `timeout`, `fall`, `rise`.
//!
//! The figures follow HAProxy's `inter`, `fall` and `rise`: with checks every 2 s, a timeout
//! of 1 s and fall 3, a replica that turns silent is called down 5 s to 7 s later (the third
//! failing check starts 4 s to 6 s after the fault and fails 1 s after its start), and one
//! that refuses connections 4 s to 6 s later.

use assize_fault::Nanos;
use assize_model::topology::Check;
use std::collections::VecDeque;

/// What a check that starts now would see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A good answer after this round trip.
    Good(Nanos),
    /// An error or refusal after this round trip.
    Bad(Nanos),
    /// No answer: the check fails when its timeout is over.
    Silent,
    /// Nobody checks: whoever would is out. It counts neither way.
    Unmade,
}

impl Seen {
    /// From the start of a check to its result.
    #[must_use]
    pub const fn delay(self, timeout: Nanos) -> Nanos {
        match self {
            Self::Good(rtt) | Self::Bad(rtt) => rtt,
            Self::Silent => timeout,
            Self::Unmade => Nanos::ZERO,
        }
    }
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Checker {
    every: Nanos,
    timeout: Nanos,
    fall: u32,
    rise: u32,
    /// Start of the first check that is not yet accounted for.
    next_start: Nanos,
    /// What the checks accounted for amount to; the verdict is announced later, with the result.
    up: bool,
    /// Consecutive results against `up`.
    against: u32,
    seen: Seen,
    announcements: VecDeque<(Nanos, bool)>,
}

impl Checker {
    /// A checker that has found the replica well until `now`. `phase` is the start of one of
    /// its checks.
    #[must_use]
    pub fn new(spec: &Check, phase: Nanos, now: Nanos) -> Self {
        let every = spec.every.max(Nanos(1));
        Self {
            every,
            timeout: spec.timeout,
            fall: spec.fall.max(1),
            rise: spec.rise.max(1),
            next_start: now + (phase - now) % every,
            up: true,
            against: 0,
            seen: Seen::Good(Nanos::ZERO),
            announcements: VecDeque::new(),
        }
    }

    /// From `now` on, checks that start see this.
    pub fn on_seen(&mut self, now: Nanos, seen: Seen) {
        let seen = match seen {
            // An answer that comes too late is none.
            Seen::Good(rtt) | Seen::Bad(rtt) if rtt > self.timeout => Seen::Silent,
            other => other,
        };
        if seen != self.seen {
            self.account(now);
            self.seen = seen;
        }
    }

    /// Whether checks have failed that do not yet (or no longer) make a verdict.
    #[must_use]
    pub const fn failing(&self) -> bool {
        self.up && self.against > 0
    }

    /// Verdicts that are due: `true` for up, `false` for down.
    pub fn on_wake(&mut self, now: Nanos, out: &mut Vec<bool>) {
        // A check whose result is due by now has started at least one result's delay ago.
        self.account(now - self.delay() + Nanos(1));
        while self.announcements.front().is_some_and(|a| a.0 <= now) {
            out.extend(self.announcements.pop_front().map(|a| a.1));
        }
    }

    /// When the next verdict is due, if what checks see does not change.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        if let Some(&(at, _)) = self.announcements.front() {
            return Some(at);
        }
        let missing = self.missing()?;
        Some(self.next_start + self.every * (i64::from(missing) - 1) + self.delay())
    }

    /// How many more results of the present kind turn the verdict; `None` if they confirm it.
    fn missing(&self) -> Option<u32> {
        let good = match self.seen {
            Seen::Good(_) => true,
            Seen::Bad(_) | Seen::Silent => false,
            Seen::Unmade => return None,
        };
        if good == self.up {
            return None;
        }
        Some(if self.up { self.fall } else { self.rise } - self.against)
    }

    const fn delay(&self) -> Nanos {
        self.seen.delay(self.timeout)
    }

    /// Accounts for the checks that started before `until`.
    fn account(&mut self, until: Nanos) {
        if until <= self.next_start {
            return;
        }
        let started = (until.0 - self.next_start.0 - 1) / self.every.0 + 1;
        match self.missing() {
            None if self.seen == Seen::Unmade => {}
            None => self.against = 0,
            Some(missing) if started < i64::from(missing) => self.against += started as u32,
            Some(missing) => {
                let decided = self.next_start + self.every * (i64::from(missing) - 1);
                self.up = !self.up;
                self.against = 0;
                self.announcements
                    .push_back((decided + self.delay(), self.up));
            }
        }
        self.next_start += self.every * started;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::check;
    use assize_model::topology::Probes;

    fn spec() -> Check {
        Check {
            every: Nanos::secs(2),
            timeout: Nanos::secs(1),
            fall: 3,
            rise: 2,
            from: Vec::new(),
            phase: None,
            probes: Probes::Service,
        }
    }

    fn run(phase_ms: i64, input: &str, expect: &str) {
        let machine = Checker::new(&spec(), Nanos::millis(phase_ms), Nanos::ZERO);
        check(
            machine,
            input,
            expect,
            |m, now, word| {
                m.on_seen(
                    now,
                    match word {
                        "good" => Seen::Good(Nanos::ZERO),
                        "bad" => Seen::Bad(Nanos::ZERO),
                        "unmade" => Seen::Unmade,
                        "slow" => Seen::Good(Nanos::millis(1001)),
                        _ => Seen::Silent,
                    },
                );
            },
            Checker::next_wake,
            |m, now, out| {
                let mut verdicts = Vec::new();
                m.on_wake(now, &mut verdicts);
                out.extend(
                    verdicts
                        .iter()
                        .map(|v| if *v { "up" } else { "down" }.to_string()),
                );
            },
        );
    }

    #[test]
    fn silent_is_called_down_after_the_third_timeout() {
        // Phase 1 s: checks start at 1, 3, 5 s; the third fails at 6 s.
        run(1000, "0ms silent", "6000ms down");
        // Phase 0: the check at the very instant of the fault already meets it: 0, 2, 4, +1.
        run(0, "0ms silent", "5000ms down");
        run(1999, "0ms silent", "6999ms down");
    }

    #[test]
    fn refused_is_called_down_with_the_third_start() {
        run(1000, "0ms bad", "5000ms down");
        run(0, "0ms bad", "4000ms down");
    }

    #[test]
    fn a_short_failure_between_checks_is_never_noticed() {
        run(1000, "1500ms silent\n2500ms good", "");
    }

    #[test]
    fn one_good_check_starts_the_count_again() {
        // Fails at 1 s and 3 s, passes at 5 s, fails at 7, 9, 11 s.
        run(
            1000,
            "0ms silent\n4000ms good\n6000ms silent",
            "12000ms down",
        );
    }

    #[test]
    fn a_verdict_outlives_the_end_of_the_fault_by_its_timeout() {
        // The third check starts at 5 s and meets the fault; that it fails is known at 6 s.
        run(1000, "0ms silent\n5500ms good", "6000ms down\n9000ms up");
    }

    #[test]
    fn up_again_after_two_good_checks() {
        run(1000, "0ms silent\n20000ms good", "6000ms down\n23000ms up");
    }

    #[test]
    fn checks_that_nobody_makes_count_neither_way() {
        // Fails at 1 s and 3 s; nobody looks from 4 s to 20 s; the third failing one is at 21 s.
        run(
            1000,
            "0ms silent\n4000ms unmade\n20000ms silent",
            "22000ms down",
        );
        run(1000, "0ms unmade\n20000ms good", "");
    }

    #[test]
    fn an_answer_after_the_timeout_is_a_failure() {
        run(1000, "0ms slow", "6000ms down");
    }
}
