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
                runs on the clock. User-hours are those of one journey.";
    page.leaf("p", &[("class", "faint")], text);
    let mut rows: Vec<Row> = Vec::new();
    let mut whole: Vec<String> = Vec::new();
    for population in &scene.outcome.populations {
        let mut untouched: Vec<&str> = Vec::new();
        for journey in &population.journeys {
            if journey.outages.is_empty() && journey.degraded <= 0.0 {
                untouched.push(&journey.id);
                continue;
            }
            let row = Row::of(population, journey);
            match rows.iter_mut().find(|known| known.is_like(&row)) {
                Some(known) => known.journeys.push(journey.id.clone()),
                None => rows.push(row),
            }
        }
        if !untouched.is_empty() {
            let users = words::number(population.users as usize, "user", "users");
            let journeys = words::list(&untouched);
            whole.push(format!("{} ({users}): {journeys}", population.id));
        }
    }
    if !rows.is_empty() {
        parts::table(page, &[("class", "flow tight")], &HEADS, &[], |page| {
            for row in &rows {
                row.write(page);
            }
        });
    }
    if !whole.is_empty() {
        let text = format!("Nobody was ever without: {}.", whole.join("; "));
        page.leaf("p", &[("class", "good")], &text);
    }
}

/// A population with journeys that suffered the same.
struct Row {
    population: String,
    users: String,
    journeys: Vec<String>,
    peak: f64,
    /// What stands in the columns after the peak.
    figures: [String; 4],
}

impl Row {
    fn of(population: &PopulationResult, journey: &JourneyResult) -> Self {
        let longest = journey.rto_outages.iter().map(|o| o.length).max();
        Self {
            population: population.id.clone(),
            users: words::number(population.users as usize, "user", "users"),
            journeys: vec![journey.id.clone()],
            peak: journey.peak_out,
            figures: [
                words::share(journey.availability),
                words::share(journey.degraded),
                words::user_hours(journey.user_hours_lost),
                longest.map_or_else(|| "none".to_owned(), words::about),
            ],
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.population == other.population
            && self.peak.total_cmp(&other.peak).is_eq()
            && self.figures == other.figures
    }

    fn write(&self, page: &mut Html) {
        page.el("tr", &[], |page| {
            page.el("th", &[("scope", "row")], |page| {
                page.text(&self.population);
                page.leaf("span", &[("class", "faint")], &format!(" {}", self.users));
            });
            let cell = |page: &mut Html, head: usize, text: &str| {
                page.leaf("td", &[("data-h", HEADS[head])], text);
            };
            cell(page, 1, &self.journeys.join(", "));
            page.el("td", &[("data-h", HEADS[2])], |page| {
                peak(self.peak, page);
            });
            for (index, figure) in self.figures.iter().enumerate() {
                cell(page, index + 3, figure);
            }
        });
    }
}

/// A share, with a bar as long.
fn peak(share: f64, page: &mut Html) {
    if share > 0.0 {
        let percent = (share * 100.0).clamp(2.0, 100.0);
        let width = format!("width:{percent:.1}%");
        let attrs = [("class", "bar"), ("aria-hidden", "true")];
        page.el("span", &attrs, |page| {
            page.el("i", &[("style", &width)], |_| {});
        });
    }
    page.text(&words::share(share));
}
