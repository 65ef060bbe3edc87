//! Exploration by probability, against figures worked out by hand.

use super::tests::topology;
use super::{Question, Slice, Wanted, analyse};
use crate::report::Report;
use crate::{Limits, merge};

fn explored(text: &str, k: usize, slice: Slice) -> Report {
    let question = Question {
        k,
        unexplored: 0.0,
        down: Vec::new(),
        wanted: Wanted {
            order: 3,
            most: 100,
            limits: Limits::default(),
        },
        slice,
        threads: 1,
        demands: Vec::new(),
    };
    let mut report = analyse(&topology(text), &question).expect("it can be explored");
    if slice != Slice::WHOLE {
        report.shard = Some(crate::Shard {
            index: slice.index + 1,
            of: slice.of,
        });
    }
    report
}

const THREE_WAYS: &str = "nodes: {s: {kind: site}, r: {kind: host}}
links: {a: {between: [s, r]}, b: {between: [s, r]}, c: {between: [s, r]}}
services: {app: {replicas: {x: {at: r}}}}
journeys: {work: {calls: [app]}}
populations: {users: {at: {s: 10}, makes: {work: 1/h}}}
reliability: {link/*: {probability: 10%}}
";

#[test]
fn three_of_three_ways_are_out_once_in_a_thousand() {
    let report = explored(THREE_WAYS, 3, Slice::WHOLE);
    let likely = report.likely.expect("explored");
    // 0.1 x 0.1 x 0.1, and nothing else takes anything away.
    assert!((likely.violating.lower - 0.001).abs() < 1e-12, "{likely:?}");
    assert!(likely.unexplored < 1e-12, "{likely:?}");
    let three = report.sweep.last().expect("three");
    assert_eq!((three.k, three.violating), (3, 1));
    assert_eq!(three.minimal[0].elements, ["link/a", "link/b", "link/c"]);
}

/// Six sites; a tenth of the time each circuit is out. Two of them may be.
const SITES: &str = "nodes: {s: {kind: site, count: 6}, r: {kind: host}}
links: {a: {between: [s, r]}}
services: {app: {replicas: {x: {at: r}}}}
journeys: {work: {calls: [app]}}
populations: {users: {at: {s: 60}, makes: {work: 1/h}}}
objectives: {reach: {blast_radius: 35%}}
reliability: {link/a: {probability: 10%}}
";

#[test]
fn of_six_sites_three_are_too_many() {
    let report = explored(SITES, 4, Slice::WHOLE);
    let likely = report.likely.expect("explored");
    // 20 x 0.1^3 x 0.9^3 + 15 x 0.1^4 x 0.9^2; of five and six there are 6 x 0.1^5 x 0.9 + 0.1^6.
    assert!(
        (likely.violating.lower - 0.015_795).abs() < 1e-12,
        "{likely:?}"
    );
    assert!((likely.unexplored - 0.000_055).abs() < 1e-12, "{likely:?}");
    let of = |k: usize| report.sweep.iter().find(|s| s.k == k).expect("a size");
    assert_eq!((of(3).violating, of(4).violating), (20, 15));
    // Four are no minimal violation: three of them suffice.
    assert_eq!((of(3).minimal.len(), of(4).minimal.len()), (1, 0));
}

#[test]
fn parts_of_an_exploration_make_the_whole() {
    let whole = explored(SITES, 4, Slice::WHOLE);
    let parts = [2, 0, 1].map(|index| explored(SITES, 4, Slice { index, of: 3 }));
    assert_eq!(merge::merge(parts.to_vec()), Ok(whole));
}

#[test]
fn without_probabilities_there_is_no_order_to_explore_in() {
    let text = THREE_WAYS.split("reliability").next().expect("the rest");
    let question = Question {
        k: 3,
        unexplored: 0.0,
        down: Vec::new(),
        wanted: Wanted {
            order: 1,
            most: 1,
            limits: Limits::default(),
        },
        slice: Slice::WHOLE,
        threads: 1,
        demands: Vec::new(),
    };
    let refused = analyse(&topology(text), &question).expect_err("no figures");
    assert!(refused.contains("`reliability:`"), "{refused}");
}
