//! Which combinations of failures have been tried on real connections, and which that miss a
//! target have not.

use crate::report::{Coverage, Covered, Report};
use std::collections::{BTreeMap, BTreeSet};

/// What one run did: elements that were out at the same time, by name.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The run.
    pub run: String,
    /// Every set of targets that were out together.
    pub together: Vec<Vec<String>>,
}

/// Lays runs beside the combinations of a report. A target counts for the element of its name;
/// others are listed.
#[must_use]
pub fn coverage(report: &Report, evidence: &[Evidence]) -> Coverage {
    let known: BTreeMap<&str, usize> = report
        .elements
        .iter()
        .enumerate()
        .map(|(i, e)| (e.id.as_str(), i))
        .collect();
    let mut unknown: BTreeSet<String> = BTreeSet::new();
    let mut tried: BTreeMap<Vec<usize>, BTreeSet<&str>> = BTreeMap::new();
    for one in evidence {
        for set in &one.together {
            let place = |name: &String| known.get(name.as_str()).copied();
            unknown.extend(set.iter().filter(|n| place(n).is_none()).cloned());
            let mut places: Vec<usize> = set.iter().filter_map(place).collect();
            places.sort_unstable();
            places.dedup();
            // What was out beside something unknown is no evidence for itself alone.
            if !places.is_empty() && set.iter().all(|n| place(n).is_some()) {
                tried.entry(places).or_default().insert(&one.run);
            }
        }
    }
    let minimal = report.sweep.iter().flat_map(|s| &s.minimal);
    let mut found = Coverage {
        runs: evidence.len(),
        covered: Vec::new(),
        minimal: 0,
        open: Vec::new(),
        unknown: unknown.into_iter().collect(),
    };
    let mut violating: BTreeSet<Vec<usize>> = BTreeSet::new();
    for one in minimal {
        found.minimal += 1;
        let places: Option<Vec<usize>> = one
            .elements
            .iter()
            .map(|e| known.get(e.as_str()).copied())
            .collect();
        match places.filter(|p| tried.contains_key(p)) {
            Some(places) => {
                violating.insert(places);
            }
            None => found.open.push(one.elements.clone()),
        }
    }
    found.covered = tried
        .into_iter()
        .map(|(places, runs)| Covered {
            misses: violating.contains(&places),
            elements: places
                .iter()
                .map(|p| report.elements[*p].id.clone())
                .collect(),
            runs: runs.into_iter().map(str::to_owned).collect(),
        })
        .collect();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Element, Sweep, Violation};

    #[test]
    fn a_pair_is_covered_only_by_both_at_once() {
        let mut report = Report::new("topology", "t".to_owned());
        report.elements = ["node/a", "node/b", "node/c"]
            .map(|id| Element {
                id: id.to_owned(),
                count: 1,
                probability: None,
            })
            .into();
        let violation = |elements: &[&str]| Violation {
            elements: elements.iter().map(|e| (*e).to_owned()).collect(),
            combinations: 1,
            objectives: Vec::new(),
            overloaded: Vec::new(),
        };
        report.sweep = vec![Sweep {
            k: 2,
            combinations: 3,
            evaluated: 3,
            skipped: 0,
            violating: 2,
            overloaded: 0,
            reasons: Vec::new(),
            minimal: vec![violation(&["node/a"]), violation(&["node/b", "node/c"])],
            complete: true,
        }];
        let run = |name: &str, together: &[&[&str]]| Evidence {
            run: name.to_owned(),
            together: together
                .iter()
                .map(|s| s.iter().map(|e| (*e).to_owned()).collect())
                .collect(),
        };
        let one_by_one = [run(
            "x",
            &[&["node/b"], &["node/c"], &["node/a", "elsewhere"]],
        )];
        let found = coverage(&report, &one_by_one);
        assert_eq!((found.minimal, found.open.len()), (2, 2));
        assert_eq!(found.unknown, ["elsewhere"]);
        let both = [run("x", &[&["node/c", "node/b"]]), run("y", &[&["node/a"]])];
        let found = coverage(&report, &both);
        assert!(found.open.is_empty() && found.covered.iter().all(|c| c.misses));
        assert_eq!(found.covered[1].runs, ["x"]);
    }
}
