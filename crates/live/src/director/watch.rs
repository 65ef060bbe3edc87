//! What the director sees of users: samples, who is served, when all is stable, when to give up.

use super::Director;
use super::faults::FaultState;
use crate::flows::Origin;
use crate::replica::Effect;
use crate::users::Attempted;
use assize_fault::{Nanos, Ppb};
use assize_model::observation::{Ending, Observation, Served};
use assize_model::{JourneyId, Plan, ServiceId};
use std::collections::BTreeMap;

/// What is watched.
pub(super) struct Watch {
    /// Interval of attempts of a representative, in model time.
    pub(super) every: Nanos,
    next: Nanos,
    /// By representative and journey, whether the last attempt was served.
    served: BTreeMap<(u32, JourneyId), bool>,
    /// Since when every last attempt was served.
    stable_since: Option<Nanos>,
    /// By condition of `abort_if`, since when it holds.
    below_since: Vec<Option<Nanos>>,
    aborted: bool,
}

impl Watch {
    pub(super) fn new(plan: &Plan<'_>, every: Nanos) -> Self {
        Self {
            every,
            next: -plan.scenario.steady_state,
            served: BTreeMap::new(),
            stable_since: None,
            below_since: vec![None; plan.scenario.live.abort_if.len()],
            aborted: false,
        }
    }

    pub(super) const fn next_wake(&self) -> Option<Nanos> {
        Some(self.next)
    }

    fn on_sample(&mut self, attempted: &Attempted) {
        let ok = attempted.served != Served::No;
        self.served.insert((attempted.rep, attempted.journey), ok);
    }

    fn share(&self, journey: JourneyId) -> Option<Ppb> {
        let of = || self.served.iter().filter(|(key, _)| key.1 == journey);
        let all = u64::try_from(of().count()).unwrap_or(u64::MAX);
        let well = u64::try_from(of().filter(|(_, ok)| **ok).count()).unwrap_or(0);
        (all > 0).then(|| Ppb(well.saturating_mul(1_000_000_000) / all))
    }

    fn look(&mut self, plan: &Plan<'_>, now: Nanos) {
        let stable = self.served.values().all(|ok| *ok);
        match (stable, self.stable_since) {
            (true, None) => self.stable_since = Some(now),
            (false, _) => self.stable_since = None,
            _ => {}
        }
        for (i, condition) in plan.scenario.live.abort_if.iter().enumerate() {
            let below = self
                .share(condition.journey)
                .is_some_and(|s| s < condition.below);
            let since = match (below, self.below_since[i]) {
                (true, since) => Some(since.unwrap_or(now)),
                (false, _) => None,
            };
            self.below_since[i] = since;
            self.aborted |= since.is_some_and(|s| now - s >= condition.for_);
        }
    }

    /// Whether the run is over, and why.
    pub(super) fn ending(
        &self,
        plan: &Plan<'_>,
        faults: &[FaultState],
        now: Nanos,
    ) -> Option<Ending> {
        if self.aborted {
            return Some(Ending::Aborted);
        }
        if now >= plan.scenario.end {
            return Some(Ending::Finished);
        }
        let long = plan.scenario.live.until_stable?;
        let entries = || plan.scenario.faults.iter().zip(faults);
        let over = entries().all(|(f, s)| s.ended || (s.begun && !f.bounded));
        // What comes back when a fault ends may disturb: that is waited for.
        let ended = entries().filter(|(_, s)| s.ended).map(|(_, s)| s.until);
        let over = over && ended.max().is_none_or(|at| at + long <= now);
        let steps = plan.scenario.steps.iter().all(|s| s.at + long <= now);
        // Two looks of every representative since the last change, at least.
        let long = long.max(self.every * 2);
        let stable = self.stable_since.is_some_and(|since| now - since >= long);
        (over && steps && stable).then_some(Ending::Stable)
    }
}

impl Director<'_> {
    pub(super) fn on_attempted(&mut self, attempted: Attempted) {
        for seen in &attempted.seen {
            self.note_answer(seen);
            let span = (seen.began, seen.ended);
            let at = (seen.service, seen.replica);
            self.met(
                seen.flow,
                at,
                span,
                seen.trouble.as_ref(),
                "a request met it",
            );
            if seen.trouble.is_none() {
                self.look_for_bypass(seen);
                self.note_standbys(seen.flow);
            }
            let ledger = &mut self.services[seen.service.index()].ledger;
            if let Some(entry) = &seen.wrote {
                ledger.on_written(entry, seen);
            }
            if let Some((least, got, writer)) = seen.read {
                ledger.on_read(seen.began, least, got, writer);
            }
        }
        self.watch.on_sample(&attempted);
        self.say(Observation::Sample {
            at: attempted.at,
            rep: attempted.rep,
            journey: attempted.journey.index(),
            took: attempted.took,
            served: attempted.served,
            why: attempted.why,
        });
    }

    /// An answer came back over standbys: they carry traffic.
    fn note_standbys(&mut self, flow: Option<usize>) {
        let Some(flow) = flow else { return };
        let mut elements = self.network.standbys_of(flow).to_vec();
        if let Origin::Users { access, .. } = self.world.flows.get(flow).key.origin {
            let id = &self.plan.topology.access_path(access).id;
            elements.push(format!("access/{id}"));
        }
        for element in elements {
            if self.exercised.insert(element.clone()) {
                self.say(Observation::Exercised { element });
            }
        }
    }

    /// Looks at what nothing else wakes the director for.
    pub(super) fn on_watch(&mut self, at: Nanos) {
        // A twentieth of a wall second, and not so often that nothing else is done.
        let every = Nanos::millis(250) * i64::from(self.world.clock.pace());
        self.watch.next = at.max(self.now() - every) + every;
        self.watch.look(self.plan, at);
        self.lapse(at);
        self.look_for_missed_copies();
        let soon = self.watch.every * 3;
        for service in 0..self.services.len() {
            let before = at - Nanos::secs(1) * i64::from(self.world.clock.pace());
            if let Some(span) = self.services[service].ledger.look_for_split(before, soon) {
                self.say_split(service, span);
            }
            self.retry_restore(service);
        }
    }

    /// A copy that was due and did not leave has met the fault that stopped it.
    fn look_for_missed_copies(&mut self) {
        let stopped = |e: Effect| e == Effect::ReplicationStops;
        for service in 0..self.services.len() {
            for replica in 0..self.services[service].replicas.len() {
                let replica = u16::try_from(replica).unwrap_or(0);
                let faults = self.faults_with(service, replica, stopped, self.now());
                let to = self.world.replica(ServiceId::from(service), replica);
                if !faults.is_empty() && to.is_some_and(|r| r.missed_a_copy()) {
                    for fault in faults {
                        self.bite(fault, "a copy was due and did not leave");
                    }
                }
            }
        }
    }

    /// What was open when the run ended is said.
    pub(crate) fn close(&mut self) {
        self.say_unseen();
        let soon = self.watch.every * 3;
        for service in 0..self.services.len() {
            let ledger = &mut self.services[service].ledger;
            let ended = ledger.look_for_split(Nanos::NEVER, soon);
            if let Some(span) = ended.or_else(|| ledger.open_split()) {
                self.say_split(service, span);
            }
        }
    }

    fn say_split(&mut self, service: usize, (from, to): (Nanos, Nanos)) {
        self.say(Observation::SplitBrain { service, from, to });
    }

    /// An answer over a flow that was cut for the whole of the call went round its proxy.
    fn look_for_bypass(&mut self, seen: &crate::users::Seen) {
        let Some(flow) = seen.flow else { return };
        let after = Nanos::secs(2) * i64::from(self.world.clock.pace());
        let span = (seen.began, seen.ended);
        if self.network.was_blocked(flow, span, after) {
            let what = format!(
                "{} was answered while it was cut",
                self.world.flows.get(flow).name
            );
            self.say(Observation::Bypassed {
                at: seen.ended,
                service: seen.service.index(),
                what,
            });
        }
    }
}
