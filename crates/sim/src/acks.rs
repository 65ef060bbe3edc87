//! Who acknowledges whose writes and since when, two replicas that do so at one instant, and
//! what a read-back finds of it. What a replica holds is in `data`.

use crate::data::{self, Ack, Content};
use crate::engine::Engine;
use crate::state::{DataState, Fault};
use crate::wakes::Wake;
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::journal::{Loss, ReadBack, SplitBrain};
use assize_model::topology::Mode;

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
            duplicated: 0,
            stale: 0,
            corrupted: tally.corrupted,
            indeterminate: 0,
            losses,
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
            let faults = down.find_map(|r| self.faults_of_process(service, r).first().copied());
            faults.or(data.losses.last().and_then(|l| l.fault))
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
            for &(s, replica, mask, from) in &state.open {
                if s.index() == service {
                    acks.push(Ack {
                        unit,
                        replica,
                        mask,
                        from,
                        to: self.now + Nanos(1),
                    });
                }
            }
        }
        acks
    }

    /// Which replicas acknowledge the writes of the cohorts served over an access.
    pub(crate) fn collect_acks(
        &self,
        id: usize,
        rank: usize,
        served: u64,
        acks: &mut Vec<(ServiceId, u16, u64)>,
    ) {
        let journey = self.plan.topology.journey(self.units[id].journey);
        for &service in &journey.writes {
            for &call in &self.units[id].accesses[rank].calls {
                let entry = &self.entries[call];
                if entry.service == service {
                    let groups = entry.groups.iter();
                    acks.extend(
                        groups
                            .map(|g| (service, g.0, g.1 & served))
                            .filter(|a| a.2 != 0),
                    );
                }
            }
        }
    }

    /// Closes acknowledgements that have ended and opens those that begin.
    pub(crate) fn open_acks(&mut self, id: usize, acks: &[(ServiceId, u16, u64)]) {
        let now = self.now;
        if acks.is_empty() && self.units[id].open.is_empty() {
            return;
        }
        let open = std::mem::take(&mut self.units[id].open);
        let mut kept = Vec::new();
        let mut touched: Vec<ServiceId> = Vec::new();
        for (service, replica, mask, from) in open {
            if acks.contains(&(service, replica, mask)) {
                kept.push((service, replica, mask, from));
                continue;
            }
            touched.push(service);
            if let Some(data) = &mut self.services[service.index()].data {
                data.open[usize::from(replica)] -= 1;
                if from < now {
                    data.acks.push(Ack {
                        unit: id,
                        replica,
                        mask,
                        from,
                        to: now,
                    });
                }
            }
        }
        for &(service, replica, mask) in acks {
            if !kept
                .iter()
                .any(|k| (k.0, k.1, k.2) == (service, replica, mask))
            {
                // In steady state it was so before the scenario began.
                let since = if self.record.events == 0 {
                    -crate::build::BEFORE
                } else {
                    now
                };
                kept.push((service, replica, mask, since));
                if let Some(data) = &mut self.services[service.index()].data {
                    data.open[usize::from(replica)] += 1;
                }
                touched.push(service);
            }
        }
        self.units[id].open = kept;
        touched.sort_unstable();
        touched.dedup();
        for service in touched {
            self.note_split(service);
        }
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
