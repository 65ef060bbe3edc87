//! When groups of sites came back for good.

use crate::formats::html::Scene;
use crate::formats::html::axis::WIDTH;
use crate::formats::html::markup::Html;
use crate::formats::html::parts::{bar, legend, row, ticks};
use crate::words;
use assize_model::finding::GroupResult;

pub(super) fn write(scene: &Scene<'_>, page: &mut Html) {
    let start = scene.outcome.start.as_str();
    let touched = |g: &&GroupResult| g.restored_at.as_deref().is_none_or(|at| at > start);
    let groups: Vec<&GroupResult> = scene.outcome.groups.iter().filter(touched).collect();
    if groups.is_empty() {
        return;
    }
    page.leaf("h3", &[], "When sites came back for good");
    legend(
        page,
        &[
            ("away", "some fault was still to touch them"),
            ("serve", "no fault touched them any more"),
        ],
    );
    ticks(scene, page);
    for group in groups {
        let sites = words::number(group.sites as usize, "site", "sites");
        let (at, when) = match &group.restored_at {
            Some(at) => (
                scene.axis.instant(at),
                format!("back for good {}", scene.clock.show(at)),
            ),
            None => (WIDTH, "not back by the end".to_owned()),
        };
        let note = format!("{sites}, {when}");
        let alternative = format!("{}: {note}", group.id);
        let (mut away, mut back) = (String::new(), String::new());
        bar(&mut away, 0.0, at, 3, 12);
        if at < WIDTH {
            bar(&mut back, at, WIDTH, 3, 12);
        }
        row(scene, page, 18, (&group.id, &note, &alternative), |page| {
            page.shape("path", &[("class", "away"), ("d", &away)]);
            page.shape("path", &[("class", "serve"), ("d", &back)]);
        });
    }
}
