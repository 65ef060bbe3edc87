//! What follows when places fail and ways open or close: which stand-ins stand in the dark, who
//! stays with an old primary, and who may meet again.

use super::Director;
use crate::flows::{End, Origin};
use crate::replica::Effect;
use assize_model::{AccessId, ServiceId};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Director<'_> {
    /// The network is not what it was.
    pub(super) fn network_changed(&mut self) {
        let now = self.now();
        for service in 0..self.services.len() {
            self.darken(service);
            self.stay_with_old(service);
            // Who could not meet may meet now.
            let state = &mut self.services[service];
            if state.replicas.iter().any(|r| r.should_follow) {
                state.contact_at = Some(now);
            }
        }
    }

    /// A stand-in does not notice that its place is out, and would be promoted there.
    fn darken(&mut self, service: usize) {
        let id = ServiceId::from(service);
        for r in 0..self.services[service].replicas.len() {
            let at = self.plan.topology.services[service].replicas[r].at;
            let is_dark = !self.network.works(at);
            let state = &mut self.services[service].replicas[r];
            if std::mem::replace(&mut state.is_dark, is_dark) == is_dark {
                continue;
            }
            let replica = self.world.replica(id, r as u16).filter(|to| !to.is_real());
            if let Some(to) = replica.map(Arc::clone) {
                tokio::spawn(async move { to.apply(Effect::PromotionFails, is_dark).await });
            }
        }
    }

    /// Users who cannot reach the primary, and reach an old one that still takes writes, keep to
    /// it until it steps down or cannot be reached either.
    pub(super) fn stay_with_old(&mut self, service: usize) {
        let state = &self.services[service];
        let Some(machine) = &state.failover else {
            return;
        };
        let (id, current) = (ServiceId::from(service), machine.primary());
        let before = self.world.clings(id);
        let mut after: BTreeMap<(usize, AccessId), u16> = BTreeMap::new();
        let now = self.now();
        let silent = |e: Effect| matches!(e, Effect::Down(_) | Effect::NoAnswer(_));
        let takes_writes = |r: &u16| {
            *r != current
                && state.replicas[usize::from(*r)].acts
                && self.faults_with(service, *r, silent, now).is_empty()
        };
        let olds = || (0..state.replicas.len() as u16).filter(takes_writes);
        let flows = &self.world.flows;
        for flow in flows.all() {
            let (Origin::Users { spot, access }, true) =
                (flow.key.origin, flow.key.end == End::Replica(id, current))
            else {
                continue;
            };
            let is_open = |replica: u16| {
                let way = flows.find(flow.key.origin, End::Replica(id, replica));
                way.is_some_and(|way| !self.network.is_stopped(way))
            };
            let stays = before.get(&(spot, access)).copied();
            let old = match stays {
                Some(old) => Some(old).filter(|old| olds().any(|r| r == *old)),
                None if is_open(current) => None,
                None => olds().next(),
            };
            if let Some(old) = old.filter(|old| is_open(*old)) {
                after.insert((spot, access), old);
            }
        }
        if before != after {
            self.world.set_clings(id, &after);
        }
    }
}
