//! What routing believes of a link: it follows the truth after detection and convergence.
//!
//! A change that goes back within the detection time is never noticed (BFD, RFC 5880:
//! detection time = multiplier × interval). One that is noticed is carried out, and the way
//! back takes as long again.

use assize_fault::Nanos;

/// The machine, one per link circuit.
#[derive(Clone, Debug)]
pub struct Belief {
    detect: Nanos,
    converge: Nanos,
    truth: bool,
    /// When the truth last changed.
    since: Nanos,
    believed: bool,
    /// Announced change that will be carried out at this instant.
    flips_at: Option<Nanos>,
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
            believed: true,
            flips_at: None,
        }
    }

    /// A standby that is out of service, and known to be.
    #[must_use]
    pub const fn dormant(detect: Nanos, converge: Nanos) -> Self {
        Self {
            truth: false,
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
        let noticed = now >= self.since + self.detect;
        self.truth = up;
        self.since = now;
        match self.flips_at {
            // Gone again before anybody noticed.
            Some(_) if up == self.believed && !noticed => self.flips_at = None,
            Some(_) => {}
            None if up == self.believed => {}
            None => self.flips_at = Some(now + self.detect + self.converge),
        }
    }

    /// Carries out a change that is due; returns the new belief if there was one.
    pub fn on_wake(&mut self, now: Nanos) -> Option<bool> {
        if self.flips_at.is_none_or(|at| at > now) {
            return None;
        }
        self.believed = !self.believed;
        self.flips_at = (self.believed != self.truth)
            .then(|| now.max(self.since + self.detect + self.converge));
        Some(self.believed)
    }

    /// When a change is due.
    #[must_use]
    pub const fn next_wake(&self) -> Option<Nanos> {
        self.flips_at
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
}
