//! What each health check would see.

use crate::blame::Blame;
use crate::engine::Engine;
use crate::wakes::Wake;
use assize_control::Seen;
use assize_control::fabric::{Fault, Instance, Quality, Stop};
use assize_fault::{Nanos, Ppb};
use assize_model::NodeId;
use assize_model::faults::How;
use assize_model::topology::{Mode, Probes};

impl Engine<'_> {
    /// What each health check would see from now on.
    pub(crate) fn refresh_checks(&mut self, concerned: &[usize]) {
        for &service in concerned {
            for replica in 0..self.services[service].checkers.len() {
                let now = self.now;
                let (seen, faults) = self.check_sees(service, replica);
                let failing_before = self.services[service].checkers[replica].failing();
                self.services[service].checkers[replica].on_seen(now, seen);
                let state = &mut self.services[service];
                if matches!(seen, Seen::Good(_)) {
                    let met = failing_before || state.checkers[replica].failing();
                    let faults = std::mem::take(&mut state.replicas[replica].seen_faults);
                    if met {
                        self.bite_all(&faults, || "a health check met it".into());
                    }
                } else if !faults.is_empty() {
                    let state = &mut state.replicas[replica];
                    if state.seen_faults.is_empty() {
                        state.seen_first = self.plan.scenario.first_of(&faults);
                    }
                    state.seen_faults = faults;
                }
                let next = self.services[service].checkers[replica].next_wake();
                let id = self.first_check[service] + replica;
                self.wakes.arm(Wake::Checker(id), next);
            }
        }
    }

    /// [`Seen::Unmade`] where every checker is itself out.
    pub(crate) fn check_sees(&mut self, service: usize, replica: usize) -> (Seen, Vec<Fault>) {
        let spec = &self.plan.topology.services[service];
        let Some(failover) = &spec.failover else {
            return (Seen::Unmade, Vec::new());
        };
        let check = &failover.check;
        let target = self.fabric.net().spot(spec.replicas[replica].at);
        let state = &self.services[service].replicas[replica];
        let lies = !state.lies.is_empty();
        let fails_open = state.fails_open.clone();
        let host_only = lies || check.probes == Probes::Host;
        let own = if !self.fabric.truth().spot_up[target] {
            Some(Stop::Spot(target).into())
        } else if !state.down.is_empty() {
            Some(Blame::Replica(service as u16, replica as u16))
        } else if !state.no_answer.is_empty() {
            // A check of the machine stays green; one that asks as users do gets no answer either.
            Some(Blame::NoAnswer(service as u16, replica as u16))
        } else if state.acts && spec.mode == Mode::Quorum && !self.has_majority(service, replica) {
            // Without a majority it refuses writes, and a check that asks as users do sees it.
            Some(Blame::NotPrimary(service as u16, replica as u16))
        } else {
            self.dependencies(service, replica).err()
        };
        let hidden = own.filter(|b| host_only && !matches!(b, Blame::Way(Stop::Spot(_))));
        if let Some(blame) = hidden {
            let mut faults = self.faults_of(blame);
            if lies {
                faults.extend(&self.services[service].replicas[replica].lies);
                faults.sort_unstable();
                self.bite_all(&faults, || {
                    "a health check saw green while it was down".into()
                });
            }
        }
        let own = own.filter(|_| hidden.is_none());
        let mut votes: Vec<(Seen, Vec<Fault>)> = Vec::new();
        for from in &check.from {
            if !self.fabric.truth().spot_up[self.fabric.net().spot(*from)] {
                continue;
            }
            let leg = self.leg_to_replica(*from, service, replica);
            let blame = leg.stop.map(Blame::Way).or(own);
            votes.push(self.vote(
                (service, replica),
                Some(*from),
                blame,
                leg.quality,
                host_only,
            ));
        }
        if check.from.is_empty() {
            let blame = own.or_else(|| self.cut_off(service, replica));
            votes.push(self.vote((service, replica), None, blame, Quality::PERFECT, host_only));
        }
        let good = |vote: &&(Seen, Vec<Fault>)| matches!(vote.0, Seen::Good(_));
        if !fails_open.is_empty() {
            self.pass_unanswered(&mut votes, &fails_open, check.timeout);
        }
        let failed = votes.iter().filter(|v| !good(v)).count();
        let (cast, is_good) = (votes.len(), failed * 2 <= votes.len());
        votes.retain(|v| good(&v) == is_good);
        votes.sort_by_key(|v| v.0.delay(check.timeout));
        // The round is decided when so many have come that the rest cannot turn it.
        let decides = if is_good {
            cast.div_ceil(2).saturating_sub(1)
        } else {
            cast / 2
        };
        if decides < votes.len() {
            return votes.swap_remove(decides);
        }
        (Seen::Unmade, Vec::new())
    }

    /// Checks that get no answer count as passed, when their time is over.
    fn pass_unanswered(
        &mut self,
        votes: &mut [(Seen, Vec<Fault>)],
        because: &[Fault],
        timeout: Nanos,
    ) {
        for vote in votes.iter_mut().filter(|v| v.0 == Seen::Silent) {
            *vote = (Seen::Good(timeout), Vec::new());
            self.bite_all(because, || "a health check without an answer passed".into());
        }
    }

    /// What one check that starts now sees: no answer, an answer that comes too late, or one
    /// that is more often wrong than right is a failure.
    fn vote(
        &self,
        (service, replica): (usize, usize),
        from: Option<NodeId>,
        blame: Option<Blame>,
        path: Quality,
        host_only: bool,
    ) -> (Seen, Vec<Fault>) {
        let spec = &self.plan.topology.services[service];
        let worse = &self.fabric.replica(service, replica).degrade;
        let quality = if host_only {
            path
        } else {
            path.degraded(worse)
        };
        let served = if host_only {
            Nanos::ZERO
        } else {
            spec.service_time
        };
        let rtt = (quality.latency + quality.jitter) * 2 + served;
        let timeout = spec
            .failover
            .as_ref()
            .map_or(Nanos::ZERO, |f| f.check.timeout);
        let half = Ppb(500_000_000);
        if let Some(blame) = blame {
            let seen = match self.how(blame) {
                How::BlackHole => Seen::Silent,
                How::Refuse => Seen::Bad(rtt),
            };
            return (seen, self.faults_of(blame));
        }
        let seen = if rtt > timeout || quality.passes < half {
            Seen::Silent
        } else if quality.correct < half {
            Seen::Bad(rtt)
        } else {
            return (Seen::Good(rtt), Vec::new());
        };
        let path = from.map_or_else(Vec::new, |from| {
            let to = Instance::new(service, replica);
            self.fabric.route_to_replica(from, to)
        });
        let mut faults: Vec<Fault> = worse.iter().map(|d| d.0).collect();
        for circuit in path {
            let places = [
                self.fabric.net().circuits[circuit].near,
                self.fabric
                    .net()
                    .spot(self.fabric.net().circuits[circuit].far),
            ];
            faults.extend(self.fabric.circuit(circuit).degrade.iter().map(|d| d.0));
            faults.extend(
                places
                    .iter()
                    .flat_map(|p| &self.fabric.spot(*p).degrade)
                    .map(|d| d.0),
            );
        }
        faults.sort_unstable();
        faults.dedup();
        (seen, faults)
    }

    /// A check from beside the clients finds nothing where most of them are cut off from the
    /// replica. A service without users of its own is looked at from next to its place.
    fn cut_off(&self, service: usize, replica: usize) -> Option<Blame> {
        let (mut users, mut without, mut first) = (0u64, 0u64, None);
        for &entry in &self.services[service].entries {
            let entry = &self.entries[entry];
            let here = |unit: &usize| {
                let cells = self.units[*unit].cells.iter();
                cells.map(|c| self.plan.cells[*c].users).sum::<u64>()
            };
            let weight: u64 = entry.units.iter().map(here).sum();
            match entry.legs[replica].stop {
                None => users += weight,
                // A way that does not lead there says nothing about the replica, nor does a
                // place that is itself cut off from all of them.
                Some(stop)
                    if self.fabric.faults_of(stop).is_empty()
                        || entry.legs.iter().all(|l| l.stop.is_some()) => {}
                Some(stop) => {
                    users += weight;
                    without += weight;
                    first = first.or(Some(Blame::Way(stop)));
                }
            }
        }
        if users > 0 {
            return first.filter(|_| without * 2 > users);
        }
        if !self.fabric.replica(service, replica).isolated.is_empty() {
            return Some(Stop::Isolated(service as u16, replica as u16).into());
        }
        let at = self.plan.topology.services[service].replicas[replica].at;
        let spot = self.fabric.net().spot(at);
        if !self.fabric.spot(spot).isolated.is_empty() {
            return Some(Stop::Enclosed(spot).into());
        }
        let links = self.fabric.net().at_spot[spot]
            .iter()
            .chain(&self.fabric.net().at_far[at.index()]);
        let mut regular = links
            .filter(|c| !self.fabric.truth().dormant[**c])
            .peekable();
        let first = regular.peek().map(|c| Stop::Circuit(**c).into());
        first.filter(|_| regular.all(|c| !self.fabric.truth().passes[*c]))
    }
}
