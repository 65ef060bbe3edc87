//! Faults as changes of the states of services; those of the network are the fabric's.

use crate::engine::Engine;
use assize_control::fabric::{Fault, put, put_with};
use assize_fault::Nanos;
use assize_model::faults::{Effect, How};
use assize_model::scenario::Target;

impl Engine<'_> {
    /// Switches a fault on or off.
    pub(crate) fn toggle(&mut self, fault: Fault, on: bool) {
        let entry = &self.plan.scenario.faults[fault];
        if on {
            self.faults[fault].resolved = entry.targets.iter().map(|t| self.resolve(t)).collect();
        }
        self.faults[fault].on = on;
        let targets = std::mem::take(&mut self.faults[fault].resolved);
        for effect in &entry.effects {
            self.fabric.on_fault(self.now, fault, *effect, &targets, on);
            match effect {
                Effect::Cut(_) => self.cut(fault, *effect, &targets, on),
                Effect::Corrupts | Effect::Deletes if on => {
                    for target in &targets {
                        self.damage(fault, target, *effect == Effect::Deletes);
                    }
                }
                _ => {
                    for target in &targets {
                        self.apply(fault, *effect, target, on);
                    }
                }
            }
        }
        self.faults[fault].resolved = targets;
        if !on && entry.effects.contains(&Effect::Unwatched) {
            self.watched_again();
        }
    }

    /// `@primary` is whoever is primary now.
    fn resolve(&self, target: &Target) -> Target {
        match target {
            Target::Primary(service) => {
                let state = &self.services[service.index()];
                let primary = state.failover.as_ref().map_or(state.home, |f| f.primary());
                Target::Replica(*service, primary)
            }
            other => other.clone(),
        }
    }

    /// What a fault does beyond the network.
    fn apply(&mut self, fault: Fault, effect: Effect, target: &Target, on: bool) {
        match target {
            Target::NodeReplica(node, unit) if on && effect == Effect::SessionsLost => {
                self.lose_sessions(fault, *node, usize::from(*unit));
            }
            Target::Service(service) => {
                for r in 0..self.services[service.index()].replicas.len() {
                    self.apply_to_replica(fault, effect, service.index(), r, on);
                }
                let state = &mut self.services[service.index()];
                match effect {
                    Effect::BadBackup => put(&mut state.bad_backup, fault, on),
                    Effect::Repeated(times) => {
                        put_with(&mut state.repeated, fault, times, on);
                        self.loads_dirty = true;
                    }
                    Effect::RestoreSlows(left) => {
                        self.slow_restore(fault, service.index(), left, on);
                    }
                    _ => {}
                }
            }
            Target::Replica(service, replica) => {
                self.apply_to_replica(fault, effect, service.index(), usize::from(*replica), on);
            }
            Target::Shard(service, shard)
                if matches!(effect, Effect::Down(_) | Effect::Isolate | Effect::Cut(_)) =>
            {
                let state = &mut self.services[service.index()];
                put(&mut state.shard_down[usize::from(*shard)], fault, on);
                self.touch_service(service.index());
            }
            Target::Flow(from, _) => self.touched.push(from.index()),
            // The rest is the network's.
            _ => {}
        }
    }

    fn apply_to_replica(
        &mut self,
        fault: Fault,
        effect: Effect,
        service: usize,
        replica: usize,
        on: bool,
    ) {
        let state = &mut self.services[service].replicas[replica];
        match effect {
            Effect::Down(how) => {
                // The default failure of a replica is a crash.
                put_with(&mut state.down, fault, how.unwrap_or(How::Refuse), on);
            }
            Effect::Capacity(left) => put_with(&mut state.capacity, fault, left, on),
            Effect::NoAnswer(how) => put_with(&mut state.no_answer, fault, how, on),
            Effect::PromotionFails => put(&mut state.no_promotion, fault, on),
            Effect::CheckLies => put(&mut state.lies, fault, on),
            Effect::CheckFailsOpen => put(&mut state.fails_open, fault, on),
            Effect::ReplicationStops => put(&mut state.no_replication, fault, on),
            _ => {}
        }
        self.touch_service(service);
    }

    /// A cut may stop any way; one along elements, only what they carry.
    fn cut(&mut self, fault: Fault, effect: Effect, targets: &[Target], on: bool) {
        if !self.plan.scenario.faults[fault].against.is_empty() {
            return self.all_legs_stale();
        }
        for target in targets {
            if let Target::Flow(..) | Target::Replica(..) = target {
                self.apply(fault, effect, target, on);
            }
        }
    }

    /// Data is damaged now; on a service without a named replica, at its primary.
    fn damage(&mut self, fault: Fault, target: &Target, deletes: bool) {
        let (service, replica) = match target {
            Target::Service(s) => (s.index(), self.services[s.index()].source),
            Target::Replica(s, r) => (s.index(), *r),
            _ => return,
        };
        self.sync_all(service);
        let now = self.now;
        let Some(data) = &mut self.services[service].data else {
            return;
        };
        let content = &mut data.content[usize::from(replica)];
        content.damaged.get_or_insert(now);
        content.deleted |= deletes;
        data.damage.get_or_insert((now, fault));
        self.bite_all(&[fault], || "data was there to be damaged".into());
        self.note_history(service);
        self.spread_damage(service, replica);
        self.note_loss(service, Some(fault));
        self.touch_service(service);
    }

    pub(crate) fn touch_service(&mut self, service: usize) {
        self.touched.push(service);
        for i in 0..self.services[service].entries.len() {
            let entry = self.services[service].entries[i];
            self.entries[entry].legs_stale = true;
            self.mark_entry(entry);
            self.entry_users_dirty(entry);
        }
    }

    fn all_legs_stale(&mut self) {
        for entry in 0..self.entries.len() {
            self.entries[entry].legs_stale = true;
            self.mark_entry(entry);
        }
    }

    /// When a fault's next change is due.
    pub(crate) fn arm_fault(&mut self, fault: Fault) {
        let spec = &self.plan.scenario.faults[fault];
        let state = &self.faults[fault];
        let (mut begins, mut ends) = (None, None);
        if state.applies && !state.ended {
            let until = if spec.bounded {
                state.until
            } else {
                Nanos::NEVER
            };
            if state.on {
                ends = Some(until);
                if let Some(flap) = spec.flap {
                    let turn = (self.now - spec.at).0 / (flap.down + flap.up).0.max(1);
                    let off = spec.at + (flap.down + flap.up) * turn + flap.down;
                    ends = Some(off.min(until));
                }
            } else if self.now < spec.at || !self.has_begun(fault) {
                begins = Some(spec.at);
            } else if let Some(flap) = spec.flap {
                let turn = (self.now - spec.at).0 / (flap.down + flap.up).0.max(1) + 1;
                let on = spec.at + (flap.down + flap.up) * turn;
                begins = Some(on).filter(|at| *at < until);
                ends = Some(until).filter(|_| begins.is_none());
            }
        }
        self.wakes
            .arm(crate::wakes::Wake::FaultBegins(fault), begins);
        self.wakes.arm(
            crate::wakes::Wake::FaultEnds(fault),
            ends.filter(|e| !e.is_never()),
        );
    }

    fn has_begun(&self, fault: Fault) -> bool {
        !self.faults[fault].resolved.is_empty()
    }
}
