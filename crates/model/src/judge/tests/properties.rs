//! What must hold of every journal.

use super::fixture::{Bench, STAFF, WORK, solo};
use crate::finding::{Status, Value};
use crate::ids::ServiceId;
use crate::journal::{Cause, Journal, Step, USER};
use crate::judge::attribution::Causes;
use crate::judge::context::{Context, Who};
use crate::judge::series::{ALL, Point, bridge, length};
use crate::objective::{ObjectiveKind, Untouched};
use assize_fault::{Nanos, Ppb};
use proptest::prelude::*;

/// Steps of a series of 840 users, at random instants, in arbitrary units.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0i64..4_000_000_000_000, 0u64..=840 * USER, 0u64..=USER);
    proptest::collection::vec(step, 0..20).prop_map(|list| {
        let step = |(at, served, degraded)| Step {
            at: Nanos(at),
            served,
            degraded,
        };
        let mut list: Vec<Step> = list.into_iter().map(step).collect();
        list.sort_by_key(|step| step.at);
        list
    })
}

/// Spans in order, from their lengths and gaps.
fn spans() -> impl Strategy<Value = Vec<(Nanos, Nanos)>> {
    proptest::collection::vec((1i64..900_000_000_000, 1i64..900_000_000_000), 0..6).prop_map(
        |list| {
            let mut at = 0;
            let span = |(gap, length)| {
                let from = at + gap;
                at = from + length;
                (Nanos(from), Nanos(at))
            };
            list.into_iter().map(span).collect()
        },
    )
}

fn bench() -> Bench {
    let mut bench = Bench::new(Nanos::hours(1));
    let m = Nanos::mins;
    bench
        .fault("a", m(2), m(20))
        .fault("b", m(10), m(40))
        .fault("c", m(30), m(50));
    bench.step("s", m(25));
    bench
}

fn journal(bench: &Bench, steps: Vec<Step>) -> Journal {
    let mut journal = bench.journal();
    journal.series[0].steps.extend(steps);
    journal
}

/// One objective of every kind.
fn every_kind() -> Vec<ObjectiveKind> {
    let (most, all) = (Nanos::NEVER, Ppb::ONE);
    vec![
        ObjectiveKind::Rto(most),
        ObjectiveKind::Rpo(most),
        ObjectiveKind::Availability(Ppb::ZERO),
        ObjectiveKind::Outages {
            max: Some(u32::MAX),
            total: Some(most),
        },
        ObjectiveKind::MustNotAffect(vec![Untouched::Population(STAFF)]),
        ObjectiveKind::BlastRadius(all),
        ObjectiveKind::UserHoursLost(most),
        ObjectiveKind::Latency(most),
        ObjectiveKind::RetainedCapacity(Ppb::ZERO),
        ObjectiveKind::Backlog(most),
        ObjectiveKind::Detection(most),
        ObjectiveKind::Failback(most),
        ObjectiveKind::Duplicates(u64::MAX),
    ]
}

proptest! {
    /// ∫ s + ∫ (1 − s) = hours, exactly; and the listed outages are that ∫ (1 − s).
    #[test]
    fn availability_and_outages_make_one(steps in steps()) {
        let bench = bench();
        let journal = journal(&bench, steps);
        let plan = bench.plan();
        let context = Context::new(&plan, &journal);
        let share = context.share((STAFF, WORK)).expect("measured");
        let hours = context.hours(STAFF);
        let served = share.integral(hours, |point: &Point| point.served);
        let lost = share.lost(hours);
        prop_assert_eq!(served + lost, share.total() * length(hours).0 as u128);
        let outages = share.below(ALL);
        prop_assert_eq!(share.lost(&outages), lost);
        let outcome = bench.judge(&journal);
        let journey = &outcome.populations[0].journeys[0];
        let listed: f64 = journey
            .outages
            .iter()
            .map(|one| one.share * (one.to_offset - one.from_offset).as_secs_f64())
            .sum();
        prop_assert!((journey.availability + listed / 3_600.0 - 1.0).abs() < 1e-9);
        for pair in journey.outages.windows(2) {
            prop_assert!(pair[0].to_offset <= pair[1].from_offset);
            let touches = pair[0].to_offset == pair[1].from_offset;
            prop_assert!(!touches || pair[0].share != pair[1].share);
        }
    }

    /// Whatever causes explain, nothing of an outage is lost or counted twice.
    #[test]
    fn attributed_parts_sum_to_the_whole(
        steps in steps(), a in spans(), b in spans(), c in spans(), own in spans(),
        stable_for in 0i64..600_000_000_000,
    ) {
        let mut bench = bench();
        bench.scenario.stable_for = Nanos(stable_for);
        bench.objective(ObjectiveKind::Rto(Nanos::ZERO));
        bench.objective(ObjectiveKind::Outages { max: None, total: Some(Nanos::ZERO) });
        let mut journal = journal(&bench, steps);
        for (index, spans) in [a, b, c].iter().enumerate() {
            solo(&mut journal, Cause::Fault(index), spans);
        }
        solo(&mut journal, Cause::Step(0), &own);
        for finding in bench.judge(&journal).findings {
            let sum: Nanos = finding.attribution.iter().map(|part| part.time).sum();
            prop_assert_eq!(finding.measured, Some(Value::Time(sum)));
            for part in &finding.attribution {
                prop_assert!(Nanos::ZERO <= part.joint && part.joint <= part.time);
            }
        }
        // No instant goes to a cause that has not begun.
        let plan = bench.plan();
        let context = Context::new(&plan, &journal);
        let who = Who::Excluding(&[]);
        let causes = Causes::new(&context, (STAFF, WORK), who, ALL, Nanos(stable_for));
        for at in (0..60).map(Nanos::mins) {
            for cause in causes.at(at) {
                let begun = match cause {
                    Cause::Fault(index) => journal.faults[index].from,
                    Cause::Step(index) => journal.steps[index].at,
                };
                prop_assert!(begun <= at);
            }
        }
    }

    #[test]
    fn bridging_never_shortens_an_outage(raw in spans(), a in 0i64..2_000_000_000_000, more in 0i64..2_000_000_000_000) {
        let longest = |spans: &[(Nanos, Nanos)]| spans.iter().map(|s| s.1 - s.0).max();
        let less = bridge(&raw, Nanos(a));
        let wider = bridge(&raw, Nanos(a + more));
        prop_assert!(longest(&less) >= longest(&raw));
        prop_assert!(longest(&wider) >= longest(&less));
        prop_assert!(wider.len() <= less.len());
        for span in &raw {
            prop_assert!(less.iter().any(|one| one.0 <= span.0 && span.1 <= one.1));
        }
        for pair in less.windows(2) {
            prop_assert!(pair[1].0 - pair[0].1 >= Nanos(a));
        }
    }

    /// Raising a target, or lowering the level, never makes a finding worse.
    #[test]
    fn an_easier_target_is_never_harder_to_meet(
        steps in steps(), target in 0i64..4_000_000_000_000, more in 0i64..1_000_000_000_000,
        level in 0u64..=1_000_000_000,
    ) {
        let bench = |target, level| {
            let mut bench = bench();
            bench.objective(ObjectiveKind::Rto(Nanos(target))).level = Ppb(level);
            bench
        };
        let rank = |bench: Bench| match bench.finding(&journal(&bench, steps.clone())).status {
            Status::Met => 0,
            Status::Missed => 2,
            _ => 1,
        };
        let strict = rank(bench(target, 1_000_000_000));
        prop_assert!(rank(bench(target + more, 1_000_000_000)) <= strict);
        // A lower level can only remove time below it; what is left may lie apart, so the
        // longest outage is never longer.
        prop_assert!(rank(bench(target, level)) <= strict);
    }

    /// With nothing recorded, no target is easy enough to be met.
    #[test]
    fn nothing_unmeasured_is_met(keep in 0usize..4) {
        let mut bench = bench();
        for kind in every_kind() {
            bench.objective(kind);
        }
        bench.objective(ObjectiveKind::Rto(Nanos::NEVER)).window = None;
        let mut journal = bench.journal();
        match keep {
            0 => journal.series.clear(),
            1 => journal.series[0].steps.clear(),
            // Recorded too late, or of a cell that does not exist.
            2 => journal.series[0].steps[0].at = Nanos(1),
            _ => journal.series[0].cell = 7,
        }
        for finding in bench.judge(&journal).findings {
            prop_assert_ne!(finding.status, Status::Met, "{}", finding.kind);
        }
    }

    /// A fault that never bit makes undecided whatever names it, and nothing else.
    #[test]
    fn a_fault_that_never_bit_makes_undecided_what_names_it(steps in steps(), silent in 0usize..3) {
        let mut bench = bench();
        let ids = ["a", "b", "c"];
        for kind in every_kind() {
            bench.objective(kind.clone()).fault = Some(ids[silent].into());
            bench.objective(kind);
        }
        let with = journal(&bench, steps);
        let mut without = with.clone();
        without.faults[silent].bite = None;
        let named = format!("fault/{}", ids[silent]);
        let (before, after) = (bench.judge(&with).findings, bench.judge(&without).findings);
        for (was, is) in before.iter().zip(&after) {
            let objective = bench.scenario.objectives.iter().find(|o| o.id == is.objective);
            let names = objective.is_some_and(|o| o.fault.is_some()) || is.subject == named;
            if names {
                prop_assert_eq!(is.status, Status::Inconclusive);
            } else {
                prop_assert_eq!(is.status, was.status);
                prop_assert_eq!(is.measured, was.measured);
            }
        }
    }

    /// The judge takes any journal, however ill-formed, without a panic.
    #[test]
    fn no_journal_makes_it_panic(
        steps in proptest::collection::vec((any::<i64>(), any::<u64>(), any::<u64>()), 0..6),
        end in -5i64..4_000_000_000_000,
        cell in 0usize..3,
        journey in 0usize..2,
        shorten: bool,
    ) {
        let mut bench = bench();
        for kind in every_kind() {
            bench.objective(kind);
        }
        let mut journal = bench.journal();
        journal.end = Nanos(end);
        let bound = Nanos::NEVER.0;
        let step = |(at, served, degraded): (i64, u64, u64)| Step {
            at: Nanos(at.clamp(-bound, bound)),
            served,
            degraded,
        };
        journal.series[0].steps.extend(steps.into_iter().map(step));
        journal.series[0].cell = cell;
        journal.series[0].journey = journey.into();
        journal.amplification = vec![(ServiceId(0), 2_500)];
        if shorten {
            journal.faults.truncate(1);
            journal.steps.clear();
        }
        let outcome = bench.judge(&journal);
        prop_assert!(serde_json::to_string(&outcome).is_ok());
    }
}
