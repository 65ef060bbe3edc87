//! Builds an engine for a plan: every machine at rest, everything well.

use crate::data::Grid;
use crate::engine::{Engine, Record};
use crate::initial::{dependency_order, faults, services};
use crate::state::{AccessUse, Entry, Lease, Unit};
use crate::wakes::{Wake, Wakes};
use assize_control::fabric::{Leg, Stop, Timer};
use assize_control::{Cache, Fabric, Matured};
use assize_fault::{Nanos, Ppb, Stream};
use assize_model::journal::Cause;
use assize_model::plan::Plan;
use assize_model::topology::Access;
use assize_model::{AccessId, JourneyId, ServiceId, demand};
use std::collections::BTreeMap;

impl<'a> Engine<'a> {
    /// Everything in steady state at instant zero. With `only`, no other fault or step happens.
    pub(crate) fn new(plan: &'a Plan<'a>, only: Option<Cause>) -> Self {
        let fabric = Fabric::new(plan);
        let mut engine = Self {
            plan,
            services: services(plan, only),
            order: dependency_order(plan),
            place: Vec::new(),
            concerned: Vec::new(),
            scratch: crate::units::Scratch::default(),
            scratch_groups: [Vec::new(), Vec::new()],
            entries: Vec::new(),
            leases: Vec::new(),
            units: Vec::new(),
            changes: Vec::new(),
            faults: faults(plan, only),
            step_applies: (0..plan.scenario.steps.len())
                .map(|i| only.is_none_or(|o| belongs(plan, i, o)))
                .collect(),
            tries: BTreeMap::new(),
            met: std::cell::RefCell::new(Vec::new()),
            demands: Vec::new(),
            binding: Vec::new(),
            loads_dirty: false,
            record: Record::new(plan.scenario.steps.len(), fabric.net().circuits.len()),
            wakes: Wakes::new(Vec::new()),
            client_phase: BTreeMap::new(),
            services_dirty: true,
            touched: Vec::new(),
            first_check: Vec::new(),
            stale_entries: Vec::new(),
            dirty_leases: Vec::new(),
            dirty_units: Vec::new(),
            unbitten: (0..plan.scenario.faults.len())
                .filter(|i| only.is_none_or(|o| o == Cause::Fault(*i)))
                .count(),
            now: Nanos::ZERO,
            fabric,
        };
        engine.place = vec![0; engine.order.len()];
        for (place, service) in engine.order.iter().enumerate() {
            engine.place[*service] = place;
        }
        engine.build_units();
        engine.client_phases();
        for (i, entry) in engine.entries.iter().enumerate() {
            engine.services[entry.service.index()].entries.push(i);
        }
        let mut first = 0;
        for service in &engine.services {
            engine.first_check.push(first);
            first += service.checkers.len();
        }
        engine.build_loads();
        engine.wakes = Wakes::new(engine.names_of_wakes());
        engine.arm_everything();
        engine
    }

    /// One unit per spot, list of accesses and journey; populations that differ in nothing but
    /// their name share it.
    fn build_units(&mut self) {
        let topology = self.plan.topology;
        let mut units: BTreeMap<(usize, Vec<AccessId>, JourneyId, usize), usize> = BTreeMap::new();
        let mut entries: BTreeMap<(usize, AccessId, ServiceId), usize> = BTreeMap::new();
        let mut leases: BTreeMap<(usize, AccessId, usize, usize), usize> = BTreeMap::new();
        let mut counted: BTreeMap<(usize, usize), ()> = BTreeMap::new();
        for (cell_index, cell) in self.plan.cells.iter().enumerate() {
            let population = topology.population(cell.population);
            let spot = self
                .fabric
                .net()
                .spots_of(cell.node)
                .find(|&s| self.fabric.net().spots[s].first == cell.first)
                .unwrap_or_default();
            // Ages that are aligned with opening hours differ by population.
            let own = if self.is_aligned(&population.access) {
                cell.population.index() + 1
            } else {
                0
            };
            for &(journey, _) in &population.makes {
                let key = (spot, population.access.clone(), journey, own);
                let unit = *units.entry(key).or_insert_with(|| {
                    self.units.push(Unit {
                        spot,
                        journey,
                        accesses: Vec::new(),
                        paper: topology
                            .journey(journey)
                            .otherwise
                            .as_ref()
                            .map(|o| Matured::new(o.after)),
                        cells: Vec::new(),
                        dirty: false,
                        steps: Vec::new(),
                        worst: Nanos::ZERO,
                        path: Nanos::ZERO,
                        open: Vec::new(),
                        grids: Vec::new(),
                        loads: false,
                    });
                    self.units.len() - 1
                });
                if self.units[unit].accesses.is_empty() {
                    for (rank, &access) in population.access.iter().enumerate() {
                        let used = self.access_use(
                            (spot, own, rank, unit, journey),
                            access,
                            &mut entries,
                            &mut leases,
                        );
                        self.units[unit].accesses.push(used);
                    }
                }
                self.units[unit].cells.push(cell_index);
                let lease_ids: Vec<usize> = self.units[unit]
                    .accesses
                    .iter()
                    .flat_map(|a| a.leases.clone())
                    .collect();
                for lease in lease_ids {
                    if counted.insert((lease, cell_index), ()).is_none() {
                        self.leases[lease].users += cell.users;
                    }
                }
                self.add_grids(unit, cell_index);
            }
        }
    }

    fn is_aligned(&self, accesses: &[AccessId]) -> bool {
        accesses.iter().any(|a| {
            let needs = &self.plan.topology.access_path(*a).needs;
            needs
                .iter()
                .any(|n| n.cache.as_ref().is_some_and(|c| c.aligned))
        })
    }

    fn access_use(
        &mut self,
        (spot, own, rank, unit, journey): (usize, usize, usize, usize, JourneyId),
        access: AccessId,
        entries: &mut BTreeMap<(usize, AccessId, ServiceId), usize>,
        leases: &mut BTreeMap<(usize, AccessId, usize, usize), usize>,
    ) -> AccessUse {
        let plan = self.plan;
        let spec = plan.topology.access_path(access);
        let mut used = AccessUse {
            access,
            calls: Vec::new(),
            asked: Vec::new(),
            leases: Vec::new(),
            change: None,
            wake: 0,
            used: false,
        };
        for (index, need) in spec.needs.iter().enumerate() {
            let entry = self.entry(entries, spot, access, need.service);
            let Some(lease_spec) = &need.cache else {
                self.entries[entry].units.push(unit);
                used.asked.push(entry);
                continue;
            };
            let id = *leases.entry((spot, access, index, own)).or_insert_with(|| {
                let service = &plan.topology.service(need.service).id;
                let name = format!("{}/{service}", spec.id);
                let join_every = spec.joins.map_or(Nanos::NEVER, assize_fault::Rate::period);
                let openings = if lease_spec.aligned {
                    openings(plan, own)
                } else {
                    Vec::new()
                };
                let mut cache = Cache::new(
                    lease_spec,
                    plan.phases_of(&name),
                    join_every,
                    plan.phases_of(&format!("{}/joins", spec.id)),
                );
                if let Some(last) = openings.iter().rev().find(|o| **o <= Nanos::ZERO) {
                    cache.on_opening(*last);
                }
                self.leases.push(Lease {
                    entry,
                    service: need.service,
                    cache,
                    users: 0,
                    lasts: need.try_lasts,
                    again: need.try_again,
                    attached: Box::new([0; 64]),
                    trying: Box::new([0; 64]),
                    partial: false,
                    voided: Vec::new(),
                    dirty: false,
                    openings: openings.into_iter().filter(|o| *o > Nanos::ZERO).collect(),
                    units: Vec::new(),
                });
                self.entries[entry].leases.push(self.leases.len() - 1);
                self.leases.len() - 1
            });
            self.leases[id].units.push(unit);
            used.leases.push(id);
        }
        let spec_journey = plan.topology.journey(journey);
        for &service in spec_journey.calls.iter().chain(&spec_journey.writes) {
            let entry = self.entry(entries, spot, access, service);
            if !used.calls.contains(&entry) {
                self.entries[entry].units.push(unit);
                used.calls.push(entry);
            }
        }
        if rank > 0 {
            used.change = Some(Matured::new(patience(spec)));
            used.wake = self.changes.len();
            self.changes.push((unit, rank));
        }
        used
    }

    fn entry(
        &mut self,
        entries: &mut BTreeMap<(usize, AccessId, ServiceId), usize>,
        spot: usize,
        access: AccessId,
        service: ServiceId,
    ) -> usize {
        *entries.entry((spot, access, service)).or_insert_with(|| {
            let topology = self.plan.topology;
            let replicas = topology.service(service).replicas.len();
            self.entries.push(Entry {
                spot,
                access,
                service,
                allowed: self.fabric.first_hops(spot, access),
                legs: vec![Leg::stopped(Stop::NoRoute); replicas],
                paths: vec![Vec::new(); replicas],
                carried: vec![Ppb::ONE; replicas],
                legs_stale: true,
                stale: false,
                ok: 0,
                refused: 0,
                groups: Vec::new(),
                unanswered: Vec::new(),
                clings: Vec::new(),
                units: Vec::new(),
                leases: Vec::new(),
            });
            self.entries.len() - 1
        })
    }

    /// The streams of writes of a cell, where the unit's journey writes.
    fn add_grids(&mut self, unit: usize, cell_index: usize) {
        let plan = self.plan;
        let journey = plan.topology.journey(self.units[unit].journey);
        let read = |s: &ServiceId| self.services[s.index()].data.is_some();
        if journey.writes.is_empty() && !journey.calls.iter().any(read) {
            return;
        }
        let cell = &plan.cells[cell_index];
        let population = plan.topology.population(cell.population);
        let rate = population
            .makes
            .iter()
            .find(|m| m.0 == self.units[unit].journey)
            .map(|m| m.1);
        let Some(rate) = rate else { return };
        // Writes came before the scenario began as they come in it: a backup may be older.
        let (from, to) = (-BEFORE, plan.scenario.end + Nanos(1));
        let span = (from, to);
        let start = plan.scenario.start;
        for (a, b, factor) in demand::windows(plan.topology, start, cell.population, span) {
            let origin = if a < Nanos::ZERO && b > Nanos::ZERO {
                Nanos::ZERO
            } else {
                a
            };
            // Attempts per nanosecond: users × rate × factor, or a share of the journey's rate.
            let (micro, per, users) = match journey.rate {
                Some(total) => {
                    let all: u64 = demand::makers(plan.topology, self.units[unit].journey);
                    (
                        u128::from(total.micro) * u128::from(cell.users),
                        total.per,
                        u128::from(all),
                    )
                }
                None => (u128::from(rate.micro) * u128::from(cell.users), rate.per, 1),
            };
            let weight = micro * u128::from(factor);
            if weight == 0 {
                continue;
            }
            let period = (per.0 as u128 * 1_000_000 * 1_000 * users).div_ceil(weight);
            let period = Nanos(period.min(Nanos::NEVER.0 as u128) as i64);
            self.units[unit].grids.push(Grid {
                from: a,
                to: b,
                origin,
                period,
            });
        }
    }

    /// A replica that is itself a client follows names as one client of a random phase.
    fn client_phases(&mut self) {
        let topology = self.plan.topology;
        for (s, service) in topology.services.iter().enumerate() {
            for dependency in service
                .depends
                .all_of
                .iter()
                .chain(service.depends.any_of.iter().flatten())
            {
                for (r, replica) in service.replicas.iter().enumerate() {
                    let target = &topology.service(dependency.service).id;
                    let names = ["client", service.id.as_str(), replica.id.as_str(), target];
                    let phase = Stream::new(self.plan.seed, &names).below(64) as u8;
                    self.client_phase
                        .insert((s as u16, r as u16, dependency.service.0), phase);
                }
                self.add_dependent(dependency.service, s);
            }
            let backups = service.state.iter().flat_map(|s| &s.backups);
            for need in backups.flat_map(|b| &b.needs) {
                self.add_dependent(*need, s);
            }
        }
    }

    fn add_dependent(&mut self, service: ServiceId, dependent: usize) {
        let dependents = &mut self.services[service.index()].dependents;
        if !dependents.contains(&dependent) {
            dependents.push(dependent);
        }
    }

    fn names_of_wakes(&self) -> Vec<(Wake, String)> {
        let topology = self.plan.topology;
        let scenario = self.plan.scenario;
        let mut things = vec![(Wake::Tries, String::new()), (Wake::Demand, String::new())];
        for (i, fault) in scenario.faults.iter().enumerate() {
            things.push((Wake::FaultEnds(i), fault.id.clone()));
            things.push((Wake::FaultBegins(i), fault.id.clone()));
            things.push((Wake::Response(i), fault.id.clone()));
        }
        for (i, step) in scenario.steps.iter().enumerate() {
            things.push((Wake::Step(i), step.id.clone()));
        }
        for (i, circuit) in self.fabric.net().circuits.iter().enumerate() {
            let name = format!("{}/{i:06}", topology.link(circuit.link).id);
            things.push((Wake::Fabric(Timer::Belief(i)), name.clone()));
            things.push((Wake::Fabric(Timer::Circuit(i)), name));
        }
        for (i, spot) in self.fabric.net().spots.iter().enumerate() {
            if self.fabric.spot(i).units.is_some() {
                things.push((
                    Wake::Fabric(Timer::Units(i)),
                    topology.node(spot.node).id.clone(),
                ));
            }
        }
        for (i, access) in topology.access.iter().enumerate() {
            if self.fabric.access(AccessId::from(i)).is_some() {
                things.push((Wake::Fabric(Timer::Access(i)), access.id.clone()));
            }
        }
        let mut checker = 0;
        for (i, service) in topology.services.iter().enumerate() {
            let name = &service.id;
            for wake in [
                Wake::Failover(i),
                Wake::Names(i),
                Wake::Contact(i),
                Wake::Restore(i),
                Wake::ReadBack(i),
                Wake::Queue(i),
                Wake::Load(i),
                Wake::Backup(i),
            ] {
                things.push((wake, name.clone()));
            }
            for (r, _) in self.services[i].checkers.iter().enumerate() {
                things.push((
                    Wake::Checker(checker),
                    format!("{name}/{}", service.replicas[r].id),
                ));
                checker += 1;
            }
        }
        for (i, lease) in self.leases.iter().enumerate() {
            let name = format!("{}/{i:06}", topology.service(lease.service).id);
            things.push((Wake::Lease(i), name.clone()));
            things.push((Wake::Opening(i), name));
        }
        for (i, unit) in self.units.iter().enumerate() {
            let name = format!("{}/{i:06}", topology.journey(unit.journey).id);
            things.push((Wake::Paper(i), name));
        }
        for (i, (unit, rank)) in self.changes.iter().enumerate() {
            let journey = self.units[*unit].journey;
            things.push((
                Wake::Change(i),
                format!("{}/{i:06}/{rank}", topology.journey(journey).id),
            ));
        }
        things
    }

    fn arm_everything(&mut self) {
        for i in 0..self.faults.len() {
            self.arm_fault(i);
        }
        for (i, step) in self.plan.scenario.steps.iter().enumerate() {
            if self.step_applies[i] {
                self.wakes.arm(Wake::Step(i), Some(step.at));
            }
        }
        for i in 0..self.leases.len() {
            self.arm_opening(i);
        }
        for i in 0..self.services.len() {
            self.arm_backup(i);
        }
    }
}

/// How far back writes before the start are known.
pub(crate) const BEFORE: Nanos = Nanos::hours(24 * 31);

/// Users on the preferred access for so long before they change to this one.
fn patience(access: &Access) -> Nanos {
    match access.standby {
        Some(standby) if standby.automatic => access.after + standby.activates_in,
        _ => access.after,
    }
}

fn openings(plan: &Plan<'_>, own: usize) -> Vec<Nanos> {
    let Some(population) = own.checked_sub(1).map(|i| &plan.topology.populations[i]) else {
        return Vec::new();
    };
    let Some(hours) = &population.hours else {
        return vec![Nanos::ZERO];
    };
    let from = -Nanos::hours(24 * 10);
    hours
        .spans(
            &plan.topology.calendar,
            plan.scenario.start,
            from,
            plan.scenario.end,
        )
        .into_iter()
        .map(|span| span.0)
        .collect()
}

/// A step alone, and the roll-back of a fault that is alone.
fn belongs(plan: &Plan<'_>, step: usize, cause: Cause) -> bool {
    match (cause, &plan.scenario.steps[step].action) {
        (Cause::Step(i), _) => i == step,
        (Cause::Fault(f), assize_model::scenario::Action::RollBack(rolled)) => f == *rolled,
        (Cause::Fault(_), _) => false,
    }
}
