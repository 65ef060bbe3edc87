//! From changed element states to what users get: truth, services, entries, leases, units.
//!
//! Everything is recomputed only where something it rests on has changed, and in this order,
//! until nothing changes any more.

use crate::engine::Engine;
use crate::route::{self, Blame, Leg, Quality};
use crate::state::{Fault, Out, Well};
use crate::wakes::Wake;
use assize_control::matured::bits;
use assize_control::{Queue, Seen};
use assize_fault::{Nanos, Ppb};
use assize_model::faults::{Degrade, How};
use assize_model::journal::DecisionKind;
use assize_model::topology::{Mode, Probes};
use assize_model::{JourneyId, NodeId};

impl Engine<'_> {
    /// Brings everything in line with the element states.
    pub(crate) fn settle(&mut self) {
        loop {
            if self.network_dirty {
                self.network_dirty = false;
                self.refresh_truth();
            }
            if std::mem::take(&mut self.services_dirty) {
                self.refresh_services();
            }
            while let Some(entry) = self.stale_entries.pop() {
                self.entries[entry].stale = false;
                self.refresh_entry(entry);
            }
            while let Some(lease) = self.dirty_leases.pop() {
                self.leases[lease].dirty = false;
                self.refresh_lease(lease);
            }
            self.dirty_units.sort_unstable_by(|a, b| b.cmp(a));
            while let Some(unit) = self.dirty_units.pop() {
                self.units[unit].dirty = false;
                self.refresh_unit(unit);
            }
            if !self.network_dirty && !self.services_dirty && self.stale_entries.is_empty() {
                return;
            }
        }
    }

    pub(crate) fn mark_entry(&mut self, entry: usize) {
        if !std::mem::replace(&mut self.entries[entry].stale, true) {
            self.stale_entries.push(entry);
        }
    }

    pub(crate) fn mark_unit(&mut self, unit: usize) {
        if !std::mem::replace(&mut self.units[unit].dirty, true) {
            self.dirty_units.push(unit);
        }
    }

    /// Circuits and spots: what passes, what routing believes, of what quality.
    fn refresh_truth(&mut self) {
        let now = self.now;
        let mut core_changed = std::mem::take(&mut self.core_dirty);
        for spot in 0..self.spots.len() {
            let state = &self.spots[spot];
            let serves = state
                .units
                .as_ref()
                .is_none_or(assize_control::Units::serves);
            self.truth.spot_up[spot] = state.down.is_empty() && serves;
            if let Some(units) = &state.units {
                let next = units.next_wake();
                self.wakes.arm(Wake::Units(spot), next);
            }
        }
        for circuit in 0..self.circuits.len() {
            let up = self.circuit_up(circuit);
            let cut = !self.circuits[circuit].cut.is_empty()
                || self.net.circuits[circuit]
                    .under
                    .iter()
                    .any(|u| self.cut_below(*u));
            let quality = self.circuit_quality(circuit);
            let state = &mut self.circuits[circuit];
            self.truth.dormant[circuit] = state.activation.as_ref().is_some_and(|a| !a.active());
            state.belief.on_truth(now, up);
            let next = state.belief.next_wake();
            let believed = state.belief.believed();
            self.wakes.arm(Wake::Belief(circuit), next);
            let changed = self.truth.passes[circuit] != (up && !cut)
                || self.truth.believed[circuit] != believed
                || self.truth.quality[circuit] != quality;
            if changed {
                self.truth.passes[circuit] = up && !cut;
                self.truth.believed[circuit] = believed;
                self.truth.quality[circuit] = quality;
                let near = self.net.circuits[circuit].near;
                self.spot_dirty[near] = true;
                core_changed |= !self.plan.topology.node(self.net.spots[near].node).class;
            }
        }
        if core_changed {
            self.trees.get_mut().on_change();
            self.services_dirty = true;
        }
        for entry in 0..self.entries.len() {
            let spot = self.entries[entry].spot;
            if core_changed || self.spot_dirty[spot] {
                self.entries[entry].legs_stale = true;
                self.mark_entry(entry);
            }
        }
        self.spot_dirty.fill(false);
        self.refresh_standbys();
    }

    fn circuit_up(&self, circuit: usize) -> bool {
        let state = &self.circuits[circuit];
        let c = &self.net.circuits[circuit];
        state.down.is_empty()
            && state
                .activation
                .as_ref()
                .is_none_or(assize_control::Activation::active)
            && self.truth.spot_up[c.near]
            && self.truth.spot_up[self.net.spot(c.far)]
            && c.under.iter().all(|u| self.circuit_up(*u))
    }

    fn cut_below(&self, circuit: usize) -> bool {
        !self.circuits[circuit].cut.is_empty()
            || self.net.circuits[circuit]
                .under
                .iter()
                .any(|u| self.cut_below(*u))
    }

    fn circuit_quality(&self, circuit: usize) -> Quality {
        let c = &self.net.circuits[circuit];
        let own = Quality {
            latency: c.latency,
            jitter: Nanos::ZERO,
            passes: c.loss.complement(),
            correct: Ppb::ONE,
            bandwidth: c.bandwidth,
        };
        // The latency of what is below is already in the circuit's own; faults are not.
        let mut quality = degraded(own, &self.circuits[circuit].degrade);
        for &under in &c.under {
            let below = self.circuit_quality(under);
            let plain = self.net.circuits[under].latency;
            let extra = Quality {
                latency: below.latency - plain,
                ..below
            };
            quality = quality.then(extra);
        }
        quality
    }

    /// Standby links that come into service by themselves: while another circuit of the same
    /// place and network is believed down.
    fn refresh_standbys(&mut self) {
        let now = self.now;
        for circuit in 0..self.circuits.len() {
            let c = &self.net.circuits[circuit];
            let Some(standby) = c.standby.filter(|s| s.automatic) else {
                continue;
            };
            let _ = standby;
            let wanted = self.net.at_spot[c.near].iter().any(|&other| {
                let o = &self.net.circuits[other];
                o.standby.is_none()
                    && o.networks & c.networks & !(1 << crate::net::ANY) != 0
                    && !self.truth.believed[other]
            });
            if let Some(activation) = &mut self.circuits[circuit].activation {
                if activation.on_wanted(now, wanted) {
                    self.network_dirty = true;
                    self.touch_circuit(circuit);
                }
                let next = self.circuits[circuit]
                    .activation
                    .as_ref()
                    .and_then(|a| a.next_wake());
                self.wakes.arm(Wake::CircuitActive(circuit), next);
            }
        }
    }

    /// Replicas in dependency order, then what follows from them: rotation, checks, contact.
    fn refresh_services(&mut self) {
        for i in 0..self.order.len() {
            let service = self.order[i];
            let mut changed = false;
            for replica in 0..self.services[service].replicas.len() {
                let well = self.well(service, replica);
                if self.services[service].replicas[replica].well != well {
                    self.services[service].replicas[replica].well = well;
                    changed = true;
                }
                self.note_serving(service, replica);
            }
            if changed {
                for j in 0..self.services[service].entries.len() {
                    let entry = self.services[service].entries[j];
                    self.mark_entry(entry);
                }
                self.refresh_queue_rate(service);
            }
            self.refresh_contact(service);
            self.refresh_shipping(service);
        }
        self.refresh_checks();
    }

    /// Whether a replica can serve, whatever the path to it.
    fn well(&self, service: usize, replica: usize) -> Well {
        let (s, r) = (service as u16, replica as u16);
        let state = &self.services[service].replicas[replica];
        let spec = &self.plan.topology.services[service];
        let mut capacity = state
            .capacity
            .iter()
            .fold(Ppb::ONE, |c, f| route::times(c, f.1));
        let fail = |blame: Blame| Well {
            blame: Some((blame, self.how(blame))),
            capacity: Ppb::ZERO,
        };
        if !state.down.is_empty() {
            return fail(Blame::Replica(s, r));
        }
        let spot = self.net.spot(spec.replicas[replica].at);
        if !self.truth.spot_up[spot] {
            return fail(Blame::Spot(spot));
        }
        if !state.no_answer.is_empty() {
            return fail(Blame::NoAnswer(s, r));
        }
        if !state.acts || (spec.mode == Mode::Quorum && !self.has_majority(service, replica)) {
            return fail(Blame::NotPrimary(s, r));
        }
        if self.services[service]
            .data
            .as_ref()
            .is_some_and(|d| d.restoring.is_some() || d.content[replica].damaged.is_some())
        {
            return fail(Blame::Data(s));
        }
        for dependency in &spec.depends.all_of {
            let blame = self.reach_dependency(service, replica, dependency.service.index());
            match (blame, dependency.soft) {
                (Some(_), Some(left)) => capacity = route::times(capacity, left),
                (Some(blame), None) => return fail(blame),
                (None, _) => {}
            }
        }
        for choice in &spec.depends.any_of {
            let mut first = None;
            let mut reached = false;
            for dependency in choice {
                let blame = self.reach_dependency(service, replica, dependency.service.index());
                reached |= blame.is_none();
                first = first.or(blame);
            }
            if let Some(blame) = first.filter(|_| !reached) {
                return fail(blame);
            }
        }
        Well {
            blame: None,
            capacity,
        }
    }

    /// What keeps a replica from a service that it needs.
    fn reach_dependency(&self, service: usize, replica: usize, target: usize) -> Option<Blame> {
        let (s, r, t) = (service as u16, replica as u16, target as u16);
        if self.services[service]
            .blocked_flows
            .iter()
            .any(|b| b.1 == t)
        {
            return Some(Blame::Flow(s, t));
        }
        let phase = self.client_phase.get(&(s, r, t)).copied().unwrap_or(0);
        let state = &self.services[target];
        let sharded = self.plan.topology.services[target].mode == Mode::Sharded;
        let wanted = if sharded { u64::MAX } else { 1 << phase };
        for (other, view) in state.views.iter().enumerate() {
            if view & wanted == 0 {
                continue;
            }
            let from = self.plan.topology.services[service].replicas[replica].at;
            let leg = self.leg_to_replica(from, target, other);
            if let Some(blame) = leg.blame.or(state.replicas[other].well.blame.map(|b| b.0)) {
                return Some(blame);
            }
        }
        let down = state.shard_down.iter().position(|d| !d.is_empty());
        down.filter(|_| sharded).map(|i| Blame::Shard(t, i as u16))
    }

    /// From a node to a replica, both ways.
    pub(crate) fn leg_to_replica(&self, from: NodeId, service: usize, replica: usize) -> Leg {
        let spec = &self.plan.topology.services[service];
        let to = spec.replicas[replica].at;
        let (a, b) = (self.net.spot(from), self.net.spot(to));
        let mut leg = route::from_node(
            &mut self.trees.borrow_mut(),
            &self.net,
            &self.truth,
            from,
            to,
            self.services[service].networks,
        );
        leg.blame = leg.blame.or_else(|| self.barrier(a, b, service, replica));
        leg
    }

    /// Isolation of a replica, and cuts between places, seen from a spot.
    pub(crate) fn barrier(
        &self,
        from: usize,
        to: usize,
        service: usize,
        replica: usize,
    ) -> Option<Blame> {
        if from == to {
            return None;
        }
        let state = &self.services[service].replicas[replica];
        if state.isolated.iter().any(|i| !i.1.contains(&from)) {
            return Some(Blame::Isolated(service as u16, replica as u16));
        }
        self.cut_between(from, to)
            .or_else(|| self.cut_between(to, from))
            .map(Blame::Cut)
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
        let spec = &self.plan.topology.services[service];
        let up = |r: usize| self.process_up(service, r);
        up(a)
            && up(b)
            && self
                .leg_to_replica(spec.replicas[a].at, service, b)
                .blame
                .is_none()
            && self
                .barrier(
                    self.net.spot(spec.replicas[b].at),
                    self.net.spot(spec.replicas[a].at),
                    service,
                    a,
                )
                .is_none()
    }

    /// The process runs on a machine that works.
    pub(crate) fn process_up(&self, service: usize, replica: usize) -> bool {
        let at = self.plan.topology.services[service].replicas[replica].at;
        self.services[service].replicas[replica].down.is_empty()
            && self.truth.spot_up[self.net.spot(at)]
    }

    fn note_serving(&mut self, service: usize, replica: usize) {
        let now = self.now;
        let state = &self.services[service];
        let in_rotation = state.views[replica] != 0 || state.rotation & (1 << replica) != 0;
        let r = &state.replicas[replica];
        let serves = r.acts && r.well.blame.is_none() && in_rotation;
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

    /// Old primaries that can hear the new one will have heard after one latency.
    fn refresh_contact(&mut self, service: usize) {
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

    /// What each health check would see from now on.
    fn refresh_checks(&mut self) {
        let mut id = 0;
        for service in 0..self.services.len() {
            for replica in 0..self.services[service].checkers.len() {
                if let Some((seen, faults)) = self.check_sees(service, replica) {
                    let now = self.now;
                    let failing_before = self.services[service].checkers[replica].failing();
                    self.services[service].checkers[replica].on_seen(now, seen);
                    let state = &mut self.services[service];
                    if matches!(seen, Seen::Good(_)) {
                        let met = failing_before || state.checkers[replica].failing();
                        let faults = std::mem::take(&mut state.replicas[replica].seen_faults);
                        if met {
                            self.bite_all(&faults, || "a health check met it".into());
                        }
                    } else if !faults.is_empty() {
                        state.replicas[replica].seen_faults = faults;
                    }
                    let next = self.services[service].checkers[replica].next_wake();
                    self.wakes.arm(Wake::Checker(id), next);
                }
                id += 1;
            }
        }
    }

    /// `None` where every checker is itself out.
    fn check_sees(&mut self, service: usize, replica: usize) -> Option<(Seen, Vec<Fault>)> {
        let spec = &self.plan.topology.services[service];
        let check = &spec.failover.as_ref()?.check;
        let target = self.net.spot(spec.replicas[replica].at);
        let state = &self.services[service].replicas[replica];
        let lies = !state.lies.is_empty();
        let host_only = lies || check.probes == Probes::Host;
        let own = if !self.truth.spot_up[target] {
            Some(Blame::Spot(target))
        } else if state.down.is_empty() {
            self.hard_dependency(service, replica)
        } else {
            Some(Blame::Replica(service as u16, replica as u16))
        };
        let hidden = own.filter(|b| host_only && !matches!(b, Blame::Spot(_)));
        if let Some(blame) = hidden {
            let mut faults = self.faults_of(blame);
            if lies {
                faults.extend(&self.services[service].replicas[replica].lies);
                faults.sort_unstable();
                self.bite_all(&faults, || {
                    "a health check saw green while it was down".into()
                });
            }
        }
        let own = own.filter(|_| hidden.is_none());
        let mut votes: Vec<(Option<Blame>, Nanos)> = Vec::new();
        for from in &check.from {
            if !self.truth.spot_up[self.net.spot(*from)] {
                continue;
            }
            let leg = self.leg_to_replica(*from, service, replica);
            votes.push((leg.blame.or(own), leg.quality.latency * 2));
        }
        if check.from.is_empty() {
            votes.push((own, Nanos::ZERO));
        }
        if votes.is_empty() {
            return None;
        }
        let failed = votes.iter().filter(|v| v.0.is_some()).count();
        if failed * 2 <= votes.len() {
            let rtt = votes.iter().filter(|v| v.0.is_none()).map(|v| v.1).max();
            return Some((Seen::Good(rtt.unwrap_or_default()), Vec::new()));
        }
        let (blame, rtt) = votes.iter().find_map(|v| v.0.map(|b| (b, v.1)))?;
        let seen = match self.how(blame) {
            How::BlackHole => Seen::Silent,
            How::Refuse => Seen::Bad(rtt),
        };
        Some((seen, self.faults_of(blame)))
    }

    /// The first hard dependency that a replica lacks.
    fn hard_dependency(&self, service: usize, replica: usize) -> Option<Blame> {
        let depends = &self.plan.topology.services[service].depends;
        let hard = depends.all_of.iter().filter(|d| d.soft.is_none());
        let reach = |d: &assize_model::topology::Dependency| {
            self.reach_dependency(service, replica, d.service.index())
        };
        hard.map(reach).find(Option::is_some).flatten().or_else(|| {
            depends.any_of.iter().find_map(|choice| {
                let blames: Vec<_> = choice.iter().map(reach).collect();
                blames
                    .iter()
                    .all(Option::is_some)
                    .then(|| blames[0])
                    .flatten()
            })
        })
    }

    /// Who of the users of a spot reaches a service.
    fn refresh_entry(&mut self, id: usize) {
        if std::mem::take(&mut self.entries[id].legs_stale) {
            self.refresh_legs(id);
        }
        let service = self.entries[id].service.index();
        let (mut ok, mut refused) = (0u64, 0u64);
        let mut groups: Vec<(u16, u64)> = Vec::new();
        let mut clings: Vec<(u16, u64)> = Vec::new();
        let mut unreached = 0u64;
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
                    ok |= mask;
                    groups.push((replica, mask));
                }
                Some(blame) => {
                    if self.how(blame) == How::Refuse {
                        refused |= mask;
                    }
                    if self.entries[id].legs[usize::from(replica)].blame.is_some() {
                        unreached |= mask;
                    }
                    self.bite(blame, || "a request met it".into());
                }
            }
        }
        if unreached != 0 && self.services[service].failover.is_some() {
            let old = (0..self.services[service].replicas.len() as u16).find(|&r| {
                self.services[service].replicas[usize::from(r)].acts
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
        entry.clings = clings;
        let changed = entry.ok != ok || entry.refused != refused || entry.groups != groups;
        entry.ok = ok;
        entry.refused = refused;
        entry.groups = groups;
        if changed {
            self.entry_users_dirty(id);
        }
    }

    fn entry_users_dirty(&mut self, id: usize) {
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

    /// What stops a request over an entry to a replica.
    fn blame_at(&self, entry: usize, replica: u16) -> Option<Blame> {
        let entry = &self.entries[entry];
        let state = &self.services[entry.service.index()].replicas[usize::from(replica)];
        entry.legs[usize::from(replica)]
            .blame
            .or(state.well.blame.map(|b| b.0))
    }

    fn refresh_legs(&mut self, id: usize) {
        let service = self.entries[id].service.index();
        let replicas = self.services[service].replicas.len();
        for replica in 0..replicas {
            let leg = self.access_leg(id, service, replica);
            if self.entries[id].legs[replica].quality != leg.quality {
                self.entry_users_dirty(id);
            }
            self.entries[id].legs[replica] = leg;
        }
        self.bite_degraded(id);
    }

    /// From the sites of an entry over its access to a replica.
    fn access_leg(&self, id: usize, service: usize, replica: usize) -> Leg {
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
        leg.blame = leg
            .blame
            .or_else(|| self.barrier(entry.spot, self.net.spot(target), service, replica));
        leg
    }

    /// Journeys of the users of a spot.
    fn refresh_unit(&mut self, id: usize) {
        let out = self.evaluate(id);
        let unit = &mut self.units[id];
        let same = unit.steps.last().is_some_and(|last| {
            Out {
                at: out.at,
                ..*last
            } == out
        });
        if same {
            return;
        }
        match unit.steps.last_mut() {
            Some(last) if last.at == out.at => *last = out,
            _ => unit.steps.push(out),
        }
    }

    fn evaluate(&mut self, id: usize) -> Out {
        let now = self.now;
        let journey = self.units[id].journey;
        let mut mask = 0u64;
        let mut refused = 0u64;
        let mut factors: Option<Box<[u64; 64]>> = None;
        let mut part: Option<Box<[u64; 64]>> = None;
        let mut failed_so_far = u64::MAX;
        let mut acks: Vec<(assize_model::ServiceId, u16, u64)> = Vec::new();
        for rank in 0..self.units[id].accesses.len() {
            let mut eligible = u64::MAX;
            if let Some(change) = &mut self.units[id].accesses[rank].change {
                change.on_mask(now, failed_so_far);
                eligible = change.matured();
                let next = change.next_wake();
                let wake = self.units[id].accesses[rank].wake;
                self.wakes.arm(Wake::Change(wake), next);
            }
            let (asked_ok, leased, mut refused_here) = self.needs_met(id, rank);
            let (called_ok, quality) = self.calls_met(id, rank, journey, &mut refused_here);
            let ok = asked_ok & leased & called_ok;
            let served = eligible & ok & !mask;
            if served != 0 {
                self.units[id].accesses[rank].used = true;
                self.apply_quality(&quality, served, &mut factors);
                self.collect_acks(id, rank, served, &mut acks);
                mask |= served;
            }
            self.add_parts(
                id,
                rank,
                eligible & asked_ok & called_ok & !leased & !mask,
                &mut part,
            );
            if rank == 0 {
                refused = refused_here & !ok;
            }
            failed_so_far &= !ok;
        }
        self.open_acks(id, &acks);
        self.finish(id, mask, refused & !mask, factors, part)
    }

    /// Cohorts whose uncached needs answer, whose leases are valid, and whose tries are refused.
    fn needs_met(&self, id: usize, rank: usize) -> (u64, u64, u64) {
        let used = &self.units[id].accesses[rank];
        let (mut asked, mut leased, mut refused) = (u64::MAX, u64::MAX, 0);
        for &entry in &used.asked {
            asked &= self.entries[entry].ok;
            refused |= self.entries[entry].refused;
        }
        for &lease in &used.leases {
            leased &= self.leases[lease].cache.valid();
        }
        (asked, leased, refused)
    }

    /// Cohorts whose calls all answer in time, and the quality by cohort group.
    fn calls_met(
        &mut self,
        id: usize,
        rank: usize,
        journey: JourneyId,
        refused: &mut u64,
    ) -> (u64, Vec<(u64, Ppb)>) {
        let spec = self.plan.topology.journey(journey);
        let mut ok = u64::MAX;
        let mut quality = Vec::new();
        // Time already spent, by cohort group: a list of disjoint masks.
        let mut spent: Vec<(u64, Nanos)> = vec![(u64::MAX, Nanos::ZERO)];
        let calls = &self.units[id].accesses[rank].calls;
        let n = calls.len().max(1) as u64;
        for &call in calls {
            let entry = &self.entries[call];
            ok &= entry.ok;
            *refused |= entry.refused;
            let service = entry.service.index();
            for &(replica, mask) in &entry.groups {
                let leg = entry.legs[usize::from(replica)];
                let state = &self.services[service].replicas[usize::from(replica)];
                let q = degraded(leg.quality, &state.degrade);
                let (took, share) =
                    crate::timing::one_call(spec, &q, n, self.service_time(service));
                if share != Ppb::ONE {
                    quality.push((mask, share));
                }
                if took > Nanos::ZERO {
                    spent = spent
                        .into_iter()
                        .flat_map(|(m, t)| [(m & mask, t + took), (m & !mask, t)])
                        .filter(|s| s.0 != 0)
                        .collect();
                }
            }
        }
        let limit = spec.timeout.min(spec.retry.each);
        for (mask, time) in spent {
            if time > limit {
                ok &= !mask;
            } else if mask & ok != 0 {
                let worst = &mut self.units[id].worst;
                *worst = (*worst).max(time);
            }
        }
        (ok, quality)
    }

    fn service_time(&self, service: usize) -> Nanos {
        self.plan.topology.services[service].service_time
    }

    fn apply_quality(
        &self,
        quality: &[(u64, Ppb)],
        served: u64,
        factors: &mut Option<Box<[u64; 64]>>,
    ) {
        for &(mask, share) in quality {
            let factors = factors.get_or_insert_with(|| Box::new([1_000_000_000; 64]));
            for k in bits(mask & served) {
                factors[k] = route::times(Ppb(factors[k]), share).0;
            }
        }
    }

    /// Users of cohorts that are only partly through a storm.
    fn add_parts(&self, id: usize, rank: usize, mask: u64, part: &mut Option<Box<[u64; 64]>>) {
        let partial: Vec<usize> = self.units[id].accesses[rank]
            .leases
            .iter()
            .copied()
            .filter(|l| self.leases[*l].partial)
            .collect();
        if partial.is_empty() || mask == 0 {
            return;
        }
        let shares = part.get_or_insert_with(|| Box::new([0; 64]));
        for k in bits(mask) {
            let mut least = 1_000_000_000u64;
            for &lease in &self.units[id].accesses[rank].leases {
                let lease = &self.leases[lease];
                if lease.cache.valid() & (1 << k) == 0 {
                    let share = u128::from(lease.attached[k]) * 1_000_000_000;
                    least = least.min((share / u128::from(lease.users.max(1))) as u64);
                }
            }
            shares[k] = shares[k].max(least);
        }
    }

    fn finish(
        &mut self,
        id: usize,
        mask: u64,
        refused: u64,
        factors: Option<Box<[u64; 64]>>,
        part: Option<Box<[u64; 64]>>,
    ) -> Out {
        let now = self.now;
        let full = u64::from(mask.count_ones()) * 1_000_000_000;
        let mut normal = factors
            .as_ref()
            .map_or(full, |f| bits(mask).map(|k| f[k]).sum());
        let factor = normal
            .checked_div(u64::from(mask.count_ones()))
            .unwrap_or(1_000_000_000);
        let part_of = |k: usize| part.as_ref().map_or(0, |p| p[k]);
        normal += bits(!mask).map(part_of).sum::<u64>();
        let journey = self.plan.topology.journey(self.units[id].journey);
        let (mut paper, mut degraded) = (0, 0);
        if let (Some(machine), Some(spec)) = (&mut self.units[id].paper, &journey.otherwise) {
            machine.on_mask(now, !mask);
            paper = machine.matured();
            degraded = bits(paper)
                .map(|k| route::times(Ppb(1_000_000_000 - part_of(k)), spec.capacity).0)
                .sum();
            let next = machine.next_wake();
            self.wakes.arm(Wake::Paper(id), next);
        }
        Out {
            at: now,
            mask,
            refused,
            paper,
            normal,
            factor,
            degraded,
        }
    }

    /// A lease's server answers more or fewer of its holders.
    fn refresh_lease(&mut self, id: usize) {
        let now = self.now;
        let available = self.entries[self.leases[id].entry].ok;
        let change = self.leases[id].cache.on_available(now, available);
        self.after_lease_change(id, change);
    }

    fn refresh_queue_rate(&mut self, service: usize) {
        let now = self.now;
        let Some(capacity) = self.plan.topology.services[service].capacity else {
            return;
        };
        let left: u64 = self.services[service]
            .replicas
            .iter()
            .filter(|r| r.acts && r.well.blame.is_none())
            .map(|r| r.well.capacity.0)
            .sum();
        if left == self.services[service].queue_rate {
            return;
        }
        self.services[service].queue_rate = left;
        let faults: Vec<Fault> = self.services[service]
            .replicas
            .iter()
            .flat_map(|r| r.capacity.iter().map(|c| c.0))
            .collect();
        self.bite_all(&faults, || "requests met the smaller capacity".into());
        let mut done = Vec::new();
        if let Some(queue) = &mut self.services[service].queue {
            let micro = u128::from(capacity.micro) * u128::from(left) / 1_000_000_000;
            let rate = assize_fault::Rate {
                micro: micro as u64,
                per: capacity.per,
            };
            if left == 0 {
                queue.on_lost(now, &mut done);
            } else {
                queue.on_capacity(now, rate, 64);
            }
        }
        self.after_queue(service, done);
    }

    /// Records that something met a fault, the first time.
    pub(crate) fn bite(&mut self, blame: Blame, text: impl Fn() -> String) {
        if self.unbitten == 0 {
            return;
        }
        let faults = self.faults_of(blame);
        let what = self.describe(blame);
        self.bite_all(&faults, || format!("{}: {what}", text()));
    }

    pub(crate) fn bite_all(&mut self, faults: &[Fault], text: impl Fn() -> String) {
        for &fault in faults {
            if self.faults[fault].bite.is_none() {
                self.faults[fault].bite = Some((self.now, text()));
                self.unbitten -= 1;
            }
        }
    }

    pub(crate) fn decide(
        &mut self,
        kind: DecisionKind,
        subject: String,
        faults: Vec<Fault>,
        service: Option<usize>,
    ) {
        self.record.decisions.push(assize_model::journal::Decision {
            at: self.now,
            kind,
            subject,
            faults,
            service: service.map(assize_model::ServiceId::from),
        });
    }

    /// Queue of a service, if there is one.
    pub(crate) fn queue_mut(&mut self, service: usize) -> Option<&mut Queue> {
        self.services[service].queue.as_mut()
    }
}

/// A quality with the faults on it.
pub(crate) fn degraded(quality: Quality, faults: &[(Fault, Degrade)]) -> Quality {
    faults.iter().fold(quality, |q, (_, d)| {
        q.then(Quality {
            latency: d.latency,
            jitter: d.jitter,
            passes: d.loss.complement(),
            correct: d.errors.complement(),
            bandwidth: d.bandwidth,
        })
    })
}
