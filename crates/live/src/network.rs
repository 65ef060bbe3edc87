//! The network between flows' ends: what faults and routing make of each path now.

use crate::flows::{Door, End, FlowKey, Flows, OnWire, Origin};
use assize_fault::Nanos;
use assize_model::faults::{Effect, How};
use assize_model::journal::Decision;
use assize_model::scenario::Target;
use assize_model::{NodeId, Plan, ServiceId};

/// The network of a run.
#[derive(Debug)]
pub(crate) struct Network<'a> {
    plan: &'a Plan<'a>,
    keys: Vec<FlowKey>,
    down: Vec<Vec<(usize, How)>>,
    /// By flow: fault, from, to.
    blamed: Vec<Vec<(usize, Nanos, Nanos)>>,
}

impl<'a> Network<'a> {
    pub(crate) fn new(plan: &'a Plan<'a>, flows: &Flows) -> Self {
        let keys: Vec<FlowKey> = flows.all().iter().map(|f| f.key).collect();
        Self {
            plan,
            down: vec![Vec::new(); plan.topology.nodes.len()],
            blamed: vec![Vec::new(); keys.len()],
            keys,
        }
    }
    pub(crate) fn next_wake(&self) -> Option<Nanos> {
        None
    }
    pub(crate) fn on_wake(&mut self, _at: Nanos) -> Vec<Decision> {
        Vec::new()
    }
    pub(crate) fn on_fault(&mut self, _now: Nanos, fault: usize, targets: &[Target], on: bool) {
        for effect in &self.plan.scenario.faults[fault].effects {
            for target in targets {
                if let (Effect::Down(how), Target::Node(node, _)) = (effect, target) {
                    let down = &mut self.down[node.index()];
                    if on {
                        down.push((fault, how.unwrap_or(How::BlackHole)));
                    } else {
                        down.retain(|d| d.0 != fault);
                    }
                }
            }
        }
    }
    pub(crate) fn activate(&mut self, _at: Nanos, _targets: &[Target], _wanted: bool) -> bool {
        false
    }
    pub(crate) fn heal(&mut self) {
        self.down.iter_mut().for_each(Vec::clear);
    }
    pub(crate) fn refresh(&mut self, now: Nanos) {
        for flow in 0..self.keys.len() {
            let faults: Vec<usize> = self.stops(flow).map(|d| d.0).collect();
            for blamed in &mut self.blamed[flow] {
                if blamed.2.is_never() && !faults.contains(&blamed.0) {
                    blamed.2 = now;
                }
            }
            for fault in faults {
                if !self.blamed[flow]
                    .iter()
                    .any(|b| b.0 == fault && b.2.is_never())
                {
                    self.blamed[flow].push((fault, now, Nanos::NEVER));
                }
            }
        }
    }
    fn node_of(&self, service: ServiceId, replica: u16) -> NodeId {
        self.plan.topology.service(service).replicas[usize::from(replica)].at
    }
    fn stops(&self, flow: usize) -> impl Iterator<Item = &(usize, How)> {
        let key = self.keys[flow];
        let from = match key.origin {
            Origin::Replica(s, r) => Some(self.node_of(s, r)),
            Origin::Checker(n) => Some(n),
            _ => None,
        };
        let to = match key.end {
            End::Replica(s, r) => self.node_of(s, r),
            End::Vault(n) => n,
        };
        from.into_iter()
            .chain([to])
            .flat_map(|n| &self.down[n.index()])
    }
    pub(crate) fn on_wire(&self, flow: usize, _now: Nanos) -> OnWire {
        let mut on = OnWire::default();
        if let Some((_, how)) = self.stops(flow).next() {
            on.door = match how {
                How::Refuse => Door::Refuse,
                How::BlackHole => Door::BlackHole,
            };
        }
        on
    }
    pub(crate) fn works(&self, node: NodeId) -> bool {
        self.down[node.index()].is_empty()
    }
    pub(crate) fn joined(&self, a: (Origin, ServiceId, u16), b: (Origin, ServiceId, u16)) -> bool {
        [a, b].iter().all(|(origin, service, replica)| {
            let key = FlowKey {
                origin: *origin,
                end: End::Replica(*service, *replica),
            };
            let flow = self.keys.iter().position(|k| *k == key);
            flow.is_some_and(|f| self.stops(f).next().is_none())
        })
    }
    pub(crate) fn met(&self, flow: usize, began: Nanos, ended: Nanos, stopped: bool) -> Vec<usize> {
        if !stopped {
            return Vec::new();
        }
        let blamed = self.blamed[flow].iter();
        blamed
            .filter(|b| b.1 <= ended && began <= b.2)
            .map(|b| b.0)
            .collect()
    }
    pub(crate) fn was_blocked(&self, flow: usize, began: Nanos, ended: Nanos) -> bool {
        self.blamed[flow]
            .iter()
            .any(|b| b.1 <= began && ended <= b.2)
    }
}
