//! What was doubtful in the files, or noted by the run.

use super::Section;
use crate::words;

pub(super) const SECTION: Section = Section {
    id: "warnings",
    title: "Warnings",
    shown: |scene| {
        let live = scene.outcome.live.as_ref();
        !scene.outcome.warnings.is_empty() || live.is_some_and(|l| !l.disturbed.is_empty())
    },
    write: |scene, page| {
        let live = scene.outcome.live.iter().flat_map(|live| &live.disturbed);
        page.el("ul", &[], |page| {
            for warning in scene.outcome.warnings.iter().chain(live) {
                let text = words::capital(&scene.clock.within(warning));
                page.el("li", &[], |page| page.prose(&text));
            }
        });
    },
};
