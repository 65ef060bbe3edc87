//! What a change of design buys: two reports side by side.

use crate::report::{Availability, Journey, Report};
use serde::Serialize;
use std::collections::BTreeSet;

/// The difference from the first to the second.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// `assize/comparison/v1`.
    pub schema: String,
    /// The first.
    pub from: String,
    /// The second.
    pub to: String,
    /// The price: how many elements each has, the sites of classes included.
    pub elements: (u64, u64),
    /// Elements that only the second has.
    pub added: Vec<String>,
    /// Elements that only the first has.
    pub removed: Vec<String>,
    /// Targets that some single failure misses in the first, and none in the second.
    pub targets_gained: Vec<String>,
    /// The reverse.
    pub targets_lost: Vec<String>,
    /// Journeys in which something changed.
    pub journeys: Vec<Change>,
}

/// What changed for one journey of one population.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The journey.
    pub journey: String,
    /// Who makes it.
    pub population: String,
    /// Single points that are gone.
    pub single_points_removed: Vec<String>,
    /// Single points that are new.
    pub single_points_added: Vec<String>,
    /// Listed minimal cut sets that are gone.
    pub cut_sets_removed: Vec<String>,
    /// Listed minimal cut sets that are new.
    pub cut_sets_added: Vec<String>,
    /// The share of time, before and after, where both have figures.
    pub availability: Option<(Availability, Availability)>,
}

/// Compares two reports of topologies.
#[must_use]
pub fn compare(from: &Report, to: &Report) -> Comparison {
    let elements = |r: &Report| r.elements.iter().map(|e| e.count).sum();
    let names =
        |r: &Report| -> BTreeSet<String> { r.elements.iter().map(|e| e.id.clone()).collect() };
    let (a, b) = (names(from), names(to));
    let (missed_a, missed_b) = (missed(from), missed(to));
    let minus = |x: &BTreeSet<String>, y: &BTreeSet<String>| x.difference(y).cloned().collect();
    let pairs = from.journeys.iter().filter_map(|j| Some((j, same(to, j)?)));
    Comparison {
        schema: "assize/comparison/v1".to_owned(),
        from: from.name.clone(),
        to: to.name.clone(),
        elements: (elements(from), elements(to)),
        added: minus(&b, &a),
        removed: minus(&a, &b),
        targets_gained: minus(&missed_a, &missed_b),
        targets_lost: minus(&missed_b, &missed_a),
        journeys: pairs.filter_map(|(a, b)| change(a, b)).collect(),
    }
}

fn same<'a>(report: &'a Report, journey: &Journey) -> Option<&'a Journey> {
    report
        .journeys
        .iter()
        .find(|j| (&j.journey, &j.population) == (&journey.journey, &journey.population))
}

/// The objectives that a single failure misses, that of a user's own site left out.
fn missed(report: &Report) -> BTreeSet<String> {
    let single = report
        .sweep
        .iter()
        .filter(|s| s.k == 1)
        .flat_map(|s| &s.minimal);
    let shared = |id: &String| report.elements.iter().any(|e| e.id == *id && e.count == 1);
    single
        .filter(|v| v.elements.iter().all(shared))
        .flat_map(|v| v.objectives.clone())
        .collect()
}

fn change(a: &Journey, b: &Journey) -> Option<Change> {
    let points = |j: &Journey| -> BTreeSet<String> {
        j.single_points.iter().map(|p| p.element.clone()).collect()
    };
    let sets = |j: &Journey| -> BTreeSet<String> {
        j.cut_sets.iter().map(|s| s.elements.join(" + ")).collect()
    };
    let minus = |x: &BTreeSet<String>, y: &BTreeSet<String>| -> Vec<String> {
        x.difference(y).cloned().collect()
    };
    let (pa, pb, sa, sb) = (points(a), points(b), sets(a), sets(b));
    let availability = a.availability.zip(b.availability).filter(|(x, y)| x != y);
    let change = Change {
        journey: a.journey.clone(),
        population: a.population.clone(),
        single_points_removed: minus(&pa, &pb),
        single_points_added: minus(&pb, &pa),
        cut_sets_removed: minus(&sa, &sb),
        cut_sets_added: minus(&sb, &sa),
        availability,
    };
    let moved = pa != pb || sa != sb || availability.is_some();
    moved.then_some(change)
}
