//! What the network's state puts on the proxies, and that nothing is left there in the end.

use super::Director;
use super::faults::at_proxies;
use crate::flows::{End, HANDS_AT_ONCE, Origin};
use crate::world::World;
use assize_control::wire::FlowFaults;
use assize_fault::Nanos;
use assize_model::journal::DecisionKind;
use assize_model::observation::Observation;
use std::sync::Arc;

/// Does what makes the thread wait; the runtime goes on meanwhile if it has other threads.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match tokio::runtime::Handle::current().runtime_flavor() {
        tokio::runtime::RuntimeFlavor::CurrentThread => work(),
        _ => tokio::task::block_in_place(work),
    }
}

/// Puts what is to be on flows there, many at a time: each waits for the proxies' threads, and a
/// fault of a data centre changes hundreds at one instant. Returns what could not be done.
fn put_at_once(world: &World, todo: &[(usize, FlowFaults)]) -> Vec<String> {
    let put = |(flow, on): &(usize, FlowFaults)| {
        let flow = world.flows.get(*flow);
        let outcome = flow.put(on.clone());
        outcome.err().map(|e| format!("{}: {e}", flow.name))
    };
    let each = todo.len().div_ceil(HANDS_AT_ONCE).max(4);
    if todo.len() <= each {
        return todo.iter().filter_map(put).collect();
    }
    std::thread::scope(|scope| {
        let hands: Vec<_> = todo
            .chunks(each)
            .map(|some| scope.spawn(move || some.iter().filter_map(put).collect::<Vec<_>>()))
            .collect();
        let lists = hands.into_iter().map(|hand| match hand.join() {
            Ok(failed) => failed,
            Err(_) => vec!["a thread that changes proxies has panicked".into()],
        });
        lists.flatten().collect()
    })
}

impl Director<'_> {
    /// Puts on every flow what its path and its end make of it.
    pub(super) fn put_all(&mut self) {
        let now = self.now();
        if !self.healed {
            self.network.refresh(now);
        }
        let world = Arc::clone(&self.world);
        let scale = world.scale();
        let mut todo = Vec::new();
        for (i, flow) in world.flows.all().iter().enumerate() {
            let mut on = self.network.on_wire(i, flow.order(), scale);
            self.overlay(i, &mut on, now);
            if flow.differs(&on) {
                todo.push((i, on));
            }
        }
        self.met_in_use(now, &todo);
        self.note_cuts(now, &todo);
        let failed = aside(|| put_at_once(&world, &todo));
        for text in failed {
            self.note(format!("the harness: {text}"));
        }
        if !self.healed {
            self.network_changed();
        }
    }

    /// A connection between replicas that is open when its way changes meets what changes it: of
    /// a real system's replication nothing else is seen.
    fn met_in_use(&mut self, now: Nanos, todo: &[(usize, FlowFaults)]) {
        let world = Arc::clone(&self.world);
        for (i, on) in todo {
            let flow = world.flows.get(*i);
            let between = matches!(flow.key.origin, Origin::Replica(..));
            if !between || self.healed || !flow.is_in_use() {
                continue;
            }
            for fault in self.network.met(*i, now, now, on.is_stopped()) {
                self.bite(fault, &format!("the open connection {} met it", flow.name));
            }
        }
    }

    /// What a replica cannot do to itself is done on the way to it.
    fn overlay(&self, flow: usize, on: &mut FlowFaults, now: Nanos) {
        let End::Replica(service, replica) = self.world.flows.get(flow).key.end else {
            return;
        };
        let Some(to) = self.world.replica(service, replica) else {
            return;
        };
        if !to.is_real() {
            return;
        }
        let state = &self.services[service.index()].replicas[usize::from(replica)];
        let active = state.effects.iter().filter(|e| e.2 <= now && now < e.3);
        for how in active.filter_map(|e| at_proxies(e.1)) {
            *on = FlowFaults::stopped(how, self.world.flows.get(flow).order());
        }
    }

    pub(super) fn on_network(&mut self, at: Nanos) {
        for decision in self.network.on_wake(at) {
            for &fault in &decision.faults {
                if matches!(
                    decision.kind,
                    DecisionKind::RouteDown | DecisionKind::Activated
                ) {
                    self.bite(fault, "a routing decision met it");
                }
            }
            if decision.kind == DecisionKind::Activated && decision.subject.starts_with("node/") {
                let element = decision.subject.clone();
                self.say(Observation::Exercised { element });
            }
            self.say(Observation::Decided(decision));
        }
        self.dirty = true;
    }

    /// Lifts every fault, and checks that none is left on the wire.
    pub(crate) fn lift_all(&mut self) {
        for fault in 0..self.faults.len() {
            self.faults[fault].turn = None;
            self.toggle(fault, false);
        }
        self.network.heal(self.now());
        self.healed = true;
        self.dirty = true;
        self.settle();
    }

    /// What could not be lifted, in words; asked when all is over.
    pub(crate) fn what_is_left(&mut self) -> Vec<String> {
        let mut left = std::mem::take(&mut self.left);
        for (i, state) in self.faults.iter().enumerate() {
            if state.under_way > 0 {
                let id = &self.plan.scenario.faults[i].id;
                left.push(format!("`{id}` is still being lifted"));
            }
        }
        for flow in self.world.flows.all().iter().filter(|f| f.is_faulted()) {
            left.push(format!("the proxy of `{}` is still faulted", flow.name));
        }
        left
    }
}
