//! What failover, return, restore and read-back do to services and their data.

use crate::data::{self};
use crate::engine::Engine;
use crate::wakes::Wake;
use assize_control::FailoverAction;
use assize_control::fabric::{Fault, Instance};
use assize_fault::Nanos;
use assize_model::journal::DecisionKind;
use assize_model::topology::{Mode, Rejoin, Replication};

impl Engine<'_> {
    pub(crate) fn on_failover(&mut self, service: usize) {
        let now = self.now;
        let can: Vec<bool> = (0..self.services[service].replicas.len())
            .map(|r| self.can_be_promoted(service, r))
            .collect();
        let mut actions = Vec::new();
        if let Some(machine) = &mut self.services[service].failover {
            machine.on_wake(now, |r| can[usize::from(r)], &mut actions);
        }
        self.carry_out(service, actions);
    }

    pub(crate) fn can_be_promoted(&self, service: usize, replica: usize) -> bool {
        self.process_up(service, replica)
            && self.services[service].replicas[replica]
                .no_promotion
                .is_empty()
            && (self.plan.topology.services[service].mode != Mode::Quorum
                || self.has_majority(service, replica))
    }

    /// Carries out what the failover machine has decided.
    pub(crate) fn carry_out(&mut self, service: usize, actions: Vec<FailoverAction>) {
        for action in actions {
            let (FailoverAction::Begin(r)
            | FailoverAction::Promoted(r)
            | FailoverAction::Failed(r)
            | FailoverAction::Demote(r)
            | FailoverAction::FailedBack(r)) = action;
            let home = self.services[service].home;
            let kind = match action {
                FailoverAction::Begin(r) if r == home => DecisionKind::FailBackBegun,
                FailoverAction::Begin(_) => DecisionKind::PromotionBegun,
                FailoverAction::Promoted(_) => DecisionKind::Promoted,
                FailoverAction::FailedBack(_) => DecisionKind::FailedBack,
                FailoverAction::Failed(_) => DecisionKind::PromotionFailed,
                FailoverAction::Demote(_) => {
                    self.demote(service, r);
                    continue;
                }
            };
            let spec = &self.plan.topology.services[service];
            let subject = format!("service/{}/{}", spec.id, spec.replicas[usize::from(r)].id);
            let mut faults = Vec::new();
            if matches!(action, FailoverAction::Begin(_) | FailoverAction::Failed(_)) {
                faults.clone_from(&self.services[service].replicas[usize::from(r)].no_promotion);
                self.bite_all(&faults, || "a promotion was tried".into());
            }
            self.decide(kind, subject, faults, Some(service));
            if matches!(
                action,
                FailoverAction::Promoted(_) | FailoverAction::FailedBack(_)
            ) {
                self.promote(service, r);
                self.note_outcome(service, ", done", true);
            }
            if matches!(action, FailoverAction::Failed(_)) {
                self.note_outcome(service, ", failed", true);
            }
        }
        let next = self.services[service]
            .failover
            .as_ref()
            .and_then(|f| f.next_wake());
        self.wakes.arm(Wake::Failover(service), next);
        self.touched.push(service);
    }

    /// A planned return: the acting primary stops, and hands all of its writes over.
    pub(crate) fn demote(&mut self, service: usize, replica: u16) {
        let now = self.now;
        self.sync_all(service);
        self.services[service].replicas[usize::from(replica)].acts = false;
        let meets: Vec<bool> = (0..self.services[service].replicas.len())
            .map(|r| {
                self.services[service].replicas[r].no_replication.is_empty()
                    && self.replicas_meet(service, usize::from(replica), r)
            })
            .collect();
        if let Some(data) = &mut self.services[service].data {
            let content = data.content[usize::from(replica)].until(now);
            for (r, held) in data.content.iter_mut().enumerate() {
                if meets[r] {
                    *held = content.clone();
                }
            }
        }
        // Nothing older than what was just handed over is shipped after it.
        self.stop_shipping(service);
        self.touched.push(service);
    }

    /// This replica is primary from now on, and clients are pointed there.
    pub(crate) fn promote(&mut self, service: usize, replica: u16) {
        let now = self.now;
        let r = usize::from(replica);
        let cause = self.cause_of_loss(service, r);
        if !self.services[service].replicas[r].acts {
            self.sync_all(service);
            let state = &mut self.services[service];
            state.replicas[r].acts = true;
            if let Some(data) = &mut state.data {
                data.content[r] = data.content[r].until(now);
                data.content[r].writes_from(replica, now);
            }
            // What was being shipped came from the old primary.
            self.stop_shipping(service);
        }
        self.services[service].source = replica;
        self.note_history(service);
        let at_once = self.services[service]
            .names
            .on_record(now, [replica as u8; 64]);
        self.after_names(service, at_once);
        // Who stays with an old primary reads old values from now on.
        for i in 0..self.services[service].entries.len() {
            self.entry_users_dirty(self.services[service].entries[i]);
        }
        self.note_loss(service, cause);
        // A return home is no recovery: what it costs shows at the end.
        if replica != self.services[service].home {
            self.read_back_when_settled(service);
        }
        self.touched.push(service);
    }

    /// No shipment that is under way arrives any more.
    pub(crate) fn stop_shipping(&mut self, service: usize) {
        let replicas = self.services[service].replicas.iter_mut();
        replicas.for_each(|r| r.ships_since.fill(None));
    }

    /// The faults that took the old primary away.
    pub(crate) fn cause_of_loss(&self, service: usize, new: usize) -> Option<Fault> {
        let replicas = &self.services[service].replicas;
        let old = (0..replicas.len()).find(|&r| r != new && replicas[r].acts)?;
        // A check that lies has seen nothing: then it is what keeps the old primary from serving.
        let old = &replicas[old];
        let seen = old.seen_first.filter(|_| !old.seen_faults.is_empty());
        seen.or_else(|| {
            let (blame, _) = old.well.blame?;
            self.plan.scenario.first_of(&self.faults_of(blame))
        })
    }

    /// Old primaries that have met the new one.
    pub(crate) fn on_contact(&mut self, service: usize) {
        let now = self.now;
        for old in 0..self.services[service].replicas.len() {
            if self.services[service].replicas[old]
                .contact_at
                .is_none_or(|at| at > now)
            {
                continue;
            }
            self.services[service].replicas[old].contact_at = None;
            let cause = self.services[service].replicas[old].seen_first;
            self.sync_all(service);
            let mut actions = Vec::new();
            let Some(machine) = &mut self.services[service].failover else {
                continue;
            };
            let primary = usize::from(machine.primary());
            let rejoin = machine.on_contact(now, old as u16, &mut actions);
            let state = &mut self.services[service];
            let (winner, loser) = match rejoin {
                Rejoin::AsPrimary => (old, primary),
                Rejoin::Rewind | Rejoin::Merge => (primary, old),
            };
            state.replicas[loser].acts = false;
            if let Some(data) = &mut state.data {
                if rejoin == Rejoin::Merge {
                    let handed_over = data.content[loser].until(now);
                    data.content[winner].merge(&handed_over);
                }
                data.content[loser] = data.content[winner].until(now);
            }
            // The loser's writes, if any are gone, are gone from here on.
            state.source = winner as u16;
            self.note_loss(service, cause);
            actions.retain(|a| !matches!(a, FailoverAction::Demote(_)));
            self.carry_out(service, actions);
            self.note_history(service);
        }
        self.touched.push(service);
        let next = self.services[service]
            .replicas
            .iter()
            .filter_map(|r| r.contact_at)
            .min();
        self.wakes.arm(Wake::Contact(service), next);
    }

    /// Which replica ships to which: the primary to all others; where several take writes and
    /// do not wait for each other, each to each.
    fn shipments(&self, service: usize) -> Vec<(usize, usize)> {
        let replication = self.replication(service);
        let n = self.services[service].replicas.len();
        let to_all = |from: usize| {
            (0..n)
                .filter(move |to| *to != from)
                .map(move |to| (from, to))
        };
        if self.services[service].failover.is_some() {
            return to_all(self.primary(service)).collect();
        }
        if self.has_many_writers(service) && replication != Some(Replication::Sync) {
            return (0..n).flat_map(to_all).collect();
        }
        Vec::new()
    }

    pub(crate) fn replication(&self, service: usize) -> Option<Replication> {
        let state = self.plan.topology.services[service].state.as_ref();
        state.and_then(|s| s.replication)
    }

    pub(crate) fn has_many_writers(&self, service: usize) -> bool {
        let mode = self.plan.topology.services[service].mode;
        matches!(mode, Mode::ActiveActive | Mode::Sharded)
    }

    /// Which replicas get shipments.
    pub(crate) fn refresh_shipping(&mut self, service: usize) {
        let Some(replication) = self.replication(service) else {
            return;
        };
        for (from, to) in self.shipments(service) {
            self.note_latency(service, from, to);
            let ships = self.ships(service, from, to, replication);
            match (ships, self.services[service].replicas[to].ships_since[from]) {
                (true, None) => {
                    self.services[service].replicas[to].ships_since[from] = Some(self.now);
                }
                (false, Some(_)) => {
                    self.sync(service, from, to, replication, true);
                    self.services[service].replicas[to].ships_since[from] = None;
                }
                _ => {}
            }
        }
    }

    /// Whether shipments arrive; what keeps them from it has been met.
    fn ships(&mut self, service: usize, from: usize, to: usize, how: Replication) -> bool {
        let state = &self.services[service];
        let (acts, acts_too) = (state.replicas[from].acts, state.replicas[to].acts);
        let of_both = [to, from].into_iter();
        let stopped: Vec<Fault> = of_both
            .flat_map(|x| state.replicas[x].no_replication.clone())
            .collect();
        let flow_cut = self.fabric.is_flow_blocked(service, service);
        for &fault in &stopped {
            if self.unbitten > 0 && self.shipment_due_within(fault, how) {
                self.bite_all(&[fault], || "a shipment was due".into());
            }
        }
        let at = self.plan.topology.services[service].replicas[from].at;
        if self.unbitten > 0
            && acts
            && let Some(stop) = self.leg_to_replica(at, service, to).stop
        {
            self.bite(stop.into(), || "a shipment of data met it".into());
        }
        acts && (!acts_too || self.has_many_writers(service))
            && stopped.is_empty()
            && !flow_cut
            && self.process_up(service, from)
            && self.process_up(service, to)
            && self
                .fabric
                .carries_one_way(Instance::new(service, from), Instance::new(service, to))
    }

    /// Whether a shipment falls due while a fault is on.
    pub(crate) fn shipment_due_within(&self, fault: Fault, replication: Replication) -> bool {
        let spec = &self.plan.scenario.faults[fault];
        match replication {
            Replication::Sync => true,
            Replication::Async { every, phase } => {
                let due = self.now + (phase - self.now) % every.max(Nanos(1));
                !spec.bounded || due < spec.until
            }
        }
    }

    /// Brings what the copies hold up to now.
    pub(crate) fn sync_all(&mut self, service: usize) {
        let Some(replication) = self.replication(service) else {
            return;
        };
        for (from, to) in self.shipments(service) {
            self.sync(service, from, to, replication, false);
        }
    }

    /// Brings what one copy holds up to now. `stopped`: shipping stops at this very instant, and
    /// what would have arrived with it does not.
    pub(crate) fn sync(
        &mut self,
        service: usize,
        from: usize,
        to: usize,
        replication: Replication,
        stopped: bool,
    ) {
        let now = self.now;
        let by = if stopped { now - Nanos(1) } else { now };
        let Some(since) = self.services[service].replicas[to].ships_since[from] else {
            return;
        };
        let spec = &self.plan.topology.services[service];
        let at = match replication {
            Replication::Sync => Some(now),
            Replication::Async { every, phase } => {
                let leg = self.leg_to_replica(spec.replicas[from].at, service, to);
                let latency = self.usual_latency(leg.quality.latency, service, from, to);
                data::last_shipment(every, phase, since, latency, by)
            }
        };
        let Some(at) = at else { return };
        let many = self.has_many_writers(service);
        if let Some(data) = &mut self.services[service].data {
            if many {
                let shipped = data.content[from].clone();
                data.content[to].receive(from as u16, &shipped, at);
                return;
            }
            let damaged = data.content[to].damaged;
            let deleted = data.content[to].deleted;
            data.content[to] = data.content[from].until(at);
            // What has been damaged at the copy itself does not heal by new writes.
            if damaged.is_some() {
                data.content[to].damaged = damaged.min(data.content[to].damaged.or(damaged));
                data.content[to].deleted |= deleted;
            }
        }
    }

    /// The latency of shipments; while the path is down it has none, and what counts is what it
    /// was when the last shipment left.
    pub(crate) fn usual_latency(
        &self,
        now: Nanos,
        service: usize,
        from: usize,
        to: usize,
    ) -> Nanos {
        if now > Nanos::ZERO {
            return now;
        }
        self.record
            .latencies
            .get(&(service, from, to))
            .copied()
            .unwrap_or(now)
    }

    pub(crate) fn note_latency(&mut self, service: usize, from: usize, to: usize) {
        let spec = &self.plan.topology.services[service];
        let leg = self.leg_to_replica(spec.replicas[from].at, service, to);
        if leg.stop.is_none() {
            self.record
                .latencies
                .insert((service, from, to), leg.quality.latency);
        }
    }

    /// Damage reaches synchronous copies at once; later shipments carry it to the others.
    pub(crate) fn spread_damage(&mut self, service: usize, replica: u16) {
        let sync = self.replication(service) == Some(Replication::Sync);
        let many = self.has_many_writers(service);
        let now = self.now;
        let state = &mut self.services[service];
        let Some(data) = &mut state.data else { return };
        let (damaged, deleted) = {
            let content = &data.content[usize::from(replica)];
            (content.damaged, content.deleted)
        };
        for (r, content) in data.content.iter_mut().enumerate() {
            let copy = r != usize::from(replica)
                && replica == state.source
                && state.replicas[r].ships_since[usize::from(replica)].is_some();
            if sync && (many || copy) {
                content.damaged = damaged.filter(|d| *d <= now);
                content.deleted = deleted;
            }
        }
    }

    /// Puts down what a backup that begins from now on would hold.
    pub(crate) fn note_history(&mut self, service: usize) {
        let now = self.now;
        let Some(data) = &self.services[service].data else {
            return;
        };
        let mut copies = self.readable(service, data).into_iter();
        let mut content = copies.next().cloned().unwrap_or_default();
        copies.for_each(|other| content.merge(other));
        if let Some(data) = &mut self.services[service].data {
            data.history.push((now, content));
        }
    }

    /// The replica whose writes count.
    pub(crate) fn primary(&self, service: usize) -> usize {
        usize::from(self.services[service].source)
    }
}
