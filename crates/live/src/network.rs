//! The network between flows' ends: what the fabric makes of each flow's way now, and what stood
//! in its way in the past.

use crate::flows::{End, FlowKey, Origin};
use assize_control::fabric::{self, Condition, Fabric, Flow, Instance, Line, Quality, Stop};
use assize_control::wire::{self, FlowFaults, Lines, Scale};
use assize_fault::{Nanos, Order};
use assize_model::faults::How;
use assize_model::journal::Decision;
use assize_model::scenario::Target;
use assize_model::{AccessId, NodeId, Plan, ServiceId};
use std::collections::BTreeMap;

/// The network of a run.
#[derive(Debug)]
pub(crate) struct Network<'a> {
    plan: &'a Plan<'a>,
    fabric: Fabric<'a>,
    ways: Vec<Way>,
    /// By spot.
    places: Vec<Place>,
    lines: Lines,
}

/// The way of one flow.
#[derive(Debug)]
struct Way {
    key: FlowKey,
    /// For users: circuits that the first hop may use.
    first: Vec<usize>,
    /// Users at its origin.
    users: u64,
    condition: Condition,
    /// Standby links that it leads over now.
    standbys: Vec<String>,
    /// What was in the way, and when.
    met: Vec<Met>,
}

/// What was of a place lately.
#[derive(Clone, Copy, Debug)]
struct Place {
    out_since: Option<Nanos>,
    back_at: Nanos,
}

impl Place {
    const WELL: Self = Self {
        out_since: None,
        back_at: Nanos(-Nanos::NEVER.0),
    };
}

/// Something that was in the way of a flow.
#[derive(Clone, Copy, Debug)]
struct Met {
    /// `None`: no fault, such as a way back that is not found yet.
    fault: Option<usize>,
    /// Nothing passed; otherwise it was worse than usual.
    stopped: bool,
    from: Nanos,
    to: Nanos,
}

const fn perfect() -> Condition {
    Condition {
        stop: None,
        how: How::BlackHole,
        out: true,
        back: true,
        quality: Quality::PERFECT,
        lines: Vec::new(),
        faults: Vec::new(),
    }
}

impl<'a> Network<'a> {
    /// All well.
    pub(crate) fn new(plan: &'a Plan<'a>, flows: &[FlowKey]) -> Self {
        let fabric = Fabric::new(plan);
        let users = users_by_spot(plan);
        let way = |key: &FlowKey| {
            let (first, users) = match key.origin {
                Origin::Users { spot, access } => {
                    let users = users.get(&spot).copied();
                    (fabric.first_hops(spot, access), users.unwrap_or(0))
                }
                _ => (Vec::new(), 0),
            };
            Way {
                key: *key,
                first,
                users,
                condition: perfect(),
                standbys: Vec::new(),
                met: Vec::new(),
            }
        };
        let ways = flows.iter().map(way).collect();
        Self {
            plan,
            places: vec![Place::WELL; fabric.truth().spot_up.len()],
            fabric,
            ways,
            lines: Lines::default(),
        }
    }

    /// When something happens by itself.
    pub(crate) fn next_wake(&self) -> Option<Nanos> {
        self.fabric.next_wake()
    }

    /// Does what is due; returns what routing, or a redundant node, has decided.
    pub(crate) fn on_wake(&mut self, at: Nanos) -> Vec<Decision> {
        let mut decisions = Vec::new();
        self.fabric.on_wake(at, &mut decisions);
        decisions
    }

    /// A fault is on or off.
    pub(crate) fn on_fault(&mut self, now: Nanos, fault: usize, targets: &[Target], on: bool) {
        for effect in &self.plan.scenario.faults[fault].effects {
            self.fabric.on_fault(now, fault, *effect, targets, on);
        }
    }

    /// Standbys are wanted, or no longer; returns whether there are any among the targets.
    pub(crate) fn activate(&mut self, at: Nanos, targets: &[Target], wanted: bool) -> bool {
        self.fabric.activate(at, targets, wanted) > 0
    }

    /// All flows are as if nothing had ever been wrong, whatever routing believes.
    pub(crate) fn heal(&mut self, now: Nanos) {
        for way in &mut self.ways {
            way.condition = perfect();
            way.close(now);
        }
    }

    /// Looks at every way anew.
    pub(crate) fn refresh(&mut self, now: Nanos) {
        self.fabric.settle(now);
        self.note_places(now);
        let conditions: Vec<Condition> = self.ways.iter().map(|w| self.condition(w)).collect();
        let cut_off = |w: &Way| self.cut_off(w, &conditions);
        let beside: Vec<Option<Condition>> = self.ways.iter().map(cut_off).collect();
        for (i, (condition, beside)) in conditions.into_iter().zip(beside).enumerate() {
            let condition = beside.unwrap_or(condition);
            let standbys = if condition.stop.is_none() {
                self.standbys(&self.route(&self.ways[i]))
            } else {
                Vec::new()
            };
            let way = &mut self.ways[i];
            way.standbys = standbys;
            way.note(now, condition.stop.is_some(), &condition.faults);
            way.condition = condition;
        }
    }

    /// What is to be on the wire of a flow now.
    pub(crate) fn on_wire(&mut self, flow: usize, order: Order, scale: Scale) -> FlowFaults {
        wire::faults(&self.ways[flow].condition, order, scale, &mut self.lines)
    }

    /// Whether nothing passes over a flow now.
    pub(crate) fn is_stopped(&self, flow: usize) -> bool {
        self.ways[flow].condition.stop.is_some()
    }

    /// The lines of limited bandwidth that a flow leads over now; `None`: nothing passes.
    pub(crate) fn lines(&self, flow: usize) -> Option<Vec<Line>> {
        let condition = &self.ways[flow].condition;
        condition.stop.is_none().then(|| condition.lines.clone())
    }

    /// Whether a node works.
    pub(crate) fn works(&self, node: NodeId) -> bool {
        self.fabric.truth().spot_up[self.fabric.net().spot(node)]
    }

    /// Whether a node works and did so at an instant not long ago.
    pub(crate) fn works_since(&self, node: NodeId, at: Nanos) -> bool {
        let place = &self.places[self.fabric.net().spot(node)];
        place.out_since.is_none() && at >= place.back_at
    }

    /// Remembers since when places are out, or back.
    fn note_places(&mut self, now: Nanos) {
        for (place, &up) in self.places.iter_mut().zip(&self.fabric.truth().spot_up) {
            match (place.out_since, up) {
                (None, false) => place.out_since = Some(now),
                (Some(_), true) => {
                    place.out_since = None;
                    place.back_at = now;
                }
                _ => {}
            }
        }
    }

    /// Whether packets pass between two replicas.
    pub(crate) fn joined(&self, service: ServiceId, a: u16, b: u16) -> bool {
        let at = |r: u16| Instance::new(service.index(), usize::from(r));
        let whole = |i: Instance| self.works(self.fabric.at(i));
        whole(at(a)) && whole(at(b)) && self.fabric.meet(at(a), at(b))
    }

    /// The faults that a call in this span met: those that stopped it, or those that it passed.
    pub(crate) fn met(&self, flow: usize, began: Nanos, ended: Nanos, failed: bool) -> Vec<usize> {
        let met = self.ways[flow].met.iter();
        met.filter(|m| m.from <= ended && began <= m.to && (failed || !m.stopped))
            .filter_map(|m| m.fault)
            .collect()
    }

    /// Whether nothing could pass for the whole of a span, `after` included: what was on its way
    /// before, and the time that it takes to change many proxies.
    pub(crate) fn was_blocked(
        &self,
        flow: usize,
        (began, ended): (Nanos, Nanos),
        after: Nanos,
    ) -> bool {
        let mut met = self.ways[flow].met.iter();
        met.any(|m| m.stopped && m.from + after < began && ended < m.to)
    }

    /// The standby links that a flow leads over now, as selectors.
    pub(crate) fn standbys_of(&self, flow: usize) -> &[String] {
        &self.ways[flow].standbys
    }

    fn condition(&self, way: &Way) -> Condition {
        if let Some(flow) = flow(way) {
            return self.fabric.condition(flow);
        }
        // From beside: only the place itself is between.
        let Some((s, r)) = way.key.beside() else {
            return perfect();
        };
        let at = self.fabric.at(Instance::new(s.index(), usize::from(r)));
        if self.works(at) {
            return perfect();
        }
        self.stopped(Stop::Spot(self.fabric.net().spot(at)))
    }

    fn stopped(&self, stop: Stop) -> Condition {
        Condition {
            stop: Some(stop),
            how: self.fabric.how(stop),
            out: false,
            back: false,
            faults: self.fabric.faults_of(stop),
            ..perfect()
        }
    }

    /// A check from beside the clients finds nothing where most of them are cut off from the
    /// replica; a way that does not lead there by design, or a place that is cut off from all
    /// replicas, says nothing about this one.
    fn cut_off(&self, way: &Way, conditions: &[Condition]) -> Option<Condition> {
        let (service, replica) = way.key.beside()?;
        let (mut users, mut without, mut first) = (0, 0, None);
        for (other, condition) in self.ways.iter().zip(conditions) {
            if other.key.end.replica() != Some((service, replica)) || other.users == 0 {
                continue;
            }
            match condition.stop {
                None => users += other.users,
                Some(_)
                    if condition.faults.is_empty()
                        || self.reaches_none(other, service, conditions) => {}
                Some(stop) => {
                    users += other.users;
                    without += other.users;
                    first = first.or(Some(stop));
                }
            }
        }
        if users > 0 {
            return first
                .filter(|_| without * 2 > users)
                .map(|s| self.stopped(s));
        }
        let state = self.fabric.replica(service.index(), usize::from(replica));
        let isolated = Stop::Isolated(service.0, replica);
        (!state.isolated.is_empty()).then(|| self.stopped(isolated))
    }

    fn reaches_none(&self, from: &Way, service: ServiceId, conditions: &[Condition]) -> bool {
        let to_it = |k: &FlowKey| matches!(k.end, End::Replica(s, _) if s == service);
        let others = self.ways.iter().zip(conditions);
        others
            .filter(|(w, _)| w.key.origin == from.key.origin && to_it(&w.key))
            .all(|(_, condition)| condition.stop.is_some())
    }

    fn route(&self, way: &Way) -> Vec<usize> {
        match flow(way) {
            Some(Flow::Users(from, to)) => self.fabric.route_of_users(from, to),
            Some(Flow::Node(from, to)) => self.fabric.route_to_replica(from, to),
            Some(Flow::Between(from, to)) => self.fabric.route_to_replica(self.fabric.at(from), to),
            Some(Flow::Vault(from, vault)) => self.fabric.route_to_replica(vault, from),
            None => Vec::new(),
        }
    }

    fn standbys(&self, route: &[usize]) -> Vec<String> {
        let net = self.fabric.net();
        let standby = route.iter().filter(|c| net.circuits[**c].standby.is_some());
        let mut links: Vec<String> = standby
            .map(|c| format!("link/{}", self.plan.topology.link(net.circuits[*c].link).id))
            .collect();
        links.dedup();
        links
    }
}

impl Way {
    /// Opens and closes spans.
    fn note(&mut self, now: Nanos, stopped: bool, faults: &[usize]) {
        let mut new: Vec<Option<usize>> = faults.iter().copied().map(Some).collect();
        if stopped && new.is_empty() {
            new.push(None);
        }
        for met in self.met.iter_mut().filter(|m| m.to.is_never()) {
            let same = new
                .iter()
                .position(|f| *f == met.fault && met.stopped == stopped);
            match same {
                Some(at) => {
                    new.swap_remove(at);
                }
                None => met.to = now,
            }
        }
        self.met.extend(new.into_iter().map(|fault| Met {
            fault,
            stopped,
            from: now,
            to: Nanos::NEVER,
        }));
    }

    fn close(&mut self, now: Nanos) {
        self.note(now, false, &[]);
    }
}

/// A flow as the fabric knows it; none from beside.
fn flow(way: &Way) -> Option<Flow<'_>> {
    let of = |s: ServiceId, r: u16| Instance::new(s.index(), usize::from(r));
    Some(match (way.key.origin, way.key.end) {
        (Origin::Users { spot, access }, End::Replica(s, r)) => {
            Flow::Users(origin(spot, access, &way.first), of(s, r))
        }
        (Origin::Replica(a, b), End::Replica(s, r)) => Flow::Between(of(a, b), of(s, r)),
        (Origin::Checker(node), End::Replica(s, r) | End::Machine(s, r)) => {
            Flow::Node(node, of(s, r))
        }
        (Origin::Replica(a, b), End::Vault(node)) => Flow::Vault(of(a, b), node),
        (Origin::Beside, _) | (_, End::Machine(..) | End::Vault(_) | End::Peer(..)) => return None,
    })
}

const fn origin(spot: usize, access: AccessId, first: &[usize]) -> fabric::Origin<'_> {
    fabric::Origin {
        spot,
        access,
        first,
    }
}

fn users_by_spot(plan: &Plan<'_>) -> BTreeMap<usize, u64> {
    let mut users = BTreeMap::new();
    for (index, cell) in plan.cells.iter().enumerate() {
        *users.entry(crate::probe::spot_of(plan, index)).or_default() += cell.users;
    }
    users
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_model::file::{LoadOptions, MemorySource, load_scenario};

    #[test]
    fn a_replica_that_is_cut_off_does_not_reach_its_control_plane_and_others_do() {
        let text = "assize: scenario/v1
topology:
  services:
    db: {driver: tcp, replicas: {a: 'h:1', b: 'h:2'}, failover: external, peers: ['etcd:2379']}
  journeys: {use: {calls: [db]}}
timeline: [{id: cut, at: 0s, fault: isolate, target: service/db/a, for: 9s}]
";
        let files = MemorySource::new([("s.yaml", text)]);
        let read = load_scenario(&files, "s.yaml".as_ref(), &LoadOptions::default());
        let (topology, scenario, _) = read.unwrap_or_else(|p| panic!("{p}"));
        let plan = Plan::new(&topology, &scenario, 0);
        let keys: Vec<FlowKey> = crate::realise::flow_keys(&plan).into_iter().collect();
        let to_peer = |r: u16| {
            let key = FlowKey {
                origin: Origin::Replica(ServiceId(0), r),
                end: End::Peer(ServiceId(0), 0),
            };
            keys.iter().position(|k| *k == key).expect("a flow")
        };
        let mut network = Network::new(&plan, &keys);
        let stopped = |network: &Network<'_>| [0, 1].map(|r| network.is_stopped(to_peer(r)));
        let targets = &scenario.faults[0].targets;
        for (at, on, expected) in [(0, true, [true, false]), (9, false, [false, false])] {
            network.on_fault(Nanos::secs(at), 0, targets, on);
            network.refresh(Nanos::secs(at));
            assert_eq!(stopped(&network), expected, "at {at} s");
        }
    }
}
