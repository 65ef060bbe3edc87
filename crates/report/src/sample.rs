//! Outcomes for the tests of this crate: one finding, one population, awkward lengths.

use crate::Run;
use assize_fault::Nanos;
use assize_model::finding::{
    AcceptedBy, FaultResult, Finding, JourneyResult, LiveResult, NotExercisedResult, OutageResult,
    Outcome, PopulationResult, SpanResult, Status, Value, VerdictKind,
};

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
