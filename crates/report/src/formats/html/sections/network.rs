//! The map of the topology, and in words what failed on it and what served instead.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::map::Map;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::words;
use assize_model::picture::{Mark, Picture};

pub(super) const SECTION: Section = Section {
    id: "network",
    title: "The network",
    shown: |scene| !scene.outcome.picture.places.is_empty(),
    write,
};

/// Places from which a map is a list and no picture any more.
const MOST: usize = 400;

fn write(scene: &Scene<'_>, page: &mut Html) {
    let picture = &scene.outcome.picture;
    let classes = || picture.places.iter().filter(|place| place.count > 1);
    let sites: u64 = classes().map(|place| u64::from(place.count)).sum();
    let of_class = match classes().count() {
        0 => String::new(),
        n => {
            let sites = words::number(sites as usize, "site", "sites");
            format!("{sites} in {}, ", words::number(n, "class", "classes"))
        }
    };
    let text = format!(
        "{of_class}{}, {}, {}",
        words::number(
            picture.places.len() - classes().count(),
            "single place",
            "single places"
        ),
        words::number(picture.links.len(), "link", "links"),
        data_centres(picture)
    );
    let said = "users at the left, what serves them to the right; places that are alike share a \
                box. Dashed wires with a number failed, other numbered ones came into service \
                instead, dotted ones stand by";
    page.leaf("p", &[("class", "faint")], &format!("{text}: {said}."));
    let map = (picture.places.len() <= MOST).then(|| Map::new(picture));
    if let Some(map) = &map {
        let alternative = format!(
            "Map of the network: {text}. What failed and what served \
                                   instead stands in the list below."
        );
        let scroll = [
            ("class", "scroll"),
            ("tabindex", "0"),
            ("role", "group"),
            ("aria-label", "Map of the network"),
        ];
        page.el("div", &scroll, |page| map.draw(picture, &alternative, page));
    }
    let map = map.as_ref();
    failed(scene, map, page);
    instead(scene, map, page);
}

fn data_centres(picture: &Picture) -> String {
    let mut zones: Vec<&str> = picture
        .places
        .iter()
        .flat_map(|place| place.zone.split(" and "))
        .filter(|zone| !zone.is_empty())
        .collect();
    zones.sort_unstable();
    zones.dedup();
    match zones.len() {
        0 => "no data centre named".to_owned(),
        n => format!(
            "{} ({})",
            words::number(n, "data centre", "data centres"),
            words::list(&zones)
        ),
    }
}

/// The numbers of a link's wires on the map.
fn numbers(map: Option<&Map>, picture: &Picture, id: &str) -> String {
    let wires = map.into_iter().flat_map(Map::numbered);
    let own = wires.filter(|(_, wire)| wire.said(picture).iter().any(|link| link.id == id));
    let list: Vec<String> = own.map(|(number, _)| number.to_string()).collect();
    match list.len() {
        0 => String::new(),
        1 => format!(" (wire {})", list[0]),
        _ => format!(" (wires {})", words::list(&list)),
    }
}

fn failed(scene: &Scene<'_>, map: Option<&Map>, page: &mut Html) {
    let picture = &scene.outcome.picture;
    let mut entries = Vec::new();
    for place in picture.places.iter().filter(|p| !p.marks.is_empty()) {
        entries.push((format!("node/{}", place.id), by(scene, &place.marks)));
    }
    for link in picture.links.iter().filter(|l| !l.marks.is_empty()) {
        let name = format!("link/{}{}", link.id, numbers(map, picture, &link.id));
        entries.push((name, by(scene, &link.marks)));
    }
    list(page, "What failed", entries);
}

/// Faults with how much each took, those that took the same together.
fn by(scene: &Scene<'_>, marks: &[Mark]) -> String {
    let mut parts: Vec<(&str, Vec<&str>)> = Vec::new();
    for mark in marks {
        let fault = scene.outcome.faults.get(mark.fault);
        let fault = fault.map_or("a fault", |fault| fault.id.as_str());
        match parts.iter_mut().find(|(part, _)| *part == mark.part) {
            Some((_, faults)) => faults.push(fault),
            None => parts.push((&mark.part, vec![fault])),
        }
    }
    let texts = parts.iter().map(|(part, faults)| {
        let part = if part.is_empty() { "all of it" } else { part };
        format!("{part} by {}", words::list(faults))
    });
    texts.collect::<Vec<_>>().join("; ")
}

fn instead(scene: &Scene<'_>, map: Option<&Map>, page: &mut Html) {
    let picture = &scene.outcome.picture;
    let mut entries = Vec::new();
    for place in &picture.places {
        for what in &place.instead {
            entries.push((what.clone(), format!("on node/{}", place.id)));
        }
    }
    for link in &picture.links {
        if let Some(at) = link.activated {
            let name = format!("link/{}{}", link.id, numbers(map, picture, &link.id));
            entries.push((name, format!("activated {}", scene.axis.text(at.0))));
        }
    }
    let access = picture.events.iter().filter(|event| {
        let activated = event.kind == assize_model::journal::DecisionKind::Activated;
        activated && event.subject.starts_with("access/")
    });
    for event in access {
        entries.push((
            event.subject.clone(),
            format!("activated {}", scene.axis.text(event.at.0)),
        ));
    }
    entries.dedup();
    for drill in picture.drills.iter().filter(|drill| drill.good) {
        let (name, at) = (
            format!("service/{}", drill.service),
            scene.axis.text(drill.to.0),
        );
        entries.push((name, format!("restored from {} at {at}", drill.backup)));
    }
    for population in &scene.outcome.populations {
        for journey in population.journeys.iter().filter(|j| j.degraded > 0.0) {
            let name = format!("a contingency for {} / {}", population.id, journey.id);
            let share = words::share(journey.degraded);
            entries.push((
                name,
                format!("{share} of the service hours were served by it"),
            ));
        }
    }
    list(page, "What served instead", entries);
}

fn list(page: &mut Html, title: &str, entries: Vec<(String, String)>) {
    page.leaf("h3", &[], title);
    if entries.is_empty() {
        return page.leaf("p", &[("class", "faint")], "Nothing.");
    }
    let heads = ["element", "how"];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        let entries = entries
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        for (names, text) in parts::alike(entries) {
            parts::words_row(page, &heads, &[&names, text]);
        }
    });
}
