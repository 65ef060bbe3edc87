//! What exists to take over and never served, so that nothing here shows that it works.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;

pub(super) const SECTION: Section = Section {
    id: "never-exercised",
    title: "Never exercised, so not shown to work",
    shown: |scene| !scene.outcome.not_exercised.is_empty(),
    write: |scene, page| list(scene, page),
};

const HEADS: [&str; 2] = ["element", "what it is for"];

fn list(scene: &Scene<'_>, page: &mut Html) {
    parts::table(page, &[("class", "flow")], &HEADS, &[], |page| {
        for item in &scene.outcome.not_exercised {
            parts::words_row(page, &HEADS, &[&item.element, &item.what]);
        }
    });
}
