//! What can break the network, apart from any scenario: single points of failure, the worst
//! combinations, what is too small. As an analysis found it that was made beforehand.

use super::Section;
use crate::Suite;
use crate::analysis::{Analysis, Availability, Journey, Sweep, Violation};
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::words;
use std::collections::BTreeMap;

/// How many rows are shown of a list.
const SHOWN: usize = 12;

pub(super) const SECTION: Section = Section {
    id: "analysis",
    title: "What can break it",
    shown: |suite| suite.analysis.is_some(),
    write,
};

fn write(suite: &Suite, page: &mut Html) {
    let Some(analysis) = &suite.analysis else {
        return;
    };
    let text = format!(
        "Found by `assize analyse` on `{}`, {} that can fail, whatever the scenario; it was made \
         beforehand and is shown as it was given.",
        analysis.name,
        words::number(analysis.size() as usize, "element", "elements")
    );
    page.el("p", &[("class", "faint")], |page| page.prose(&text));
    journeys(&analysis.journeys, page);
    combinations(&analysis.sweep, page);
    loads(analysis, page);
    for warning in &analysis.warnings {
        page.el("p", &[("class", "note")], |page| {
            page.prose(&words::capital(warning))
        });
    }
}

/// Single points: what all populations lose alike stands once.
fn journeys(journeys: &[Journey], page: &mut Html) {
    if journeys.is_empty() {
        return;
    }
    page.leaf("h3", &[], "Single points of failure");
    points(journeys, page);
    // On paper the list by element suffices.
    page.el("details", &[("class", "screen")], |page| {
        page.leaf("summary", &[], "Journey by journey");
        let heads = ["journey", "available", "single points of failure"];
        let mut alike: Vec<(&Journey, Vec<&str>)> = Vec::new();
        for journey in journeys {
            let same = |(known, _): &&mut (&Journey, Vec<&str>)| {
                known.journey == journey.journey
                    && known.single_points == journey.single_points
                    && known.availability == journey.availability
            };
            match alike.iter_mut().find(same) {
                Some((_, who)) => who.push(&journey.population),
                None => alike.push((journey, vec![&journey.population])),
            }
        }
        parts::table(page, &[("class", "flow")], &heads, &[], |page| {
            for (journey, who) in &alike {
                let name = format!("{} of {}", journey.journey, words::list(who));
                let cells = [&name, &available(journey), &listed(journey)];
                parts::words_row(page, &heads, &cells.map(String::as_str));
            }
        });
    });
}

/// Elements by what they take away alone, the worst first.
fn points(journeys: &[Journey], page: &mut Html) {
    let mut elements: BTreeMap<&str, (Vec<String>, bool)> = BTreeMap::new();
    for journey in journeys {
        for point in &journey.single_points {
            let part = match point.share {
                share if share < 1.0 => format!(" ({})", words::share(share)),
                _ => String::new(),
            };
            let entry = elements.entry(&point.element).or_default();
            entry.0.push(format!("{}{part}", journey.journey));
            entry.1 |= point.accepted;
        }
    }
    if elements.is_empty() {
        page.leaf(
            "p",
            &[],
            "Nothing alone takes a journey from more than one site.",
        );
        return;
    }
    // Elements that take away the same are one row.
    let mut alike: Vec<(Vec<String>, &Vec<String>)> = Vec::new();
    for (element, (lost, accepted)) in &elements {
        let mark = if *accepted { " (accepted)" } else { "" };
        let name = format!("`{element}`{mark}");
        match alike.iter_mut().find(|(_, known)| *known == lost) {
            Some((names, _)) => names.push(name),
            None => alike.push((vec![name], lost)),
        }
    }
    alike.sort_by_key(|(_, lost)| std::cmp::Reverse(lost.len()));
    let heads = ["if this fails", "this cannot be done until it is repaired"];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for (names, lost) in alike.iter().take(SHOWN) {
            let text = counted(lost);
            parts::words_row(page, &heads, &[&names.join(", "), &text]);
        }
    });
    let rest = alike.iter().skip(SHOWN).map(|(names, _)| names.len()).sum();
    more(rest, "further element", "further elements", page);
}

/// Journeys that are lost; those of several populations with how many these are.
fn counted(lost: &[String]) -> String {
    let mut each: BTreeMap<&str, usize> = BTreeMap::new();
    for journey in lost {
        *each.entry(journey).or_default() += 1;
    }
    let texts = each.into_iter().map(|(journey, n)| match n {
        1 => journey.to_owned(),
        n => format!("{journey} ({n} populations)"),
    });
    texts.collect::<Vec<_>>().join(", ")
}

fn available(journey: &Journey) -> String {
    match journey.availability {
        None => "not known".to_owned(),
        Some(Availability::Exact { exact }) => words::share(exact),
        Some(Availability::Between { lower, upper }) => {
            format!("{} to {}", words::share(lower), words::share(upper))
        }
    }
}

fn listed(journey: &Journey) -> String {
    let one = |point: &crate::analysis::SinglePoint| {
        let accepted = if point.accepted { ", accepted" } else { "" };
        match (point.share, accepted) {
            (share, accepted) if share < 1.0 => {
                format!("`{}` ({}{accepted})", point.element, words::share(share))
            }
            (_, "") => format!("`{}`", point.element),
            _ => format!("`{}` (accepted)", point.element),
        }
    };
    match journey.single_points.as_slice() {
        [] => "none".to_owned(),
        points => points.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

/// How many combinations violate, and the worst of two and more.
fn combinations(sweeps: &[Sweep], page: &mut Html) {
    if sweeps.is_empty() {
        return;
    }
    page.leaf("h3", &[], "Combinations");
    page.el("ul", &[], |page| {
        for sweep in sweeps {
            let small = match sweep.overloaded {
                0 => String::new(),
                n => format!(", {n} of them only because a link or a service is too small"),
            };
            let text = format!(
                "{} at a time: {} of {} combinations miss a target{small}",
                sweep.k,
                large(sweep.violating),
                large(sweep.combinations)
            );
            page.leaf("li", &[], &text);
        }
    });
    let several = sweeps.iter().filter(|sweep| sweep.k > 1);
    let mut worst: Vec<&Violation> = several.flat_map(|sweep| &sweep.minimal).collect();
    if worst.is_empty() {
        return;
    }
    worst.sort_by_key(|violation| std::cmp::Reverse(violation.objectives.len()));
    let text = "The worst that take all of their elements, by how many targets they miss:";
    page.leaf("p", &[], text);
    let heads = ["together", "targets missed"];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for violation in worst.iter().take(SHOWN) {
            let names = violation.elements.iter().map(|name| format!("`{name}`"));
            let mut names = names.collect::<Vec<_>>().join(" and ");
            if violation.combinations > 1 {
                names.push_str(&format!(", {} alike", large(violation.combinations)));
            }
            let missed = &violation.objectives;
            let mut text = format!("{}: {}", missed.len(), missed.join(", "));
            if !violation.overloaded.is_empty() {
                text.push_str(&format!("; too small: {}", violation.overloaded.join(", ")));
            }
            parts::words_row(page, &heads, &[&names, &text]);
        }
    });
    let rest = worst.len().saturating_sub(SHOWN);
    more(rest, "further combination", "further combinations", page);
}

/// Links and services with a limit, the fullest first.
fn loads(analysis: &Analysis, page: &mut Html) {
    let fullest = |load: &crate::analysis::Load| load.fullest().map_or(load.at_rest, |w| w.share);
    let mut loads: Vec<_> = analysis.loads.iter().filter(|l| fullest(l) > 0.0).collect();
    if loads.is_empty() {
        return;
    }
    loads.sort_by(|a, b| fullest(b).total_cmp(&fullest(a)));
    page.leaf("h3", &[], "Capacity");
    let heads = [
        "link or service",
        "limit",
        "without failures",
        "at worst",
        "when this fails",
    ];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for load in loads.iter().take(SHOWN) {
            let (worst, failed) = match load.fullest() {
                Some(worst) => (worst.share, worst.elements.join(" and ")),
                None => (load.at_rest, "nothing makes it worse".to_owned()),
            };
            let name = format!("`{}`", load.element);
            let cells = [
                &name,
                &load.limit,
                &words::share(load.at_rest),
                &words::share(worst),
                &failed,
            ];
            parts::words_row(page, &heads, &cells.map(String::as_str));
        }
    });
    let text = "Shares are of the limit, at the usual demand: above 100 % users are turned away.";
    page.leaf("p", &[("class", "faint")], text);
    let rest = loads.len().saturating_sub(SHOWN);
    more(
        rest,
        "further link or service",
        "further links and services",
        page,
    );
}

/// That a list goes on.
fn more(rest: usize, one: &str, many: &str, page: &mut Html) {
    if rest > 0 {
        let text = format!(
            "And {}: the analysis lists them.",
            words::number(rest, one, many)
        );
        page.leaf("p", &[("class", "faint")], &text);
    }
}

fn large(count: u128) -> String {
    u64::try_from(count).map_or_else(|_| count.to_string(), words::count)
}
