//! How to get the same figures again, and the digests that say whether they are the same.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use assize_model::finding::RunResult;

pub(super) const SECTION: Section = Section {
    id: "reproduce",
    title: "How to reproduce it",
    shown: |_| true,
    write,
};

fn write(scene: &Scene<'_>, page: &mut Html) {
    let outcome = scene.outcome;
    let path = match outcome.picture.path.as_str() {
        "" => "SCENARIO",
        path => path,
    };
    let seed = outcome.seed;
    let (command, same) = match outcome.engine {
        "run" => (
            format!("assize run {path} --seed {seed}"),
            "A live run measures; its figures come again within their error bounds.",
        ),
        _ => {
            let live = if outcome.picture.live { " --live" } else { "" };
            (
                format!("assize simulate {path} --seed {seed}{live}"),
                "The same files and seed give the same bytes, and the digests below. Variations \
                 (--set, --topology, --expect, --only) are part of it, where there were any.",
            )
        }
    };
    page.leaf("pre", &[], &command);
    page.leaf("p", &[], same);
    let heads = ["what", "value"];
    let events = crate::words::count(outcome.events);
    let rows = [
        ("model digest (SHA-256)", outcome.model_digest.as_str()),
        ("trace digest (SHA-256)", &outcome.trace_digest),
        ("events", &events),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for (name, value) in rows {
            page.el("tr", &[], |page| {
                page.leaf("th", &[("scope", "row")], name);
                page.el("td", &[], |page| page.leaf("code", &[], value));
            });
        }
    });
    if let Some(live) = outcome.live.as_ref().filter(|live| !live.runs.is_empty()) {
        attempts(&live.runs, page);
    }
}

/// Every run of a scenario that was run more than once.
fn attempts(runs: &[RunResult], page: &mut Html) {
    page.leaf("h3", &[], "Every run of it, in order");
    page.el("ol", &[], |page| {
        for run in runs {
            let figures = run
                .figures
                .iter()
                .map(|figure| format!("{} {}", figure.objective, figure.measured_text));
            let figures: Vec<String> = figures.collect();
            let mut text = run.verdict.replace('_', " ");
            if run.replaced {
                text.push_str(", tried again");
            }
            if let Some(reason) = &run.reason {
                text.push_str(&format!(": {reason}"));
            }
            if !figures.is_empty() {
                text.push_str(&format!(": {}", figures.join("; ")));
            }
            page.leaf("li", &[], &text);
        }
    });
}
