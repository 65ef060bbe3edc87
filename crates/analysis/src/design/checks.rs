//! What must hold under failures: the objectives of a topology that a lasting loss decides.
//!
//! A combination of failures violates a target of recovery time, availability, outages or reach
//! when, with failover done, more users lack the journey than the target's level allows: it then
//! lasts until repair. Targets of data, latency and detection are not decided here.

use super::compile::Compiled;
use assize_fault::Ppb;
use assize_model::objective::Untouched;
use assize_model::topology::Topology;
use assize_model::{JourneyId, NodeId, Objective, ObjectiveKind, PopulationId};

/// One target for one population.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// The objective's name.
    pub(crate) objective: String,
    /// Indices of units.
    pub(crate) units: Vec<usize>,
    /// The loss that it allows, in weights of units.
    pub(crate) allowed: u128,
}

/// The checks of a topology; where it has no such objective, every journey must serve everybody.
pub(crate) fn of(topology: &Topology, compiled: &Compiled) -> Vec<Check> {
    let mut checks = Vec::new();
    for objective in &topology.objectives {
        add(topology, compiled, objective, &mut checks);
    }
    if checks.is_empty() {
        for (p, population) in topology.populations.iter().enumerate() {
            for (journey, _) in &population.makes {
                let name = format!("{}/{}", population.id, topology.journey(*journey).id);
                push(compiled, &name, Ppb::ZERO, &[], &mut checks, |q, j, _| {
                    q.index() == p && j == *journey
                });
            }
        }
    }
    checks
}

fn add(topology: &Topology, compiled: &Compiled, objective: &Objective, checks: &mut Vec<Check>) {
    let lost = match &objective.kind {
        ObjectiveKind::Rto(_)
        | ObjectiveKind::Availability(_)
        | ObjectiveKind::Outages { .. }
        | ObjectiveKind::UserHoursLost(_) => objective.level.complement(),
        ObjectiveKind::BlastRadius(share) => *share,
        ObjectiveKind::RetainedCapacity(share) => share.complement(),
        ObjectiveKind::MustNotAffect(list) => {
            for item in list {
                untouched(topology, compiled, objective, *item, checks);
            }
            return;
        }
        _ => return,
    };
    // One finding for each population that makes the journey.
    for p in 0..topology.populations.len() {
        let population = PopulationId::from(p);
        if objective.population.is_none_or(|q| q == population) {
            push(
                compiled,
                &objective.id,
                lost,
                &objective.excluding,
                checks,
                |q, j, _| q == population && objective.journey.is_none_or(|o| o == j),
            );
        }
    }
}

fn untouched(
    topology: &Topology,
    compiled: &Compiled,
    objective: &Objective,
    item: Untouched,
    checks: &mut Vec<Check>,
) {
    let out = &objective.excluding;
    match item {
        Untouched::Population(id) => push(
            compiled,
            &objective.id,
            Ppb::ZERO,
            out,
            checks,
            |q, _, _| q == id,
        ),
        Untouched::Journey(id) => push(
            compiled,
            &objective.id,
            Ppb::ZERO,
            out,
            checks,
            |_, j, _| j == id,
        ),
        Untouched::Group(id) => {
            let sites = &topology.group(id).sites;
            push(
                compiled,
                &objective.id,
                Ppb::ZERO,
                out,
                checks,
                |_, _, n| sites.iter().any(|s| s.node == n),
            );
        }
    }
}

fn push(
    compiled: &Compiled,
    name: &str,
    lost: Ppb,
    excluding: &[NodeId],
    checks: &mut Vec<Check>,
    belongs: impl Fn(PopulationId, JourneyId, NodeId) -> bool,
) {
    let all = compiled.units.iter().enumerate();
    let wanted = all
        .filter(|(_, u)| belongs(u.population, u.journey, u.node) && !excluding.contains(&u.node));
    let units: Vec<usize> = wanted.map(|u| u.0).collect();
    if units.is_empty() {
        return;
    }
    let total: u128 = units.iter().map(|u| compiled.units[*u].weight).sum();
    checks.push(Check {
        objective: name.to_owned(),
        units,
        allowed: total / 1_000_000_000 * u128::from(lost.0),
    });
}
