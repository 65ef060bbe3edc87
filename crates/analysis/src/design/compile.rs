//! From a topology to a structure: when does a journey fail its users?
//!
//! It asks what can still serve once failover and routing have done their work: `simulate` says
//! how long that takes, and whether it happens. Caches do not count (they end), nor do
//! contingencies (those are another way to work). What comes into service only by a step of a
//! scenario is not there; what comes by itself is.

use super::elements::{Elements, What};
use crate::structure::{Ref, Structure};
use assize_model::topology::{Access, Dependency, Mode, Probes, Service, Topology};
use assize_model::{AccessId, JourneyId, NetworkId, NodeId, PopulationId, ServiceId};
use std::collections::BTreeMap;

/// Users whom no failure tells apart except by the number of their site.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Population.
    pub population: PopulationId,
    /// Journey.
    pub journey: JourneyId,
    /// Where they sit.
    pub node: NodeId,
    /// How many they are, times [`USER`].
    pub weight: u128,
    /// When the journey fails them.
    pub fails: Ref,
}

/// The weight of one user: a shard is a part of one.
pub const USER: u128 = 1_000_000_000;

/// A topology as a structure.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What can fail.
    pub elements: Elements,
    /// The graph that all units share.
    pub structure: Structure,
    /// In order of population, journey, place and shard.
    pub units: Vec<Unit>,
}

/// Compiles a topology. The elements of `down` have failed already.
#[must_use]
pub fn compile(topology: &Topology, down: &[u32]) -> Compiled {
    let elements = Elements::of(topology);
    let mut compiler = Compiler {
        topology,
        elements: &elements,
        down,
        structure: Structure::new(),
        paths: BTreeMap::new(),
        wells: BTreeMap::new(),
        edges: edges(topology),
    };
    let mut units = Vec::new();
    for (p, population) in topology.populations.iter().enumerate() {
        for (journey, _) in &population.makes {
            let shards = compiler.shards(*journey);
            for &(node, users) in &population.at {
                for shard in 0..shards {
                    let fails = compiler.unit(&population.access, node, *journey, shard);
                    units.push(Unit {
                        population: PopulationId::from(p),
                        journey: *journey,
                        node,
                        weight: u128::from(users) * USER / u128::from(shards),
                        fails,
                    });
                }
            }
        }
    }
    let structure = compiler.structure;
    Compiled {
        elements,
        structure,
        units,
    }
}

/// A circuit between two single nodes: link, near end, the two nodes.
#[derive(Clone, Copy, Debug)]
struct Edge {
    link: u16,
    end: u16,
    other: NodeId,
}

struct Compiler<'a> {
    topology: &'a Topology,
    elements: &'a Elements,
    down: &'a [u32],
    structure: Structure,
    /// By target and network, when each node has no path to it.
    paths: BTreeMap<(NodeId, Option<NetworkId>), Vec<Ref>>,
    wells: BTreeMap<(u16, u16, u32), Ref>,
    /// By node.
    edges: Vec<Vec<Edge>>,
}

fn edges(topology: &Topology) -> Vec<Vec<Edge>> {
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
    /// How many shards tell the users of a journey apart.
    fn shards(&self, journey: JourneyId) -> u32 {
        let spec = self.topology.journey(journey);
        let mut seen = vec![false; self.topology.services.len()];
        let mut open: Vec<ServiceId> = spec.calls.iter().chain(&spec.writes).copied().collect();
        let mut most = 1;
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            let service = self.topology.service(id);
            if service.mode == Mode::Sharded {
                most = most.max(service.shards.min(64));
            }
            let all = service
                .depends
                .all_of
                .iter()
                .chain(service.depends.any_of.iter().flatten());
            open.extend(all.map(|d| d.service));
        }
        most
    }

    /// Fails with the element, or with a domain that it lies in.
    fn literal(&mut self, what: What) -> Ref {
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

    fn event(&mut self, number: u32) -> Ref {
        if self.down.contains(&number) {
            self.structure.constant(true)
        } else {
            self.structure.event(number)
        }
    }

    /// A place fails by itself, or with all of its units.
    fn node(&mut self, id: NodeId) -> Ref {
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
    fn circuit(&mut self, link: u16, end: u16) -> Ref {
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
    fn underlay(&self, ends: (NodeId, NodeId), below: usize) -> Vec<u16> {
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
    fn networks(service: &Service) -> Vec<Option<NetworkId>> {
        if service.reach.is_empty() {
            vec![None]
        } else {
            service.reach.iter().map(|n| Some(*n)).collect()
        }
    }

    fn carries(&self, link: u16, network: Option<NetworkId>) -> bool {
        let carries = &self.topology.links[usize::from(link)].carries;
        carries.is_empty() || network.is_none_or(|n| carries.contains(&n))
    }

    fn transit(&self, node: NodeId) -> bool {
        let node = self.topology.node(node);
        node.transit && !node.class
    }

    /// When a node has no path to a target over a network: layer by layer, one more hop each.
    fn no_path(&mut self, from: NodeId, target: NodeId, network: Option<NetworkId>) -> Ref {
        if !self.paths.contains_key(&(target, network)) {
            let table = self.path_table(target, network);
            self.paths.insert((target, network), table);
        }
        self.paths[&(target, network)][from.index()]
    }

    fn path_table(&mut self, target: NodeId, network: Option<NetworkId>) -> Vec<Ref> {
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
    fn relevant(&self, target: NodeId, network: Option<NetworkId>) -> Vec<NodeId> {
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
    fn between_nodes(
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
    fn site_to(
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
    fn first_hops(&self, site: NodeId, access: &Access) -> Vec<(u16, u16, NodeId)> {
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

    fn unit(&mut self, access: &[AccessId], site: NodeId, journey: JourneyId, shard: u32) -> Ref {
        let ways: Vec<Ref> = access
            .iter()
            .map(|a| self.over(*a, site, journey, shard))
            .collect();
        self.structure.and(ways)
    }

    /// When a journey fails over one access.
    fn over(&mut self, access: AccessId, site: NodeId, journey: JourneyId, shard: u32) -> Ref {
        let topology = self.topology;
        let access = topology.access_path(access);
        if access.standby.is_some_and(|s| !s.automatic) {
            return self.structure.constant(true);
        }
        let mut list = Vec::new();
        for (index, part) in topology.node(site).parts.iter().enumerate() {
            if access.parts.contains(&part.id) {
                list.push(self.literal(What::Part(site, index as u16)));
            }
        }
        let spec = topology.journey(journey);
        let needed = access.needs.iter().map(|n| n.service);
        let mut services: Vec<ServiceId> = needed
            .chain(spec.calls.iter().copied())
            .chain(spec.writes.iter().copied())
            .collect();
        services.sort_unstable();
        services.dedup();
        for service in services {
            list.push(self.entry(site, access, service, shard));
        }
        self.structure.or(list)
    }

    /// When users at a site do not get an answer of a service.
    fn entry(&mut self, site: NodeId, access: &Access, id: ServiceId, shard: u32) -> Ref {
        let topology = self.topology;
        let service = topology.service(id);
        let networks = Self::networks(service);
        let legs: Vec<Ref> = service
            .replicas
            .iter()
            .map(|replica| {
                let mut stops = access.through.clone();
                stops.push(replica.at);
                let first = self.site_to(site, access, stops[0], &networks);
                let mut list = vec![first];
                for pair in stops.windows(2) {
                    list.push(self.between_nodes(pair[0], pair[1], &networks));
                }
                self.structure.or(list)
            })
            .collect();
        self.unserved(id, &legs, shard)
    }

    /// When a service does not serve, given when each replica is not reached.
    fn unserved(&mut self, id: ServiceId, legs: &[Ref], shard: u32) -> Ref {
        let service = self.topology.service(id);
        let n = service.replicas.len();
        let home = service.replicas.iter().position(|r| r.primary).unwrap_or(0);
        let each: Vec<Ref> = (0..n)
            .map(|r| {
                let well = self.unwell(id, r, shard);
                self.structure.or([legs[r], well])
            })
            .collect();
        match service.mode {
            Mode::Single => each[home],
            Mode::Sharded => {
                let shard = shard % service.shards.max(1);
                let own = self.literal(What::Shard(id.0, shard as u16));
                self.structure.or([each[shard as usize % n], own])
            }
            Mode::ActiveActive | Mode::ActiveStandby | Mode::Quorum => {
                let all = self.structure.and(each.clone());
                let Some(failover) = &service.failover else {
                    return if service.mode == Mode::ActiveStandby {
                        each[home]
                    } else {
                        self.structure.or(each)
                    };
                };
                if failover.external || failover.check.probes == Probes::Service {
                    return all;
                }
                // The check asks the machine only: a process that has crashed on one that runs
                // is not noticed, and those who are sent to it fail.
                let looked_to: Vec<usize> = if service.mode == Mode::ActiveStandby {
                    vec![home]
                } else {
                    (0..n).collect()
                };
                let unseen: Vec<Ref> = looked_to
                    .into_iter()
                    .map(|r| self.literal(What::Replica(id.0, r as u16)))
                    .collect();
                let unseen = self.structure.or(unseen);
                self.structure.or([all, unseen])
            }
        }
    }

    /// When a replica cannot serve, whatever the path to it.
    fn unwell(&mut self, id: ServiceId, replica: usize, shard: u32) -> Ref {
        let key = (id.0, replica as u16, shard);
        if let Some(known) = self.wells.get(&key) {
            return *known;
        }
        let topology = self.topology;
        let service = topology.service(id);
        let at = service.replicas[replica].at;
        let mut list = vec![
            self.literal(What::Replica(id.0, replica as u16)),
            self.node(at),
        ];
        if service.mode == Mode::Quorum {
            list.push(self.no_majority(id, replica));
        }
        for dependency in service.depends.all_of.iter().filter(|d| d.soft.is_none()) {
            list.push(self.unreached(at, dependency, shard));
        }
        for choice in &service.depends.any_of {
            let all: Vec<Ref> = choice
                .iter()
                .map(|d| self.unreached(at, d, shard))
                .collect();
            if !all.is_empty() {
                list.push(self.structure.and(all));
            }
        }
        let result = self.structure.or(list);
        self.wells.insert(key, result);
        result
    }

    /// When a replica reaches no majority of all, itself included.
    fn no_majority(&mut self, id: ServiceId, replica: usize) -> Ref {
        let service = self.topology.service(id);
        let networks = Self::networks(service);
        let (n, at) = (service.replicas.len(), service.replicas[replica].at);
        let mut others = Vec::new();
        for (other, spec) in service
            .replicas
            .iter()
            .enumerate()
            .filter(|o| o.0 != replica)
        {
            let process = self.literal(What::Replica(id.0, other as u16));
            let way = self.between_nodes(at, spec.at, &networks);
            others.push(self.structure.or([process, way]));
        }
        // A majority are n / 2 + 1, so of the n - 1 others n / 2 must answer.
        self.structure.at_least(n - n / 2, others)
    }

    /// When a replica at a node does not get an answer of what it needs.
    fn unreached(&mut self, from: NodeId, dependency: &Dependency, shard: u32) -> Ref {
        let service = self.topology.service(dependency.service);
        let networks = Self::networks(service);
        let legs: Vec<Ref> = service
            .replicas
            .iter()
            .map(|r| self.between_nodes(from, r.at, &networks))
            .collect();
        self.unserved(dependency.service, &legs, shard)
    }
}
