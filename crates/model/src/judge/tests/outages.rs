//! What is one outage, how long it is, and who has a part in it.

use super::fixture::{Bench, CROWN, all_out, decision, solo, take_out};
use super::{detail, h, m, s};
use crate::finding::{Status, Value};
use crate::journal::{Cause, DecisionKind, Step, USER};
use crate::objective::{During, ObjectiveKind};
use crate::scenario::Flap;
use assize_fault::Ppb;

#[test]
fn a_fail_back_blip_is_a_second_outage() {
    let mut bench = Bench::new(h(1));
    bench.fault("dc", s(0), m(20));
    bench.objective(ObjectiveKind::Rto(m(2)));
    bench.objective(ObjectiveKind::Outages {
        max: Some(1),
        total: Some(m(3)),
    });
    let mut journal = bench.journal();
    all_out(&mut journal, &[(s(0), s(95)), (m(30), m(31))]);
    let outcome = bench.judge(&journal);
    let [rto, outages] = &outcome.findings[..] else {
        panic!("two")
    };
    assert_eq!(
        (rto.status, rto.measured),
        (Status::Met, Some(Value::Time(s(95))))
    );
    assert_eq!(detail(rto, "outages"), "2 outages, 2m 35s in all");
    assert_eq!(
        (outages.status, outages.measured),
        (Status::Missed, Some(Value::Count(2)))
    );
    assert_eq!(outages.margin_text, "1 too many, +25s to spare");
}

#[test]
fn outages_closer_than_stable_for_are_one() {
    let mut bench = Bench::new(h(1));
    bench.fault("dc", s(0), m(20));
    bench.objective(ObjectiveKind::Rto(m(2)));
    let mut journal = bench.journal();
    all_out(
        &mut journal,
        &[(s(0), s(30)), (s(89), s(100)), (s(160), s(170))],
    );
    let finding = bench.finding(&journal);
    // 59 s apart: one; exactly 60 s apart: two.
    assert_eq!(finding.measured, Some(Value::Time(s(100))));
    assert_eq!(
        detail(&finding, "first_good"),
        "2019-01-16T08:00:30Z (30s from the start)"
    );
    bench.scenario.objectives[0].stable_for = Some(s(61));
    assert_eq!(bench.finding(&journal).measured, Some(Value::Time(s(170))));
    bench.scenario.objectives[0].stable_for = Some(s(1));
    assert_eq!(bench.finding(&journal).measured, Some(Value::Time(s(30))));
}

#[test]
fn an_outage_open_at_the_end_is_missed_only_when_it_already_exceeds_the_target() {
    let mut bench = Bench::new(m(30));
    bench.fault("dc", m(20), m(30));
    bench.objective(ObjectiveKind::Rto(m(15)));
    let mut journal = bench.journal();
    all_out(&mut journal, &[(m(20), h(2))]);
    let finding = bench.finding(&journal);
    assert_eq!(finding.measured_text, "≥ 10m (still open)");
    assert_eq!(
        (finding.status, finding.margin_text.as_str()),
        (Status::Inconclusive, "not known")
    );
    bench.scenario.objectives[0].kind = ObjectiveKind::Rto(m(9));
    let finding = bench.finding(&journal);
    assert_eq!(finding.status, Status::Missed);
    assert_eq!(finding.margin_text, "over by at least 1m");
    assert_eq!(detail(&finding, "stable_good"), "not by the end");
}

#[test]
fn an_open_outage_keeps_a_longer_closed_one_from_being_met() {
    let mut bench = Bench::new(m(30));
    bench.fault("dc", s(0), m(30));
    bench.objective(ObjectiveKind::Rto(m(15)));
    let mut journal = bench.journal();
    all_out(&mut journal, &[(s(0), m(10)), (m(25), m(30))]);
    let finding = bench.finding(&journal);
    assert_eq!(finding.status, Status::Inconclusive);
    assert_eq!(finding.measured_text, "≥ 10m (another outage still open)");
}

#[test]
fn recovery_counts_from_the_end_of_the_fault_where_the_objective_says_so() {
    let mut bench = Bench::new(h(2));
    bench.fault("a", s(0), m(30)).fault("b", m(60), m(61));
    bench.objective(ObjectiveKind::Rto(m(5))).from_fault_end = true;
    let mut journal = bench.journal();
    all_out(&mut journal, &[(s(10), m(34)), (m(60), m(62))]);
    solo(&mut journal, Cause::Fault(0), &[(s(10), m(34))]);
    solo(&mut journal, Cause::Fault(1), &[(m(60), m(62))]);
    let finding = bench.finding(&journal);
    assert_eq!(
        (finding.status, finding.measured),
        (Status::Met, Some(Value::Time(m(4))))
    );
    bench.scenario.objectives[0].fault = Some("b".into());
    assert_eq!(bench.finding(&journal).measured, Some(Value::Time(m(1))));
    bench.scenario.objectives[0].from_fault_end = false;
    assert_eq!(bench.finding(&journal).measured, Some(Value::Time(m(2))));
}

#[test]
fn instants_that_no_cause_explains_alone_go_to_all_whose_effect_lasts() {
    let mut bench = Bench::new(h(1));
    bench
        .fault("a", s(0), m(10))
        .fault("b", m(5), m(15))
        .fault("past", s(0), m(1));
    bench.objective(ObjectiveKind::Rto(m(1)));
    let mut journal = bench.journal();
    all_out(&mut journal, &[(m(5), m(10))]);
    for fault in 0..3 {
        solo(&mut journal, Cause::Fault(fault), &[]);
    }
    let finding = bench.finding(&journal);
    let parts: Vec<_> = finding
        .attribution
        .iter()
        .map(|p| (p.cause.as_str(), p.time))
        .collect();
    assert_eq!(parts, [("a", s(150)), ("b", s(150))]);
    assert_eq!(detail(&finding, "onset"), "0s after `b` began");
}

#[test]
fn a_flapping_fault_gives_onset_by_the_turn() {
    let mut bench = Bench::new(h(1));
    bench.fault("flap", m(1), m(40));
    bench.scenario.faults[0].flap = Some(Flap {
        down: m(2),
        up: m(8),
    });
    bench.objective(ObjectiveKind::Rto(m(5)));
    bench
        .objective(ObjectiveKind::Availability(Ppb(500_000_000)))
        .during = During::Fault;
    let mut journal = bench.journal();
    all_out(&mut journal, &[(m(11) + s(3), m(13))]);
    journal.decisions = vec![
        decision(m(1) + s(2), DecisionKind::RouteDown),
        decision(m(11) + s(4), DecisionKind::RouteDown),
    ];
    let outcome = bench.judge(&journal);
    assert_eq!(
        detail(&outcome.findings[0], "onset"),
        "3s after `flap` began"
    );
    assert_eq!(
        detail(&outcome.findings[0], "detected"),
        "4s after `flap` began"
    );
    // Out for 117 s of four turns of two minutes.
    assert_eq!(
        outcome.findings[1].measured,
        Some(Value::Share((480.0 - 117.0) / 480.0))
    );
}

#[test]
fn a_journey_down_before_the_start_is_not_met() {
    let mut bench = Bench::new(h(1));
    bench.fault("dc", s(0), m(10));
    bench.objective(ObjectiveKind::Rto(m(15)));
    let mut journal = bench.journal();
    all_out(&mut journal, &[(s(-30), s(30))]);
    let finding = bench.finding(&journal);
    assert_eq!(finding.measured, Some(Value::Time(s(30))));
    assert_eq!(finding.status, Status::Inconclusive);
}

#[test]
fn users_left_out_count_on_neither_side() {
    let mut bench = Bench::new(h(1));
    bench.fault("dc", s(0), m(10));
    bench.topology.populations[0].at.push((1.into(), 160));
    bench.objective(ObjectiveKind::Rto(m(1))).excluding = vec![CROWN];
    bench.objective(ObjectiveKind::Rto(m(1))).excluding = vec![CROWN, 1.into()];
    let mut journal = bench.journal();
    take_out(&mut journal.series[0], &journal.cells, &[(s(0), m(10), 1)]);
    let outcome = bench.judge(&journal);
    assert_eq!(outcome.findings[0].status, Status::Met);
    assert_eq!(
        detail(&outcome.findings[0], "left_out"),
        "840 users left out"
    );
    assert_eq!(outcome.findings[1].status, Status::Inconclusive);
    assert_eq!(outcome.findings[1].measured, None);
}

#[test]
fn a_gap_that_is_bridged_goes_to_the_cause_whose_own_gap_it_is() {
    let mut bench = Bench::new(h(1));
    bench
        .fault("flap", s(0), m(10))
        .fault("beside", s(0), m(10));
    bench.objective(ObjectiveKind::Rto(m(1)));
    let mut journal = bench.journal();
    let spans = [(s(0), s(60)), (s(90), s(120))];
    all_out(&mut journal, &spans);
    solo(&mut journal, Cause::Fault(0), &spans);
    solo(&mut journal, Cause::Fault(1), &[]);
    let finding = bench.finding(&journal);
    assert_eq!(finding.measured, Some(Value::Time(m(2))));
    assert_eq!(finding.attribution.len(), 1);
    assert_eq!(finding.attribution[0].cause, "flap");
}

#[test]
fn a_journey_recorded_in_part_is_not_measured() {
    let mut bench = Bench::new(h(1));
    bench.fault("dc", s(0), m(10));
    bench.topology.populations[0].at.push((1.into(), 160));
    bench.objective(ObjectiveKind::Rto(m(15)));
    let mut journal = bench.journal();
    assert_eq!(bench.finding(&journal).status, Status::Met);
    journal.series.pop();
    let finding = bench.finding(&journal);
    assert_eq!(
        (finding.status, finding.measured),
        (Status::Inconclusive, None)
    );
}

#[test]
fn listed_outages_change_with_who_is_out_and_not_with_how_the_rest_is_served() {
    let bench = Bench::new(h(1));
    let mut journal = bench.journal();
    let step = |at, out: u64, degraded: u64| Step {
        at,
        served: (840 - out) * USER,
        degraded: degraded * USER,
    };
    let steps = [
        step(s(0), 84, 0),
        step(m(1), 84, 100),
        step(m(2), 42, 100),
        step(m(3), 0, 0),
    ];
    journal.series[0].steps.extend(steps);
    let outcome = bench.judge(&journal);
    let listed = outcome.populations[0].journeys[0].outages.iter();
    let listed: Vec<_> = listed
        .map(|one| (one.from_offset, one.to_offset, one.share))
        .collect();
    assert_eq!(listed, [(s(0), m(2), 0.1), (m(2), m(3), 0.05)]);
}
