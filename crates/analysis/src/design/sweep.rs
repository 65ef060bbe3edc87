//! All combinations of failures against all targets: like ones evaluated once, counted as many
//! as they are.
//!
//! Sites of a class carry no transit, so what fails at one site reaches nobody elsewhere: losses
//! of different sites add up, and two failures at one site are looked at once for all its like.
//! What no journey stands on is left out. Everything else is evaluated, 64 combinations at a time.

use super::checks::{self, Check};
use super::compile::Compiled;
use crate::connected::choose;
use crate::program::{Program, Scratch};
use crate::report::{Sweep, Violation};
use assize_model::NodeId;
use assize_model::topology::Topology;

/// What is said of the second of two failures at different sites.
pub(crate) const ELSEWHERE: &str = " (another site)";

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

/// One element, or two, of which like ones are merged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Case {
    a: u32,
    /// The same as `a` for one alone.
    b: u32,
    /// The two are at different sites.
    apart: bool,
}

/// What each check loses, for one case.
type Losses = Vec<u128>;

/// The state of a sweep over one topology.
#[derive(Debug)]
pub struct Sweeper<'a> {
    compiled: &'a Compiled,
    checks: Vec<Check>,
    program: Program,
    /// By unit, the checks that it is in.
    checks_of: Vec<Vec<usize>>,
    relevant: Vec<u32>,
    base: Losses,
    /// By element, what it loses alone (at one site, for those of a class).
    alone: Vec<Losses>,
}

impl<'a> Sweeper<'a> {
    /// Evaluates the network as it is, and every element alone.
    #[must_use]
    pub fn new(topology: &Topology, compiled: &'a Compiled) -> Self {
        let checks = checks::of(topology, compiled);
        let tops: Vec<crate::Ref> = compiled.units.iter().map(|u| u.fails).collect();
        let program = Program::new(&compiled.structure, &tops);
        let mut checks_of = vec![Vec::new(); compiled.units.len()];
        for (index, check) in checks.iter().enumerate() {
            check.units.iter().for_each(|u| checks_of[*u].push(index));
        }
        let relevant = program.events();
        let mut sweeper = Self {
            compiled,
            checks,
            program,
            checks_of,
            relevant,
            base: Vec::new(),
            alone: Vec::new(),
        };
        let mut scratch = Buffers::of(&sweeper);
        sweeper.base = scratch.losses(&sweeper, &[(&[], None)]).remove(0);
        let n = compiled.elements.items.len();
        let mut alone = Vec::with_capacity(n);
        for first in (0..n).step_by(64) {
            let sets: Vec<[u32; 1]> = (first..n.min(first + 64)).map(|e| [e as u32]).collect();
            let cases: Vec<(&[u32], Option<NodeId>)> = sets
                .iter()
                .map(|s| (s.as_slice(), sweeper.class(s[0])))
                .collect();
            alone.append(&mut scratch.losses(&sweeper, &cases));
        }
        sweeper.alone = alone;
        sweeper
    }

    fn class(&self, element: u32) -> Option<NodeId> {
        self.compiled.elements.items[element as usize].class
    }

    fn count(&self, element: u32) -> u128 {
        u128::from(self.compiled.elements.items[element as usize].count)
    }

    /// Objectives that are missed although nothing has failed.
    #[must_use]
    pub fn missed_at_rest(&self) -> Vec<String> {
        self.names(&self.violated(&self.base))
    }

    fn violated(&self, losses: &Losses) -> Vec<usize> {
        let over = |(i, c): (usize, &Check)| (losses[i] > c.allowed).then_some(i);
        self.checks.iter().enumerate().filter_map(over).collect()
    }

    fn names(&self, checks: &[usize]) -> Vec<String> {
        let mut names: Vec<String> = checks
            .iter()
            .map(|c| self.checks[*c].objective.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// All combinations of `k` elements, 1 or 2; the part of the work that `slice` names, on so
    /// many threads. The result depends on neither but for the part.
    #[must_use]
    pub fn sweep(&self, k: usize, slice: Slice, threads: usize) -> Sweep {
        let elements: u128 = (0..self.compiled.elements.items.len())
            .map(|e| self.count(e as u32))
            .sum();
        let cases = if k == 1 { self.singles() } else { self.pairs() };
        let mine: Vec<Case> = cases
            .iter()
            .enumerate()
            .filter(|(i, _)| i % slice.of == slice.index)
            .map(|c| *c.1)
            .collect();
        let parts = crate::parallel::chunks(&mine, threads, 64 * 16, |part| self.evaluate(k, part));
        let mut sweep = Sweep {
            k,
            combinations: choose(elements, k),
            evaluated: mine.len() as u128,
            skipped: 0,
            violating: 0,
            reasons: self.reasons(k),
            minimal: Vec::new(),
            complete: true,
        };
        for (violating, minimal) in parts {
            sweep.violating += violating;
            sweep.minimal.extend(minimal);
        }
        if slice.index == 0 {
            sweep.violating += self.with_idle(k, elements);
        }
        sweep.skipped = sweep.combinations - sweep.evaluated.min(sweep.combinations);
        sweep
    }

    fn singles(&self) -> Vec<Case> {
        let one = |e: &u32| Case {
            a: *e,
            b: *e,
            apart: false,
        };
        self.relevant.iter().map(one).collect()
    }

    fn pairs(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (i, &a) in self.relevant.iter().enumerate() {
            for &b in &self.relevant[i..] {
                let (at_a, at_b) = (self.class(a), self.class(b));
                if at_a.is_some() && at_b.is_some() && self.apart(a, b) > 0 {
                    cases.push(Case { a, b, apart: true });
                }
                if a != b && (at_a.is_none() || at_b.is_none() || at_a == at_b) {
                    cases.push(Case { a, b, apart: false });
                }
            }
        }
        cases
    }

    /// How many pairs there are of these two at different sites.
    fn apart(&self, a: u32, b: u32) -> u128 {
        let (x, y) = (self.count(a), self.count(b));
        match (a == b, self.class(a) == self.class(b)) {
            (true, _) => choose(x, 2),
            (false, true) => x * (x - 1),
            (false, false) => x * y,
        }
    }

    /// For how many combinations of expanded elements a case stands.
    fn stands_for(&self, case: Case) -> u128 {
        let (a, b) = (self.count(case.a), self.count(case.b));
        match case {
            Case { a: x, b: y, .. } if x == y && !case.apart => a,
            Case { apart: true, .. } => self.apart(case.a, case.b),
            _ if self.class(case.a).is_some() && self.class(case.a) == self.class(case.b) => a,
            _ => a * b,
        }
    }

    /// Pairs of an element that violates alone and one on which nothing stands.
    fn with_idle(&self, k: usize, elements: u128) -> u128 {
        let known: u128 = self.relevant.iter().map(|e| self.count(*e)).sum();
        let idle = elements - known;
        if !self.violated(&self.base).is_empty() {
            return choose(elements, k) - choose(known, k);
        }
        if k < 2 {
            return 0;
        }
        let alone = self
            .relevant
            .iter()
            .filter(|e| !self.violated(&self.alone[**e as usize]).is_empty());
        alone.map(|e| self.count(*e)).sum::<u128>() * idle
    }

    fn evaluate(&self, k: usize, cases: &[Case]) -> (u128, Vec<Violation>) {
        let (mut violating, mut minimal) = (0, Vec::new());
        let mut buffers = Buffers::of(self);
        for batch in cases.chunks(64) {
            let sets: Vec<[u32; 2]> = batch.iter().map(|c| [c.a, c.b]).collect();
            let wanted: Vec<(&[u32], Option<NodeId>)> = batch
                .iter()
                .zip(&sets)
                .map(|(c, s)| {
                    if c.apart {
                        (&[][..], None)
                    } else {
                        (s.as_slice(), self.class(c.a).or(self.class(c.b)))
                    }
                })
                .collect();
            let together = buffers.losses(self, &wanted);
            for (case, mut losses) in batch.iter().zip(together) {
                if case.apart {
                    let (a, b) = (&self.alone[case.a as usize], &self.alone[case.b as usize]);
                    losses = (0..losses.len())
                        .map(|i| a[i] + b[i] - self.base[i])
                        .collect();
                }
                let missed = self.violated(&losses);
                if missed.is_empty() {
                    continue;
                }
                violating += self.stands_for(*case);
                let by_one = |c: &usize| {
                    [case.a, case.b]
                        .iter()
                        .any(|e| self.alone[*e as usize][*c] > self.checks[*c].allowed)
                };
                let at_rest = |c: &usize| self.base[*c] > self.checks[*c].allowed;
                let new: Vec<usize> = missed
                    .into_iter()
                    .filter(|c| if k == 1 { !at_rest(c) } else { !by_one(c) })
                    .collect();
                if !new.is_empty() {
                    minimal.push(self.violation(k, *case, &new));
                }
            }
        }
        (violating, minimal)
    }

    fn violation(&self, k: usize, case: Case, missed: &[usize]) -> Violation {
        let name = |e: u32| self.compiled.elements.items[e as usize].id.clone();
        let mut elements = vec![name(case.a)];
        if k == 2 {
            let elsewhere = if case.apart { ELSEWHERE } else { "" };
            elements.push(format!("{}{elsewhere}", name(case.b)));
        }
        Violation {
            elements,
            combinations: self.stands_for(case),
            objectives: self.names(missed),
        }
    }

    fn reasons(&self, k: usize) -> Vec<String> {
        let idle = self.compiled.elements.items.len() - self.relevant.len();
        let mut reasons = vec![
            "sites of a class are like each other and carry no transit: one stands for all"
                .to_owned(),
        ];
        if idle > 0 {
            reasons.push(format!("{idle} elements are on the way of no journey (sites of a class counted once): with one of them, a combination violates what the rest of it violates"));
        }
        if k >= 2 {
            reasons.push(
                "failures at different sites reach different users: their losses are added"
                    .to_owned(),
            );
        }
        reasons
    }
}

/// What an evaluation writes over, one per thread.
struct Buffers {
    scratch: Scratch,
    events: Vec<u64>,
}

impl Buffers {
    fn of(sweeper: &Sweeper<'_>) -> Self {
        Self {
            scratch: Scratch::default(),
            events: vec![0; sweeper.compiled.elements.items.len()],
        }
    }

    /// The losses of up to 64 sets of elements. Where a set has elements of a class, they fail at
    /// one of its sites: what they add is lost by the users of one site.
    fn losses(&mut self, sweeper: &Sweeper<'_>, sets: &[(&[u32], Option<NodeId>)]) -> Vec<Losses> {
        let mut losses = vec![vec![0u128; sweeper.checks.len()]; sets.len()];
        // Everywhere: only what there is once.
        self.fill(sweeper, sets, false);
        let everywhere: Vec<u64> = self.outputs(sweeper);
        let at_a_site = sets.iter().any(|s| s.1.is_some());
        let here = if at_a_site {
            self.fill(sweeper, sets, true);
            self.outputs(sweeper)
        } else {
            Vec::new()
        };
        for (index, unit) in sweeper.compiled.units.iter().enumerate() {
            let mut lost = everywhere[index];
            while lost != 0 {
                let state = lost.trailing_zeros() as usize;
                lost &= lost - 1;
                if state < sets.len() {
                    sweeper.checks_of[index]
                        .iter()
                        .for_each(|c| losses[state][*c] += unit.weight);
                }
            }
            let mut more = if at_a_site {
                here[index] & !everywhere[index]
            } else {
                0
            };
            while more != 0 {
                let state = more.trailing_zeros() as usize;
                more &= more - 1;
                if state < sets.len() && sets[state].1 == Some(unit.node) {
                    // Of sites with unequal numbers of users, the larger.
                    let sites = sweeper.sites(unit.node);
                    sweeper.checks_of[index]
                        .iter()
                        .for_each(|c| losses[state][*c] += unit.weight.div_ceil(sites));
                }
            }
        }
        losses
    }

    fn fill(&mut self, sweeper: &Sweeper<'_>, sets: &[(&[u32], Option<NodeId>)], with_sites: bool) {
        self.events.fill(0);
        for (state, (set, _)) in sets.iter().enumerate() {
            for &element in *set {
                if with_sites || sweeper.class(element).is_none() {
                    self.events[element as usize] |= 1 << state;
                }
            }
        }
    }

    fn outputs(&mut self, sweeper: &Sweeper<'_>) -> Vec<u64> {
        sweeper.program.run(&mut self.scratch, &self.events);
        (0..sweeper.compiled.units.len())
            .map(|u| sweeper.program.output(&self.scratch, u))
            .collect()
    }
}

impl Sweeper<'_> {
    fn sites(&self, node: NodeId) -> u128 {
        let number = self
            .compiled
            .elements
            .number(super::elements::What::Node(node));
        number.map_or(1, |n| self.count(n)).max(1)
    }
}
