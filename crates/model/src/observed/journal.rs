//! The journal that rows tell: served shares of each journey observed, and the same by cause.

use super::csv::problem;
use super::scenario::{causes, offset};
use super::{About, Observed, Row};
use crate::file::{Problems, did_you_mean};
use crate::ids::{JourneyId, PopulationId};
use crate::journal::{
    Cause, Decision, DecisionKind, Disturbed, Engine, FaultRecord, Journal, Measured, Series, Solo,
    Step, USER,
};
use crate::observation::Ending;
use crate::plan::Plan;
use crate::topology::Topology;
use assize_fault::Nanos;

/// Whether a row is about a journey of a population.
pub(super) fn is_about(
    t: &Topology,
    row: &Row,
    population: PopulationId,
    journey: JourneyId,
) -> bool {
    let spec = t.journey(journey);
    let who = match &row.about {
        About::Population(name) => t.population(population).id == *name,
        // Without a topology of its own, a service's users bear its name.
        About::Service(name) => {
            let mut called = spec.calls.iter().chain(&spec.writes);
            called.any(|&id| t.service(id).id == *name) || t.population(population).id == *name
        }
    };
    who && row.journey.as_ref().is_none_or(|name| spec.id == *name)
}

/// Makes it, and what a reader should know.
pub(super) fn make(
    observed: &Observed,
    plan: &Plan<'_>,
) -> Result<(Journal, Vec<String>), Problems> {
    let t = plan.topology;
    let mut problems = Vec::new();
    let mut pairs: Vec<(PopulationId, JourneyId, Vec<&Row>)> = Vec::new();
    for (index, population) in t.populations.iter().enumerate() {
        let id = PopulationId::from(index);
        for &(journey, _) in &population.makes {
            let rows: Vec<&Row> = observed
                .rows
                .iter()
                .filter(|row| is_about(t, row, id, journey))
                .collect();
            if !rows.is_empty() {
                pairs.push((id, journey, rows));
            }
        }
    }
    for row in &observed.rows {
        let known = pairs
            .iter()
            .any(|(_, _, rows)| rows.iter().any(|r| std::ptr::eq(*r, row)));
        if !known {
            problems.push(unknown(observed, t, row));
        }
    }
    for (_, _, rows) in &mut pairs {
        rows.sort_by_key(|row| (row.from, row.to));
        let overlap = rows.windows(2).find(|pair| pair[1].from < pair[0].to);
        if let Some(pair) = overlap {
            let what = format!(
                "the row overlaps the one on line {}, about the same users",
                pair[0].line
            );
            let help = "write one row for the time that both cover, with the share that was out and the causes joined by `+`";
            problems.push(problem(
                &observed.file,
                pair[1].line,
                &pair[1].text,
                what,
                help,
            ));
        }
    }
    problems.dedup();
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok((journal(observed, plan, &pairs), Vec::new()))
}

fn unknown(observed: &Observed, t: &Topology, row: &Row) -> crate::file::Problem {
    let name = row.about.name();
    let (kind, known): (&str, Vec<&str>) = match row.about {
        About::Population(_) => (
            "population",
            t.populations.iter().map(|p| p.id.as_str()).collect(),
        ),
        About::Service(_) => (
            "service",
            t.services.iter().map(|s| s.id.as_str()).collect(),
        ),
    };
    let (what, help) = match &row.journey {
        Some(journey) if known.contains(&name) => {
            let journeys = t.journeys.iter().map(|j| j.id.as_str());
            let what = format!("no user of the {kind} `{name}` makes a journey `{journey}`");
            (what, did_you_mean(journey, journeys))
        }
        _ if known.contains(&name) => (format!("nobody uses the {kind} `{name}`"), String::new()),
        _ => (
            format!("no {kind} is named `{name}`"),
            did_you_mean(name, known),
        ),
    };
    problem(&observed.file, row.line, &row.text, what, &help)
}

fn journal(
    observed: &Observed,
    plan: &Plan<'_>,
    pairs: &[(PopulationId, JourneyId, Vec<&Row>)],
) -> Journal {
    let start = plan.scenario.start;
    let names = causes(observed);
    let all = |_: &Row| true;
    let solos = names.iter().enumerate().map(|(index, name)| Solo {
        cause: Cause::Fault(index),
        series: series(plan, pairs, |row| row.causes.contains(name)),
    });
    let faults = plan
        .scenario
        .faults
        .iter()
        .zip(&names)
        .map(|(entry, name)| {
            let rows = observed.rows.iter().filter(|row| row.causes.contains(name));
            let (count, first) = (rows.clone().count(), rows.map(|row| row.line).min());
            let rows = if count == 1 { "row" } else { "rows" };
            let what = format!(
                "observed: {count} {rows}, the first on line {}",
                first.unwrap_or(0)
            );
            FaultRecord {
                from: entry.at,
                to: entry.until,
                bite: Some((entry.at, what)),
                effect_to: entry.until,
            }
        });
    let measured = (observed.resolution > Nanos::ZERO).then(|| Measured {
        pace: 1,
        resolution: observed.resolution,
        ending: Some(Ending::Finished),
        disturbed: gaps(observed, start),
        ..Measured::default()
    });
    Journal {
        seed: 0,
        series: series(plan, pairs, all),
        solos: solos.collect(),
        faults: faults.collect(),
        decisions: decisions(observed, start, &names),
        measured,
        trace_digest: observed.digest.clone(),
        events: observed.rows.len() as u64,
        ..Journal::empty(Engine::Observed, plan)
    }
}

/// The series of every cell and journey that was observed, by the rows that are meant.
fn series(
    plan: &Plan<'_>,
    pairs: &[(PopulationId, JourneyId, Vec<&Row>)],
    meant: impl Fn(&Row) -> bool,
) -> Vec<Series> {
    let mut all = Vec::new();
    for (population, journey, rows) in pairs {
        let cells = plan.cells.iter().enumerate();
        for (index, cell) in cells.filter(|(_, cell)| cell.population == *population) {
            let users = cell.users * USER;
            let mut steps = vec![step(Nanos::ZERO, users)];
            for row in rows.iter().filter(|row| meant(row)) {
                let out = u128::from(users) * u128::from(row.share.0) / 1_000_000_000;
                let start = plan.scenario.start;
                steps.push(step(offset(start, row.from), users - out as u64));
                steps.push(step(offset(start, row.to), users));
            }
            // Of what holds from one instant on, the last counts.
            let mut kept: Vec<Step> = Vec::new();
            for one in steps {
                match kept.last_mut() {
                    Some(last) if last.at == one.at => *last = one,
                    Some(last) if last.served == one.served => {}
                    _ => kept.push(one),
                }
            }
            all.push(Series {
                cell: index,
                journey: *journey,
                steps: kept,
                worst_latency: Nanos::ZERO,
            });
        }
    }
    all
}

const fn step(at: Nanos, served: u64) -> Step {
    Step {
        at,
        served,
        degraded: 0,
    }
}

fn decisions(observed: &Observed, start: jiff::Timestamp, names: &[String]) -> Vec<Decision> {
    let mut all = Vec::new();
    for row in &observed.rows {
        let faults = row
            .causes
            .iter()
            .filter_map(|c| names.iter().position(|n| n == c));
        let faults: Vec<usize> = faults.collect();
        let kinds = [
            (row.detected, DecisionKind::Down),
            (row.reported, DecisionKind::PeopleKnow),
        ];
        for (at, kind) in kinds {
            all.extend(at.map(|at| Decision {
                at: offset(start, at),
                kind,
                subject: row.causes.join(" + "),
                faults: faults.clone(),
                service: None,
            }));
        }
    }
    all.sort_by_key(|decision| decision.at);
    all
}

fn gaps(observed: &Observed, start: jiff::Timestamp) -> Vec<Disturbed> {
    let gaps = observed.gaps.iter();
    gaps.map(|&(from, to)| Disturbed {
        from: offset(start, from),
        to: offset(start, to),
        blind: true,
        what: "no samples".into(),
    })
    .collect()
}
