//! Cuts that a real system which fails over by itself never saw: what its replicas say to each
//! other, or to their own control plane, goes round the proxies of the run.
//!
//! Such a fault keeps clients out and puts the failover to no test, so what rests on the service
//! is no figure of it.

use super::Director;
use crate::flows::{End, FlowKey, Origin};
use crate::realise::peers_of;
use assize_control::wire::FlowFaults;
use assize_fault::Nanos;
use assize_model::binding::Realisation;
use assize_model::observation::Observation;
use assize_model::topology::{Mode, Service};
use assize_model::{Plan, ServiceId};
use std::collections::BTreeSet;

/// Which faults a system should have seen, by its service: those that cut its replicas off from
/// each other, and those that the proxies alone carry out.
pub(super) struct Unseen {
    /// By service, whether its replicas decide among themselves who serves.
    decides: Vec<bool>,
    faults: BTreeSet<(usize, usize)>,
}

impl Unseen {
    pub(super) fn new(plan: &Plan<'_>) -> Self {
        let decides = |service: &Service| {
            let external = service.failover.as_ref().is_some_and(|f| f.external);
            let real = matches!(service.realised, Realisation::Bound(_));
            let one_writer = matches!(service.mode, Mode::ActiveStandby | Mode::Quorum);
            external && real && one_writer && service.replicas.len() > 1
        };
        Self {
            decides: plan.topology.services.iter().map(decides).collect(),
            faults: BTreeSet::new(),
        }
    }

    /// A system should see this fault.
    pub(super) fn note(&mut self, fault: usize, service: usize) {
        if self.decides[service] {
            self.faults.insert((service, fault));
        }
    }
}

/// The service whose replicas speak among themselves, or to their own control plane, over a flow.
fn spoken_by(key: FlowKey) -> Option<ServiceId> {
    match (key.origin, key.end) {
        (Origin::Replica(a, _), End::Replica(b, _) | End::Peer(b, _)) if a == b => Some(a),
        _ => None,
    }
}

impl Director<'_> {
    /// What goes on the wire now may be meant for a system to see.
    pub(super) fn note_cuts(&mut self, now: Nanos, todo: &[(usize, FlowFaults)]) {
        for (flow, _) in todo.iter().filter(|(_, on)| on.is_stopped()) {
            let Some(service) = spoken_by(self.world.flows.get(*flow).key) else {
                continue;
            };
            for fault in self.network.met(*flow, now, now, true) {
                self.unseen.note(fault, service.index());
            }
        }
    }

    /// Names, when all is over, what no system can have seen.
    pub(super) fn say_unseen(&mut self) {
        let at = self.now();
        for (service, fault) in std::mem::take(&mut self.unseen.faults) {
            let spec = &self.plan.topology.services[service];
            let to_peers = !peers_of(spec).is_empty();
            // Who has a control plane of its own decides there.
            let decides_over = |key: FlowKey| {
                spoken_by(key) == Some(ServiceId::from(service))
                    && matches!(key.end, End::Peer(..)) == to_peers
            };
            let mut flows = self.world.flows.all().iter();
            if flows.any(|flow| decides_over(flow.key) && flow.was_used()) {
                continue;
            }
            let fault = &self.plan.scenario.faults[fault].id;
            let whom = if to_peers {
                "its `peers`"
            } else {
                "each other"
            };
            let what = format!(
                "what its replicas say to {whom} never passed the proxies of the run, so the system \
                 itself cannot have seen `{fault}`"
            );
            self.say(Observation::Bypassed { at, service, what });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_model::file::{LoadOptions, MemorySource, load_scenario};

    #[test]
    fn only_a_real_system_that_elects_one_of_several_must_see_a_cut() {
        let text = "assize: scenario/v1
topology:
  services:
    elects: {driver: tcp, mode: active-standby, replicas: {a: 'h:1', b: 'h:2'}, failover: external}
    all-serve: {driver: tcp, replicas: {a: 'h:3', b: 'h:4'}, failover: external}
    ours: {driver: tcp, mode: active-standby, replicas: {a: 'h:5', b: 'h:6'}, failover: {promote: 1s}}
    stand-in: {mode: active-standby, replicas: {a: {}, b: {}}, failover: external}
timeline: [{id: cut, at: 0s, fault: isolate, target: service/elects/a, for: 9s}]
";
        let files = MemorySource::new([("s.yaml", text)]);
        let read = load_scenario(&files, "s.yaml".as_ref(), &LoadOptions::default());
        let (topology, scenario, _) = read.unwrap_or_else(|p| panic!("{p}"));
        let mut unseen = Unseen::new(&Plan::new(&topology, &scenario, 0));
        for service in 0..4 {
            unseen.note(0, service);
        }
        assert_eq!(unseen.faults, BTreeSet::from([(0, 0)]));
    }
}
