//! Who was hurt how much: every population and every journey that it makes.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::words;
use assize_model::finding::{JourneyResult, PopulationResult};

pub(super) const SECTION: Section = Section {
    id: "blast",
    title: "Who was hurt, and how much",
    shown: |scene| !scene.outcome.populations.is_empty(),
    write,
};

const HEADS: [&str; 7] = [
    "population",
    "journey",
    "at worst out",
    "available",
    "by a contingency",
    "user-hours lost",
    "longest outage",
];

fn write(scene: &Scene<'_>, page: &mut Html) {
    let text = "Shares are of all users of the population, in service hours; the longest outage \
                runs on the clock.";
    page.leaf("p", &[("class", "faint")], text);
    parts::table(page, &[("class", "flow")], &HEADS, &[], |page| {
        for population in &scene.outcome.populations {
            for journey in &population.journeys {
                row(population, journey, page);
            }
        }
    });
}

fn row(population: &PopulationResult, journey: &JourneyResult, page: &mut Html) {
    let users = words::number(population.users as usize, "user", "users");
    let longest = journey.rto_outages.iter().map(|o| o.length).max();
    let longest = longest.map_or_else(|| "none".to_owned(), words::about);
    page.el("tr", &[], |page| {
        page.el("th", &[("scope", "row")], |page| {
            page.text(&population.id);
            page.leaf("span", &[("class", "faint")], &format!(" {users}"));
        });
        let cell = |page: &mut Html, head: usize, text: &str| {
            page.leaf("td", &[("data-h", HEADS[head])], text);
        };
        cell(page, 1, &journey.id);
        page.el("td", &[("data-h", HEADS[2])], |page| {
            if journey.peak_out > 0.0 {
                let percent = (journey.peak_out * 100.0).clamp(2.0, 100.0);
                let width = format!("width:{percent:.1}%");
                page.el(
                    "span",
                    &[("class", "bar"), ("aria-hidden", "true")],
                    |page| {
                        page.el("i", &[("style", &width)], |_| {});
                    },
                );
            }
            page.text(&words::share(journey.peak_out));
        });
        cell(page, 3, &words::share(journey.availability));
        cell(page, 4, &words::share(journey.degraded));
        cell(page, 5, &words::user_hours(journey.user_hours_lost));
        cell(page, 6, &longest);
    });
}
