//! The analysis of a fault tree: from what was read to the report.

use crate::opsa::FaultTree;
use crate::report::{Bounds, CutSetFound, Element, ImportanceFound, Report, Top};
use crate::solve::{Figure, Limits, Solved};

/// Analyses a fault tree; lists cut sets of at most `order` events, at most `most` of them.
#[must_use]
pub fn analyse(tree: &FaultTree, order: usize, most: usize, limits: Limits) -> Report {
    let mut report = Report::new("fault-tree", tree.name.clone());
    report.warnings.clone_from(&tree.warnings);
    let used = tree.structure.events(tree.top);
    let of = |event: u32| &tree.events[event as usize];
    report.elements = used
        .iter()
        .map(|e| Element {
            id: of(*e).0.clone(),
            count: 1,
            probability: of(*e).1,
        })
        .collect();
    let known = used.iter().all(|e| of(*e).1.is_some());
    let p = |event: u32| of(event).1.unwrap_or(0.0);
    let solved = Solved::new(&tree.structure, tree.top, limits);
    let figure = known.then(|| solved.probability(&p));
    let mut top = Top {
        name: tree.top_name.clone(),
        probability: None,
        bounds: None,
        minimal_cut_sets: solved.count(),
        cut_sets: Vec::new(),
        importance: Vec::new(),
    };
    match figure {
        Some(Figure::Exact(value)) => top.probability = Some(value),
        Some(Figure::Bounds(lower, upper)) => {
            top.bounds = Some(Bounds { lower, upper });
            report.warnings.push(format!(
                "the tree does not fit into {} nodes under any order of its events that was tried: its probability lies between {lower:.6e} and {upper:.6e}, and its minimal cut sets were not counted",
                limits.nodes
            ));
        }
        None => {}
    }
    if solved.is_exact() && top.minimal_cut_sets.is_none() {
        report.warnings.push(format!(
            "the minimal cut sets do not fit into {} nodes and were not counted; the probability is exact",
            limits.nodes
        ));
    }
    if let Some((sets, complete)) = solved.cut_sets(order, most) {
        let found = |set: &Vec<u32>| CutSetFound {
            elements: set.iter().map(|e| of(*e).0.clone()).collect(),
            probability: set.iter().map(|e| of(*e).1).product(),
        };
        top.cut_sets = sets.iter().map(found).collect();
        if !complete {
            report.warnings.push(format!(
                "the first {} minimal cut sets of up to {order} events are listed; there are more",
                sets.len()
            ));
        }
    }
    if known {
        let found = |i: crate::Importance| ImportanceFound {
            element: of(i.event).0.clone(),
            birnbaum: i.birnbaum,
            criticality: i.criticality,
            fussell_vesely: i.fussell_vesely,
        };
        top.importance = solved.importance(&p).into_iter().map(found).collect();
    }
    report.top = Some(top);
    report
}
