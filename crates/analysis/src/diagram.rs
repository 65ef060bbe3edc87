//! A finished diagram: only the nodes that are reached, children before parents.
//!
//! It serves decision diagrams (a path is a state of the variables) and families of sets (a path
//! is a set) alike; which of the two it is, the caller knows.

use crate::bdd::{Node, ONE, Table, ZERO};

/// The nodes; 0 and 1 are the constants, the last is the root.
#[derive(Clone, Debug)]
pub(crate) struct Diagram {
    pub(crate) nodes: Vec<Node>,
    root: u32,
}

impl Diagram {
    /// What is reached from a node of a table.
    pub(crate) fn extract(table: &Table, root: u32) -> Self {
        let mut reached = vec![false; (root as usize + 1).max(2)];
        reached[ZERO as usize] = true;
        reached[ONE as usize] = true;
        reached[root as usize] = true;
        for id in (2..=root as usize).rev().filter(|_| root > ONE) {
            if reached[id] {
                let node = table.nodes[id];
                reached[node.low as usize] = true;
                reached[node.high as usize] = true;
            }
        }
        let mut number = vec![0u32; reached.len()];
        let mut nodes = Vec::new();
        for id in (0..reached.len()).filter(|id| reached[*id]) {
            number[id] = nodes.len() as u32;
            let node = table.nodes[id];
            nodes.push(if id <= ONE as usize {
                node
            } else {
                Node {
                    level: node.level,
                    low: number[node.low as usize],
                    high: number[node.high as usize],
                }
            });
        }
        Self {
            nodes,
            root: number[root as usize],
        }
    }

    pub(crate) const fn root(&self) -> u32 {
        self.root
    }

    /// For every node the probability of its function; `p` by level.
    pub(crate) fn probabilities(&self, p: &[f64]) -> Vec<f64> {
        self.fold(|level, low, high| {
            let p = p[level];
            (1.0 - p) * low + p * high
        })
    }

    /// For every node the sum, over the sets of its family, of the products of `p`.
    pub(crate) fn sums(&self, p: &[f64]) -> Vec<f64> {
        self.fold(|level, low, high| low + p[level] * high)
    }

    fn fold(&self, value: impl Fn(usize, f64, f64) -> f64) -> Vec<f64> {
        let mut values = Vec::with_capacity(self.nodes.len());
        values.extend([0.0, 1.0]);
        for node in &self.nodes[2..] {
            let (low, high) = (values[node.low as usize], values[node.high as usize]);
            values.push(value(node.level as usize, low, high));
        }
        values
    }

    /// How many sets the family holds, a variable standing for `weight` of them. Counts above
    /// the range of the type stay at its end.
    pub(crate) fn count(&self, weight: &[u128]) -> u128 {
        let mut counts: Vec<u128> = Vec::with_capacity(self.nodes.len());
        counts.extend([0, 1]);
        for node in &self.nodes[2..] {
            let with = counts[node.high as usize].saturating_mul(weight[node.level as usize]);
            counts.push(counts[node.low as usize].saturating_add(with));
        }
        counts[self.root as usize]
    }

    /// By level, the sum over its nodes of (the weight of all paths to the node) times
    /// `gain(node)`: with `stay` and `go` the weights of leaving a node low and high, the
    /// derivative of the root's value by that variable.
    pub(crate) fn derivatives(
        &self,
        levels: usize,
        stay: impl Fn(usize) -> f64,
        go: impl Fn(usize) -> f64,
        gain: impl Fn(Node) -> f64,
    ) -> Vec<f64> {
        let mut reach = vec![0.0; self.nodes.len()];
        let mut sums = vec![0.0; levels];
        reach[self.root as usize] = 1.0;
        for id in (2..self.nodes.len()).rev() {
            let (node, here) = (self.nodes[id], reach[id]);
            let level = node.level as usize;
            sums[level] += here * gain(node);
            reach[node.low as usize] += here * stay(level);
            reach[node.high as usize] += here * go(level);
        }
        sums
    }
}
