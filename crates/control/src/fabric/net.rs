//! The network of a plan as dense arrays: spots, circuits, adjacency. Built once, never changed.

use assize_fault::{Bandwidth, Nanos, Ppb};
use assize_model::plan::Plan;
use assize_model::scenario::{Sites, Target};
use assize_model::topology::{Standby, Topology};
use assize_model::{LinkId, NetworkId, NodeId};

/// The network mask under which every link counts, for services reached from any network.
pub(super) const ANY: usize = 63;

/// Sites of a node that nothing in the plan tells apart; a single node is one spot.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// The node.
    pub node: NodeId,
    /// The first of its sites.
    pub first: u32,
    /// One past the last.
    pub end: u32,
}

/// One end-to-end piece of a link: the circuits of a spot's sites, or a link between two nodes.
#[derive(Clone, Debug)]
pub struct Circuit {
    /// The link that it is a piece of.
    pub link: LinkId,
    /// The spot at its near end.
    pub near: usize,
    /// The node at its far end.
    pub far: NodeId,
    /// Of the path, per crossing.
    pub cost: u32,
    /// One way, what it runs over included.
    pub latency: Nanos,
    /// Share of packets lost without any fault.
    pub loss: Ppb,
    /// Per site, if limited.
    pub bandwidth: Option<Bandwidth>,
    /// Bit n: carries network n. Bit `ANY` is always set.
    pub networks: u64,
    /// How long a change must last before routing notices it.
    pub detect: Nanos,
    /// How long routing then takes to use what it noticed.
    pub converge: Nanos,
    /// Circuits that it runs over.
    pub under: Vec<usize>,
    /// Set when it serves only after activation.
    pub standby: Option<Standby>,
}

/// The whole network.
#[derive(Debug)]
pub struct Net {
    /// All spots, in order of node and site.
    pub spots: Vec<Spot>,
    /// First spot of each node, and one past the last of the last.
    spot_base: Vec<usize>,
    /// All circuits, in order of link, near end and site.
    pub circuits: Vec<Circuit>,
    /// Circuits whose near end is a spot.
    pub at_spot: Vec<Vec<usize>>,
    /// Circuits whose far end is a node.
    pub at_far: Vec<Vec<usize>>,
    /// Circuits that run over a circuit.
    pub above: Vec<Vec<usize>>,
    /// Edges of the core: per node, circuit and the node at its other end.
    pub edges: Vec<Vec<(usize, NodeId)>>,
    /// Whether paths may pass through a node.
    pub transit: Vec<bool>,
    /// The circuits of each link.
    pub links: Vec<std::ops::Range<usize>>,
}

impl Net {
    /// Lays out the network of a plan.
    #[must_use]
    pub fn new(plan: &Plan<'_>) -> Self {
        let topology = plan.topology;
        let mut spots = Vec::new();
        let mut spot_base = Vec::new();
        for (index, cuts) in plan.cuts.iter().enumerate() {
            spot_base.push(spots.len());
            spots.extend(cuts.windows(2).map(|pair| Spot {
                node: NodeId::from(index),
                first: pair[0],
                end: pair[1],
            }));
        }
        spot_base.push(spots.len());
        let mut net = Self {
            at_spot: vec![Vec::new(); spots.len()],
            at_far: vec![Vec::new(); topology.nodes.len()],
            edges: vec![Vec::new(); topology.nodes.len()],
            transit: topology
                .nodes
                .iter()
                .map(|n| n.transit && !n.class)
                .collect(),
            spots,
            spot_base,
            circuits: Vec::new(),
            above: Vec::new(),
            links: Vec::new(),
        };
        net.add_circuits(topology);
        net.add_underlays(topology);
        net
    }

    /// The spots of a node.
    #[must_use]
    pub fn spots_of(&self, node: NodeId) -> std::ops::Range<usize> {
        self.spot_base[node.index()]..self.spot_base[node.index() + 1]
    }

    /// The spot of a single node.
    #[must_use]
    pub fn spot(&self, node: NodeId) -> usize {
        self.spot_base[node.index()]
    }

    /// The spots of a node that a selection of sites covers.
    #[must_use]
    pub fn selected_spots(&self, node: NodeId, sites: &Sites) -> Vec<usize> {
        self.spots_of(node)
            .filter(|&s| self.covers(sites, s))
            .collect()
    }

    /// The circuits of a link that a selection of sites covers.
    #[must_use]
    pub fn selected_circuits(&self, link: LinkId, sites: &Sites) -> Vec<usize> {
        self.links[link.index()]
            .clone()
            .filter(|&c| self.covers(sites, self.circuits[c].near))
            .collect()
    }

    /// Whether a selection covers a spot. The plan has cut the spots so that none is split.
    fn covers(&self, sites: &Sites, spot: usize) -> bool {
        let spot = self.spots[spot];
        match sites {
            Sites::All => true,
            Sites::Some(ranges) => ranges
                .iter()
                .any(|r| r.node == spot.node && r.first <= spot.first && spot.end <= r.end),
        }
    }

    fn add_circuits(&mut self, topology: &Topology) {
        for (index, link) in topology.links.iter().enumerate() {
            let begin = self.circuits.len();
            for &near in &link.from {
                for spot in self.spots_of(near) {
                    let id = self.circuits.len();
                    self.at_spot[spot].push(id);
                    self.at_far[link.to.index()].push(id);
                    if !topology.node(near).class {
                        self.edges[near.index()].push((id, link.to));
                        self.edges[link.to.index()].push((id, near));
                    }
                    self.circuits.push(Circuit {
                        link: LinkId::from(index),
                        near: spot,
                        far: link.to,
                        cost: link.cost,
                        latency: link.latency,
                        loss: link.loss,
                        bandwidth: link.bandwidth,
                        networks: networks(&link.carries),
                        detect: link.detect,
                        converge: link.converge,
                        under: Vec::new(),
                        standby: link.standby,
                    });
                }
            }
            self.links.push(begin..self.circuits.len());
        }
        self.above = vec![Vec::new(); self.circuits.len()];
    }

    /// A circuit of a class runs over the circuits of the same sites; a link between nodes over
    /// the whole of links between nodes.
    fn add_underlays(&mut self, topology: &Topology) {
        for id in 0..self.circuits.len() {
            let link = self.circuits[id].link;
            let mut under = Vec::new();
            for below in &topology.link(link).over {
                under.extend(self.underlay(topology, id, *below));
            }
            for &c in &under {
                self.above[c].push(id);
            }
            self.circuits[id].under = under;
        }
        let latencies: Vec<Nanos> = (0..self.circuits.len())
            .map(|c| self.whole_latency(c))
            .collect();
        for (circuit, latency) in self.circuits.iter_mut().zip(latencies) {
            circuit.latency = latency;
        }
    }

    /// A tunnel takes as long as what it runs over, and its own latency on top. Links that run
    /// over each other were refused when the file was read, so this ends.
    fn whole_latency(&self, circuit: usize) -> Nanos {
        let c = &self.circuits[circuit];
        c.latency + c.under.iter().map(|u| self.whole_latency(*u)).sum()
    }

    /// The circuits of a link that a circuit runs over: those of the same sites; between nodes,
    /// those that end where it does, if there are any.
    fn underlay(&self, topology: &Topology, id: usize, below: LinkId) -> Vec<usize> {
        let (near, far) = (self.circuits[id].near, self.spot(self.circuits[id].far));
        let range = self.links[below.index()].clone();
        let same_site: Vec<usize> = range
            .clone()
            .filter(|c| *c != id && self.circuits[*c].near == near)
            .collect();
        if !same_site.is_empty() {
            return same_site;
        }
        let single =
            |c: &usize| *c != id && !topology.node(self.spots[self.circuits[*c].near].node).class;
        let ends_there = |c: &usize| {
            let ends = [self.circuits[*c].near, self.spot(self.circuits[*c].far)];
            ends.contains(&near) || ends.contains(&far)
        };
        let between: Vec<usize> = range.filter(single).collect();
        let touching: Vec<usize> = between.iter().copied().filter(ends_there).collect();
        // A link with one near end is run over wherever it lies.
        if between.len() > 1 && !touching.is_empty() {
            touching
        } else {
            between
        }
    }

    /// Whether a target touches any of these sites (its own, or the circuits at them).
    #[must_use]
    pub fn touches(&self, target: &Target, spot: usize) -> bool {
        match target {
            Target::Node(node, sites) => self.spots[spot].node == *node && self.covers(sites, spot),
            Target::Part(node, _, sites) => {
                self.spots[spot].node == *node && self.covers(sites, spot)
            }
            Target::Link(link, sites) => {
                self.covers(sites, spot)
                    && self.at_spot[spot]
                        .iter()
                        .any(|&c| self.circuits[c].link == *link)
            }
            _ => false,
        }
    }
}

/// The networks of a list as a mask; none named means all.
pub(super) fn networks(list: &[NetworkId]) -> u64 {
    if list.is_empty() {
        return u64::MAX;
    }
    list.iter()
        .fold(1 << ANY, |mask, n| mask | (1 << (n.index() % ANY)))
}
