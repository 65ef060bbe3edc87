//! Faults switched on and off: on the network and at replicas. `wires` puts on the proxies what
//! follows, and `bites` says what met them.

use super::{Director, Report};

use crate::replica::{Effect as Done, Replica, Trouble};
use crate::world::World;
use assize_control::Response;
use assize_fault::Nanos;
use assize_model::faults::{Effect, How};
use assize_model::observation::Observation;
use assize_model::scenario::{FaultEntry, Target};
use assize_model::topology::Topology;
use assize_model::{Plan, ServiceId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Sender, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// Bounds the switching of one effect at one replica, on the wall.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a fault stands.
pub(super) struct FaultState {
    pub(super) on: bool,
    /// It has been on at least once.
    pub(super) begun: bool,
    pub(super) ended: bool,
    /// Its next turn, and whether that switches it on.
    pub(super) turn: Option<(Nanos, bool)>,
    pub(super) until: Nanos,
    /// `@primary` as it was when the fault fired.
    pub(super) resolved: Vec<Target>,
    pub(super) bitten: bool,
    pub(super) response: Option<Response>,
    /// Effects that are being switched.
    pub(super) under_way: usize,
    /// When its last turn was due.
    pub(super) turned: Nanos,
}

pub(super) fn all(plan: &Plan<'_>) -> Vec<FaultState> {
    let faults = plan.scenario.faults.iter().enumerate();
    faults
        .map(|(i, fault)| FaultState {
            on: false,
            begun: false,
            ended: false,
            turn: Some((fault.at, true)),
            until: fault.until,
            resolved: Vec::new(),
            bitten: false,
            response: plan
                .scenario
                .responses
                .iter()
                .find(|r| r.fault == i)
                .map(|r| Response::new(r, fault.at)),
            under_way: 0,
            turned: fault.at,
        })
        .collect()
}

/// What switches effects at one replica, one after the other.
pub(super) type Hand = UnboundedSender<(usize, Done, bool)>;

/// One for each replica. As many orders wait as there are turns of faults, which the plan bounds.
pub(super) fn hands(world: &Arc<World>, reports: &Sender<Report>) -> Vec<Vec<Hand>> {
    let hand = |service: usize, replica: usize, to: &Arc<dyn Replica>| {
        let (orders, mut todo) = unbounded_channel::<(usize, Done, bool)>();
        let (to, reports) = (Arc::clone(to), reports.clone());
        let name = world.selector(ServiceId::from(service), replica as u16);
        tokio::spawn(async move {
            while let Some((fault, effect, on)) = todo.recv().await {
                let outcome = timeout(PATIENCE, to.apply(effect, on)).await;
                let outcome =
                    outcome.unwrap_or_else(|_| Err(Trouble::Silent("it takes too long".into())));
                let report = Report::Effected {
                    fault,
                    service,
                    what: format!("{name}: {effect:?}"),
                    on,
                    outcome,
                };
                if reports.send(report).await.is_err() {
                    return;
                }
            }
        });
        orders
    };
    let services = world.replicas.iter().enumerate();
    services
        .map(|(s, replicas)| {
            let replicas = replicas.iter().enumerate();
            replicas.map(|(r, replica)| hand(s, r, replica)).collect()
        })
        .collect()
}

/// What a fault's effect is at a replica; `None`: nothing that is done there.
pub(super) fn at_replica(effect: Effect, target: &Target) -> Option<Done> {
    Some(match effect {
        Effect::Down(how) => match target {
            Target::Shard(_, shard) => Done::Shard(*shard),
            _ => Done::Down(how.unwrap_or(How::Refuse)),
        },
        Effect::NoAnswer(_) if matches!(target, Target::Shard(..)) => match target {
            Target::Shard(_, shard) => Done::Shard(*shard),
            _ => return None,
        },
        Effect::NoAnswer(how) => Done::NoAnswer(how),
        Effect::Capacity(left) => Done::Capacity(left),
        Effect::Degrade(degrade) if degrade.errors.0 > 0 => Done::Errors(degrade.errors),
        Effect::PromotionFails => Done::PromotionFails,
        Effect::CheckLies => Done::CheckLies,
        Effect::ReplicationStops => Done::ReplicationStops,
        Effect::Corrupts => Done::Corrupt,
        Effect::Deletes => Done::Delete,
        Effect::BadBackup => Done::BadBackup,
        Effect::RestoreSlows(left) => Done::RestoreSlows(left),
        Effect::Repeated(times) => Done::Repeated(times),
        Effect::Degrade(_)
        | Effect::Cut(_)
        | Effect::Isolate
        | Effect::CheckFailsOpen
        | Effect::SessionsLost
        | Effect::Unwatched => return None,
    })
}

/// What a proxy can do in the place of a replica that cannot do it itself.
pub(super) const fn at_proxies(effect: Done) -> Option<How> {
    match effect {
        Done::Down(how) | Done::NoAnswer(how) => Some(how),
        _ => None,
    }
}

/// The replicas that a target names.
pub(crate) fn replicas_of(topology: &Topology, target: &Target) -> Vec<(ServiceId, u16)> {
    let all = |s: ServiceId| {
        let n = u16::try_from(topology.service(s).replicas.len()).unwrap_or(0);
        (0..n).map(|r| (s, r)).collect()
    };
    match target {
        Target::Service(s) | Target::Primary(s) | Target::Shard(s, _) => all(*s),
        Target::Replica(s, r) => vec![(*s, *r)],
        _ => Vec::new(),
    }
}

/// The first effect of the plan that neither its replica nor a proxy can carry out: asked of the
/// replicas before anything is broken, by switching off what is not on.
pub(crate) async fn unsupported(plan: &Plan<'_>, world: &World) -> Option<String> {
    for fault in &plan.scenario.faults {
        for (target, effect) in pairs(fault) {
            for (service, replica) in replicas_of(plan.topology, target) {
                let Some(done) = at_replica(effect, target) else {
                    continue;
                };
                let Some(to) = world.replica(service, replica) else {
                    continue;
                };
                let answer = timeout(PATIENCE, to.apply(done, false)).await;
                if let Ok(Err(Trouble::Unsupported(why))) = answer
                    && at_proxies(done).is_none()
                {
                    return Some(format!(
                        "the fault `{}` ({} on {}) cannot be carried out: {}: {why}",
                        fault.id,
                        fault.kind,
                        fault.target_text,
                        world.selector(service, replica)
                    ));
                }
            }
        }
    }
    None
}

fn pairs(fault: &FaultEntry) -> impl Iterator<Item = (&Target, Effect)> {
    let targets = fault.targets.iter();
    targets.flat_map(|t| fault.effects.iter().map(move |e| (t, *e)))
}

impl Director<'_> {
    /// A fault's turn: it comes, goes, or flaps.
    pub(super) fn on_fault_turn(&mut self, at: Nanos, fault: usize, on: bool) {
        let entry = &self.plan.scenario.faults[fault];
        self.faults[fault].turned = at;
        self.toggle(fault, on);
        let state = &mut self.faults[fault];
        state.turn = match (on, entry.flap) {
            (true, Some(flap)) => Some(((at + flap.down).min(state.until), false)),
            (true, None) => Some((state.until, false)),
            (false, Some(flap)) if at < state.until && at + flap.up < state.until => {
                Some((at + flap.up, true))
            }
            (false, _) => None,
        };
        state.ended |= state.turn.is_none();
    }

    /// Switches a fault on or off, everywhere.
    pub(super) fn toggle(&mut self, fault: usize, on: bool) {
        let now = self.now();
        let entry = &self.plan.scenario.faults[fault];
        if self.faults[fault].on == on {
            return;
        }
        if on {
            let resolved = entry.targets.iter().map(|t| self.resolve(t)).collect();
            self.faults[fault].resolved = resolved;
        }
        self.faults[fault].on = on;
        self.faults[fault].begun |= on;
        let targets = self.faults[fault].resolved.clone();
        for target in &targets {
            for effect in &entry.effects {
                self.at_replicas(now, fault, *effect, target, on);
            }
        }
        self.network.on_fault(now, fault, &targets, on);
        if on && entry.effects.contains(&Effect::SessionsLost) {
            self.lose_sessions(fault);
        }
        self.say(Observation::Fault { at: now, fault, on });
        self.dirty = true;
        if !on && entry.effects.contains(&Effect::Unwatched) {
            self.watched_again();
        }
    }

    /// What users hold of the services named is void, where their access leads through the node.
    fn lose_sessions(&mut self, fault: usize) {
        let lost = self.world.lose_sessions(&self.plan.scenario.faults[fault]);
        if lost > 0 {
            self.bite(fault, "sessions were lost with the active unit");
        }
    }

    /// `@primary` is whoever is primary now.
    fn resolve(&self, target: &Target) -> Target {
        let Target::Primary(service) = target else {
            return target.clone();
        };
        let state = &self.services[service.index()];
        let primary = match &state.failover {
            Some(machine) => machine.primary(),
            // Of a system that fails over by itself: who answered last.
            None => {
                let newest = state.replicas.iter().enumerate().filter(|(_, r)| r.acts);
                newest
                    .max_by_key(|(_, r)| r.last_ok)
                    .map_or(state.home, |(r, _)| r as u16)
            }
        };
        Target::Replica(*service, primary)
    }

    fn at_replicas(&mut self, now: Nanos, fault: usize, effect: Effect, target: &Target, on: bool) {
        let Some(done) = at_replica(effect, target) else {
            return;
        };
        // What is done once is not undone by its end.
        let once = matches!(done, Done::Corrupt | Done::Delete);
        for (service, replica) in replicas_of(self.plan.topology, target) {
            let (s, r) = (service.index(), usize::from(replica));
            if once && (!on || !self.services[s].replicas[r].acts) {
                continue;
            }
            let effects = &mut self.services[s].replicas[r].effects;
            if on {
                effects.push((fault, done, now, Nanos::NEVER));
            } else {
                for effect in effects.iter_mut().filter(|e| e.0 == fault && e.1 == done) {
                    effect.3 = effect.3.min(now);
                }
            }
            if done == Done::CheckLies {
                let lies = |e: &(usize, Done, Nanos, Nanos)| e.1 == done && e.3.is_never();
                let lie = self.services[s].replicas[r].effects.iter().any(lies);
                self.world.lie_to_checks(service, replica, lie);
            }
            if once {
                // A backup that began at the planned instant has the damage in it, however late
                // the damage was done.
                let since = self.plan.scenario.faults[fault].at;
                self.services[s].damage.get_or_insert((since, fault));
                self.services[s].ledger.on_damage(since, fault);
            }
            let hand = self.hands.get(s).and_then(|h| h.get(r));
            if hand.is_some_and(|h| h.send((fault, done, on)).is_ok()) {
                self.faults[fault].under_way += 1;
            }
        }
    }

    /// A replica has carried out an effect, or could not.
    pub(super) fn on_effected(
        &mut self,
        fault: usize,
        service: usize,
        (what, on): (&str, bool),
        outcome: &Result<(), Trouble>,
    ) {
        let at = self.now();
        self.faults[fault].under_way = self.faults[fault].under_way.saturating_sub(1);
        self.say_turns();
        let turned = if on { "on" } else { "off" };
        match outcome {
            Ok(()) => {
                if on && (what.ends_with("Corrupt") || what.ends_with("Delete")) {
                    self.bite(fault, "the data was there to be damaged");
                }
                let what = format!("{what} {turned}");
                self.say(Observation::Applied { at, what });
            }
            // Known since before the start: the proxies do it, and the replica itself goes on.
            Err(Trouble::Unsupported(_)) => self.unseen.note(fault, service),
            Err(trouble) => {
                let text = format!("{what} could not be switched {turned}: {trouble}");
                if !on {
                    self.left.push(text.clone());
                }
                self.note(text);
            }
        }
    }
}
