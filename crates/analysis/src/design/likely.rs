//! Combinations of any size, the most probable first, until what is left unexplored is less than
//! a bound.
//!
//! Elements fail independently, each with the probability that the topology states; one without a
//! figure is taken not to fail here, and one on which nothing stands changes nothing. The
//! probability of a combination is that just its elements are out, so those of all combinations
//! add up to one, and whatever was not looked at has what is left of it.

use super::case::{Case, class};
use super::elements::Elements;
use super::evaluate::Evaluator;
use super::sweep::{Slice, Sweeper, Tally};
use crate::merge;
use crate::report::{LikelyFound, Sweep};
use std::collections::{BTreeSet, BinaryHeap};

/// More combinations than this are not looked at; what they have together is in the bound.
const MOST: usize = 100_000;

/// Probabilities add up in these, so that no sum depends on its order.
const PARTS: f64 = 1e18;

/// A combination, and the probability that just it has failed.
type Weighed = (Case, f64);

/// Numbers of elements in order of weight, falling; and up to where they may still grow.
#[derive(PartialEq, Debug)]
struct Open {
    weight: f64,
    numbers: Vec<usize>,
    at: usize,
}

impl Eq for Open {}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        let weight = self.weight.total_cmp(&other.weight);
        weight.then_with(|| other.numbers.cmp(&self.numbers))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Sweeper<'_> {
    /// Explores combinations of up to `k` elements until no more than `goal` is unexplored. The
    /// sweeps are those of three elements and more. The error says why nothing can be explored.
    pub(super) fn likely(
        &self,
        p: &[Option<f64>],
        (k, goal): (usize, f64),
        slice: Slice,
        threads: usize,
    ) -> Result<(Vec<Sweep>, LikelyFound), String> {
        let (list, explored) = self.most_probable(p, k, goal)?;
        let mut sweeps = Vec::new();
        let mut violating = 0;
        for size in 0..=k {
            let of_size = list.iter().filter(|c| c.0.elements.len() == size);
            let mine = of_size
                .enumerate()
                .filter(|c| c.0 % slice.of == slice.index);
            let mine: Vec<&Weighed> = mine.map(|c| c.1).collect();
            let tally = self.judge(&mine, threads);
            let parts = |i: &usize| (mine[*i].1 * PARTS) as u64;
            violating += tally.which.iter().map(parts).sum::<u64>();
            if size > 2 {
                sweeps.push(Sweep {
                    complete: false,
                    ..self.report(size, tally)
                });
            }
        }
        let unexplored = (1.0 - explored).max(0.0);
        let found = LikelyFound::new(k, goal, unexplored, violating);
        Ok((sweeps, found))
    }

    fn judge(&self, mine: &[&Weighed], threads: usize) -> Tally {
        let numbered: Vec<(usize, &Weighed)> = mine.iter().copied().enumerate().collect();
        let new = || Evaluator::new(&self.shared);
        let parts = crate::parallel::chunks(&numbered, threads, 512, new, |evaluator, part| {
            let cases: Vec<Case> = part.iter().map(|c| c.1.0.clone()).collect();
            let mut tally = self.evaluate(evaluator, &cases).0.swap_remove(0);
            tally.which.iter_mut().for_each(|i| *i = part[*i].0);
            tally
        });
        let mut all = Tally::default();
        parts.into_iter().for_each(|part| all.add(part));
        // As joined reports have them.
        let items = &self.shared.compiled.elements.items;
        let places = merge::places(items.iter().map(|i| &i.id));
        all.minimal
            .sort_by_cached_key(|v| merge::order(&v.elements, &places));
        all
    }

    /// Combinations in order, and their probability together.
    fn most_probable(
        &self,
        p: &[Option<f64>],
        k: usize,
        goal: f64,
    ) -> Result<(Vec<Weighed>, f64), String> {
        let elements = &self.shared.compiled.elements;
        let mut none = 1.0;
        let mut odds: Vec<(f64, f64, u32)> = Vec::new();
        for &element in &self.relevant {
            let Some(p) = p[element as usize].filter(|p| *p > 0.0) else {
                continue;
            };
            let item = &elements.items[element as usize];
            if p >= 1.0 {
                return Err(format!(
                    "`{}` is stated to be always out: say `--down {}` instead",
                    item.id, item.id
                ));
            }
            (0..item.count).for_each(|_| none *= 1.0 - p);
            let each = p / (1.0 - p);
            odds.push((each * f64::from(item.count), each, element));
        }
        if odds.is_empty() {
            return Err("more than 2 elements at a time are explored by probability, and the topology states none: give elements a `reliability:`, or say `--k 2`".to_owned());
        }
        odds.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
        let start = |size| Open {
            weight: (0..size).fold(1.0, |w, _| w * odds[0].0),
            numbers: vec![0; size],
            at: 0,
        };
        let mut open: BinaryHeap<Open> = (0..=k).map(start).collect();
        let (mut list, mut explored) = (Vec::new(), 0.0);
        while let Some(next) = open.pop() {
            for case in cases(elements, &odds, &next.numbers) {
                let each = case
                    .elements
                    .iter()
                    .map(|e| odd(&odds, e.0))
                    .product::<f64>();
                let weight = none * each * case.stands_for(elements) as f64;
                explored += weight;
                list.push((case, weight));
            }
            if 1.0 - explored <= goal || list.len() >= MOST {
                break;
            }
            open.extend(grown(&next, &odds));
        }
        Ok((list, explored))
    }
}

fn odd(odds: &[(f64, f64, u32)], element: u32) -> f64 {
    odds.iter().find(|o| o.2 == element).map_or(0.0, |o| o.1)
}

/// The next ones, each of which comes from one only: the number at the place counts up, or the
/// place after it begins to.
fn grown(from: &Open, odds: &[(f64, f64, u32)]) -> Vec<Open> {
    let mut next = Vec::new();
    for at in [from.at, from.at + 1] {
        let begins = at == from.at || from.numbers.get(from.at).is_some_and(|n| *n > 0);
        let Some(&number) = from.numbers.get(at).filter(|_| begins) else {
            continue;
        };
        let most = if at == 0 {
            odds.len() - 1
        } else {
            from.numbers[at - 1]
        };
        if number < most {
            let mut numbers = from.numbers.clone();
            numbers[at] = number + 1;
            next.push(Open {
                weight: numbers.iter().map(|n| odds[*n].0).product(),
                numbers,
                at,
            });
        }
    }
    next
}

/// The combinations of these elements: those of classes at one site or at several.
fn cases(elements: &Elements, odds: &[(f64, f64, u32)], numbers: &[usize]) -> BTreeSet<Case> {
    let mut chosen: Vec<u32> = numbers.iter().map(|n| odds[*n].2).collect();
    chosen.sort_unstable();
    let mut all = vec![Vec::new()];
    for &element in &chosen {
        let mut longer = Vec::new();
        for so_far in &all {
            longer.extend(with(elements, so_far, element));
        }
        all = longer;
    }
    let case = |list: Vec<(u32, u8)>| Case { elements: list }.ordered(elements);
    let all = all.into_iter().map(case);
    all.filter(|c| c.stands_for(elements) > 0).collect()
}

/// A combination with one more element: at each of the sites of its class that are touched
/// already, and at another.
fn with(elements: &Elements, so_far: &[(u32, u8)], element: u32) -> Vec<Vec<(u32, u8)>> {
    let add = |site: u8| [so_far, &[(element, site)]].concat();
    let Some(class_of) = class(elements, element) else {
        let twice = so_far.iter().any(|e| e.0 == element);
        return if twice { Vec::new() } else { vec![add(0)] };
    };
    let of_class = so_far
        .iter()
        .filter(|e| class(elements, e.0) == Some(class_of));
    let sites = of_class.map(|e| e.1 + 1).max().unwrap_or(0);
    let free = (0..=sites).filter(|site| !so_far.contains(&(element, *site)));
    free.map(add).collect()
}
