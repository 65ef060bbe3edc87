//! What the control plane and people decided: each kind once for an element, with its first time.

use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::words;
use assize_fault::Nanos;
use assize_model::journal::DecisionKind;

/// Rows at most.
const MOST: usize = 60;

pub(super) fn write(scene: &Scene<'_>, page: &mut Html) {
    let mut rows: Vec<(Nanos, DecisionKind, &str, usize)> = Vec::new();
    for event in &scene.outcome.picture.events {
        let mut known = rows.iter_mut();
        match known.find(|row| row.1 == event.kind && row.2 == event.subject) {
            Some(row) => row.3 += 1,
            None => rows.push((event.at, event.kind, &event.subject, 1)),
        }
    }
    if rows.is_empty() {
        return;
    }
    page.el("details", &[], |page| {
        let decisions = scene.outcome.picture.events.len();
        let count = words::number(decisions, "decision", "decisions");
        let text = format!("What the control plane and people decided: {count}");
        page.leaf("summary", &[], &text);
        let heads = ["first at", "what", "element", "times"];
        parts::table(page, &[("class", "flow")], &heads, &[], |page| {
            for (at, kind, subject, times) in rows.iter().take(MOST) {
                let (at, times) = (scene.axis.text(at.0), words::count(*times as u64));
                parts::words_row(page, &heads, &[&at, word(*kind), subject, &times]);
            }
        });
        if rows.len() > MOST {
            let text = format!("And {} more elements.", rows.len() - MOST);
            page.leaf("p", &[("class", "faint")], &text);
        }
    });
}

/// A decision in words.
pub(in super::super) const fn word(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Down => "called down by a check",
        DecisionKind::Up => "called up again by a check",
        DecisionKind::RouteDown => "taken out by routing",
        DecisionKind::RouteUp => "taken back by routing",
        DecisionKind::PromotionBegun => "promotion began",
        DecisionKind::Promoted => "promoted",
        DecisionKind::PromotionFailed => "promotion failed",
        DecisionKind::FailBackBegun => "fail-back began",
        DecisionKind::FailedBack => "failed back",
        DecisionKind::Activated => "activated",
        DecisionKind::PeopleKnow => "people noticed",
        DecisionKind::Diagnosed => "people found the cause",
        DecisionKind::Mended => "people mended it",
    }
}
