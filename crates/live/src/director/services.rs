//! What is known of services and their replicas: who is well, who serves, where names point.
//! `takeover` carries out what failover decides.

use super::Director;
use crate::replica::Effect;
use crate::users::Seen;
use assize_control::matured::bits;
use assize_control::{Backups, Failover, Names, backups, names};
use assize_fault::Nanos;
use assize_model::journal::DecisionKind;
use assize_model::observation::Observation;
use assize_model::topology::{Mode, Service};
use assize_model::{Plan, ServiceId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// What is known of a service.
pub(super) struct ServiceState {
    pub(super) home: u16,
    pub(super) external: bool,
    pub(super) failover: Option<Failover>,
    pub(super) names: Names,
    spread: [u8; 64],
    /// Replicas in rotation, for services that are active on all.
    rotation: u64,
    pub(super) replicas: Vec<ReplicaState>,
    /// Rounds of checks whose votes are not all in: by replica and round.
    pub(super) rounds: BTreeMap<(u16, u64), super::checks::Round>,
    /// When an old primary, or a standby of the old one, is next asked to follow.
    pub(super) contact_at: Option<Nanos>,
    /// Ends the promotion that is under way.
    pub(super) give_up: Option<Arc<Notify>>,
    pub(super) backups: Backups,
    /// By run: whether it was made.
    pub(super) made: Vec<bool>,
    pub(super) backup_at: Option<Nanos>,
    pub(super) restoring: bool,
    pub(super) restore_waits: bool,
    pub(super) damage: Option<(Nanos, usize)>,
    pub(super) read_back_at: Option<Nanos>,
    /// Read-backs under way.
    pub(super) reading: usize,
    pub(super) ledger: super::ledger::Ledger,
    /// The step that has begun something here that is not over yet.
    pub(super) step: Option<usize>,
}

/// What is known of a replica.
pub(super) struct ReplicaState {
    pub(super) votes: assize_control::Votes,
    /// Faults that its last failing check met.
    pub(super) seen_faults: Vec<usize>,
    /// What checks saw first when they last began to fail.
    pub(super) seen_first: Option<usize>,
    /// It takes itself for one that takes writes.
    pub(super) acts: bool,
    /// It has said so itself, or the contrary.
    pub(super) said_role: bool,
    /// It should follow the primary and has not been told yet.
    pub(super) should_follow: bool,
    /// Its place is out.
    pub(super) is_dark: bool,
    pub(super) following: bool,
    /// What faults have done to it: fault, effect, from, to.
    pub(super) effects: Vec<(usize, Effect, Nanos, Nanos)>,
    pub(super) last_ok: Option<Nanos>,
    pub(super) serving: bool,
}

pub(super) fn all(plan: &Plan<'_>) -> Vec<ServiceState> {
    let services = plan.topology.services.iter();
    services.map(|service| state(plan, service)).collect()
}

fn state(plan: &Plan<'_>, service: &Service) -> ServiceState {
    let n = service.replicas.len();
    let home = service.replicas.iter().position(|r| r.primary).unwrap_or(0);
    let home = u16::try_from(home).unwrap_or(0);
    let single_writer = matches!(service.mode, Mode::ActiveStandby | Mode::Quorum);
    let external = service.failover.as_ref().is_some_and(|f| f.external);
    let spread = plan.phases_of(&format!("{}/spread", service.id));
    let record = first_record(plan, service, home, &spread);
    let ttl = service.failover.as_ref().map_or(Nanos::ZERO, |f| f.dns_ttl);
    let check = service.failover.as_ref().map(|f| &f.check);
    let runs = backups::scheduled(plan, service, |_| true);
    let backups = Backups::new(runs.clone());
    ServiceState {
        home,
        external,
        failover: (single_writer && !external)
            .then(|| Failover::new(service.failover.as_ref(), n, home).told()),
        names: Names::new(
            ttl,
            plan.phases_of(&format!("{}/names", service.id)),
            record,
        ),
        spread,
        rotation: (0..n).fold(0, |m, r| m | (1 << r)),
        replicas: (0..n)
            .map(|r| ReplicaState {
                votes: assize_control::Votes::new(
                    check.map_or(1, |c| c.fall),
                    check.map_or(1, |c| c.rise),
                ),
                seen_faults: Vec::new(),
                seen_first: None,
                acts: !single_writer || r == usize::from(home),
                said_role: false,
                should_follow: false,
                is_dark: false,
                following: false,
                effects: Vec::new(),
                last_ok: None,
                serving: false,
            })
            .collect(),
        rounds: BTreeMap::new(),
        contact_at: None,
        give_up: None,
        made: vec![false; runs.len()],
        backup_at: backups.next_after(Nanos(-1)),
        backups,
        restoring: false,
        restore_waits: false,
        damage: None,
        read_back_at: None,
        reading: 0,
        ledger: super::ledger::Ledger::new(single_writer),
        step: None,
    }
}

/// Where each cohort goes at first.
pub(crate) fn first_record(
    plan: &Plan<'_>,
    service: &Service,
    home: u16,
    spread: &[u8; 64],
) -> [u8; 64] {
    let n = service.replicas.len();
    let shard_phase = plan.phases_of(&service.shard_key);
    let dealt = names::deal(&(0..n).map(|r| r as u8).collect::<Vec<u8>>(), spread);
    std::array::from_fn(|k| match service.mode {
        Mode::Sharded => {
            let shard = u32::from(shard_phase[k]) * service.shards.max(1) / 64;
            (shard as usize % n) as u8
        }
        Mode::ActiveActive => dealt[k],
        _ => home as u8,
    })
}

impl Director<'_> {
    /// Names point where the machines say from the start.
    pub(crate) fn point_all(&mut self) {
        for s in 0..self.services.len() {
            self.publish_views(s);
            let views: [u16; 64] = std::array::from_fn(|k| {
                self.world
                    .view(ServiceId::from(s), u8::try_from(k).unwrap_or(0))
            });
            self.world.zone.redirect(ServiceId::from(s), views);
        }
    }

    /// A checker has called a replica down, or up again.
    pub(super) fn on_verdict(&mut self, service: usize, replica: u16, up: bool) {
        let now = self.now();
        let r = usize::from(replica);
        let subject = self.world.selector(ServiceId::from(service), replica);
        let faults = self.services[service].replicas[r].seen_faults.clone();
        for &fault in &faults {
            self.bite(fault, "a health check failed");
        }
        let (kind, decided) = if up {
            (DecisionKind::Up, Vec::new())
        } else {
            (DecisionKind::Down, faults)
        };
        self.decide(now, kind, subject, decided, Some(service));
        // Who replicates synchronously waits for those that are up, and for no others.
        for other in 0..self.services[service].replicas.len() as u16 {
            if let Some(other) = self
                .world
                .replica(ServiceId::from(service), other)
                .filter(|_| other != replica)
            {
                other.peer(replica, up);
            }
        }
        match self.plan.topology.services[service].mode {
            Mode::ActiveStandby | Mode::Quorum => {
                let mut actions = Vec::new();
                if let Some(machine) = &mut self.services[service].failover {
                    if up {
                        machine.on_up(now, replica, &mut actions);
                    } else {
                        machine.on_down(now, replica, &mut actions);
                    }
                }
                self.carry_out(service, actions);
            }
            Mode::ActiveActive => {
                let state = &mut self.services[service];
                if up {
                    state.rotation |= 1 << replica;
                } else {
                    state.rotation &= !(1 << replica);
                    self.read_back_when_settled(service);
                }
                self.rotate(service);
            }
            Mode::Single | Mode::Sharded => {}
        }
    }

    /// Spreads the cohorts over the replicas in rotation. With none left, traffic goes to all if
    /// the service fails open, and stays where it was otherwise.
    pub(super) fn rotate(&mut self, service: usize) {
        let state = &self.services[service];
        let spec = &self.plan.topology.services[service];
        let mut rotation: Vec<u8> = bits(state.rotation).map(|r| r as u8).collect();
        if rotation.is_empty() && spec.failover.as_ref().is_some_and(|f| f.fail_open) {
            rotation = (0..state.replicas.len()).map(|r| r as u8).collect();
        }
        if !rotation.is_empty() {
            let record = names::deal(&rotation, &state.spread);
            self.redirect(service, record);
        }
    }

    /// Points the name elsewhere: the zone at once, clients as what they hold runs out.
    pub(super) fn redirect(&mut self, service: usize, record: [u8; 64]) {
        let now = self.now();
        let id = ServiceId::from(service);
        if self.world.zone.redirect(id, record.map(u16::from)) {
            let what = format!(
                "{}: the name points elsewhere",
                self.plan.topology.service(id).id
            );
            self.say(Observation::Applied { at: now, what });
        }
        if self.services[service].names.on_record(now, record) {
            self.publish_views(service);
        }
    }

    pub(super) fn on_names(&mut self, at: Nanos, service: usize) {
        if self.services[service].names.on_wake(at) {
            self.publish_views(service);
        }
    }

    pub(super) fn publish_views(&self, service: usize) {
        let state = &self.services[service];
        for replica in 0..state.replicas.len() {
            for cohort in bits(state.names.mask(replica as u8)) {
                self.world
                    .set_view(ServiceId::from(service), cohort as u8, replica as u16);
            }
        }
    }

    pub(super) fn on_failover(&mut self, at: Nanos, service: usize) {
        let mut actions = Vec::new();
        if let Some(machine) = &mut self.services[service].failover {
            machine.on_wake(at, |_| true, &mut actions);
        }
        self.carry_out(service, actions);
    }

    /// A call was answered, or not: who serves is seen from answers.
    pub(super) fn note_answer(&mut self, seen: &Seen) {
        let now = self.now();
        let lapse = self.watch.every * 2;
        let service = seen.service.index();
        let replica = seen.replica;
        let state = &mut self.services[service].replicas[usize::from(replica)];
        let turned = if seen.trouble.is_none() {
            state.last_ok = Some(seen.ended);
            !std::mem::replace(&mut state.serving, true)
        } else {
            let silent = state.last_ok.is_none_or(|at| at + lapse < seen.began);
            silent && std::mem::replace(&mut state.serving, false)
        };
        if turned {
            let on = seen.trouble.is_none();
            self.say(Observation::Serves {
                at: if on { seen.ended } else { now },
                service,
                replica,
                on,
            });
        }
    }

    /// Replicas that nobody has had an answer from for a while have ceased to serve.
    pub(super) fn lapse(&mut self, now: Nanos) {
        let lapse = self.watch.every * 3;
        for service in 0..self.services.len() {
            for replica in 0..self.services[service].replicas.len() {
                let state = &mut self.services[service].replicas[replica];
                let silent = state.last_ok.is_none_or(|at| at + lapse < now);
                if state.serving && silent {
                    state.serving = false;
                    let at = state.last_ok.unwrap_or(now);
                    self.say(Observation::Serves {
                        at,
                        service,
                        replica: replica as u16,
                        on: false,
                    });
                }
            }
        }
    }
}
