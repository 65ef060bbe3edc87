//! Who of the users of a spot reaches a service over an access.

use crate::blame::Blame;
use crate::engine::Engine;
use crate::state::Entry;
use assize_control::fabric::{Instance, Origin, Stop};
use assize_model::faults::How;

impl Entry {
    /// Where its users begin.
    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin {
            spot: self.spot,
            access: self.access,
            first: &self.allowed,
        }
    }
}

impl Engine<'_> {
    /// Who of the users of a spot reaches a service.
    pub(crate) fn refresh_entry(&mut self, id: usize) {
        if std::mem::take(&mut self.entries[id].legs_stale) {
            self.refresh_legs(id);
        }
        let service = self.entries[id].service.index();
        let (mut ok, mut refused) = (0u64, 0u64);
        let [mut groups, mut clings] = std::mem::take(&mut self.scratch_groups);
        groups.clear();
        clings.clear();
        let mut unreached = 0u64;
        let mut unanswered = Vec::new();
        // Cohorts that stayed with an old primary stay until it steps down.
        for (replica, mask) in std::mem::take(&mut self.entries[id].clings) {
            let current = self.services[service]
                .failover
                .as_ref()
                .map(|f| f.primary());
            if current != Some(replica) && self.blame_at(id, replica).is_none() {
                clings.push((replica, mask));
                groups.push((replica, mask));
                ok |= mask;
            }
        }
        for replica in 0..self.services[service].replicas.len() as u16 {
            let mask = self.services[service].views[usize::from(replica)] & !ok;
            if mask == 0 {
                continue;
            }
            match self.blame_at(id, replica) {
                None => {
                    let without = self.services[service].replicas[usize::from(replica)]
                        .well
                        .without;
                    ok |= mask & !without;
                    refused |= mask & without;
                    groups.push((replica, mask & !without));
                }
                Some(blame) => {
                    if self.how(blame) == How::Refuse {
                        refused |= mask;
                    }
                    if self.entries[id].legs[usize::from(replica)].stop.is_some() {
                        unreached |= mask;
                    }
                    if self.is_heard(id, replica) {
                        unanswered.push((replica, mask));
                    }
                    // A lease is not asked for until it is due; its own machine says when.
                    if !self.entries[id].units.is_empty() {
                        self.bite(blame, || "a request met it".into());
                    }
                }
            }
        }
        if unreached != 0
            && let Some(failover) = &self.services[service].failover
        {
            // Only one who has been superseded: the new primary is found by looking its name up.
            let current = failover.primary();
            let old = (0..self.services[service].replicas.len() as u16).find(|&r| {
                r != current
                    && self.services[service].replicas[usize::from(r)].acts
                    && self.services[service].views[usize::from(r)] & unreached == 0
                    && self.blame_at(id, r).is_none()
            });
            if let Some(old) = old {
                clings.push((old, unreached));
                groups.push((old, unreached));
                ok |= unreached;
                refused &= !unreached;
            }
        }
        for shard in 0..self.services[service].shard_down.len() {
            if !self.services[service].shard_down[shard].is_empty() {
                let mask = self.services[service].shard_mask[shard];
                ok &= !mask;
                refused |= mask;
                groups.iter_mut().for_each(|g| g.1 &= !mask);
                self.bite(Blame::Shard(service as u16, shard as u16), || {
                    "a request met it".into()
                });
            }
        }
        groups.retain(|g| g.1 != 0);
        let entry = &mut self.entries[id];
        let changed = entry.ok != ok
            || entry.refused != refused
            || entry.groups != groups
            || entry.unanswered != unanswered;
        entry.unanswered = unanswered;
        entry.ok = ok;
        entry.refused = refused;
        std::mem::swap(&mut entry.clings, &mut clings);
        std::mem::swap(&mut entry.groups, &mut groups);
        self.scratch_groups = [groups, clings];
        if changed {
            self.entry_users_dirty(id);
        }
    }

    pub(crate) fn entry_users_dirty(&mut self, id: usize) {
        for i in 0..self.entries[id].units.len() {
            let unit = self.entries[id].units[i];
            self.mark_unit(unit);
        }
        for i in 0..self.entries[id].leases.len() {
            let lease = self.entries[id].leases[i];
            if !std::mem::replace(&mut self.leases[lease].dirty, true) {
                self.dirty_leases.push(lease);
            }
        }
    }

    /// Whether requests arrive at a replica that is well, and only its answers do not come back.
    fn is_heard(&self, id: usize, replica: u16) -> bool {
        let entry = &self.entries[id];
        let service = entry.service.index();
        let replica = usize::from(replica);
        let at = self.plan.topology.services[service].replicas[replica].at;
        matches!(entry.legs[replica].stop, Some(Stop::Cut(_)))
            && self.services[service].replicas[replica]
                .well
                .blame
                .is_none()
            && self
                .fabric
                .cut_between(entry.spot, self.fabric.net().spot(at))
                .is_none()
    }

    /// What stops a request over an entry to a replica.
    pub(crate) fn blame_at(&self, entry: usize, replica: u16) -> Option<Blame> {
        let entry = &self.entries[entry];
        let state = &self.services[entry.service.index()].replicas[usize::from(replica)];
        entry.legs[usize::from(replica)]
            .stop
            .map(Blame::Way)
            .or(state.well.blame.map(|b| b.0))
    }

    pub(crate) fn refresh_legs(&mut self, id: usize) {
        let service = self.entries[id].service.index();
        let replicas = self.services[service].replicas.len();
        for replica in 0..replicas {
            let to = Instance::new(service, replica);
            let leg = self.fabric.leg_of_users(self.entries[id].origin(), to);
            if self.entries[id].legs[replica].quality != leg.quality {
                self.entry_users_dirty(id);
            }
            if self.entries[id].legs[replica].stop != leg.stop {
                // Who is reached serves, and checks from beside the clients look along this way.
                self.touched.push(service);
            }
            self.entries[id].legs[replica] = leg;
        }
        self.bite_degraded(id);
    }
}
