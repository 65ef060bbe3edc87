//! Each kind of objective.

use super::fixture::{APP, Bench, CROWN, STAFF, all_out, decision, take_out};
use super::{back, detail, h, loss, m, rpo, s};
use crate::finding::{Status, Value, VerdictKind};
use crate::ids::DomainId;
use crate::journal::{DecisionKind, QueueSeries, ReadBack, Serving, SplitBrain, Step, USER};
use crate::objective::{ObjectiveKind, Untouched};
use crate::topology::{Backup, Replication, SiteRange};
use assize_fault::{Ppb, Size};

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

#[test]
fn recovery_point_too_close_to_call_or_not_read_back() {
    let close = vec![back(h(3), Some((60, 63, 63_500)))];
    assert_eq!(rpo(s(4), close.clone()).status, Status::Inconclusive);
    assert_eq!(rpo(s(2), close).status, Status::Missed);
    assert_eq!(rpo(s(0), vec![back(h(3), None)]).status, Status::Met);
    // Of no writes none can be missing, which proves nothing.
    let idle = ReadBack {
        acknowledged: 0,
        ..back(h(3), None)
    };
    assert_eq!(rpo(s(0), vec![idle]).status, Status::Inconclusive);
    assert_eq!(rpo(s(0), vec![]).status, Status::Inconclusive);
    assert_eq!(
        rpo(s(0), vec![back(s(100), None)]).status,
        Status::Inconclusive
    );
}

#[test]
fn separate_losses_are_judged_each_on_its_own() {
    // Two writes, lost by the failover at 62 s, and one lost eight minutes later: 2 s and 1 s, not
    // the 480 s from the oldest to the newest.
    let mut both = back(h(3), Some((60, 61, 62_000)));
    both.losses.push(loss((540, 540, 541_000)));
    let finding = rpo(s(5), vec![both]);
    assert_eq!(finding.status, Status::Met);
    assert_eq!(finding.measured, Some(Value::Time(s(2))));
    assert_eq!(
        detail(&finding, "lost_separately"),
        "2 times, each judged on its own"
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
        serving(0, s(-600), s(0)),
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
    // What was decided before the fault began says nothing about it.
    journal.decisions = vec![
        decision(s(5), DecisionKind::Down),
        decision(s(16), DecisionKind::Down),
    ];
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
        needs: Vec::new(),
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
    // Without any domain, only another node is another place.
    bench.topology.nodes[1].domains.clear();
    bench.topology.nodes[2].domains.clear();
    let state = bench.topology.services[0].state.as_mut().expect("a state");
    state.replication = None;
    state.backups[0].kept_at = 1.into();
    let finding = bench.finding(&bench.journal());
    assert_eq!(
        finding.measured_text,
        "2 copies, 1 place, 0 off-site, 1 offline"
    );
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

#[test]
fn a_group_is_judged_by_its_own_sites_alone() {
    let mut bench = Bench::new(h(1));
    bench.fault("dc", s(0), m(10));
    bench.topology.groups[0].sites[0] = SiteRange {
        node: CROWN,
        first: 10,
        end: 20,
    };
    bench.objective(ObjectiveKind::MustNotAffect(vec![Untouched::Group(
        0.into(),
    )]));
    let mut journal = bench.journal();
    let out = [(s(0), m(10), 1)];
    take_out(&mut journal.series[0], &journal.cells, &out);
    take_out(&mut journal.series[2], &journal.cells, &out);
    assert_eq!(bench.finding(&journal).status, Status::Met);
    take_out(&mut journal.series[1], &journal.cells, &out);
    let finding = bench.finding(&journal);
    assert_eq!(
        (finding.status, finding.subject.as_str()),
        (Status::Missed, "group/ten")
    );
    // Its users left out, nobody is there to be judged.
    bench.scenario.objectives[0].excluding = vec![CROWN];
    assert_eq!(bench.finding(&journal).status, Status::Inconclusive);
}

#[test]
fn work_cleared_while_the_fault_was_on_leaves_no_backlog() {
    let mut bench = Bench::new(h(3));
    bench.fault("dc", s(0), h(1));
    bench.objective(ObjectiveKind::Backlog(s(0)));
    let mut journal = bench.journal();
    journal.queues = vec![QueueSeries {
        service: APP,
        steps: vec![(s(0), USER), (s(20), 100 * USER), (m(5), USER)],
    }];
    let finding = bench.finding(&journal);
    assert_eq!(
        (finding.status, finding.measured),
        (Status::Met, Some(Value::Time(s(0))))
    );
    journal.queues[0].steps.pop();
    let finding = bench.finding(&journal);
    assert_eq!(
        (finding.status, finding.measured_text.as_str()),
        (Status::Missed, "≥ 2h (still queued)")
    );
}
