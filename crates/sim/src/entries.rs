//! Who of the users of a spot reaches a service over an access.

use crate::engine::Engine;
use crate::route::{self, Blame, Leg, Quality};
use crate::truth::degraded;
use assize_model::faults::How;

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
                    if self.entries[id].legs[usize::from(replica)].blame.is_some() {
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
        matches!(entry.legs[replica].blame, Some(Blame::Cut(_)))
            && self.services[service].replicas[replica]
                .well
                .blame
                .is_none()
            && self.cut_between(entry.spot, self.net.spot(at)).is_none()
    }

    /// What stops a request over an entry to a replica.
    pub(crate) fn blame_at(&self, entry: usize, replica: u16) -> Option<Blame> {
        let entry = &self.entries[entry];
        let state = &self.services[entry.service.index()].replicas[usize::from(replica)];
        entry.legs[usize::from(replica)]
            .blame
            .or(state.well.blame.map(|b| b.0))
    }

    pub(crate) fn refresh_legs(&mut self, id: usize) {
        let service = self.entries[id].service.index();
        let replicas = self.services[service].replicas.len();
        for replica in 0..replicas {
            let leg = self.access_leg(id, service, replica);
            if self.entries[id].legs[replica].quality != leg.quality {
                self.entry_users_dirty(id);
            }
            if self.entries[id].legs[replica].blame != leg.blame {
                // Who is reached serves, and checks from beside the clients look along this way.
                self.touched.push(service);
            }
            self.entries[id].legs[replica] = leg;
        }
        self.bite_degraded(id);
    }

    /// From the sites of an entry over its access to a replica.
    pub(crate) fn access_leg(&self, id: usize, service: usize, replica: usize) -> Leg {
        let entry = &self.entries[id];
        let access = self.plan.topology.access_path(entry.access);
        let target = self.plan.topology.services[service].replicas[replica].at;
        let stopped = |blame| Leg {
            blame: Some(blame),
            quality: Quality::PERFECT,
        };
        let active = &self.access_active[entry.access.index()];
        if active.as_ref().is_some_and(|a| !a.active()) {
            return stopped(Blame::Inactive);
        }
        let node = self.plan.topology.node(self.net.spots[entry.spot].node);
        for part in &access.parts {
            let index = node.parts.iter().position(|p| p.id == *part);
            if let Some(index) = index.filter(|i| !self.spots[entry.spot].parts[*i].is_empty()) {
                return stopped(Blame::Part(entry.spot, index));
            }
        }
        let worse = self.worse_at_site(entry.spot, access);
        let networks = self.services[service].networks;
        let mut trees = self.trees.borrow_mut();
        let first = access.through.first().copied().unwrap_or(target);
        let (net, truth) = (&self.net, &self.truth);
        let mut leg = route::from_spot(
            &mut trees,
            net,
            truth,
            entry.spot,
            &entry.allowed,
            first,
            networks,
        );
        for (i, &node) in access.through.iter().enumerate() {
            if leg.blame.is_some() {
                return leg;
            }
            let next = access.through.get(i + 1).copied().unwrap_or(target);
            let further = route::from_node(&mut trees, net, truth, node, next, networks);
            leg = Leg {
                blame: further.blame,
                quality: leg.quality.then(further.quality),
            };
        }
        drop(trees);
        leg.quality = worse.then(leg.quality);
        leg.blame = leg
            .blame
            .or_else(|| self.barrier(entry.spot, self.net.spot(target), service, replica));
        leg
    }

    /// What the users' own site, and the parts of it that the access needs, add.
    fn worse_at_site(&self, spot: usize, access: &assize_model::topology::Access) -> Quality {
        let node = self.plan.topology.node(self.net.spots[spot].node);
        let parts = node.parts.iter().zip(&self.spots[spot].part_degrade);
        parts
            .filter(|(part, _)| access.parts.contains(&part.id))
            .fold(self.truth.spot_quality[spot], |q, (_, faults)| {
                degraded(q, faults)
            })
    }
}
