//! What routing believes of a link: it follows the truth after detection and convergence.
//!
//! A change that goes back within the detection time is never noticed (BFD, RFC 5880:
//! detection time = multiplier × interval). One that is noticed is carried out, and the way
//! back takes as long again.

use assize_fault::Nanos;
use std::collections::VecDeque;

/// The machine, one per link circuit.
#[derive(Clone, Debug)]
pub struct Belief {
    detect: Nanos,
    converge: Nanos,
    truth: bool,
    /// When the truth last changed.
    since: Nanos,
    /// What was last noticed.
    noticed: bool,
    /// What was noticed and will be carried out, in order.
    turns: VecDeque<(Nanos, bool)>,
    believed: bool,
}

impl Belief {
    /// A link that is up and believed to be.
    #[must_use]
    pub const fn new(detect: Nanos, converge: Nanos) -> Self {
        Self {
            detect,
            converge,
            truth: true,
            since: Nanos(i64::MIN / 2),
            noticed: true,
            turns: VecDeque::new(),
            believed: true,
        }
    }

    /// A standby that is out of service, and known to be.
    #[must_use]
    pub fn dormant(detect: Nanos, converge: Nanos) -> Self {
        Self {
            truth: false,
            noticed: false,
            believed: false,
            ..Self::new(detect, converge)
        }
    }

    /// What routing uses.
    #[must_use]
    pub const fn believed(&self) -> bool {
        self.believed
    }

    /// The link really is up, or down, from `now` on.
    pub fn on_truth(&mut self, now: Nanos, up: bool) {
        if up == self.truth {
            return;
        }
        // What lasts no time at all is not noticed, however quick the detection.
        if self.since < now {
            self.notice(now);
        }
        self.truth = up;
        self.since = now;
    }

    /// Carries out a change that is due; returns the new belief if there was one.
    pub fn on_wake(&mut self, now: Nanos) -> Option<bool> {
        self.notice(now);
        let (_, up) = self.turns.pop_front_if(|turn| turn.0 <= now)?;
        self.believed = up;
        Some(up)
    }

    /// When a change is due.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        let ahead = || self.since + self.detect + self.converge;
        let first = self.turns.front().map(|turn| turn.0);
        first.or_else(|| (self.truth != self.noticed).then(ahead))
    }

    /// What has been true for the detection time has been noticed by now.
    fn notice(&mut self, now: Nanos) {
        let at = self.since + self.detect;
        if self.truth != self.noticed && at <= now {
            self.noticed = self.truth;
            self.turns.push_back((at + self.converge, self.truth));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::check;

    fn run(input: &str, expect: &str) {
        check(
            Belief::new(Nanos::millis(900), Nanos::secs(1)),
            input,
            expect,
            |m, now, word| m.on_truth(now, word == "up"),
            Belief::next_wake,
            |m, now, out| {
                out.extend(
                    m.on_wake(now)
                        .map(|up| if up { "up" } else { "down" }.to_string()),
                );
            },
        );
    }

    #[test]
    fn follows_after_detection_and_convergence() {
        run("0ms down\n10000ms up", "1900ms down\n11900ms up");
    }

    #[test]
    fn a_blip_within_the_detection_time_is_never_noticed() {
        run("0ms down\n899ms up", "");
    }

    #[test]
    fn a_blip_that_is_noticed_is_carried_out_and_undone() {
        run("0ms down\n1000ms up", "1900ms down\n2900ms up");
    }

    #[test]
    fn a_blip_upwards_while_down_is_treated_alike() {
        run("0ms down\n5000ms up\n5500ms down", "1900ms down");
        run(
            "0ms down\n5000ms up\n6500ms down",
            "1900ms down\n6900ms up\n8400ms down",
        );
    }

    #[test]
    fn a_blip_after_a_failure_that_was_noticed_does_not_undo_it() {
        run(
            "0ms down\n1000ms up\n1200ms down\n1500ms up",
            "1900ms down\n3400ms up",
        );
    }

    #[test]
    fn one_fault_that_relieves_another_at_one_instant_is_no_recovery() {
        let mut link = Belief::new(Nanos::ZERO, Nanos::ZERO);
        link.on_truth(Nanos::secs(1), false);
        assert_eq!(link.on_wake(Nanos::secs(1)), Some(false));
        link.on_truth(Nanos::secs(2), true);
        link.on_truth(Nanos::secs(2), false);
        assert_eq!((link.believed(), link.next_wake()), (false, None));
    }

    #[test]
    fn a_dormant_link_comes_up_after_activation_like_any_other() {
        let mut link = Belief::dormant(Nanos::millis(900), Nanos::secs(1));
        assert_eq!((link.believed(), link.next_wake()), (false, None));
        link.on_truth(Nanos::secs(10), true);
        assert_eq!(link.next_wake(), Some(Nanos::millis(11_900)));
        assert_eq!(link.on_wake(Nanos::millis(11_900)), Some(true));
    }
}
