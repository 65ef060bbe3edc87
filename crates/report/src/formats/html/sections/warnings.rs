//! What was doubtful in the files, or noted by the run.

use super::Section;
use crate::formats::html::{Scene, shared};

pub(super) const SECTION: Section = Section {
    id: "warnings",
    title: "Warnings",
    shown: |scene| !scene.shared.own_warnings(scene.outcome).is_empty(),
    write: |scene: &Scene<'_>, page| {
        let own = scene.shared.own_warnings(scene.outcome);
        let texts = own.into_iter().map(|text| scene.clock.within(text));
        shared::warnings(texts, page);
    },
};
