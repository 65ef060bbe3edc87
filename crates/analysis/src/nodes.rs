//! Which places of a plain network separate others when they fail: exact counts for one and two.
//!
//! A combination separates when two places that are left and were joined are joined no more. One
//! place does if it is an articulation point (R. Tarjan, "Depth-first search and linear graph
//! algorithms", 1972); for two, the first is taken out in turn and the pieces that taking out the
//! second makes of the rest are counted in one pass.

use crate::connected::{Count, choose};

/// More steps than this are not taken for pairs; the number is known beforehand.
pub(crate) const MOST_STEPS: u128 = 4_000_000_000;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Places {
    /// Counts for one place, and for two if that did not take too long.
    pub(crate) counts: Vec<Count>,
    /// Minimal combinations.
    pub(crate) minimal: Vec<Vec<u32>>,
    /// Whether these are all.
    pub(crate) complete: bool,
}

/// Counts combinations of up to `k` places, at most 2; lists at most `most` minimal ones of each
/// size.
#[must_use]
pub(crate) fn separating(places: usize, ends: &[(u32, u32)], k: usize, most: usize) -> Places {
    let mut pass = Pass::new(places, ends);
    let mut found = Places {
        counts: Vec::new(),
        minimal: Vec::new(),
        complete: true,
    };
    let whole = pass.run(None);
    let alone: Vec<bool> = whole.pieces.iter().map(|p| *p > 1).collect();
    let n = places as u128;
    let ones = alone.iter().filter(|a| **a).count();
    let singles = (0..places as u32).filter(|p| alone[*p as usize]);
    found.minimal.extend(singles.take(most).map(|p| vec![p]));
    found.complete = ones <= most;
    if k >= 1 {
        found.counts.push(Count {
            k: 1,
            combinations: n,
            evaluated: n,
            violating: ones as u128,
        });
    }
    let steps = n.saturating_mul(n + 2 * ends.len() as u128);
    if k < 2 || steps > MOST_STEPS {
        return found;
    }
    let mut violating = 0u128;
    let mut listed = 0;
    for a in 0..places as u32 {
        let rest = pass.run(Some(a));
        for b in a + 1..places as u32 {
            let together = whole.component[a as usize] == whole.component[b as usize];
            let separates = if together {
                // The piece of b is left as so many, beside the others of a.
                whole.pieces[a as usize] + rest.pieces[b as usize] > 2
            } else {
                alone[a as usize] || alone[b as usize]
            };
            violating += u128::from(separates);
            if separates && !alone[a as usize] && !alone[b as usize] {
                if listed < most {
                    found.minimal.push(vec![a, b]);
                    listed += 1;
                } else {
                    found.complete = false;
                }
            }
        }
    }
    found.counts.push(Count {
        k: 2,
        combinations: choose(n, 2),
        evaluated: choose(n, 2),
        violating,
    });
    found
}

/// The network as lists of neighbours, and room for a search.
struct Pass {
    first: Vec<usize>,
    to: Vec<u32>,
    seen: Vec<u32>,
    low: Vec<u32>,
    next: Vec<usize>,
    parent: Vec<u32>,
}

const NONE: u32 = u32::MAX;

/// What a search has found of each place.
struct Seen {
    component: Vec<u32>,
    /// Of its component, how many pieces are left without it.
    pieces: Vec<usize>,
}

impl Pass {
    fn new(places: usize, ends: &[(u32, u32)]) -> Self {
        let mut first = vec![0; places + 1];
        // A place that is joined to itself is joined to nobody by it.
        let joined = || ends.iter().filter(|e| e.0 != e.1);
        for (a, b) in joined() {
            first[*a as usize + 1] += 1;
            first[*b as usize + 1] += 1;
        }
        (0..places).for_each(|p| first[p + 1] += first[p]);
        let mut at = first.clone();
        let mut to = vec![0; first[places]];
        for (a, b) in joined() {
            for (from, other) in [(*a, *b), (*b, *a)] {
                to[at[from as usize]] = other;
                at[from as usize] += 1;
            }
        }
        Self {
            first,
            to,
            seen: vec![NONE; places],
            low: vec![0; places],
            next: vec![0; places],
            parent: vec![NONE; places],
        }
    }

    /// Searches all components of what is left without a place.
    fn run(&mut self, without: Option<u32>) -> Seen {
        let places = self.seen.len();
        let mut found = Seen {
            component: vec![NONE; places],
            pieces: vec![0; places],
        };
        self.seen.fill(NONE);
        let mut time = 0;
        for root in (0..places as u32).filter(|p| Some(*p) != without) {
            if self.seen[root as usize] == NONE {
                self.search(root, without, &mut time, &mut found);
            }
        }
        found
    }

    fn search(&mut self, root: u32, without: Option<u32>, time: &mut u32, found: &mut Seen) {
        self.enter(root, NONE, time);
        found.component[root as usize] = root;
        let mut at = root;
        loop {
            let here = at as usize;
            if self.next[here] < self.first[here + 1] {
                let other = self.to[self.next[here]];
                self.next[here] += 1;
                if Some(other) == without {
                    continue;
                }
                if self.seen[other as usize] == NONE {
                    self.enter(other, at, time);
                    found.component[other as usize] = root;
                    // What is above it, seen from below, is one piece.
                    found.pieces[other as usize] = 1;
                    at = other;
                } else {
                    self.low[here] = self.low[here].min(self.seen[other as usize]);
                }
                continue;
            }
            let parent = self.parent[here];
            if parent == NONE {
                return;
            }
            let above = parent as usize;
            self.low[above] = self.low[above].min(self.low[here]);
            // Nothing below leads past the parent.
            if self.low[here] >= self.seen[above] {
                found.pieces[above] += 1;
            }
            at = parent;
        }
    }

    fn enter(&mut self, place: u32, parent: u32, time: &mut u32) {
        let p = place as usize;
        self.seen[p] = *time;
        self.low[p] = *time;
        self.next[p] = self.first[p];
        self.parent[p] = parent;
        *time += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether two places that are left and were joined are joined no more, by painting.
    fn separates(places: u32, ends: &[(u32, u32)], out: &[u32]) -> bool {
        let paint = |out: &[u32]| {
            let mut colour: Vec<u32> = (0..places).collect();
            for _ in 0..places {
                for (a, b) in ends {
                    if !out.contains(a) && !out.contains(b) {
                        let least = colour[*a as usize].min(colour[*b as usize]);
                        colour[*a as usize] = least;
                        colour[*b as usize] = least;
                    }
                }
            }
            colour
        };
        let (before, after) = (paint(&[]), paint(out));
        let left: Vec<usize> = (0..places)
            .filter(|p| !out.contains(p))
            .map(|p| p as usize)
            .collect();
        left.iter().any(|a| {
            left.iter()
                .any(|b| before[*a] == before[*b] && after[*a] != after[*b])
        })
    }

    proptest! {
        #[test]
        fn counts_agree_with_painting_what_is_left(
            places in 1u32..9,
            links in proptest::collection::vec((0u32..9, 0u32..9), 0..14),
        ) {
            let ends: Vec<(u32, u32)> = links.iter().map(|(a, b)| (a % places, b % places)).collect();
            let found = separating(places as usize, &ends, 2, 1000);
            let one = |a: &u32| separates(places, &ends, &[*a]);
            let ones: Vec<u32> = (0..places).filter(one).collect();
            let pairs: Vec<Vec<u32>> = (0..places)
                .flat_map(|a| (a + 1..places).map(move |b| vec![a, b]))
                .filter(|p| separates(places, &ends, p))
                .collect();
            prop_assert_eq!(found.counts[0].violating, ones.len() as u128);
            prop_assert_eq!(found.counts[1].violating, pairs.len() as u128);
            let minimal = pairs.iter().filter(|p| p.iter().all(|x| !ones.contains(x)));
            prop_assert_eq!(found.minimal.len(), ones.len() + minimal.count());
        }
    }

    #[test]
    fn a_hundred_thousand_places_are_one_pass_and_pairs_of_them_too_many() {
        let n = 100_000u32;
        let ends: Vec<(u32, u32)> = (1..n).map(|i| (i - 1, i)).collect();
        let found = separating(n as usize, &ends, 2, 10);
        // All but the two ends of the chain.
        assert_eq!(found.counts.len(), 1);
        assert_eq!(found.counts[0].violating, u128::from(n) - 2);
        assert!(!found.complete && found.minimal.len() == 10);
    }
}
