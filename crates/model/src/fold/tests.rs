//! Hand-made and drawn observations, and what they fold to.

use super::fold;
use crate::journal::{DecisionKind, Journal, USER};
use crate::judge::tests::fixture::{APP, Bench};
use crate::observation::{Ending, Observation, Served};
use assize_fault::Nanos;
use proptest::prelude::*;

const END: Nanos = Nanos::secs(100);
const EVERY: Nanos = Nanos::millis(500);

fn machine() -> Observation {
    Observation::Machine {
        pace: 1,
        jitter: Nanos::millis(5),
        round_trip: Nanos::millis(1),
        probe_every: EVERY,
        resolution: EVERY + Nanos::millis(5),
    }
}

fn sample(rep: u32, at: Nanos, good: bool) -> Observation {
    Observation::Sample {
        at,
        rep,
        journey: 0,
        took: Nanos::millis(if good { 10 } else { 400 }),
        served: if good { Served::Yes } else { Served::No },
        why: String::new(),
    }
}

fn ended(at: Nanos) -> Observation {
    Observation::Ended {
        at,
        why: Ending::Finished,
        left: Vec::new(),
    }
}

/// Eight representatives of the one cell, each with an eighth of its cohorts, who try every
/// half second, staggered, from ten seconds before the start to the end.
fn tries(is_good: impl Fn(u32, Nanos) -> bool) -> Vec<Observation> {
    let mut all = vec![machine()];
    for rep in 0..8u32 {
        all.push(Observation::Representative {
            rep,
            cell: 0,
            cohorts: 0xff << (8 * rep),
        });
        let mut at = Nanos::secs(-10) + Nanos(EVERY.0 / 8 * i64::from(rep));
        while at < END {
            all.push(sample(rep, at, is_good(rep, at)));
            at += EVERY;
        }
    }
    all.push(ended(END));
    all
}

fn folded(observations: &[Observation]) -> Journal {
    fold(&Bench::new(END).plan(), observations)
}

/// Spans with some users out, with the most out at once.
fn out(journal: &Journal) -> Vec<(Nanos, Nanos, u64)> {
    let all = 840 * USER;
    let steps = &journal.series[0].steps;
    let mut spans: Vec<(Nanos, Nanos, u64)> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let to = steps.get(index + 1).map_or(journal.end, |next| next.at);
        if step.served < all {
            let users = (all - step.served) / USER;
            match spans.last_mut() {
                Some(last) if last.1 == step.at => (last.1, last.2) = (to, last.2.max(users)),
                _ => spans.push((step.at, to, users)),
            }
        }
    }
    spans
}

#[test]
fn two_failures_in_a_row_are_an_outage_from_the_first_and_one_is_none() {
    let at = |s: i64| Nanos::secs(s);
    let lone = folded(&tries(|rep, t| !(rep == 0 && t == at(20))));
    assert_eq!(out(&lone), []);
    let attempts = &lone.measured.as_ref().expect("measured").attempts[0];
    assert_eq!(attempts.failed_at, [at(20)], "counted all the same");
    let two = folded(&tries(|rep, t| {
        !(rep == 0 && (at(20)..at(21)).contains(&t))
    }));
    assert_eq!(out(&two), [(at(20), at(21), 840 / 8)]);
}

#[test]
fn what_fails_over_the_start_is_no_failure_of_steady_state() {
    // An attempt takes 400 ms to fail: that of −0.25 s is astride.
    let journal = folded(&tries(|_, t| {
        !(Nanos::millis(-300)..Nanos::secs(5)).contains(&t)
    }));
    let measured = journal.measured.as_ref().expect("measured");
    assert_eq!(measured.attempts[0].steady_failed, 0);
    assert_eq!(out(&journal)[0].0, Nanos::ZERO);
}

#[test]
fn a_killed_run_ends_at_its_last_record() {
    let mut cut = tries(|_, t| t < Nanos::secs(30));
    cut.retain(|one| one.at().is_none_or(|at| at <= Nanos::secs(40)));
    let journal = folded(&cut);
    assert!(journal.end > Nanos::secs(39) && journal.end <= Nanos::secs(40));
    assert_eq!(journal.measured.and_then(|m| m.ending), None);
}

#[test]
fn a_cell_of_which_a_cohort_was_not_watched_was_not_measured() {
    let mut some = tries(|_, _| true);
    some.retain(|one| !matches!(one, Observation::Sample { rep: 3, .. }));
    assert!(folded(&some).series.is_empty());
}

#[test]
fn a_runner_that_is_slow_or_stands_still_is_noticed() {
    let mut all = tries(|_, t| !(Nanos::secs(60)..Nanos::secs(60)).contains(&t));
    // Nobody tries from 60 s to 80 s.
    all.retain(|one| {
        !matches!(one, Observation::Sample { at, .. } if (Nanos::secs(60)..Nanos::secs(80)).contains(at))
    });
    for tenth in 0..1_000 {
        let at = Nanos::millis(100) * tenth;
        let slow = (Nanos::secs(40)..Nanos::secs(42)).contains(&at);
        all.push(Observation::Control {
            at,
            took: Nanos::millis(if slow { 900 } else { 1 }),
            ok: true,
        });
    }
    let disturbed = folded(&all).measured.expect("measured").disturbed;
    let said: Vec<_> = disturbed
        .iter()
        .map(|d| (d.from, d.blind, d.what.as_str()))
        .collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[0],
        (Nanos::secs(40), false, "runner too slow: control p99 900ms")
    );
    assert!(said[1].1 && said[1].0 > Nanos::secs(59), "{said:?}");
    assert!(said[1].2.contains("no attempt of work"), "{said:?}");
}

#[test]
fn a_runner_that_leaves_a_try_no_time_was_too_slow_at_any_resolution() {
    // Known to 20 s only; but what takes 6 s of the 10 s of an attempt makes it fail.
    let disturbed = |took| {
        let mut all = tries(|_, _| true);
        all[0] = match machine() {
            Observation::Machine {
                pace,
                jitter,
                round_trip,
                ..
            } => Observation::Machine {
                pace,
                jitter,
                round_trip,
                probe_every: Nanos::secs(20),
                resolution: Nanos::secs(20),
            },
            other => other,
        };
        let probes = (0..100).map(|second| Observation::Control {
            at: Nanos::secs(second),
            took: if second == 40 { took } else { Nanos::millis(1) },
            ok: true,
        });
        all.extend(probes);
        folded(&all).measured.expect("measured").disturbed
    };
    assert_eq!(disturbed(Nanos::millis(400)), Vec::new());
    let slow = disturbed(Nanos::secs(6));
    assert_eq!(slow.len(), 1, "{slow:?}");
    assert_eq!(slow[0].from, Nanos::secs(40));
}

#[test]
fn what_more_came_of_a_step_is_told_once() {
    let mut bench = Bench::new(END);
    bench.step("back", Nanos::secs(10));
    let step = |at, outcome: &str| Observation::Step {
        at: Nanos::secs(at),
        step: 0,
        outcome: outcome.into(),
    };
    let observations = [
        step(10, "begun"),
        step(20, "begun, half done"),
        step(30, "done"),
        ended(END),
    ];
    let record = fold(&bench.plan(), &observations).steps.remove(0);
    assert_eq!(record.at, Nanos::secs(10));
    assert_eq!(record.outcome, "begun, half done; done");
    assert_eq!(fold(&bench.plan(), &[]).steps[0].outcome, "not taken");
}

#[test]
fn a_takeover_that_nobody_announced_is_seen_where_the_system_does_it_itself() {
    let mut bench = Bench::new(END);
    bench.fault("dc", Nanos::secs(10), Nanos::secs(50));
    let serves = |at, replica, on| Observation::Serves {
        at: Nanos::secs(at),
        service: 0,
        replica,
        on,
    };
    let observations = [
        serves(-5, 0, true),
        Observation::Fault {
            at: Nanos::secs(10),
            fault: 0,
            on: true,
        },
        serves(10, 0, false),
        serves(22, 1, true),
        Observation::Fault {
            at: Nanos::secs(50),
            fault: 0,
            on: false,
        },
        ended(END),
    ];
    assert!(fold(&bench.plan(), &observations).decisions.is_empty());
    if let Some(failover) = &mut bench.topology.services[0].failover {
        failover.external = true;
    }
    let journal = fold(&bench.plan(), &observations);
    let decision = &journal.decisions[0];
    assert_eq!(
        (decision.at, decision.kind),
        (Nanos::secs(22), DecisionKind::Promoted)
    );
    assert_eq!(
        (&decision.faults[..], decision.service),
        (&[0][..], Some(APP))
    );
    assert_eq!(journal.faults[0].to, Nanos::secs(50));
}

proptest! {
    /// A step function with a few outages, each longer than two turns and as far apart.
    #[test]
    fn outages_are_found_to_within_a_turn(
        lengths in prop::collection::vec((1_100i64..8_000, 1_100i64..8_000), 1..5),
        seed in any::<u64>(),
    ) {
        let mut truth = Vec::new();
        let mut at = Nanos::ZERO;
        for (up, down) in lengths {
            let from = at + Nanos::millis(up);
            at = from + Nanos::millis(down);
            truth.push((from, at));
        }
        let mut all = tries(|_, t| !truth.iter().any(|&(from, to)| from <= t && t < to));
        let found = out(&folded(&all));
        prop_assert_eq!(found.len(), truth.len());
        for (&(from, to, users), &(a, b)) in found.iter().zip(&truth) {
            prop_assert!(from >= a && from - a <= EVERY, "{from} for {a}");
            prop_assert!(to >= b && to - b <= EVERY, "{to} for {b}");
            prop_assert_eq!(users, 840);
        }
        // However the representatives' records are interleaved.
        let mut state = seed | 1;
        for index in (1..all.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let other = usize::try_from(state >> 33).unwrap_or(0) % (index + 1);
            all.swap(index, other);
        }
        prop_assert_eq!(out(&folded(&all)), found);
    }

    /// Whatever a journal file says.
    #[test]
    fn any_observations_fold(
        drawn in prop::collection::vec((0u8..6, any::<i64>(), any::<i64>(), any::<u32>(), any::<bool>()), 0..60),
    ) {
        let observations: Vec<Observation> = drawn.into_iter().map(|(kind, a, b, n, on)| {
            let small = usize::try_from(n % 3).unwrap_or(0);
            match kind {
                0 => Observation::Sample {
                    at: Nanos(a), rep: n % 3, journey: small, took: Nanos(b),
                    served: if on { Served::Yes } else { Served::No }, why: String::new(),
                },
                1 => Observation::Representative { rep: n % 3, cell: small, cohorts: a.unsigned_abs() },
                2 => Observation::Control { at: Nanos(a), took: Nanos(b), ok: on },
                3 => Observation::Fault { at: Nanos(a), fault: small, on },
                4 => Observation::Serves { at: Nanos(a), service: small, replica: 1, on },
                _ => Observation::Machine {
                    pace: n, jitter: Nanos(a), round_trip: Nanos(b),
                    probe_every: Nanos(a), resolution: Nanos(b),
                },
            }
        }).collect();
        let mut bench = Bench::new(END);
        bench.fault("dc", Nanos::secs(1), Nanos::secs(2));
        let journal = fold(&bench.plan(), &observations);
        bench.judge(&journal);
    }
}
