//! Paths: the cheapest over what routing believes to be up, and what really happens on it.
//!
//! For each target node and network one tree over the core (Dijkstra, 1959), built outwards
//! from the target through transit nodes. A path is lost at the first element on it that is
//! really down, though routing still believes in it.

use super::net::{ANY, Net};
use super::quality::Quality;
use super::stop::Stop;
use super::truth::Truth;
use assize_model::NodeId;

/// Paths from every core node to one target over one network.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    version: u64,
    dist: Vec<u32>,
    next: Vec<u32>,
    stop: Vec<Option<Stop>>,
    quality: Vec<Quality>,
}

const FAR: u32 = u32::MAX;

impl Tree {
    /// Distance from a node, if there is a path.
    pub(super) fn distance(&self, node: NodeId) -> Option<u32> {
        Some(self.dist[node.index()]).filter(|d| *d != FAR)
    }

    /// What stops a packet on the way from a node (the node itself not looked at).
    pub(super) fn stop(&self, node: NodeId) -> Option<Stop> {
        self.stop[node.index()]
    }

    /// What the way from a node is like.
    pub(super) fn quality(&self, node: NodeId) -> Quality {
        self.quality[node.index()]
    }

    /// The first circuit on the way from a node.
    pub(super) fn next(&self, node: NodeId) -> Option<usize> {
        Some(self.next[node.index()] as usize).filter(|c| *c != FAR as usize)
    }

    fn build(&mut self, net: &Net, truth: &Truth, target: NodeId, network: usize, ideal: bool) {
        let n = net.edges.len();
        self.dist.clear();
        self.dist.resize(n, FAR);
        self.next.clear();
        self.next.resize(n, FAR);
        self.stop.clear();
        self.stop.resize(n, Some(Stop::NoRoute));
        self.quality.clear();
        self.quality.resize(n, Quality::PERFECT);
        self.dist[target.index()] = 0;
        self.stop[target.index()] = None;
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
                    self.stop[other.index()] = if !truth.passes[circuit] {
                        Some(Stop::Circuit(circuit))
                    } else if !truth.spot_up[net.spot(node)] {
                        Some(Stop::Spot(net.spot(node)))
                    } else {
                        self.stop[node.index()]
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
pub(super) struct Trees {
    version: u64,
    /// By target node, network and whether ideal (dense); empty until asked for.
    trees: Vec<Tree>,
    networks: usize,
}

impl Trees {
    pub(super) fn new(nodes: usize, networks: usize) -> Self {
        let networks = networks.min(ANY);
        Self {
            version: 1,
            trees: vec![Tree::default(); nodes * (networks + 1) * 2],
            networks,
        }
    }

    /// The core has changed.
    pub(super) fn on_change(&mut self) {
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
    pub(super) fn get(
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
