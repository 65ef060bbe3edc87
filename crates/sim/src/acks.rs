//! Who acknowledges whose writes and since when, two replicas that do so at one instant, and
//! what a read-back finds of it. What a replica holds is in `data`.

use crate::data::{self, Ack, Content, Fate};
use crate::engine::Engine;
use crate::state::DataState;
use crate::timing::offsets;
use crate::wakes::Wake;
use assize_control::fabric::Fault;
use assize_control::matured::bits;
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::journal::{Loss, ReadBack, SplitBrain};
use assize_model::topology::Mode;
use std::collections::BTreeMap;

impl Engine<'_> {
    /// Ledgers are read back when the last client has followed the change.
    pub(crate) fn read_back_when_settled(&mut self, service: usize) {
        if self.services[service].data.is_none() {
            return;
        }
        let ttl = self.plan.topology.services[service]
            .failover
            .as_ref()
            .map_or(Nanos::ZERO, |f| f.dns_ttl);
        let at = self.now + ttl;
        self.services[service].read_back_at = Some(at);
        self.wakes.arm(Wake::ReadBack(service), Some(at));
    }

    /// Whether the data of a service is whole, so that it can be read.
    pub(crate) fn serves_data(&self, service: usize) -> bool {
        let primary = self.primary(service);
        self.services[service]
            .data
            .as_ref()
            .is_some_and(|data| data.restoring.is_none() && data.content[primary].damaged.is_none())
    }

    /// Compares what was acknowledged with what is there.
    pub(crate) fn read_back(&mut self, service: usize, is_final: bool) {
        let now = self.now;
        self.sync_all(service);
        self.note_loss(service, None);
        let acks = self.all_acks(service);
        let Some(data) = &self.services[service].data else {
            return;
        };
        let units = &self.units;
        let held = self.readable(service, data);
        let tally = data::read_back(&acks, &held, &data.losses, now, |u| {
            units[u].grids.as_slice()
        });
        let losses: Vec<Loss> = tally
            .losses
            .iter()
            .map(|&(event, missing)| {
                let fault = data.losses[event].fault;
                Loss {
                    oldest_at: missing.oldest,
                    newest_at: missing.newest,
                    until: Some(missing.until),
                    survivor_before: missing.survivor_before,
                    fault_at: fault.map(|f| self.plan.scenario.faults[f].at),
                    fault,
                }
            })
            .collect();
        self.record.figure(&[
            tally.acknowledged as i64,
            tally.lost as i64,
            tally.corrupted as i64,
            tally.duplicated as i64,
            tally.stale as i64,
            tally.indeterminate as i64,
        ]);
        for loss in &losses {
            let survivor = loss.survivor_before.map_or(-1, |at| at.0);
            let ends = [loss.oldest_at.0, loss.newest_at.0, survivor];
            self.record.figure(&ends);
        }
        self.record.read_backs.push(ReadBack {
            service: ServiceId::from(service),
            at: now,
            is_final,
            acknowledged: tally.acknowledged,
            lost: tally.lost,
            duplicated: tally.duplicated,
            stale: tally.stale,
            corrupted: tally.corrupted,
            indeterminate: tally.indeterminate,
            losses,
            unwritten: tally.unwritten,
        });
    }

    /// The copies from which a service is read: that of its primary; where several take writes,
    /// those of all that run, or of all if none does.
    pub(crate) fn readable<'d>(&self, service: usize, data: &'d DataState) -> Vec<&'d Content> {
        if !self.has_many_writers(service) {
            return vec![&data.content[self.primary(service)]];
        }
        let up = (0..data.content.len()).filter(|r| self.process_up(service, *r));
        let up: Vec<&Content> = up.map(|r| &data.content[r]).collect();
        if up.is_empty() {
            return data.content.iter().collect();
        }
        up
    }

    /// Puts down as one loss what has gone missing since the last time. Where no cause is given
    /// it is what keeps replicas down, or what the loss before it was due to.
    pub(crate) fn note_loss(&mut self, service: usize, cause: Option<Fault>) {
        let acks = self.all_acks(service);
        let Some(data) = &self.services[service].data else {
            return;
        };
        let missing = data::missing_spans(&acks, &self.readable(service, data), self.now);
        let cause = cause.or_else(|| {
            let mut down = (0..data.content.len()).filter(|r| !self.process_up(service, *r));
            let first = |r| {
                self.plan
                    .scenario
                    .first_of(&self.faults_of_process(service, r))
            };
            down.find_map(first)
                .or(data.losses.last().and_then(|l| l.fault))
        });
        if let Some(data) = &mut self.services[service].data {
            data::note_missing(&mut data.losses, &missing, cause);
        }
    }

    /// Closed acknowledgements, and the open ones as of now.
    pub(crate) fn all_acks(&self, service: usize) -> Vec<Ack> {
        let mut acks = self.services[service]
            .data
            .as_ref()
            .map_or_else(Vec::new, |d| d.acks.clone());
        for (unit, state) in self.units.iter().enumerate() {
            let open = state
                .open
                .iter()
                .filter(|o| o.served.service.index() == service);
            acks.extend(open.map(|o| o.until(unit, self.now + Nanos(1))));
        }
        acks
    }

    /// What becomes of the requests of the cohorts served over an access, where it matters for
    /// data: writes, and reads of a primary that has been superseded.
    pub(crate) fn collect_acks(&self, id: usize, rank: usize, served: u64, acks: &mut Vec<Served>) {
        let journey = self.plan.topology.journey(self.units[id].journey);
        for &call in &self.units[id].accesses[rank].calls {
            let entry = &self.entries[call];
            let writes = journey.writes.contains(&entry.service);
            let failover = self.services[entry.service.index()].failover.as_ref();
            let stale = |r: u16| failover.is_some_and(|f| f.primary() != r);
            for &(replica, mask) in &entry.groups {
                if mask & served != 0 && (writes || stale(replica)) {
                    acks.push(Served {
                        service: entry.service,
                        replica,
                        mask: mask & served,
                        fate: if writes { Fate::DONE } else { Fate::Stale },
                    });
                }
            }
        }
    }

    /// The writes of cohorts that are not served and whose requests arrive all the same.
    pub(crate) fn collect_unanswered(
        &self,
        id: usize,
        rank: usize,
        mut cohorts: u64,
        acks: &mut Vec<Served>,
    ) {
        let unit = &self.units[id];
        let journey = self.plan.topology.journey(unit.journey);
        let calls = || unit.accesses[rank].calls.iter().map(|c| &self.entries[*c]);
        if cohorts == 0 || journey.writes.is_empty() || calls().all(|e| e.unanswered.is_empty()) {
            return;
        }
        for entry in calls() {
            let silent = entry.unanswered.iter().fold(0, |m, u| m | u.1);
            if journey.writes.contains(&entry.service) {
                let parts = entry.unanswered.iter();
                let parts = parts.map(|&(replica, mask)| Served {
                    service: entry.service,
                    replica,
                    mask: mask & cohorts,
                    fate: Fate::Unanswered,
                });
                acks.extend(parts.filter(|s| s.mask != 0));
            }
            // Who gets no answer to one call makes no further ones.
            cohorts &= entry.ok & !silent;
        }
    }

    /// Of what was collected, what errors and load leave: by cohort, the share that is
    /// acknowledged, and what of the rest may have been done.
    pub(crate) fn share_acks(acks: &mut Vec<Served>, shares: impl Fn(usize) -> (u64, u64)) {
        let whole = std::mem::take(acks);
        for one in whole {
            if one.fate != Fate::DONE {
                acks.push(one);
                continue;
            }
            let mut by_fate: BTreeMap<Fate, u64> = BTreeMap::new();
            for k in bits(one.mask) {
                let (acked, unsure) = shares(k);
                *by_fate.entry(Fate::Writes { acked, unsure }).or_default() |= 1 << k;
            }
            let parts = by_fate.into_iter();
            acks.extend(parts.map(|(fate, mask)| Served { fate, mask, ..one }));
        }
    }

    /// Closes what has ended and opens what begins.
    pub(crate) fn open_acks(&mut self, id: usize, acks: &[Served]) {
        let now = self.now;
        if acks.is_empty() && self.units[id].open.is_empty() {
            return;
        }
        let open = std::mem::take(&mut self.units[id].open);
        let mut kept: Vec<Open> = Vec::new();
        let mut touched: Vec<ServiceId> = Vec::new();
        for one in open {
            if acks.contains(&one.served) {
                kept.push(one);
                continue;
            }
            let served = one.served;
            touched.push(served.service);
            let again_from = self.done_again_from(id, &one, acks);
            if let Some(data) = &mut self.services[served.service.index()].data {
                if served.is_acknowledged() {
                    data.open[usize::from(served.replica)] -= 1;
                }
                if one.from < now {
                    data.acks.push(Ack {
                        again_from,
                        ..one.until(id, now)
                    });
                }
            }
        }
        for &served in acks {
            if kept.iter().any(|k| k.served == served) {
                continue;
            }
            // In steady state it was so before the scenario began.
            let steady = self.record.events == 0;
            let from = if steady { -crate::build::BEFORE } else { now };
            kept.push(Open { served, from });
            touched.push(served.service);
            if let Some(data) = &mut self.services[served.service.index()].data
                && served.is_acknowledged()
            {
                data.open[usize::from(served.replica)] += 1;
            }
        }
        self.units[id].open = kept;
        touched.sort_unstable();
        touched.dedup();
        for service in touched {
            self.note_split(service);
        }
    }

    /// From when on writes without an answer are tried again with success, if they are answered
    /// from now on: those whose last try comes now or later. And whether they are there twice.
    fn done_again_from(&self, id: usize, one: &Open, acks: &[Served]) -> Option<(Nanos, bool)> {
        let journey = self.plan.topology.journey(self.units[id].journey);
        let answered = |a: &&Served| {
            let same = a.service == one.served.service && a.is_acknowledged();
            same && one.served.mask & !a.mask == 0
        };
        if one.served.fate != Fate::Unanswered {
            return None;
        }
        acks.iter().find(answered)?;
        let each = journey.retry.each.min(journey.timeout);
        let path = self.units[id].path;
        let tries = offsets(journey.retry, journey.timeout, each, path);
        let last = tries.last()?;
        Some((self.now - *last, !journey.idempotent))
    }

    /// Two replicas of a single-writer service that acknowledge at one instant.
    fn note_split(&mut self, service: ServiceId) {
        let spec = self.plan.topology.service(service);
        if !matches!(spec.mode, Mode::ActiveStandby | Mode::Quorum) {
            return;
        }
        let now = self.now;
        let Some(data) = &mut self.services[service.index()].data else {
            return;
        };
        let split = data.open.iter().filter(|n| **n > 0).count() > 1;
        match (split, data.split_since) {
            (true, None) => data.split_since = Some(now),
            (false, Some(from)) => {
                data.split_since = None;
                if from < now {
                    self.record.split_brain.push(SplitBrain {
                        service,
                        from,
                        to: now,
                    });
                }
            }
            _ => {}
        }
    }
}

/// Requests of some cohorts of a unit that reach a replica, and what becomes of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Served {
    pub(crate) service: ServiceId,
    pub(crate) replica: u16,
    pub(crate) mask: u64,
    pub(crate) fate: Fate,
}

impl Served {
    const fn is_acknowledged(&self) -> bool {
        matches!(self.fate, Fate::Writes { acked, .. } if acked > 0)
    }
}

/// The same since an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    pub(crate) served: Served,
    pub(crate) from: Nanos,
}

impl Open {
    const fn until(&self, unit: usize, to: Nanos) -> Ack {
        Ack {
            unit,
            replica: self.served.replica,
            mask: self.served.mask,
            from: self.from,
            to,
            fate: self.served.fate,
            again_from: None,
        }
    }
}
