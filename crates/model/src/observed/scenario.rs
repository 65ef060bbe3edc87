//! The scenario that rows tell: when it began and ended, its causes as faults, and the
//! objectives that such rows can decide.

use super::csv::problem;
use super::{Frame, Observed, Row};
use crate::contract::{Contract, Month};
use crate::file::{Problem, Problems, bare_scenario, owners_of, resolve_selector};
use crate::ids::DomainId;
use crate::ids::{JourneyId, PopulationId};
use crate::objective::{During, Objective, ObjectiveKind, Untouched};
use crate::scenario::{FaultEntry, Scenario};
use crate::topology::Topology;
use assize_fault::Nanos;
use jiff::Timestamp;
use std::path::Path;

/// The causes of all rows, in order of first mention.
pub(super) fn causes(observed: &Observed) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    for cause in observed.rows.iter().flat_map(|row| &row.causes) {
        if !causes.contains(cause) {
            causes.push(cause.clone());
        }
    }
    causes
}

/// Offset of an instant from the scenario's start.
pub(super) fn offset(start: Timestamp, at: Timestamp) -> Nanos {
    let ns = at.as_nanosecond() - start.as_nanosecond();
    Nanos(i64::try_from(ns).unwrap_or(Nanos::NEVER.0))
}

/// Makes it.
pub(super) fn make(
    observed: &Observed,
    topology: &Topology,
    frame: Frame<'_>,
) -> Result<Scenario, Problems> {
    let (start, end) = window(observed, frame)?;
    let mut problems = Vec::new();
    let mut scenario = bare_scenario(topology, &[], Nanos::hours(1), Some(start))
        .map_err(|why| Problems::of_file(&observed.file, why, ""))?;
    scenario.name = Path::new(&observed.file).file_stem().map_or_else(
        || "observed".into(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    scenario.path = observed.file.clone();
    scenario.end = end;
    scenario.digest = observed.digest.clone();
    for (index, cause) in causes(observed).iter().enumerate() {
        scenario.faults.push(fault(
            observed,
            topology,
            start,
            cause,
            index,
            &mut problems,
        ));
    }
    let mut objectives = std::mem::take(&mut scenario.objectives);
    if let Some(contract) = frame.contract {
        objectives.extend(of_contract(contract, topology));
    }
    objectives.retain(|objective| decidable(observed, topology, objective));
    scenario.objectives = objectives;
    if problems.is_empty() {
        Ok(scenario)
    } else {
        Err(Problems(problems))
    }
}

/// From when to when was observed.
fn window(observed: &Observed, frame: Frame<'_>) -> Result<(Timestamp, Nanos), Problems> {
    let first = observed.rows.iter().map(|row| row.from).min();
    let last = observed.rows.iter().map(|row| row.to).max();
    let (Some(mut first), Some(mut last)) = (first, last) else {
        return Err(Problems::of_file(&observed.file, "there are no rows", ""));
    };
    if let Some(contract) = frame.contract {
        let (calendar, begun) = (&contract.calendar, first);
        let period = |instant| contract.period_of(Month::at(calendar, instant));
        let edge = |at: Nanos| crate::calendar::after(begun, at);
        let ended = crate::calendar::after(last, Nanos(-1)).unwrap_or(last);
        let (from, _) = period(begun).span(calendar, begun);
        let (_, to) = period(ended).span(calendar, begun);
        first = edge(from).unwrap_or(first).min(first);
        last = edge(to).unwrap_or(last).max(last);
    }
    let (start, stop) = (frame.from.unwrap_or(first), frame.to.unwrap_or(last));
    let length = offset(start, stop);
    let outside = observed
        .rows
        .iter()
        .find(|row| row.from < start || row.to > stop);
    if let Some(row) = outside {
        let what = "the row lies outside what was observed".to_string();
        let help = "choose `--from` and `--to` so that they hold every row";
        return Err(Problems(vec![problem(
            &observed.file,
            row.line,
            &row.text,
            what,
            help,
        )]));
    }
    if length <= Nanos::ZERO || length > Nanos(Nanos::LONGEST.0 / 10) {
        let what =
            format!("{start} to {stop} is no time to observe: more than nothing, at most 10 years");
        return Err(Problems::of_file(&observed.file, what, ""));
    }
    Ok((start, length))
}

fn fault(
    observed: &Observed,
    topology: &Topology,
    start: Timestamp,
    cause: &str,
    index: usize,
    problems: &mut Vec<Problem>,
) -> FaultEntry {
    let rows = || {
        observed
            .rows
            .iter()
            .filter(|row| row.causes.iter().any(|c| c == cause))
    };
    let of = |at: Timestamp| offset(start, at);
    let from = rows().map(|row| of(row.from)).min().unwrap_or_default();
    let to = rows().map(|row| of(row.to)).max().unwrap_or_default();
    let targets = resolve_selector(topology, cause).unwrap_or_default();
    let mut owners: Vec<DomainId> = owners_of(topology, cause, &targets);
    // Owners that a row names go before those of the element.
    let alone = rows().filter(|row| row.causes.len() == 1);
    let named: Vec<(&Row, &String)> = alone
        .flat_map(|row| row.owners.iter().map(move |o| (row, o)))
        .collect();
    if !named.is_empty() {
        owners.clear();
    }
    for (row, name) in named {
        match topology
            .domains
            .iter()
            .position(|domain| domain.id == *name)
        {
            Some(found) => owners.push(DomainId::from(found)),
            None => {
                let known = topology.domains.iter().map(|d| d.id.as_str());
                let help = crate::file::did_you_mean(name, known);
                let what = format!("no domain is named `{name}`");
                problems.push(problem(&observed.file, row.line, &row.text, what, &help));
            }
        }
    }
    owners.sort_unstable();
    owners.dedup();
    FaultEntry {
        id: identifier(cause, index),
        kind: "outage",
        at: from,
        until: to,
        bounded: true,
        flap: None,
        effects: Vec::new(),
        targets,
        against: Vec::new(),
        target_text: cause.to_string(),
        owners,
    }
}

/// A cause as the name of a fault: short, without blanks.
fn identifier(cause: &str, index: usize) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if cause.chars().all(plain) && cause.len() <= 60 {
        cause.replace('/', "-")
    } else {
        format!("cause-{}", index + 1)
    }
}

/// The levels of a contract as objectives: their availability within what was observed.
fn of_contract(contract: &Contract, topology: &Topology) -> Vec<Objective> {
    let mut all = Vec::new();
    for level in &contract.levels {
        let named = |list: &[String], id: &String| list.is_empty() || list.contains(id);
        for (index, population) in topology.populations.iter().enumerate() {
            for &(journey, _) in &population.makes {
                let id = &topology.journey(journey).id;
                if named(&level.populations, &population.id) && named(&level.journeys, id) {
                    all.push(objective(
                        level.id.clone(),
                        level.target,
                        PopulationId::from(index),
                        journey,
                    ));
                }
            }
        }
    }
    all
}

fn objective(
    id: String,
    target: assize_fault::Ppb,
    population: PopulationId,
    journey: JourneyId,
) -> Objective {
    Objective {
        id,
        kind: ObjectiveKind::Availability(target),
        journey: Some(journey),
        population: Some(population),
        service: None,
        level: assize_fault::Ppb::ONE,
        stable_for: None,
        fault: None,
        from_fault_end: false,
        excluding: Vec::new(),
        during: During::All,
        window: None,
        source: "contract".into(),
    }
}

/// Whether rows can decide an objective: it is about served shares, of pairs that were observed.
fn decidable(observed: &Observed, topology: &Topology, objective: &Objective) -> bool {
    let seen = |(population, journey): (PopulationId, JourneyId)| {
        observed
            .rows
            .iter()
            .any(|row| super::journal::is_about(topology, row, population, journey))
    };
    let pairs = || {
        let all = topology.populations.iter().enumerate();
        all.flat_map(|(i, p)| {
            p.makes
                .iter()
                .map(move |(j, _)| (PopulationId::from(i), *j))
        })
    };
    let all = |is: &dyn Fn(PopulationId, JourneyId) -> bool| {
        let mut list = pairs().filter(|&(p, j)| is(p, j)).peekable();
        list.peek().is_some() && list.all(seen)
    };
    if objective.excluding.len() + usize::from(objective.service.is_some()) > 0 {
        return false;
    }
    match &objective.kind {
        ObjectiveKind::Rto(_)
        | ObjectiveKind::Availability(_)
        | ObjectiveKind::Outages { .. }
        | ObjectiveKind::BlastRadius(_)
        | ObjectiveKind::UserHoursLost(_) => all(&|p, j| {
            objective.population.is_none_or(|only| only == p)
                && objective.journey.is_none_or(|only| only == j)
        }),
        ObjectiveKind::MustNotAffect(items) => items.iter().all(|item| match item {
            Untouched::Population(only) => all(&|p, _| p == *only),
            Untouched::Journey(only) => all(&|_, j| j == *only),
            Untouched::Group(_) => false,
        }),
        _ => false,
    }
}
