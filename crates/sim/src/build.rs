//! Builds an engine for a plan: every machine at rest, everything well.

use crate::data::{Content, Grid};
use crate::engine::{Engine, Record};
use crate::net::{ANY, Net, networks};
use crate::route::{Blame, Leg, Quality, Trees, Truth};
use crate::state::{
    AccessUse, CircuitState, DataState, Entry, FaultState, Lease, ReplicaState, ServiceState,
    SpotState, Unit, Well,
};
use crate::wakes::{Wake, Wakes};
use assize_control::{
    Activation, BackupRun, Backups, Belief, Cache, Checker, Failover, Matured, Names, Queue,
    Response, Units,
};
use assize_fault::{Nanos, Ppb, Stream, permutation64};
use assize_model::faults::{Effect, How};
use assize_model::journal::Cause;
use assize_model::plan::Plan;
use assize_model::topology::{Access, Mode, Replication, Service};
use assize_model::{AccessId, JourneyId, ServiceId};
use std::collections::BTreeMap;

impl<'a> Engine<'a> {
    /// Everything in steady state at instant zero. With `only`, no other fault or step happens.
    pub(crate) fn new(plan: &'a Plan<'a>, only: Option<Cause>) -> Self {
        let topology = plan.topology;
        let net = Net::new(plan);
        let mut engine = Self {
            plan,
            trees: std::cell::RefCell::new(Trees::new(
                topology.nodes.len(),
                topology.networks.len(),
            )),
            truth: Truth {
                believed: vec![true; net.circuits.len()],
                dormant: vec![false; net.circuits.len()],
                passes: vec![true; net.circuits.len()],
                spot_up: vec![true; net.spots.len()],
                quality: vec![Quality::PERFECT; net.circuits.len()],
            },
            spots: spots(plan, &net),
            circuits: circuits(&net),
            access_active: access_active(plan, &net),
            services: services(plan),
            order: dependency_order(plan),
            entries: Vec::new(),
            leases: Vec::new(),
            units: Vec::new(),
            changes: Vec::new(),
            faults: faults(plan, only),
            step_applies: (0..plan.scenario.steps.len())
                .map(|i| only.is_none_or(|o| o == Cause::Step(i)))
                .collect(),
            cuts: Vec::new(),
            tries: BTreeMap::new(),
            record: Record::new(plan.scenario.steps.len()),
            wakes: Wakes::new(Vec::new()),
            client_phase: BTreeMap::new(),
            network_dirty: true,
            core_dirty: true,
            services_dirty: true,
            spot_dirty: vec![true; net.spots.len()],
            stale_entries: Vec::new(),
            dirty_leases: Vec::new(),
            dirty_units: Vec::new(),
            unbitten: (0..plan.scenario.faults.len())
                .filter(|i| only.is_none_or(|o| o == Cause::Fault(*i)))
                .count(),
            now: Nanos::ZERO,
            net,
        };
        engine.build_units();
        engine.client_phases();
        for (i, entry) in engine.entries.iter().enumerate() {
            engine.services[entry.service.index()].entries.push(i);
        }
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
                .net
                .spots_of(cell.node)
                .find(|&s| self.net.spots[s].first == cell.first)
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
                        open: Vec::new(),
                        grids: Vec::new(),
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
                    permutation64(plan.seed, &name),
                    join_every,
                    permutation64(plan.seed, &format!("{}/joins", spec.id)),
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
                allowed: allowed(&self.net, spot, topology.access_path(access), topology),
                legs: vec![
                    Leg {
                        blame: Some(Blame::NoRoute),
                        quality: Quality::PERFECT
                    };
                    replicas
                ],
                legs_stale: true,
                stale: false,
                ok: 0,
                refused: 0,
                groups: Vec::new(),
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
        if journey.writes.is_empty() {
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
        let (from, to) = (Nanos::ZERO, plan.scenario.end + Nanos(1));
        for (a, b, factor) in crate::demand::windows(plan, cell.population, from, to) {
            // Attempts per nanosecond: users × rate × factor, or a share of the journey's rate.
            let (micro, per, users) = match journey.rate {
                Some(total) => {
                    let all: u64 = makers(plan, self.units[unit].journey);
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
                origin: a,
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
                let dependents = &mut self.services[dependency.service.index()].dependents;
                if !dependents.contains(&s) {
                    dependents.push(s);
                }
            }
        }
    }

    fn names_of_wakes(&self) -> Vec<(Wake, String)> {
        let topology = self.plan.topology;
        let scenario = self.plan.scenario;
        let mut things = vec![(Wake::Tries, String::new())];
        for (i, fault) in scenario.faults.iter().enumerate() {
            things.push((Wake::FaultEnds(i), fault.id.clone()));
            things.push((Wake::FaultBegins(i), fault.id.clone()));
            things.push((Wake::Response(i), fault.id.clone()));
        }
        for (i, step) in scenario.steps.iter().enumerate() {
            things.push((Wake::Step(i), step.id.clone()));
        }
        for (i, circuit) in self.net.circuits.iter().enumerate() {
            let name = format!("{}/{i:06}", topology.link(circuit.link).id);
            things.push((Wake::Belief(i), name.clone()));
            things.push((Wake::CircuitActive(i), name));
        }
        for (i, spot) in self.net.spots.iter().enumerate() {
            if self.spots[i].units.is_some() {
                things.push((Wake::Units(i), topology.node(spot.node).id.clone()));
            }
        }
        for i in 0..self.access_active.len() {
            if self.access_active[i].is_some() {
                things.push((Wake::AccessActive(i), topology.access[i].id.clone()));
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
    }
}

/// Users on the preferred access for so long before they change to this one.
fn patience(access: &Access) -> Nanos {
    match access.standby {
        Some(standby) if standby.automatic => access.after + standby.activates_in,
        _ => access.after,
    }
}

/// All users who make a journey.
pub(crate) fn makers(plan: &Plan<'_>, journey: JourneyId) -> u64 {
    let makes = |p: &&assize_model::topology::Population| p.makes.iter().any(|m| m.0 == journey);
    plan.topology
        .populations
        .iter()
        .filter(makes)
        .map(|p| p.users())
        .sum::<u64>()
        .max(1)
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

fn allowed(
    net: &Net,
    spot: usize,
    access: &Access,
    topology: &assize_model::Topology,
) -> Vec<usize> {
    let node = net.spots[spot].node;
    let far: &[usize] = if topology.node(node).class {
        &[]
    } else {
        &net.at_far[node.index()]
    };
    let may_use = |c: &&usize| {
        let circuit = &net.circuits[**c];
        access.first_links.is_empty()
            || access.first_links.contains(&circuit.link)
            || circuit
                .under
                .iter()
                .any(|u| access.first_links.contains(&net.circuits[*u].link))
    };
    net.at_spot[spot]
        .iter()
        .chain(far)
        .filter(may_use)
        .copied()
        .collect()
}

fn spots(plan: &Plan<'_>, net: &Net) -> Vec<SpotState> {
    net.spots
        .iter()
        .map(|spot| {
            let node = plan.topology.node(spot.node);
            let redundant = node.replicas.len() > 1;
            SpotState {
                down: Vec::new(),
                parts: vec![Vec::new(); node.parts.len()],
                units: redundant.then(|| Units::new(node.replicas.len(), node.switch_over)),
                unit_down: vec![Vec::new(); node.replicas.len()],
                units_used: 1,
            }
        })
        .collect()
}

fn circuits(net: &Net) -> Vec<CircuitState> {
    net.circuits
        .iter()
        .map(|c| CircuitState {
            down: Vec::new(),
            cut: Vec::new(),
            degrade: Vec::new(),
            belief: Belief::new(c.detect, c.converge),
            activation: c.standby.map(|s| Activation::new(s.activates_in)),
            used: false,
        })
        .collect()
}

/// Only accesses that a step activates have a state of their own.
fn access_active(plan: &Plan<'_>, _net: &Net) -> Vec<Option<Activation>> {
    plan.topology
        .access
        .iter()
        .map(|a| {
            a.standby
                .filter(|s| !s.automatic)
                .map(|s| Activation::new(s.activates_in))
        })
        .collect()
}

fn faults(plan: &Plan<'_>, only: Option<Cause>) -> Vec<FaultState> {
    plan.scenario
        .faults
        .iter()
        .enumerate()
        .map(|(i, fault)| FaultState {
            on: false,
            applies: only.is_none_or(|o| o == Cause::Fault(i)),
            ended: false,
            ended_at: None,
            resolved: Vec::new(),
            bite: None,
            response: plan
                .scenario
                .responses
                .iter()
                .find(|r| r.fault == i)
                .map(|r| Response::new(r, fault.at)),
        })
        .collect()
}

fn services(plan: &Plan<'_>) -> Vec<ServiceState> {
    plan.topology
        .services
        .iter()
        .map(|service| self::service(plan, service))
        .collect()
}

fn service(plan: &Plan<'_>, service: &Service) -> ServiceState {
    let n = service.replicas.len();
    let home = service.replicas.iter().position(|r| r.primary).unwrap_or(0) as u16;
    let single_writer = matches!(service.mode, Mode::ActiveStandby | Mode::Quorum);
    let spread = permutation64(plan.seed, &format!("{}/spread", service.id));
    let shard_phase = permutation64(plan.seed, &service.shard_key);
    let shards = service.shards.max(1);
    let shard_of = |k: usize| u32::from(shard_phase[k]) * shards / 64;
    let target: [u8; 64] = core::array::from_fn(|k| match service.mode {
        Mode::Sharded => (shard_of(k) as usize % n) as u8,
        Mode::ActiveActive => (usize::from(spread[k]) % n) as u8,
        _ => home as u8,
    });
    let ttl = service.failover.as_ref().map_or(Nanos::ZERO, |f| f.dns_ttl);
    let names = Names::new(
        ttl,
        permutation64(plan.seed, &format!("{}/names", service.id)),
        target,
    );
    let views = (0..n).map(|r| names.mask(r as u8)).collect();
    let checked = service.failover.as_ref().filter(|_| n > 1);
    ServiceState {
        networks: networks(&service.reach),
        home,
        source: home,
        replicas: (0..n)
            .map(|r| replica(!single_writer || r == usize::from(home)))
            .collect(),
        names,
        views,
        spread,
        failover: single_writer.then(|| Failover::new(service.failover.as_ref(), n, home)),
        checkers: checked.map_or_else(Vec::new, |f| {
            service
                .replicas
                .iter()
                .map(|r| {
                    let phase = f.check.phase.unwrap_or_else(|| {
                        let mut stream = Stream::new(plan.seed, &["check", &service.id, &r.id]);
                        Nanos(stream.below(f.check.every.0.max(1) as u64) as i64)
                    });
                    Checker::new(&f.check, phase, Nanos::ZERO)
                })
                .collect()
        }),
        rotation: (0..n).fold(0, |m, r| m | (1 << r)),
        shard_mask: (0..shards)
            .map(|i| {
                (0..64)
                    .filter(|k| shard_of(*k) == i)
                    .fold(0, |m, k| m | (1 << k))
            })
            .collect(),
        shard_down: vec![Vec::new(); shards as usize],
        entries: Vec::new(),
        dependents: Vec::new(),
        data: service.state.as_ref().map(|_| data(plan, service, home, n)),
        queue: service.capacity.map(|capacity| {
            let q = &service.queue;
            Queue::new(capacity, 64, q.max, q.when_full, q.stale_after, Nanos::ZERO)
        }),
        queue_rate: 1_000_000_000,
        queue_steps: vec![(Nanos::ZERO, 0)],
        bad_backup: Vec::new(),
        read_back_at: None,
        blocked_flows: Vec::new(),
    }
}

const fn replica(acts: bool) -> ReplicaState {
    ReplicaState {
        down: Vec::new(),
        no_answer: Vec::new(),
        isolated: Vec::new(),
        lies: Vec::new(),
        no_promotion: Vec::new(),
        no_replication: Vec::new(),
        degrade: Vec::new(),
        capacity: Vec::new(),
        acts,
        well: Well {
            blame: None,
            capacity: Ppb::ONE,
        },
        serving_since: None,
        ever_served: false,
        contact_at: None,
        ships_since: Some(crate::data::PAST),
        seen_faults: Vec::new(),
    }
}

fn data(plan: &Plan<'_>, service: &Service, home: u16, n: usize) -> DataState {
    let state = service.state.as_ref();
    let replicated = state.is_some_and(|s| s.replication.is_some());
    let multi = matches!(service.mode, Mode::ActiveActive | Mode::Sharded);
    let content = (0..n as u16)
        .map(|r| {
            if multi {
                // Every replica holds what any of them acknowledges.
                let mut all = Content::default();
                (0..n as u16).for_each(|other| all.merge(&Content::of(other)));
                return all;
            }
            let all = Content::of(home);
            if r == home {
                all
            } else if replicated {
                match state.and_then(|s| s.replication) {
                    Some(Replication::Async { .. }) | None => Content::default(),
                    Some(Replication::Sync) => all,
                }
            } else {
                Content::default()
            }
        })
        .collect::<Vec<_>>();
    let bad_windows = bad_windows(plan, &service.id);
    let runs = backup_runs(plan, service, &bad_windows);
    DataState {
        history: vec![(crate::data::PAST, content[usize::from(home)].clone())],
        content,
        acks: Vec::new(),
        backups: Backups::new(runs),
        restoring: None,
        damage: None,
        loss_fault: None,
        split_since: None,
        bad_windows,
    }
}

/// When backups of a service are made badly.
fn bad_windows(plan: &Plan<'_>, service: &str) -> Vec<(usize, Nanos, Nanos)> {
    use assize_model::scenario::Target;
    let about = |t: &Target| match t {
        Target::Service(s) | Target::Replica(s, _) | Target::Primary(s) => {
            plan.topology.service(*s).id == service
        }
        _ => false,
    };
    plan.scenario
        .faults
        .iter()
        .enumerate()
        .filter(|(_, f)| f.effects.contains(&Effect::BadBackup) && f.targets.iter().any(about))
        .map(|(i, f)| (i, f.at, f.until))
        .collect()
}

/// The backups that the schedules make, from ten intervals before the start to the end.
fn backup_runs(
    plan: &Plan<'_>,
    service: &Service,
    bad: &[(usize, Nanos, Nanos)],
) -> Vec<BackupRun> {
    let end = plan.scenario.end;
    let mut runs = Vec::new();
    for (schedule, backup) in service.state.iter().flat_map(|s| &s.backups).enumerate() {
        let every = backup.every.max(Nanos::secs(1));
        let from = -(every * 10).min(Nanos::hours(24 * 366));
        let begins = assize_model::calendar::daily_instants(
            every,
            backup.at,
            &plan.topology.calendar,
            plan.scenario.start,
            from,
            end,
        );
        runs.extend(begins.into_iter().map(|began| BackupRun {
            schedule,
            began,
            complete: began + backup.takes,
            good: !bad.iter().any(|(_, a, b)| *a <= began && began < *b),
        }));
    }
    runs
}

/// Services in an order in which each comes after what it depends on. Loops were refused when
/// the file was read; what would be left of one is appended so that nothing is missing.
fn dependency_order(plan: &Plan<'_>) -> Vec<usize> {
    let services = &plan.topology.services;
    let mut order = Vec::new();
    let mut state = vec![0u8; services.len()];
    for root in 0..services.len() {
        let mut stack = vec![(root, false)];
        while let Some((s, children_done)) = stack.pop() {
            if children_done {
                if state[s] != 2 {
                    state[s] = 2;
                    order.push(s);
                }
                continue;
            }
            if state[s] != 0 {
                continue;
            }
            state[s] = 1;
            stack.push((s, true));
            let depends = &services[s].depends;
            for d in depends.all_of.iter().chain(depends.any_of.iter().flatten()) {
                stack.push((d.service.index(), false));
            }
        }
    }
    order
}

/// The default failure of a service or replica is a crash, of a place a black hole.
pub(crate) fn default_how(how: Option<How>, is_service: bool) -> How {
    how.unwrap_or(if is_service {
        How::Refuse
    } else {
        How::BlackHole
    })
}

const _: () = assert!(ANY < 64);
