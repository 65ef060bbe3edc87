//! What met a fault while it was on, and which faults something that failed has met.

use super::Director;
use super::faults::replicas_of;
use crate::replica::{Effect as Done, Trouble};
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::faults::Effect;
use assize_model::observation::Observation;
use assize_model::scenario::Target;

impl Director<'_> {
    /// Something met a fault while it was on.
    pub(super) fn bite(&mut self, fault: usize, evidence: &str) {
        if !std::mem::replace(&mut self.faults[fault].bitten, true) {
            let at = self.now();
            self.say(Observation::Bite {
                at,
                fault,
                evidence: evidence.to_owned(),
            });
        }
    }

    /// A call over a flow in this span has met whatever was wrong on its way or at its end: the
    /// faults to blame for its failure, or those that it passed.
    pub(super) fn met(
        &mut self,
        flow: Option<usize>,
        (service, replica): (ServiceId, u16),
        (began, ended): (Nanos, Nanos),
        trouble: Option<&Trouble>,
        evidence: &str,
    ) -> Vec<usize> {
        let mut faults = flow.map_or_else(Vec::new, |f| {
            self.network.met(f, began, ended, trouble.is_some())
        });
        let state = &self.services[service.index()].replicas[usize::from(replica)];
        let stops = |e: &Done| {
            matches!(
                e,
                Done::Down(_)
                    | Done::NoAnswer(_)
                    | Done::Errors(_)
                    | Done::Shard(_)
                    | Done::Capacity(_)
                    | Done::Corrupt
                    | Done::Delete
                    | Done::SessionsLost
            )
        };
        let touches = |e: &Done| matches!(e, Done::Capacity(_) | Done::Slow(_) | Done::Repeated(_));
        let concerned = |e: &Done| {
            if trouble.is_some() {
                stops(e)
            } else {
                touches(e)
            }
        };
        let effects = state.effects.iter();
        faults.extend(
            effects
                .filter(|e| concerned(&e.1) && e.2 <= ended && began <= e.3)
                .map(|e| e.0),
        );
        faults.sort_unstable();
        faults.dedup();
        for &fault in &faults {
            self.bite(fault, evidence);
        }
        faults
    }

    /// The faults that do this to a replica at an instant.
    pub(super) fn faults_with(
        &self,
        service: usize,
        replica: u16,
        is_it: impl Fn(Done) -> bool,
        at: Nanos,
    ) -> Vec<usize> {
        let effects = self.services[service].replicas[usize::from(replica)]
            .effects
            .iter();
        effects
            .filter(|e| is_it(e.1) && e.2 <= at && at < e.3)
            .map(|e| e.0)
            .collect()
    }

    /// The faults on now that have an effect about a replica which is not done at the replica.
    pub(super) fn faults_about(
        &self,
        service: usize,
        replica: u16,
        is_it: impl Fn(Effect) -> bool,
    ) -> Vec<usize> {
        let about = |t: &Target| {
            replicas_of(self.plan.topology, t).contains(&(ServiceId::from(service), replica))
        };
        let faults = self.plan.scenario.faults.iter().enumerate();
        faults
            .filter(|(i, f)| {
                self.faults[*i].on
                    && f.effects.iter().any(|e| is_it(*e))
                    && self.faults[*i].resolved.iter().any(about)
            })
            .map(|(i, _)| i)
            .collect()
    }
}
