//! What both engines carry out: cells and cohorts of one scenario over one topology.

use crate::ids::{NodeId, PopulationId};
use crate::scenario::{Action, Scenario, Sites, Target};
use crate::topology::Topology;

/// Users that no fault, step or group of the scenario tells apart: 64 cohorts of a cell differ
/// only in the phase of their caches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Population.
    pub population: PopulationId,
    /// Where they sit.
    pub node: NodeId,
    /// The first of their sites.
    pub first: u32,
    /// One past the last.
    pub end: u32,
    /// How many they are.
    pub users: u64,
}

/// A scenario over a topology, with a seed.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The network.
    pub topology: &'a Topology,
    /// What is done to it.
    pub scenario: &'a Scenario,
    /// The seed of all random streams.
    pub seed: u64,
    /// Site numbers, per node, at which something of the scenario begins or ends; sorted, with
    /// 0 and the node's count.
    pub cuts: Vec<Vec<u32>>,
    /// Cells in order of population, node, site. Cells without users do not occur.
    pub cells: Vec<Cell>,
    /// How many phases cohorts have: 64, or those of the live plan, a divisor of 64.
    pub phases: u8,
}

impl<'a> Plan<'a> {
    /// Cuts the classes where the scenario's targets and symptoms tell sites apart.
    #[must_use]
    pub fn new(topology: &'a Topology, scenario: &'a Scenario, seed: u64) -> Self {
        let mut cuts: Vec<Vec<u32>> = topology.nodes.iter().map(|n| vec![0, n.count]).collect();
        let mut cut = |node: NodeId, first: u32, end: u32| {
            cuts[node.index()].extend([first, end]);
        };
        let mut cut_sites = |sites: &Sites| {
            if let Sites::Some(ranges) = sites {
                ranges.iter().for_each(|r| cut(r.node, r.first, r.end));
            }
        };
        let mut cut_target = |target: &Target| match target {
            Target::Node(_, sites) | Target::Part(_, _, sites) | Target::Link(_, sites) => {
                cut_sites(sites);
            }
            _ => {}
        };
        for fault in &scenario.faults {
            fault
                .targets
                .iter()
                .chain(&fault.against)
                .for_each(&mut cut_target);
        }
        for step in &scenario.steps {
            if let Action::Activate(targets) | Action::Deactivate(targets) = &step.action {
                targets.iter().for_each(&mut cut_target);
            }
        }
        for objective in &scenario.objectives {
            if let crate::ObjectiveKind::MustNotAffect(list) = &objective.kind {
                for item in list {
                    if let crate::objective::Untouched::Group(id) = item {
                        cut_sites(&Sites::Some(topology.group(*id).sites.clone()));
                    }
                }
            }
        }
        for list in &mut cuts {
            list.sort_unstable();
            list.dedup();
        }
        let cells = cells(topology, &cuts);
        Self {
            topology,
            scenario,
            seed,
            cuts,
            cells,
            phases: if scenario.live.applied {
                scenario.live.phases
            } else {
                64
            },
        }
    }

    /// The phase of each cohort, in 64ths, for something with a name.
    #[must_use]
    pub fn phases_of(&self, name: &str) -> [u8; 64] {
        phases(self.seed, name, self.phases)
    }
}

/// The phase of each cohort, in 64ths, for something with a name: a permutation if all have their
/// own. With fewer phases the cohorts of one representative, which are neighbours, share the one
/// in the middle of theirs.
#[must_use]
pub fn phases(seed: u64, name: &str, phases: u8) -> [u8; 64] {
    let own = assize_fault::permutation64(seed, name);
    let width = usize::from(64 / phases.clamp(1, 64));
    let first = |k: usize| own[k / width * width];
    core::array::from_fn(|k| {
        let before = (0..64).step_by(width).filter(|g| own[*g] < first(k));
        (before.count() * width + width / 2) as u8
    })
}

fn cells(topology: &Topology, cuts: &[Vec<u32>]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (index, population) in topology.populations.iter().enumerate() {
        for &(node, users) in &population.at {
            let count = u64::from(topology.node(node).count);
            // Site j holds floor((j+1)·U/N) − floor(j·U/N) users: whole people, exact sums.
            let before = |site: u32| u64::from(site) * users / count;
            for pair in cuts[node.index()].windows(2) {
                let users = before(pair[1]) - before(pair[0]);
                if users > 0 {
                    cells.push(Cell {
                        population: PopulationId::from(index),
                        node,
                        first: pair[0],
                        end: pair[1],
                        users,
                    });
                }
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cohorts_of_one_representative_share_a_phase_and_all_phases_are_taken() {
        for count in [1, 2, 4, 8, 16, 32, 64] {
            let shared = phases(7, "dhcp", count);
            let width = usize::from(64 / count);
            assert!(shared.chunks(width).all(|g| g.iter().all(|p| *p == g[0])));
            let mut firsts: Vec<usize> = shared.chunks(width).map(|g| g[0].into()).collect();
            firsts.sort_unstable();
            let middles = (0..64).step_by(width).map(|first| first + width / 2);
            assert!(firsts.into_iter().eq(middles), "{count}");
        }
        assert_eq!(
            phases(7, "dhcp", 64),
            assize_fault::permutation64(7, "dhcp")
        );
    }
}
