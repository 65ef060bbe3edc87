//! Worked examples, as hand-made journals.

use super::fixture::{Bench, all_out, decision, solo, take_out};
use super::{back, detail, h, m, rpo, s};
use crate::finding::{Status, Value, VerdictKind};
use crate::journal::{Cause, DecisionKind, Step, USER};
use crate::objective::{ObjectiveKind, Untouched};
use assize_fault::{Nanos, Ppb};

/// Worked example (e): A from 0 to 10 min, B from 5 to 15 min, each alone fatal.
#[test]
fn overlapping_fatal_faults_share_what_they_share() {
    let mut bench = Bench::new(h(1));
    bench.fault("a", s(0), m(10)).fault("b", m(5), m(15));
    bench.objective(ObjectiveKind::Rto(m(10)));
    let mut journal = bench.journal();
    all_out(&mut journal, &[(s(0), m(15))]);
    solo(&mut journal, Cause::Fault(0), &[(s(0), m(10))]);
    solo(&mut journal, Cause::Fault(1), &[(m(5), m(15))]);
    let finding = bench.finding(&journal);
    assert_eq!(finding.measured, Some(Value::Time(m(15))));
    assert_eq!(
        (finding.status, finding.margin_text.as_str()),
        (Status::Missed, "over by 5m")
    );
    let parts: Vec<_> = finding
        .attribution
        .iter()
        .map(|p| (p.cause.as_str(), p.time, p.joint))
        .collect();
    assert_eq!(parts, [("a", s(450), s(150)), ("b", s(450), s(150))]);
    assert_eq!(finding.attribution[0].owners, ["owner"]);
    assert_eq!(detail(&finding, "joint"), "5m shared by several causes");
    assert!(
        finding
            .reason
            .ends_with("due to `a` (7m 30s) and `b` (7m 30s).")
    );
    assert_eq!(detail(&finding, "onset"), "0s after `a` began");
}

/// Worked example (f): 10 of 84 sites down for 4 h.
#[test]
fn a_partial_outage_counts_at_the_default_level_and_not_at_a_lower_one() {
    let mut bench = Bench::new(h(6));
    bench.fault("ten", s(0), h(4));
    // So that the ten sites are a cell of their own.
    let group = vec![Untouched::Group(0.into())];
    bench.objective(ObjectiveKind::MustNotAffect(group));
    bench.objective(ObjectiveKind::Rto(m(15)));
    bench.objective(ObjectiveKind::Rto(m(15))).level = Ppb(880_000_000);
    bench.objective(ObjectiveKind::BlastRadius(Ppb(120_000_000)));
    let mut journal = bench.journal();
    assert_eq!(
        journal.cells.iter().map(|c| c.users).collect::<Vec<_>>(),
        [100, 740]
    );
    take_out(&mut journal.series[0], &journal.cells, &[(s(0), h(4), 100)]);
    let outcome = bench.judge(&journal);
    let [group, strict, lenient, radius] = &outcome.findings[..] else {
        panic!("four")
    };
    assert_eq!(
        (group.status, group.measured_text.as_str()),
        (Status::Missed, "100% out")
    );
    assert_eq!(strict.measured, Some(Value::Time(h(4))));
    assert_eq!(
        detail(strict, "below_full"),
        "below 100% for 4h, at worst 11.9048% out"
    );
    assert_eq!(lenient.measured, Some(Value::Time(s(0))));
    assert_eq!(
        (lenient.status, lenient.measured_text.as_str()),
        (Status::Met, "not interrupted")
    );
    assert_eq!(
        (radius.status, radius.measured_text.as_str()),
        (Status::Met, "11.9048% out")
    );
    assert_eq!(detail(radius, "user_hours_lost"), "400 user-hours");
    assert_eq!(outcome.verdict, VerdictKind::Fail);
    let journey = &outcome.populations[0].journeys[0];
    assert_eq!(journey.outages.len(), 1);
    assert!((journey.outages[0].share - 100.0 / 840.0).abs() < 1e-15);
    assert_eq!(journey.lost_per_user, Nanos(h(400).0 / 840));
}

/// Worked example (g): no standby at all, 2 h outage.
#[test]
fn without_a_standby_the_whole_fault_is_the_outage() {
    let mut bench = Bench::new(h(3));
    bench.fault("dc", m(1), m(121));
    bench.objective(ObjectiveKind::Rto(m(15)));
    let mut journal = bench.journal();
    all_out(&mut journal, &[(m(1), m(121))]);
    journal
        .decisions
        .push(decision(m(1) + s(6), DecisionKind::Down));
    let finding = bench.finding(&journal);
    assert_eq!(finding.measured, Some(Value::Time(h(2))));
    assert_eq!(finding.measured_text, "2h");
    assert_eq!(finding.status, Status::Missed);
    assert_eq!(detail(&finding, "detected"), "6s after `dc` began");
    assert_eq!(detail(&finding, "onset"), "0s after `dc` began");
    assert_eq!(detail(&finding, "since_fault"), "2h after `dc` began");
    assert_eq!(
        detail(&finding, "stable_good"),
        "2019-01-16T10:01:00Z (2h 1m from the start)"
    );
    assert_eq!(
        finding.reason,
        "The outage began at 2019-01-16T08:01:00Z and lasted 2h, due to `dc`."
    );
}

/// Worked example (c), the judge's part of it.
#[test]
fn recovery_point_is_from_the_oldest_loss_to_the_later_of_fault_and_newest_loss() {
    let finding = rpo(
        s(5),
        vec![
            back(s(100), Some((60, 63, 63_500))),
            back(h(3), Some((60, 63, 63_500))),
        ],
    );
    assert_eq!(finding.measured, Some(Value::Time(Nanos::millis(3_500))));
    assert_eq!(finding.error, Some(Value::Time(s(1))));
    assert_eq!(finding.status, Status::Met);
    assert_eq!(
        finding.reason,
        "4 of 10,000 acknowledged writes were missing at the end, 3.5s of work."
    );
    // Isolated: acknowledged until 60 s after the fault.
    let isolated = back(h(3), Some((60, 124, 64_000)));
    assert_eq!(rpo(s(5), vec![isolated]).measured, Some(Value::Time(s(64))));
    // The larger of recovery and final is judged.
    let late = vec![
        back(s(100), Some((60, 63, 64_000))),
        back(h(3), Some((36, 7_199, 7_200_000))),
    ];
    let finding = rpo(h(1), late);
    assert_eq!(finding.measured, Some(Value::Time(s(7_164))));
    assert_eq!(finding.status, Status::Missed);
    assert_eq!(detail(&finding, "at_recovery"), "4 lost, 4s");
}

/// Worked example (a), the judge's part of it: promoted at 36 s, and clients whose names live
/// for 60 s follow cohort by cohort.
#[test]
fn clients_follow_cohort_by_cohort() {
    let mut bench = Bench::new(h(1));
    bench.fault("north", s(0), h(1));
    bench.objective(ObjectiveKind::Rto(m(2)));
    let mut journal = bench.journal();
    let cohort = 840 * USER / 64;
    let steps = &mut journal.series[0].steps;
    steps.push(Step {
        at: s(0),
        served: 0,
        degraded: 0,
    });
    steps.extend((0..64).map(|k| Step {
        at: s(36) + Nanos((2 * k + 1) * 60_000_000_000 / 128),
        served: (k as u64 + 1) * cohort,
        degraded: 0,
    }));
    let outcome = bench.judge(&journal);
    let finding = &outcome.findings[0];
    assert_eq!(finding.measured, Some(Value::Time(Nanos(95_531_250_000))));
    assert_eq!(
        (finding.status, finding.margin_text.as_str()),
        (Status::Met, "+24.469s to spare")
    );
    let journey = &outcome.populations[0].journeys[0];
    assert_eq!(journey.lost_per_user, s(66));
    assert_eq!((journey.outages.len(), journey.rto_outages.len()), (64, 1));
}

/// Worked example (b), the judge's part of it: leases of 4,000 s renewed at 2,000 s, no address
/// service for 2,500 s.
#[test]
fn what_caches_mask_is_onset_and_not_outage() {
    let mut bench = Bench::new(h(2));
    bench.fault("dhcp", s(0), s(2_500));
    bench.objective(ObjectiveKind::Rto(m(5)));
    bench.objective(ObjectiveKind::Rto(m(5))).level = Ppb(750_000_000);
    let mut journal = bench.journal();
    let (all, cohort) = (840 * USER, 840 * USER / 64);
    let steps = &mut journal.series[0].steps;
    steps.extend((0..16).map(|k| Step {
        at: s(2_000) + Nanos((2 * k + 1) * 2_000_000_000_000 / 128),
        served: all - (k as u64 + 1) * cohort,
        degraded: 0,
    }));
    steps.push(Step {
        at: s(2_500),
        served: all,
        degraded: 0,
    });
    let outcome = bench.judge(&journal);
    let [strict, lenient] = &outcome.findings[..] else {
        panic!("two")
    };
    assert_eq!(strict.measured, Some(Value::Time(Nanos(484_375_000_000))));
    assert_eq!(detail(strict, "onset"), "33m 35.625s after `dhcp` began");
    assert_eq!(
        detail(strict, "below_full"),
        "below 100% for 8m 4.375s, at worst 25% out"
    );
    assert_eq!(
        (lenient.status, lenient.measured),
        (Status::Met, Some(Value::Time(s(0))))
    );
    assert_eq!(
        outcome.populations[0].journeys[0].lost_per_user,
        Nanos::millis(62_500)
    );
}
