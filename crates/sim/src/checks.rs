//! What each health check would see.

use crate::engine::Engine;
use crate::route::Blame;
use crate::state::Fault;
use crate::wakes::Wake;
use assize_control::Seen;
use assize_fault::Nanos;
use assize_model::faults::How;
use assize_model::topology::Probes;

impl Engine<'_> {
    /// What each health check would see from now on.
    pub(crate) fn refresh_checks(&mut self) {
        let mut id = 0;
        for service in 0..self.services.len() {
            for replica in 0..self.services[service].checkers.len() {
                if let Some((seen, faults)) = self.check_sees(service, replica) {
                    let now = self.now;
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
                        state.replicas[replica].seen_faults = faults;
                    }
                    let next = self.services[service].checkers[replica].next_wake();
                    self.wakes.arm(Wake::Checker(id), next);
                }
                id += 1;
            }
        }
    }

    /// `None` where every checker is itself out.
    pub(crate) fn check_sees(
        &mut self,
        service: usize,
        replica: usize,
    ) -> Option<(Seen, Vec<Fault>)> {
        let spec = &self.plan.topology.services[service];
        let check = &spec.failover.as_ref()?.check;
        let target = self.net.spot(spec.replicas[replica].at);
        let state = &self.services[service].replicas[replica];
        let lies = !state.lies.is_empty();
        let host_only = lies || check.probes == Probes::Host;
        let own = if !self.truth.spot_up[target] {
            Some(Blame::Spot(target))
        } else if !state.down.is_empty() {
            Some(Blame::Replica(service as u16, replica as u16))
        } else if !state.no_answer.is_empty() {
            // A check of the machine stays green; one that asks as users do gets no answer either.
            Some(Blame::NoAnswer(service as u16, replica as u16))
        } else {
            self.hard_dependency(service, replica)
        };
        let hidden = own.filter(|b| host_only && !matches!(b, Blame::Spot(_)));
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
        let mut votes: Vec<(Option<Blame>, Nanos)> = Vec::new();
        for from in &check.from {
            if !self.truth.spot_up[self.net.spot(*from)] {
                continue;
            }
            let leg = self.leg_to_replica(*from, service, replica);
            votes.push((leg.blame.or(own), leg.quality.latency * 2));
        }
        if check.from.is_empty() {
            votes.push((own, Nanos::ZERO));
        }
        if votes.is_empty() {
            return None;
        }
        let failed = votes.iter().filter(|v| v.0.is_some()).count();
        if failed * 2 <= votes.len() {
            let rtt = votes.iter().filter(|v| v.0.is_none()).map(|v| v.1).max();
            return Some((Seen::Good(rtt.unwrap_or_default()), Vec::new()));
        }
        let (blame, rtt) = votes.iter().find_map(|v| v.0.map(|b| (b, v.1)))?;
        let seen = match self.how(blame) {
            How::BlackHole => Seen::Silent,
            How::Refuse => Seen::Bad(rtt),
        };
        Some((seen, self.faults_of(blame)))
    }

    /// The first hard dependency that a replica lacks.
    pub(crate) fn hard_dependency(&self, service: usize, replica: usize) -> Option<Blame> {
        let depends = &self.plan.topology.services[service].depends;
        let hard = depends.all_of.iter().filter(|d| d.soft.is_none());
        let reach = |d: &assize_model::topology::Dependency| {
            self.reach_dependency(service, replica, d.service.index())
        };
        hard.map(reach).find(Option::is_some).flatten().or_else(|| {
            depends.any_of.iter().find_map(|choice| {
                let blames: Vec<_> = choice.iter().map(reach).collect();
                blames
                    .iter()
                    .all(Option::is_some)
                    .then(|| blames[0])
                    .flatten()
            })
        })
    }
}
