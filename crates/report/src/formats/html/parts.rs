//! What sections are made of: tables, rows over time, marks of a status.

use super::Scene;
use super::axis::WIDTH;
use super::markup::{Attrs, Html};
use crate::text::Paint;
use assize_model::finding::Outcome;
use std::fmt::Write as _;

/// The class of what stands out; the words beside it say the same.
pub(super) const fn class(paint: Paint) -> &'static str {
    match paint {
        Paint::Good => "good",
        Paint::Bad => "bad",
        Paint::Care => "care",
        Paint::Faint => "faint",
        Paint::Plain | Paint::Strong => "plain",
    }
}

/// A status, framed.
pub(super) fn pill(page: &mut Html, text: &str, paint: Paint) {
    let class = format!("pill {}", class(paint));
    page.leaf("span", &[("class", &class)], text);
}

/// What all findings were tested on, if it is the same for all; otherwise each says its own.
pub(super) fn tested_on(outcome: &Outcome) -> String {
    let first = outcome.findings.first().map(|f| f.tested_on);
    match first {
        Some(on) if outcome.findings.iter().all(|f| f.tested_on == on) => match on {
            "simulation" => " All tested in simulation.".to_owned(),
            "observed" => " All judged on what was observed.".to_owned(),
            "real" => " All tested on real systems.".to_owned(),
            "stand-in" => " All tested on stand-ins, not on real systems.".to_owned(),
            other => format!(" All tested by {other}."),
        },
        _ => String::new(),
    }
}

/// A table with its heads; `figures` are the columns that stand at the right.
pub(super) fn table(
    page: &mut Html,
    attrs: Attrs<'_>,
    heads: &[&str],
    figures: &[usize],
    rows: impl FnOnce(&mut Html),
) {
    page.el("table", attrs, |page| {
        page.el("thead", &[], |page| {
            page.el("tr", &[], |page| {
                for (index, head) in heads.iter().enumerate() {
                    let class = if figures.contains(&index) { "n" } else { "" };
                    page.leaf("th", &[("scope", "col"), ("class", class)], head);
                }
            });
        });
        page.el("tbody", &[], rows);
    });
    page.line();
}

/// A row of a table of words; the first cell is its head.
pub(super) fn words_row(page: &mut Html, heads: &[&str], cells: &[&str]) {
    page.el("tr", &[], |page| {
        for (index, (cell, head)) in cells.iter().zip(heads).enumerate() {
            if index == 0 {
                page.el("th", &[("scope", "row")], |page| page.prose(cell));
            } else {
                page.el("td", &[("data-h", head)], |page| page.prose(cell));
            }
        }
    });
}

/// Names by what is said of them: what is said of several stands once, with all of them.
pub(super) fn alike<'a>(
    entries: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<(String, &'a str)> {
    let mut all: Vec<(String, &str)> = Vec::new();
    for (name, said) in entries {
        match all.iter_mut().find(|(_, known)| *known == said) {
            Some((names, _)) => *names = format!("{names}, {name}"),
            None => all.push((name.to_owned(), said)),
        }
    }
    all
}

/// A note in a legend: a small picture of a class, and what it means.
pub(super) fn legend(page: &mut Html, entries: &[(&str, &str)]) {
    page.el("ul", &[("class", "legend")], |page| {
        for (class, text) in entries {
            page.el("li", &[], |page| {
                let attrs = [("viewBox", "0 0 26 12"), ("aria-hidden", "true")];
                page.el("svg", &attrs, |page| {
                    let lines = matches!(*class, "step");
                    let d = if lines { "M13 0V12" } else { "M1 1H25V11H1Z" };
                    page.shape("path", &[("class", class), ("d", d)]);
                });
                page.text(text);
            });
        }
    });
}

/// The axis above or below rows.
pub(super) fn ticks(scene: &Scene<'_>, page: &mut Html) {
    page.el(
        "div",
        &[("class", "row axis"), ("aria-hidden", "true")],
        |page| {
            page.el("div", &[], |_| {});
            page.el("div", &[("class", "ticks")], |page| {
                for tick in scene.axis.ticks() {
                    // At the very edge a text would leave the page.
                    if (5.0..95.5).contains(&tick.at) {
                        let style = format!("left:{:.2}%", tick.at);
                        page.leaf("span", &[("style", &style)], &tick.text);
                    }
                }
            });
        },
    );
}

/// A row over time: its name, what is said beside it, and a strip with a text of its own.
pub(super) fn row(
    scene: &Scene<'_>,
    page: &mut Html,
    height: u32,
    (name, note, alternative): (&str, &str, &str),
    draw: impl FnOnce(&mut Html),
) {
    page.el("div", &[("class", "row")], |page| {
        page.el("div", &[("class", "label")], |page| {
            page.leaf("b", &[], name);
            if !note.is_empty() {
                page.text(" ");
                page.el("span", &[("class", "faint")], |page| page.prose(note));
            }
        });
        strip(page, height, &alternative.replace('`', ""), |page| {
            let mut lines = String::new();
            for tick in scene.axis.ticks() {
                let _ = write!(lines, "M{} 0V{height}", number(tick.at * 10.0));
            }
            page.shape("path", &[("class", "grid"), ("d", &lines)]);
            draw(page);
        });
    });
    page.line();
}

/// A picture as wide as there is room, so high, in thousandths of its width.
pub(super) fn strip(page: &mut Html, height: u32, text: &str, draw: impl FnOnce(&mut Html)) {
    let view = format!("0 0 {WIDTH} {height}");
    let style = format!("height:{height}px");
    let attrs = [
        ("class", "strip"),
        ("viewBox", view.as_str()),
        ("preserveAspectRatio", "none"),
        ("style", &style),
        ("role", "img"),
        ("aria-label", text),
    ];
    page.el("svg", &attrs, draw);
}

/// A bar from here to there, so far down and so high; never too thin to be seen.
pub(super) fn bar(path: &mut String, from: f64, to: f64, top: u32, height: u32) {
    let width = (to - from).max(0.8);
    let _ = write!(
        path,
        "M{} {top}h{}v{height}h-{}z",
        number(from),
        number(width),
        number(width)
    );
}

/// A coordinate with one place.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
