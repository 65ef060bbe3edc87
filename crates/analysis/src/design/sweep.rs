//! All combinations of failures against all targets: like ones evaluated once, counted as many
//! as they are.
//!
//! Sites of a class carry no transit, so what fails at one site reaches nobody elsewhere: what is
//! lost and asked at different sites adds up, and two failures at one site are looked at once for
//! all its like. What no journey stands on is left out. Everything else is evaluated.

use super::case::{Case, combinations, pairs};
use super::checks;
use super::compile::Compiled;
use super::evaluate::{Effect, Evaluator, Shared};
use super::loads::Peaks;
use super::routes::{Behind, Bits, has, join};
use super::traffic::Traffic;
use crate::program::Program;
use crate::report::{Demand, LoadFound, Sweep, Violation};
use assize_control::Fabric;
use assize_model::plan::Plan;
use assize_model::topology::Topology;
use std::collections::BTreeMap;

/// Which part of the work is done here: `index` of `of`, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    /// This one.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl Slice {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, of: 1 };
}

/// What is lost, by demand and check.
pub(super) type Losses = Vec<Vec<i128>>;

/// The state of a sweep over one topology.
#[derive(Debug)]
pub struct Sweeper<'a> {
    pub(super) shared: Shared<'a>,
    pub(super) relevant: Vec<u32>,
    base: Effect,
    /// By element, what it takes alone (at one site, for those of a class), and what of that is
    /// cut off.
    alone: Vec<(Losses, Vec<i128>)>,
}

/// What the combinations of one size come to.
#[derive(Debug, Default)]
pub struct Found {
    /// At the usual demand.
    pub sweep: Vec<Sweep>,
    /// At each other demand.
    pub demands: Vec<Demand>,
    /// The worst of each link and service.
    pub loads: Vec<LoadFound>,
}

/// The combinations of one size at one demand.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) evaluated: u128,
    pub(super) violating: u128,
    pub(super) overloaded: u128,
    pub(super) minimal: Vec<Violation>,
    /// Which of the cases violate, by place.
    pub(super) which: Vec<usize>,
}

impl Tally {
    pub(super) fn add(&mut self, more: Self) {
        self.evaluated += more.evaluated;
        self.violating += more.violating;
        self.overloaded += more.overloaded;
        self.minimal.extend(more.minimal);
        self.which.extend(more.which);
    }
}

impl<'a> Sweeper<'a> {
    /// Evaluates the network as it is, and every element alone. `demands` are factors in
    /// thousandths, the usual first.
    #[must_use]
    pub fn new(plan: &'a Plan<'a>, compiled: &'a Compiled, demands: Vec<u64>) -> Self {
        let topology = plan.topology;
        let shared = shared(plan, compiled, demands);
        let relevant = relevant(topology, &shared);
        let mut sweeper = Self {
            shared,
            relevant,
            base: Effect::default(),
            alone: Vec::new(),
        };
        let mut evaluator = Evaluator::new(&sweeper.shared);
        let none = Case {
            elements: Vec::new(),
        };
        let mut base = Effect::default();
        evaluator.each(&[none], |_, effect| base = effect.clone());
        let all: Vec<Case> = (0..compiled.elements.items.len() as u32)
            .map(Case::one)
            .collect();
        let mut alone = Vec::with_capacity(all.len());
        evaluator.each(&all, |_, e| {
            alone.push((e.losses.clone(), e.cut_off.clone()))
        });
        sweeper.base = base;
        sweeper.alone = alone;
        sweeper
    }

    fn count(&self, element: u32) -> u128 {
        u128::from(self.shared.compiled.elements.items[element as usize].count)
    }

    /// Objectives that are missed although nothing has failed, at each demand in thousandths.
    #[must_use]
    pub fn missed_at_rest(&self) -> Vec<(u64, String)> {
        let demands = self.shared.demands.iter().zip(&self.base.losses);
        let of = |(demand, losses): (&u64, &Vec<i128>)| {
            let names = self.names(&self.violated(losses));
            names.into_iter().map(|n| (*demand, n)).collect::<Vec<_>>()
        };
        demands.flat_map(of).collect()
    }

    pub(super) fn violated(&self, losses: &[i128]) -> Vec<usize> {
        let over = |(i, c): (usize, &checks::Check)| (losses[i] > c.allowed as i128).then_some(i);
        self.shared
            .checks
            .iter()
            .enumerate()
            .filter_map(over)
            .collect()
    }

    pub(super) fn names(&self, checks: &[usize]) -> Vec<String> {
        let name = |c: &usize| self.shared.checks[*c].objective.clone();
        let mut names: Vec<String> = checks.iter().map(name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// All combinations of up to `k` elements, at most 2; the part of the work that `slice`
    /// names, on so many threads. The result depends on neither but for the part.
    #[must_use]
    pub fn sweep(&self, k: usize, slice: Slice, threads: usize) -> Found {
        let mut found = Found::default();
        let demands = self.shared.demands.iter().skip(1);
        found.demands = demands
            .map(|d| Demand {
                factor: *d as f64 / 1000.0,
                sweep: Vec::new(),
            })
            .collect();
        let mut loads = self.at_rest();
        for k in 1..=k.min(2) {
            let (tallies, peaks) = self.of_size(k, slice, threads);
            loads.add(k, &peaks, &self.shared);
            let mut made = tallies.into_iter().map(|tally| self.report(k, tally));
            found.sweep.extend(made.next());
            for (demand, sweep) in found.demands.iter_mut().zip(made) {
                demand.sweep.push(sweep);
            }
        }
        found.loads = loads.found;
        found
    }

    fn of_size(&self, k: usize, slice: Slice, threads: usize) -> (Vec<Tally>, Peaks) {
        let elements = &self.shared.compiled.elements;
        let mut rows = Vec::new();
        let mut before = 0;
        for first in 0..self.relevant.len() {
            rows.push((first, before));
            before += if k == 1 {
                1
            } else {
                pairs(elements, &self.relevant, first).len()
            };
        }
        let parts = crate::parallel::chunks(
            &rows,
            threads,
            4,
            || Evaluator::new(&self.shared),
            |evaluator, part| {
                let row = |&(first, before): &(usize, usize)| {
                    let row = match k {
                        1 => vec![Case::one(self.relevant[first])],
                        _ => pairs(elements, &self.relevant, first),
                    };
                    let mine = move |(i, _): &(usize, Case)| (before + i) % slice.of == slice.index;
                    row.into_iter().enumerate().filter(mine).map(|c| c.1)
                };
                let cases: Vec<Case> = part.iter().flat_map(row).collect();
                self.evaluate(evaluator, &cases)
            },
        );
        let mut tallies = vec![Tally::default(); self.shared.demands.len()];
        let mut peaks = self.peaks();
        for (part, highest) in parts {
            for (sum, one) in tallies.iter_mut().zip(part) {
                sum.add(one);
            }
            peaks.join(highest);
        }
        if slice.index == 0 {
            for (demand, tally) in tallies.iter_mut().enumerate() {
                self.with_idle(k, demand, tally);
            }
        }
        (tallies, peaks)
    }

    fn peaks(&self) -> Peaks {
        Peaks::new(&self.base)
    }

    fn at_rest(&self) -> super::loads::Loads {
        super::loads::Loads::at_rest(&self.base, &self.shared)
    }

    /// Combinations of which some elements are such that nothing stands on them.
    fn with_idle(&self, k: usize, demand: usize, tally: &mut Tally) {
        let elements: u128 = self.elements();
        let known: u128 = self.relevant.iter().map(|e| self.count(*e)).sum();
        let idle = elements - known;
        let violates = |losses: &[i128]| !self.violated(losses).is_empty();
        if violates(&self.base.losses[demand]) {
            let more = combinations(elements, k) - combinations(known, k);
            tally.violating += more;
            if !violates(&self.base.cut_off) {
                tally.overloaded += more;
            }
            return;
        }
        if k < 2 {
            return;
        }
        for element in &self.relevant {
            let (losses, cut_off) = &self.alone[*element as usize];
            if violates(&losses[demand]) {
                let more = self.count(*element) * idle;
                tally.violating += more;
                if !violates(cut_off) {
                    tally.overloaded += more;
                }
            }
        }
    }

    fn elements(&self) -> u128 {
        let n = self.shared.compiled.elements.items.len() as u32;
        (0..n).map(|e| self.count(e)).sum()
    }

    pub(super) fn evaluate(
        &self,
        evaluator: &mut Evaluator<'_>,
        cases: &[Case],
    ) -> (Vec<Tally>, Peaks) {
        let mut tallies = vec![Tally::default(); self.shared.demands.len()];
        let mut peaks = self.peaks();
        // What violates and is not decided by one element alone is looked into afterwards.
        let mut open: Vec<(Case, usize, Vec<usize>, Vec<u32>)> = Vec::new();
        let elements = &self.shared.compiled.elements;
        let over =
            |effect: &Effect, demand| super::overload::overloaded(&self.shared, effect, demand);
        evaluator.each(cases, |case, effect| {
            peaks.see(case, effect, &self.shared);
            for (demand, tally) in tallies.iter_mut().enumerate() {
                tally.evaluated += 1;
                let missed = self.violated(&effect.losses[demand]);
                if missed.is_empty() {
                    continue;
                }
                let stands_for = case.stands_for(elements);
                tally.which.push(tally.evaluated as usize - 1);
                tally.violating += stands_for;
                if self.violated(&effect.cut_off).is_empty() {
                    tally.overloaded += stands_for;
                }
                let new: Vec<usize> = missed
                    .into_iter()
                    .filter(|c| !self.by_less(case, demand, *c))
                    .collect();
                if !new.is_empty() {
                    // What is too small in any case is not this combination's doing.
                    let demanded = self.shared.demands[demand];
                    let at_rest = over(&self.base, demanded);
                    let mut over = over(effect, demanded);
                    over.retain(|l| !at_rest.contains(l));
                    open.push((case.clone(), demand, new, over));
                }
            }
        });
        for (case, demand, mut new, over) in open {
            if case.elements.len() > 2 {
                let parts = case.parts(elements);
                evaluator.each(&parts, |_, effect| {
                    let missed = self.violated(&effect.losses[demand]);
                    new.retain(|c| !missed.contains(c));
                });
            }
            if !new.is_empty() {
                tallies[demand]
                    .minimal
                    .push(self.violation(&case, &new, &over));
            }
        }
        (tallies, peaks)
    }

    /// Whether nothing, or one of the elements alone, misses a check already.
    fn by_less(&self, case: &Case, demand: usize, check: usize) -> bool {
        let allowed = self.shared.checks[check].allowed as i128;
        let alone = |e: &(u32, u8)| self.alone[e.0 as usize].0[demand][check] > allowed;
        self.base.losses[demand][check] > allowed
            || case.elements.len() > 1 && case.elements.iter().any(alone)
    }

    fn violation(&self, case: &Case, missed: &[usize], over: &[u32]) -> Violation {
        let elements = &self.shared.compiled.elements;
        let name =
            |l: &u32| self.shared.traffic.limits[*l as usize].name(self.shared.plan.topology);
        Violation {
            elements: case.names(elements),
            combinations: case.stands_for(elements),
            objectives: self.names(missed),
            overloaded: over.iter().map(name).collect(),
        }
    }

    pub(super) fn report(&self, k: usize, tally: Tally) -> Sweep {
        let all = combinations(self.elements(), k);
        Sweep {
            k,
            combinations: all,
            evaluated: tally.evaluated,
            skipped: all - tally.evaluated.min(all),
            violating: tally.violating,
            overloaded: tally.overloaded,
            reasons: self.reasons(k),
            minimal: tally.minimal,
            complete: true,
        }
    }

    fn reasons(&self, k: usize) -> Vec<String> {
        let idle = self.shared.compiled.elements.items.len() - self.relevant.len();
        let mut reasons = vec![
            "sites of a class are like each other and carry no transit: one stands for all"
                .to_owned(),
        ];
        if idle > 0 {
            reasons.push(format!("{idle} elements are on the way of no journey (sites of a class counted once): with one of them, a combination violates what the rest of it violates"));
        }
        if k >= 2 {
            reasons.push(
                "failures at different sites reach different users: what they lose and ask is added"
                    .to_owned(),
            );
        }
        reasons
    }
}

fn shared<'a>(plan: &'a Plan<'a>, compiled: &'a Compiled, demands: Vec<u64>) -> Shared<'a> {
    let topology = plan.topology;
    let fabric = Fabric::new(plan);
    let traffic = Traffic::new(topology, compiled, fabric.net());
    let checks = checks::of(topology, compiled);
    let mut checks_of = vec![Vec::new(); compiled.units.len()];
    for (index, check) in checks.iter().enumerate() {
        check.units.iter().for_each(|u| checks_of[*u].push(index));
    }
    let words = compiled.elements.items.len().div_ceil(64).max(1);
    let behind = |circuit: &crate::Ref| {
        let mut bits: Bits = vec![0; words].into_boxed_slice();
        for event in compiled.structure.events(*circuit) {
            bits[event as usize / 64] |= 1 << (event % 64);
        }
        bits
    };
    let circuits: Vec<Bits> = compiled.circuits.iter().flatten().map(behind).collect();
    let mut units_at: BTreeMap<assize_model::NodeId, Vec<u32>> = BTreeMap::new();
    for (unit, spec) in compiled.units.iter().enumerate() {
        if topology.node(spec.node).class {
            units_at.entry(spec.node).or_default().push(unit as u32);
        }
    }
    Shared {
        plan,
        compiled,
        checks,
        checks_of,
        behind: Behind::new(&fabric, circuits, words),
        program: Program::new(&compiled.structure, &traffic.outputs),
        routed: traffic.needs_routes(topology),
        traffic,
        units_at,
        demands,
    }
}

/// Elements on which some journey stands, some capacity, or whether a standby is in service.
fn relevant(topology: &Topology, shared: &Shared<'_>) -> Vec<u32> {
    let compiled = shared.compiled;
    let softly = compiled
        .replicas
        .iter()
        .enumerate()
        .flat_map(|(s, replicas)| {
            let limited = topology.services[s].capacity.is_some();
            let all = replicas.iter().flat_map(|r| r.softly.iter().map(|s| s.0));
            all.filter(move |_| limited)
        });
    let tops: Vec<crate::Ref> = compiled
        .units
        .iter()
        .map(|u| u.fails)
        .chain(softly)
        .collect();
    let mut relevant = Program::new(&compiled.structure, &tops).events();
    let n = compiled.elements.items.len() as u32;
    let mut wakers = vec![0u64; n.div_ceil(64).max(1) as usize];
    if shared.routed {
        shared
            .behind
            .wakers
            .iter()
            .for_each(|w| join(&mut wakers, w));
    }
    relevant.extend((0..n).filter(|e| has(&wakers, *e)));
    relevant.sort_unstable();
    relevant.dedup();
    relevant
}
