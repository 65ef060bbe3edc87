//! Journeys of the users of a spot: which cohorts are served, over which access.

use crate::engine::Engine;
use crate::state::Out;
use crate::wakes::Wake;
use assize_control::fabric::{Fault, times};
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
        let mut found = Found::default();
        let mut part: Option<Box<[u64; 64]>> = None;
        let mut failed_so_far = u64::MAX;
        let mut waits = 0u64;
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.acks.clear();
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
            let called_ok = self.calls_met(id, rank, journey, &mut refused_here, &mut scratch);
            let ok = asked_ok & leased & called_ok;
            let served = eligible & ok & !mask;
            if served != 0 {
                self.units[id].accesses[rank].used = true;
                found.add(&scratch.offered, served);
                self.collect_acks(id, rank, served, &mut scratch.acks);
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
            let unserved = eligible & asked_ok & leased & !mask;
            self.collect_unanswered(id, rank, unserved, &mut scratch.acks);
            failed_so_far &= !ok;
            waits |= eligible & asked_ok & leased & scratch.waits;
        }
        let factors = self.factors(journey, &found);
        if let (Some(factors), Some(shares)) = (&factors, &found.shares) {
            // What load refuses was not done; what ended in an error may have been.
            Self::share_acks(&mut scratch.acks, |k| {
                (factors[k], shares[k].1.0.saturating_sub(factors[k]))
            });
        }
        self.open_acks(id, &scratch.acks);
        self.scratch = scratch;
        let out = self.finish(id, mask, refused & !mask, factors, part);
        Out {
            waits: waits & !mask,
            time: found.time,
            ..out
        }
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

    /// Cohorts whose calls all answer in time; `scratch` has the quality by cohort group, and whose
    /// calls all would if a write did not wait for a copy.
    fn calls_met(
        &mut self,
        id: usize,
        rank: usize,
        journey: JourneyId,
        refused: &mut u64,
        scratch: &mut Scratch,
    ) -> u64 {
        let spec = self.plan.topology.journey(journey);
        let (mut ok, mut reached, mut waiting) = (u64::MAX, u64::MAX, 0u64);
        let Scratch { offered, spent, .. } = scratch;
        offered.clear();
        let mut met: Vec<Fault> = Vec::new();
        spent.clear();
        spent.push((u64::MAX, Nanos::ZERO));
        let calls = &self.units[id].accesses[rank].calls;
        let n = calls.len().max(1) as u64;
        for &call in calls {
            let entry = &self.entries[call];
            (ok, reached) = (ok & entry.ok, reached & entry.ok);
            *refused |= entry.refused;
            let service = entry.service.index();
            for &(replica, mask) in &entry.groups {
                let leg = entry.legs[usize::from(replica)];
                let state = &self.services[service].replicas[usize::from(replica)];
                let worse = &self.fabric.replica(service, usize::from(replica)).degrade;
                let q = leg.quality.degraded(worse);
                let (took, share) =
                    crate::timing::one_call(spec, &q, n, self.service_time(service));
                let carried = entry.carried[usize::from(replica)];
                let loaded = times(carried, self.services[service].share);
                if loaded == Ppb::ZERO {
                    ok &= !mask;
                }
                let took = match state.copied_in {
                    _ if !spec.writes.contains(&entry.service) => took,
                    Some(copied_in) => took + copied_in,
                    None => {
                        waiting |= mask;
                        took
                    }
                };
                if self.unbitten > 0 {
                    met.extend(worse.iter().map(|d| d.0));
                }
                let slow = q.passes != Ppb::ONE;
                if slow || share != Ppb::ONE || loaded != Ppb::ONE {
                    offered.push(Offered {
                        mask,
                        share,
                        loaded,
                        slow,
                        time: Nanos::ZERO,
                    });
                }
                if took > Nanos::ZERO {
                    spend(spent, mask, took);
                }
            }
        }
        for &asked in &self.units[id].accesses[rank].asked {
            match self.services[self.entries[asked].service.index()].share {
                Ppb::ONE => {}
                Ppb::ZERO => ok = 0,
                loaded => offered.push(Offered {
                    mask: u64::MAX,
                    share: Ppb::ONE,
                    loaded,
                    slow: false,
                    time: Nanos::ZERO,
                }),
            }
        }
        let limit = spec.timeout.min(spec.retry.each);
        let way = spent.iter().filter(|s| s.0 & reached != 0).map(|s| s.1);
        self.units[id].path = way.max().unwrap_or(self.units[id].path);
        let mut waits = waiting & ok;
        ok &= !waiting;
        for &(mask, time) in spent.iter() {
            if time > limit {
                ok &= !mask;
                waits &= !mask;
            } else if mask & ok != 0 {
                let worst = &mut self.units[id].worst;
                *worst = (*worst).max(time);
                if time > Nanos::ZERO {
                    offered.push(Offered {
                        mask,
                        share: Ppb::ONE,
                        loaded: Ppb::ONE,
                        slow: false,
                        time,
                    });
                }
            }
        }
        scratch.waits = waits;
        self.bite_all(&met, || "a request met it".into());
        ok
    }

    pub(crate) fn service_time(&self, service: usize) -> Nanos {
        self.plan.topology.services[service].service_time
    }

    /// The share of attempts that end well, by cohort: at least one of the tries that fit, and
    /// within what services and links can carry.
    fn factors(&self, journey: JourneyId, found: &Found) -> Option<Box<[u64; 64]>> {
        let shares = found.shares.as_ref()?;
        let spec = self.plan.topology.journey(journey);
        // An error is known at once; what loss has cost is known when the try is over.
        let wait = if found.slow {
            spec.retry.each.min(spec.timeout)
        } else {
            found.time
        };
        let tries = 1 + crate::timing::offsets(spec.retry, spec.timeout, wait, found.time).len();
        Some(Box::new(core::array::from_fn(|k| {
            let (share, loaded) = shares[k];
            times(crate::timing::at_least_once(share, tries as u32), loaded).0
        })))
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
            shares[k] = shares[k].max(self.part_through(&self.units[id].accesses[rank].leases, k));
        }
    }

    /// The share of a cohort's users that hold all of these leases, in parts per billion.
    pub(crate) fn part_through(&self, leases: &[usize], k: usize) -> u64 {
        let held = leases.iter().map(|l| &self.leases[*l]);
        held.filter(|l| l.cache.valid() & (1 << k) == 0)
            .map(|l| {
                (u128::from(l.attached[k]) * 1_000_000_000 / u128::from(l.users.max(1))) as u64
            })
            .min()
            .unwrap_or(1_000_000_000)
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
        if part.is_some() {
            normal += bits(!mask).map(part_of).sum::<u64>();
        }
        let journey = self.plan.topology.journey(self.units[id].journey);
        let (mut paper, mut degraded) = (0, 0);
        if let (Some(machine), Some(spec)) = (&mut self.units[id].paper, &journey.otherwise) {
            machine.on_mask(now, !mask);
            paper = machine.matured();
            degraded = bits(paper)
                .map(|k| times(Ppb(1_000_000_000 - part_of(k)), spec.capacity).0)
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
            waits: 0,
            time: Nanos::ZERO,
        }
    }
}

/// Lists of one evaluation, kept for their memory.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Only what is not perfect.
    offered: Vec<Offered>,
    /// Time already spent, by cohort group: disjoint masks.
    spent: Vec<(u64, Nanos)>,
    /// Cohorts that nothing but a write that waits keeps from being served.
    waits: u64,
    acks: Vec<crate::acks::Served>,
}

/// The cohorts of `mask` spend more time.
fn spend(spent: &mut Vec<(u64, Nanos)>, mask: u64, took: Nanos) {
    for i in 0..spent.len() {
        let (m, t) = spent[i];
        let (more, same) = (m & mask, m & !mask);
        if more == 0 {
            continue;
        }
        spent[i] = (more, t + took);
        if same != 0 {
            spent.push((same, t));
        }
    }
}

/// What the calls over an access offer some cohorts: the share of tries that end well, the
/// share of attempts that load leaves, whether failing takes as long as a try, and its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offered {
    mask: u64,
    share: Ppb,
    loaded: Ppb,
    slow: bool,
    time: Nanos,
}

/// The same for the cohorts served, over all accesses; `None` while everything is perfect.
#[derive(Default)]
struct Found {
    shares: Option<Box<[(Ppb, Ppb); 64]>>,
    slow: bool,
    time: Nanos,
}

impl Found {
    fn add(&mut self, quality: &[Offered], served: u64) {
        for q in quality.iter().filter(|q| q.mask & served != 0) {
            self.slow |= q.slow;
            self.time = self.time.max(q.time);
            if q.share == Ppb::ONE && q.loaded == Ppb::ONE {
                continue;
            }
            let shares = self
                .shares
                .get_or_insert_with(|| Box::new([(Ppb::ONE, Ppb::ONE); 64]));
            for k in bits(q.mask & served) {
                shares[k].0 = times(shares[k].0, q.share);
                shares[k].1 = times(shares[k].1, q.loaded);
            }
        }
    }
}
