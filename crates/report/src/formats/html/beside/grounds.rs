//! Of several scenarios: what more than one of them assumes, and what is doubtful of more than
//! one, once.

use super::Section;
use crate::Suite;
use crate::formats::html::markup::Html;
use crate::formats::html::shared::{self, Shared};

pub(super) const ASSUMPTIONS: Section = Section {
    id: "assumptions",
    title: "What the verdicts rest on",
    shown: |suite| several(suite) && !Shared::of(suite).assumptions.is_empty(),
    write: |suite, page: &mut Html| shared::assumptions(&Shared::of(suite).assumptions, page),
};

pub(super) const WARNINGS: Section = Section {
    id: "warnings",
    title: "Warnings",
    shown: |suite| several(suite) && !Shared::of(suite).warnings.is_empty(),
    write: |suite, page: &mut Html| {
        let texts = Shared::of(suite).warnings.into_iter().map(str::to_owned);
        shared::warnings(texts, page);
    },
};

fn several(suite: &Suite) -> bool {
    suite.runs.len() > 1
}
