//! The solver against trying every state of a few events.

use crate::{Figure, Limits, Ref, Solved, Structure};
use proptest::prelude::*;

const EVENTS: u32 = 7;

/// Gates as (kind, arguments among what was made before).
type Recipe = Vec<(u8, Vec<usize>)>;

fn recipes() -> impl Strategy<Value = Recipe> {
    let gate = (0u8..4, proptest::collection::vec(0usize..64, 1..5));
    proptest::collection::vec(gate, 1..9)
}

fn build(recipe: &Recipe) -> (Structure, Ref) {
    let mut structure = Structure::new();
    let mut made: Vec<Ref> = (0..EVENTS).map(|e| structure.event(e)).collect();
    for (kind, arguments) in recipe {
        let list: Vec<Ref> = arguments.iter().map(|a| made[a % made.len()]).collect();
        made.push(match kind {
            0 => structure.and(list),
            1 => structure.or(list),
            k => structure.at_least(usize::from(*k), list),
        });
    }
    (structure, made[made.len() - 1])
}

fn p(event: u32) -> f64 {
    f64::from(event + 1) / 16.0
}

/// Every state of the events: its probability, and whether the top has failed in it.
fn states(structure: &Structure, top: Ref) -> Vec<(u32, f64, bool)> {
    let state = |mask: u32| {
        let weigh = |e: u32| if mask >> e & 1 == 1 { p(e) } else { 1.0 - p(e) };
        let fails = structure.fails(top, |e| mask >> e & 1 == 1);
        (mask, (0..EVENTS).map(weigh).product(), fails)
    };
    (0..1 << EVENTS).map(state).collect()
}

fn minimal(states: &[(u32, f64, bool)]) -> Vec<Vec<u32>> {
    let fails = |mask: u32| states[mask as usize].2;
    let smaller = |mask: u32| {
        (0..EVENTS)
            .filter(move |e| mask >> e & 1 == 1)
            .map(move |e| mask & !(1 << e))
    };
    let sets = (0..1 << EVENTS).filter(|m| fails(*m) && !smaller(*m).any(fails));
    let mut list: Vec<Vec<u32>> = sets
        .map(|m| (0..EVENTS).filter(|e| m >> e & 1 == 1).collect())
        .collect();
    list.sort_by_key(|s: &Vec<u32>| (s.len(), s.clone()));
    list
}

proptest! {
    #[test]
    fn probability_cut_sets_and_importance_agree_with_brute_force(recipe in recipes()) {
        let (structure, top) = build(&recipe);
        let states = states(&structure, top);
        let solved = Solved::new(&structure, top, Limits::default());
        let expected: f64 = states.iter().filter(|s| s.2).map(|s| s.1).sum();
        let Figure::Exact(found) = solved.probability(&p) else { panic!("it fits") };
        prop_assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        let sets = minimal(&states);
        prop_assert_eq!(solved.count(), Some(sets.len() as u128));
        let (listed, complete) = solved.cut_sets(EVENTS as usize, 1000).expect("they fit");
        prop_assert!(complete);
        prop_assert_eq!(&listed, &sets);
        for importance in solved.importance(&p) {
            let given = |value: bool| {
                let q = |e: u32| if e == importance.event { f64::from(value) } else { p(e) };
                solved.probability(&q).lower()
            };
            prop_assert!((importance.birnbaum - (given(true) - given(false))).abs() < 1e-12);
            let product = |s: &Vec<u32>| s.iter().map(|e| p(*e)).product::<f64>();
            let of: f64 = sets.iter().filter(|s| s.contains(&importance.event)).map(product).sum();
            let all: f64 = sets.iter().map(product).sum();
            let share = importance.fussell_vesely.expect("cut sets fit");
            let expected = if all > 0.0 { of / all } else { 0.0 };
            prop_assert!((share - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn what_does_not_fit_has_bounds_that_hold(recipe in recipes()) {
        let (structure, top) = build(&recipe);
        let expected: f64 = states(&structure, top).iter().filter(|s| s.2).map(|s| s.1).sum();
        let none = Limits { nodes: 2, ..Limits::default() };
        let figure = Solved::new(&structure, top, none).probability(&p);
        prop_assert!(figure.lower() <= expected + 1e-12 && expected <= figure.upper() + 1e-12);
    }

    #[test]
    fn a_shorter_list_holds_the_smallest_sets(recipe in recipes()) {
        let (structure, top) = build(&recipe);
        let solved = Solved::new(&structure, top, Limits::default());
        let sets = minimal(&states(&structure, top));
        let (two, _) = solved.cut_sets(2, 1000).expect("they fit");
        let small: Vec<Vec<u32>> = sets.iter().filter(|s| s.len() <= 2).cloned().collect();
        prop_assert_eq!(two, small);
        let (first, complete) = solved.cut_sets(EVENTS as usize, 2).expect("they fit");
        prop_assert!(first.len() <= 2);
        prop_assert_eq!(complete, sets.len() <= 2);
    }
}

/// A part of a tree in which no event is shared: its node, its probability, its minimal cut sets.
type Part = (Ref, f64, f64);

/// The coefficients of a product of (1 - x) + y t, one for each pair; what is above `most` is one.
fn of_each(parts: &[(f64, f64)], most: usize) -> Vec<f64> {
    let mut sum = vec![0.0; most + 1];
    sum[0] = 1.0;
    for (without, with) in parts {
        for k in (0..=most).rev() {
            let less = if k == 0 { 0.0 } else { sum[k - 1] * with };
            let stays = if k == most { without + with } else { *without };
            sum[k] = sum[k] * stays + less;
        }
    }
    sum
}

fn joined(structure: &mut Structure, kind: u8, parts: &[Part]) -> Part {
    let list = parts.iter().map(|p| p.0);
    let least = match kind % 3 {
        0 => 1,
        1 => parts.len(),
        _ => parts.len().div_ceil(2),
    };
    let node = structure.at_least(least, list);
    let failing: Vec<(f64, f64)> = parts.iter().map(|p| (1.0 - p.1, p.1)).collect();
    let probability = of_each(&failing, least)[least];
    // Of the ways to choose so many parts, the products of their cut sets.
    let mut sets = vec![0.0; least + 1];
    sets[0] = 1.0;
    for part in parts {
        for k in (1..=least).rev() {
            sets[k] += sets[k - 1] * part.2;
        }
    }
    (node, probability, sets[least])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Where no event is shared, gates can be worked out one by one, however many events there are.
    #[test]
    fn large_trees_agree_with_working_out_gate_by_gate(
        events in 200u32..1_600,
        steps in proptest::collection::vec((any::<u8>(), 2usize..9), 1_600),
    ) {
        let mut structure = Structure::new();
        let p = |e: u32| f64::from(e % 97 + 1) / 400.0;
        let mut open: std::collections::VecDeque<Part> =
            (0..events).map(|e| (structure.event(e), p(e), 1.0)).collect();
        for (kind, wide) in steps {
            if open.len() < 2 {
                break;
            }
            let parts: Vec<Part> = open.drain(..wide.min(open.len())).collect();
            open.push_back(joined(&mut structure, kind, &parts));
        }
        let (top, probability, sets) = open[0];
        prop_assert_eq!(open.len(), 1);
        let solved = Solved::new(&structure, top, Limits::default());
        let Figure::Exact(found) = solved.probability(&p) else { panic!("modules fit") };
        prop_assert!((found - probability).abs() <= 1e-9 * probability, "{found} {probability}");
        if sets < 1e30 {
            let count = solved.count().expect("they fit") as f64;
            prop_assert!((count - sets).abs() <= 1e-9 * sets, "{count} {sets}");
        }
    }
}
