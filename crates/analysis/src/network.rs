//! The analysis of a plain network: which failures of links or places separate it.

use crate::connected::{self, MOST_PASSES};
use crate::cycles::Adjacency;
use crate::graph::Graph;
use crate::nodes;
use crate::report::{Element, Report, Sweep, Violation};

/// What fails in a plain network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failing {
    /// Links.
    Links,
    /// Places, with the links at them.
    Nodes,
}

/// Counts every combination of up to `k` links or places; lists at most `most` minimal ones of each size.
#[must_use]
pub fn analyse(graph: &Graph, failing: Failing, k: usize, most: usize) -> Report {
    let mut report = Report::new("graph", graph.name.clone());
    report.warnings.clone_from(&graph.warnings);
    match failing {
        Failing::Links => links(graph, k, most, report),
        Failing::Nodes => places(graph, k, most, report),
    }
}

fn places(graph: &Graph, k: usize, most: usize, mut report: Report) -> Report {
    report.elements = graph
        .places
        .iter()
        .map(|place| Element {
            id: place.label.clone(),
            count: 1,
            probability: None,
        })
        .collect();
    let found = nodes::separating(graph.places.len(), &graph.ends(), k, most);
    for count in &found.counts {
        let of_this_size = found.minimal.iter().filter(|p| p.len() == count.k);
        let violation = |places: &Vec<u32>| Violation {
            elements: places
                .iter()
                .map(|p| graph.places[*p as usize].label.clone())
                .collect(),
            combinations: 1,
            objectives: vec!["connected".to_owned()],
            overloaded: Vec::new(),
        };
        report.sweep.push(Sweep {
            k: count.k,
            combinations: count.combinations,
            evaluated: count.evaluated,
            skipped: 0,
            violating: count.violating,
            overloaded: 0,
            reasons: vec!["a combination violates when two places that are left and were joined are joined no more".to_owned()],
            minimal: of_this_size.map(violation).collect(),
            complete: found.complete,
        });
    }
    if k > found.counts.len() {
        report.warnings.push(format!(
            "combinations of {} places were not counted: that takes more than {} steps, or is more than 2 at a time",
            found.counts.len() + 1,
            nodes::MOST_STEPS
        ));
    }
    report
}

fn links(graph: &Graph, k: usize, most: usize, mut report: Report) -> Report {
    let names = graph.edge_names();
    report.elements = names
        .iter()
        .map(|name| Element {
            id: name.clone(),
            count: 1,
            probability: None,
        })
        .collect();
    let adjacency = Adjacency::new(graph.places.len(), &graph.ends());
    let (minimal, complete) = connected::minimal(&adjacency, k, most);
    for k in 1..=k {
        let Some(count) = connected::count(&adjacency, k) else {
            report.warnings.push(format!(
                "combinations of {k} links were not counted: that takes more than {MOST_PASSES} passes over the network"
            ));
            break;
        };
        let violation = |links: &Vec<u32>| Violation {
            elements: links.iter().map(|l| names[*l as usize].clone()).collect(),
            combinations: 1,
            objectives: vec!["connected".to_owned()],
            overloaded: Vec::new(),
        };
        let of_this_size = minimal.iter().filter(|links| links.len() == k);
        report.sweep.push(Sweep {
            k,
            combinations: count.combinations,
            evaluated: count.evaluated.min(count.combinations),
            skipped: count.combinations.saturating_sub(count.evaluated),
            violating: count.violating,
            overloaded: 0,
            reasons: reasons(k),
            minimal: of_this_size.map(violation).collect(),
            complete: k <= 2 && complete,
        });
    }
    report
}

fn reasons(k: usize) -> Vec<String> {
    let mut reasons = Vec::new();
    if k >= 2 {
        reasons.push("a combination with a link in it that separates alone separates".to_owned());
        reasons.push("of the others, two separate if and only if every cycle through one goes through the other, so links on the same cycles are looked at once".to_owned());
    }
    if k >= 3 {
        reasons.push("the first links of a combination are taken out one by one; the last two are counted together".to_owned());
    }
    reasons
}
