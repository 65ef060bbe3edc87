//! Who was hurt and how much, who served meanwhile, what became of the data.

use super::Page;
use crate::text::{Column, Grid, Paint};
use crate::words;
use assize_fault::Nanos;
use assize_model::finding::{DataResult, JourneyResult, Outcome, PopulationResult, ServiceResult};
use std::cmp::Ordering;
use std::io;

/// Changes of the serving replica printed per service, unless all are asked for.
const SPANS_SHOWN: usize = 6;

pub(super) fn print(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    populations(page, outcome)?;
    serving(page, outcome)?;
    data(page, outcome)?;
    groups(page, outcome)
}

fn populations(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let mut grid = Grid::new(&[
        Column::words("population"),
        Column::figure("users"),
        Column::words("journey"),
        Column::figure("available"),
        Column::figure("at worst out"),
        Column::figure("user-hours lost"),
        Column::figure("longest outage"),
    ]);
    let mut well = Vec::new();
    for population in &outcome.populations {
        let mut hurt: Vec<&JourneyResult> = population
            .journeys
            .iter()
            .filter(|j| !untouched(j))
            .collect();
        hurt.sort_by(|a, b| worst_first(a, b));
        if hurt.is_empty() && !page.style.verbose {
            well.push(population.id.as_str());
            continue;
        }
        let shown: Vec<&JourneyResult> = if page.style.verbose {
            population.journeys.iter().collect()
        } else {
            hurt.iter().take(1).copied().collect()
        };
        for (index, journey) in shown.iter().enumerate() {
            grid.row(journey_row(population, journey, index == 0));
        }
        if let (false, [_, others @ ..]) = (page.style.verbose, hurt.as_slice())
            && !others.is_empty()
        {
            let names: Vec<String> = others
                .iter()
                .map(|j| format!("{} {}", j.id, words::share(j.availability)))
                .collect();
            grid.note(format!("also {}", words::list(&names)), Paint::Faint);
        }
    }
    if grid.is_empty() && well.is_empty() {
        return Ok(());
    }
    page.section("Users, and the journey that suffered most")?;
    if !grid.is_empty() {
        grid.print(page.out, &page.style, 4)?;
    }
    if !well.is_empty() {
        let text = format!("never interrupted: {}", words::list(&well));
        page.line(Paint::Good, &text)?;
    }
    Ok(())
}

fn untouched(journey: &JourneyResult) -> bool {
    journey.outages.is_empty()
}

fn worst_first(a: &JourneyResult, b: &JourneyResult) -> Ordering {
    a.availability
        .total_cmp(&b.availability)
        .then(b.user_hours_lost.total_cmp(&a.user_hours_lost))
        .then(b.lost_per_user.cmp(&a.lost_per_user))
}

fn journey_row(
    population: &PopulationResult,
    journey: &JourneyResult,
    first: bool,
) -> Vec<(String, Paint)> {
    let longest = journey.rto_outages.iter().map(|o| o.length).max();
    let longest = longest.map_or_else(|| "none".to_owned(), words::about);
    let (name, users) = if first {
        (population.id.clone(), words::count(population.users))
    } else {
        (String::new(), String::new())
    };
    let mut id = journey.id.clone();
    if journey.degraded > 0.0 {
        id.push_str(&format!(
            " ({} by a contingency)",
            words::share(journey.degraded)
        ));
    }
    vec![
        (name, Paint::Strong),
        (users, Paint::Plain),
        (id, Paint::Plain),
        (words::share(journey.availability), Paint::Plain),
        (words::share(journey.peak_out), Paint::Plain),
        (words::user_hours(journey.user_hours_lost), Paint::Plain),
        (longest, Paint::Plain),
    ]
}

/// Services whose serving replica changed, or that did not serve all the time.
fn serving(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let mut grid = Grid::new(&[Column::words(""), Column::words("")]);
    for service in &outcome.services {
        if !page.style.verbose && steady(service, outcome) {
            continue;
        }
        let limit = if page.style.verbose {
            usize::MAX
        } else {
            SPANS_SHOWN
        };
        let mut spans: Vec<String> = service
            .served_by
            .iter()
            .take(limit)
            .map(|s| {
                let (from, to) = (page.clock.show(&s.from), page.clock.show(&s.to));
                format!("{} {from} to {to}", s.replica)
            })
            .collect();
        if spans.is_empty() {
            spans.push("nobody was served".into());
        }
        if service.served_by.len() > limit {
            spans.push(format!(
                "{} more (--verbose)",
                service.served_by.len() - limit
            ));
        }
        grid.row(vec![
            (service.id.clone(), Paint::Strong),
            (spans.join("; "), Paint::Plain),
        ]);
    }
    page.table("Who served, where that changed", &grid)
}

/// Every replica that served did so from start to end.
fn steady(service: &ServiceResult, outcome: &Outcome) -> bool {
    service
        .served_by
        .iter()
        .all(|s| s.from <= outcome.start && s.to >= outcome.end)
}

fn data(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let mut grid = Grid::new(&[
        Column::words(""),
        Column::figure("acknowledged"),
        Column::figure("lost"),
        Column::figure("duplicated"),
        Column::figure("stale"),
        Column::figure("corrupted"),
        Column::figure("unknown"),
        Column::figure("recovery point"),
    ]);
    let mut whole = Vec::new();
    for service in &outcome.services {
        let Some(data) = &service.data else { continue };
        if damaged(data) || page.style.verbose {
            grid.row(data_row(&service.id, data));
            if let (Some(oldest), Some(newest)) = (&data.oldest_lost_at, &data.newest_lost_at) {
                let (oldest, newest) = (page.clock.show(oldest), page.clock.show(newest));
                grid.note(
                    format!("lost writes were acknowledged from {oldest} to {newest}"),
                    Paint::Faint,
                );
            }
        } else {
            whole.push(service.id.as_str());
        }
    }
    if grid.is_empty() && whole.is_empty() {
        return Ok(());
    }
    page.section("Data")?;
    if !grid.is_empty() {
        grid.print(page.out, &page.style, 4)?;
    }
    if !whole.is_empty() {
        let text = format!(
            "no acknowledged write lost or damaged: {}",
            words::list(&whole)
        );
        page.line(Paint::Good, &text)?;
    }
    Ok(())
}

fn damaged(data: &DataResult) -> bool {
    data.lost + data.duplicated + data.stale + data.corrupted + data.indeterminate > 0
        || data.rpo > Nanos::ZERO
}

fn data_row(id: &str, data: &DataResult) -> Vec<(String, Paint)> {
    let figure =
        |n: u64, paint: Paint| (words::count(n), if n == 0 { Paint::Faint } else { paint });
    vec![
        (id.to_owned(), Paint::Strong),
        figure(data.acknowledged, Paint::Plain),
        figure(data.lost, Paint::Bad),
        figure(data.duplicated, Paint::Care),
        figure(data.stale, Paint::Care),
        figure(data.corrupted, Paint::Bad),
        figure(data.indeterminate, Paint::Care),
        (data.rpo.to_string(), Paint::Plain),
    ]
}

/// Groups that a fault touched: those restored at the very start were not.
fn groups(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let mut grid = Grid::new(&[Column::words(""), Column::figure(""), Column::words("")]);
    for group in &outcome.groups {
        let back = match &group.restored_at {
            Some(at) if *at <= outcome.start && !page.style.verbose => continue,
            Some(at) => (
                format!("back for good {}", page.clock.show(at)),
                Paint::Plain,
            ),
            None => ("not back by the end".to_owned(), Paint::Care),
        };
        let sites = words::number(group.sites as usize, "site", "sites");
        grid.row(vec![
            (group.id.clone(), Paint::Strong),
            (sites, Paint::Plain),
            back,
        ]);
    }
    page.table("Groups of sites", &grid)
}
