//! `assize analyse --sensitivity`: which assumed figures decide a verdict.
//!
//! Each figure below a path of `assumed:` is halved and doubled, alone, and the targets that
//! single elements miss are worked out again (reachability and capacity, at the usual demand). One
//! that changes any of them decides; one that cannot have the other value is listed.

use crate::engine;
use crate::exit::Failure;
use assize_analysis::design::{Missed, missed};
use assize_analysis::{Decides, Sensitivity};
use assize_model::Topology;
use std::collections::BTreeSet;
use std::path::Path;

/// What is tried, in thousandths.
const TRIED: [u64; 2] = [500, 2000];

/// Tries every assumed figure of a file.
pub(super) fn run(
    file: &Path,
    sets: &[String],
    topology: &Topology,
) -> Result<Sensitivity, Failure> {
    let before = missed(topology).map_err(Failure::Usage)?;
    let mut found = Sensitivity {
        figures: 0,
        deciding: Vec::new(),
        not_varied: Vec::new(),
    };
    for figure in engine::assumed_figures(file, sets)? {
        found.figures += 1;
        for factor in TRIED {
            let at = figure.times(factor);
            let mut sets = sets.to_vec();
            sets.push(format!("{}={at}", figure.path));
            let Ok(other) = engine::topology(file, &sets) else {
                found.not_varied.push(format!("{} = {at}", figure.path));
                continue;
            };
            let after = missed(&other.topology).map_err(Failure::Usage)?;
            if after != before {
                found.deciding.push(Decides {
                    path: figure.path.clone(),
                    value: figure.text.clone(),
                    at,
                    missed: words(after.difference(&before)),
                    met: words(before.difference(&after)),
                });
            }
        }
    }
    Ok(found)
}

fn words<'a>(list: impl Iterator<Item = &'a Missed>) -> Vec<String> {
    let one = |(objective, element): &Missed| match element {
        Some(element) => format!("{objective} without {element}"),
        None => format!("{objective} in any case"),
    };
    let words: BTreeSet<String> = list.map(one).collect();
    words.into_iter().collect()
}
