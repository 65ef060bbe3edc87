//! What checks decide at services, carried out: promotion, redirection, return, rejoining.

use super::{Director, Report};
use crate::flows::Origin;
use crate::replica::{Effect, Trouble};
use crate::users::Seen;
use assize_control::matured::bits;
use assize_control::{Backups, Failover, FailoverAction, Names, backups, names};
use assize_fault::Nanos;
use assize_model::journal::DecisionKind;
use assize_model::observation::Observation;
use assize_model::topology::{Mode, Rejoin, Service};
use assize_model::{Plan, ServiceId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Bounds one promotion or rejoining on the wall; systems that take longer have failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// Between two tries of an old primary to join the new one, in model time.
const REJOIN: Nanos = Nanos::secs(1);

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
    pub(super) rounds: BTreeMap<(u16, u64), Vec<super::Checked>>,
    /// When an old primary, or a standby of the old one, is next asked to follow.
    pub(super) contact_at: Option<Nanos>,
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
    /// It takes itself for one that takes writes.
    pub(super) acts: bool,
    /// It has said so itself, or the contrary.
    pub(super) said_role: bool,
    /// It should follow the primary and has not been told yet.
    pub(super) should_follow: bool,
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
                acts: !single_writer || r == usize::from(home),
                said_role: false,
                should_follow: false,
                following: false,
                effects: Vec::new(),
                last_ok: None,
                serving: false,
            })
            .collect(),
        rounds: BTreeMap::new(),
        contact_at: None,
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
    fn rotate(&mut self, service: usize) {
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
    fn redirect(&mut self, service: usize, record: [u8; 64]) {
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

    fn publish_views(&self, service: usize) {
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

    /// Carries out what the failover machine has decided.
    pub(super) fn carry_out(&mut self, service: usize, actions: Vec<FailoverAction>) {
        let now = self.now();
        let home = self.services[service].home;
        let (mut steps_down, mut again) = (None, false);
        for action in actions {
            match action {
                FailoverAction::Demote(r) => steps_down = Some(r),
                FailoverAction::Begin(r) => {
                    let kind = if r == home {
                        DecisionKind::FailBackBegun
                    } else {
                        DecisionKind::PromotionBegun
                    };
                    self.decide_promotion(now, kind, service, r);
                    self.begin_promotion(service, r, steps_down.take(), again);
                }
                FailoverAction::Failed(r) => {
                    self.decide_promotion(now, DecisionKind::PromotionFailed, service, r);
                    self.note_outcome(service, ", failed", true);
                    again = true;
                }
                FailoverAction::Promoted(r) => {
                    self.decide_promotion(now, DecisionKind::Promoted, service, r);
                    self.promoted(service, r);
                }
                FailoverAction::FailedBack(r) => {
                    self.decide_promotion(now, DecisionKind::FailedBack, service, r);
                    self.promoted(service, r);
                }
            }
        }
    }

    fn decide_promotion(&mut self, at: Nanos, kind: DecisionKind, service: usize, replica: u16) {
        let tried = matches!(
            kind,
            DecisionKind::PromotionBegun
                | DecisionKind::FailBackBegun
                | DecisionKind::PromotionFailed
        );
        let mut faults = Vec::new();
        if tried {
            faults = self.faults_with(service, replica, |e| e == Effect::PromotionFails, at);
            for &fault in &faults {
                self.bite(fault, "a promotion was tried");
            }
        }
        let subject = self.world.selector(ServiceId::from(service), replica);
        self.decide(at, kind, subject, faults, Some(service));
    }

    /// Promotes a replica; before a planned return the acting primary steps down and hands over.
    fn begin_promotion(&mut self, service: usize, replica: u16, from: Option<u16>, again: bool) {
        let id = ServiceId::from(service);
        let Some(to) = self.world.replica(id, replica).map(Arc::clone) else {
            return;
        };
        let clock = self.world.clock;
        let stepping = from.and_then(|old| {
            let way = self.world.way(Origin::Replica(id, old), id, replica)?;
            Some((Arc::clone(self.world.replica(id, old)?), way))
        });
        if let Some(old) = from {
            self.services[service].replicas[usize::from(old)].acts = false;
        }
        let spec = self.plan.topology.services[service].failover.as_ref();
        let promote = spec.map_or(Nanos::ZERO, |f| f.promote);
        let machine = self.services[service].failover.as_ref();
        let pause = machine.map_or(Nanos::ZERO, Failover::retry) - promote;
        self.begin(async move {
            if again {
                sleep(clock.wall(pause)).await;
            }
            let began = clock.now();
            let outcome = timeout(PATIENCE, async {
                if let Some((old, way)) = stepping {
                    old.follow(way, Rejoin::Merge).await?;
                }
                to.promote().await
            });
            let outcome = outcome
                .await
                .unwrap_or_else(|_| Err(Trouble::Silent("the promotion does not end".into())));
            Report::Promoted {
                service,
                replica,
                began,
                outcome,
            }
        });
    }

    pub(super) fn on_promotion_over(
        &mut self,
        service: usize,
        replica: u16,
        began: Nanos,
        outcome: &Result<(), Trouble>,
    ) {
        let now = self.now();
        let name = self.world.selector(ServiceId::from(service), replica);
        if let Err(trouble) = outcome {
            self.note(format!("{name} could not be promoted: {trouble}"));
        }
        let wall = Nanos((now - began).0 / i64::from(self.world.clock.pace()));
        self.say(Observation::Phases {
            at: now,
            service,
            what: format!("promotion of {name}"),
            phases: vec![("promote".into(), wall)],
        });
        let mut actions = Vec::new();
        if let Some(machine) = &mut self.services[service].failover {
            machine.on_done(now, replica, outcome.is_ok(), &mut actions);
        }
        self.carry_out(service, actions);
    }

    /// This replica is primary: clients are pointed there, the others are to follow it.
    fn promoted(&mut self, service: usize, replica: u16) {
        let now = self.now();
        let state = &mut self.services[service];
        let cause = state
            .replicas
            .iter()
            .enumerate()
            .find(|(r, state)| *r != usize::from(replica) && state.acts)
            .and_then(|(_, state)| state.seen_faults.first().copied());
        for (r, other) in state.replicas.iter_mut().enumerate() {
            other.should_follow = r != usize::from(replica);
        }
        state.replicas[usize::from(replica)].acts = true;
        state.contact_at = Some(now);
        let is_home = replica == state.home;
        state.ledger.on_takeover(now, cause);
        self.redirect(service, [replica as u8; 64]);
        self.note_outcome(service, ", done", true);
        // A return home is no recovery: what it costs shows at the end.
        if !is_home {
            self.read_back_when_settled(service);
        }
    }

    /// Old primaries, and standbys of an old one, that can reach the primary now are told to
    /// follow it.
    pub(super) fn on_contact(&mut self, at: Nanos, service: usize) {
        self.services[service].contact_at = None;
        if self.services[service].restoring {
            // Whoever is being restored is nobody to follow, and follows nobody.
            self.services[service].contact_at = Some(at + REJOIN);
            return;
        }
        let Some(primary) = self.services[service]
            .failover
            .as_ref()
            .map(Failover::primary)
        else {
            return;
        };
        let id = ServiceId::from(service);
        let mut waits = false;
        for r in 0..self.services[service].replicas.len() {
            let replica = r as u16;
            let state = &self.services[service].replicas[r];
            if !state.should_follow || replica == primary {
                continue;
            }
            waits = true;
            let way = self.world.way(Origin::Replica(id, replica), id, primary);
            let (Some(way), false) = (way, state.following) else {
                continue;
            };
            if !self.replicas_meet(id, replica, primary, at) {
                continue;
            }
            let Some(rejoin) = self.rejoin(service, replica) else {
                return;
            };
            let Some(old) = self.world.replica(id, replica).map(Arc::clone) else {
                continue;
            };
            self.services[service].replicas[r].following = true;
            self.begin(async move {
                let outcome = timeout(PATIENCE, old.follow(way, rejoin)).await;
                Report::Followed {
                    service,
                    replica,
                    outcome: outcome.unwrap_or_else(|_| Err(Trouble::Silent("it hangs".into()))),
                }
            });
        }
        if waits {
            self.services[service].contact_at = Some(self.now() + REJOIN);
        }
    }

    /// How a replica follows: a mere standby has nothing of its own. `None`: an old primary has
    /// taken over again.
    fn rejoin(&mut self, service: usize, replica: u16) -> Option<Rejoin> {
        let now = self.now();
        if !self.services[service].replicas[usize::from(replica)].acts {
            return Some(Rejoin::Rewind);
        }
        let mut actions = Vec::new();
        let machine = self.services[service].failover.as_mut()?;
        let loser = machine.primary();
        let rejoin = machine.on_contact(now, replica, &mut actions);
        if rejoin != Rejoin::AsPrimary {
            return Some(rejoin);
        }
        self.services[service].replicas[usize::from(loser)].acts = false;
        actions.retain(|a| !matches!(a, FailoverAction::Demote(_)));
        self.carry_out(service, actions);
        None
    }

    pub(super) fn on_followed(
        &mut self,
        service: usize,
        replica: u16,
        outcome: &Result<(), Trouble>,
    ) {
        let now = self.now();
        let name = self.world.selector(ServiceId::from(service), replica);
        let state = &mut self.services[service].replicas[usize::from(replica)];
        state.following = false;
        match outcome {
            Ok(()) => {
                state.should_follow = false;
                state.acts = false;
                let what = format!("{name} follows the primary");
                self.say(Observation::Applied { at: now, what });
            }
            Err(Trouble::Unsupported(why)) => {
                state.should_follow = false;
                self.note(format!("{name} is not told to follow the primary: {why}"));
            }
            Err(_) => {
                let at = Some(now + REJOIN);
                self.services[service].contact_at = at;
            }
        }
    }

    /// Whether two replicas are up and packets pass between them, as far as faults go.
    pub(super) fn replicas_meet(&self, service: ServiceId, a: u16, b: u16, at: Nanos) -> bool {
        let down = |r: u16| {
            let is_down = |e: Effect| matches!(e, Effect::Down(_));
            !self.faults_with(service.index(), r, is_down, at).is_empty()
        };
        !down(a) && !down(b) && self.network.joined(service, a, b)
    }

    /// Adds what has become of a step that began something at a service.
    pub(super) fn note_outcome(&mut self, service: usize, what: &str, over: bool) {
        if let Some(step) = self.services[service].step {
            self.outcomes[step].push_str(what);
            let (at, outcome) = (self.now(), self.outcomes[step].clone());
            self.say(Observation::Step { at, step, outcome });
        }
        if over {
            self.services[service].step = None;
        }
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
