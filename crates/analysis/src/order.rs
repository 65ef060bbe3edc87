//! Orders of variables under which diagrams tend to be small.
//!
//! No order is best for all; the solver tries each of these with little room first. All are
//! deterministic.

use crate::structure::{Ref, Structure};

/// A module as a problem of its own: the gates in it, and the leaves (events and modules).
#[derive(Debug)]
pub(crate) struct Problem {
    /// Gates of this module, children before parents; the last is its root.
    pub(crate) gates: Vec<Ref>,
    /// What they stand on.
    pub(crate) leaves: Vec<Ref>,
}

/// Candidate orders of the leaves, most promising first.
pub(crate) fn candidates(structure: &Structure, problem: &Problem) -> Vec<Vec<Ref>> {
    let n = problem.gates.last().map_or(0, |r| r.index() + 1);
    let mut leaf = vec![false; n];
    for l in &problem.leaves {
        leaf[l.index()] = true;
    }
    let sizes = sizes(structure, problem, n);
    let by = |key: &dyn Fn(Ref) -> i64| depth_first(structure, problem, &leaf, key);
    let written = by(&|r| i64::from(r.0));
    let small_first = by(&|r| sizes[r.index()]);
    let large_first = by(&|r| -sizes[r.index()]);
    let mut list = vec![
        force(structure, problem, &small_first),
        small_first,
        force(structure, problem, &written),
        written,
        large_first,
        weighted(structure, problem, n),
    ];
    let mut seen: Vec<Vec<Ref>> = Vec::new();
    list.retain(|order| {
        let new = !seen.contains(order);
        if new {
            seen.push(order.clone());
        }
        new
    });
    list
}

/// How many paths lead from each node to leaves: a bound for how large it is.
fn sizes(structure: &Structure, problem: &Problem, n: usize) -> Vec<i64> {
    let mut size = vec![1i64; n];
    for gate in &problem.gates {
        let sum = structure.gate(*gate).arguments().iter();
        size[gate.index()] = sum.map(|c| size[c.index()]).fold(1, i64::saturating_add);
    }
    size
}

/// Leaves in the order in which a walk from the root meets them, arguments by `key`.
fn depth_first(
    structure: &Structure,
    problem: &Problem,
    leaf: &[bool],
    key: &dyn Fn(Ref) -> i64,
) -> Vec<Ref> {
    let mut seen = vec![false; leaf.len()];
    let mut order = Vec::with_capacity(problem.leaves.len());
    let mut stack: Vec<Ref> = problem.gates.last().copied().into_iter().collect();
    while let Some(node) = stack.pop() {
        if std::mem::replace(&mut seen[node.index()], true) {
            continue;
        }
        if leaf[node.index()] {
            order.push(node);
            continue;
        }
        let mut arguments = structure.gate(node).arguments().to_vec();
        arguments.sort_by_key(|r| (key(*r), *r));
        stack.extend(arguments.iter().rev());
    }
    order
}

/// Heaviest first, where the root has weight one and each gate shares its own among its
/// arguments (Minato, Ishiura and Yajima, 1990).
fn weighted(structure: &Structure, problem: &Problem, n: usize) -> Vec<Ref> {
    let mut weight = vec![0.0f64; n];
    if let Some(root) = problem.gates.last() {
        weight[root.index()] = 1.0;
    }
    for gate in problem.gates.iter().rev() {
        let arguments = structure.gate(*gate).arguments();
        let share = weight[gate.index()] / arguments.len() as f64;
        for child in arguments {
            weight[child.index()] += share;
        }
    }
    let mut order = problem.leaves.clone();
    order.sort_by(|a, b| {
        weight[b.index()]
            .total_cmp(&weight[a.index()])
            .then(a.cmp(b))
    });
    order
}

/// Moves what occurs together together: each gate and its arguments to their common centre,
/// again and again while the spans shrink (Aloul, Markov and Sakallah, 2003).
fn force(structure: &Structure, problem: &Problem, start: &[Ref]) -> Vec<Ref> {
    const ROUNDS: usize = 60;
    let n = problem.gates.last().map_or(0, |r| r.index() + 1);
    let mut place = vec![0.0f64; n];
    for (i, leaf) in start.iter().enumerate() {
        place[leaf.index()] = i as f64;
    }
    // A gate begins at the centre of what it stands on.
    for gate in &problem.gates {
        let arguments = structure.gate(*gate).arguments();
        let sum: f64 = arguments.iter().map(|c| place[c.index()]).sum();
        place[gate.index()] = sum / arguments.len().max(1) as f64;
    }
    let mut vertices: Vec<Ref> = problem.gates.iter().chain(start).copied().collect();
    vertices.sort_by(|a, b| place[a.index()].total_cmp(&place[b.index()]).then(a.cmp(b)));
    let (mut best, mut order) = (f64::INFINITY, start.to_vec());
    for _ in 0..ROUNDS {
        for (i, vertex) in vertices.iter().enumerate() {
            place[vertex.index()] = i as f64;
        }
        let span = spans(structure, problem, &place);
        if span >= best {
            break;
        }
        best = span;
        order.sort_by(|a, b| place[a.index()].total_cmp(&place[b.index()]).then(a.cmp(b)));
        let (mut sum, mut of) = (vec![0.0; n], vec![0.0; n]);
        for gate in &problem.gates {
            let arguments = structure.gate(*gate).arguments();
            let all: f64 = arguments.iter().map(|c| place[c.index()]).sum();
            let centre = (all + place[gate.index()]) / (arguments.len() + 1) as f64;
            for vertex in arguments.iter().chain([gate]) {
                sum[vertex.index()] += centre;
                of[vertex.index()] += 1.0;
            }
        }
        let centre = |v: &Ref| sum[v.index()] / f64::max(of[v.index()], 1.0);
        vertices.sort_by(|a, b| centre(a).total_cmp(&centre(b)).then(a.cmp(b)));
    }
    order
}

fn spans(structure: &Structure, problem: &Problem, place: &[f64]) -> f64 {
    let span = |gate: &Ref| {
        let all = structure.gate(*gate).arguments().iter().chain([gate]);
        let (low, high) = all.fold((f64::INFINITY, 0.0f64), |(low, high), v| {
            (low.min(place[v.index()]), high.max(place[v.index()]))
        });
        high - low
    };
    problem.gates.iter().map(span).sum()
}
