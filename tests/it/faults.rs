//! Every fault of the registry, in a scenario of a few lines: what users see of it, worked out by
//! hand, and that it bit.

use crate::worked::{finding, outcome, time};
use assize_fault::Nanos;
use assize_model::finding::{FaultResult, JourneyResult, Outcome, Status};

mod access;
mod data;
mod failover;
mod people;
mod wire;

fn d(text: &str) -> Nanos {
    Nanos::parse(text).expect("a duration")
}

/// The only journey of the only population.
fn journey(outcome: &Outcome) -> &JourneyResult {
    assert_eq!(outcome.populations.len(), 1);
    assert_eq!(outcome.populations[0].journeys.len(), 1);
    &outcome.populations[0].journeys[0]
}

#[track_caller]
fn fault<'a>(outcome: &'a Outcome, id: &str) -> &'a FaultResult {
    let found = outcome.faults.iter().find(|f| f.id == id);
    found.unwrap_or_else(|| panic!("no fault {id}"))
}

/// Asserts that the fault met something, and that its kind is the one meant.
#[track_caller]
fn bit(outcome: &Outcome, id: &str, kind: &str) {
    let fault = fault(outcome, id);
    assert_eq!(fault.fault, kind);
    assert!(fault.bit, "{}", fault.evidence);
}

/// The longest outage, by the finding named `rto`.
#[track_caller]
fn rto(outcome: &Outcome) -> Nanos {
    time(finding(outcome, "rto").measured)
}

#[track_caller]
fn detail(outcome: &Outcome, objective: &str, name: &str) -> Nanos {
    let details = &finding(outcome, objective).details;
    let found = details.iter().find(|d| d.name == name);
    let found = found.unwrap_or_else(|| panic!("no detail {name} among {details:?}"));
    time(found.value)
}

/// The share that is served at an offset from the start.
fn served(journey: &JourneyResult, at: Nanos) -> f64 {
    let out = journey
        .outages
        .iter()
        .find(|o| o.from_offset <= at && at < o.to_offset);
    1.0 - out.map_or(0.0, |o| o.share)
}

/// Every fault that there is has a test here; a new one must get one.
#[test]
fn every_fault_is_tried() {
    let sources = [
        include_str!("faults/access.rs"),
        include_str!("faults/data.rs"),
        include_str!("faults/failover.rs"),
        include_str!("faults/people.rs"),
        include_str!("faults/wire.rs"),
    ];
    for kind in assize_model::faults::all() {
        let bites = format!("\"{}\");", kind.name);
        assert!(
            sources.iter().any(|s| s.contains(&bites)),
            "no test shows that `{}` bites",
            kind.name
        );
    }
}
