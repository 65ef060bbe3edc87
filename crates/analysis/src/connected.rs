//! Which combinations of links separate a network: exact counts, without trying them one by one.
//!
//! With a bridge, any combination separates. Two others separate exactly when they are cycle
//! equivalent (`cycles`), so pairs are counted by the sizes of classes. For more links, each of
//! the first ones is taken out in turn, and what is left is a smaller case.

use crate::cycles::{Adjacency, Kind, Pass};

/// What was found for one number of failures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    /// How many links fail together.
    pub k: usize,
    /// How many combinations there are.
    pub combinations: u128,
    /// How many graphs or classes were looked at to know.
    pub evaluated: u128,
    /// How many combinations separate the network.
    pub violating: u128,
}

/// More passes than this are not made; the number is known beforehand.
pub const MOST_PASSES: u128 = 20_000_000;

/// Of `n` things, how many ways to choose `k`; at the end of the type's range it stays there.
#[must_use]
pub fn choose(n: u128, k: usize) -> u128 {
    if k as u128 > n {
        return 0;
    }
    let mut result = 1u128;
    for i in 0..k as u128 {
        result = result.saturating_mul(n - i) / (i + 1);
    }
    result
}

/// How many combinations of `k` links separate the network; `None` if that would take more than
/// [`MOST_PASSES`].
#[must_use]
pub fn count(graph: &Adjacency, k: usize) -> Option<Count> {
    let links = graph.links() as u128;
    let mut found = Count {
        k,
        combinations: choose(links, k),
        evaluated: 0,
        violating: 0,
    };
    if k == 0 || found.combinations == 0 {
        return Some(found);
    }
    let passes = (0..k.saturating_sub(2))
        .map(|_| links)
        .fold(1, u128::saturating_mul);
    if passes.saturating_mul(links.max(1)) > MOST_PASSES * 100 || passes > MOST_PASSES {
        return None;
    }
    let mut search = Search {
        graph,
        passes: (0..k).map(|_| Pass::default()).collect(),
        without: Vec::new(),
        evaluated: 0,
    };
    let all = vec![true; graph.links()];
    found.violating = search.violating(k, &all);
    found.evaluated = search.evaluated;
    Some(found)
}

struct Search<'a> {
    graph: &'a Adjacency,
    passes: Vec<Pass>,
    without: Vec<u32>,
    evaluated: u128,
}

impl Search<'_> {
    /// How many combinations of `k` of the `open` links separate what is left without
    /// `without`, which itself separates nothing.
    fn violating(&mut self, k: usize, open: &[bool]) -> u128 {
        let mut pass = std::mem::take(&mut self.passes[k - 1]);
        pass.run(self.graph, &self.without);
        let total = open.iter().filter(|o| **o).count() as u128;
        let on_cycles: Vec<u32> = (0..open.len())
            .filter(|l| open[*l] && pass.kinds[*l] != Kind::Bridge)
            .map(|l| l as u32)
            .collect();
        let free = on_cycles.len() as u128;
        // Every combination with a bridge in it.
        let mut violating = choose(total, k) - choose(free, k);
        match k {
            1 => self.evaluated += total,
            2 => {
                let mut sizes = vec![0u128; pass.class_sizes().len()];
                for link in &on_cycles {
                    if let Kind::Class(class) = pass.kinds[*link as usize] {
                        sizes[class as usize] += 1;
                    }
                }
                self.evaluated += sizes.len() as u128 + (total - free);
                violating += sizes.iter().map(|s| choose(*s, 2)).sum::<u128>();
            }
            _ => {
                let mut left: Vec<bool> = vec![false; open.len()];
                on_cycles.iter().for_each(|l| left[*l as usize] = true);
                // Each combination is met once for each link that is taken out first; taken in
                // order, it is met once only.
                for link in &on_cycles {
                    left[*link as usize] = false;
                    self.without.push(*link);
                    violating += self.violating(k - 1, &left);
                    self.without.pop();
                }
            }
        }
        self.passes[k - 1] = pass;
        violating
    }
}

/// The minimal combinations of one or two links that separate, at most `most` of each; and
/// whether these are all.
#[must_use]
pub fn minimal(graph: &Adjacency, k: usize, most: usize) -> (Vec<Vec<u32>>, bool) {
    let mut pass = Pass::default();
    pass.run(graph, &[]);
    let mut list: Vec<Vec<u32>> = Vec::new();
    let bridges = (0..graph.links() as u32).filter(|l| pass.kinds[*l as usize] == Kind::Bridge);
    list.extend(bridges.map(|l| vec![l]));
    let mut complete = list.len() <= most;
    list.truncate(most);
    if k < 2 {
        return (list, complete);
    }
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); pass.class_sizes().len()];
    let mut pairs = Vec::new();
    for (link, kind) in pass.kinds.iter().enumerate() {
        if let Kind::Class(class) = kind {
            members[*class as usize].push(link as u32);
        }
    }
    'all: for class in &members {
        for (i, a) in class.iter().enumerate() {
            for b in &class[i + 1..] {
                if pairs.len() >= most {
                    complete = false;
                    break 'all;
                }
                pairs.push(vec![*a, *b]);
            }
        }
    }
    pairs.sort_unstable();
    list.append(&mut pairs);
    (list, complete)
}

/// Union-find from scratch for every combination: the plain way, against which the other is
/// measured and tested.
#[must_use]
pub fn naive(places: usize, ends: &[(u32, u32)], k: usize) -> u128 {
    let mut parent: Vec<u32> = Vec::new();
    let mut components = |out: &[usize]| {
        parent.clear();
        parent.extend(0..places as u32);
        let mut left = places;
        for (link, &(a, b)) in ends.iter().enumerate() {
            if out.contains(&link) {
                continue;
            }
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            if a != b {
                parent[a as usize] = b;
                left -= 1;
            }
        }
        left
    };
    let whole = components(&[]);
    let mut violating = 0;
    let mut combination: Vec<usize> = (0..k).collect();
    if k == 0 || k > ends.len() {
        return 0;
    }
    loop {
        violating += u128::from(components(&combination) > whole);
        let Some(last) = (0..k).rev().find(|i| combination[*i] < ends.len() - k + i) else {
            return violating;
        };
        combination[last] += 1;
        for i in last + 1..k {
            combination[i] = combination[i - 1] + 1;
        }
    }
}

fn root(parent: &mut [u32], mut place: u32) -> u32 {
    while parent[place as usize] != place {
        parent[place as usize] = parent[parent[place as usize] as usize];
        place = parent[place as usize];
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Parallel links, loops and separate parts included.
        #[test]
        fn counts_agree_with_trying_every_combination(
            places in 1u32..8,
            links in proptest::collection::vec((0u32..8, 0u32..8), 0..12),
            k in 1usize..5,
        ) {
            let ends: Vec<(u32, u32)> = links.iter().map(|(a, b)| (a % places, b % places)).collect();
            let graph = Adjacency::new(places as usize, &ends);
            let counted = count(&graph, k).expect("small");
            prop_assert_eq!(counted.violating, naive(places as usize, &ends, k));
        }

        /// What is called minimal separates, and nothing less does.
        #[test]
        fn minimal_pairs_are_all_pairs_that_separate_without_a_bridge(
            links in proptest::collection::vec((0u32..6, 0u32..6), 0..12),
        ) {
            let graph = Adjacency::new(6, &links);
            let (list, complete) = minimal(&graph, 2, 1000);
            prop_assert!(complete);
            let bridges = list.iter().filter(|c| c.len() == 1).count() as u128;
            let pairs = list.len() as u128 - bridges;
            prop_assert_eq!(bridges, naive(6, &links, 1));
            let m = links.len() as u128;
            let with_bridge = choose(m, 2) - choose(m - bridges, 2);
            prop_assert_eq!(pairs + with_bridge, naive(6, &links, 2));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

        /// Networks of the size of published ones.
        #[test]
        fn counts_of_larger_networks_agree_with_trying_every_pair(
            places in 20u32..120,
            links in proptest::collection::vec((any::<u32>(), any::<u32>()), 20..200),
        ) {
            let chain = (1..places).map(|i| (i - 1, i));
            let drawn = links.iter().map(|(a, b)| (a % places, b % places));
            let ends: Vec<(u32, u32)> = chain.chain(drawn).collect();
            let graph = Adjacency::new(places as usize, &ends);
            for k in [1, 2] {
                let counted = count(&graph, k).expect("few");
                prop_assert_eq!(counted.violating, naive(places as usize, &ends, k));
            }
        }
    }

    #[test]
    fn a_long_ring_is_one_class() {
        let n = 100_000u32;
        let ends: Vec<(u32, u32)> = (0..n).map(|i| (i, (i + 1) % n)).collect();
        let graph = Adjacency::new(n as usize, &ends);
        let found = count(&graph, 2).expect("one pass");
        assert_eq!(found.violating, choose(u128::from(n), 2));
        assert_eq!(count(&graph, 1).map(|c| c.violating), Some(0));
    }

    #[test]
    fn no_links_are_no_combinations() {
        let graph = Adjacency::new(3, &[]);
        assert_eq!(
            count(&graph, 2).map(|c| (c.combinations, c.violating)),
            Some((0, 0))
        );
    }
}
