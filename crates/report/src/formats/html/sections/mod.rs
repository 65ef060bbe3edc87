//! The registry of sections: one file and one line each, in the order of the page.

mod assumptions;
mod backups;
mod blast;
mod contract;
mod data;
mod idle;
mod network;
mod predicted;
mod reproduce;
mod short;
mod symptoms;
mod targets;
mod timeline;
mod warnings;
mod why;

use super::markup::Html;
use super::{Scene, beside};
use crate::Suite;

/// A part of the page about a scenario.
struct Section {
    /// Its name in the page's addresses.
    id: &'static str,
    /// Its heading; none for the first screen, which stands below the verdict.
    title: &'static str,
    /// Whether there is anything to show.
    shown: fn(&Scene<'_>) -> bool,
    /// Writes what stands below the heading.
    write: fn(&Scene<'_>, &mut Html),
}

/// All sections.
const SECTIONS: &[Section] = &[
    targets::SECTION,
    short::SECTION,
    timeline::SECTION,
    network::SECTION,
    blast::SECTION,
    why::SECTION,
    contract::SECTION,
    data::SECTION,
    backups::SECTION,
    predicted::SECTION,
    symptoms::SECTION,
    idle::SECTION,
    assumptions::SECTION,
    warnings::SECTION,
    reproduce::SECTION,
];

/// Writes those that have something to show, with links to them after the first.
pub(super) fn write(scene: &Scene<'_>, suite: &Suite, page: &mut Html) {
    let shown: Vec<&Section> = SECTIONS.iter().filter(|s| (s.shown)(scene)).collect();
    for section in &shown {
        let id = format!("{}{}", scene.prefix, section.id);
        page.el("section", &[("id", &id)], |page| {
            if !section.title.is_empty() {
                page.leaf("h2", &[], section.title);
            }
            (section.write)(scene, page);
        });
        page.line();
        if section.title.is_empty() && suite.runs.len() == 1 {
            contents(scene, &shown, suite, page);
        }
    }
}

fn contents(scene: &Scene<'_>, shown: &[&Section], suite: &Suite, page: &mut Html) {
    let own = shown.iter().filter(|s| !s.title.is_empty());
    let own = own.map(|s| (format!("#{}{}", scene.prefix, s.id), s.title));
    let beside = beside::shown(suite).map(|s| (format!("#{}", s.id), s.title));
    page.el("nav", &[("aria-label", "Contents")], |page| {
        page.el("ul", &[("class", "nav")], |page| {
            for (link, title) in own.chain(beside) {
                page.el("li", &[], |page| {
                    page.leaf("a", &[("href", &link)], title);
                });
            }
        });
    });
}
