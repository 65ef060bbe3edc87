//! What became of acknowledged writes, service by service.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::words;

pub(super) const SECTION: Section = Section {
    id: "data",
    title: "What became of the data",
    shown: |scene| scene.outcome.services.iter().any(|s| s.data.is_some()),
    write,
};

const HEADS: [&str; 8] = [
    "service",
    "acknowledged writes",
    "lost",
    "duplicated",
    "stale reads",
    "corrupted",
    "unknown",
    "recovery point",
];

fn write(scene: &Scene<'_>, page: &mut Html) {
    parts::table(page, &[("class", "flow")], &HEADS, &[], |page| {
        for service in &scene.outcome.services {
            let Some(data) = &service.data else { continue };
            let counts = [
                data.acknowledged,
                data.lost,
                data.duplicated,
                data.stale,
                data.corrupted,
                data.indeterminate,
            ];
            let mut cells = vec![service.id.clone()];
            cells.extend(counts.map(words::count));
            cells.push(data.rpo.to_string());
            if let (Some(oldest), Some(newest)) = (&data.oldest_lost_at, &data.newest_lost_at) {
                let (oldest, newest) = (scene.clock.show(oldest), scene.clock.show(newest));
                cells[2].push_str(&format!(", acknowledged {oldest} to {newest}"));
            }
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            parts::words_row(page, &HEADS, &cells);
        }
    });
}
