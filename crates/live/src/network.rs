//! The network between flows' ends: what the fabric makes of each flow's way now, and what stood
//! in its way in the past.

use crate::flows::{End, Flow, FlowKey, Flows, OnWire, Origin};
use assize_control::fabric::{self, Fabric, Instance, Leg, Quality, Stop};
use assize_fault::Nanos;
use assize_model::journal::Decision;
use assize_model::scenario::Target;
use assize_model::{AccessId, NodeId, Plan, ServiceId};

/// The network of a run.
#[derive(Debug)]
pub(crate) struct Network<'a> {
    plan: &'a Plan<'a>,
    fabric: Fabric<'a>,
    ways: Vec<Way>,
}

/// The way of one flow.
#[derive(Debug)]
struct Way {
    key: FlowKey,
    /// For users: circuits that the first hop may use.
    first: Vec<usize>,
    /// Users at its origin.
    users: u64,
    leg: Leg,
    /// Standby links that it leads over now.
    standbys: Vec<String>,
    /// What stopped it: fault, from, to. Without a fault: `None`.
    stopped: Vec<(Option<usize>, Nanos, Nanos)>,
    /// Faults that made it worse: fault, from, to.
    worse: Vec<(usize, Nanos, Nanos)>,
}

const PERFECT: Leg = Leg {
    stop: None,
    quality: Quality::PERFECT,
};

impl<'a> Network<'a> {
    /// All well.
    pub(crate) fn new(plan: &'a Plan<'a>, flows: &Flows) -> Self {
        let fabric = Fabric::new(plan);
        let way = |flow: &Flow| {
            let (first, users) = match flow.key.origin {
                Origin::Users { spot, access } => {
                    (fabric.first_hops(spot, access), users_at(plan, spot))
                }
                _ => (Vec::new(), 0),
            };
            Way {
                key: flow.key,
                first,
                users,
                leg: PERFECT,
                standbys: Vec::new(),
                stopped: Vec::new(),
                worse: Vec::new(),
            }
        };
        let ways = flows.all().iter().map(way).collect();
        Self { plan, fabric, ways }
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
            way.leg = PERFECT;
            way.close(now);
        }
    }

    /// Looks at every way anew.
    pub(crate) fn refresh(&mut self, now: Nanos) {
        self.fabric.settle(now);
        let legs: Vec<Leg> = self.ways.iter().map(|w| self.leg(w)).collect();
        let beside: Vec<Option<Stop>> = self.ways.iter().map(|w| self.cut_off(w, &legs)).collect();
        for (i, mut leg) in legs.into_iter().enumerate() {
            leg.stop = leg.stop.or(beside[i]);
            let faults = leg.stop.map_or_else(Vec::new, |s| self.fabric.faults_of(s));
            let route = if leg.stop.is_none() {
                self.route(&self.ways[i])
            } else {
                Vec::new()
            };
            let worse = self.worse(&self.ways[i], &route);
            let standbys = self.standbys(&route);
            let way = &mut self.ways[i];
            way.leg = leg;
            way.standbys = standbys;
            way.note(now, leg.stop.is_some(), &faults, &worse);
        }
    }

    /// What is to be on the wire of a flow now.
    pub(crate) fn on_wire(&self, flow: usize, pace: u32) -> OnWire {
        let leg = self.ways[flow].leg;
        OnWire::of(leg.stop.map(|s| self.fabric.how(s)), &leg.quality, pace)
    }

    /// Whether a node works.
    pub(crate) fn works(&self, node: NodeId) -> bool {
        self.fabric.truth().spot_up[self.fabric.net().spot(node)]
    }

    /// Whether packets pass between two replicas.
    pub(crate) fn joined(&self, service: ServiceId, a: u16, b: u16) -> bool {
        let at = |r: u16| Instance::new(service.index(), usize::from(r));
        let whole = |i: Instance| self.works(self.fabric.at(i));
        whole(at(a)) && whole(at(b)) && self.fabric.meet(at(a), at(b))
    }

    /// The faults that a call in this span met: those that stopped it, or those that it passed.
    pub(crate) fn met(&self, flow: usize, began: Nanos, ended: Nanos, stopped: bool) -> Vec<usize> {
        let way = &self.ways[flow];
        let during = |from: Nanos, to: Nanos| from <= ended && began <= to;
        let mut faults: Vec<usize> = way
            .worse
            .iter()
            .filter(|w| during(w.1, w.2))
            .map(|w| w.0)
            .collect();
        if stopped {
            let stops = way.stopped.iter().filter(|s| during(s.1, s.2));
            faults.extend(stops.filter_map(|s| s.0));
        }
        faults
    }

    /// Whether nothing could pass for the whole of a span.
    pub(crate) fn was_blocked(&self, flow: usize, began: Nanos, ended: Nanos) -> bool {
        let stopped = &self.ways[flow].stopped;
        stopped.iter().any(|s| s.1 < began && ended < s.2)
    }

    /// The standby links that a flow leads over now, as selectors.
    pub(crate) fn standbys_of(&self, flow: usize) -> &[String] {
        &self.ways[flow].standbys
    }

    fn leg(&self, way: &Way) -> Leg {
        let of = |s: ServiceId, r: u16| Instance::new(s.index(), usize::from(r));
        match (way.key.origin, way.key.end) {
            (Origin::Users { spot, access }, End::Replica(s, r)) => {
                let from = origin(spot, access, &way.first);
                self.fabric.leg_of_users(from, of(s, r))
            }
            (Origin::Replica(a, b), End::Replica(s, r)) => {
                self.fabric.leg_between(of(a, b), of(s, r))
            }
            (Origin::Checker(node), End::Replica(s, r)) => {
                self.fabric.leg_to_replica(node, of(s, r))
            }
            (Origin::Replica(a, b), End::Vault(node)) => self.fabric.leg_to_vault(of(a, b), node),
            (Origin::Beside, End::Replica(s, r)) => {
                let spot = self.fabric.net().spot(self.fabric.at(of(s, r)));
                let up = self.fabric.truth().spot_up[spot];
                if up {
                    PERFECT
                } else {
                    Leg::stopped(Stop::Spot(spot))
                }
            }
            (_, End::Vault(_)) => PERFECT,
        }
    }

    /// A check from beside the clients finds nothing where most of them are cut off from the
    /// replica; a way that does not lead there by design, or a place that is cut off from all
    /// replicas, says nothing about this one.
    fn cut_off(&self, way: &Way, legs: &[Leg]) -> Option<Stop> {
        let (Origin::Beside, End::Replica(service, replica)) = (way.key.origin, way.key.end) else {
            return None;
        };
        let (mut users, mut without, mut first) = (0, 0, None);
        for (other, leg) in self.ways.iter().zip(legs) {
            if other.key.end != way.key.end || other.users == 0 {
                continue;
            }
            match leg.stop {
                None => users += other.users,
                Some(stop)
                    if self.fabric.faults_of(stop).is_empty()
                        || self.reaches_none(other, service, legs) => {}
                Some(stop) => {
                    users += other.users;
                    without += other.users;
                    first = first.or(Some(stop));
                }
            }
        }
        if users > 0 {
            return first.filter(|_| without * 2 > users);
        }
        let state = self.fabric.replica(service.index(), usize::from(replica));
        let isolated = Stop::Isolated(service.0, replica);
        (!state.isolated.is_empty()).then_some(isolated)
    }

    fn reaches_none(&self, from: &Way, service: ServiceId, legs: &[Leg]) -> bool {
        let to_it = |k: &FlowKey| matches!(k.end, End::Replica(s, _) if s == service);
        let others = self.ways.iter().zip(legs);
        others
            .filter(|(w, _)| w.key.origin == from.key.origin && to_it(&w.key))
            .all(|(_, leg)| leg.stop.is_some())
    }

    fn route(&self, way: &Way) -> Vec<usize> {
        let of = |s: ServiceId, r: u16| Instance::new(s.index(), usize::from(r));
        match (way.key.origin, way.key.end) {
            (Origin::Users { spot, access }, End::Replica(s, r)) => {
                let from = origin(spot, access, &way.first);
                self.fabric.route_of_users(from, of(s, r))
            }
            (Origin::Replica(a, b), End::Replica(s, r)) => self
                .fabric
                .route_to_replica(self.fabric.at(of(a, b)), of(s, r)),
            (Origin::Checker(node), End::Replica(s, r)) => {
                self.fabric.route_to_replica(node, of(s, r))
            }
            (Origin::Replica(a, b), End::Vault(node)) => {
                self.fabric.route_to_replica(node, of(a, b))
            }
            _ => Vec::new(),
        }
    }

    /// The faults that make a way worse.
    fn worse(&self, way: &Way, route: &[usize]) -> Vec<usize> {
        let mut faults = Vec::new();
        let net = self.fabric.net();
        let mut at = |spot: usize| {
            let state = self.fabric.spot(spot);
            faults.extend(state.degrade.iter().map(|d| d.0));
        };
        for &circuit in route {
            at(net.circuits[circuit].near);
            at(net.spot(net.circuits[circuit].far));
        }
        if let Origin::Users { spot, .. } = way.key.origin {
            at(spot);
            let parts = self.fabric.spot(spot).part_degrade.iter().flatten();
            faults.extend(parts.map(|d| d.0));
        }
        for &circuit in route {
            faults.extend(self.fabric.circuit(circuit).degrade.iter().map(|d| d.0));
        }
        if let End::Replica(s, r) = way.key.end {
            let state = self.fabric.replica(s.index(), usize::from(r));
            faults.extend(state.degrade.iter().map(|d| d.0));
        }
        faults.sort_unstable();
        faults.dedup();
        faults
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
    fn note(&mut self, now: Nanos, stopped: bool, faults: &[usize], worse: &[usize]) {
        for span in &mut self.stopped {
            let goes_on = match span.0 {
                None => stopped && faults.is_empty(),
                Some(fault) => faults.contains(&fault),
            };
            if span.2.is_never() && !goes_on {
                span.2 = now;
            }
        }
        let open = |list: &[(Option<usize>, Nanos, Nanos)], fault: Option<usize>| {
            list.iter().any(|s| s.0 == fault && s.2.is_never())
        };
        if stopped && faults.is_empty() && !open(&self.stopped, None) {
            self.stopped.push((None, now, Nanos::NEVER));
        }
        for &fault in faults {
            if !open(&self.stopped, Some(fault)) {
                self.stopped.push((Some(fault), now, Nanos::NEVER));
            }
        }
        for span in &mut self.worse {
            if span.2.is_never() && !worse.contains(&span.0) {
                span.2 = now;
            }
        }
        for &fault in worse {
            if !self.worse.iter().any(|s| s.0 == fault && s.2.is_never()) {
                self.worse.push((fault, now, Nanos::NEVER));
            }
        }
    }

    fn close(&mut self, now: Nanos) {
        self.note(now, false, &[], &[]);
    }
}

const fn origin(spot: usize, access: AccessId, first: &[usize]) -> fabric::Origin<'_> {
    fabric::Origin {
        spot,
        access,
        first,
    }
}

fn users_at(plan: &Plan<'_>, spot: usize) -> u64 {
    let cells = 0..plan.cells.len();
    let here = cells.filter(|c| crate::probe::spot_of(plan, *c) == spot);
    here.map(|c| plan.cells[c].users).sum()
}
