//! Paths: the cheapest over what routing believes to be up, and what really happens on it.
//!
//! For each target node and network one tree over the core (Dijkstra, 1959), built outwards
//! from the target through transit nodes. A path is lost at the first element on it that is
//! really down, though routing still believes in it.

use crate::net::{ANY, Net};
use assize_fault::{Bandwidth, Nanos, Ppb};
use assize_model::NodeId;

/// What stops a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blame {
    /// No path that routing believes in.
    NoRoute,
    /// A circuit that is down, or cut.
    Circuit(usize),
    /// A node, or the sites of a spot.
    Spot(usize),
    /// A part of the sites of a spot.
    Part(usize, usize),
    /// A replica's process.
    Replica(u16, u16),
    /// A place that is isolated.
    Enclosed(usize),
    /// A replica that is isolated.
    Isolated(u16, u16),
    /// A replica that answers nobody.
    NoAnswer(u16, u16),
    /// A replica that is not primary, or has no majority.
    NotPrimary(u16, u16),
    /// A shard.
    Shard(u16, u16),
    /// What one service sends another.
    Flow(u16, u16),
    /// Damaged data, or a restore under way.
    Data(u16),
    /// A cut between two sets of elements, by fault.
    Cut(usize),
    /// The access is a standby that is not activated.
    Inactive,
}

/// The quality of a path, or of a part of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Quality {
    pub(crate) latency: Nanos,
    pub(crate) jitter: Nanos,
    /// Share of packets that get through.
    pub(crate) passes: Ppb,
    /// Share of requests that do not end in an error.
    pub(crate) correct: Ppb,
    pub(crate) bandwidth: Option<Bandwidth>,
}

impl Quality {
    pub(crate) const PERFECT: Self = Self {
        latency: Nanos::ZERO,
        jitter: Nanos::ZERO,
        passes: Ppb::ONE,
        correct: Ppb::ONE,
        bandwidth: None,
    };

    /// One after the other.
    pub(crate) fn then(self, other: Self) -> Self {
        Self {
            latency: self.latency + other.latency,
            jitter: self.jitter + other.jitter,
            passes: times(self.passes, other.passes),
            correct: times(self.correct, other.correct),
            bandwidth: match (self.bandwidth, other.bandwidth) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }
}

/// The product of two shares.
pub(crate) const fn times(a: Ppb, b: Ppb) -> Ppb {
    Ppb((a.0 as u128 * b.0 as u128 / 1_000_000_000) as u64)
}

/// What is true of every circuit and spot at one instant.
#[derive(Debug)]
pub(crate) struct Truth {
    /// Routing believes in the circuit.
    pub(crate) believed: Vec<bool>,
    /// The circuit is a standby that is not in service.
    pub(crate) dormant: Vec<bool>,
    /// Packets pass along the circuit (both ways).
    pub(crate) passes: Vec<bool>,
    /// The spot works.
    pub(crate) spot_up: Vec<bool>,
    pub(crate) quality: Vec<Quality>,
    /// What passing or ending at a spot adds.
    pub(crate) spot_quality: Vec<Quality>,
}

/// Paths from every core node to one target over one network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    version: u64,
    dist: Vec<u32>,
    next: Vec<u32>,
    blame: Vec<Option<Blame>>,
    quality: Vec<Quality>,
}

const FAR: u32 = u32::MAX;

impl Truth {
    /// Whether a path may use a circuit: routing believes in it, or, to find out who is to blame
    /// for there being no route, it would if nothing had failed.
    fn usable(&self, circuit: usize, ideal: bool) -> bool {
        (ideal || self.believed[circuit]) && !self.dormant[circuit]
    }
}

impl Tree {
    /// Distance from a node, if there is a path.
    pub(crate) fn distance(&self, node: NodeId) -> Option<u32> {
        Some(self.dist[node.index()]).filter(|d| *d != FAR)
    }

    /// What stops a packet on the way from a node (the node itself not looked at).
    pub(crate) fn blame(&self, node: NodeId) -> Option<Blame> {
        self.blame[node.index()]
    }

    pub(crate) fn quality(&self, node: NodeId) -> Quality {
        self.quality[node.index()]
    }

    /// The first circuit on the way from a node.
    pub(crate) fn next(&self, node: NodeId) -> Option<usize> {
        Some(self.next[node.index()] as usize).filter(|c| *c != FAR as usize)
    }

    fn build(&mut self, net: &Net, truth: &Truth, target: NodeId, network: usize, ideal: bool) {
        let n = net.edges.len();
        self.dist.clear();
        self.dist.resize(n, FAR);
        self.next.clear();
        self.next.resize(n, FAR);
        self.blame.clear();
        self.blame.resize(n, Some(Blame::NoRoute));
        self.quality.clear();
        self.quality.resize(n, Quality::PERFECT);
        self.dist[target.index()] = 0;
        self.blame[target.index()] = None;
        let mut open = std::collections::BinaryHeap::new();
        open.push(std::cmp::Reverse((0u32, target.0)));
        while let Some(std::cmp::Reverse((dist, at))) = open.pop() {
            let node = NodeId(at);
            if dist > self.dist[node.index()] || (node != target && !net.transit[node.index()]) {
                continue;
            }
            for &(circuit, other) in &net.edges[node.index()] {
                let c = &net.circuits[circuit];
                if c.networks & (1 << network) == 0 || !truth.usable(circuit, ideal) {
                    continue;
                }
                let through = dist.saturating_add(c.cost).min(FAR - 1);
                if through < self.dist[other.index()] {
                    self.dist[other.index()] = through;
                    self.next[other.index()] = circuit as u32;
                    self.blame[other.index()] = if !truth.passes[circuit] {
                        Some(Blame::Circuit(circuit))
                    } else if !truth.spot_up[net.spot(node)] {
                        Some(Blame::Spot(net.spot(node)))
                    } else {
                        self.blame[node.index()]
                    };
                    self.quality[other.index()] = truth.quality[circuit]
                        .then(truth.spot_quality[net.spot(node)])
                        .then(self.quality[node.index()]);
                    open.push(std::cmp::Reverse((through, other.0)));
                }
            }
        }
    }
}

/// Trees made so far, rebuilt when the core has changed.
#[derive(Debug)]
pub(crate) struct Trees {
    version: u64,
    /// By target node, network and whether ideal (dense); empty until asked for.
    trees: Vec<Tree>,
    networks: usize,
}

impl Trees {
    pub(crate) fn new(nodes: usize, networks: usize) -> Self {
        let networks = networks.min(ANY);
        Self {
            version: 1,
            trees: vec![Tree::default(); nodes * (networks + 1) * 2],
            networks,
        }
    }

    /// The core has changed.
    pub(crate) fn on_change(&mut self) {
        self.version += 1;
    }

    fn slot(&self, target: NodeId, network: usize, ideal: bool) -> usize {
        let column = if network == ANY {
            self.networks
        } else {
            network
        };
        (target.index() * (self.networks + 1) + column) * 2 + usize::from(ideal)
    }

    /// The tree of a target over a network.
    pub(crate) fn get(
        &mut self,
        net: &Net,
        truth: &Truth,
        target: NodeId,
        network: usize,
        ideal: bool,
    ) -> &Tree {
        let slot = self.slot(target, network, ideal);
        let version = self.version;
        let tree = &mut self.trees[slot];
        if tree.version != version {
            tree.version = version;
            tree.build(net, truth, target, network, ideal);
        }
        tree
    }
}

/// The outcome of following a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Leg {
    /// What stops it; `None`: it arrives.
    pub(crate) blame: Option<Blame>,
    pub(crate) quality: Quality,
}

/// The networks of a mask, lowest first; only [`ANY`] where every network will do.
pub(crate) fn each_network(mask: u64) -> impl Iterator<Item = usize> {
    let named = mask & !(1 << ANY);
    let any = (mask == u64::MAX).then_some(ANY);
    let named = if mask == u64::MAX { 0 } else { named };
    any.into_iter().chain(assize_control::matured::bits(named))
}

/// From a core node (or any single node) to a target, over the first network that has a path.
pub(crate) fn from_node(
    trees: &mut Trees,
    net: &Net,
    truth: &Truth,
    from: NodeId,
    target: NodeId,
    networks: u64,
) -> Leg {
    let spot = net.spot(from);
    if !truth.spot_up[spot] {
        return Leg {
            blame: Some(Blame::Spot(spot)),
            quality: Quality::PERFECT,
        };
    }
    if from == target {
        return Leg {
            blame: None,
            quality: Quality::PERFECT,
        };
    }
    for network in each_network(networks) {
        let tree = trees.get(net, truth, target, network, false);
        if tree.distance(from).is_some() {
            return Leg {
                blame: tree.blame(from),
                quality: tree.quality(from),
            };
        }
    }
    for network in each_network(networks) {
        let tree = trees.get(net, truth, target, network, true);
        if tree.distance(from).is_some() {
            return withdrawn(tree.blame(from));
        }
    }
    withdrawn(None)
}

/// The cheapest first hop that routing believes in: cost in all, circuit, node beyond it.
fn first_hop(
    net: &Net,
    truth: &Truth,
    tree: &Tree,
    (spot, allowed): (usize, &[usize]),
    target: NodeId,
    network: usize,
    ideal: bool,
) -> Option<(u32, usize, NodeId)> {
    let mut best: Option<(u32, usize, NodeId)> = None;
    for &circuit in allowed {
        let c = &net.circuits[circuit];
        // The near end of the circuit may be this spot, or the far end this very node.
        let beyond = if c.near == spot {
            c.far
        } else {
            net.spots[c.near].node
        };
        let usable = c.networks & (1 << network) != 0
            && truth.usable(circuit, ideal)
            && (beyond == target || net.transit[beyond.index()]);
        let Some(rest) = tree.distance(beyond).filter(|_| usable) else {
            continue;
        };
        let cost = c.cost.saturating_add(rest);
        if best.is_none_or(|b| cost < b.0) {
            best = Some((cost, circuit, beyond));
        }
    }
    best
}

/// From the sites of a spot to a target; the first hop is one of `allowed` (by circuit).
pub(crate) fn from_spot(
    trees: &mut Trees,
    net: &Net,
    truth: &Truth,
    spot: usize,
    allowed: &[usize],
    target: NodeId,
    networks: u64,
) -> Leg {
    if !truth.spot_up[spot] {
        return Leg {
            blame: Some(Blame::Spot(spot)),
            quality: Quality::PERFECT,
        };
    }
    if net.spots[spot].node == target {
        return Leg {
            blame: None,
            quality: Quality::PERFECT,
        };
    }
    for ideal in [false, true] {
        for network in each_network(networks) {
            let tree = trees.get(net, truth, target, network, ideal);
            let Some((_, circuit, beyond)) =
                first_hop(net, truth, tree, (spot, allowed), target, network, ideal)
            else {
                continue;
            };
            let blame = if !truth.passes[circuit] {
                Some(Blame::Circuit(circuit))
            } else if !truth.spot_up[net.spot(beyond)] {
                Some(Blame::Spot(net.spot(beyond)))
            } else {
                tree.blame(beyond)
            };
            if ideal {
                return withdrawn(blame);
            }
            return Leg {
                blame,
                quality: truth.quality[circuit]
                    .then(truth.spot_quality[net.spot(beyond)])
                    .then(tree.quality(beyond)),
            };
        }
    }
    withdrawn(None)
}

/// There is no route. To blame is what fails on the path that there would be; if nothing does,
/// the way back has not been found yet.
fn withdrawn(blame: Option<Blame>) -> Leg {
    Leg {
        blame: Some(blame.unwrap_or(Blame::NoRoute)),
        quality: Quality::PERFECT,
    }
}

/// Where a path begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From<'a> {
    /// At the sites of a spot, over one of these circuits.
    Spot(usize, &'a [usize]),
    /// At a single node.
    Node(NodeId),
}

/// The circuits of the path that [`from_spot`] or [`from_node`] takes, underlays included.
pub(crate) fn circuits(
    trees: &mut Trees,
    net: &Net,
    truth: &Truth,
    from: From<'_>,
    target: NodeId,
    networks: u64,
) -> Vec<usize> {
    let mut list = Vec::new();
    for network in each_network(networks) {
        let tree = trees.get(net, truth, target, network, false);
        let mut at = match from {
            From::Node(node) => node,
            From::Spot(spot, _) if net.spots[spot].node == target => return list,
            From::Spot(spot, allowed) => {
                let Some((_, circuit, beyond)) =
                    first_hop(net, truth, tree, (spot, allowed), target, network, false)
                else {
                    continue;
                };
                push_with_underlay(net, circuit, &mut list);
                beyond
            }
        };
        if tree.distance(at).is_none() {
            continue;
        }
        while at != target {
            let Some(circuit) = tree.next(at) else { break };
            push_with_underlay(net, circuit, &mut list);
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

fn push_with_underlay(net: &Net, circuit: usize, list: &mut Vec<usize>) {
    list.push(circuit);
    for &under in &net.circuits[circuit].under {
        push_with_underlay(net, under, list);
    }
}
