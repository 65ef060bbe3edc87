//! Outcomes for the tests of this crate: one finding, one population, awkward lengths; and what
//! may stand beside them.

use crate::{Analysis, Format, Run, Style, Suite};
use assize_fault::Nanos;
use assize_model::contract::{Credits, Record, reckon};
use assize_model::drill::{Action, Approval, Drill};
use assize_model::file::{LoadOptions, MemorySource, load_contract};
use assize_model::finding::{
    AcceptedBy, FaultResult, Finding, JourneyResult, LiveResult, NotExercisedResult, OutageResult,
    Outcome, PopulationResult, SpanResult, Status, Value, VerdictKind,
};
use serde_json::json;
use std::path::Path;

/// Runs and nothing beside them.
pub(crate) fn suite(runs: Vec<Run>) -> Suite {
    Suite {
        runs,
        ..Suite::default()
    }
}

/// The record of a drill: one action open, one done.
pub(crate) fn drill() -> Drill {
    let action = |what: &str, done: Option<&str>| Action {
        what: what.into(),
        owner: "D. Networks".into(),
        due: "2027-01-31".into(),
        done: done.map(str::to_owned),
    };
    Drill {
        kind: "failover",
        lead: "A. Lead".into(),
        observers: vec!["B. Witness".into()],
        change: Some("CHG0012345".into()),
        approvals: vec![Approval {
            by: "C. Owner".into(),
            role: Some("service owner".into()),
            on: "2026-11-20".into(),
        }],
        actions: vec![
            action("second duct", None),
            action("call list", Some("2026-12-01")),
        ],
        notes: None,
    }
}

/// What was analysed of the network: two single points, a pair, a link that is too small.
pub(crate) fn analysis() -> Analysis {
    let point = |element: &str, share: f64, accepted: bool| json!({"element": element, "share": share, "accepted": accepted});
    let (core, duct) = (
        point("node/core", 1.0, false),
        point("link/duct", 0.25, true),
    );
    let journey = |journey: &str, points: &[&serde_json::Value]| {
        json!({"journey": journey, "population": "staff", "single_points": points,
            "site_points": [], "cut_sets": [], "minimal_cut_sets": 3,
            "availability": {"exact": 0.995}, "importance": []})
    };
    let stored = json!({
        "schema": "assize/analysis/v1", "kind": "topology", "name": "net",
        "elements": [{"id": "node/crown", "count": 84}, {"id": "node/core", "count": 1}],
        "journeys": [journey("write", &[&core, &duct]), journey("read", &[&core])],
        "findings": [],
        "sweep": [
            {"k": 1, "combinations": 85, "evaluated": 2, "skipped": 83, "violating": 1,
                "reasons": [], "minimal": [], "complete": true},
            {"k": 2, "combinations": 3570, "evaluated": 3, "skipped": 3567, "violating": 85,
                "overloaded": 1, "reasons": [], "complete": true,
                "minimal": [{"elements": ["link/a", "link/b"], "combinations": 2,
                    "objectives": ["write-rto"], "overloaded": ["link/c"]}]},
        ],
        "loads": [{"element": "link/c", "limit": "10Mbit/s", "at_rest": 0.5,
            "worst": [{"k": 1, "share": 1.25, "elements": ["link/a"]}]}],
        "warnings": ["the demand of `staff` is not stated"],
    });
    Analysis::read(stored.to_string().as_bytes()).expect("an analysis")
}

/// A suite as a format prints it.
pub(crate) fn printed(format: &Format, suite: &Suite) -> String {
    let mut out = Vec::new();
    (format.write)(suite, &Style::default(), &mut out).expect("to memory");
    String::from_utf8(out).expect("text")
}

pub(crate) fn finding(status: Status) -> Finding {
    Finding {
        objective: "write-rto".into(),
        kind: "rto",
        subject: "population-with-a-long-name / journey-with-a-long-name".into(),
        target: Some(Value::Time(Nanos::mins(15))),
        target_text: "≤ 15m".into(),
        measured: Some(Value::Time(Nanos(95_531_250_000))),
        measured_text: "≥ 8d 23h 59m 59.999s (still open)".into(),
        error: Some(Value::Time(Nanos::secs(1))),
        margin_text: "over by 8d 23h 44m 59.999s".into(),
        predicted: None,
        status,
        accepted: None,
        reason: "because".into(),
        tested_on: "simulation",
        source: "topology".into(),
        details: Vec::new(),
        attribution: Vec::new(),
    }
}

pub(crate) fn outcome(scenario: &str, verdict: VerdictKind, finding: Finding) -> Outcome {
    let (start, end) = ("2019-01-16T08:00:00Z", "2019-01-25T18:00:00Z");
    Outcome {
        schema: "assize/verdict/v1",
        engine: "simulate",
        topology: "net".into(),
        scenario: scenario.into(),
        seed: 0,
        model_digest: "00".into(),
        start: start.into(),
        end: end.into(),
        verdict,
        findings: vec![finding],
        populations: vec![PopulationResult {
            id: "staff".into(),
            users: 16_496,
            sites: 470,
            journeys: vec![JourneyResult {
                id: "write".into(),
                availability: 0.999_999_9,
                availability_all_hours: 0.999_999_9,
                degraded: 0.0,
                peak_out: 0.25,
                user_hours_lost: 1_234_567.0,
                lost_per_user: Nanos::secs(66),
                outages: vec![OutageResult {
                    from: start.into(),
                    to: end.into(),
                    from_offset: Nanos::ZERO,
                    to_offset: Nanos::hours(1),
                    share: 0.25,
                }],
                rto_outages: vec![SpanResult {
                    from: start.into(),
                    to: end.into(),
                    length: Nanos(95_531_250_000),
                }],
                losses: Vec::new(),
            }],
        }],
        services: Vec::new(),
        groups: Vec::new(),
        faults: vec![FaultResult {
            id: "dc".into(),
            fault: "outage".into(),
            target: "domain/dc-north".into(),
            from: start.into(),
            to: end.into(),
            owners: vec!["ark".into()],
            detected: None,
            reported: None,
            bit: false,
            evidence: "no packet met it".into(),
        }],
        steps: Vec::new(),
        expected: Vec::new(),
        not_exercised: vec![NotExercisedResult {
            element: "service/db/south".into(),
            what: "standby of db".into(),
        }],
        assumptions: Vec::new(),
        warnings: vec!["the queue of db was full".into()],
        live: None,
        resolution: Nanos::ZERO,
        contract: None,
        picture: Default::default(),
        trace_digest: "00".into(),
        events: 1,
    }
}

/// What a call-off contract makes of 26 of 220 core hours out for all, tested on this.
pub(crate) fn credits(tested_on: &'static str) -> Credits {
    let text = include_str!("../../../contracts/call-off.yaml");
    let source = MemorySource::new([("c.yaml", text)]);
    let loaded = load_contract(&source, Path::new("c.yaml"), &LoadOptions::default());
    let (contract, _) = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    let day = |day: i64, hours: i64| {
        let from = (day * 24 + 8) * 3_600_000_000_000_i64;
        let to = from + hours * 3_600_000_000_000;
        format!("{from} {to} out=6400000000000 degraded=0 sites=1 hub=6400000000000")
    };
    let verdict = serde_json::json!({
        "schema": "assize/verdict/v1", "engine": "observed", "topology": "moj",
        "scenario": "january", "start": "2019-01-01T00:00:00Z", "end": "2019-02-01T00:00:00Z",
        "faults": [{"id": "hub", "target": "link/hub-n", "owners": ["atos"]}],
        "populations": [{"id": "court-staff", "users": 100, "sites": 1, "journeys":
            [{"id": "sign-in", "availability_all_hours": 0.9,
              "losses": [day(15, 10), day(16, 10), day(17, 6)]}]}],
    });
    let mut record = Record::read(&verdict).expect("a record");
    record.pairs[0].tested_on = tested_on;
    reckon(&contract, &record)
}

pub(crate) fn run(scenario: &str, verdict: VerdictKind, status: Status) -> Run {
    Run::Judged(Box::new(outcome(scenario, verdict, finding(status))))
}

/// A run on real sockets whose one finding was tested on this.
pub(crate) fn live(scenario: &str, tested_on: &'static str, status: Status) -> Run {
    let mut finding = finding(status);
    finding.tested_on = tested_on;
    let verdict = match status {
        Status::Met => VerdictKind::Pass,
        Status::Missed => VerdictKind::Fail,
        Status::Inconclusive | Status::NotExercised => VerdictKind::Inconclusive,
    };
    let mut outcome = outcome(scenario, verdict, finding);
    outcome.engine = "run";
    outcome.live = Some(LiveResult {
        pace: 20,
        resolution: Nanos::secs(2),
        slowness: Nanos::ZERO,
        ended: "finished",
        attempts: 100,
        failed: 3,
        real: Vec::new(),
        disturbed: Vec::new(),
        runs: Vec::new(),
    });
    Run::Judged(Box::new(outcome))
}

pub(crate) fn accepted(scenario: &str) -> Run {
    let mut finding = finding(Status::Missed);
    finding.accepted = Some(AcceptedBy {
        by: "network owner".into(),
        until: "2027-03-31".into(),
        reason: "no second duct".into(),
    });
    Run::Judged(Box::new(outcome(scenario, VerdictKind::Pass, finding)))
}
