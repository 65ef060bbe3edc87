//! The register of single points for a design review: each with its owner, or without.

use crate::report::Report;
use assize_model::topology::Topology;
use serde::Serialize;
use std::collections::BTreeSet;

/// One single point of one journey.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Entry {
    /// The element.
    pub element: String,
    /// The journey that it takes away.
    pub journey: String,
    /// From whom.
    pub population: String,
    /// The share of the population that loses it.
    pub share: f64,
    /// What becomes of it.
    pub status: Status,
    /// Not in the design before.
    pub new: bool,
    /// Who accepts it.
    pub by: Option<String>,
    /// Until when.
    pub until: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Whether a single point is owned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has accepted it.
    Open,
    /// Accepted.
    Accepted,
    /// The acceptance has run out.
    Expired,
}

/// The register. `today` is a date as acceptances state them (`2027-03-31`), which compare as
/// text; without it no acceptance has run out. Against an older report, what it had is not new.
#[must_use]
pub fn register(
    topology: &Topology,
    report: &Report,
    old: Option<&Report>,
    today: Option<&str>,
) -> Vec<Entry> {
    let acceptances = crate::design::Register::of(topology);
    let known: BTreeSet<(&str, &str, &str)> = old.map(points).unwrap_or_default();
    let mut entries = Vec::new();
    for journey in &report.journeys {
        for point in &journey.single_points {
            let accepted = acceptances.find(&point.element, &journey.journey);
            let status = match accepted {
                None => Status::Open,
                Some(a) if today.is_some_and(|t| a.until.as_str() < t) => Status::Expired,
                Some(_) => Status::Accepted,
            };
            let key = (
                point.element.as_str(),
                journey.journey.as_str(),
                journey.population.as_str(),
            );
            entries.push(Entry {
                element: point.element.clone(),
                journey: journey.journey.clone(),
                population: journey.population.clone(),
                share: point.share,
                status,
                new: old.is_some() && !known.contains(&key),
                by: accepted.map(|a| a.by.clone()),
                until: accepted.map(|a| a.until.clone()),
                reason: accepted.map(|a| a.reason.clone()),
            });
        }
    }
    entries
}

fn points(report: &Report) -> BTreeSet<(&str, &str, &str)> {
    report
        .journeys
        .iter()
        .flat_map(|j| {
            j.single_points.iter().map(|p| {
                (
                    p.element.as_str(),
                    j.journey.as_str(),
                    j.population.as_str(),
                )
            })
        })
        .collect()
}

/// Whether a review passes: nothing has run out, and nothing is open that is new (or, without an
/// older design, at all).
#[must_use]
pub fn passes(entries: &[Entry], against: bool) -> bool {
    entries.iter().all(|e| match e.status {
        Status::Accepted => true,
        Status::Expired => false,
        Status::Open => against && !e.new,
    })
}
