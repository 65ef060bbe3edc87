//! What breaks what: an and / or / at-least graph over basic events, to which fault trees and
//! topologies both compile.
//!
//! A structure says when its top *fails*. It is coherent: no gate negates, so one more failure
//! never mends anything. Children stand before their parents, so one pass in index order
//! evaluates it. It holds no probabilities; those are given to the solver beside it.

use indexmap::IndexSet;
use std::collections::BTreeMap;

/// A node of the graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ref(pub(crate) u32);

impl Ref {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Gate {
    /// Never failed, or always.
    Constant(bool),
    /// A basic event, by number.
    Event(u32),
    /// Fails when all of these have.
    And(Vec<Ref>),
    /// Fails when one of these has.
    Or(Vec<Ref>),
    /// Fails when so many of these have; between 2 and one less than all.
    AtLeast(u32, Vec<Ref>),
}

impl Gate {
    /// What it looks at.
    #[must_use]
    pub fn arguments(&self) -> &[Ref] {
        match self {
            Self::And(list) | Self::Or(list) | Self::AtLeast(_, list) => list,
            Self::Constant(_) | Self::Event(_) => &[],
        }
    }
}

/// The graph. Equal gates are one.
#[derive(Clone, Debug, Default)]
pub struct Structure {
    gates: IndexSet<Gate>,
}

impl Structure {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many nodes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.gates.len()
    }

    /// Whether it has no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gates.is_empty()
    }

    /// What a node is.
    #[must_use]
    pub fn gate(&self, node: Ref) -> &Gate {
        // A `Ref` comes from this graph's own constructors only.
        self.gates
            .get_index(node.index())
            .unwrap_or(&Gate::Constant(false))
    }

    fn add(&mut self, gate: Gate) -> Ref {
        let (index, _) = self.gates.insert_full(gate);
        Ref(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Never failed, or always.
    pub fn constant(&mut self, failed: bool) -> Ref {
        self.add(Gate::Constant(failed))
    }

    /// A basic event.
    pub fn event(&mut self, number: u32) -> Ref {
        self.add(Gate::Event(number))
    }

    /// Fails when all of these have; without any, always.
    pub fn and(&mut self, list: impl IntoIterator<Item = Ref>) -> Ref {
        let list: Vec<Ref> = list.into_iter().collect();
        self.join(list, true)
    }

    /// Fails when one of these has; without any, never.
    pub fn or(&mut self, list: impl IntoIterator<Item = Ref>) -> Ref {
        let list: Vec<Ref> = list.into_iter().collect();
        self.join(list, false)
    }

    /// Fails when `k` of these have. One that is named twice counts twice.
    pub fn at_least(&mut self, k: usize, list: impl IntoIterator<Item = Ref>) -> Ref {
        let mut k = k;
        let mut open = Vec::new();
        for node in list {
            match self.gate(node) {
                Gate::Constant(true) => k = k.saturating_sub(1),
                Gate::Constant(false) => {}
                _ => open.push(node),
            }
        }
        if k == 0 {
            return self.constant(true);
        }
        match open.len() {
            n if k > n => self.constant(false),
            n if k == n => self.and(open),
            _ if k == 1 => self.or(open),
            _ => {
                open.sort_unstable();
                self.add(Gate::AtLeast(u32::try_from(k).unwrap_or(u32::MAX), open))
            }
        }
    }

    /// `and` has the neutral element "failed", `or` "not failed".
    fn join(&mut self, mut list: Vec<Ref>, neutral: bool) -> Ref {
        let constant = |s: &Self, node: Ref| match s.gate(node) {
            Gate::Constant(value) => Some(*value),
            _ => None,
        };
        if list.iter().any(|n| constant(self, *n) == Some(!neutral)) {
            return self.constant(!neutral);
        }
        list.retain(|n| constant(self, *n).is_none());
        list.sort_unstable();
        list.dedup();
        match list.as_slice() {
            [] => self.constant(neutral),
            [one] => *one,
            _ if neutral => self.add(Gate::And(list)),
            _ => self.add(Gate::Or(list)),
        }
    }

    /// Whether the top has failed when these events have.
    #[must_use]
    pub fn fails(&self, top: Ref, failed: impl Fn(u32) -> bool) -> bool {
        let mut value = vec![false; top.index() + 1];
        for index in 0..=top.index() {
            let of = |list: &[Ref]| list.iter().filter(|r| value[r.index()]).count();
            value[index] = match self.gate(Ref(index as u32)) {
                Gate::Constant(constant) => *constant,
                Gate::Event(event) => failed(*event),
                Gate::And(list) => of(list) == list.len(),
                Gate::Or(list) => of(list) > 0,
                Gate::AtLeast(k, list) => of(list) >= *k as usize,
            };
        }
        value[top.index()]
    }

    /// The part below a node as a graph of its own, with nested gates of one kind made one, and
    /// the node in it. Smaller, and the same function.
    #[must_use]
    pub fn reduced(&self, top: Ref) -> (Self, Ref) {
        let mut parents = vec![0u32; top.index() + 1];
        let mut wanted = vec![false; top.index() + 1];
        wanted[top.index()] = true;
        for index in (0..=top.index()).rev().filter(|_| true) {
            if !wanted[index] {
                continue;
            }
            for child in self.gate(Ref(index as u32)).arguments() {
                parents[child.index()] += 1;
                wanted[child.index()] = true;
            }
        }
        let mut out = Self::new();
        let mut new: BTreeMap<usize, Ref> = BTreeMap::new();
        for index in (0..=top.index()).filter(|i| wanted[*i]) {
            let gate = self.gate(Ref(index as u32));
            let made = match gate {
                Gate::Constant(value) => out.constant(*value),
                Gate::Event(event) => out.event(*event),
                Gate::And(list) | Gate::Or(list) => {
                    let conjunction = matches!(gate, Gate::And(_));
                    let mut flat = Vec::new();
                    for child in list {
                        let node = new[&child.index()];
                        match (out.gate(node), conjunction) {
                            (Gate::And(inner), true) | (Gate::Or(inner), false)
                                if parents[child.index()] == 1 =>
                            {
                                flat.extend_from_slice(inner);
                            }
                            _ => flat.push(node),
                        }
                    }
                    out.join(flat, conjunction)
                }
                Gate::AtLeast(k, list) => {
                    let list: Vec<Ref> = list.iter().map(|c| new[&c.index()]).collect();
                    out.at_least(*k as usize, list)
                }
            };
            new.insert(index, made);
        }
        let top = new[&top.index()];
        (out, top)
    }

    /// The events below a node, in order of number.
    #[must_use]
    pub fn events(&self, top: Ref) -> Vec<u32> {
        let mut wanted = vec![false; top.index() + 1];
        wanted[top.index()] = true;
        let mut events = Vec::new();
        for index in (0..=top.index()).rev() {
            if !wanted[index] {
                continue;
            }
            let gate = self.gate(Ref(index as u32));
            if let Gate::Event(event) = gate {
                events.push(*event);
            }
            for child in gate.arguments() {
                wanted[child.index()] = true;
            }
        }
        events.sort_unstable();
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_single_arguments_leave_no_gate() {
        let mut s = Structure::new();
        let (yes, no, a, b) = (s.constant(true), s.constant(false), s.event(0), s.event(1));
        assert_eq!(s.and([a, yes]), a);
        assert_eq!(s.or([a, no, a]), a);
        assert_eq!(s.and([a, no]), no);
        assert_eq!(s.or([]), no);
        let both = s.and([a, b]);
        assert_eq!(s.at_least(3, [yes, b, a]), both);
        assert_eq!(s.at_least(3, [a, b]), no);
    }

    #[test]
    fn nested_gates_become_one_and_shared_ones_stay() {
        let mut s = Structure::new();
        let e: Vec<Ref> = (0..4).map(|i| s.event(i)).collect();
        let inner = s.or([e[0], e[1]]);
        let outer = s.or([inner, e[2]]);
        let (small, top) = s.reduced(outer);
        assert_eq!(small.gate(top).arguments().len(), 3);
        let pair = s.and([inner, e[3]]);
        let shared = s.or([inner, pair]);
        let (small, top) = s.reduced(shared);
        assert_eq!(small.gate(top).arguments().len(), 2);
    }
}
