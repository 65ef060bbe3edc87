//! From a topology to a structure: when does a journey fail its users?
//!
//! It asks what can still serve once failover and routing have done their work: `simulate` says
//! how long that takes, and whether it happens. Caches do not count (they end), nor do
//! contingencies (those are another way to work). What comes into service only by a step of a
//! scenario is not there; what comes by itself is.

mod paths;

use super::elements::{Elements, What};
use crate::structure::{Ref, Structure};
use assize_fault::Ppb;
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
    /// The shard that they are in.
    pub shard: u32,
    /// Ways to make it, most preferred first.
    pub ways: Vec<Way>,
}

/// A journey over one access.
#[derive(Clone, Debug)]
pub struct Way {
    /// The access.
    pub access: AccessId,
    /// When it fails.
    pub fails: Ref,
    /// What it asks.
    pub calls: Vec<Call>,
}

/// One service that a way needs.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service.
    pub service: ServiceId,
    /// How often each attempt asks it: not at all for what a client keeps.
    pub times: u32,
    /// By replica, when it does not serve over this access.
    pub each: Vec<Ref>,
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
    /// By node, when it has failed.
    pub nodes: Vec<Ref>,
    /// By link and near end, when the circuit has failed, its ends and what it runs over included.
    pub circuits: Vec<Vec<Ref>>,
    /// By service and replica, when it cannot serve whoever reaches it, and what it can do less
    /// when something that it could do without is out.
    pub replicas: Vec<Vec<Health>>,
}

/// How a replica is.
#[derive(Clone, Debug)]
pub struct Health {
    /// When it cannot serve.
    pub unwell: Ref,
    /// When a soft dependency is out, and the capacity that is left without it.
    pub softly: Vec<(Ref, Ppb)>,
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
        edges: paths::edges(topology),
    };
    let mut units = Vec::new();
    for (p, population) in topology.populations.iter().enumerate() {
        for (journey, _) in &population.makes {
            let shards = compiler.shards(*journey);
            for &(node, users) in &population.at {
                for shard in 0..shards {
                    let (fails, ways) = compiler.unit(&population.access, node, *journey, shard);
                    units.push(Unit {
                        shard,
                        ways,
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
    let (nodes, circuits) = compiler.network();
    let replicas = compiler.replicas();
    let structure = compiler.structure;
    Compiled {
        elements,
        structure,
        units,
        nodes,
        circuits,
        replicas,
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

    /// By node and by circuit, when it has failed.
    fn network(&mut self) -> (Vec<Ref>, Vec<Vec<Ref>>) {
        let topology = self.topology;
        let nodes = (0..topology.nodes.len())
            .map(|n| self.node(NodeId::from(n)))
            .collect();
        let circuits = topology.links.iter().enumerate().map(|(l, link)| {
            (0..link.from.len())
                .map(|end| self.circuit(l as u16, end as u16))
                .collect()
        });
        (nodes, circuits.collect())
    }

    fn replicas(&mut self) -> Vec<Vec<Health>> {
        let topology = self.topology;
        let services = topology.services.iter().enumerate();
        let of = |(s, service): (usize, &Service)| {
            let id = ServiceId::from(s);
            let one = |r| self.health(id, service, r);
            (0..service.replicas.len()).map(one).collect()
        };
        services.map(of).collect()
    }

    fn health(&mut self, id: ServiceId, service: &Service, replica: usize) -> Health {
        let at = service.replicas[replica].at;
        let soft = service.depends.all_of.iter();
        let softly = soft
            .filter_map(|d| Some((self.unreached(at, d, 0), d.soft?)))
            .collect();
        Health {
            unwell: self.unwell(id, replica, 0),
            softly,
        }
    }

    fn unit(
        &mut self,
        access: &[AccessId],
        site: NodeId,
        journey: JourneyId,
        shard: u32,
    ) -> (Ref, Vec<Way>) {
        let ways: Vec<Way> = access
            .iter()
            .map(|a| self.over(*a, site, journey, shard))
            .collect();
        let fails = self.structure.and(ways.iter().map(|w| w.fails));
        (fails, ways)
    }

    /// When a journey fails over one access, and what it asks.
    fn over(&mut self, id: AccessId, site: NodeId, journey: JourneyId, shard: u32) -> Way {
        let topology = self.topology;
        let access = topology.access_path(id);
        let mut way = Way {
            access: id,
            fails: self.structure.constant(true),
            calls: Vec::new(),
        };
        if access.standby.is_some_and(|s| !s.automatic) {
            return way;
        }
        let mut list = Vec::new();
        for (index, part) in topology.node(site).parts.iter().enumerate() {
            if access.parts.contains(&part.id) {
                list.push(self.literal(What::Part(site, index as u16)));
            }
        }
        let mut times: BTreeMap<ServiceId, u32> = BTreeMap::new();
        for need in &access.needs {
            *times.entry(need.service).or_default() += u32::from(need.cache.is_none());
        }
        let spec = topology.journey(journey);
        let mut called: Vec<ServiceId> = spec.calls.iter().chain(&spec.writes).copied().collect();
        called.sort_unstable();
        called.dedup();
        for service in called {
            *times.entry(service).or_default() += 1;
        }
        for (service, times) in times {
            let (fails, each) = self.entry(site, access, service, shard);
            list.push(fails);
            way.calls.push(Call {
                service,
                times,
                each,
            });
        }
        way.fails = self.structure.or(list);
        way
    }

    /// When users at a site do not get an answer of a service, and of each of its replicas.
    fn entry(
        &mut self,
        site: NodeId,
        access: &Access,
        id: ServiceId,
        shard: u32,
    ) -> (Ref, Vec<Ref>) {
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
        let each = (0..legs.len())
            .map(|r| {
                let well = self.unwell(id, r, shard);
                self.structure.or([legs[r], well])
            })
            .collect();
        (self.unserved(id, &legs, shard), each)
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
