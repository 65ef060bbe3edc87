//! Why users of a journey are served, or not: hops, replicas, caches, and where it stops.

use crate::blame::Blame;
use crate::engine::Engine;
use assize_control::fabric::Instance;
use assize_fault::Nanos;
use assize_model::plan::Plan;
use assize_model::{JourneyId, PopulationId};

/// The users of one place in one journey.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Explained {
    /// The node or class, with its sites.
    pub place: String,
    /// Users of the population there.
    pub users: u64,
    /// Of 64 cohorts, how many are served.
    pub cohorts_served: u32,
    /// Accesses in order of preference.
    pub accesses: Vec<ExplainedAccess>,
}

/// One access.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ExplainedAccess {
    /// Name.
    pub access: String,
    /// Of 64 cohorts, how many use it.
    pub cohorts: u32,
    /// What the client needs, each with its state in words.
    pub needs: Vec<String>,
    /// What is called.
    pub calls: Vec<ExplainedCall>,
}

/// One service called, by replica.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ExplainedCall {
    /// `service/replica`.
    pub replica: String,
    /// Of 64 cohorts, how many look to it.
    pub cohorts: u32,
    /// Nodes and links on the way.
    pub hops: Vec<String>,
    /// One-way latency.
    pub latency: Nanos,
    /// Where it stops; `None`: it answers.
    pub stops: Option<String>,
}

/// The state of a journey at an instant, for each place at which the population sits.
#[must_use]
pub fn explain(
    plan: &Plan<'_>,
    population: PopulationId,
    journey: JourneyId,
    at: Nanos,
) -> Vec<Explained> {
    let mut engine = Engine::new(plan, None);
    engine.run(at);
    let mut list = Vec::new();
    for unit in 0..engine.units.len() {
        if engine.units[unit].journey != journey {
            continue;
        }
        for &cell in &engine.units[unit].cells {
            let cell = &plan.cells[cell];
            if cell.population == population {
                list.push(engine.explain_unit(unit, cell.users));
            }
        }
    }
    list
}

impl Engine<'_> {
    fn explain_unit(&self, id: usize, users: u64) -> Explained {
        let unit = &self.units[id];
        let spot = self.fabric.net().spots[unit.spot];
        let node = self.plan.topology.node(spot.node);
        let place = if node.class {
            format!("{} (sites {} to {})", node.id, spot.first + 1, spot.end)
        } else {
            node.id.clone()
        };
        let mut left = unit.steps.last().map_or(0, |o| o.mask);
        let mut failed = u64::MAX;
        let accesses = unit
            .accesses
            .iter()
            .map(|a| {
                let mut ok = a.change.as_ref().map_or(u64::MAX, |c| c.matured());
                let entries = a.asked.iter().chain(&a.calls);
                ok = entries.fold(ok, |ok, e| ok & self.entries[*e].ok);
                ok = a
                    .leases
                    .iter()
                    .fold(ok, |ok, l| ok & self.leases[*l].cache.valid());
                let uses = ok & left;
                left &= !uses;
                failed &= !ok;
                ExplainedAccess {
                    access: self.plan.topology.access_path(a.access).id.clone(),
                    cohorts: uses.count_ones(),
                    needs: self.explain_needs(&a.asked, &a.leases),
                    calls: a
                        .calls
                        .iter()
                        .flat_map(|e| self.explain_entry(*e))
                        .collect(),
                }
            })
            .collect();
        Explained {
            place,
            users,
            cohorts_served: unit.steps.last().map_or(0, |o| o.mask.count_ones()),
            accesses,
        }
    }

    fn explain_needs(&self, asked: &[usize], leases: &[usize]) -> Vec<String> {
        let mut list = Vec::new();
        for &lease in leases {
            let lease = &self.leases[lease];
            let name = &self.plan.topology.service(lease.service).id;
            let valid = lease.cache.valid().count_ones();
            let stops = self.first_stop(lease.entry);
            let server = stops.unwrap_or_else(|| "answers".to_string());
            list.push(format!(
                "{name}: {valid} of 64 cohorts hold a valid lease; server: {server}"
            ));
        }
        for &entry in asked {
            let name = &self.plan.topology.service(self.entries[entry].service).id;
            let ok = self.entries[entry].ok.count_ones();
            let stops = self
                .first_stop(entry)
                .unwrap_or_else(|| "answers".to_string());
            list.push(format!("{name}: {ok} of 64 cohorts reach it; {stops}"));
        }
        list
    }

    fn first_stop(&self, entry: usize) -> Option<String> {
        self.explain_entry(entry).into_iter().find_map(|c| c.stops)
    }

    fn explain_entry(&self, id: usize) -> Vec<ExplainedCall> {
        let entry = &self.entries[id];
        let service = entry.service.index();
        let spec = &self.plan.topology.services[service];
        (0..spec.replicas.len())
            .filter(|r| self.services[service].views[*r] != 0)
            .map(|r| {
                let well = self.services[service].replicas[r].well.blame.map(|b| b.0);
                let stop = entry.legs[r].stop.map(Blame::Way).or(well);
                ExplainedCall {
                    replica: format!("{}/{}", spec.id, spec.replicas[r].id),
                    cohorts: self.services[service].views[r].count_ones(),
                    hops: self.hops(id, r),
                    latency: entry.legs[r].quality.latency,
                    stops: stop.map(|blame: Blame| self.describe(blame)),
                }
            })
            .collect()
    }

    /// The links on the way, in its direction; what a tunnel runs over in brackets.
    fn hops(&self, entry: usize, replica: usize) -> Vec<String> {
        let topology = self.plan.topology;
        let path = self.circuits_on_path(entry, replica);
        let link = |c: usize| {
            topology
                .link(self.fabric.net().circuits[c].link)
                .id
                .as_str()
        };
        let mut at = self.fabric.net().spots[self.entries[entry].spot].node;
        let mut hops = Vec::new();
        let mut i = 0;
        while let Some(&c) = path.get(i) {
            // The underlay of a circuit follows it in the list.
            let below = self.below(c);
            let over: Vec<&str> = path[i + 1..].iter().take(below).map(|c| link(*c)).collect();
            i += 1 + below;
            let circuit = &self.fabric.net().circuits[c];
            let near = self.fabric.net().spots[circuit.near].node;
            let to = if near == at { circuit.far } else { near };
            let name = match over.as_slice() {
                [] => link(c).to_string(),
                over => format!("{} (over {})", link(c), over.join(", ")),
            };
            hops.push(format!(
                "{} —{name}— {}",
                topology.node(at).id,
                topology.node(to).id
            ));
            at = to;
        }
        hops
    }

    fn below(&self, circuit: usize) -> usize {
        self.fabric.net().circuits[circuit]
            .under
            .iter()
            .map(|u| 1 + self.below(*u))
            .sum()
    }

    /// The circuits that routing uses from the sites of an entry to a replica.
    pub(crate) fn circuits_on_path(&self, entry: usize, replica: usize) -> Vec<usize> {
        let entry = &self.entries[entry];
        let service = entry.service.index();
        self.fabric
            .route_of_users(entry.origin(), Instance::new(service, replica))
    }
}
