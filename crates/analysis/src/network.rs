//! The analysis of a plain network: which failures of links separate it.

use crate::connected::{self, MOST_PASSES};
use crate::cycles::Adjacency;
use crate::graph::Graph;
use crate::report::{Element, Report, Sweep, Violation};

/// Counts every combination of up to `k` links; lists at most `most` minimal ones of each size.
#[must_use]
pub fn analyse(graph: &Graph, k: usize, most: usize) -> Report {
    let mut report = Report::new("graph", graph.name.clone());
    report.warnings.clone_from(&graph.warnings);
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
