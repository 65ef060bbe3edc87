//! Combinations of failures, like ones merged: the sites of a class are like each other.

use super::elements::Elements;
use crate::connected::choose;
use assize_model::NodeId;

/// What is said of the second of two failures at different sites.
pub(crate) const ELSEWHERE: &str = " (another site)";

/// Elements that fail together, in order of number; those of classes each at a site by number:
/// equal numbers are one site.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Case {
    pub(super) elements: Vec<(u32, u8)>,
}

impl Case {
    pub(super) fn one(element: u32) -> Self {
        Self {
            elements: vec![(element, 0)],
        }
    }

    pub(super) fn two(a: u32, b: u32, apart: bool) -> Self {
        Self {
            elements: vec![(a, 0), (b, u8::from(apart))],
        }
    }

    /// What there is once.
    pub(super) fn core(&self, elements: &Elements) -> Vec<u32> {
        let once = self.elements.iter().map(|e| e.0);
        once.filter(|e| class(elements, *e).is_none()).collect()
    }

    /// The sites that are touched, each with its class and what fails there.
    pub(super) fn sites(&self, elements: &Elements) -> Vec<(NodeId, Vec<u32>)> {
        let mut sites: Vec<((NodeId, u8), Vec<u32>)> = Vec::new();
        for &(element, site) in &self.elements {
            let Some(class) = class(elements, element) else {
                continue;
            };
            let key = (class, site);
            match sites.iter_mut().find(|s| s.0 == key) {
                Some(found) => found.1.push(element),
                None => sites.push((key, vec![element])),
            }
        }
        sites.into_iter().map(|((c, _), list)| (c, list)).collect()
    }

    /// For how many combinations of expanded elements it stands.
    pub(super) fn stands_for(&self, elements: &Elements) -> u128 {
        let mut product = 1u128;
        let mut done: Vec<(NodeId, u128, Vec<u32>)> = Vec::new();
        for (class, here) in self.sites(elements) {
            // Sites of a class are drawn one after the other; like draws are one in any order.
            let count = u128::from(elements.items[here[0] as usize].count);
            let before = done.iter().filter(|d| d.0 == class).count() as u128;
            let alike = done.iter().filter(|d| d.0 == class && d.2 == here).count() as u128;
            product = product.saturating_mul(count.saturating_sub(before)) / (alike + 1);
            done.push((class, count, here));
        }
        product
    }

    /// Its elements by name; what is not at the site of the first of its class is marked.
    pub(super) fn names(&self, elements: &Elements) -> Vec<String> {
        let name = |(element, site): &(u32, u8)| {
            let id = &elements.items[*element as usize].id;
            match site {
                0 => id.clone(),
                1 => format!("{id}{ELSEWHERE}"),
                _ => format!("{id} (site {})", site + 1),
            }
        };
        self.elements.iter().map(name).collect()
    }

    /// All combinations of fewer of these, sites numbered anew.
    pub(super) fn parts(&self, elements: &Elements) -> Vec<Self> {
        let n = self.elements.len();
        let part = |mask: u32| {
            let kept = (0..n).filter(|i| mask >> i & 1 == 1);
            let mut part = Self {
                elements: kept.map(|i| self.elements[i]).collect(),
            };
            part.number_sites(elements);
            part
        };
        (1..(1u32 << n) - 1).map(part).collect()
    }

    /// The one of all equal combinations: sites of a class in order of what fails there.
    pub(super) fn ordered(&self, elements: &Elements) -> Self {
        let core = self.core(elements).into_iter().map(|e| (e, 0));
        let mut list: Vec<(u32, u8)> = core.collect();
        let mut sites = self.sites(elements);
        sites.sort();
        for (i, (class, here)) in sites.iter().enumerate() {
            let number = sites[..i].iter().filter(|s| s.0 == *class).count() as u8;
            list.extend(here.iter().map(|e| (*e, number)));
        }
        list.sort_unstable();
        Self { elements: list }
    }

    /// Sites get the numbers 0, 1, … in the order in which they occur; what there is once has 0.
    pub(super) fn number_sites(&mut self, elements: &Elements) {
        let mut seen: Vec<(NodeId, u8)> = Vec::new();
        for (element, site) in &mut self.elements {
            let Some(class) = class(elements, *element) else {
                *site = 0;
                continue;
            };
            let key = (class, *site);
            let number = seen.iter().position(|s| *s == key).unwrap_or_else(|| {
                seen.push(key);
                seen.len() - 1
            });
            *site = number as u8;
        }
    }
}

pub(super) fn class(elements: &Elements, element: u32) -> Option<NodeId> {
    elements.items[element as usize].class
}

/// All pairs with the first of these relevant elements and one of those after it, or itself.
pub(super) fn pairs(elements: &Elements, relevant: &[u32], first: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    let a = relevant[first];
    for &b in &relevant[first..] {
        let (at_a, at_b) = (class(elements, a), class(elements, b));
        let apart = Case::two(a, b, true);
        if at_a.is_some() && at_b.is_some() && apart.stands_for(elements) > 0 {
            cases.push(apart);
        }
        if a != b && (at_a.is_none() || at_b.is_none() || at_a == at_b) {
            cases.push(Case::two(a, b, false));
        }
    }
    cases
}

/// How many combinations of `k` there are of so many elements.
pub(super) fn combinations(elements: u128, k: usize) -> u128 {
    choose(elements, k)
}
