//! Which findings bear on which outcome, and why. One line each.

use super::Basis;

/// A rule: findings of a kind bear on an outcome.
pub(super) struct Rule {
    pub(super) kinds: &'static [&'static str],
    pub(super) outcomes: &'static [&'static str],
    /// What such a finding shows when it is met.
    pub(super) shows: &'static str,
    /// It is read from the topology, so an analysis is as good as a run.
    pub(super) structural: bool,
}

const fn rule(
    kinds: &'static [&'static str],
    outcomes: &'static [&'static str],
    shows: &'static str,
) -> Rule {
    Rule {
        kinds,
        outcomes,
        shows,
        structural: false,
    }
}

/// Findings by kind.
pub(super) const RULES: &[Rule] = &[
    rule(
        &["rto", "outages", "availability", "failback"],
        &["B5.a", "D1.b", "8.4.5", "A.5.30"],
        "service returned in the time that was asked",
    ),
    rule(
        &[
            "rto",
            "outages",
            "availability",
            "retained_capacity",
            "latency",
            "backlog",
        ],
        &["B5.b", "8.3", "A.8.14"],
        "the design kept to its target",
    ),
    rule(
        &["must_not_affect", "blast_radius", "user_hours_lost"],
        &["B5.b"],
        "the failure stayed where it was",
    ),
    rule(
        &["retained_capacity", "backlog", "detection"],
        &["D1.b"],
        "it was noticed, or carried on at the level that was asked",
    ),
    rule(
        &["split_brain", "duplicates"],
        &["B5.b", "D1.b"],
        "taking over did no harm to data",
    ),
    rule(
        &["rpo"],
        &["B5.c", "A.8.13", "POL.TCP.108", "A.5.30"],
        "no more data was missing than the recovery point allows",
    ),
    Rule {
        structural: true,
        ..rule(
            &["backup_rule"],
            &["B5.c", "A.8.13"],
            "copies are as many and as far apart as the rule asks",
        )
    },
];

/// A whole run that was carried out, whatever it showed: an exercise.
pub(super) const EXERCISE: &[&str] = &["D1.c", "8.5"];
/// A real run in which people or the plan acted: steps, responses.
pub(super) const PLAN: &[&str] = &["D1.a"];
/// A real incident that was judged, or an account of one that was scored against what was
/// published.
pub(super) const INCIDENT: &[&str] = &["D2.a"];
/// A past incident, repeated on real systems, whose targets are met.
pub(super) const IMPROVED: &[&str] = &["D2.b"];

/// Whether evidence of a basis is good enough for something that takes a kind of it.
pub(super) fn suffices(basis: Basis, takes: super::Takes, structural: bool) -> bool {
    match (takes, basis) {
        (super::Takes::Design, _) | (_, Basis::Real | Basis::Observed) => true,
        (super::Takes::Operation, Basis::Analysis) => structural,
        (super::Takes::Operation, Basis::Simulation | Basis::StandIn) => false,
    }
}
