//! The network: what passes from where to where, what routing believes of it, and how well.
//!
//! Told which faults are on and which standbys are wanted, it follows the states of nodes, units,
//! parts and links, lets routing find out, and answers what stops a packet on a way and what the
//! way is like. It knows nothing of services but where their replicas are: whether a replica runs
//! is its driver's business.
//!
//! Order of use, at each instant: [`Fabric::on_fault`], [`Fabric::activate`] or
//! [`Fabric::on_timer`]; then [`Fabric::refresh`] until nothing is dirty; then ask. An engine
//! without timers of its own calls [`Fabric::on_wake`] and [`Fabric::settle`] instead.

mod condition;
mod faults;
mod net;
mod quality;
mod route;
mod settled;
mod state;
mod stop;
mod timers;
mod truth;
mod ways;

#[cfg(test)]
mod tests;

pub use condition::{Condition, Flow, Line};
pub use net::{Circuit, Net, Spot};
pub use quality::{Quality, times};
pub use state::{CircuitState, Fault, ReplicaState, SpotState, put, put_with};
pub use stop::Stop;
pub use timers::Timer;
pub use truth::Truth;
pub use ways::{Instance, Leg, Origin};

use crate::Activation;
use assize_model::AccessId;
use assize_model::plan::Plan;
use route::Trees;
use state::{ActiveCut, BlockedFlow};
use std::cell::RefCell;

/// The network of a plan under way.
#[derive(Debug)]
pub struct Fabric<'a> {
    plan: &'a Plan<'a>,
    net: Net,
    truth: Truth,
    /// Made when somebody asks, hence behind a shared reference.
    trees: RefCell<Trees>,
    spots: Vec<SpotState>,
    circuits: Vec<CircuitState>,
    accesses: Vec<Option<Activation>>,
    /// By service and replica.
    replicas: Vec<Vec<ReplicaState>>,
    /// The networks over which each service is reached, as a mask.
    networks: Vec<u64>,
    cuts: Vec<ActiveCut>,
    flows: Vec<BlockedFlow>,
    /// Something has changed since the last refresh.
    dirty: bool,
    core_dirty: bool,
    reach_dirty: bool,
    spot_dirty: Vec<bool>,
    /// Spots whose ways the last refresh has changed.
    spot_changed: Vec<bool>,
}

/// What a refresh has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// The core: any way may have changed. Otherwise only ways from the spots for which
    /// [`Fabric::has_changed_at`] says so.
    pub core: bool,
    /// What a replica reaches may have changed.
    pub reach: bool,
}

impl<'a> Fabric<'a> {
    /// All elements are up, and standbys out of service.
    #[must_use]
    pub fn new(plan: &'a Plan<'a>) -> Self {
        let topology = plan.topology;
        let net = Net::new(plan);
        let (spots, circuits) = (net.spots.len(), net.circuits.len());
        let services = topology.services.iter();
        Self {
            plan,
            truth: Truth::new(spots, circuits),
            trees: RefCell::new(Trees::new(topology.nodes.len(), topology.networks.len())),
            spots: state::spots(plan, &net),
            circuits: state::circuits(&net),
            accesses: state::accesses(plan),
            replicas: services
                .clone()
                .map(|s| vec![ReplicaState::default(); s.replicas.len()])
                .collect(),
            networks: services.map(|s| net::networks(&s.reach)).collect(),
            cuts: Vec::new(),
            flows: Vec::new(),
            dirty: true,
            core_dirty: true,
            reach_dirty: true,
            spot_dirty: vec![true; spots],
            spot_changed: vec![false; spots],
            net,
        }
    }

    /// The layout, which never changes.
    #[must_use]
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// What was true at the last refresh.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The state of a spot.
    #[must_use]
    pub fn spot(&self, spot: usize) -> &SpotState {
        &self.spots[spot]
    }

    /// The state of a circuit.
    #[must_use]
    pub fn circuit(&self, circuit: usize) -> &CircuitState {
        &self.circuits[circuit]
    }

    /// What the network does to a replica.
    #[must_use]
    pub fn replica(&self, service: usize, replica: usize) -> &ReplicaState {
        &self.replicas[service][replica]
    }

    /// Whether an access serves only after activation, and its state.
    #[must_use]
    pub fn access(&self, access: AccessId) -> Option<&Activation> {
        self.accesses[access.index()].as_ref()
    }

    /// Whether there is something to refresh.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Whether the last refresh has changed the first hops from a spot.
    #[must_use]
    pub fn has_changed_at(&self, spot: usize) -> bool {
        self.spot_changed[spot]
    }

    fn is_class(&self, spot: usize) -> bool {
        let node = self.net.spots[spot].node;
        self.plan.topology.node(node).class
    }

    fn touch_spot(&mut self, spot: usize) {
        self.dirty = true;
        self.reach_dirty = true;
        self.spot_dirty[spot] = true;
        self.core_dirty |= !self.is_class(spot);
    }

    fn touch_circuit(&mut self, circuit: usize) {
        self.dirty = true;
        let near = self.net.circuits[circuit].near;
        self.spot_dirty[near] = true;
        if !self.is_class(near) {
            self.core_dirty = true;
            self.reach_dirty = true;
        }
        for i in 0..self.net.above[circuit].len() {
            let above = self.net.above[circuit][i];
            self.touch_circuit(above);
        }
    }

    fn touch_all(&mut self) {
        self.dirty = true;
        self.core_dirty = true;
        self.reach_dirty = true;
    }
}
