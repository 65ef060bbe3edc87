//! The worst case of each link and service with a limit: how much of it is asked for, and which
//! failures make it so.

use super::case::Case;
use super::evaluate::{Effect, Shared};
use super::traffic::Limit;
use crate::report::{LoadFound, WorstFound};
use assize_model::topology::Topology;

impl Limit {
    /// As in reports.
    pub(super) fn name(&self, topology: &Topology) -> String {
        match self {
            Self::Circuit { id, .. } => id.clone(),
            Self::Service { index, .. } => format!("service/{}", topology.services[*index].id),
        }
    }

    fn each(&self) -> i128 {
        match self {
            Self::Circuit { each, .. } | Self::Service { each, .. } => *each as i128,
        }
    }
}

/// The highest loads seen, by limit: asked, can, and the case if it is above all before.
#[derive(Clone, Debug)]
pub(super) struct Peaks {
    highest: Vec<(i128, i128, Option<Case>)>,
}

/// As reports have it, so that joined reports decide as one process does.
fn above(a: (i128, i128), b: (i128, i128)) -> bool {
    a.1 > 0 && ratio(a) > ratio(b)
}

impl Peaks {
    /// What there is with nothing failed.
    pub(super) fn new(base: &Effect) -> Self {
        let highest = base.loads.iter().map(|l| (l.0, l.1, None));
        Self {
            highest: highest.collect(),
        }
    }

    pub(super) fn see(&mut self, case: &Case, effect: &Effect, shared: &Shared<'_>) {
        for (limit, highest) in self.highest.iter_mut().enumerate() {
            let mut load = effect.loads[limit];
            if let Limit::Circuit { own: true, .. } = shared.traffic.limits[limit] {
                let each = shared.traffic.limits[limit].each();
                for here in &effect.here {
                    if above((here[limit], each), load) {
                        load = (here[limit], each);
                    }
                }
            }
            if above(load, (highest.0, highest.1)) {
                *highest = (load.0, load.1, Some(case.clone()));
            }
        }
    }

    /// Those of later cases: of equals the earlier stay.
    pub(super) fn join(&mut self, later: Self) {
        for (mine, theirs) in self.highest.iter_mut().zip(later.highest) {
            if above((theirs.0, theirs.1), (mine.0, mine.1)) {
                *mine = theirs;
            }
        }
    }
}

/// The report.
pub(super) struct Loads {
    pub(super) found: Vec<LoadFound>,
}

fn ratio(load: (i128, i128)) -> f64 {
    load.0 as f64 / (load.1.max(1)) as f64
}

impl Loads {
    pub(super) fn at_rest(base: &Effect, shared: &Shared<'_>) -> Self {
        let topology = shared.plan.topology;
        let limits = shared.traffic.limits.iter().zip(&base.loads);
        let found = limits.map(|(limit, load)| LoadFound {
            element: limit.name(topology),
            limit: match limit {
                Limit::Circuit { each, .. } => {
                    assize_fault::Bandwidth((each / 1_000_000) as u64).to_string()
                }
                Limit::Service { index, .. } => topology.services[*index]
                    .capacity
                    .map_or_else(String::new, |c| c.to_string()),
            },
            at_rest: ratio(*load),
            worst: Vec::new(),
        });
        Self {
            found: found.collect(),
        }
    }

    pub(super) fn add(&mut self, k: usize, peaks: &Peaks, shared: &Shared<'_>) {
        for (found, (asked, can, case)) in self.found.iter_mut().zip(&peaks.highest) {
            if let Some(case) = case {
                found.worst.push(WorstFound {
                    k,
                    share: ratio((*asked, *can)),
                    elements: case.names(&shared.compiled.elements),
                });
            }
        }
    }
}
