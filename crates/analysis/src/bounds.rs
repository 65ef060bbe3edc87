//! Bounds of a probability for what does not fit into a diagram.
//!
//! A coherent function of independent events is *associated* (Esary, Proschan and Walkup, 1967):
//! of any such functions, P(all) is at least the product and P(any) at most one less the product
//! of the complements. With the plain bounds by the least and the greatest this gives an interval
//! for every gate; arguments without a common event are independent, and multiply exactly.

use crate::solve::Figure;
use crate::structure::{Gate, Ref, Structure};
use std::collections::BTreeMap;

/// The interval of a node; `known` gives those of leaves.
pub(crate) fn of(
    structure: &Structure,
    root: Ref,
    known: &dyn Fn(Ref) -> Option<Figure>,
) -> Figure {
    let mut figures: BTreeMap<Ref, Figure> = BTreeMap::new();
    let mut support: BTreeMap<Ref, Vec<Ref>> = BTreeMap::new();
    let mut open = vec![(root, false)];
    while let Some((node, ready)) = open.pop() {
        if figures.contains_key(&node) {
            continue;
        }
        if let Some(figure) = known(node) {
            figures.insert(node, figure);
            support.insert(node, vec![node]);
            continue;
        }
        let gate = structure.gate(node);
        if !ready {
            open.push((node, true));
            open.extend(gate.arguments().iter().map(|c| (*c, false)));
            continue;
        }
        let groups = independent(gate.arguments(), &support);
        figures.insert(node, interval(gate, &groups, &figures));
        let mut all: Vec<Ref> = gate
            .arguments()
            .iter()
            .flat_map(|c| &support[c])
            .copied()
            .collect();
        all.sort_unstable();
        all.dedup();
        support.insert(node, all);
    }
    figures[&root]
}

/// Arguments in groups of which no two share a leaf.
fn independent(arguments: &[Ref], support: &BTreeMap<Ref, Vec<Ref>>) -> Vec<Vec<Ref>> {
    let mut group_of: BTreeMap<Ref, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Ref>> = Vec::new();
    for argument in arguments {
        let leaves = &support[argument];
        let mut met: Vec<usize> = leaves
            .iter()
            .filter_map(|l| group_of.get(l).copied())
            .collect();
        met.sort_unstable();
        met.dedup();
        let into = met.first().copied().unwrap_or(groups.len());
        if into == groups.len() {
            groups.push(Vec::new());
        }
        for other in met.iter().skip(1) {
            let moved = std::mem::take(&mut groups[*other]);
            groups[into].extend(moved);
            group_of
                .values_mut()
                .filter(|g| **g == *other)
                .for_each(|g| *g = into);
        }
        groups[into].push(*argument);
        for leaf in leaves {
            group_of.insert(*leaf, into);
        }
    }
    groups.retain(|g| !g.is_empty());
    groups
}

fn interval(gate: &Gate, groups: &[Vec<Ref>], figures: &BTreeMap<Ref, Figure>) -> Figure {
    let low = |r: &Ref| figures[r].lower();
    let high = |r: &Ref| figures[r].upper();
    let all = |p: &dyn Fn(&Ref) -> f64, list: &[Ref]| list.iter().map(p).product::<f64>();
    let none =
        |p: &dyn Fn(&Ref) -> f64, list: &[Ref]| list.iter().map(|r| 1.0 - p(r)).product::<f64>();
    let (lower, upper) = match gate {
        Gate::And(_) => {
            let lower: f64 = groups.iter().map(|g| all(&low, g)).product();
            let least = |g: &Vec<Ref>| g.iter().map(high).fold(1.0, f64::min);
            (lower, groups.iter().map(least).product())
        }
        Gate::Or(_) => {
            let most = |g: &Vec<Ref>| 1.0 - g.iter().map(low).fold(0.0, f64::max);
            let lower: f64 = groups.iter().map(most).product();
            let upper: f64 = groups.iter().map(|g| none(&high, g)).product();
            (1.0 - lower, 1.0 - upper)
        }
        Gate::AtLeast(k, list) => {
            // Markov's inequality, and all of them.
            let expected: f64 = list.iter().map(high).sum();
            (all(&low, list), (expected / f64::from(*k)).min(1.0))
        }
        Gate::Constant(value) => (f64::from(*value), f64::from(*value)),
        Gate::Event(_) => (0.0, 1.0),
    };
    Figure::Bounds(lower, upper)
}
