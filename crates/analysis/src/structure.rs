//! What breaks what: an and / or / at-least graph over basic events, to which fault trees and
//! topologies both compile.
//!
//! A structure says when its top *fails*. It is coherent: no gate negates, so one more failure
//! never mends anything. Children stand before their parents, so one pass in index order
//! evaluates it. It holds no probabilities; those are given to the solver beside it.

use indexmap::IndexSet;

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

    /// What these nodes stand on as a graph of its own, with nested gates of one kind made one,
    /// and the nodes in it. Smaller, and the same functions.
    #[must_use]
    pub fn reduced(&self, tops: &[Ref]) -> (Self, Vec<Ref>) {
        let flat = self.rewritten(tops, true);
        // What was drawn into its only parent is still there, and stays behind now.
        flat.0.rewritten(&flat.1, false)
    }

    fn rewritten(&self, tops: &[Ref], flatten: bool) -> (Self, Vec<Ref>) {
        let parents = self.parents(tops);
        let mut out = Self::new();
        let mut new: Vec<Ref> = vec![Ref(0); parents.len()];
        for index in (0..parents.len()).filter(|i| parents[*i] > 0) {
            let gate = self.gate(Ref(index as u32));
            new[index] = match gate {
                Gate::Constant(value) => out.constant(*value),
                Gate::Event(event) => out.event(*event),
                Gate::And(list) | Gate::Or(list) => {
                    let conjunction = matches!(gate, Gate::And(_));
                    let mut arguments = Vec::new();
                    for child in list {
                        let node = new[child.index()];
                        match (out.gate(node), conjunction) {
                            (Gate::And(inner), true) | (Gate::Or(inner), false)
                                if flatten && parents[child.index()] == 1 =>
                            {
                                arguments.extend_from_slice(inner);
                            }
                            _ => arguments.push(node),
                        }
                    }
                    out.join(arguments, conjunction)
                }
                Gate::AtLeast(k, list) => {
                    let list: Vec<Ref> = list.iter().map(|c| new[c.index()]).collect();
                    out.at_least(*k as usize, list)
                }
            };
        }
        let tops = tops.iter().map(|t| new[t.index()]).collect();
        (out, tops)
    }

    /// By node, how many refer to it; 0 for what none of the tops stands on.
    fn parents(&self, tops: &[Ref]) -> Vec<u32> {
        let n = tops.iter().map(|t| t.index() + 1).max().unwrap_or(0);
        let mut parents = vec![0u32; n];
        for top in tops {
            // A top is wanted for itself: it is not drawn into another.
            parents[top.index()] += 2;
        }
        for index in (0..n).rev() {
            if parents[index] > 0 {
                for child in self.gate(Ref(index as u32)).arguments() {
                    parents[child.index()] += 1;
                }
            }
        }
        parents
    }

    /// The events below a node, in order of number.
    #[must_use]
    pub fn events(&self, top: Ref) -> Vec<u32> {
        let mut events = Vec::new();
        for (index, parents) in self.parents(&[top]).into_iter().enumerate() {
            if let (Gate::Event(event), true) = (self.gate(Ref(index as u32)), parents > 0) {
                events.push(*event);
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
        let (small, tops) = s.reduced(&[outer]);
        assert_eq!(small.gate(tops[0]).arguments().len(), 3);
        let pair = s.and([inner, e[3]]);
        let shared = s.or([inner, pair]);
        let (small, tops) = s.reduced(&[shared]);
        assert_eq!(small.gate(tops[0]).arguments().len(), 2);
    }
}
