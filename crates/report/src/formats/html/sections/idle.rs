//! What exists to take over and never served, so that nothing here shows that it works.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;

pub(super) const SECTION: Section = Section {
    id: "never-exercised",
    title: "Never exercised, so not shown to work",
    shown: |scene| !scene.outcome.not_exercised.is_empty(),
    write: list,
};

const HEADS: [&str; 2] = ["what it is for", "elements"];

fn list(scene: &Scene<'_>, page: &mut Html) {
    let items = scene.outcome.not_exercised.iter();
    let items = items.map(|item| (item.element.as_str(), item.what.as_str()));
    parts::table(page, &[("class", "flow")], &HEADS, &[], |page| {
        for (elements, what) in parts::alike(items) {
            parts::words_row(page, &HEADS, &[what, &elements]);
        }
    });
}
