//! Ways: from users or nodes to replicas and nodes, over what routing believes to be up, and what
//! stops them or makes them worse.

use super::Fabric;
use super::net::ANY;
use super::quality::Quality;
use super::route::Tree;
use super::stop::Stop;
use crate::matured::bits;
use assize_model::topology::Access;
use assize_model::{AccessId, NodeId};

/// The outcome of following a way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leg {
    /// What stops it; `None`: it arrives.
    pub stop: Option<Stop>,
    /// What it is like, if it arrives.
    pub quality: Quality,
}

impl Leg {
    /// It does not arrive.
    #[must_use]
    pub const fn stopped(stop: Stop) -> Self {
        Self {
            stop: Some(stop),
            quality: Quality::PERFECT,
        }
    }

    const HERE: Self = Self {
        stop: None,
        quality: Quality::PERFECT,
    };
}

/// Users of a spot, over one access; see [`Fabric::first_hops`].
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Where they sit.
    pub spot: usize,
    /// How they get out.
    pub access: AccessId,
    /// The circuits that the first hop may use.
    pub first: &'a [usize],
}

/// Where routing begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start<'a> {
    /// At the sites of a spot, over one of these circuits.
    Spot(usize, &'a [usize]),
    /// At a single node.
    Node(NodeId),
}

/// One replica of one service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Instance {
    /// The service, by index.
    pub service: usize,
    /// The replica, by index.
    pub replica: usize,
}

impl Instance {
    /// This replica of this service.
    #[must_use]
    pub const fn new(service: usize, replica: usize) -> Self {
        Self { service, replica }
    }
}

impl Fabric<'_> {
    /// The circuits that the first hop from a spot over an access may use.
    #[must_use]
    pub fn first_hops(&self, spot: usize, access: AccessId) -> Vec<usize> {
        let links = &self.plan.topology.access_path(access).first_links;
        let net = &self.net;
        let far: &[usize] = if self.is_class(spot) {
            &[]
        } else {
            &net.at_far[net.spots[spot].node.index()]
        };
        let may_use = |c: &&usize| {
            let circuit = &net.circuits[**c];
            let over = |u: &usize| links.contains(&net.circuits[*u].link);
            links.is_empty() || links.contains(&circuit.link) || circuit.under.iter().any(over)
        };
        let all = net.at_spot[spot].iter().chain(far);
        all.filter(may_use).copied().collect()
    }

    /// From users over their access to a replica, and back.
    #[must_use]
    pub fn leg_of_users(&self, from: Origin<'_>, to: Instance) -> Leg {
        let access = self.plan.topology.access_path(from.access);
        let target = self.at(to);
        if self.access(from.access).is_some_and(|a| !a.active()) {
            return Leg::stopped(Stop::Inactive);
        }
        let node = self.plan.topology.node(self.net.spots[from.spot].node);
        for part in &access.parts {
            let index = node.parts.iter().position(|p| p.id == *part);
            if let Some(index) = index.filter(|i| !self.spots[from.spot].parts[*i].is_empty()) {
                return Leg::stopped(Stop::Part(from.spot, index));
            }
        }
        let networks = self.networks[to.service];
        let first = access.through.first().copied().unwrap_or(target);
        let mut leg = self.leg_from_spot(from.spot, from.first, first, networks);
        for (i, &node) in access.through.iter().enumerate() {
            if leg.stop.is_some() {
                return leg;
            }
            let next = access.through.get(i + 1).copied().unwrap_or(target);
            let further = self.leg_from_node(node, next, networks);
            leg = Leg {
                stop: further.stop,
                quality: leg.quality.then(further.quality),
            };
        }
        leg.quality = self.worse_at_site(from.spot, access).then(leg.quality);
        leg.stop = leg.stop.or_else(|| self.barrier(from.spot, to));
        leg
    }

    /// What the users' own site, and the parts of it that the access needs, add.
    fn worse_at_site(&self, spot: usize, access: &Access) -> Quality {
        let node = self.plan.topology.node(self.net.spots[spot].node);
        let parts = node.parts.iter().zip(&self.spots[spot].part_degrade);
        parts
            .filter(|(part, _)| access.parts.contains(&part.id))
            .fold(self.truth.spot_quality[spot], |q, (_, faults)| {
                q.degraded(faults)
            })
    }

    /// From a node to a replica, and back.
    #[must_use]
    pub fn leg_to_replica(&self, from: NodeId, to: Instance) -> Leg {
        let (a, b) = (self.net.spot(from), self.net.spot(self.at(to)));
        let mut leg = self.leg_from_node(from, self.at(to), self.networks[to.service]);
        leg.stop = leg.stop.or_else(|| self.barrier(a, to));
        if a != b {
            leg.quality = self.truth.spot_quality[a].then(leg.quality);
        }
        leg
    }

    /// From one replica to another, and back: also what isolates the first, and what blocks the
    /// flow between their services.
    #[must_use]
    pub fn leg_between(&self, from: Instance, to: Instance) -> Leg {
        if self.is_flow_blocked(from.service, to.service) {
            return Leg::stopped(Stop::Flow(from.service as u16, to.service as u16));
        }
        let (a, b) = (self.at(from), self.at(to));
        if self.is_isolated(from, self.net.spot(b)) {
            return Leg::stopped(Stop::Isolated(from.service as u16, from.replica as u16));
        }
        self.leg_to_replica(a, to)
    }

    /// Whether two replicas exchange packets.
    #[must_use]
    pub fn meet(&self, a: Instance, b: Instance) -> bool {
        let leg = self.leg_to_replica(self.at(a), b);
        leg.stop.is_none() && self.barrier(self.net.spot(self.at(b)), a).is_none()
    }

    /// Whether packets from one replica arrive at another, answered or not.
    #[must_use]
    pub fn carries_one_way(&self, from: Instance, to: Instance) -> bool {
        let (a, b) = (self.net.spot(self.at(from)), self.net.spot(self.at(to)));
        match self.leg_to_replica(self.at(from), to).stop {
            None => !self.is_isolated(from, b),
            Some(Stop::Cut(_)) => self.cut_between(a, b).is_none(),
            Some(_) => false,
        }
    }

    /// Between the place of a backup and a replica; what isolates either does not matter.
    #[must_use]
    pub fn leg_to_vault(&self, from: Instance, vault: NodeId) -> Leg {
        self.leg_from_node(vault, self.at(from), self.networks[from.service])
    }

    /// Isolation of a replica, and cuts between places, seen from a spot.
    #[must_use]
    pub fn barrier(&self, from: usize, to: Instance) -> Option<Stop> {
        let place = self.net.spot(self.at(to));
        if from == place {
            return None;
        }
        if self.is_isolated(to, from) {
            return Some(Stop::Isolated(to.service as u16, to.replica as u16));
        }
        let shut = |place: usize, other: usize| {
            let isolated = &self.spots[place].isolated;
            isolated.iter().any(|i| !i.1.contains(&other))
        };
        if let Some(place) = [(place, from), (from, place)]
            .iter()
            .find(|p| shut(p.0, p.1))
        {
            return Some(Stop::Enclosed(place.0));
        }
        self.cut_between(from, place)
            .or_else(|| self.cut_between(place, from))
            .map(Stop::Cut)
    }

    /// Whether a replica is isolated from another place.
    #[must_use]
    pub fn is_isolated(&self, replica: Instance, from: usize) -> bool {
        let isolated = &self.replicas[replica.service][replica.replica].isolated;
        from != self.net.spot(self.at(replica)) && isolated.iter().any(|i| !i.1.contains(&from))
    }

    /// The node of a replica.
    #[must_use]
    pub fn at(&self, replica: Instance) -> NodeId {
        self.plan.topology.services[replica.service].replicas[replica.replica].at
    }

    /// The circuits that routing uses from users over their access to a replica, each with what
    /// it runs over behind it.
    #[must_use]
    pub fn route_of_users(&self, from: Origin<'_>, to: Instance) -> Vec<usize> {
        let through = &self.plan.topology.access_path(from.access).through;
        let mut list = Vec::new();
        let mut at = Start::Spot(from.spot, from.first);
        for stop in through.iter().copied().chain([self.at(to)]) {
            list.extend(self.route(at, stop, self.networks[to.service]));
            at = Start::Node(stop);
        }
        list
    }

    /// The circuits that routing uses from a node to a replica.
    #[must_use]
    pub fn route_to_replica(&self, from: NodeId, to: Instance) -> Vec<usize> {
        self.route(Start::Node(from), self.at(to), self.networks[to.service])
    }

    /// From a core node (or any single node) to a target, over the first network that has a path.
    fn leg_from_node(&self, from: NodeId, target: NodeId, networks: u64) -> Leg {
        let spot = self.net.spot(from);
        if !self.truth.spot_up[spot] {
            return Leg::stopped(Stop::Spot(spot));
        }
        if from == target {
            return Leg::HERE;
        }
        let mut trees = self.trees.borrow_mut();
        for network in each_network(networks) {
            let tree = trees.get(&self.net, &self.truth, target, network, false);
            if tree.distance(from).is_some() {
                return Leg {
                    stop: tree.stop(from),
                    quality: tree.quality(from),
                };
            }
        }
        for network in each_network(networks) {
            let tree = trees.get(&self.net, &self.truth, target, network, true);
            if tree.distance(from).is_some() {
                return withdrawn(tree.stop(from));
            }
        }
        withdrawn(None)
    }

    /// From the sites of a spot to a target; the first hop is one of `first` (by circuit).
    fn leg_from_spot(&self, spot: usize, first: &[usize], target: NodeId, networks: u64) -> Leg {
        let (net, truth) = (&self.net, &self.truth);
        if !truth.spot_up[spot] {
            return Leg::stopped(Stop::Spot(spot));
        }
        if net.spots[spot].node == target {
            return Leg::HERE;
        }
        let mut trees = self.trees.borrow_mut();
        for ideal in [false, true] {
            for network in each_network(networks) {
                let tree = trees.get(net, truth, target, network, ideal);
                let Some((circuit, beyond)) =
                    self.first_hop(tree, (spot, first), target, network, ideal)
                else {
                    continue;
                };
                let stop = if !truth.passes[circuit] {
                    Some(Stop::Circuit(circuit))
                } else if !truth.spot_up[net.spot(beyond)] {
                    Some(Stop::Spot(net.spot(beyond)))
                } else {
                    tree.stop(beyond)
                };
                if ideal {
                    return withdrawn(stop);
                }
                return Leg {
                    stop,
                    quality: truth.quality[circuit]
                        .then(truth.spot_quality[net.spot(beyond)])
                        .then(tree.quality(beyond)),
                };
            }
        }
        withdrawn(None)
    }

    /// The cheapest first hop that routing believes in: its circuit, and the node beyond it.
    fn first_hop(
        &self,
        tree: &Tree,
        (spot, first): (usize, &[usize]),
        target: NodeId,
        network: usize,
        ideal: bool,
    ) -> Option<(usize, NodeId)> {
        let net = &self.net;
        let mut best: Option<(u32, usize, NodeId)> = None;
        for &circuit in first {
            let c = &net.circuits[circuit];
            // The near end of the circuit may be this spot, or the far end this very node.
            let beyond = if c.near == spot {
                c.far
            } else {
                net.spots[c.near].node
            };
            let usable = c.networks & (1 << network) != 0
                && self.truth.usable(circuit, ideal)
                && (beyond == target || net.transit[beyond.index()]);
            let Some(rest) = tree.distance(beyond).filter(|_| usable) else {
                continue;
            };
            let cost = c.cost.saturating_add(rest);
            if best.is_none_or(|b| cost < b.0) {
                best = Some((cost, circuit, beyond));
            }
        }
        best.map(|(_, circuit, beyond)| (circuit, beyond))
    }

    /// The circuits of the path that routing takes, underlays included.
    pub(super) fn route(&self, from: Start<'_>, target: NodeId, networks: u64) -> Vec<usize> {
        let net = &self.net;
        let mut trees = self.trees.borrow_mut();
        let mut list = Vec::new();
        for network in each_network(networks) {
            let tree = trees.get(net, &self.truth, target, network, false);
            let mut at = match from {
                Start::Node(node) => node,
                Start::Spot(spot, _) if net.spots[spot].node == target => return list,
                Start::Spot(spot, first) => {
                    let Some((circuit, beyond)) =
                        self.first_hop(tree, (spot, first), target, network, false)
                    else {
                        continue;
                    };
                    self.push_with_underlay(circuit, &mut list);
                    beyond
                }
            };
            if tree.distance(at).is_none() {
                continue;
            }
            while at != target {
                let Some(circuit) = tree.next(at) else { break };
                self.push_with_underlay(circuit, &mut list);
                let c = &net.circuits[circuit];
                at = if c.far == at {
                    net.spots[c.near].node
                } else {
                    c.far
                };
            }
            return list;
        }
        list
    }

    fn push_with_underlay(&self, circuit: usize, list: &mut Vec<usize>) {
        list.push(circuit);
        for &under in &self.net.circuits[circuit].under {
            self.push_with_underlay(under, list);
        }
    }
}

/// The networks of a mask, lowest first; only [`ANY`] where every network will do.
fn each_network(mask: u64) -> impl Iterator<Item = usize> {
    let named = mask & !(1 << ANY);
    let any = (mask == u64::MAX).then_some(ANY);
    let named = if mask == u64::MAX { 0 } else { named };
    any.into_iter().chain(bits(named))
}

/// There is no route. Instance blame is what fails on the path that there would be; if nothing does,
/// the way back has not been found yet.
fn withdrawn(stop: Option<Stop>) -> Leg {
    Leg::stopped(stop.unwrap_or(Stop::NoRoute))
}
