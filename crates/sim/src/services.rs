//! Whether replicas can serve, and what follows: rotation, contact, capacity.

use crate::blame::Blame;
use crate::engine::Engine;
use crate::state::Well;
use crate::wakes::Wake;
use assize_control::fabric::{Instance, Leg, Stop, times};
use assize_control::{Load, Queue};
use assize_fault::{Nanos, Ppb};
use assize_model::NodeId;
use assize_model::topology::{Mode, Replication};

impl Engine<'_> {
    /// Replicas in dependency order, then what follows from them: rotation, checks, contact.
    pub(crate) fn refresh_services(&mut self) {
        let mut concerned = self.concerned();
        for &service in &concerned {
            self.refresh_replicas(service);
            self.refresh_queue_rate(service);
            self.refresh_contact(service);
            self.refresh_shipping(service);
            self.retry_restore(service);
        }
        concerned.sort_unstable();
        self.refresh_checks(&concerned);
        self.concerned = concerned;
        for blame in self.met.take() {
            self.bite(blame, || "a replica met it".into());
        }
    }

    /// Whether each replica is well, and how long its writes wait for copies.
    fn refresh_replicas(&mut self, service: usize) {
        let (mut entries_change, mut users_change) = (false, false);
        for replica in 0..self.services[service].replicas.len() {
            let well = self.well(service, replica);
            let copied_in = self.copied_in(service, replica);
            let state = &mut self.services[service].replicas[replica];
            entries_change |= state.well != well;
            users_change |= state.copied_in != copied_in;
            state.well = well;
            state.copied_in = copied_in;
            self.note_serving(service, replica);
        }
        if !entries_change && !users_change {
            return;
        }
        for j in 0..self.services[service].entries.len() {
            let entry = self.services[service].entries[j];
            if entries_change {
                self.mark_entry(entry);
            }
            if users_change {
                self.entry_users_dirty(entry);
            }
        }
    }

    /// All services after a change of the network, else those touched and what needs them; in
    /// order of dependency.
    fn concerned(&mut self) -> Vec<usize> {
        let mut list = std::mem::take(&mut self.concerned);
        list.clear();
        if std::mem::take(&mut self.services_dirty) {
            self.touched.clear();
            list.extend_from_slice(&self.order);
            return list;
        }
        let mut open = std::mem::take(&mut self.touched);
        while let Some(service) = open.pop() {
            if !std::mem::replace(&mut self.services[service].listed, true) {
                list.push(service);
                open.extend(&self.services[service].dependents);
            }
        }
        self.touched = open;
        for &service in &list {
            self.services[service].listed = false;
        }
        list.sort_unstable_by_key(|s| self.place[*s]);
        list
    }

    /// Whether a replica can serve, whatever the path to it.
    pub(crate) fn well(&self, service: usize, replica: usize) -> Well {
        let (s, r) = (service as u16, replica as u16);
        let state = &self.services[service].replicas[replica];
        let spec = &self.plan.topology.services[service];
        let mut capacity = state.capacity.iter().fold(Ppb::ONE, |c, f| times(c, f.1));
        let fail = |blame: Blame| Well {
            blame: Some((blame, self.how(blame))),
            capacity: Ppb::ZERO,
            without: 0,
        };
        if !state.down.is_empty() {
            return fail(Blame::Replica(s, r));
        }
        let spot = self.fabric.net().spot(spec.replicas[replica].at);
        if !self.fabric.truth().spot_up[spot] {
            return fail(Stop::Spot(spot).into());
        }
        if !state.no_answer.is_empty() {
            return fail(Blame::NoAnswer(s, r));
        }
        let cut_off = || spec.mode == Mode::Quorum && !self.has_majority(service, replica);
        if !state.acts || cut_off() {
            if state.acts {
                self.meet_peers(service, replica);
            }
            return fail(Blame::NotPrimary(s, r));
        }
        if self.services[service]
            .data
            .as_ref()
            .is_some_and(|d| d.restoring.is_some() || d.content[replica].damaged.is_some())
        {
            return fail(Blame::Data(s));
        }
        match self.dependencies(service, replica) {
            Err(blame) => fail(blame),
            Ok((left, without)) => {
                capacity = times(capacity, left);
                Well {
                    blame: None,
                    capacity,
                    without,
                }
            }
        }
    }

    /// What a replica gets of what it depends on: the capacity that soft dependencies leave, and
    /// the cohorts that it cannot serve because their shard is out; or the first hard dependency
    /// that it lacks.
    pub(crate) fn dependencies(&self, service: usize, replica: usize) -> Result<(Ppb, u64), Blame> {
        let depends = &self.plan.topology.services[service].depends;
        let (mut capacity, mut without) = (Ppb::ONE, 0);
        for dependency in &depends.all_of {
            let reached = self.reach(service, replica, dependency.service.index());
            match (reached, dependency.soft) {
                (Err(blame), Some(left)) => {
                    self.meet(Some(blame));
                    capacity = times(capacity, left);
                }
                (Err(blame), None) => return Err(blame),
                (Ok(lost), soft) => without |= if soft.is_none() { lost } else { 0 },
            }
        }
        for choice in &depends.any_of {
            let all: Vec<Result<u64, Blame>> = choice
                .iter()
                .map(|d| self.reach(service, replica, d.service.index()))
                .collect();
            all.iter().for_each(|r| self.meet(r.err()));
            match (all.iter().find_map(|r| r.ok()), all.first()) {
                (Some(lost), _) => without |= lost,
                (None, Some(Err(blame))) => return Err(*blame),
                (None, _) => {}
            }
        }
        Ok((capacity, without))
    }

    /// Remembers what a replica has met.
    fn meet(&self, blame: Option<Blame>) {
        if self.unbitten > 0 {
            self.met.borrow_mut().extend(blame);
        }
    }

    /// What keeps a replica from its peers.
    fn meet_peers(&self, service: usize, replica: usize) {
        let from = self.plan.topology.services[service].replicas[replica].at;
        for other in (0..self.services[service].replicas.len()).filter(|o| *o != replica) {
            let leg = self.leg_to_replica(from, service, other);
            self.meet(leg.stop.map(Blame::Way));
            if !self.process_up(service, other) {
                self.meet(Some(Blame::Replica(service as u16, other as u16)));
            }
        }
    }

    /// Whether a replica reaches a service that it needs, and which cohorts cannot be served with
    /// it; or what keeps it from it. Of a sharded service each cohort needs its own shard only.
    pub(crate) fn reach(
        &self,
        service: usize,
        replica: usize,
        target: usize,
    ) -> Result<u64, Blame> {
        let (s, r, t) = (service as u16, replica as u16, target as u16);
        let from = Instance::new(service, replica);
        let phase = self.client_phase.get(&(s, r, t)).copied().unwrap_or(0);
        let state = &self.services[target];
        let sharded = self.plan.topology.services[target].mode == Mode::Sharded;
        let wanted = if sharded { u64::MAX } else { 1 << phase };
        let (mut without, mut first) = (0, None);
        for (other, view) in state.views.iter().enumerate() {
            if view & wanted == 0 {
                continue;
            }
            let leg = self.fabric.leg_between(from, Instance::new(target, other));
            let well = state.replicas[other].well.blame.map(|b| b.0);
            let blame = leg.stop.map(Blame::Way).or(well);
            match blame {
                Some(blame) if !sharded => return Err(blame),
                Some(_) => without |= view,
                None => without |= state.replicas[other].well.without,
            }
            first = first.or(blame);
        }
        for shard in (0..state.shard_down.len()).filter(|i| !state.shard_down[*i].is_empty()) {
            without |= state.shard_mask[shard];
            first = first.or(Some(Blame::Shard(t, shard as u16)));
        }
        match first {
            Some(blame) if without == u64::MAX => Err(blame),
            first => {
                self.meet(first);
                Ok(without)
            }
        }
    }

    /// From a node to a replica, both ways.
    pub(crate) fn leg_to_replica(&self, from: NodeId, service: usize, replica: usize) -> Leg {
        let to = Instance::new(service, replica);
        self.fabric.leg_to_replica(from, to)
    }

    /// Whether a replica reaches more than half of all, itself included.
    pub(crate) fn has_majority(&self, service: usize, replica: usize) -> bool {
        let n = self.services[service].replicas.len();
        let reached = (0..n)
            .filter(|&other| other == replica || self.replicas_meet(service, replica, other))
            .count();
        reached * 2 > n
    }

    /// Whether two replicas are up and exchange packets.
    pub(crate) fn replicas_meet(&self, service: usize, a: usize, b: usize) -> bool {
        let up = |r: usize| self.process_up(service, r);
        up(a)
            && up(b)
            && self
                .fabric
                .meet(Instance::new(service, a), Instance::new(service, b))
    }

    /// The process runs on a machine that works.
    pub(crate) fn process_up(&self, service: usize, replica: usize) -> bool {
        let at = self.plan.topology.services[service].replicas[replica].at;
        self.services[service].replicas[replica].down.is_empty()
            && self.fabric.truth().spot_up[self.fabric.net().spot(at)]
    }

    pub(crate) fn note_serving(&mut self, service: usize, replica: usize) {
        let now = self.now;
        let state = &self.services[service];
        // Of a single writer, only the one that clients look to, or that some stayed with.
        let looked_to = state.views[replica] != 0 || self.is_clung_to(service, replica);
        let in_rotation =
            looked_to || (state.failover.is_none() && state.rotation & (1 << replica) != 0);
        let r = &state.replicas[replica];
        let serves =
            r.acts && r.well.blame.is_none() && in_rotation && self.is_reached(service, replica);
        let state = &mut self.services[service].replicas[replica];
        match (serves, state.serving_since) {
            (true, None) => {
                state.serving_since = Some(now);
                state.ever_served = true;
            }
            (false, Some(from)) => {
                state.serving_since = None;
                self.record.serving(service, replica, from, now);
            }
            _ => {}
        }
    }

    /// Whether some user, or some service that needs it, reaches a replica.
    fn is_reached(&self, service: usize, replica: usize) -> bool {
        let state = &self.services[service];
        let entries = || state.entries.iter().map(|e| &self.entries[*e]);
        let by_users = entries().any(|e| e.legs[replica].stop.is_none());
        let by_services = || {
            let needing = state.dependents.iter().flat_map(|d| {
                let replicas = &self.plan.topology.services[*d].replicas;
                replicas.iter().map(|r| r.at)
            });
            needing.into_iter().any(|at| {
                let leg = self.leg_to_replica(at, service, replica);
                leg.stop.is_none()
            })
        };
        let unused = state.entries.is_empty() && state.dependents.is_empty();
        by_users || unused || by_services()
    }

    fn is_clung_to(&self, service: usize, replica: usize) -> bool {
        let entries = self.services[service].entries.iter();
        entries
            .flat_map(|e| &self.entries[*e].clings)
            .any(|c| usize::from(c.0) == replica)
    }

    /// How long a write at a replica takes to be copied: a round trip to the farthest synchronous
    /// copy. `None`: it waits for one that no check has called down and that does not get it.
    fn copied_in(&self, service: usize, replica: usize) -> Option<Nanos> {
        let spec = &self.plan.topology.services[service];
        let sync = spec.state.as_ref().and_then(|s| s.replication) == Some(Replication::Sync);
        let state = &self.services[service];
        let waits = sync && spec.mode == Mode::ActiveStandby && !state.checkers.is_empty();
        let (Some(failover), true) = (&state.failover, waits) else {
            return Some(Nanos::ZERO);
        };
        let own_stops = !state.replicas[replica].no_replication.is_empty();
        let copies = (0..state.replicas.len()).filter(|r| *r != replica);
        let mut longest = Nanos::ZERO;
        for r in copies.filter(|r| failover.is_up(*r as u16)) {
            if own_stops
                || !state.replicas[r].no_replication.is_empty()
                || !self.replicas_meet(service, replica, r)
            {
                return None;
            }
            let way = (Instance::new(service, replica), Instance::new(service, r));
            let quality = self.fabric.leg_between(way.0, way.1).quality;
            longest = longest.max((quality.latency + quality.jitter) * 2);
        }
        Some(longest)
    }

    /// Old primaries that can hear the new one will have heard after one latency.
    pub(crate) fn refresh_contact(&mut self, service: usize) {
        let Some(primary) = self.services[service]
            .failover
            .as_ref()
            .map(|f| f.primary())
        else {
            return;
        };
        let primary = usize::from(primary);
        let mut next = None;
        for old in 0..self.services[service].replicas.len() {
            let acts = self.services[service].replicas[old].acts;
            let both = acts && self.services[service].replicas[primary].acts;
            let meets = old != primary && both && self.replicas_meet(service, old, primary);
            let at = meets.then(|| {
                let from = self.plan.topology.services[service].replicas[primary].at;
                let latency = self.leg_to_replica(from, service, old).quality.latency;
                self.services[service].replicas[old]
                    .contact_at
                    .unwrap_or(self.now + latency)
            });
            self.services[service].replicas[old].contact_at = at;
            next = [next, at].into_iter().flatten().min();
        }
        self.wakes.arm(Wake::Contact(service), next);
    }

    /// Replicas have come or gone, or do more or less than they did.
    pub(crate) fn refresh_queue_rate(&mut self, service: usize) {
        if self.plan.topology.services[service].capacity.is_none() {
            return;
        }
        let left = self.capacity_left(service);
        if left == self.services[service].capacity_left {
            return;
        }
        self.loads_dirty |= self.services[service].load.is_some();
        self.services[service].capacity_left = left;
        self.bite_capacity(service);
        self.refresh_queue(service);
    }

    /// Those who ask for a lease get what the requests of users leave of a service.
    pub(crate) fn refresh_queue(&mut self, service: usize) {
        let now = self.now;
        let capacity = self.capacity_now(service);
        let taken = self.services[service].load.as_ref().map_or(0, Load::taken);
        let left = (
            self.services[service].capacity_left,
            capacity - taken.min(capacity),
        );
        let servers = self.servers(service);
        let state = &mut self.services[service];
        let Some(queue) = state.queue.as_mut().filter(|_| state.queue_rate != left) else {
            return;
        };
        state.queue_rate = left;
        let mut done = Vec::new();
        if left.0 == 0 {
            queue.on_lost(now, &mut done);
        } else {
            let rate = assize_fault::Rate {
                micro: left.1,
                per: Nanos::secs(1),
            };
            queue.on_capacity(now, rate, 64, servers);
        }
        self.after_queue(service, done);
    }

    /// Queue of a service, if there is one.
    pub(crate) fn queue_mut(&mut self, service: usize) -> Option<&mut Queue> {
        self.services[service].queue.as_mut()
    }
}
