//! What combinations of failures take from users: 64 states of the structure at a time, then, of
//! each combination, what its changes of ways do to the loads of links and services.

use super::case::Case;
use super::checks::Check;
use super::compile::Compiled;
use super::routes::{Behind, Routes, has};
use super::traffic::{Asks, CallAsks, Fitness, Limit, Traffic};
use crate::program::{Program, Scratch};
use assize_control::Fabric;
use assize_model::NodeId;
use assize_model::plan::Plan;
use std::collections::BTreeMap;

/// What all evaluators of one topology share.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) compiled: &'a Compiled,
    pub(super) checks: Vec<Check>,
    /// By unit, the checks that it is in.
    pub(super) checks_of: Vec<Vec<usize>>,
    pub(super) traffic: Traffic,
    pub(super) behind: Behind,
    pub(super) program: Program,
    pub(super) units_at: BTreeMap<NodeId, Vec<u32>>,
    pub(super) routed: bool,
    /// Factors of demand, in thousandths; the first is the usual.
    pub(super) demands: Vec<u64>,
}

/// One service that a unit asks at one replica.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part {
    pub(super) service: u32,
    pub(super) times: u128,
    /// Of how many replicas among which its clients are spread, this is one.
    pub(super) of: u128,
    /// The first of these.
    pub(super) first: bool,
    /// The way there, by number.
    pub(super) way: u32,
}

/// How a unit fares: `None` if it is not served.
pub(super) type Outcome = Option<Vec<Part>>;

/// How the units of a class fare at a site that is touched; `None`: as everywhere else.
pub(super) type AtSite = BTreeMap<usize, Option<Outcome>>;

/// What a combination does.
#[derive(Clone, Debug, Default)]
pub(super) struct Effect {
    /// By demand and check, what is lost; in weights of units.
    pub(super) losses: Vec<Vec<i128>>,
    /// Lost because it is not reached, by check.
    pub(super) cut_off: Vec<i128>,
    /// By limit: what is asked of all of them, and what they can do.
    pub(super) loads: Vec<(i128, i128)>,
    /// What is asked of the circuits of each site that is touched.
    pub(super) here: Vec<Vec<i128>>,
}

/// Evaluates, with memory of its own.
#[derive(Debug)]
pub(super) struct Evaluator<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) routes: Routes<'a>,
    lanes: Scratch,
    events: Vec<u64>,
    alone: Scratch,
    alone_events: Vec<u64>,
    /// By unit, the lanes in which it may fare otherwise than with nothing failed.
    dirty: Vec<u64>,
    pub(super) base: Vec<Outcome>,
    base_values: Vec<bool>,
    base_effect: Effect,
    /// By element, the units some way of whose meets it.
    touched: Vec<Vec<u32>>,
}

/// The states of one case: what there is once, and with it each touched site.
struct Lanes {
    core: (usize, Vec<u32>),
    sites: Vec<(usize, NodeId, Vec<u32>)>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(shared: &'a Shared<'a>) -> Self {
        let n = shared.compiled.elements.items.len();
        let mut new = Self {
            shared,
            routes: Routes::new(Fabric::new(shared.plan), &shared.behind, &shared.traffic),
            lanes: Scratch::default(),
            events: vec![0; n],
            alone: Scratch::default(),
            alone_events: vec![0; n],
            dirty: vec![0; shared.traffic.asks.len()],
            base: Vec::new(),
            base_values: Vec::new(),
            base_effect: Effect::default(),
            touched: vec![Vec::new(); n],
        };
        new.rest();
        new
    }

    /// Nothing has failed.
    fn rest(&mut self) {
        let shared = self.shared;
        shared.program.run(&mut self.lanes, &self.events);
        let value = |o| shared.program.output(&self.lanes, o) & 1 == 1;
        self.base_values = (0..shared.traffic.outputs.len()).map(value).collect();
        let elements = self.events.len() as u32;
        for unit in 0..shared.traffic.asks.len() {
            let mut looked_at = Vec::new();
            let outcome = self.outcome(unit, 0, &[], Some(&mut looked_at));
            self.base.push(outcome);
            for element in 0..elements {
                let meets = |way: &u32| has(&self.routes.found(*way).meets, element);
                if looked_at.iter().any(meets) {
                    self.touched[element as usize].push(unit as u32);
                }
            }
        }
        let checks = vec![0; shared.checks.len()];
        let mut effect = Effect {
            cut_off: checks,
            loads: vec![(0, 0); shared.traffic.limits.len()],
            ..Effect::default()
        };
        for unit in 0..self.base.len() {
            self.count(unit, &self.base[unit], 0, 1, &mut effect.loads, None);
            if self.base[unit].is_none() {
                let weight = shared.traffic.asks[unit].weight as i128;
                self.lose(unit, weight, &mut effect.cut_off);
            }
        }
        self.base_effect = effect;
    }

    pub(super) fn lose(&self, unit: usize, weight: i128, losses: &mut [i128]) {
        for check in &self.shared.checks_of[unit] {
            losses[*check] += weight;
        }
    }

    /// Evaluates cases in order; their lanes are shared out over as few runs as possible.
    pub(super) fn each(&mut self, cases: &[Case], mut done: impl FnMut(&Case, &Effect)) {
        let most = cases.iter().map(|c| c.elements.len()).max().unwrap_or(0) + 1;
        for batch in cases.chunks(64 / most.min(64)) {
            let lanes = self.fill(batch);
            for (case, lanes) in batch.iter().zip(lanes) {
                let effect = self.effect(&lanes);
                done(case, &effect);
            }
        }
    }

    /// Runs the structure for a batch.
    fn fill(&mut self, batch: &[Case]) -> Vec<Lanes> {
        let shared = self.shared;
        let elements = &shared.compiled.elements;
        self.events.fill(0);
        let mut next = 0;
        let mut made = Vec::with_capacity(batch.len());
        let mut touched: Vec<(usize, u32)> = Vec::new();
        for case in batch {
            let mut lane = |set: &[u32]| {
                for element in set {
                    self.events[*element as usize] |= 1 << next;
                    touched.push((next, *element));
                }
                next += 1;
                next - 1
            };
            let core = case.core(elements);
            let at = lane(&core);
            let sites = case.sites(elements).into_iter().map(|(class, here)| {
                let mut set = [core.as_slice(), &here].concat();
                set.sort_unstable();
                (lane(&set), class, set)
            });
            let sites = sites.collect();
            made.push(Lanes {
                core: (at, core),
                sites,
            });
        }
        shared.program.run(&mut self.lanes, &self.events);
        for (unit, asks) in shared.traffic.asks.iter().enumerate() {
            let differs = |sum: u64, output: &u32| {
                let base = if self.base_values[*output as usize] {
                    u64::MAX
                } else {
                    0
                };
                sum | (shared.program.output(&self.lanes, *output as usize) ^ base)
            };
            self.dirty[unit] = asks.outputs.iter().fold(0, differs);
        }
        for (lane, element) in touched {
            for unit in &self.touched[element as usize] {
                self.dirty[*unit as usize] |= 1 << lane;
            }
        }
        made
    }

    fn effect(&mut self, lanes: &Lanes) -> Effect {
        let shared = self.shared;
        let (core, set) = &lanes.core;
        let mut effect = self.base_effect.clone();
        let mut changed: BTreeMap<usize, Outcome> = BTreeMap::new();
        for unit in 0..self.dirty.len() {
            if self.dirty[unit] >> core & 1 == 0 {
                continue;
            }
            let now = self.outcome(unit, *core, set, None);
            if now == self.base[unit] {
                continue;
            }
            self.count(unit, &self.base[unit], 0, -1, &mut effect.loads, None);
            self.count(unit, &now, 0, 1, &mut effect.loads, None);
            let weight = shared.traffic.asks[unit].weight as i128;
            let more = i128::from(now.is_none()) - i128::from(self.base[unit].is_none());
            self.lose(unit, more * weight, &mut effect.cut_off);
            changed.insert(unit, now);
        }
        let mut at_sites: Vec<AtSite> = Vec::new();
        for (lane, class, set) in &lanes.sites {
            let mut here = vec![0; shared.traffic.limits.len()];
            let mut fares = BTreeMap::new();
            for unit in shared.units_at.get(class).into_iter().flatten() {
                let unit = *unit as usize;
                let dirty = self.dirty[unit] >> lane & 1 == 1;
                let now = dirty.then(|| self.outcome(unit, *lane, set, None));
                let before = changed.get(&unit).unwrap_or(&self.base[unit]);
                let after = now.as_ref().unwrap_or(before);
                self.count(unit, after, 1, 1, &mut effect.loads, Some(&mut here));
                self.count(unit, before, 1, -1, &mut effect.loads, Some(&mut []));
                let asks = &shared.traffic.asks[unit];
                let one = asks.weight.div_ceil(asks.sites) as i128;
                let more = i128::from(after.is_none()) - i128::from(before.is_none());
                self.lose(unit, more * one, &mut effect.cut_off);
                fares.insert(unit, now);
            }
            effect.here.push(here);
            at_sites.push(fares);
        }
        self.limit_services(*core, &mut effect.loads);
        self.overload(&changed, &at_sites, &mut effect);
        effect
    }

    /// Adds what a unit asks, or takes it away: of all its users, or of those at one site, whose
    /// own circuits are counted apart.
    pub(super) fn count(
        &self,
        unit: usize,
        outcome: &Outcome,
        who: usize,
        sign: i128,
        loads: &mut [(i128, i128)],
        mut here: Option<&mut [i128]>,
    ) {
        let traffic = &self.shared.traffic;
        let asks = &traffic.asks[unit];
        for part in outcome.iter().flatten() {
            let attempts = asks.attempts[who] * part.times;
            if attempts == 0 {
                continue;
            }
            if part.first {
                for (limit, times) in &traffic.of_service[part.service as usize] {
                    loads[*limit as usize].0 += sign * (attempts * times) as i128;
                }
            }
            let one = asks.attempts[1] * part.times * asks.bits / part.of;
            let bits = sign * (one * (attempts / (asks.attempts[1] * part.times))) as i128;
            for limit in self.routes.found(part.way).limits.iter().flatten() {
                let limit = *limit as usize;
                let own = matches!(traffic.limits[limit], Limit::Circuit { own: true, .. });
                match &mut here {
                    Some(here) if own => {
                        if let Some(sum) = here.get_mut(limit) {
                            *sum += bits;
                        }
                    }
                    _ => loads[limit].0 += bits,
                }
            }
        }
    }

    /// How a unit fares in a lane, in which just `failed` have failed.
    fn outcome(
        &mut self,
        unit: usize,
        lane: usize,
        failed: &[u32],
        mut looked_at: Option<&mut Vec<u32>>,
    ) -> Outcome {
        let asks: &'a Asks = &self.shared.traffic.asks[unit];
        for way in &asks.ways {
            if self.value(way.fails, lane) {
                continue;
            }
            let mut parts = Vec::new();
            let all = way.calls.iter().all(|call| {
                let seen = looked_at.as_deref_mut();
                self.call(call, lane, failed, &mut parts, seen)
            });
            if all {
                return Some(parts);
            }
        }
        None
    }

    fn value(&self, output: u32, lane: usize) -> bool {
        self.shared.program.output(&self.lanes, output as usize) >> lane & 1 == 1
    }

    /// The replicas that answer a call; whether any does.
    fn call(
        &mut self,
        call: &CallAsks,
        lane: usize,
        failed: &[u32],
        parts: &mut Vec<Part>,
        mut looked_at: Option<&mut Vec<u32>>,
    ) -> bool {
        let begin = parts.len();
        for &(output, route) in &call.replicas {
            if self.value(output, lane) {
                continue;
            }
            let way = if self.shared.routed {
                self.way(route, failed)
            } else {
                0
            };
            if self.shared.routed {
                if let Some(list) = looked_at.as_deref_mut() {
                    list.push(way);
                }
                if self.routes.found(way).limits.is_none() {
                    continue;
                }
            }
            parts.push(Part {
                service: call.service as u32,
                times: call.times,
                of: 1,
                first: parts.len() == begin,
                way,
            });
            if !call.spread {
                break;
            }
        }
        let of = (parts.len() - begin) as u128;
        parts[begin..].iter_mut().for_each(|p| p.of = of);
        of > 0
    }

    fn way(&mut self, route: u32, failed: &[u32]) -> u32 {
        let (shared, alone, events) = (self.shared, &mut self.alone, &mut self.alone_events);
        self.routes.find(route, failed, &mut |without| {
            events.fill(0);
            without.iter().for_each(|e| events[*e as usize] = 1);
            shared.program.run(alone, events);
            let out = |o: &u32| shared.program.output(alone, *o as usize) & 1 == 1;
            let spots = shared.traffic.nodes.iter().map(out).collect();
            (spots, shared.traffic.circuits.iter().map(out).collect())
        })
    }

    /// What each limit can do: of services, by the replicas that serve in a lane.
    fn limit_services(&self, lane: usize, loads: &mut [(i128, i128)]) {
        for (limit, load) in self.shared.traffic.limits.iter().zip(loads) {
            load.1 = match limit {
                Limit::Circuit { sites, each, .. } => (sites * each) as i128,
                Limit::Service { index, each } => {
                    let left = self.serving(*index, lane);
                    (each * left / 1_000_000_000) as i128
                }
            };
        }
    }

    /// The capacity of the replicas of a service that serve, in parts per billion of one.
    fn serving(&self, service: usize, lane: usize) -> u128 {
        let spec = &self.shared.plan.topology.services[service];
        let left = |(unwell, softly): &Fitness| {
            if self.value(*unwell, lane) {
                return None;
            }
            let out = softly.iter().filter(|s| self.value(s.0, lane));
            Some(out.fold(1_000_000_000, |c, s| c * s.1 / 1_000_000_000))
        };
        let replicas = &self.shared.traffic.replicas[service];
        let home = spec.replicas.iter().position(|r| r.primary).unwrap_or(0);
        use assize_model::topology::Mode;
        match spec.mode {
            Mode::Single => left(&replicas[home]).unwrap_or(0),
            Mode::ActiveStandby | Mode::Quorum => {
                let others = replicas.iter().filter_map(left).next();
                left(&replicas[home]).or(others).unwrap_or(0)
            }
            Mode::ActiveActive | Mode::Sharded => replicas.iter().filter_map(left).sum(),
        }
    }
}
