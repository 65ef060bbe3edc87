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
    let text = "Of each population, the journey that suffered most: the line is the share of all \
                its users who were served, from 0% at the bottom to 100% at the top.";
    page.leaf("p", &[("class", "faint")], text);
    legend(page, &[("lost", "users without the journey")]);
    ticks(scene, page);
    let mut well = Vec::new();
    let mut others: Vec<(&PopulationResult, &JourneyResult)> = Vec::new();
    for population in populations {
        let mut hurt: Vec<&JourneyResult> = population.journeys.iter().collect();
        hurt.retain(|journey| !journey.outages.is_empty());
        hurt.sort_by(|a, b| a.availability.total_cmp(&b.availability));
        let Some((worst, rest)) = hurt.split_first() else {
            well.push(population.id.as_str());
            continue;
        };
        curve(scene, population, worst, page);
        others.extend(rest.iter().map(|journey| (population, *journey)));
    }
    if !well.is_empty() {
        let text = format!("Never interrupted: {}.", words::list(&well));
        page.leaf("p", &[("class", "good")], &text);
    }
    if !others.is_empty() {
        page.el("details", &[], |page| {
            let count = words::number(others.len(), "journey", "journeys");
            page.leaf("summary", &[], &format!("The other {count} that suffered"));
            ticks(scene, page);
            for (population, journey) in others {
                curve(scene, population, journey, page);
            }
        });
    }
}

fn curve(
    scene: &Scene<'_>,
    population: &PopulationResult,
    journey: &JourneyResult,
    page: &mut Html,
) {
    let name = format!("{} / {}", population.id, journey.id);
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
