//! When places, circuits and the ways between them have failed.

use super::{Compiler, Edge};
use crate::design::elements::What;
use crate::structure::Ref;
use assize_model::topology::{Access, Service, Topology};
use assize_model::{NetworkId, NodeId};

/// By node, what leads from it to others.
pub(super) fn edges(topology: &Topology) -> Vec<Vec<Edge>> {
    let mut edges = vec![Vec::new(); topology.nodes.len()];
    for (index, link) in topology.links.iter().enumerate() {
        for (end, near) in link.from.iter().enumerate() {
            if topology.node(*near).class {
                continue;
            }
            let edge = |other| Edge {
                link: index as u16,
                end: end as u16,
                other,
            };
            edges[near.index()].push(edge(link.to));
            edges[link.to.index()].push(edge(*near));
        }
    }
    edges
}

impl Compiler<'_> {
    /// Fails with the element, or with a domain that it lies in.
    pub(super) fn literal(&mut self, what: What) -> Ref {
        let Some(number) = self.elements.number(what) else {
            return self.structure.constant(false);
        };
        let domains = self.elements.items[number as usize].domains.clone();
        let domains = domains
            .into_iter()
            .filter_map(|d| self.elements.number(What::Domain(d)));
        let numbers: Vec<u32> = std::iter::once(number).chain(domains).collect();
        let list: Vec<Ref> = numbers.into_iter().map(|n| self.event(n)).collect();
        self.structure.or(list)
    }

    pub(super) fn event(&mut self, number: u32) -> Ref {
        if self.down.contains(&number) {
            self.structure.constant(true)
        } else {
            self.structure.event(number)
        }
    }

    /// A place fails by itself, or with all of its units.
    pub(super) fn node(&mut self, id: NodeId) -> Ref {
        let own = self.literal(What::Node(id));
        let units = self.topology.node(id).replicas.len();
        if units == 0 {
            return own;
        }
        let units: Vec<Ref> = (0..units)
            .map(|u| self.literal(What::Unit(id, u as u16)))
            .collect();
        let all = self.structure.and(units);
        self.structure.or([own, all])
    }

    /// A circuit with its ends and with what it runs over.
    pub(super) fn circuit(&mut self, link: u16, end: u16) -> Ref {
        let spec = &self.topology.links[usize::from(link)];
        if spec.standby.is_some_and(|s| !s.automatic) {
            return self.structure.constant(true);
        }
        let near = spec.from[usize::from(end)];
        let mut list = vec![
            self.literal(What::Circuit(link, end)),
            self.node(near),
            self.node(spec.to),
        ];
        for below in &spec.over {
            for end in self.underlay((near, spec.to), below.index()) {
                list.push(self.circuit(below.0, end));
            }
        }
        self.structure.or(list)
    }

    /// The near ends of a link that a circuit between these two runs over: that of the same
    /// place, else those between single nodes that end where it does, else all of those.
    pub(super) fn underlay(&self, ends: (NodeId, NodeId), below: usize) -> Vec<u16> {
        let link = &self.topology.links[below];
        let numbered = || link.from.iter().enumerate().map(|(i, n)| (i as u16, *n));
        let same: Vec<u16> = numbered()
            .filter(|(_, n)| *n == ends.0)
            .map(|n| n.0)
            .collect();
        if !same.is_empty() {
            return same;
        }
        let single: Vec<(u16, NodeId)> = numbered()
            .filter(|(_, n)| !self.topology.node(*n).class)
            .collect();
        let touches = |n: NodeId| [ends.0, ends.1].contains(&n);
        let touching: Vec<u16> = single
            .iter()
            .filter(|(_, n)| touches(*n) || touches(link.to))
            .map(|n| n.0)
            .collect();
        if single.len() > 1 && !touching.is_empty() {
            touching
        } else {
            single.into_iter().map(|n| n.0).collect()
        }
    }

    /// The networks over which a service is reached; `None`: any link will do.
    pub(super) fn networks(service: &Service) -> Vec<Option<NetworkId>> {
        if service.reach.is_empty() {
            vec![None]
        } else {
            service.reach.iter().map(|n| Some(*n)).collect()
        }
    }

    pub(super) fn carries(&self, link: u16, network: Option<NetworkId>) -> bool {
        let carries = &self.topology.links[usize::from(link)].carries;
        carries.is_empty() || network.is_none_or(|n| carries.contains(&n))
    }

    pub(super) fn transit(&self, node: NodeId) -> bool {
        let node = self.topology.node(node);
        node.transit && !node.class
    }

    /// When a node has no path to a target over a network: layer by layer, one more hop each.
    pub(super) fn no_path(
        &mut self,
        from: NodeId,
        target: NodeId,
        network: Option<NetworkId>,
    ) -> Ref {
        if !self.paths.contains_key(&(target, network)) {
            let table = self.path_table(target, network);
            self.paths.insert((target, network), table);
        }
        self.paths[&(target, network)][from.index()]
    }

    pub(super) fn path_table(&mut self, target: NodeId, network: Option<NetworkId>) -> Vec<Ref> {
        let near = self.relevant(target, network);
        let failed = self.structure.constant(true);
        let mut table = vec![failed; self.topology.nodes.len()];
        table[target.index()] = self.node(target);
        let hops = near.iter().filter(|n| self.transit(**n)).count() + 1;
        for _ in 0..hops {
            let before = table.clone();
            for &node in near.iter().filter(|n| **n != target) {
                let mut ways = Vec::new();
                for edge in self.edges[node.index()].clone() {
                    let through = edge.other == target || self.transit(edge.other);
                    if through && self.carries(edge.link, network) {
                        let circuit = self.circuit(edge.link, edge.end);
                        ways.push(self.structure.or([circuit, before[edge.other.index()]]));
                    }
                }
                let ways = self.structure.and(ways);
                let own = self.node(node);
                table[node.index()] = self.structure.or([own, ways]);
            }
            if table == before {
                break;
            }
        }
        table
    }

    /// The nodes from which a path to the target exists while nothing has failed.
    pub(super) fn relevant(&self, target: NodeId, network: Option<NetworkId>) -> Vec<NodeId> {
        let mut seen = vec![false; self.topology.nodes.len()];
        seen[target.index()] = true;
        let mut list = vec![target];
        let mut at = 0;
        while let Some(&node) = list.get(at) {
            at += 1;
            if node != target && !self.transit(node) {
                continue;
            }
            for edge in &self.edges[node.index()] {
                if self.carries(edge.link, network)
                    && !std::mem::replace(&mut seen[edge.other.index()], true)
                {
                    list.push(edge.other);
                }
            }
        }
        list
    }

    /// From one single node to another, over one of the networks.
    pub(super) fn between_nodes(
        &mut self,
        from: NodeId,
        target: NodeId,
        networks: &[Option<NetworkId>],
    ) -> Ref {
        let own = self.node(from);
        if from == target {
            return own;
        }
        let ways: Vec<Ref> = networks
            .iter()
            .map(|n| self.no_path(from, target, *n))
            .collect();
        let ways = self.structure.and(ways);
        self.structure.or([own, ways])
    }

    /// From a user's site to a node, the first hop being one of those that the access allows.
    pub(super) fn site_to(
        &mut self,
        site: NodeId,
        access: &Access,
        target: NodeId,
        networks: &[Option<NetworkId>],
    ) -> Ref {
        let own = self.node(site);
        if site == target {
            return own;
        }
        let mut ways = Vec::new();
        for (link, end, beyond) in self.first_hops(site, access) {
            if beyond != target && !self.transit(beyond) {
                continue;
            }
            for &network in networks {
                if !self.carries(link, network) {
                    continue;
                }
                let circuit = self.circuit(link, end);
                let far = self.node(beyond);
                let rest = if beyond == target {
                    far
                } else {
                    self.no_path(beyond, target, network)
                };
                ways.push(self.structure.or([circuit, far, rest]));
            }
        }
        let ways = self.structure.and(ways);
        self.structure.or([own, ways])
    }

    /// Link, near end and the node beyond.
    pub(super) fn first_hops(&self, site: NodeId, access: &Access) -> Vec<(u16, u16, NodeId)> {
        let mut hops = Vec::new();
        for (index, link) in self.topology.links.iter().enumerate() {
            let named = |l: usize| access.first_links.iter().any(|f| f.index() == l);
            let near_ends = link.from.iter().enumerate().filter(|(_, n)| **n == site);
            for (end, _) in near_ends {
                let ends = (site, link.to);
                let over = link
                    .over
                    .iter()
                    .any(|b| named(b.index()) && !self.underlay(ends, b.index()).is_empty());
                if access.first_links.is_empty() || named(index) || over {
                    hops.push((index as u16, end as u16, link.to));
                }
            }
            if link.to == site {
                let from = link
                    .from
                    .iter()
                    .enumerate()
                    .filter(|(_, n)| !self.topology.node(**n).class);
                for (end, near) in from.filter(|_| access.first_links.is_empty() || named(index)) {
                    hops.push((index as u16, end as u16, *near));
                }
            }
        }
        hops
    }
}
