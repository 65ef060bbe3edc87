//! What several scenarios rest on alike: it stands once, after all of them.

use super::markup::Html;
use crate::{Suite, tell, words};
use assize_model::finding::{AssumptionResult, Outcome};
use std::collections::BTreeMap;

/// Assumptions and warnings of more than one scenario, in the order of the first.
#[derive(Default)]
pub(super) struct Shared<'a> {
    pub(super) assumptions: Vec<&'a AssumptionResult>,
    pub(super) warnings: Vec<&'a str>,
}

impl<'a> Shared<'a> {
    pub(super) fn of(suite: &'a Suite) -> Self {
        let assumptions = tell::outcomes(suite).flat_map(|outcome| &outcome.assumptions);
        let warnings = tell::outcomes(suite).flat_map(|outcome| &outcome.warnings);
        Self {
            assumptions: repeated(assumptions, |one| (&one.path, &one.reason)),
            warnings: repeated(warnings.map(String::as_str), |text| *text),
        }
    }

    /// The assumptions of a scenario that no other has.
    pub(super) fn own_assumptions<'b>(&self, outcome: &'b Outcome) -> Vec<&'b AssumptionResult> {
        let alike = |a: &AssumptionResult, b: &AssumptionResult| {
            (&a.path, &a.reason) == (&b.path, &b.reason)
        };
        let known = |one: &&AssumptionResult| self.assumptions.iter().any(|a| alike(a, one));
        let all = outcome.assumptions.iter();
        all.filter(|one| !known(one)).collect()
    }

    /// The warnings of a scenario that no other has, those of its run included.
    pub(super) fn own_warnings<'b>(&self, outcome: &'b Outcome) -> Vec<&'b str> {
        let live = outcome.live.iter().flat_map(|live| &live.disturbed);
        let all = outcome.warnings.iter().chain(live).map(String::as_str);
        all.filter(|text| !self.warnings.contains(text)).collect()
    }
}

/// What is there more than once, the first of each.
fn repeated<T: Copy, K: Ord>(all: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let all: Vec<T> = all.collect();
    let mut counts: BTreeMap<K, usize> = BTreeMap::new();
    for one in &all {
        *counts.entry(key(one)).or_default() += 1;
    }
    // What is taken is not taken again.
    let mut take = |one: &T| match counts.get_mut(&key(one)) {
        Some(count) if *count > 1 => {
            *count = 0;
            true
        }
        _ => false,
    };
    all.into_iter().filter(|one| take(one)).collect()
}

/// Assumptions, folded away on the screen.
pub(super) fn assumptions(all: &[&AssumptionResult], page: &mut Html) {
    page.el("details", &[], |page| {
        let count = words::number(all.len(), "assumption", "assumptions");
        page.leaf("summary", &[], &format!("{count}, with their sources"));
        page.el("ul", &[("class", "pairs")], |page| {
            for one in all {
                page.el("li", &[], |page| {
                    page.leaf("b", &[], &one.path);
                    page.text(" ");
                    page.prose(&one.reason);
                });
            }
        });
    });
}

/// Warnings, one a line.
pub(super) fn warnings(all: impl IntoIterator<Item = String>, page: &mut Html) {
    page.el("ul", &[], |page| {
        for text in all {
            page.el("li", &[], |page| page.prose(&words::capital(&text)));
        }
    });
}
