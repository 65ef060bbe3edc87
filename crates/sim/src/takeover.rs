//! What failover, return, restore and read-back do to services and their data.

use crate::data::{self, Content};
use crate::engine::Engine;
use crate::route::Blame;
use crate::state::{Fault, Restoring};
use crate::wakes::Wake;
use assize_control::FailoverAction;
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::journal::{DecisionKind, Restore};
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

    fn can_be_promoted(&self, service: usize, replica: usize) -> bool {
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
            }
        }
        let next = self.services[service]
            .failover
            .as_ref()
            .and_then(|f| f.next_wake());
        self.wakes.arm(Wake::Failover(service), next);
        self.services_dirty = true;
    }

    /// A planned return: the acting primary stops, and hands all of its writes over.
    fn demote(&mut self, service: usize, replica: u16) {
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
        self.services[service]
            .replicas
            .iter_mut()
            .for_each(|r| r.ships_since = None);
        self.services_dirty = true;
    }

    /// This replica is primary from now on, and clients are pointed there.
    fn promote(&mut self, service: usize, replica: u16) {
        let now = self.now;
        let r = usize::from(replica);
        let cause = self.cause_of_loss(service, r);
        if let Some(data) = &mut self.services[service].data {
            data.loss_fault = cause.or(data.loss_fault);
        }
        if !self.services[service].replicas[r].acts {
            self.sync_all(service);
            let state = &mut self.services[service];
            state.replicas[r].acts = true;
            if let Some(data) = &mut state.data {
                data.content[r] = data.content[r].until(now);
                data.content[r].writes_from(replica, now);
            }
            // What was being shipped came from the old primary.
            state.replicas.iter_mut().for_each(|x| x.ships_since = None);
        }
        self.services[service].source = replica;
        self.note_history(service);
        let at_once = self.services[service]
            .names
            .on_record(now, [replica as u8; 64]);
        self.after_names(service, at_once);
        // A return home is no recovery: what it costs shows at the end.
        if replica != self.services[service].home {
            self.read_back_when_settled(service);
        }
        self.services_dirty = true;
    }

    /// The faults that took the old primary away.
    fn cause_of_loss(&self, service: usize, new: usize) -> Option<Fault> {
        let replicas = &self.services[service].replicas;
        let old = (0..replicas.len()).find(|&r| r != new && replicas[r].acts)?;
        replicas[old].seen_faults.first().copied()
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
            actions.retain(|a| !matches!(a, FailoverAction::Demote(_)));
            self.carry_out(service, actions);
            self.note_history(service);
        }
        self.services_dirty = true;
        let next = self.services[service]
            .replicas
            .iter()
            .filter_map(|r| r.contact_at)
            .min();
        self.wakes.arm(Wake::Contact(service), next);
    }

    /// Which replicas get shipments from the primary.
    pub(crate) fn refresh_shipping(&mut self, service: usize) {
        let spec = &self.plan.topology.services[service];
        let Some(replication) = spec.state.as_ref().and_then(|s| s.replication) else {
            return;
        };
        if self.services[service].failover.is_none() {
            return;
        }
        let primary = self.primary(service);
        for r in (0..spec.replicas.len()).filter(|r| *r != primary) {
            self.note_latency(service, primary, r);
            let stopped: Vec<Fault> = [r, primary]
                .iter()
                .flat_map(|x| self.services[service].replicas[*x].no_replication.clone())
                .collect();
            for &fault in &stopped {
                if self.unbitten > 0 && self.shipment_due_within(fault, replication) {
                    self.bite_all(&[fault], || "a shipment was due".into());
                }
            }
            let flows = self.services[service].blocked_flows.iter();
            let flow_cut = flows.clone().any(|b| usize::from(b.1) == service);
            let leg = self.leg_to_replica(spec.replicas[primary].at, service, r);
            let waiting = self.services[service].replicas[primary].acts;
            if let Some(blame) = leg.blame.filter(|_| waiting && self.unbitten > 0) {
                self.bite(blame, || "a shipment of data met it".into());
            }
            let ships = self.services[service].replicas[primary].acts
                && !self.services[service].replicas[r].acts
                && stopped.is_empty()
                && !flow_cut
                && self.process_up(service, primary)
                && self.process_up(service, r)
                && self.ships_along(service, primary, r);
            match (ships, self.services[service].replicas[r].ships_since) {
                (true, None) => self.services[service].replicas[r].ships_since = Some(self.now),
                (false, Some(_)) => {
                    self.sync(service, primary, r, replication, true);
                    self.services[service].replicas[r].ships_since = None;
                }
                _ => {}
            }
        }
    }

    /// Whether a shipment falls due while a fault is on.
    fn shipment_due_within(&self, fault: Fault, replication: Replication) -> bool {
        let spec = &self.plan.scenario.faults[fault];
        match replication {
            Replication::Sync => true,
            Replication::Async { every, phase } => {
                let due = self.now + (phase - self.now) % every.max(Nanos(1));
                !spec.bounded || due < spec.until
            }
        }
    }

    /// Packets from one replica arrive at another (one way is enough to ship).
    fn ships_along(&self, service: usize, from: usize, to: usize) -> bool {
        let spec = &self.plan.topology.services[service];
        let (a, b) = (spec.replicas[from].at, spec.replicas[to].at);
        let (a, b) = (self.net.spot(a), self.net.spot(b));
        let leg = self.leg_to_replica(spec.replicas[from].at, service, to);
        let cut_the_other_way_only = self.cut_between(a, b).is_none();
        match leg.blame {
            None => self.barrier_alone(service, from, b),
            Some(Blame::Cut(_)) => cut_the_other_way_only,
            Some(_) => false,
        }
    }

    /// Isolation of the sending replica does not keep it from the receiver's place.
    fn barrier_alone(&self, service: usize, replica: usize, other: usize) -> bool {
        let at = self.plan.topology.services[service].replicas[replica].at;
        self.net.spot(at) == other
            || self.services[service].replicas[replica]
                .isolated
                .iter()
                .all(|i| i.1.contains(&other))
    }

    /// Brings what the standbys hold up to now.
    pub(crate) fn sync_all(&mut self, service: usize) {
        let spec = &self.plan.topology.services[service];
        let Some(replication) = spec.state.as_ref().and_then(|s| s.replication) else {
            return;
        };
        if self.services[service].failover.is_none() {
            return;
        }
        let primary = self.primary(service);
        for r in (0..spec.replicas.len()).filter(|r| *r != primary) {
            self.sync(service, primary, r, replication, false);
        }
    }

    /// Brings what one copy holds up to now. `stopped`: shipping stops at this very instant, and
    /// what would have arrived with it does not.
    fn sync(
        &mut self,
        service: usize,
        from: usize,
        to: usize,
        replication: Replication,
        stopped: bool,
    ) {
        let now = self.now;
        let by = if stopped { now - Nanos(1) } else { now };
        let Some(since) = self.services[service].replicas[to].ships_since else {
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
        if let Some(data) = &mut self.services[service].data {
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
    fn usual_latency(&self, now: Nanos, service: usize, from: usize, to: usize) -> Nanos {
        if now > Nanos::ZERO {
            return now;
        }
        self.record
            .latencies
            .get(&(service, from, to))
            .copied()
            .unwrap_or(now)
    }

    fn note_latency(&mut self, service: usize, from: usize, to: usize) {
        let spec = &self.plan.topology.services[service];
        let leg = self.leg_to_replica(spec.replicas[from].at, service, to);
        if leg.blame.is_none() {
            self.record
                .latencies
                .insert((service, from, to), leg.quality.latency);
        }
    }

    /// Damage reaches synchronous copies at once; later shipments carry it to the others.
    pub(crate) fn spread_damage(&mut self, service: usize, replica: u16) {
        let spec = &self.plan.topology.services[service];
        let sync = spec.state.as_ref().and_then(|s| s.replication) == Some(Replication::Sync);
        let multi = matches!(spec.mode, Mode::ActiveActive | Mode::Sharded);
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
                && state.replicas[r].ships_since.is_some();
            if multi || (sync && copy) {
                content.damaged = damaged.filter(|d| *d <= now);
                content.deleted = deleted;
            }
        }
    }

    pub(crate) fn note_history(&mut self, service: usize) {
        let now = self.now;
        let primary = self.primary(service);
        if let Some(data) = &mut self.services[service].data {
            let content = data.content[primary].clone();
            data.history.push((now, content));
        }
    }

    /// The replica whose writes count.
    pub(crate) fn primary(&self, service: usize) -> usize {
        usize::from(self.services[service].source)
    }

    /// Restores from the newest backup that can be used. Returns what came of it.
    pub(crate) fn begin_restore(&mut self, service: usize) -> String {
        let now = self.now;
        let spec = &self.plan.topology.services[service];
        let Some(state) = &spec.state else {
            return "this service keeps no data".into();
        };
        let primary = self.primary(service);
        let to = spec.replicas[primary].at;
        let networks = self.services[service].networks;
        let reachable = |schedule: usize| {
            let backup = &state.backups[schedule];
            let place = self.net.spot(backup.kept_at);
            let leg = crate::route::from_node(
                &mut self.trees.borrow_mut(),
                &self.net,
                &self.truth,
                backup.kept_at,
                to,
                networks,
            );
            // What is kept offline is carried by hand, if its place is not itself lost.
            self.truth.spot_up[place] && (backup.offline || leg.blame.is_none())
        };
        let Some(data) = &self.services[service].data else {
            return String::new();
        };
        let damage = data.damage.map(|d| d.0);
        let Some(chosen) = data.backups.choose(now, damage, reachable) else {
            self.bite_vaults(service);
            return "no backup can be restored".into();
        };
        let run = *data.backups.run(chosen);
        let takes = state.backups[run.schedule].restore_takes;
        let until = now + takes;
        if let Some(data) = &mut self.services[service].data {
            data.restoring = Some(Restoring {
                backup: chosen,
                from: now,
                until,
            });
        }
        self.wakes.arm(Wake::Restore(service), Some(until));
        self.touch_service(service);
        format!(
            "restoring {} of {} ago, for {takes}",
            state.backups[run.schedule].id,
            now - run.began
        )
    }

    /// The faults that keep every backup out of reach.
    fn bite_vaults(&mut self, service: usize) {
        let spec = &self.plan.topology.services[service];
        let places: Vec<_> = spec
            .state
            .iter()
            .flat_map(|s| &s.backups)
            .map(|b| b.kept_at)
            .collect();
        for place in places {
            if let Some(blame) = self.vault_blame(service, place) {
                self.bite(blame, || "a restore met it".into());
            }
        }
    }

    /// What keeps the primary of a service from the place of a backup.
    fn vault_blame(&self, service: usize, place: assize_model::NodeId) -> Option<Blame> {
        let to = self.plan.topology.services[service].replicas[self.primary(service)].at;
        let leg = crate::route::from_node(
            &mut self.trees.borrow_mut(),
            &self.net,
            &self.truth,
            place,
            to,
            self.services[service].networks,
        );
        leg.blame
    }

    /// A backup begins or is complete: it is made only where its source is up and reaches the
    /// place where it is kept. One that is made while it is made badly looks like any other.
    pub(crate) fn on_backup(&mut self, service: usize) {
        let now = self.now;
        let due: Vec<(usize, bool)> = self.services[service]
            .data
            .as_ref()
            .map_or_else(Vec::new, |d| d.backups.at(now));
        for (run, begins) in due {
            let primary = self.primary(service);
            let Some(data) = &self.services[service].data else {
                return;
            };
            let schedule = data.backups.run(run).schedule;
            let state = self.plan.topology.services[service].state.as_ref();
            let Some(backup) = state.and_then(|s| s.backups.get(schedule)) else {
                continue;
            };
            let spot = self.net.spot(backup.kept_at);
            let mut blame = None;
            if !self.truth.spot_up[spot] {
                blame = Some(Blame::Spot(spot));
            } else if !self.process_up(service, primary) {
                blame = Some(Blame::Replica(service as u16, primary as u16));
            } else if !backup.offline {
                blame = self.vault_blame(service, backup.kept_at);
            }
            if let Some(blame) = blame {
                self.bite(blame, || "a backup met it".into());
                if let Some(data) = &mut self.services[service].data {
                    data.backups.on_not_made(run);
                }
            } else if begins {
                let bad = self.services[service].bad_backup.clone();
                self.bite_all(&bad, || "a backup began while it was on".into());
            }
        }
        self.arm_backup(service);
    }

    pub(crate) fn arm_backup(&mut self, service: usize) {
        let now = self.now;
        let next = self.services[service]
            .data
            .as_ref()
            .and_then(|d| d.backups.next_after(now));
        self.wakes.arm(Wake::Backup(service), next);
    }

    /// A restore is through: the data is good again as of the backup's beginning, or the
    /// backup turns out to be bad and the one before it is tried.
    pub(crate) fn on_restore(&mut self, service: usize) {
        let now = self.now;
        let Some(restoring) = self.services[service]
            .data
            .as_mut()
            .and_then(|d| d.restoring.take())
        else {
            return;
        };
        let primary = self.primary(service);
        let Some(data) = &mut self.services[service].data else {
            return;
        };
        debug_assert!(restoring.until <= now);
        let run = *data.backups.run(restoring.backup);
        self.record.restores.push(Restore {
            service: ServiceId::from(service),
            backup: run.schedule,
            point: run.began,
            from: restoring.from,
            to: now,
            good: run.good,
        });
        if run.good {
            let mut content = data.held_at(run.began);
            content.writes_from(primary as u16, now);
            for (r, held) in data.content.iter_mut().enumerate() {
                *held = if r == primary {
                    content.clone()
                } else {
                    content.until(now)
                };
            }
            data.damage = None;
            self.note_history(service);
            self.read_back_when_settled(service);
        } else {
            data.backups.on_found_bad(restoring.backup);
            let bad: Vec<Fault> = data
                .bad_windows
                .iter()
                .filter(|w| w.1 <= run.began && run.began < w.2)
                .map(|w| w.0)
                .collect();
            self.bite_all(&bad, || "a bad backup was chosen".into());
            self.begin_restore(service);
        }
        self.touch_service(service);
    }

    /// Ledgers are read back when the last client has followed the change.
    fn read_back_when_settled(&mut self, service: usize) {
        if self.services[service].data.is_none() {
            return;
        }
        let ttl = self.plan.topology.services[service]
            .failover
            .as_ref()
            .map_or(Nanos::ZERO, |f| f.dns_ttl);
        let at = self.now + ttl;
        self.services[service].read_back_at = Some(at);
        self.wakes.arm(Wake::ReadBack(service), Some(at));
    }
}

impl crate::state::DataState {
    /// What the primary held at an instant.
    fn held_at(&self, at: Nanos) -> Content {
        let entry = self
            .history
            .iter()
            .rev()
            .find(|h| h.0 <= at)
            .or(self.history.first());
        let mut content = entry.map_or_else(Content::default, |h| h.1.until(at));
        content.damaged = content.damaged.filter(|d| *d <= at);
        content
    }
}
