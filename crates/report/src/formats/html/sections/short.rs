//! The story in a few sentences, each from the figures of the page.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::words;
use assize_fault::Nanos;
use assize_model::finding::{Outcome, PopulationResult};
use std::collections::BTreeMap;

pub(super) const SECTION: Section = Section {
    id: "short",
    title: "In short",
    shown: |scene| !scene.outcome.faults.is_empty() || !scene.outcome.populations.is_empty(),
    write,
};

fn write(scene: &Scene<'_>, page: &mut Html) {
    let outcome = scene.outcome;
    let texts = [
        broken(outcome),
        users(outcome),
        sites(scene),
        data(outcome),
        grounds(outcome),
    ];
    page.el("ul", &[], |page| {
        for text in texts.into_iter().flatten() {
            page.el("li", &[], |page| page.prose(&text));
        }
    });
}

/// Faults, whether they bit, and whose elements they were.
fn broken(outcome: &Outcome) -> Option<String> {
    let all = outcome.faults.len();
    if all == 0 {
        return None;
    }
    let bit = outcome.faults.iter().filter(|fault| fault.bit).count();
    let mut text = words::number(all, "fault", "faults");
    text.push_str(match (bit, all) {
        (0, 1) => ", and nothing met it",
        (0, _) => ", and nothing met any of them",
        (1, 1) => ", and something met it",
        (bit, all) if bit == all => ", and something met every one of them",
        _ => "",
    });
    if bit > 0 && bit < all {
        text.push_str(&format!(", of which {bit} met anything"));
    }
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    for owner in outcome.faults.iter().flat_map(|fault| &fault.owners) {
        *owners.entry(owner).or_default() += 1;
    }
    if !owners.is_empty() {
        let list = owners.iter().map(|(owner, n)| format!("`{owner}` ({n})"));
        let list: Vec<String> = list.collect();
        text.push_str(&format!(
            "; what {} broke belongs to {}",
            if all == 1 { "it" } else { "they" },
            words::list(&list)
        ));
    }
    Some(format!("{text}."))
}

/// Who was out, and who never was.
fn users(outcome: &Outcome) -> Option<String> {
    let worst = |population: &PopulationResult| {
        let outages = population.journeys.iter().flat_map(|j| &j.outages);
        outages.map(|o| o.share).fold(0.0, f64::max)
    };
    let named = |wanted: &dyn Fn(f64) -> bool| {
        let all = outcome.populations.iter().filter(|p| wanted(worst(p)));
        all.map(|p| p.id.as_str()).collect::<Vec<_>>()
    };
    if outcome.populations.is_empty() {
        return None;
    }
    let mut texts = Vec::new();
    for (who, what) in [
        (
            named(&|out| out >= 1.0),
            "all users of some journey were out at once",
        ),
        (named(&|out| out > 0.0 && out < 1.0), "some users were out"),
        (named(&|out| out == 0.0), "nobody was ever out"),
    ] {
        if !who.is_empty() {
            texts.push(format!("{what}: {}", words::list(&who)));
        }
    }
    Some(format!("{}.", words::capital(&texts.join("; "))))
}

/// When the groups of sites that came back at different times came back.
fn sites(scene: &Scene<'_>) -> Option<String> {
    let start = scene.outcome.start.as_str();
    let mut waves: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for group in &scene.outcome.groups {
        let at = group.restored_at.as_deref().filter(|at| *at > start);
        if let Some(at) = at {
            let text = format!("{} ({} sites)", group.id, words::count(group.sites));
            waves.entry(at).or_default().push(text);
        }
    }
    let texts = waves.iter().map(|(at, groups)| {
        let groups = match groups.as_slice() {
            [first, rest @ ..] if rest.len() > 2 => {
                format!("{first} and {} more groups", rest.len())
            }
            groups => words::list(groups),
        };
        format!("{groups} {}", scene.clock.show(at))
    });
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| format!("Back for good: {}.", texts.join("; ")))
}

fn data(outcome: &Outcome) -> Option<String> {
    let stores = outcome
        .services
        .iter()
        .filter_map(|s| Some((s, s.data.as_ref()?)));
    let stores: Vec<_> = stores.collect();
    let hurt = stores
        .iter()
        .filter(|(_, d)| d.lost + d.corrupted + d.duplicated > 0 || d.rpo > Nanos::ZERO);
    let texts = hurt.map(|(service, d)| {
        let counts = [
            (d.lost, "lost"),
            (d.corrupted, "corrupted"),
            (d.duplicated, "duplicated"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts = counts.map(|(count, what)| format!("{} {what}", words::count(*count)));
        let mut counts: Vec<String> = counts.collect();
        if counts.is_empty() {
            counts.push("none lost".to_owned());
        }
        format!(
            "`{}`: of {} acknowledged writes {}, recovery point {}",
            service.id,
            words::count(d.acknowledged),
            words::list(&counts),
            d.rpo
        )
    });
    let texts: Vec<String> = texts.collect();
    match (stores.is_empty(), texts.is_empty()) {
        (true, _) => None,
        (_, true) => Some("No acknowledged write was lost or damaged.".to_owned()),
        _ => Some(format!("{}.", texts.join("; "))),
    }
}

/// How much of a real incident came about, and how much was never put to the test.
fn grounds(outcome: &Outcome) -> Option<String> {
    let mut texts = Vec::new();
    if !outcome.expected.is_empty() {
        let got = outcome.expected.iter().filter(|s| s.reproduced).count();
        let all = outcome.expected.len();
        texts.push(format!("{got} of {all} published symptoms were reproduced"));
    }
    if !outcome.not_exercised.is_empty() {
        let count = outcome.not_exercised.len();
        let what = words::number(count, "standby or backup", "standbys and backups");
        texts.push(format!(
            "{what} never served, so nothing here shows that they work"
        ));
    }
    (!texts.is_empty()).then(|| format!("{}.", words::capital(&texts.join("; "))))
}
