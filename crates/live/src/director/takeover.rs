//! What failover decides, carried out: promotion, return, and old primaries that join the new one.

use super::{Director, Report};
use crate::flows::Origin;
use crate::replica::{Effect, Trouble};
use assize_control::{Failover, FailoverAction};
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::journal::DecisionKind;
use assize_model::observation::Observation;
use assize_model::topology::Rejoin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// Bounds one promotion or rejoining on the wall; systems that take longer have failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// Between two tries of an old primary to join the new one, in model time.
const REJOIN: Nanos = Nanos::secs(1);

impl Director<'_> {
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
                    if let Some(give_up) = self.services[service].give_up.take() {
                        give_up.notify_one();
                    }
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
        let give_up = Arc::new(Notify::new());
        self.services[service].give_up = Some(Arc::clone(&give_up));
        self.begin(async move {
            if again {
                sleep(clock.wall(pause)).await;
            }
            let began = clock.now();
            let stepped = stepping.as_ref().map(|(old, _)| Arc::clone(old));
            let promoted = timeout(PATIENCE, async {
                if let Some((old, way)) = stepping {
                    old.follow(way, Rejoin::Merge).await?;
                }
                to.promote().await
            });
            let mut outcome = tokio::select! {
                outcome = promoted => outcome
                    .unwrap_or_else(|_| Err(Trouble::Silent("the promotion does not end".into()))),
                // A real system that was told to promote goes on with it.
                () = give_up.notified(), if !to.is_real() => {
                    Err(Trouble::Answered("it was given up".into()))
                }
            };
            // Who stepped down for it takes its place again.
            if let (Err(trouble), Some(old)) = (&outcome, stepped)
                && let Err(worse) = old.resume().await
            {
                outcome = Err(Trouble::Answered(format!(
                    "{trouble}; the old primary does not take writes again: {worse}"
                )));
            }
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
        if outcome.is_ok() && actions.is_empty() {
            self.promoted_after_all(service, replica);
        }
        self.carry_out(service, actions);
    }

    /// A real system has gone on with a promotion that the control plane had given up: there may be
    /// two primaries now, of which one is to follow the other, as an old one that is back would.
    fn promoted_after_all(&mut self, service: usize, replica: u16) {
        let now = self.now();
        let state = &mut self.services[service];
        let primary = state.failover.as_ref().map(Failover::primary);
        let Some(primary) = primary.filter(|p| *p != replica) else {
            return;
        };
        let late = &mut state.replicas[usize::from(replica)];
        (late.acts, late.should_follow) = (true, true);
        state.contact_at = Some(now);
        let two = state.replicas[usize::from(primary)].acts;
        let id = ServiceId::from(service);
        let (name, other) = (
            self.world.selector(id, replica),
            self.world.selector(id, primary),
        );
        let who = if two {
            format!("{other} is primary too: there are two")
        } else {
            format!("{other} is taken for the primary")
        };
        self.note(format!(
            "{name} was promoted after the control plane had given that up, and {who}"
        ));
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
            .and_then(|(_, state)| state.seen_first);
        for (r, other) in state.replicas.iter_mut().enumerate() {
            other.should_follow = r != usize::from(replica);
        }
        state.replicas[usize::from(replica)].acts = true;
        state.contact_at = Some(now);
        let is_home = replica == state.home;
        state.ledger.on_takeover(now, cause);
        self.redirect(service, [replica as u8; 64]);
        self.stay_with_old(service);
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
                if std::mem::take(&mut state.acts) {
                    // What it acknowledged since it was superseded is lost from here on.
                    let cause = state.seen_first;
                    self.services[service].ledger.on_takeover(now, cause);
                }
                let what = format!("{name} follows the primary");
                self.say(Observation::Applied { at: now, what });
                self.stay_with_old(service);
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
}
