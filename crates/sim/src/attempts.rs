//! From what one try at each instant would meet to what becomes of attempts: tries that come later
//! within the time of an attempt may find what the first did not, and a write that waits for a
//! copy may be answered in time.

use crate::state::Out;
use crate::timing::offsets;
use assize_control::matured::bits;
use assize_fault::Nanos;
use assize_model::topology::Retry;

/// The share served in the normal way and by the contingency, as a function of the instant at which
/// an attempt begins; `slowest` grows with attempts that take longer.
pub(crate) fn outcomes(
    steps: &[Out],
    retry: Retry,
    timeout: Nanos,
    slowest: &mut Nanos,
) -> Vec<(Nanos, u64, u64)> {
    let waits = steps.iter().any(|o| o.waits != 0);
    if (retry.tries <= 1 && !waits) || steps.len() <= 1 {
        return steps.iter().map(|o| (o.at, o.normal, o.degraded)).collect();
    }
    let tries = Tries {
        steps,
        each: retry.each.min(timeout),
        timeout,
        silent: offsets(retry, timeout, retry.each.min(timeout), Nanos::ZERO),
        refused: offsets(retry, timeout, Nanos::ZERO, Nanos::ZERO),
    };
    let times = tries.turns().into_iter();
    times.map(|t| tries.outcome(t, slowest)).collect()
}

/// What one try at each instant would meet, and when an attempt makes its tries.
struct Tries<'a> {
    steps: &'a [Out],
    /// How long one try is waited for.
    each: Nanos,
    timeout: Nanos,
    /// When later tries start if each one hangs, and if each one is refused.
    silent: Vec<Nanos>,
    refused: Vec<Nanos>,
}

impl Tries<'_> {
    fn index(&self, t: Nanos) -> usize {
        self.steps.partition_point(|o| o.at <= t).saturating_sub(1)
    }

    /// The instants from which on an attempt may fare otherwise than before.
    fn turns(&self) -> Vec<Nanos> {
        let first = self.steps[0].at;
        let mut turns: Vec<Nanos> = self.steps.iter().map(|o| o.at).collect();
        // Who waits until a step is answered in time from here on.
        let ended = self
            .steps
            .windows(2)
            .filter(|w| w[0].waits & !w[1].waits != 0);
        turns.extend(ended.map(|w| w[1].at + w[1].time - self.each));
        for i in 0..turns.len() {
            let later = self.silent.iter().chain(&self.refused);
            let sooner: Vec<Nanos> = later.map(|offset| turns[i] - *offset).collect();
            turns.extend(sooner);
        }
        turns.retain(|t| *t >= first);
        turns.sort_unstable();
        turns.dedup();
        turns
    }

    /// What becomes of an attempt that begins at `t`.
    fn outcome(&self, t: Nanos, slowest: &mut Nanos) -> (Nanos, u64, u64) {
        let now = &self.steps[self.index(t)];
        let (mut later, mut factor) = (0u64, now.factor);
        let first = ([Nanos::ZERO].as_slice(), !now.mask);
        for (offsets, mask) in [
            first,
            (&self.silent, !now.refused),
            (&self.refused, now.refused),
        ] {
            for offset in offsets {
                self.lands(t + *offset, |found, took, then| {
                    let gained = found & mask & !now.mask & !later;
                    // The try that finds it well must end in time.
                    if gained != 0 && *offset + took <= self.timeout {
                        *slowest = (*slowest).max(*offset + took);
                        factor = then;
                        later |= gained;
                    }
                });
            }
        }
        let gained = u64::from(later.count_ones()) * factor;
        let still = bits(now.paper & !later).count() as u64;
        let on_paper = now.paper.count_ones();
        let degraded = if on_paper == 0 {
            0
        } else {
            now.degraded / u64::from(on_paper) * still
        };
        (t, now.normal + gained, degraded)
    }

    /// Tells the cohorts of which a try at `t` ends well, how long it takes, and the share that does:
    /// of those served at once, then of those whose write waits, each time some are let go.
    fn lands(&self, t: Nanos, mut tell: impl FnMut(u64, Nanos, u64)) {
        let i = self.index(t);
        let met = &self.steps[i];
        tell(met.mask, met.time, met.factor);
        let mut waiting = met.waits;
        for then in &self.steps[i + 1..] {
            let took = then.at - t + then.time;
            if waiting == 0 || took > self.each {
                break;
            }
            tell(waiting & !then.waits & then.mask, took, then.factor);
            waiting &= then.waits;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: u64 = 64_000_000_000;

    fn step(at: i64, mask: u64, waits: u64) -> Out {
        Out {
            at: Nanos::secs(at),
            mask,
            waits,
            normal: u64::from(mask.count_ones()) * 1_000_000_000,
            factor: 1_000_000_000,
            time: Nanos::millis(10),
            ..Out::default()
        }
    }

    fn retry(tries: u32, each: i64) -> Retry {
        Retry {
            tries,
            wait: Nanos::secs(1),
            factor_milli: 1000,
            each: Nanos::secs(each),
        }
    }

    fn served(steps: &[Out], retry: Retry) -> Vec<(i64, u64)> {
        let mut slowest = Nanos::ZERO;
        let all = outcomes(steps, retry, Nanos::secs(4), &mut slowest);
        let mut all: Vec<(i64, u64)> = all.iter().map(|s| (s.0.0 / 1_000_000, s.1)).collect();
        all.dedup_by_key(|s| s.1);
        all
    }

    #[test]
    fn a_write_that_waits_is_answered_in_time_or_not() {
        let all = u64::MAX;
        let steps = [step(0, all, 0), step(40, 0, all), step(48, all, 0)];
        // Let go at 48 s and answered 10 ms later: in time for who asked from 44.01 s on.
        assert_eq!(
            served(&steps, retry(1, 4)),
            [(0, FULL), (40_000, 0), (44_010, FULL)]
        );
        // Tries of 1.5 s each, at 0 and 2.5 s: the second is answered in time from 46.51 s on.
        let each = Nanos::millis(1500);
        let twice = served(
            &steps,
            Retry {
                each,
                ..retry(2, 4)
            },
        );
        assert_eq!(twice, [(0, FULL), (40_000, 0), (44_010, FULL)]);
    }

    #[test]
    fn who_waits_in_vain_is_not_served() {
        let all = u64::MAX;
        // The old primary dies while it waits; half are served by the new one.
        let steps = [
            step(0, all, 0),
            step(40, 0, all),
            step(42, 0xFFFF_FFFF, 0),
            step(50, all, 0),
        ];
        assert_eq!(
            served(&steps, retry(1, 4)),
            [(0, FULL), (40_000, FULL / 2), (50_000, FULL)]
        );
    }

    #[test]
    fn a_later_try_finds_what_the_first_did_not() {
        let all = u64::MAX;
        let steps = [step(0, all, 0), step(40, 0, 0), step(48, all, 0)];
        // Silent for 1 s, a pause of 1 s: tries at 0 and 2 s, the second in time from 46 s on.
        assert_eq!(
            served(&steps, retry(2, 1)),
            [(0, FULL), (40_000, 0), (46_000, FULL)]
        );
    }
}
