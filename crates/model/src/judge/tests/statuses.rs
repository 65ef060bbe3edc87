//! Bite, acceptance and verdict; symptoms.

use super::fixture::{Bench, STAFF, WORK, all_out, take_out};
use super::{back, h, m, s};
use crate::finding::{Status, VerdictKind};
use crate::objective::ObjectiveKind;
use crate::scenario::{Symptom, SymptomKind};
use crate::topology::Accepted;
use assize_fault::Ppb;

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
    let out = [(s(0), m(10), 210), (m(30), m(40), 210), (m(70), m(71), 210)];
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
            ("21m", true),
            ("nothing lost", true),
        ]
    );
    assert_eq!(outcome.verdict, VerdictKind::Pass);
}
