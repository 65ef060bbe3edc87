//! From a structure and probabilities to the exact answer, or to bounds where it does not fit.
//!
//! Module by module (see `modules`): a diagram over the module's leaves, its probability, its
//! minimal cut sets. What a module yields stands as one variable in the modules above.

use crate::bdd::{Bdd, Full, ONE, ZERO};
use crate::cutsets;
use crate::diagram::Diagram;
use crate::list::{self, CutSet};
use crate::modules;
use crate::order::{self, Problem};
use crate::structure::{Gate, Ref, Structure};

/// How much may be spent.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nodes of one diagram. Each takes about 30 bytes.
    pub nodes: usize,
    /// Variables of one module, for the depth of recursion.
    pub variables: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nodes: 1 << 25,
            variables: 5_000,
        }
    }
}

/// A figure that is known, or lies between two.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Figure {
    /// The figure, up to the rounding of floating point.
    Exact(f64),
    /// It is at least the first and at most the second.
    Bounds(f64, f64),
}

impl Figure {
    /// The least that it can be.
    #[must_use]
    pub const fn lower(self) -> f64 {
        match self {
            Self::Exact(value) | Self::Bounds(value, _) => value,
        }
    }

    /// The most that it can be.
    #[must_use]
    pub const fn upper(self) -> f64 {
        match self {
            Self::Exact(value) | Self::Bounds(_, value) => value,
        }
    }
}

/// One solved module.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) root: Ref,
    /// Its variables, by level.
    pub(crate) order: Vec<Ref>,
    /// When it fails; `None` where that did not fit.
    fails: Option<Diagram>,
    /// Its minimal cut sets; `None` where they did not fit.
    pub(crate) sets: Option<Diagram>,
}

/// A structure solved once, to be asked with any probabilities.
#[derive(Debug)]
pub struct Solved {
    structure: Structure,
    top: Ref,
    pub(crate) modules: Vec<Module>,
    /// Which module a node is the root of.
    pub(crate) module_of: Vec<Option<usize>>,
}

/// What one event contributes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Importance {
    /// The event.
    pub event: u32,
    /// Birnbaum's: by how much the top's probability rises with the event's.
    pub birnbaum: f64,
    /// The share of the probability of failing that the event has a critical part in.
    pub criticality: f64,
    /// Fussell and Vesely's: the share of the (summed) probability of minimal cut sets that the
    /// event is in; `None` where those did not fit.
    pub fussell_vesely: Option<f64>,
}

impl Solved {
    /// Solves a structure.
    #[must_use]
    pub fn new(structure: &Structure, top: Ref, limits: Limits) -> Self {
        let (structure, tops) = structure.reduced(&[top]);
        let top = tops[0];
        let roots = modules::find(&structure, top);
        let mut module_of = vec![None; top.index() + 1];
        let mut solved = Vec::with_capacity(roots.len());
        for root in roots {
            let problem = problem(&structure, root, &module_of);
            solved.push(solve(&structure, root, &problem, limits));
            // Where the whole is one event, it stays the leaf of its own module.
            if !matches!(structure.gate(root), Gate::Event(_)) {
                module_of[root.index()] = Some(solved.len() - 1);
            }
        }
        Self {
            structure,
            top,
            modules: solved,
            module_of,
        }
    }

    /// Whether the probability will be exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.modules.iter().all(|m| m.fails.is_some())
    }

    /// How many nodes all diagrams hold: what solving has cost.
    #[must_use]
    pub fn size(&self) -> usize {
        let size = |d: &Option<Diagram>| d.as_ref().map_or(0, |d| d.nodes.len());
        self.modules
            .iter()
            .map(|m| size(&m.fails) + size(&m.sets))
            .sum()
    }

    pub(crate) fn gate(&self, node: Ref) -> &Gate {
        self.structure.gate(node)
    }

    /// The probability of failing, where `p` gives each event's.
    #[must_use]
    pub fn probability(&self, p: &dyn Fn(u32) -> f64) -> Figure {
        let figures = self.figures(p);
        figures.last().copied().unwrap_or(Figure::Exact(0.0))
    }

    /// The probability of each module.
    fn figures(&self, p: &dyn Fn(u32) -> f64) -> Vec<Figure> {
        let mut figures: Vec<Figure> = Vec::with_capacity(self.modules.len());
        for module in &self.modules {
            let leaf = |r: &Ref| self.leaf_figure(*r, &figures, p);
            let leaves: Vec<Figure> = module.order.iter().map(leaf).collect();
            let exact = leaves.iter().all(|f| matches!(f, Figure::Exact(_)));
            let figure = match &module.fails {
                Some(diagram) => {
                    let root = diagram.root() as usize;
                    let low: Vec<f64> = leaves.iter().map(|f| f.lower()).collect();
                    let lower = diagram.probabilities(&low)[root];
                    if exact {
                        Figure::Exact(lower)
                    } else {
                        // A coherent function rises with each of its variables.
                        let high: Vec<f64> = leaves.iter().map(|f| f.upper()).collect();
                        Figure::Bounds(lower, diagram.probabilities(&high)[root])
                    }
                }
                None => {
                    let known = |r: Ref| self.module_of[r.index()].filter(|m| *m < figures.len());
                    crate::bounds::of(&self.structure, module.root, &|r| match (
                        known(r),
                        self.structure.gate(r),
                    ) {
                        (Some(m), _) => Some(figures[m]),
                        (None, Gate::Event(e)) => Some(Figure::Exact(p(*e))),
                        _ => None,
                    })
                }
            };
            figures.push(figure);
        }
        figures
    }

    fn leaf_figure(&self, leaf: Ref, figures: &[Figure], p: &dyn Fn(u32) -> f64) -> Figure {
        match (self.module_of[leaf.index()], self.structure.gate(leaf)) {
            (Some(module), _) => figures[module],
            (None, Gate::Event(event)) => Figure::Exact(p(*event)),
            (None, _) => Figure::Exact(0.0),
        }
    }

    /// How many minimal cut sets there are; `None` where they did not fit.
    #[must_use]
    pub fn count(&self) -> Option<u128> {
        let mut counts: Vec<u128> = Vec::with_capacity(self.modules.len());
        for module in &self.modules {
            let weight = |r: &Ref| self.module_of[r.index()].map_or(1, |m| counts[m]);
            let weights: Vec<u128> = module.order.iter().map(weight).collect();
            counts.push(module.sets.as_ref()?.count(&weights));
        }
        counts.last().copied()
    }

    /// Minimal cut sets of at most `order` events, smallest first, at most `most` of them; and
    /// whether these are all that small. `None` where cut sets did not fit.
    #[must_use]
    pub fn cut_sets(&self, order: usize, most: usize) -> Option<(Vec<CutSet>, bool)> {
        list::list(self, order, most)
    }

    /// The importance of each event, greatest first; empty where the probability is not exact.
    #[must_use]
    pub fn importance(&self, p: &dyn Fn(u32) -> f64) -> Vec<Importance> {
        if !self.is_exact() {
            return Vec::new();
        }
        let figures = self.figures(p);
        let top = figures.last().map_or(0.0, |f| f.lower());
        let birnbaum = self.spread(p, false);
        let fussell = self
            .modules
            .iter()
            .all(|m| m.sets.is_some())
            .then(|| self.spread(p, true));
        let mut list: Vec<Importance> = birnbaum
            .iter()
            .enumerate()
            .map(|(i, &(event, birnbaum))| Importance {
                event,
                birnbaum,
                criticality: share(birnbaum * p(event), top),
                fussell_vesely: fussell.as_ref().map(|f| f[i].1),
            })
            .collect();
        list.sort_by(|a, b| {
            b.criticality
                .total_cmp(&a.criticality)
                .then(a.event.cmp(&b.event))
        });
        list
    }

    /// By event, the derivative of the top's probability (or, of the sum over cut sets, the
    /// share that the event is in), by the chain rule from the top module downwards.
    fn spread(&self, p: &dyn Fn(u32) -> f64, by_sets: bool) -> Vec<(u32, f64)> {
        let mut values: Vec<Vec<f64>> = Vec::new();
        let mut leaves: Vec<Vec<f64>> = Vec::new();
        for module in &self.modules {
            let leaf = |r: &Ref| match (self.module_of[r.index()], self.structure.gate(*r)) {
                (Some(m), _) => values[m].last().copied().unwrap_or(0.0),
                (None, Gate::Event(e)) => p(*e),
                (None, _) => 0.0,
            };
            let here: Vec<f64> = module.order.iter().map(leaf).collect();
            let diagram = if by_sets { &module.sets } else { &module.fails };
            let Some(diagram) = diagram else {
                return Vec::new();
            };
            let value = if by_sets {
                diagram.sums(&here)
            } else {
                diagram.probabilities(&here)
            };
            // A constant has no node of its own at the end.
            let value = if diagram.root() <= ONE {
                vec![value[diagram.root() as usize]]
            } else {
                value
            };
            values.push(value);
            leaves.push(here);
        }
        let total = values.last().and_then(|v| v.last()).copied().unwrap_or(0.0);
        let mut of_module = vec![0.0; self.modules.len()];
        if let Some(last) = of_module.last_mut() {
            *last = 1.0;
        }
        let mut events = Vec::new();
        for (index, module) in self.modules.iter().enumerate().rev() {
            let diagram = if by_sets { &module.sets } else { &module.fails };
            let Some(diagram) = diagram.as_ref().filter(|d| d.root() > ONE) else {
                continue;
            };
            let (value, leaf) = (&values[index], &leaves[index]);
            let stay = |level: usize| if by_sets { 1.0 } else { 1.0 - leaf[level] };
            let gain = |node: crate::bdd::Node| {
                let low = if by_sets {
                    0.0
                } else {
                    value[node.low as usize]
                };
                value[node.high as usize] - low
            };
            let by_level = diagram.derivatives(module.order.len(), stay, |level| leaf[level], gain);
            for (level, r) in module.order.iter().enumerate() {
                let derivative = by_level[level] * of_module[index];
                match (self.module_of[r.index()], self.structure.gate(*r)) {
                    (Some(m), _) => of_module[m] += derivative,
                    (None, Gate::Event(e)) if by_sets => {
                        events.push((*e, share(derivative * leaf[level], total)));
                    }
                    (None, Gate::Event(e)) => events.push((*e, derivative)),
                    (None, _) => {}
                }
            }
        }
        events.sort_by_key(|e| e.0);
        events
    }

    /// The node that stands for the whole.
    pub(crate) const fn top(&self) -> Ref {
        self.top
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The gates of a module, without those of the modules in it.
fn problem(structure: &Structure, root: Ref, module_of: &[Option<usize>]) -> Problem {
    let mut seen = vec![false; root.index() + 1];
    let (mut gates, mut leaves) = (Vec::new(), Vec::new());
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if std::mem::replace(&mut seen[node.index()], true) {
            continue;
        }
        let gate = structure.gate(node);
        let leaf = matches!(gate, Gate::Event(_)) || module_of[node.index()].is_some();
        if leaf && (node != root || matches!(gate, Gate::Event(_))) {
            leaves.push(node);
        } else {
            gates.push(node);
            open.extend(gate.arguments());
        }
    }
    gates.sort_unstable();
    leaves.sort_unstable();
    if gates.is_empty() {
        // The whole is one event.
        gates.push(root);
    }
    Problem { gates, leaves }
}

fn solve(structure: &Structure, root: Ref, problem: &Problem, limits: Limits) -> Module {
    let given_up = |order| Module {
        root,
        order,
        fails: None,
        sets: None,
    };
    if problem.leaves.len() > limits.variables {
        return given_up(problem.leaves.clone());
    }
    let mut orders = order::candidates(structure, problem);
    let mut room = 1usize << 15;
    loop {
        let last = room >= limits.nodes;
        let mut progress = Vec::new();
        for (index, order) in orders.iter().enumerate() {
            match build(structure, problem, order, room.min(limits.nodes)) {
                Ok(fails) => {
                    let sets = cutsets::minimal(&fails, limits.nodes).ok();
                    return Module {
                        root,
                        order: order.clone(),
                        fails: Some(fails),
                        sets,
                    };
                }
                Err(gates) => progress.push((std::cmp::Reverse(gates), index)),
            }
        }
        if last {
            return given_up(problem.leaves.clone());
        }
        room = room.saturating_mul(8);
        // Only those that got furthest are worth much room.
        progress.sort_unstable();
        let keep = if room >= limits.nodes { 1 } else { 4 };
        orders = progress
            .iter()
            .take(keep)
            .map(|p| orders[p.1].clone())
            .collect();
    }
}

/// The diagram of a module, or how many of its gates were done when the room ran out.
fn build(
    structure: &Structure,
    problem: &Problem,
    order: &[Ref],
    room: usize,
) -> Result<Diagram, usize> {
    let n = problem.gates.last().map_or(0, |r| r.index() + 1);
    let mut bdd = Bdd::new(room);
    let mut made = vec![ZERO; n];
    for (level, leaf) in order.iter().enumerate() {
        made[leaf.index()] = bdd.variable(level as u32).map_err(|Full| 0usize)?;
    }
    for (done, node) in problem.gates.iter().enumerate() {
        let gate = structure.gate(*node);
        let arguments = gate.arguments().iter().map(|c| made[c.index()]).collect();
        let result = match gate {
            Gate::Constant(value) => Ok(if *value { ONE } else { ZERO }),
            Gate::Event(_) => Ok(made[node.index()]),
            Gate::And(_) => bdd.join(arguments, true),
            Gate::Or(_) => bdd.join(arguments, false),
            Gate::AtLeast(k, _) => bdd.at_least(*k as usize, arguments),
        };
        made[node.index()] = result.map_err(|Full| done)?;
    }
    let root = problem.gates.last().map_or(ZERO, |r| made[r.index()]);
    Ok(Diagram::extract(&bdd.table, root))
}
