//! What the findings support of the frameworks that a customer answers to: those with evidence,
//! and the names of those without. It informs, and decides nothing.

use super::Section;
use crate::compliance::{Caf, Compliance, Evidence, Outcome, State, map};
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::text::Paint;
use crate::{Suite, tell, words};
use serde_json::json;

/// How many pieces of evidence are named of a kind.
const SHOWN: usize = 6;

pub(super) const SECTION: Section = Section {
    id: "compliance",
    title: "What it supports of CAF, ISO 22301, ISO/IEC 27001 and MoJ policy",
    shown: |suite| tell::outcomes(suite).any(|outcome| !outcome.findings.is_empty()),
    write,
};

fn write(suite: &Suite, page: &mut Html) {
    // What the map reads of a verdict, and not the hundred thousand lines beside it.
    let verdicts = tell::outcomes(suite).map(|outcome| {
        json!({
            "schema": outcome.schema, "scenario": outcome.scenario, "engine": outcome.engine,
            "verdict": outcome.verdict, "findings": outcome.findings, "faults": outcome.faults,
            "steps": outcome.steps, "expected": outcome.expected,
        })
    });
    let verdicts: Vec<_> = verdicts.collect();
    let Ok(found) = map(&verdicts, Caf::V3_2) else {
        return;
    };
    page.el("details", &[], |page| {
        page.leaf("summary", &[], &in_short(&found));
        table(&found, suite.runs.len() > 1, page);
        bare(&found, page);
    });
}

fn in_short(found: &Compliance) -> String {
    let count = |state| found.outcomes.iter().filter(|o| o.state == state).count();
    let design = match found.design_only {
        0 => String::new(),
        n => format!(
            " {} of simulations or stand-ins: they support design at most.",
            words::number(n, "finding", "findings")
        ),
    };
    format!(
        "Evidence for {}, against {}, none for {} of {} outcomes and controls.{design}",
        count(State::Supported),
        count(State::Against),
        count(State::NoEvidence),
        found.outcomes.len()
    )
}

fn table(found: &Compliance, several: bool, page: &mut Html) {
    let with = || {
        found
            .outcomes
            .iter()
            .filter(|o| o.state != State::NoEvidence)
    };
    if with().next().is_none() {
        return;
    }
    let heads = ["outcome or control", "evidence", "what bears on it"];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for outcome in with() {
            row(outcome, several, heads, page);
        }
    });
}

fn row(outcome: &Outcome, several: bool, heads: [&str; 3], page: &mut Html) {
    let (word, paint) = match outcome.state {
        State::Supported => ("for it", Paint::Good),
        State::Against => ("against it", Paint::Bad),
        State::Undecided => ("undecided", Paint::Care),
        State::NoEvidence => ("none", Paint::Faint),
    };
    page.el("tr", &[], |page| {
        page.el("th", &[("scope", "row")], |page| {
            page.text(&format!("{} {}", outcome.id, outcome.name));
            let of = format!(" {}", outcome.framework);
            page.leaf("span", &[("class", "faint")], &of);
        });
        page.el("td", &[("data-h", heads[1])], |page| {
            parts::pill(page, word, paint);
        });
        page.el("td", &[("data-h", heads[2])], |page| {
            let kinds = [
                ("Against", &outcome.against),
                ("For", &outcome.supports),
                ("Undecided", &outcome.undecided),
            ];
            let texts = kinds.iter().filter(|(_, list)| !list.is_empty());
            let texts = texts.map(|(word, list)| format!("{word}: {}.", named(list, several)));
            page.text(&texts.collect::<Vec<_>>().join(" "));
        });
    });
}

/// The objectives that are evidence, each once, with what they were tested on.
fn named(list: &[Evidence], several: bool) -> String {
    let mut names: Vec<String> = Vec::new();
    for one in list {
        let name = match (one.objective.as_str(), several) {
            ("", _) => one.shows.clone(),
            (objective, true) => format!("{objective} in {}", one.run),
            (objective, false) => objective.to_owned(),
        };
        let name = format!("{name} ({})", one.tested_on.word());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn bare(found: &Compliance, page: &mut Html) {
    let bare = found
        .outcomes
        .iter()
        .filter(|o| o.state == State::NoEvidence);
    let names: Vec<String> = bare.map(|o| format!("{} {}", o.id, o.name)).collect();
    if !names.is_empty() {
        let text = format!("Nothing here bears on: {}.", names.join("; "));
        page.leaf("p", &[], &text);
    }
    let text = "`assize compliance` says what each asks, and lists every piece of evidence.";
    page.el("p", &[("class", "faint")], |page| page.prose(text));
}
