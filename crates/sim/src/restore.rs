//! Backups that are made or not, and restores from them.

use crate::blame::Blame;
use crate::data::Content;
use crate::engine::Engine;
use crate::state::Restoring;
use crate::wakes::Wake;
use assize_control::fabric::{Fault, Instance, Stop, put_with, times};
use assize_fault::{Nanos, Ppb};
use assize_model::ServiceId;
use assize_model::journal::Restore;
use assize_model::topology::{Backup, Replication};

impl Engine<'_> {
    /// Restores from the newest backup that can be used. Returns what came of it.
    pub(crate) fn begin_restore(&mut self, service: usize) -> String {
        let now = self.now;
        let spec = &self.plan.topology.services[service];
        let Some(state) = &spec.state else {
            return "this service keeps no data".into();
        };
        let reachable = |schedule: usize| {
            let backup = &state.backups[schedule];
            // What is kept offline is carried by hand, if its place is not itself lost.
            let place = self.fabric.net().spot(backup.kept_at);
            self.fabric.truth().spot_up[place]
                && (backup.offline || self.vault_blame(service, backup.kept_at).is_none())
                && self.lacks(service, backup).is_none()
        };
        let Some(data) = &self.services[service].data else {
            return String::new();
        };
        let damage = data.damage.map(|d| d.0);
        let Some(chosen) = data.backups.choose(now, damage, reachable) else {
            self.bite_vaults(service);
            if let Some(data) = &mut self.services[service].data {
                data.restore_waits = true;
            }
            return "no backup can be restored yet".into();
        };
        let run = *data.backups.run(chosen);
        let left = self.restore_rate_left(service);
        let takes = slower(state.backups[run.schedule].restore_takes, Ppb::ONE, left);
        let until = now + takes;
        if let Some(data) = &mut self.services[service].data {
            data.restore_waits = false;
            data.restoring = Some(Restoring {
                backup: chosen,
                from: now,
                until,
            });
        }
        self.wakes.arm(Wake::Restore(service), Some(until));
        self.bite_slow_restore(service);
        self.touch_service(service);
        format!(
            "restoring {} of {} ago, for {takes}",
            state.backups[run.schedule].id,
            now - run.began
        )
    }

    /// The share of the restore rate that faults leave.
    fn restore_rate_left(&self, service: usize) -> Ppb {
        let faults = self.services[service].restore_left.iter();
        let left = faults.fold(Ppb::ONE, |left, f| times(left, f.1));
        left.max(Ppb(1))
    }

    fn bite_slow_restore(&mut self, service: usize) {
        let faults = self.services[service].restore_left.iter();
        let faults: Vec<Fault> = faults.map(|f| f.0).collect();
        self.bite_all(&faults, || "a restore went slower".into());
    }

    /// Restores of a service become slower or faster, and the one under way with them.
    pub(crate) fn slow_restore(&mut self, fault: Fault, service: usize, left: Ppb, on: bool) {
        let before = self.restore_rate_left(service);
        put_with(&mut self.services[service].restore_left, fault, left, on);
        let after = self.restore_rate_left(service);
        let now = self.now;
        let data = self.services[service].data.as_mut();
        if let Some(restoring) = data.and_then(|d| d.restoring.as_mut()) {
            restoring.until = now + slower(restoring.until - now, before, after);
            let until = restoring.until;
            self.wakes.arm(Wake::Restore(service), Some(until));
            self.bite_slow_restore(service);
        }
    }

    /// The faults that keep every backup out of reach.
    pub(crate) fn bite_vaults(&mut self, service: usize) {
        let spec = &self.plan.topology.services[service];
        for backup in spec.state.iter().flat_map(|s| &s.backups) {
            let vault = self.vault_blame(service, backup.kept_at);
            let blames = [
                vault.filter(|_| !backup.offline),
                self.lacks(service, backup),
            ];
            for blame in blames.into_iter().flatten() {
                self.bite(blame, || "a restore met it".into());
            }
        }
    }

    /// A restore that found no backup that it could use begins when it can.
    pub(crate) fn retry_restore(&mut self, service: usize) {
        let waits = self.services[service].data.as_ref();
        if waits.is_some_and(|d| d.restore_waits) {
            let outcome = self.begin_restore(service);
            self.note_outcome(service, &format!("; then {outcome}"), false);
        }
    }

    /// What a restore from a backup needs and does not reach.
    fn lacks(&self, service: usize, backup: &Backup) -> Option<Blame> {
        let primary = self.primary(service);
        let mut needs = backup.needs.iter();
        needs.find_map(|need| self.reach(service, primary, need.index()).err())
    }

    /// What keeps the primary of a service from the place of a backup.
    pub(crate) fn vault_blame(&self, service: usize, place: assize_model::NodeId) -> Option<Blame> {
        let primary = Instance::new(service, self.primary(service));
        self.fabric
            .leg_to_vault(primary, place)
            .stop
            .map(Blame::Way)
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
            let spot = self.fabric.net().spot(backup.kept_at);
            let mut blame = None;
            if !self.fabric.truth().spot_up[spot] {
                blame = Some(Stop::Spot(spot).into());
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
                if self.has_many_writers(service) {
                    // What it holds of the others is what has been shipped by now.
                    self.sync_all(service);
                    self.note_history(service);
                }
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
        let many = self.has_many_writers(service);
        let sync = many && self.replication(service) == Some(Replication::Sync);
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
            let cause = data.damage.take().map(|d| d.1);
            if sync {
                (0..data.content.len() as u16).for_each(|r| content.writes_from(r, now));
            }
            for (r, held) in data.content.iter_mut().enumerate() {
                *held = content.clone();
                if !sync && (r == primary || many) {
                    held.writes_from(r as u16, now);
                }
            }
            self.note_history(service);
            self.note_loss(service, cause);
            self.note_outcome(service, ", done", true);
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
            let outcome = self.begin_restore(service);
            self.note_outcome(service, &format!(", which was bad; {outcome}"), false);
        }
        self.touch_service(service);
    }
}

/// The time that is left of a restore when its rate goes from one share to another.
fn slower(left: Nanos, before: Ppb, after: Ppb) -> Nanos {
    let ns = i128::from(left.0.max(0)) * i128::from(before.0) / i128::from(after.0.max(1));
    Nanos(i64::try_from(ns).unwrap_or(Nanos::NEVER.0)).min(Nanos::NEVER)
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
