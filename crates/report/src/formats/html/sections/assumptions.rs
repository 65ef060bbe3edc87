//! What the topology assumes, path by path, with the source or ground of each.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::words;

pub(super) const SECTION: Section = Section {
    id: "assumptions",
    title: "What the verdict rests on",
    shown: |scene| !scene.outcome.assumptions.is_empty(),
    write,
};

const HEADS: [&str; 2] = ["part of the topology", "assumption and source"];

fn write(scene: &Scene<'_>, page: &mut Html) {
    let all = &scene.outcome.assumptions;
    page.el("details", &[], |page| {
        let count = words::number(all.len(), "assumption", "assumptions");
        page.leaf("summary", &[], &format!("{count}, with their sources"));
        parts::table(page, &[("class", "flow")], &HEADS, &[], |page| {
            for one in all {
                parts::words_row(page, &HEADS, &[&one.path, &one.reason]);
            }
        });
    });
}
