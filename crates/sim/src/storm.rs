//! Leases that end and are asked for again, and the storm that makes on a server.

use crate::blame::Blame;
use crate::engine::Engine;
use crate::wakes::Wake;
use assize_control::cache::Change;
use assize_control::fabric::Fault;
use assize_control::matured::bits;
use assize_control::{Done, Part};
use assize_fault::Nanos;
use assize_model::scenario::Target;
use assize_model::topology::WhenFull;
use assize_model::{NodeId, ServiceId};
use std::collections::BTreeMap;

impl Engine<'_> {
    pub(crate) fn on_opening(&mut self, lease: usize) {
        let now = self.now;
        let change = self.leases[lease].cache.on_opening(now);
        self.arm_opening(lease);
        self.after_lease_change(lease, change);
    }

    pub(crate) fn arm_opening(&mut self, lease: usize) {
        let now = self.now;
        let next = self.leases[lease]
            .openings
            .iter()
            .copied()
            .find(|o| *o > now);
        self.wakes.arm(Wake::Opening(lease), next);
    }

    /// Losses show to users, unanswered renewals prove a bite, and those without ask.
    pub(crate) fn after_lease_change(&mut self, id: usize, change: Change) {
        let now = self.now;
        if change.unanswered != 0 && self.unbitten > 0 {
            self.bite_lease(id);
        }
        for k in bits(change.lost) {
            self.leases[id].attached[k] = 0;
        }
        if change.asks != 0 {
            let service = self.leases[id].service.index();
            if self.services[service].queue.is_some() {
                self.ask(id, change.asks);
                self.arm_tries();
            } else {
                self.leases[id].cache.on_granted(now, change.asks);
            }
        }
        if change.lost != 0 || change.asks != 0 {
            self.lease_units_dirty(id);
        }
        let next = self.leases[id].cache.next_wake();
        self.wakes.arm(Wake::Lease(id), next);
    }

    /// The faults that keep a renewal from being answered.
    pub(crate) fn bite_lease(&mut self, id: usize) {
        let entry = self.leases[id].entry;
        let service = self.entries[entry].service.index();
        for replica in 0..self.services[service].replicas.len() {
            let leg = self.entries[entry].legs[replica].stop.map(Blame::Way);
            let well = self.services[service].replicas[replica]
                .well
                .blame
                .map(|b| b.0);
            if let Some(blame) = leg.or(well) {
                self.bite(blame, || "a renewal got no answer".into());
            }
        }
    }

    /// The active unit of a node fails: what users hold of some services, over accesses that lead
    /// through the node, is void.
    pub(crate) fn lose_sessions(&mut self, fault: Fault, node: NodeId, unit: usize) {
        let spot = self.fabric.net().spot(node);
        let units = self.fabric.spot(spot).units.as_ref();
        if units.is_none_or(|u| u.active() != unit || !u.serves()) {
            return;
        }
        let of = |target: &Target| match target {
            Target::Service(s) | Target::Replica(s, _) | Target::Primary(s) => Some(*s),
            _ => None,
        };
        let against = self.plan.scenario.faults[fault].against.iter();
        let services: Vec<ServiceId> = against.filter_map(of).collect();
        for id in 0..self.leases.len() {
            let lease = &mut self.leases[id];
            let access = self.entries[lease.entry].access;
            let through = &self.plan.topology.access_path(access).through;
            if services.contains(&lease.service) && through.contains(&node) {
                lease.voided.push(fault);
                if !std::mem::replace(&mut lease.dirty, true) {
                    self.dirty_leases.push(id);
                }
            }
        }
    }

    pub(crate) fn lease_units_dirty(&mut self, id: usize) {
        for i in 0..self.leases[id].units.len() {
            let unit = self.leases[id].units[i];
            self.mark_unit(unit);
        }
    }

    pub(crate) fn arm_tries(&mut self) {
        let next = self.tries.first_key_value().map(|t| *t.0);
        self.wakes.arm(Wake::Tries, next);
    }

    /// Cohorts that hold no lease, and are not trying already, begin to.
    pub(crate) fn ask(&mut self, id: usize, cohorts: u64) {
        let now = self.now;
        let lease = &mut self.leases[id];
        let mut whole = 0u64;
        let list = self.tries.entry(now).or_default();
        for k in bits(cohorts) {
            let amount = lease.users - lease.attached[k] - lease.trying[k];
            lease.trying[k] += amount;
            if amount == lease.users {
                whole |= 1 << k;
            } else if amount > 0 {
                list.push(Part {
                    tag: id as u64,
                    mask: 1 << k,
                    each: amount,
                });
            }
        }
        if whole != 0 && lease.users > 0 {
            list.push(Part {
                tag: id as u64,
                mask: whole,
                each: lease.users,
            });
        }
    }

    /// Tries whose turn has come are offered to the queue, in order of lease and cohort.
    pub(crate) fn on_tries(&mut self) {
        let now = self.now;
        if self.pass_over_rounds() {
            self.arm_tries();
            return;
        }
        let mut due = Vec::new();
        while let Some(entry) = self.tries.first_entry().filter(|e| *e.key() <= now) {
            due.extend(entry.remove());
        }
        due.sort_unstable_by_key(|p| (p.tag, p.mask.trailing_zeros(), p.each));
        // What asks the same service and waits equally long arrives as one batch.
        let mut batches: BTreeMap<(usize, Nanos), Vec<Part>> = BTreeMap::new();
        for part in due {
            if let Some(part) = self.reachable(part) {
                let lease = &self.leases[part.tag as usize];
                batches
                    .entry((lease.service.index(), lease.lasts))
                    .or_default()
                    .push(part);
            }
        }
        for ((service, lasts), parts) in batches {
            let Some(queue) = &mut self.services[service].queue else {
                continue;
            };
            let mut refused = Vec::new();
            queue.offer(now, &parts, now + lasts, &mut refused);
            let silent = queue.when_full() == WhenFull::Drop;
            for part in refused {
                let again = self.leases[part.tag as usize].again;
                let wait = again + if silent { lasts } else { Nanos::ZERO };
                self.try_again(part, wait);
            }
            self.note_queue(service);
        }
        self.arm_tries();
    }

    pub(crate) fn try_again(&mut self, part: Part, wait: Nanos) {
        let next = (self.now + wait).max(self.now + Nanos(1));
        self.tries.entry(next).or_default().push(part);
    }

    /// Cohorts that cannot reach a server stop trying; they ask again when they can.
    pub(crate) fn reachable(&mut self, part: Part) -> Option<Part> {
        let lease = &mut self.leases[part.tag as usize];
        let ok = self.entries[lease.entry].ok;
        for k in bits(part.mask & !ok) {
            lease.trying[k] -= part.each;
        }
        Some(Part {
            mask: part.mask & ok,
            ..part
        })
        .filter(|p| p.mask != 0)
    }

    pub(crate) fn note_queue(&mut self, service: usize) {
        let now = self.now;
        let state = &mut self.services[service];
        let Some(queue) = &state.queue else { return };
        // A request of the load is 64 units too; what waits there is in millionths of one.
        let waiting = state.load.as_ref().map_or(0, |l| l.waiting(now));
        let amount = queue
            .amount(now)
            .saturating_mul(1_000_000_000)
            .saturating_add(waiting.saturating_mul(64_000));
        let next = queue.next_wake();
        match state.queue_steps.last_mut() {
            Some(last) if last.0 == now => last.1 = amount,
            Some(last) if last.1 == amount => {}
            _ => state.queue_steps.push((now, amount)),
        }
        self.wakes.arm(Wake::Queue(service), next);
    }

    pub(crate) fn after_queue(&mut self, service: usize, done: Vec<Done>) {
        let now = self.now;
        for Done { part, served } in done {
            let Some(part) = self.reachable(part) else {
                continue;
            };
            let id = part.tag as usize;
            if !served {
                let again = self.leases[id].again;
                self.try_again(part, again);
                continue;
            }
            let lease = &mut self.leases[id];
            let mut granted = 0u64;
            for k in bits(part.mask) {
                lease.trying[k] -= part.each;
                lease.attached[k] += part.each;
                if lease.attached[k] >= lease.users {
                    granted |= 1 << k;
                } else {
                    lease.partial = true;
                }
            }
            lease.cache.on_granted(now, granted);
            self.lease_units_dirty(id);
        }
        self.note_queue(service);
        self.arm_tries();
    }
}
