//! The judge on hand-made journals: the worked examples, and each kind of objective.

use super::fixture::{APP, Bench, CROWN, STAFF, WORK, all_out, decision, solo, take_out};
use crate::finding::{Finding, Status, Value, VerdictKind};
use crate::ids::DomainId;
use crate::journal::{Cause, DecisionKind, QueueSeries, ReadBack, Serving, SplitBrain, Step, USER};
use crate::objective::{During, ObjectiveKind, Untouched};
use crate::scenario::{Flap, Symptom, SymptomKind};
use crate::topology::{Accepted, Backup, Replication};
use assize_fault::{Nanos, Ppb, Size};

fn s(seconds: i64) -> Nanos {
    Nanos::secs(seconds)
}

fn m(minutes: i64) -> Nanos {
    Nanos::mins(minutes)
}

fn h(hours: i64) -> Nanos {
    Nanos::hours(hours)
}

fn detail<'a>(finding: &'a Finding, name: &str) -> &'a str {
    let found = finding.details.iter().find(|detail| detail.name == name);
    found.map_or("absent", |detail| detail.text.as_str())
}

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
    let outcome = bench.judge(&journal);
    assert_eq!(
        detail(&outcome.findings[0], "onset"),
        "3s after `flap` began"
    );
    // Out for 117 s of four turns of two minutes.
    assert_eq!(
        outcome.findings[1].measured,
        Some(Value::Share((480.0 - 117.0) / 480.0))
    );
}

#[test]
fn a_fault_that_never_bit_decides_nothing_that_names_it() {
    let mut bench = Bench::new(h(1));
    bench.fault("dc", s(0), m(10)).fault("unused", s(0), m(10));
    bench.objective(ObjectiveKind::Rto(m(15)));
    bench.objective(ObjectiveKind::Rto(m(15))).fault = Some("unused".into());
    bench.objective(ObjectiveKind::Rto(m(15))).fault = Some("misspelt".into());
    let mut journal = bench.journal();
    journal.faults[1].bite = None;
    let status = |outcome: &crate::finding::Outcome| {
        outcome
            .findings
            .iter()
            .map(|finding| finding.status)
            .collect::<Vec<_>>()
    };
    let outcome = bench.judge(&journal);
    assert_eq!(
        status(&outcome),
        [Status::Met, Status::Inconclusive, Status::Inconclusive]
    );
    assert_eq!(outcome.verdict, VerdictKind::Inconclusive);
    assert!(!outcome.faults[1].bit);
    // Nothing bit at all: nothing was tested.
    journal.faults[0].bite = None;
    assert_eq!(status(&bench.judge(&journal)), [Status::Inconclusive; 3]);
}

#[test]
fn an_accepted_miss_stays_missed_and_does_not_decide() {
    let mut bench = Bench::new(h(1));
    bench.fault("dc", s(0), m(10));
    bench.objective(ObjectiveKind::Rto(m(1)));
    bench.topology.accepted.push(Accepted {
        objective: Some("o0".into()),
        scenario: Some("case".into()),
        single_point: None,
        by: "network owner".into(),
        until: "2027-03-31".into(),
        reason: "known".into(),
    });
    let mut journal = bench.journal();
    all_out(&mut journal, &[(s(0), m(10))]);
    let outcome = bench.judge(&journal);
    assert_eq!(outcome.findings[0].status, Status::Missed);
    assert_eq!(
        outcome.findings[0].accepted.as_ref().map(|a| a.by.as_str()),
        Some("network owner")
    );
    assert_eq!(outcome.verdict, VerdictKind::Pass);
    bench.topology.accepted[0].scenario = Some("another".into());
    assert_eq!(bench.judge(&journal).verdict, VerdictKind::Fail);
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
fn blast_radius_and_availability_count_service_hours_only() {
    let mut bench = Bench::new(h(24));
    bench.fault("night", h(11), h(13));
    bench.topology.populations[0].hours =
        Some(crate::calendar::Hours::parse("Mon-Fri 08:00-18:00").expect("hours"));
    bench.objective(ObjectiveKind::BlastRadius(Ppb::ZERO));
    bench.objective(ObjectiveKind::Availability(Ppb::ONE));
    bench.objective(ObjectiveKind::MustNotAffect(vec![Untouched::Population(
        STAFF,
    )]));
    bench.objective(ObjectiveKind::Rto(m(1)));
    let mut journal = bench.journal();
    // 08:00 to 18:00 is open; 19:00 to 21:00 is not.
    all_out(&mut journal, &[(h(11), h(13))]);
    let statuses = |bench: &Bench, journal| {
        let findings = bench.judge(journal).findings;
        findings
            .iter()
            .map(|finding| finding.status)
            .collect::<Vec<_>>()
    };
    use Status::{Inconclusive, Met, Missed};
    assert_eq!(statuses(&bench, &journal), [Met, Met, Met, Missed]);
    let outcome = bench.judge(&journal);
    let journey = &outcome.populations[0].journeys[0];
    assert_eq!(journey.availability, 1.0);
    assert!((journey.availability_all_hours - 22.0 / 24.0).abs() < 1e-15);
    let mut journal = bench.journal();
    all_out(&mut journal, &[(h(9), h(11))]);
    assert_eq!(statuses(&bench, &journal), [Missed, Missed, Missed, Missed]);
    assert_eq!(
        bench.judge(&journal).populations[0].journeys[0].availability,
        0.9
    );
    // A window in which the service is closed measures nothing.
    bench.scenario.objectives[1].window = Some((h(11), h(13)));
    assert_eq!(statuses(&bench, &journal)[1], Inconclusive);
}

fn back(at: Nanos, lost: Option<(i64, i64, i64)>) -> ReadBack {
    ReadBack {
        service: APP,
        at,
        is_final: at == h(3),
        acknowledged: 10_000,
        lost: lost.map_or(0, |(oldest, newest, _)| (newest - oldest) as u64 + 1),
        duplicated: 0,
        stale: 0,
        corrupted: 0,
        indeterminate: 0,
        oldest_lost_at: lost.map(|(oldest, _, _)| s(oldest)),
        newest_lost_at: lost.map(|(_, newest, _)| s(newest)),
        survivor_before: lost.map(|(oldest, _, _)| s(oldest - 1)),
        fault_at: lost.map(|(_, _, fault)| Nanos::millis(fault)),
        fault: lost.map(|_| 0),
    }
}

fn rpo(target: Nanos, backs: Vec<ReadBack>) -> Finding {
    let mut bench = Bench::new(h(3));
    bench.fault("dc", s(63), h(1));
    bench.objective(ObjectiveKind::Rpo(target));
    let mut journal = bench.journal();
    journal.read_backs = backs;
    bench.finding(&journal)
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
        "4 of 10000 acknowledged writes were missing at the end, 3.5s of work."
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

#[test]
fn recovery_point_too_close_to_call_or_not_read_back() {
    let close = vec![back(h(3), Some((60, 63, 63_500)))];
    assert_eq!(rpo(s(4), close.clone()).status, Status::Inconclusive);
    assert_eq!(rpo(s(2), close).status, Status::Missed);
    assert_eq!(rpo(s(0), vec![back(h(3), None)]).status, Status::Met);
    assert_eq!(rpo(s(0), vec![]).status, Status::Inconclusive);
    assert_eq!(
        rpo(s(0), vec![back(s(100), None)]).status,
        Status::Inconclusive
    );
}

#[test]
fn fail_back_is_judged_only_when_something_failed_over() {
    let mut bench = Bench::new(h(2));
    bench.fault("dc", s(0), h(1));
    bench.objective(ObjectiveKind::Failback(m(15)));
    bench.objective(ObjectiveKind::RetainedCapacity(Ppb(900_000_000)));
    let mut journal = bench.journal();
    let serving = |replica, from, to| Serving {
        service: APP,
        replica,
        from,
        to,
    };
    journal.serving = vec![serving(0, s(0), h(2))];
    let outcome = bench.judge(&journal);
    assert_eq!(outcome.findings[0].status, Status::NotExercised);
    assert_eq!(outcome.findings[1].status, Status::NotExercised);
    assert_eq!(outcome.verdict, VerdictKind::Inconclusive);
    journal.serving = vec![
        serving(0, s(0), s(0)),
        serving(1, s(36), m(70)),
        serving(0, m(70) + s(30), h(2)),
    ];
    journal.decisions = vec![
        decision(s(6), DecisionKind::Down),
        decision(s(36), DecisionKind::Promoted),
        decision(m(70), DecisionKind::FailBackBegun),
    ];
    all_out(&mut journal, &[(s(0), s(96)), (m(70), m(70) + s(30))]);
    let outcome = bench.judge(&journal);
    let [failback, retained] = &outcome.findings[..] else {
        panic!("two")
    };
    assert_eq!(failback.measured, Some(Value::Time(m(10) + s(30))));
    assert_eq!(failback.status, Status::Met);
    assert_eq!(
        detail(failback, "disturbance"),
        "7 user-hours lost meanwhile"
    );
    // From promotion and the clients' caches (36 s + 60 s) to fail-back, nobody was out.
    assert_eq!(
        (retained.status, retained.measured),
        (Status::Met, Some(Value::Share(1.0)))
    );
    journal.serving.truncate(2);
    let never = &bench.judge(&journal).findings[0];
    assert_eq!(
        (never.status, never.measured_text.as_str()),
        (Status::Missed, "≥ 1h (not by the end)")
    );
}

#[test]
fn split_brain_duplicates_detection_latency_backlog() {
    let mut bench = Bench::new(h(3));
    bench.fault("dc", s(10), h(1));
    bench.objective(ObjectiveKind::SplitBrain);
    bench.objective(ObjectiveKind::Duplicates(0));
    bench.objective(ObjectiveKind::Detection(s(30)));
    bench.objective(ObjectiveKind::Latency(s(2)));
    bench.objective(ObjectiveKind::Backlog(m(10)));
    let mut journal = bench.journal();
    let outcome = bench.judge(&journal);
    use Status::{Inconclusive, Met, Missed};
    let statuses: Vec<_> = outcome
        .findings
        .iter()
        .map(|finding| finding.status)
        .collect();
    assert_eq!(statuses, [Met, Inconclusive, Missed, Met, Inconclusive]);
    assert_eq!(outcome.findings[2].measured_text, "never");
    journal.split_brain = vec![SplitBrain {
        service: APP,
        from: s(20),
        to: s(80),
    }];
    journal.read_backs = vec![ReadBack {
        duplicated: 2,
        ..back(h(3), None)
    }];
    journal.decisions = vec![decision(s(16), DecisionKind::Down)];
    journal.queues = vec![QueueSeries {
        service: APP,
        steps: vec![(s(0), 0), (s(20), 100 * USER), (m(65), 7), (m(68), 0)],
    }];
    let findings = bench.judge(&journal).findings;
    let statuses: Vec<_> = findings.iter().map(|finding| finding.status).collect();
    assert_eq!(statuses, [Missed, Missed, Met, Met, Met]);
    assert_eq!(findings[0].measured_text, "1 time, 1m in all");
    assert_eq!(findings[2].measured, Some(Value::Time(s(6))));
    assert_eq!(findings[4].measured, Some(Value::Time(m(8))));
    assert_eq!(detail(&findings[4], "peak"), "at most 100 queued");
}

#[test]
fn the_backup_rule_counts_what_is_off_site_by_its_domains() {
    let mut bench = Bench::new(h(1));
    let kind = ObjectiveKind::BackupRule {
        copies: 3,
        places: 2,
        off_site: 1,
        offline: 0,
    };
    bench.objective(kind);
    let backup = Backup {
        id: "nightly".into(),
        every: h(24),
        at: None,
        takes: h(1),
        kept_at: 2.into(),
        restore_takes: h(4),
        size: Size(1),
        offline: true,
        last_verified: None,
    };
    let state = bench.topology.services[0].state.as_mut().expect("a state");
    state.backups = vec![backup];
    let finding = bench.finding(&bench.journal());
    // Without replication the standby holds no copy. No fault has to bite.
    assert_eq!(
        finding.measured_text,
        "2 copies, 2 places, 1 off-site, 1 offline"
    );
    assert_eq!(
        (finding.status, finding.tested_on),
        (Status::Missed, "analysis")
    );
    assert_eq!(finding.margin_text, "short of 1 copy");
    let state = bench.topology.services[0].state.as_mut().expect("a state");
    state.replication = Some(Replication::Sync);
    assert_eq!(bench.finding(&bench.journal()).status, Status::Met);
    // One data centre inside the other's: nothing is off-site any more.
    bench.topology.domains[1].parents = vec![DomainId(0)];
    assert_eq!(
        bench.finding(&bench.journal()).margin_text,
        "short of 1 off-site"
    );
}

#[test]
fn symptoms_are_scored_and_never_enter_the_verdict() {
    let mut bench = Bench::new(h(2));
    bench.fault("dc", s(0), h(1));
    let (population, journey) = (STAFF, WORK);
    let kinds = [
        SymptomKind::ShareAt {
            population,
            journey,
            at: m(5),
            is: Ppb(750_000_000),
            within: Ppb(20_000_000),
        },
        SymptomKind::ShareBetween {
            population,
            journey,
            from: s(0),
            to: m(20),
            min: Ppb(750_000_000),
            max: Ppb(900_000_000),
        },
        SymptomKind::Intermittent {
            population,
            journey,
            from: s(0),
            to: h(1),
            times: 2,
        },
        SymptomKind::RestoredBetween {
            group: 0.into(),
            from: m(50),
            to: h(1),
        },
        SymptomKind::Untouched {
            population,
            journey: None,
        },
        SymptomKind::Lasts {
            population,
            journey,
            is: m(20),
            within: m(1),
        },
        SymptomKind::NoDataLost { service: None },
    ];
    let symptom = |kind| Symptom {
        text: "a symptom".into(),
        kind,
    };
    bench.scenario.expect = kinds.into_iter().map(symptom).collect();
    let mut journal = bench.journal();
    journal.groups = vec![(0.into(), Some(h(1)))];
    journal.read_backs = vec![back(h(3), None)];
    let out = [(s(0), m(10), 210), (m(30), m(40), 210)];
    take_out(&mut journal.series[0], &journal.cells, &out);
    let outcome = bench.judge(&journal);
    let rows: Vec<_> = outcome
        .expected
        .iter()
        .map(|row| (row.got.as_str(), row.reproduced))
        .collect();
    assert_eq!(
        rows,
        [
            ("75%", true),
            ("75% to 100%", false),
            ("2 times", true),
            ("2019-01-16T09:00:00Z", true),
            ("25% of staff / work out", false),
            ("20m", true),
            ("nothing lost", true),
        ]
    );
    assert_eq!(outcome.verdict, VerdictKind::Pass);
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
fn degraded_users_count_as_served_and_are_reported() {
    let mut bench = Bench::new(h(1));
    bench.fault("dc", s(0), m(10));
    bench.objective(ObjectiveKind::Rto(m(15)));
    let mut journal = bench.journal();
    let all = 840 * USER;
    let steps = [(s(0), 420 * USER), (m(30), 0)];
    for (at, degraded) in steps {
        journal.series[0].steps.push(Step {
            at,
            served: all,
            degraded,
        });
    }
    let outcome = bench.judge(&journal);
    assert_eq!(outcome.findings[0].measured_text, "not interrupted");
    assert_eq!(
        detail(&outcome.findings[0], "degraded"),
        "at most 50% served by a contingency"
    );
    let journey = &outcome.populations[0].journeys[0];
    assert_eq!((journey.availability, journey.degraded), (1.0, 0.25));
    assert!(journey.outages.is_empty());
}
