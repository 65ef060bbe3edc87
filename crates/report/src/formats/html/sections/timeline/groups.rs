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
    let mut alike: Vec<Vec<&GroupResult>> = Vec::new();
    for group in groups {
        let same = |known: &&mut Vec<&GroupResult>| known[0].restored_at == group.restored_at;
        match alike.iter_mut().find(same) {
            Some(known) => known.push(group),
            None => alike.push(vec![group]),
        }
    }
    for groups in alike {
        let (at, when) = match &groups[0].restored_at {
            Some(at) => (
                scene.axis.instant(at),
                format!("back for good {}", scene.clock.show(at)),
            ),
            None => (WIDTH, "not back by the end".to_owned()),
        };
        let ids: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
        let name = words::list(&ids);
        let note = format!("{}, {when}", sites(&groups));
        let alternative = format!("{name}: {note}");
        let (mut away, mut back) = (String::new(), String::new());
        bar(&mut away, 0.0, at, 3, 12);
        if at < WIDTH {
            bar(&mut back, at, WIDTH, 3, 12);
        }
        row(scene, page, 18, (&name, &note, &alternative), |page| {
            page.shape("path", &[("class", "away"), ("d", &away)]);
            page.shape("path", &[("class", "serve"), ("d", &back)]);
        });
    }
}

/// How many sites the groups have; of several, the fewest and the most.
fn sites(groups: &[&GroupResult]) -> String {
    let counts = groups.iter().map(|group| group.sites);
    let (least, most) = (counts.clone().min(), counts.max());
    match (least.unwrap_or(0), most.unwrap_or(0)) {
        (least, most) if least == most => {
            let each = if groups.len() > 1 { " each" } else { "" };
            format!("{}{each}", words::number(most as usize, "site", "sites"))
        }
        (least, most) => format!(
            "{} to {} sites each",
            words::count(least),
            words::count(most)
        ),
    }
}
