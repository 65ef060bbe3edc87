//! What happens by itself after a while: routing notices, another unit takes over, a standby
//! comes into service.

use super::{Changes, Fabric};
use assize_fault::Nanos;
use assize_model::journal::{Decision, DecisionKind};
use assize_model::scenario::Target;

/// One thing that waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Timer {
    /// Routing finds out about a circuit.
    Belief(usize),
    /// Another unit of the node of a spot takes over.
    Units(usize),
    /// A standby circuit comes into service.
    Circuit(usize),
    /// A standby access comes into service.
    Access(usize),
}

impl Fabric<'_> {
    /// Everything that ever waits.
    pub fn timers(&self) -> impl Iterator<Item = Timer> + use<'_> {
        let circuits = 0..self.circuits.len();
        let standby = |c: &usize| self.circuits[*c].activation.is_some();
        let redundant = |s: &usize| self.spots[*s].units.is_some();
        let waits = |a: &usize| self.accesses[*a].is_some();
        circuits
            .clone()
            .map(Timer::Belief)
            .chain((0..self.spots.len()).filter(redundant).map(Timer::Units))
            .chain(circuits.filter(standby).map(Timer::Circuit))
            .chain((0..self.accesses.len()).filter(waits).map(Timer::Access))
    }

    /// When a timer is due, if it runs.
    #[must_use]
    pub fn due(&self, timer: Timer) -> Option<Nanos> {
        match timer {
            Timer::Belief(c) => self.circuits[c].belief.next_wake(),
            Timer::Units(s) => self.spots[s].units.as_ref()?.next_wake(),
            Timer::Circuit(c) => self.circuits[c].activation.as_ref()?.next_wake(),
            Timer::Access(a) => self.accesses[a].as_ref()?.next_wake(),
        }
    }

    /// A timer is due. What the network has decided by itself is added to `decisions`, unless it
    /// belongs to one that is there already.
    pub fn on_timer(&mut self, now: Nanos, timer: Timer, decisions: &mut Vec<Decision>) {
        match timer {
            Timer::Belief(circuit) => self.on_belief(now, circuit, decisions),
            Timer::Units(spot) => self.on_units(now, spot, decisions),
            Timer::Circuit(circuit) => self.on_circuit_active(now, circuit, decisions),
            Timer::Access(access) => {
                let activation = self.accesses[access].as_mut();
                if activation.is_some_and(|a| a.on_wake(now)) {
                    let id = &self.plan.topology.access[access].id;
                    decisions.push(activated(now, format!("access/{id}"), Vec::new()));
                }
            }
        }
    }

    /// When anything is due.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        self.timers().filter_map(|t| self.due(t)).min()
    }

    /// Does all that is due, and settles.
    pub fn on_wake(&mut self, now: Nanos, decisions: &mut Vec<Decision>) -> Changes {
        let is_due = |t: &Timer| self.due(*t).is_some_and(|at| at <= now);
        let due: Vec<Timer> = self.timers().filter(is_due).collect();
        for timer in due {
            // What was due earlier was decided earlier, however late this comes.
            let at = self.due(timer).unwrap_or(now).min(now);
            self.on_timer(at, timer, decisions);
        }
        self.settle(now)
    }

    /// Refreshes until nothing is dirty any more.
    pub fn settle(&mut self, now: Nanos) -> Changes {
        let mut all = Changes::default();
        let mut changed = vec![false; self.spot_changed.len()];
        while self.is_dirty() {
            let changes = self.refresh(now);
            all.core |= changes.core;
            all.reach |= changes.reach;
            for (sum, new) in changed.iter_mut().zip(&self.spot_changed) {
                *sum |= *new;
            }
        }
        self.spot_changed = changed;
        all
    }

    /// Standbys are wanted, or no longer. Returns how many there are among the targets.
    pub fn activate(&mut self, now: Nanos, targets: &[Target], wanted: bool) -> usize {
        let mut touched = 0;
        for target in targets {
            match target {
                Target::Link(link, sites) => {
                    for circuit in self.net.selected_circuits(*link, sites) {
                        if let Some(activation) = &mut self.circuits[circuit].activation {
                            activation.on_wanted(now, wanted);
                            self.touch_circuit(circuit);
                            touched += 1;
                        }
                    }
                }
                Target::Access(access) => {
                    if let Some(activation) = &mut self.accesses[access.index()] {
                        activation.on_wanted(now, wanted);
                        touched += 1;
                    }
                }
                _ => {}
            }
        }
        touched
    }

    fn on_belief(&mut self, now: Nanos, circuit: usize, decisions: &mut Vec<Decision>) {
        let Some(up) = self.circuits[circuit].belief.on_wake(now) else {
            return;
        };
        // The decision was taken when the change was noticed; since then routing converged.
        let spec = &self.net.circuits[circuit];
        let at = now - spec.converge;
        // What failed it may be over by now, or another failure may have come since.
        let failed_by = &mut self.circuits[circuit].failed_by;
        let older = failed_by.partition_point(|f| f.0 <= at - spec.detect);
        failed_by.drain(..older.saturating_sub(1));
        let faults = failed_by.first().map_or_else(Vec::new, |f| f.1.clone());
        // The circuits of one link that change together are one decision.
        let kind = if up {
            DecisionKind::RouteUp
        } else {
            DecisionKind::RouteDown
        };
        let subject = self.link_of(circuit);
        let mut recent = decisions.iter().rev().take(64);
        let again = recent.any(|d| {
            d.at == at && d.kind == kind && d.subject == subject && (up || d.faults == faults)
        });
        if !again && (up || !faults.is_empty()) {
            decisions.push(Decision {
                at,
                kind,
                subject,
                faults: if up { Vec::new() } else { faults },
                service: None,
            });
        }
        self.touch_circuit(circuit);
    }

    fn on_units(&mut self, now: Nanos, spot: usize, decisions: &mut Vec<Decision>) {
        let state = &mut self.spots[spot];
        let Some(units) = &mut state.units else {
            return;
        };
        if units.on_wake(now) {
            let active = units.active();
            state.units_used |= 1 << active;
            let node = self.plan.topology.node(self.net.spots[spot].node);
            let subject = format!("node/{}/{}", node.id, node.replicas[active].id);
            let faults = state.unit_down.iter().flatten().copied().collect();
            decisions.push(activated(now, subject, faults));
        }
        self.touch_spot(spot);
    }

    fn on_circuit_active(&mut self, now: Nanos, circuit: usize, decisions: &mut Vec<Decision>) {
        let Some(activation) = &mut self.circuits[circuit].activation else {
            return;
        };
        if activation.on_wake(now) {
            let decision = activated(now, self.link_of(circuit), Vec::new());
            let is_same = |d: &Decision| {
                (d.at, d.kind, &d.subject) == (now, decision.kind, &decision.subject)
            };
            if !decisions.last().is_some_and(is_same) {
                decisions.push(decision);
            }
        }
        self.touch_circuit(circuit);
    }

    fn link_of(&self, circuit: usize) -> String {
        let link = self.net.circuits[circuit].link;
        format!("link/{}", self.plan.topology.link(link).id)
    }
}

fn activated(at: Nanos, subject: String, faults: Vec<super::Fault>) -> Decision {
    Decision {
        at,
        kind: DecisionKind::Activated,
        subject,
        faults,
        service: None,
    }
}
