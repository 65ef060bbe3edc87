//! The served share of each population as a curve, the journey that suffered most first.

use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts::{legend, number, row, ticks};
use crate::words;
use assize_model::finding::{JourneyResult, PopulationResult};
use std::fmt::Write as _;

/// How high a curve is drawn.
const HEIGHT: u32 = 34;

pub(super) fn write(scene: &Scene<'_>, page: &mut Html) {
    let populations = &scene.outcome.populations;
    if populations.is_empty() {
        return;
    }
    page.leaf("h3", &[], "Who was served");
    let text = "Of each population, the journey that suffered most, with those that suffered \
                alike: the line is the share of all its users who were served, from 0% at the \
                bottom to 100% at the top.";
    page.leaf("p", &[("class", "faint")], text);
    legend(page, &[("lost", "users without the journey")]);
    ticks(scene, page);
    let mut well = Vec::new();
    let mut others: Vec<(&PopulationResult, Alike<'_>)> = Vec::new();
    for population in populations {
        let mut hurt: Vec<&JourneyResult> = population.journeys.iter().collect();
        hurt.retain(|journey| !journey.outages.is_empty());
        hurt.sort_by(|a, b| a.availability.total_cmp(&b.availability));
        let hurt = alike(hurt);
        let Some((worst, rest)) = hurt.split_first() else {
            well.push(population.id.as_str());
            continue;
        };
        curve(scene, population, worst, page);
        others.extend(rest.iter().map(|journeys| (population, journeys.clone())));
    }
    if !well.is_empty() {
        let text = format!("Never interrupted: {}.", words::list(&well));
        page.leaf("p", &[("class", "good")], &text);
    }
    if !others.is_empty() {
        page.el("details", &[], |page| {
            let count = others.iter().map(|(_, journeys)| journeys.len()).sum();
            let count = words::number(count, "journey", "journeys");
            page.leaf("summary", &[], &format!("The other {count} that suffered"));
            ticks(scene, page);
            for (population, journeys) in &others {
                curve(scene, population, journeys, page);
            }
        });
    }
}

/// Journeys of a population that were out at the same times for the same shares.
type Alike<'a> = Vec<&'a JourneyResult>;

/// Those that are alike together, in order.
fn alike(journeys: Vec<&JourneyResult>) -> Vec<Alike<'_>> {
    let same = |a: &JourneyResult, b: &JourneyResult| {
        let mut pairs = a.outages.iter().zip(&b.outages);
        a.outages.len() == b.outages.len()
            && a.availability.total_cmp(&b.availability).is_eq()
            && pairs.all(|(a, b)| {
                (a.from_offset, a.to_offset) == (b.from_offset, b.to_offset)
                    && a.share.total_cmp(&b.share).is_eq()
            })
    };
    let mut all: Vec<Alike<'_>> = Vec::new();
    for journey in journeys {
        match all.iter_mut().find(|known| same(known[0], journey)) {
            Some(known) => known.push(journey),
            None => all.push(vec![journey]),
        }
    }
    all
}

fn curve(scene: &Scene<'_>, population: &PopulationResult, journeys: &Alike<'_>, page: &mut Html) {
    let ids: Vec<&str> = journeys.iter().map(|journey| journey.id.as_str()).collect();
    let journey = journeys[0];
    let name = format!("{} / {}", population.id, words::list(&ids));
    let worst = journey.outages.iter().map(|o| o.share).fold(0.0, f64::max);
    let users = words::number(population.users as usize, "user", "users");
    let note = format!(
        "{users}, at worst {} out, served {} of the service hours",
        words::share(worst),
        words::share(journey.availability)
    );
    let first = journey.outages.first().map_or("", |o| o.from.as_str());
    let last = journey.outages.last().map_or("", |o| o.to.as_str());
    let outages = words::number(journey.rto_outages.len(), "outage", "outages");
    let alternative = format!(
        "Served share of {name}: {outages} between {} and {}, at worst {} of the users out",
        scene.clock.show(first),
        scene.clock.show(last),
        words::share(worst)
    );
    row(scene, page, HEIGHT, (&name, &note, &alternative), |page| {
        let d = path(scene, journey);
        page.shape("path", &[("class", "lost"), ("d", &d)]);
    });
}

/// The line of the served share, closed along the top, so that what is lost is its inside.
fn path(scene: &Scene<'_>, journey: &JourneyResult) -> String {
    let top = 1.0;
    let scale = f64::from(HEIGHT) - 2.0;
    let mut path = format!("M0 {}", number(top));
    let mut at = (f64::NAN, f64::NAN);
    for outage in &journey.outages {
        let (from, to) = (
            scene.axis.offset(outage.from_offset.0),
            scene.axis.offset(outage.to_offset.0),
        );
        let low = top + scale * outage.share;
        // What begins where the last one ended does not go back to the top between.
        if at.0 != from {
            if !at.1.is_nan() {
                let _ = write!(path, "V{}", number(top));
            }
            let _ = write!(path, "H{}", number(from));
        }
        let _ = write!(path, "V{}H{}", number(low), number(to));
        at = (to, low);
    }
    let _ = write!(path, "V{}H1000", number(top));
    path
}
