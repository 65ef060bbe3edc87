//! What the topology assumes, path by path, with the source or ground of each.

use super::Section;
use crate::formats::html::{Scene, shared};

pub(super) const SECTION: Section = Section {
    id: "assumptions",
    title: "What the verdict rests on",
    shown: |scene| !scene.shared.own_assumptions(scene.outcome).is_empty(),
    write: |scene: &Scene<'_>, page| {
        shared::assumptions(&scene.shared.own_assumptions(scene.outcome), page);
    },
};
