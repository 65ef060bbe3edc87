//! From an engine that has run to its end to the journal that the judge reads.

use crate::attempts::outcomes;
use crate::engine::Engine;
use assize_control::fabric::Stop;
use assize_fault::Nanos;
use assize_model::journal::{
    Engine as EngineKind, FaultRecord, Journal, NotExercised, QueueSeries, Series, SplitBrain,
    Step, StepRecord,
};
use assize_model::topology::Mode;
use assize_model::{GroupId, ServiceId};

impl Engine<'_> {
    /// Closes what is open and writes it all down.
    pub(crate) fn finish_run(mut self) -> Journal {
        let plan = self.plan;
        self.now = plan.scenario.end;
        self.note_waits(false);
        for service in 0..self.services.len() {
            if self.services[service].data.is_some() {
                self.read_back(service, true);
            }
        }
        self.close_spans();
        let series = self.series();
        let not_exercised = self.not_exercised();
        let groups = self.groups();
        let faults = self.fault_records();
        let steps = plan
            .scenario
            .steps
            .iter()
            .zip(&self.record.outcomes)
            .map(|(step, outcome)| StepRecord {
                at: step.at,
                outcome: outcome.clone(),
            })
            .collect();
        let loads = self.services.iter().enumerate();
        let amplification = loads
            .filter_map(|(i, s)| Some((ServiceId::from(i), s.load.as_ref()?.amplification())))
            .collect();
        let queues = self
            .services
            .iter_mut()
            .enumerate()
            .filter(|(_, s)| s.queue.is_some())
            .map(|(i, s)| QueueSeries {
                service: ServiceId::from(i),
                steps: std::mem::take(&mut s.queue_steps),
            })
            .collect();
        for one in &series {
            for step in &one.steps {
                self.record
                    .figure(&[step.at.0, step.served as i64, step.degraded as i64]);
            }
        }
        let (mut record, trace_digest) = self.record.digest();
        record.decisions.sort_by_key(|d| d.at);
        record
            .serving
            .sort_by_key(|s| (s.service, s.from, s.replica));
        Journal {
            engine: EngineKind::Simulate,
            seed: plan.seed,
            end: plan.scenario.end,
            cells: plan.cells.clone(),
            series,
            solos: Vec::new(),
            faults,
            steps,
            decisions: record.decisions,
            serving: record.serving,
            split_brain: record.split_brain,
            read_backs: record.read_backs,
            restores: record.restores,
            queues,
            groups,
            not_exercised,
            amplification,
            measured: None,
            trace_digest,
            events: record.events,
        }
    }

    fn close_spans(&mut self) {
        let now = self.now;
        for service in 0..self.services.len() {
            for replica in 0..self.services[service].replicas.len() {
                if let Some(from) = self.services[service].replicas[replica]
                    .serving_since
                    .take()
                {
                    self.record.serving(service, replica, from, now);
                }
            }
            let split = self.services[service]
                .data
                .as_mut()
                .and_then(|d| d.split_since.take());
            if let Some(from) = split.filter(|f| *f < now) {
                let service = ServiceId::from(service);
                self.record.split_brain.push(SplitBrain {
                    service,
                    from,
                    to: now,
                });
            }
        }
    }

    /// Served users per cell and journey, retries taken into account.
    fn series(&self) -> Vec<Series> {
        let mut all = Vec::new();
        for unit in &self.units {
            let spec = self.plan.topology.journey(unit.journey);
            let mut slowest = unit.worst;
            let steps = outcomes(&unit.steps, spec.retry, spec.timeout, &mut slowest);
            for &cell in &unit.cells {
                let users = self.plan.cells[cell].users;
                let mut series = Series {
                    cell,
                    journey: unit.journey,
                    steps: Vec::with_capacity(steps.len()),
                    worst_latency: slowest,
                };
                for &(at, normal, degraded) in &steps {
                    let step = Step {
                        at,
                        served: (normal + degraded) * users,
                        degraded: degraded * users,
                    };
                    let same = series
                        .steps
                        .last()
                        .is_some_and(|l| (l.served, l.degraded) == (step.served, step.degraded));
                    if !same {
                        series.steps.push(step);
                    }
                }
                all.push(series);
            }
        }
        all.sort_by_key(|s| (s.cell, s.journey));
        all
    }

    fn fault_records(&self) -> Vec<FaultRecord> {
        self.plan
            .scenario
            .faults
            .iter()
            .zip(&self.faults)
            .map(|(spec, state)| {
                let to = state
                    .ended_at
                    .unwrap_or(spec.until)
                    .min(self.plan.scenario.end);
                FaultRecord {
                    from: spec.at,
                    to,
                    bite: state.bite.clone(),
                    effect_to: to,
                }
            })
            .collect()
    }

    /// When the last fault that touches sites of a group is over.
    fn groups(&self) -> Vec<(GroupId, Option<Nanos>)> {
        let plan = self.plan;
        (0..plan.topology.groups.len())
            .map(|index| {
                let group = &plan.topology.groups[index];
                let in_group = |spot: usize| {
                    let s = self.fabric.net().spots[spot];
                    group
                        .sites
                        .iter()
                        .any(|r| r.node == s.node && r.first < s.end && s.first < r.end)
                };
                let spots: Vec<usize> = (0..self.fabric.net().spots.len())
                    .filter(|s| in_group(*s))
                    .collect();
                let touched = |f: &usize| {
                    self.faults[*f].applies
                        && plan.scenario.faults[*f]
                            .targets
                            .iter()
                            .any(|t| spots.iter().any(|s| self.fabric.net().touches(t, *s)))
                };
                let mut restored = Some(Nanos::ZERO);
                for fault in (0..plan.scenario.faults.len()).filter(touched) {
                    let ended = self.faults[fault].ended_at;
                    restored = match (restored, ended) {
                        (Some(a), Some(b)) => Some(a.max(b)),
                        _ => None,
                    };
                }
                (GroupId::from(index), restored)
            })
            .collect()
    }

    /// What exists to take over and never served.
    fn not_exercised(&self) -> Vec<NotExercised> {
        let topology = self.plan.topology;
        let mut list = Vec::new();
        let mut add = |element: String, what: &str, service: Option<usize>| {
            list.push(NotExercised {
                element,
                what: what.into(),
                service: service.map(ServiceId::from),
            });
        };
        for (s, service) in topology.services.iter().enumerate() {
            for (r, replica) in service.replicas.iter().enumerate() {
                if !self.services[s].replicas[r].ever_served && service.mode != Mode::Sharded {
                    add(
                        format!("service/{}/{}", service.id, replica.id),
                        "standby replica",
                        Some(s),
                    );
                }
            }
            for (i, backup) in service.state.iter().flat_map(|d| &d.backups).enumerate() {
                let used = self
                    .record
                    .restores
                    .iter()
                    .any(|r| r.service.index() == s && r.backup == i && r.good);
                if !used {
                    add(
                        format!("service/{}/{}", service.id, backup.id),
                        "backup, never restored",
                        Some(s),
                    );
                }
            }
        }
        for (index, link) in topology.links.iter().enumerate() {
            let mut circuits = self.fabric.net().links[index].clone();
            if link.standby.is_some() && !circuits.any(|c| self.record.circuits_used[c]) {
                add(format!("link/{}", link.id), "standby link", None);
            }
        }
        for (index, access) in topology.access.iter().enumerate() {
            let mut uses = self.units.iter().flat_map(|u| &u.accesses);
            let preferred_by_all = self
                .units
                .iter()
                .all(|u| u.accesses.first().is_none_or(|a| a.access.index() == index));
            if !preferred_by_all && !uses.any(|a| a.access.index() == index && a.used) {
                add(format!("access/{}", access.id), "other access", None);
            }
        }
        for spot in 0..self.fabric.net().spots.len() {
            let node = topology.node(self.fabric.net().spots[spot].node);
            for (i, unit) in node.replicas.iter().enumerate() {
                if node.replicas.len() > 1 && self.fabric.spot(spot).units_used & (1 << i) == 0 {
                    add(
                        format!("node/{}/{}", node.id, unit.id),
                        "other unit of a redundant node",
                        None,
                    );
                }
            }
        }
        list.sort();
        list.dedup();
        list
    }

    /// Marks the circuits of paths in use, for the list of what was never exercised, and lets
    /// faults that make paths worse bite.
    pub(crate) fn bite_degraded(&mut self, entry: usize) {
        let service = self.entries[entry].service.index();
        for replica in 0..self.services[service].replicas.len() {
            if self.entries[entry].legs[replica].stop.is_some()
                || self.services[service].views[replica] == 0
            {
                continue;
            }
            let path = self.circuits_on_path(entry, replica);
            if !self.binding.is_empty() {
                self.entries[entry].paths[replica].clone_from(&path);
                self.loads_dirty = true;
            }
            self.bite_places(entry, &path);
            for circuit in path {
                self.record.circuits_used[circuit] = true;
                if self.unbitten > 0 && !self.fabric.circuit(circuit).degrade.is_empty() {
                    let faults: Vec<usize> = self
                        .fabric
                        .circuit(circuit)
                        .degrade
                        .iter()
                        .map(|d| d.0)
                        .collect();
                    let what = self.fabric.describe(Stop::Circuit(circuit));
                    let link = what.split(' ').next().unwrap_or_default().to_string();
                    self.bite_all(&faults, || {
                        format!("packets crossed {link} while it was worse")
                    });
                }
            }
        }
    }

    /// Faults that make places or parts on a path worse have been met.
    fn bite_places(&mut self, entry: usize, path: &[usize]) {
        if self.unbitten == 0 {
            return;
        }
        let spot = self.entries[entry].spot;
        let passed = path.iter().flat_map(|c| {
            let circuit = &self.fabric.net().circuits[*c];
            [circuit.near, self.fabric.net().spot(circuit.far)]
        });
        let mut faults: Vec<usize> = passed
            .chain([spot])
            .flat_map(|place| self.fabric.spot(place).degrade.iter().map(|d| d.0))
            .collect();
        let access = self.plan.topology.access_path(self.entries[entry].access);
        let parts = &self
            .plan
            .topology
            .node(self.fabric.net().spots[spot].node)
            .parts;
        for (part, worse) in parts.iter().zip(&self.fabric.spot(spot).part_degrade) {
            if access.parts.contains(&part.id) {
                faults.extend(worse.iter().map(|d| d.0));
            }
        }
        self.bite_all(&faults, || "packets passed it while it was worse".into());
    }
}
