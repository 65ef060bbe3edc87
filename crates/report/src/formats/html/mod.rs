//! HTML: one page without script, font, image or request, for screen, telephone and paper.
//!
//! The first screen has the verdict and the targets; what follows is a registry of sections, one
//! file each (`sections/mod.rs`), and one of what stands beside all scenarios (`beside/mod.rs`).
//! Pictures are inline SVG with their text beside them, and
//! nothing is said by colour alone. All text is escaped by `markup`, and the page forbids itself
//! every request. The version of the format is `assize-format` in the head.

mod axis;
mod beside;
mod map;
mod markup;
mod parts;
mod sections;
mod shared;

use crate::suite::{Run, Suite};
use crate::text::Paint;
use crate::{Format, Style, summary, tell, words};
use assize_model::finding::Outcome;
use axis::Axis;
use markup::Html;
use shared::Shared;
use std::io::{self, Write};

/// The registry's line.
pub const FORMAT: Format = Format {
    name: "html",
    about: "one page to read, print and keep, with pictures and without any request",
    write,
    ends_in_words: false,
};

const VERSION: &str = "assize/html/v1";
const GENERATOR: &str = concat!("assize ", env!("CARGO_PKG_VERSION"));
/// Whatever a file says, the page loads and runs nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'";

/// What the sections of a scenario read.
struct Scene<'a> {
    outcome: &'a Outcome,
    clock: words::Clock,
    axis: Axis,
    /// What other scenarios of the page rest on too.
    shared: &'a Shared<'a>,
    /// Put before each name of a place in the page, so that scenarios do not share them.
    prefix: String,
}

fn write(suite: &Suite, _: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Html::default();
    page.own("<!DOCTYPE html>\n");
    page.el("html", &[("lang", "en")], |page| {
        head(suite, page);
        page.el("body", &[], |page| body(suite, page));
    });
    page.line();
    out.write_all(page.into_text().as_bytes())
}

fn head(suite: &Suite, page: &mut Html) {
    let title = match suite.runs.as_slice() {
        [run] => tell::title(run.scenario(), run.topology()),
        runs => words::number(runs.len(), "scenario", "scenarios"),
    };
    page.el("head", &[], |page| {
        page.void("meta", &[("charset", "utf-8")]);
        let meta = |page: &mut Html, name, content| {
            page.void("meta", &[("name", name), ("content", content)]);
        };
        meta(page, "viewport", "width=device-width, initial-scale=1");
        meta(page, "color-scheme", "light dark");
        meta(page, "generator", GENERATOR);
        meta(page, "assize-format", VERSION);
        let policy = [
            ("http-equiv", "Content-Security-Policy"),
            ("content", POLICY),
        ];
        page.void("meta", &policy);
        page.leaf("title", &[], &format!("{title}: {}", verdict(suite)));
        page.el("style", &[], |page| page.own(include_str!("style.css")));
    });
}

fn verdict(suite: &Suite) -> String {
    if suite.forced.is_some() {
        return "COULD NOT RUN".into();
    }
    let on = tell::on_stand_ins(tell::outcomes(suite));
    tell::verdict_text(suite.verdict(), suite.tally(), on)
}

fn body(suite: &Suite, page: &mut Html) {
    page.leaf(
        "a",
        &[("class", "skip"), ("href", "#targets")],
        "To the targets",
    );
    page.el("main", &[], |page| {
        if let Some(forced) = &suite.forced {
            page.leaf("p", &[("class", "note")], &words::capital(&forced.why));
        }
        match suite.runs.as_slice() {
            [run] => scenario(run, suite, (&Shared::default(), ""), page),
            runs => {
                together(suite, page);
                let shared = Shared::of(suite);
                for (index, run) in runs.iter().enumerate() {
                    let id = format!("run-{}", index + 1);
                    page.el("article", &[("class", "run"), ("id", &id)], |page| {
                        let prefix = format!("{id}-");
                        scenario(run, suite, (&shared, &prefix), page);
                    });
                }
            }
        }
        beside::write(suite, page);
        let line = format!("{}.", summary::last_line(suite));
        page.el("p", &[("class", "faint")], |page| page.prose(&line));
        page.leaf(
            "p",
            &[("class", "faint")],
            &format!("{GENERATOR}, {VERSION}"),
        );
    });
}

/// The heading of a scenario or of all of them.
fn heading(
    title: &str,
    verdict: &str,
    paint: Paint,
    page: &mut Html,
    more: impl FnOnce(&mut Html),
) {
    let class = format!("head {}", parts::class(paint));
    page.el("header", &[("class", &class)], |page| {
        page.leaf("h1", &[], title);
        page.leaf("p", &[("class", "word")], verdict);
        more(page);
    });
}

/// Several scenarios: all verdicts on one screen.
fn together(suite: &Suite, page: &mut Html) {
    let title = words::number(suite.runs.len(), "scenario", "scenarios");
    let paint = tell::verdict_paint(suite.verdict());
    heading(&title, &verdict(suite), paint, page, |_| {});
    let heads = [
        "scenario",
        "verdict",
        "met",
        "missed",
        "accepted",
        "undecided",
    ];
    let named = [("class", "flow tight"), ("id", "targets")];
    parts::table(page, &named, &heads, &[2, 3, 4, 5], |page| {
        for (index, run) in suite.runs.iter().enumerate() {
            let tally = run.tally();
            page.el("tr", &[], |page| {
                page.el("th", &[("scope", "row")], |page| {
                    let link = format!("#run-{}", index + 1);
                    let title = tell::title(run.scenario(), run.topology());
                    page.leaf("a", &[("href", &link)], &title);
                });
                page.el("td", &[], |page| {
                    let word = tell::verdict_word(run.verdict());
                    parts::pill(page, word, tell::verdict_paint(run.verdict()));
                });
                let counts = [tally.met, tally.missed, tally.accepted, tally.open];
                for (count, head) in counts.into_iter().zip(&heads[2..]) {
                    let text = words::count(count as u64);
                    page.leaf("td", &[("class", "n"), ("data-h", head)], &text);
                }
            });
        }
    });
}

fn scenario(run: &Run, suite: &Suite, (shared, prefix): (&Shared<'_>, &str), page: &mut Html) {
    let title = tell::title(run.scenario(), run.topology());
    let paint = tell::verdict_paint(run.verdict());
    let outcome = match run {
        Run::Judged(outcome) => outcome,
        Run::NotRun { reason, .. } => {
            return heading(&title, "COULD NOT RUN", paint, page, |page| {
                page.leaf("p", &[], reason);
            });
        }
    };
    let scene = Scene {
        outcome,
        clock: words::Clock::new(&outcome.start, &outcome.end),
        axis: Axis::new(&outcome.start, &outcome.end),
        shared,
        prefix: prefix.to_owned(),
    };
    let on = tell::on_stand_ins([outcome.as_ref()]);
    let verdict = tell::verdict_text(run.verdict(), run.tally(), on);
    heading(&title, &verdict, paint, page, |page| about(&scene, page));
    if let Some(cut) = tell::cut(outcome) {
        page.leaf("p", &[("class", "note")], cut);
    }
    sections::write(&scene, suite, page);
}

/// When, how and on what.
fn about(scene: &Scene<'_>, page: &mut Html) {
    let outcome = scene.outcome;
    let tested = parts::tested_on(outcome);
    let text = format!(
        "{} to {} UTC, {}, seed {}.{tested}",
        words::Clock::full(&outcome.start),
        words::Clock::full(&outcome.end),
        tell::how(outcome),
        outcome.seed
    );
    page.leaf("p", &[("class", "meta")], &text);
}

#[cfg(test)]
mod tests;
