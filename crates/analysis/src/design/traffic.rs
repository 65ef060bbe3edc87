//! What users ask of links and services, laid out once: who asks what over which ways, and how
//! much of it each link and service can carry.
//!
//! Demand is that of every population at its own height, all at once: more than any instant asks
//! for. Bytes in both directions share a link, as in `sim`; services that a service asks in turn
//! are asked in full; leases that clients keep cost nothing.

use super::compile::{Call, Compiled, Unit, Way};
use crate::structure::Ref;
use assize_control::fabric::Net;
use assize_model::topology::{Mode, Service, Topology};
use assize_model::{AccessId, NodeId, demand};
use std::collections::BTreeMap;

/// A link or a service that can carry so much only.
#[derive(Clone, Debug)]
pub(super) enum Limit {
    /// A circuit, by number; of a class there is one per site.
    Circuit {
        id: String,
        /// How many sites have one.
        sites: u128,
        /// Whether each belongs to a site of a class.
        own: bool,
        /// Millionths of a bit per second, each.
        each: u128,
    },
    /// A service.
    Service {
        index: usize,
        /// Millionths of a request per second and serving replica.
        each: u128,
    },
}

/// From users of a place over an access to where a replica is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Route {
    pub(super) node: NodeId,
    pub(super) access: AccessId,
    /// Any service with a replica there that is reached over the same networks.
    pub(super) service: usize,
    pub(super) replica: usize,
}

/// What users of one unit ask.
#[derive(Debug)]
pub(super) struct Asks {
    /// Sites of the class, or 1.
    pub(super) sites: u128,
    pub(super) weight: u128,
    /// Millionths of an attempt per second, by all of them and by those at one site.
    pub(super) attempts: [u128; 2],
    /// Bits of one exchange with a service.
    pub(super) bits: u128,
    pub(super) ways: Vec<WayAsks>,
    /// Everything of the structure that this looks at.
    pub(super) outputs: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct WayAsks {
    pub(super) fails: u32,
    pub(super) calls: Vec<CallAsks>,
}

#[derive(Debug)]
pub(super) struct CallAsks {
    pub(super) service: usize,
    pub(super) times: u128,
    /// Clients are spread over all that answer, else all go to the first that does.
    pub(super) spread: bool,
    /// In order of preference: the output that says when it does not serve, and the route.
    pub(super) replicas: Vec<(u32, u32)>,
}

/// The output that says that a replica is unwell, and those that say that it lacks something it can
/// do without, each with the parts per billion that are left of its capacity.
pub(super) type Fitness = (u32, Vec<(u32, u128)>);

/// The layout.
#[derive(Debug)]
pub(super) struct Traffic {
    pub(super) asks: Vec<Asks>,
    pub(super) routes: Vec<Route>,
    pub(super) limits: Vec<Limit>,
    /// By circuit, its place among the limits.
    pub(super) of_circuit: Vec<Option<u32>>,
    /// By service, the limits among services that a request to it loads, and how often.
    pub(super) of_service: Vec<Vec<(u32, u128)>>,
    /// By service, the limits among services that bound what it serves: its own, and those of
    /// what it cannot do without.
    pub(super) bounded_by: Vec<Vec<(u32, u128)>>,
    /// What is evaluated: units first, then whatever the rest of this looks at.
    pub(super) outputs: Vec<Ref>,
    pub(super) nodes: Vec<u32>,
    /// By circuit.
    pub(super) circuits: Vec<u32>,
    /// By service and replica: unwell, and each soft dependency with what is left without it.
    pub(super) replicas: Vec<Vec<Fitness>>,
}

impl Traffic {
    pub(super) fn new(topology: &Topology, compiled: &Compiled, net: &Net) -> Self {
        let mut made = Maker {
            topology,
            numbers: BTreeMap::new(),
            routes: BTreeMap::new(),
            list: Vec::new(),
            outputs: Vec::new(),
        };
        for unit in &compiled.units {
            // Units come first, each in its place, though two may be equal.
            made.numbers
                .entry(unit.fails)
                .or_insert(made.outputs.len() as u32);
            made.outputs.push(unit.fails);
        }
        let peaks: Vec<u64> = (0..topology.populations.len())
            .map(|p| demand::peak(topology, p.into()))
            .collect();
        let asks = compiled
            .units
            .iter()
            .map(|u| made.asks(u, &peaks))
            .collect();
        let nodes = compiled.nodes.iter().map(|n| made.number(*n)).collect();
        let circuits = compiled.circuits.iter().flatten();
        let circuits = circuits.map(|c| made.number(*c)).collect();
        let replicas = compiled.replicas.iter().map(|service| {
            let one = |health: &super::compile::Health| {
                let soft = health.softly.iter();
                let soft = soft.map(|(r, left)| (made.number(*r), u128::from(left.0)));
                (soft.collect::<Vec<_>>(), health.unwell)
            };
            let all: Vec<_> = service.iter().map(one).collect();
            let numbered = all.into_iter().map(|(soft, r)| (made.number(r), soft));
            numbered.collect()
        });
        let replicas = replicas.collect();
        let (limits, of_circuit, own) = limits(topology, net);
        let firsts_too = |s: &Service| asked_in_turn(s, false);
        let hard_only = |s: &Service| asked_in_turn(s, true);
        let of_service = reached(topology, &own, &firsts_too);
        let bounded_by = reached(topology, &own, &hard_only);
        Self {
            asks,
            routes: made.list,
            limits,
            of_circuit,
            of_service,
            bounded_by,
            outputs: made.outputs,
            nodes,
            circuits,
            replicas,
        }
    }

    /// Whether ways matter at all: something can be too small, or comes into service by itself.
    pub(super) fn needs_routes(&self, topology: &Topology) -> bool {
        let by_itself = |l: &assize_model::topology::Link| l.standby.is_some_and(|s| s.automatic);
        !self.limits.is_empty() || topology.links.iter().any(by_itself)
    }
}

struct Maker<'a> {
    topology: &'a Topology,
    numbers: BTreeMap<Ref, u32>,
    routes: BTreeMap<(NodeId, AccessId, NodeId, Vec<u16>), u32>,
    list: Vec<Route>,
    outputs: Vec<Ref>,
}

impl Maker<'_> {
    fn number(&mut self, node: Ref) -> u32 {
        let next = self.outputs.len() as u32;
        let number = *self.numbers.entry(node).or_insert(next);
        if number == next {
            self.outputs.push(node);
        }
        number
    }

    fn asks(&mut self, unit: &Unit, peaks: &[u64]) -> Asks {
        let topology = self.topology;
        let population = topology.population(unit.population);
        let journey = topology.journey(unit.journey);
        let node = topology.node(unit.node);
        let sites = if node.class {
            u128::from(node.count.max(1))
        } else {
            1
        };
        let users = population.at.iter().find(|a| a.0 == unit.node);
        let users = users.map_or(0, |a| a.1);
        let peak = peaks[unit.population.index()];
        let all = demand::attempts(topology, population, unit.journey, users, peak);
        // A unit of one shard is its part of the users.
        let part = u128::from(users) * super::USER / unit.weight.max(1);
        // Sites are alike: each counts as the busiest would, were they not.
        let one = all.div_ceil(part.max(1)).div_ceil(sites);
        let ways: Vec<WayAsks> = unit.ways.iter().map(|w| self.way(unit, w)).collect();
        let looked_at = ways.iter().flat_map(|w| {
            let replicas = w.calls.iter().flat_map(|c| c.replicas.iter().map(|r| r.0));
            replicas.chain([w.fails])
        });
        let mut outputs: Vec<u32> = looked_at.collect();
        outputs.sort_unstable();
        outputs.dedup();
        Asks {
            sites,
            weight: unit.weight,
            attempts: [one * sites, one],
            bits: u128::from(journey.sends.0 + journey.receives.0) * 8,
            ways,
            outputs,
        }
    }

    fn way(&mut self, unit: &Unit, way: &Way) -> WayAsks {
        let calls = way.calls.iter().map(|c| self.call(unit, way, c)).collect();
        WayAsks {
            fails: self.number(way.fails),
            calls,
        }
    }

    fn call(&mut self, unit: &Unit, way: &Way, call: &Call) -> CallAsks {
        let service = self.topology.service(call.service);
        let (order, spread) = looked_to(service, unit.shard);
        let replicas = order.into_iter().map(|r| {
            let route = self.route(unit.node, way.access, call.service.index(), r);
            (self.number(call.each[r]), route)
        });
        CallAsks {
            service: call.service.index(),
            times: u128::from(call.times),
            spread,
            replicas: replicas.collect(),
        }
    }

    fn route(&mut self, node: NodeId, access: AccessId, service: usize, replica: usize) -> u32 {
        let spec = &self.topology.services[service];
        let reach = spec.reach.iter().map(|n| n.0).collect();
        let key = (node, access, spec.replicas[replica].at, reach);
        let list = &mut self.list;
        *self.routes.entry(key).or_insert_with(|| {
            list.push(Route {
                node,
                access,
                service,
                replica,
            });
            list.len() as u32 - 1
        })
    }
}

/// The replicas of a service that users may be sent to, in order, and whether they are spread
/// over them.
fn looked_to(service: &Service, shard: u32) -> (Vec<usize>, bool) {
    let n = service.replicas.len();
    let home = service.replicas.iter().position(|r| r.primary).unwrap_or(0);
    match service.mode {
        Mode::Single => (vec![home], false),
        Mode::Sharded => (vec![(shard % service.shards.max(1)) as usize % n], false),
        Mode::ActiveActive => ((0..n).collect(), true),
        Mode::ActiveStandby if service.failover.is_none() => (vec![home], false),
        Mode::ActiveStandby | Mode::Quorum => {
            let others = (0..n).filter(|r| *r != home);
            (std::iter::once(home).chain(others).collect(), false)
        }
    }
}

type Limits = (Vec<Limit>, Vec<Option<u32>>, Vec<Option<u32>>);

fn limits(topology: &Topology, net: &Net) -> Limits {
    let mut limits = Vec::new();
    let mut of_circuit = Vec::new();
    for circuit in &net.circuits {
        let node = topology.node(net.spots[circuit.near].node);
        let link = topology.link(circuit.link);
        let id = if link.from.len() == 1 {
            format!("link/{}", link.id)
        } else {
            format!("link/{}@{}", link.id, node.id)
        };
        of_circuit.push(circuit.bandwidth.map(|b| {
            limits.push(Limit::Circuit {
                id,
                sites: if node.class { node.count.into() } else { 1 },
                own: node.class,
                each: u128::from(b.0) * 1_000_000,
            });
            limits.len() as u32 - 1
        }));
    }
    let own = topology.services.iter().enumerate().map(|(index, s)| {
        let capacity = s.capacity?;
        let each = u128::from(capacity.micro) * 1_000_000_000 / (capacity.per.0.max(1) as u128);
        limits.push(Limit::Service { index, each });
        Some(limits.len() as u32 - 1)
    });
    let own = own.collect();
    (limits, of_circuit, own)
}

/// The services that one request to a service asks in turn, of a choice the first, as in `sim`;
/// or only those without which nothing works.
fn asked_in_turn(service: &Service, hard: bool) -> Vec<usize> {
    let depends = &service.depends;
    let all = depends.all_of.iter().filter(|d| !hard || d.soft.is_none());
    let firsts = depends.any_of.iter().filter_map(|c| c.first());
    let firsts = firsts.filter(|_| !hard);
    all.chain(firsts).map(|d| d.service.index()).collect()
}

type Needs<'a> = &'a dyn Fn(&Service) -> Vec<usize>;
type Counts = BTreeMap<u32, u128>;

/// By service, the limits of itself and of all that it needs, with how often it needs each.
fn reached(topology: &Topology, own: &[Option<u32>], needs: Needs<'_>) -> Vec<Vec<(u32, u128)>> {
    let mut known = vec![None; topology.services.len()];
    for service in 0..known.len() {
        reach(topology, own, needs, service, &mut known);
    }
    let lists = known.into_iter().map(Option::unwrap_or_default);
    lists.map(|counts| counts.into_iter().collect()).collect()
}

fn reach(
    topology: &Topology,
    own: &[Option<u32>],
    needs: Needs<'_>,
    service: usize,
    known: &mut [Option<Counts>],
) {
    if known[service].is_some() {
        return;
    }
    // What needs itself, softly, must not keep us here.
    known[service] = Some(Counts::new());
    let mut counts: Counts = own[service].iter().map(|limit| (*limit, 1)).collect();
    for target in needs(&topology.services[service]) {
        reach(topology, own, needs, target, known);
        for (limit, times) in known[target].iter().flatten() {
            let sum = counts.entry(*limit).or_default();
            *sum = sum.saturating_add(*times).min(1 << 32);
        }
    }
    known[service] = Some(counts);
}
