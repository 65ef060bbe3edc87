//! The registry of what stands beside the scenarios of a page: one file and one line each, in the
//! order of the page. It is about all of them, and follows the last.

mod analysis;
mod compliance;
mod grounds;
mod record;

use super::markup::Html;
use crate::Suite;

/// A part of the page about all scenarios.
pub(super) struct Section {
    /// Its name in the page's addresses.
    pub(super) id: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// Whether there is anything to show.
    shown: fn(&Suite) -> bool,
    /// Writes what stands below the heading.
    write: fn(&Suite, &mut Html),
}

/// All sections.
const SECTIONS: &[Section] = &[
    grounds::ASSUMPTIONS,
    grounds::WARNINGS,
    analysis::SECTION,
    record::SECTION,
    compliance::SECTION,
];

/// Those that have something to show.
pub(super) fn shown(suite: &Suite) -> impl Iterator<Item = &'static Section> {
    SECTIONS.iter().filter(|section| (section.shown)(suite))
}

/// Writes them.
pub(super) fn write(suite: &Suite, page: &mut Html) {
    for section in shown(suite) {
        page.el("section", &[("id", section.id)], |page| {
            page.leaf("h2", &[], section.title);
            (section.write)(suite, page);
        });
        page.line();
    }
}
