//! How much is asked of services with a limited capacity, and what they make of it.
//!
//! A request to a service asks one of each service that it depends on. Attempts whose path is
//! broken ask nothing. Renewals of leases are not counted here: what they make is a storm.

use crate::engine::Engine;
use crate::state::{Demand, Entry, Out, Unit};
use crate::wakes::Wake;
use assize_control::Load;
use assize_control::fabric::times;
use assize_control::matured::bits;
use assize_fault::{Nanos, Ppb};
use assize_model::faults::Effect;
use assize_model::{PopulationId, demand};

impl Engine<'_> {
    /// Sets up load for the services whose capacity can matter.
    pub(crate) fn build_loads(&mut self) {
        let topology = self.plan.topology;
        for s in 0..self.services.len() {
            let spec = &topology.services[s];
            if spec.capacity.is_none() || !self.is_called(s) {
                continue;
            }
            self.services[s].load = Some(Load::new(&spec.queue, Nanos::NEVER));
        }
        let end = self.plan.scenario.end + Nanos(1);
        self.demands = (0..topology.populations.len())
            .map(|p| Demand {
                windows: demand::windows(
                    topology,
                    self.plan.scenario.start,
                    PopulationId::from(p),
                    (Nanos::ZERO, end),
                ),
            })
            .collect();
        self.find_binding();
        if self.services.iter().all(|s| s.load.is_none()) && self.binding.is_empty() {
            self.demands.clear();
            return;
        }
        for unit in 0..self.units.len() {
            let used = self.units[unit].accesses.iter();
            let called: Vec<usize> = used
                .flat_map(|a| a.asked.iter().chain(&a.calls))
                .map(|e| self.entries[*e].service.index())
                .collect();
            self.units[unit].loads =
                !self.binding.is_empty() || called.iter().any(|s| self.asks_loaded(*s));
        }
        self.loads_dirty = true;
    }

    /// Whether requests of users reach a service, directly or through others.
    fn is_called(&self, service: usize) -> bool {
        let called = self
            .entries
            .iter()
            .any(|e| e.service.index() == service && !e.units.is_empty());
        called
            || self.services[service]
                .dependents
                .iter()
                .any(|d| self.is_called(*d))
    }

    /// Whether a service has a capacity, or asks one that has.
    fn asks_loaded(&self, service: usize) -> bool {
        self.services[service].load.is_some()
            || self.asked_by(service).iter().any(|s| self.asks_loaded(*s))
    }

    /// By service, the shortest time that a try of those who reach it may wait there: what its
    /// time leaves beside the way and the service itself. `NEVER` where nobody's counts.
    fn patience(&self) -> Vec<Nanos> {
        let mut patience = vec![Nanos::NEVER; self.services.len()];
        for unit in self.units.iter().filter(|u| u.loads) {
            let left = limit(self.plan.topology.journey(unit.journey)) - unit.path;
            let used = unit
                .accesses
                .iter()
                .flat_map(|a| a.asked.iter().chain(&a.calls));
            for entry in used.filter(|_| left > Nanos::ZERO) {
                let service = self.entries[*entry].service.index();
                patience[service] = patience[service].min(left);
            }
        }
        for &s in self.order.iter().rev() {
            for target in self.asked_by(s) {
                patience[target] = patience[target].min(patience[s]);
            }
        }
        patience
    }

    /// By service, how long a request waits there and at what it asks in turn.
    fn waits(&self) -> Vec<Nanos> {
        let mut waits = vec![Nanos::ZERO; self.services.len()];
        for &s in &self.order {
            let own = self.services[s].load.as_ref();
            let further: Nanos = self.asked_by(s).iter().map(|t| waits[*t]).sum();
            waits[s] = own.map_or(Nanos::ZERO, |l| l.wait(self.now)) + further;
        }
        waits
    }

    /// Attempts that are served have waited so long. A wait grows and shrinks evenly between
    /// events, so it is enough to look before and after each. `before`: as things were until now.
    pub(crate) fn note_waits(&mut self, before: bool) {
        let waits = self.waits();
        if waits.iter().all(|w| *w == Nanos::ZERO) {
            return;
        }
        for id in 0..self.units.len() {
            let unit = &self.units[id];
            let past = |o: &&Out| !before || o.at < self.now;
            let out = unit.steps.iter().rev().take(2).find(past);
            let Some(out) = out.filter(|o| unit.loads && o.mask != 0) else {
                continue;
            };
            let served = |entry: &&usize| {
                let service = self.entries[**entry].service.index();
                before || self.services[service].share != Ppb::ZERO
            };
            let longest = unit.accesses.iter().filter_map(|access| {
                let called = || access.asked.iter().chain(&access.calls);
                let sum = called()
                    .map(|e| waits[self.entries[*e].service.index()])
                    .sum();
                called().all(|e| served(&e)).then_some(out.time + sum)
            });
            let limit = limit(self.plan.topology.journey(unit.journey));
            let longest = longest.max().unwrap_or_default().min(limit);
            self.units[id].worst = self.units[id].worst.max(longest);
        }
    }

    /// Demand of a population at an instant, in thousandths of its usual rate.
    fn factor(&self, population: PopulationId, at: Nanos) -> u64 {
        let windows = &self.demands[population.index()].windows;
        let i = windows.partition_point(|w| w.0 <= at);
        windows[..i].last().filter(|w| at < w.1).map_or(0, |w| w.2)
    }

    /// Recomputes who asks for how much, and what share of it is served.
    pub(crate) fn refresh_loads(&mut self) {
        let now = self.now;
        self.note_waits(true);
        let (mut first, mut all) = self.direct_demand();
        let patience = self.patience();
        // Who asks before who is asked: an overloaded service passes on only what it serves.
        for i in (0..self.order.len()).rev() {
            let s = self.order[i];
            self.repeat_requests(s, &mut first[s], &mut all[s]);
            if self.services[s].load.is_some() {
                let (capacity, servers) = (self.capacity_now(s), self.servers(s));
                if first[s] > 0 {
                    self.bite_capacity(s);
                }
                if let Some(load) = &mut self.services[s].load {
                    load.on_patience(now, patience[s]);
                    load.on_rates(now, capacity, servers, first[s], all[s]);
                }
            }
            let served = self.services[s].load.as_ref().map_or(Ppb::ONE, Load::share);
            let passed =
                |rate: u64| (u128::from(rate) * u128::from(served.0) / 1_000_000_000) as u64;
            for target in self.asked_by(s) {
                first[target] += passed(first[s]);
                all[target] += passed(all[s]);
            }
        }
        for i in 0..self.order.len() {
            self.note_share(self.order[i]);
        }
        self.note_waits(false);
        if !self.binding.is_empty() {
            self.refresh_carried();
        }
        self.arm_demand();
    }

    /// Requests that arrive several times over.
    fn repeat_requests(&mut self, service: usize, first: &mut u64, all: &mut u64) {
        let repeated = std::mem::take(&mut self.services[service].repeated);
        if *first > 0 {
            for &(fault, times) in &repeated {
                *first = first.saturating_mul(u64::from(times));
                *all = all.saturating_mul(u64::from(times));
                self.bite_all(&[fault], || "requests arrived more than once".into());
            }
        }
        self.services[service].repeated = repeated;
    }

    pub(crate) fn on_load(&mut self, service: usize) {
        let now = self.now;
        if let Some(load) = &mut self.services[service].load {
            load.on_wake(now);
        }
        self.loads_dirty = true;
    }

    /// Millionths of a request per second, by service: first tries, and all that attempts may
    /// make.
    fn direct_demand(&self) -> (Vec<u64>, Vec<u64>) {
        let mut first = vec![0u64; self.services.len()];
        let mut all = first.clone();
        for unit in self.units.iter().filter(|u| u.loads) {
            let spec = self.plan.topology.journey(unit.journey);
            let rate = self.attempts(unit);
            if rate == 0 {
                continue;
            }
            let tries = u128::from(spec.retry.tries.max(1));
            // A later call is made by those whose earlier ones were served.
            let mut reached = Ppb::ONE;
            let mut last = None;
            self.each_access(unit, |access, entry, asks| {
                if last.replace(access) != Some(access) {
                    reached = Ppb::ONE;
                }
                let share = rate * asks.1 / 1_000_000_000;
                let share = share * u128::from(reached.0) / 1_000_000_000;
                let service = entry.service.index();
                first[service] += share as u64;
                all[service] += (share * tries) as u64;
                reached = times(reached, self.services[service].share);
            });
        }
        (first, all)
    }

    /// Circuits whose bandwidth can be too small: if everybody asked over the same circuit, at
    /// the height of demand, and with every fault that narrows it.
    fn find_binding(&mut self) {
        let bits: Vec<u128> = self.units.iter().map(|u| self.bits_at_peak(u)).collect();
        let total: u128 = bits.iter().sum();
        let mut any = false;
        let mut binding = vec![false; self.fabric.net().circuits.len()];
        for (id, binds) in binding.iter_mut().enumerate() {
            let circuit = &self.fabric.net().circuits[id];
            let faults = self.plan.scenario.faults.iter().flat_map(|f| &f.effects);
            let mut least = circuit.bandwidth.map(|b| u128::from(b.0));
            for effect in faults {
                match effect {
                    Effect::Degrade(d) => {
                        least = [least, d.bandwidth.map(|b| u128::from(b.0))]
                            .into_iter()
                            .flatten()
                            .min();
                    }
                    Effect::Capacity(left) => {
                        least = least.map(|b| b * u128::from(left.0) / 1_000_000_000);
                    }
                    _ => {}
                }
            }
            let class = self
                .plan
                .topology
                .node(self.fabric.net().spots[circuit.near].node)
                .class;
            let most: u128 = if class {
                let here = self
                    .units
                    .iter()
                    .zip(&bits)
                    .filter(|(u, _)| u.spot == circuit.near);
                here.map(|(_, b)| *b).sum()
            } else {
                total
            };
            *binds = least.is_some_and(|b| b * self.sites(circuit.near) < most);
            any |= *binds;
        }
        if any {
            self.binding = binding;
        }
    }

    /// How many sites share a circuit's name, each with its own.
    fn sites(&self, spot: usize) -> u128 {
        let spot = self.fabric.net().spots[spot];
        u128::from(spot.end - spot.first).max(1)
    }

    fn bits_at_peak(&self, unit: &Unit) -> u128 {
        let journey = self.plan.topology.journey(unit.journey);
        let calls = (journey.calls.len() + journey.writes.len()).max(1) as u128;
        let peak = |cell: &usize| {
            let population = self.plan.cells[*cell].population;
            let windows = &self.demands[population.index()].windows;
            windows.iter().map(|w| w.2).max().unwrap_or(0)
        };
        let factor = unit.cells.iter().map(peak).max().unwrap_or(0);
        let bytes = u128::from(journey.sends.0 + journey.receives.0);
        self.attempts_at(unit, |_| factor) * bytes * 8 * calls / 1_000_000
    }

    /// The share of transfers that each path carries: bandwidth over what is asked of it.
    fn refresh_carried(&mut self) {
        let asked = self.bits_by_circuit();
        let share = |circuit: usize| {
            let bandwidth = self.fabric.truth().quality[circuit].bandwidth;
            let sites = self.sites(self.fabric.net().circuits[circuit].near);
            let has = bandwidth.map_or(u128::MAX, |b| u128::from(b.0) * sites);
            if asked[circuit] <= has {
                Ppb::ONE
            } else {
                Ppb((has * 1_000_000_000 / asked[circuit]) as u64)
            }
        };
        let shares: Vec<Ppb> = (0..asked.len())
            .map(|c| if self.binding[c] { share(c) } else { Ppb::ONE })
            .collect();
        for entry in 0..self.entries.len() {
            for replica in 0..self.entries[entry].paths.len() {
                let path = self.entries[entry].paths[replica].iter();
                let carried = path.map(|c| shares[*c]).min().unwrap_or(Ppb::ONE);
                if self.entries[entry].carried[replica] != carried {
                    self.entries[entry].carried[replica] = carried;
                    self.entry_users_dirty(entry);
                }
            }
        }
    }

    fn bits_by_circuit(&self) -> Vec<u128> {
        let mut asked = vec![0u128; self.fabric.net().circuits.len()];
        for unit in self.units.iter().filter(|u| u.loads) {
            let journey = self.plan.topology.journey(unit.journey);
            let bytes = u128::from(journey.sends.0 + journey.receives.0);
            let rate = self.attempts(unit);
            if rate == 0 || bytes == 0 {
                continue;
            }
            self.each_access(unit, |_, entry, asks| {
                for &(replica, mask) in &entry.groups {
                    let share = u128::from((mask & asks.0).count_ones());
                    for &circuit in &entry.paths[usize::from(replica)] {
                        asked[circuit] += rate * share * bytes * 8 / 64 / 1_000_000;
                    }
                }
            });
        }
        asked
    }

    /// The users of a unit that ask each service, over the access that they use: cohorts, and
    /// the share of all users, in parts per billion. Of a cohort that is only partly through a
    /// storm, that part asks.
    fn each_access(&self, unit: &Unit, mut ask: impl FnMut(usize, &Entry, (u64, u128))) {
        let mut left = u64::MAX;
        for (rank, access) in unit.accesses.iter().enumerate() {
            let eligible = access.change.as_ref().map_or(u64::MAX, |c| c.matured());
            let leases = access.leases.iter();
            let leased = leases.fold(u64::MAX, |m, l| m & self.leases[*l].cache.valid());
            let partial = access.leases.iter().any(|l| self.leases[*l].partial);
            let mut on_this = 0;
            for &entry in access.asked.iter().chain(&access.calls) {
                let entry = &self.entries[entry];
                let able = entry.ok & eligible & left;
                let asks = able & leased;
                on_this |= asks;
                let parts = bits(able & !leased).filter(|_| partial);
                let parts: u128 = parts
                    .map(|k| u128::from(self.part_through(&access.leases, k)))
                    .sum();
                let whole = u128::from(asks.count_ones()) * 1_000_000_000;
                ask(rank, entry, (asks, (whole + parts) / 64));
            }
            left &= !on_this;
        }
    }

    /// Attempts of a unit's users, in millionths per second.
    fn attempts(&self, unit: &Unit) -> u128 {
        self.attempts_at(unit, |population| self.factor(population, self.now))
    }

    fn attempts_at(&self, unit: &Unit, factor: impl Fn(PopulationId) -> u64) -> u128 {
        let plan = self.plan;
        let mut sum = 0u128;
        for &cell in &unit.cells {
            let cell = &plan.cells[cell];
            let population = plan.topology.population(cell.population);
            let factor = factor(cell.population);
            sum += demand::attempts(plan.topology, population, unit.journey, cell.users, factor);
        }
        sum
    }

    /// The services that a request to this one asks in turn.
    fn asked_by(&self, service: usize) -> Vec<usize> {
        let depends = &self.plan.topology.services[service].depends;
        let firsts = depends.any_of.iter().filter_map(|choice| choice.first());
        depends
            .all_of
            .iter()
            .chain(firsts)
            .map(|d| d.service.index())
            .collect()
    }

    /// What the replicas that serve can do now, in millionths of a request per second.
    pub(crate) fn capacity_now(&self, service: usize) -> u64 {
        let Some(capacity) = self.plan.topology.services[service].capacity else {
            return u64::MAX;
        };
        let left = u128::from(self.capacity_left(service));
        let per_second =
            u128::from(capacity.micro) * 1_000_000_000 / (capacity.per.0.max(1) as u128);
        (per_second * left / 1_000_000_000) as u64
    }

    /// How many replicas serve the clients that are sent to them.
    pub(crate) fn servers(&self, service: usize) -> u64 {
        let state = &self.services[service];
        let served = state.replicas.iter().zip(&state.views);
        served
            .filter(|(r, view)| r.acts && r.well.blame.is_none() && **view != 0)
            .count() as u64
    }

    /// The capacity of the replicas that clients are sent to and that serve, in parts per billion
    /// of one.
    pub(crate) fn capacity_left(&self, service: usize) -> u64 {
        let state = &self.services[service];
        let served = state.replicas.iter().zip(&state.views);
        served
            .filter(|(r, view)| r.acts && r.well.blame.is_none() && **view != 0)
            .map(|(r, _)| r.well.capacity.0)
            .sum()
    }

    pub(crate) fn bite_capacity(&mut self, service: usize) {
        if self.unbitten == 0 {
            return;
        }
        let faults: Vec<usize> = self.services[service]
            .replicas
            .iter()
            .flat_map(|r| r.capacity.iter().map(|c| c.0))
            .collect();
        self.bite_all(&faults, || "requests met the smaller capacity".into());
    }

    /// The share of requests that a service and all that it needs serve in time.
    fn note_share(&mut self, service: usize) {
        let own = self.services[service]
            .load
            .as_ref()
            .map_or(Ppb::ONE, Load::share);
        let hard = &self.plan.topology.services[service].depends.all_of;
        let share = hard
            .iter()
            .filter(|d| d.soft.is_none())
            .fold(own, |s, d| times(s, self.services[d.service.index()].share));
        if self.services[service].share != share {
            self.services[service].share = share;
            for i in 0..self.services[service].entries.len() {
                let entry = self.services[service].entries[i];
                self.entry_users_dirty(entry);
            }
        }
        if let Some(load) = &self.services[service].load {
            let next = load.next_wake();
            self.wakes.arm(Wake::Load(service), next);
            self.refresh_queue(service);
            self.note_queue(service);
        }
    }

    /// Demand changes when a window of some population begins or ends.
    fn arm_demand(&mut self) {
        let now = self.now;
        let next = self
            .demands
            .iter()
            .filter_map(|d| {
                let i = d.windows.partition_point(|w| w.1 <= now);
                let w = d.windows.get(i)?;
                Some(if w.0 > now { w.0 } else { w.1 })
            })
            .min();
        self.wakes.arm(Wake::Demand, next);
    }
}

/// How long one try of a journey may take.
fn limit(journey: &assize_model::topology::Journey) -> Nanos {
    journey.timeout.min(journey.retry.each)
}
