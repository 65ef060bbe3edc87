//! Journeys of the users of a spot: which cohorts are served, over which access.

use crate::engine::Engine;
use crate::route::{self};
use crate::state::Out;
use crate::truth::degraded;
use crate::wakes::Wake;
use assize_control::matured::bits;
use assize_fault::{Nanos, Ppb};
use assize_model::JourneyId;

impl Engine<'_> {
    /// Journeys of the users of a spot.
    pub(crate) fn refresh_unit(&mut self, id: usize) {
        let out = self.evaluate(id);
        let unit = &mut self.units[id];
        let same = unit.steps.last().is_some_and(|last| {
            Out {
                at: out.at,
                ..*last
            } == out
        });
        if same {
            return;
        }
        self.loads_dirty |= unit.loads;
        match unit.steps.last_mut() {
            Some(last) if last.at == out.at => *last = out,
            _ => unit.steps.push(out),
        }
    }

    pub(crate) fn evaluate(&mut self, id: usize) -> Out {
        let now = self.now;
        let journey = self.units[id].journey;
        let mut mask = 0u64;
        let mut refused = 0u64;
        let mut factors: Option<Box<[u64; 64]>> = None;
        let mut part: Option<Box<[u64; 64]>> = None;
        let mut failed_so_far = u64::MAX;
        let mut acks: Vec<(assize_model::ServiceId, u16, u64)> = Vec::new();
        for rank in 0..self.units[id].accesses.len() {
            let mut eligible = u64::MAX;
            if let Some(change) = &mut self.units[id].accesses[rank].change {
                change.on_mask(now, failed_so_far);
                eligible = change.matured();
                let next = change.next_wake();
                let wake = self.units[id].accesses[rank].wake;
                self.wakes.arm(Wake::Change(wake), next);
            }
            let (asked_ok, leased, mut refused_here) = self.needs_met(id, rank);
            let (called_ok, quality) = self.calls_met(id, rank, journey, &mut refused_here);
            let ok = asked_ok & leased & called_ok;
            let served = eligible & ok & !mask;
            if served != 0 {
                self.units[id].accesses[rank].used = true;
                self.apply_quality(&quality, served, &mut factors);
                self.collect_acks(id, rank, served, &mut acks);
                mask |= served;
            }
            self.add_parts(
                id,
                rank,
                eligible & asked_ok & called_ok & !leased & !mask,
                &mut part,
            );
            if rank == 0 {
                refused = refused_here & !ok;
            }
            failed_so_far &= !ok;
        }
        self.open_acks(id, &acks);
        self.finish(id, mask, refused & !mask, factors, part)
    }

    /// Cohorts whose uncached needs answer, whose leases are valid, and whose tries are refused.
    pub(crate) fn needs_met(&self, id: usize, rank: usize) -> (u64, u64, u64) {
        let used = &self.units[id].accesses[rank];
        let (mut asked, mut leased, mut refused) = (u64::MAX, u64::MAX, 0);
        for &entry in &used.asked {
            asked &= self.entries[entry].ok;
            refused |= self.entries[entry].refused;
        }
        for &lease in &used.leases {
            leased &= self.leases[lease].cache.valid();
        }
        (asked, leased, refused)
    }

    /// Cohorts whose calls all answer in time, and the quality by cohort group.
    pub(crate) fn calls_met(
        &mut self,
        id: usize,
        rank: usize,
        journey: JourneyId,
        refused: &mut u64,
    ) -> (u64, Vec<(u64, Ppb)>) {
        let spec = self.plan.topology.journey(journey);
        let mut ok = u64::MAX;
        let mut quality = Vec::new();
        // Time already spent, by cohort group: a list of disjoint masks.
        let mut spent: Vec<(u64, Nanos)> = vec![(u64::MAX, Nanos::ZERO)];
        let calls = &self.units[id].accesses[rank].calls;
        let n = calls.len().max(1) as u64;
        for &call in calls {
            let entry = &self.entries[call];
            ok &= entry.ok;
            *refused |= entry.refused;
            let service = entry.service.index();
            for &(replica, mask) in &entry.groups {
                let leg = entry.legs[usize::from(replica)];
                let state = &self.services[service].replicas[usize::from(replica)];
                let q = degraded(leg.quality, &state.degrade);
                let (took, share) =
                    crate::timing::one_call(spec, &q, n, self.service_time(service));
                let share = route::times(share, self.services[service].share);
                let share = route::times(share, entry.carried[usize::from(replica)]);
                if share == Ppb::ZERO {
                    ok &= !mask;
                }
                if share != Ppb::ONE {
                    quality.push((mask, share));
                }
                if took > Nanos::ZERO {
                    spent = spent
                        .into_iter()
                        .flat_map(|(m, t)| [(m & mask, t + took), (m & !mask, t)])
                        .filter(|s| s.0 != 0)
                        .collect();
                }
            }
        }
        for &asked in &self.units[id].accesses[rank].asked {
            match self.services[self.entries[asked].service.index()].share {
                Ppb::ONE => {}
                Ppb::ZERO => ok = 0,
                share => quality.push((u64::MAX, share)),
            }
        }
        let limit = spec.timeout.min(spec.retry.each);
        for (mask, time) in spent {
            if time > limit {
                ok &= !mask;
            } else if mask & ok != 0 {
                let worst = &mut self.units[id].worst;
                *worst = (*worst).max(time);
            }
        }
        (ok, quality)
    }

    pub(crate) fn service_time(&self, service: usize) -> Nanos {
        self.plan.topology.services[service].service_time
    }

    pub(crate) fn apply_quality(
        &self,
        quality: &[(u64, Ppb)],
        served: u64,
        factors: &mut Option<Box<[u64; 64]>>,
    ) {
        for &(mask, share) in quality {
            let factors = factors.get_or_insert_with(|| Box::new([1_000_000_000; 64]));
            for k in bits(mask & served) {
                factors[k] = route::times(Ppb(factors[k]), share).0;
            }
        }
    }

    /// Users of cohorts that are only partly through a storm.
    pub(crate) fn add_parts(
        &self,
        id: usize,
        rank: usize,
        mask: u64,
        part: &mut Option<Box<[u64; 64]>>,
    ) {
        let partial: Vec<usize> = self.units[id].accesses[rank]
            .leases
            .iter()
            .copied()
            .filter(|l| self.leases[*l].partial)
            .collect();
        if partial.is_empty() || mask == 0 {
            return;
        }
        let shares = part.get_or_insert_with(|| Box::new([0; 64]));
        for k in bits(mask) {
            let mut least = 1_000_000_000u64;
            for &lease in &self.units[id].accesses[rank].leases {
                let lease = &self.leases[lease];
                if lease.cache.valid() & (1 << k) == 0 {
                    let share = u128::from(lease.attached[k]) * 1_000_000_000;
                    least = least.min((share / u128::from(lease.users.max(1))) as u64);
                }
            }
            shares[k] = shares[k].max(least);
        }
    }

    pub(crate) fn finish(
        &mut self,
        id: usize,
        mask: u64,
        refused: u64,
        factors: Option<Box<[u64; 64]>>,
        part: Option<Box<[u64; 64]>>,
    ) -> Out {
        let now = self.now;
        let full = u64::from(mask.count_ones()) * 1_000_000_000;
        let mut normal = factors
            .as_ref()
            .map_or(full, |f| bits(mask).map(|k| f[k]).sum());
        let factor = normal
            .checked_div(u64::from(mask.count_ones()))
            .unwrap_or(1_000_000_000);
        let part_of = |k: usize| part.as_ref().map_or(0, |p| p[k]);
        normal += bits(!mask).map(part_of).sum::<u64>();
        let journey = self.plan.topology.journey(self.units[id].journey);
        let (mut paper, mut degraded) = (0, 0);
        if let (Some(machine), Some(spec)) = (&mut self.units[id].paper, &journey.otherwise) {
            machine.on_mask(now, !mask);
            paper = machine.matured();
            degraded = bits(paper)
                .map(|k| route::times(Ppb(1_000_000_000 - part_of(k)), spec.capacity).0)
                .sum();
            let next = machine.next_wake();
            self.wakes.arm(Wake::Paper(id), next);
        }
        Out {
            at: now,
            mask,
            refused,
            paper,
            normal,
            factor,
            degraded,
        }
    }
}
