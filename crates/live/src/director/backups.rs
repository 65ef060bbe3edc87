//! Backups made in the run, and restores from them.

use super::{Director, Report};
use crate::flows::{End, Origin};
use crate::replica::{BackupReport, Effect, Trouble, Work};
use assize_control::Failover;
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::journal::Restore;
use assize_model::observation::Observation;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Bounds one backup or restore, on the wall.
const PATIENCE: Duration = Duration::from_secs(1_800);

impl Director<'_> {
    /// The newest backup of each schedule that would exist at the start is made, before anything
    /// else happens.
    pub(crate) fn make_first_backups(&mut self) {
        for service in 0..self.services.len() {
            let schedules = self.plan.topology.services[service].state.as_ref();
            for schedule in 0..schedules.map_or(0, |s| s.backups.len()) {
                let backups = &self.services[service].backups;
                let newest = (0..self.services[service].made.len()).rev().find(|i| {
                    let run = backups.run(*i);
                    run.schedule == schedule && run.complete <= Nanos::ZERO
                });
                if let Some(run) = newest {
                    self.begin_backup(service, run);
                }
            }
            self.services[service].backup_at = self.services[service].backups.next_after(Nanos(-1));
        }
    }

    /// A backup of the timeline begins.
    pub(super) fn on_backup(&mut self, at: Nanos, service: usize) {
        for (run, begins) in self.services[service].backups.at(at) {
            if begins {
                self.begin_backup(service, run);
            }
        }
        self.services[service].backup_at = self.services[service].backups.next_after(at);
    }

    fn source(&self, service: usize) -> u16 {
        let state = &self.services[service];
        let machine = state.failover.as_ref().map(Failover::primary);
        machine
            .or_else(|| self.last_to_answer(service))
            .unwrap_or(state.home)
    }

    fn work(&self, service: usize, run: usize, replica: u16, restores: bool) -> Option<Work> {
        let id = ServiceId::from(service);
        let run = self.services[service].backups.run(run);
        let spec = self.plan.topology.service(id).state.as_ref()?;
        let backup = spec.backups.get(run.schedule)?;
        let flow = self
            .world
            .flows
            .find(Origin::Replica(id, replica), End::Vault(backup.kept_at))?;
        let folder = self.folder.join(format!("work-{service}-{replica}"));
        // What cannot be made is missed by the replica, which says so.
        let _ = std::fs::create_dir_all(&folder);
        Some(Work {
            backup: run.schedule,
            vault: self.world.flows.get(flow).addr,
            name: format!(
                "{}-{}-{}",
                self.plan.topology.service(id).id,
                backup.id,
                run.began.0 / 1_000_000_000
            ),
            takes: if restores {
                backup.restore_takes
            } else {
                backup.takes
            },
            folder,
        })
    }

    fn begin_backup(&mut self, service: usize, run: usize) {
        let replica = self.source(service);
        let (Some(work), Some(of)) = (
            self.work(service, run, replica, false),
            self.world
                .replica(ServiceId::from(service), replica)
                .map(Arc::clone),
        ) else {
            return;
        };
        let now = self.now();
        for r in 0..self.services[service].replicas.len() {
            for fault in self.faults_with(service, r as u16, |e| e == Effect::BadBackup, now) {
                self.bite(fault, "a backup began while it was on");
            }
        }
        self.begin(async move {
            let outcome = timeout(PATIENCE, of.backup(&work)).await;
            let outcome = outcome.unwrap_or_else(|_| Err(Trouble::Silent("it hangs".into())));
            Report::BackedUp {
                service,
                run,
                outcome,
            }
        });
    }

    pub(super) fn on_backed_up(
        &mut self,
        service: usize,
        run: usize,
        outcome: &Result<BackupReport, Trouble>,
    ) {
        let at = self.now();
        let name = &self.plan.topology.services[service].id;
        match outcome {
            Ok(report) => {
                let what = format!("{name}: a backup of {} entries is kept", report.entries);
                self.services[service].made[run] = true;
                self.say(Observation::Applied { at, what });
                self.retry_restore(service);
            }
            Err(trouble) => {
                let text = format!("{name}: a backup was not made: {trouble}");
                self.services[service].backups.on_not_made(run);
                self.note(text);
            }
        }
    }

    /// Restores from the newest backup that can be used. Returns what came of it.
    pub(super) fn begin_restore(&mut self, service: usize) -> String {
        let now = self.now();
        let id = ServiceId::from(service);
        let Some(spec) = &self.plan.topology.services[service].state else {
            return "this service keeps no data".into();
        };
        let replica = self.source(service);
        let state = &self.services[service];
        let reachable = |schedule: usize| {
            let place = spec.backups[schedule].kept_at;
            let flow = self
                .world
                .flows
                .find(Origin::Replica(id, replica), End::Vault(place));
            flow.is_some_and(|f| !self.world.flows.get(f).is_blocked())
                && self.has_what_it_needs(id, replica, &spec.backups[schedule].needs)
        };
        let before = state.damage.map(|d| d.0);
        let mut candidates = state.backups.clone();
        for (i, made) in state.made.iter().enumerate() {
            if !made {
                candidates.on_not_made(i);
            }
        }
        // What a live backup takes is its own affair: it counts as complete once it is made.
        let Some(run) = candidates.choose(Nanos::NEVER, before, reachable) else {
            self.services[service].restore_waits = true;
            return "no backup can be restored yet".into();
        };
        let began = state.backups.run(run).began;
        let (Some(work), Some(to)) = (
            self.work(service, run, replica, true),
            self.world.replica(id, replica).map(Arc::clone),
        ) else {
            return "there is no way to the backup".into();
        };
        let id_of_backup = spec.backups[work.backup].id.clone();
        self.services[service].restore_waits = false;
        self.services[service].restoring = true;
        for fault in self.faults_with(
            service,
            replica,
            |e| matches!(e, Effect::RestoreSlows(_)),
            now,
        ) {
            self.bite(fault, "a restore went slower");
        }
        self.begin(async move {
            let outcome = timeout(PATIENCE, to.restore(&work)).await;
            let outcome = outcome.unwrap_or_else(|_| Err(Trouble::Silent("it hangs".into())));
            Report::Restored {
                service,
                run,
                replica,
                began: now,
                outcome,
            }
        });
        format!("restoring {id_of_backup} of {} ago", now - began)
    }

    /// Whether a restore reaches the services that it needs.
    fn has_what_it_needs(&self, service: ServiceId, replica: u16, needs: &[ServiceId]) -> bool {
        needs.iter().all(|need| {
            let view = self.world.view(*need, 0);
            let flow = self
                .world
                .flows
                .find(Origin::Replica(service, replica), End::Replica(*need, view));
            let down = |e: Effect| matches!(e, Effect::Down(_) | Effect::NoAnswer(_));
            flow.is_none_or(|f| !self.world.flows.get(f).is_blocked())
                && self
                    .faults_with(need.index(), view, down, self.now())
                    .is_empty()
        })
    }

    /// A restore that found no backup that it could use begins when it can.
    pub(super) fn retry_restore(&mut self, service: usize) {
        if self.services[service].restore_waits {
            let outcome = self.begin_restore(service);
            if !self.services[service].restore_waits {
                self.note_outcome(service, &format!("; then {outcome}"), false);
            }
        }
    }

    pub(super) fn on_restored(
        &mut self,
        service: usize,
        (run, replica): (usize, u16),
        began: Nanos,
        outcome: &Result<BackupReport, Trouble>,
    ) {
        let now = self.now();
        let made = *self.services[service].backups.run(run);
        self.services[service].restoring = false;
        let name = self.plan.topology.services[service].id.clone();
        if let Ok(report) = outcome {
            let phase =
                |p: &(&'static str, Duration)| (p.0.to_owned(), crate::control_path::nanos(p.1));
            self.say(Observation::Phases {
                at: now,
                service,
                what: format!("restore of {name}"),
                phases: report.phases.iter().map(phase).collect(),
            });
        }
        self.say(Observation::Restored(Restore {
            service: ServiceId::from(service),
            backup: made.schedule,
            point: made.began,
            from: began,
            to: now,
            good: outcome.is_ok(),
        }));
        match outcome {
            Ok(_) => {
                let cause = self.services[service].damage.take().map(|d| d.1);
                let state = &mut self.services[service];
                state.ledger.on_takeover(now, cause);
                for (r, other) in state.replicas.iter_mut().enumerate() {
                    other.should_follow = r != usize::from(replica);
                }
                state.contact_at = Some(now);
                self.note_outcome(service, ", done", true);
                self.read_back_when_settled(service);
            }
            Err(trouble) => {
                self.services[service].backups.on_found_bad(run);
                let mut bad = Vec::new();
                for state in &self.services[service].replicas {
                    let about = state.effects.iter().filter(|e| {
                        e.1 == Effect::BadBackup && e.2 <= made.began && made.began < e.3
                    });
                    bad.extend(about.map(|e| e.0));
                }
                for fault in bad {
                    self.bite(fault, "a bad backup was chosen");
                }
                let next = self.begin_restore(service);
                self.note_outcome(
                    service,
                    &format!(", which was bad ({trouble}); {next}"),
                    false,
                );
            }
        }
    }
}
