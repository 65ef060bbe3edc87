//! What only a live run has: a steady state that may not have held, a harness that may have been
//! too slow, traffic that may have gone round, and systems that are real or stand-ins.
//!
//! A figure that any of these spoils is neither met nor missed. For what was computed, all of
//! this says nothing.

use super::context::{Context, Pair, Who};
use super::proportion::upper;
use super::series::{ALL, Span, intersect, length};
use super::status::{self, About, Draft, Written, met_if};
use super::words::{number, thousands};
use crate::finding::{Finding, LiveResult, Status, Value};
use crate::fold::cut_short;
use crate::ids::ServiceId;
use crate::journal::{Attempts, Disturbed, Engine, Measured};
use crate::observation::Ending;
use crate::topology::Depends;
use assize_fault::{Nanos, Ppb};
use std::collections::BTreeSet;

/// Of a hundred attempts in steady state, failures from which it is no steady state.
const MOST_FAILED: u64 = 5;

/// Attempts in steady state, and how many of them failed.
fn steady<'a>(attempts: impl Iterator<Item = &'a Attempts>) -> (u64, u64) {
    attempts.fold((0, 0), |sum, one| {
        (sum.0 + one.steady, sum.1 + one.steady_failed)
    })
}

/// All, less what the steady state itself failed: the upper 99 % bound of its share, to a
/// thousandth. A steady state without a failure takes nothing off: lone failures do not make an
/// outage in any case.
pub(super) fn steady_level(context: &Context<'_>, pair: Pair) -> Ppb {
    match steady(context.attempts(pair, Who::Excluding(&[]))) {
        (_, 0) => ALL,
        (tries, failed) => {
            let level = upper(tries, failed).complement();
            Ppb(level.0 / 1_000_000 * 1_000_000)
        }
    }
}

/// Failures that the steady state leads one to expect of so many attempts, at most (99 %).
pub(super) fn allowed(context: &Context<'_>, pair: Pair, who: Who<'_>, tries: u64) -> u64 {
    match steady(context.attempts(pair, who)) {
        (0, _) => 0,
        (steady, failed) => {
            let most = u128::from(upper(steady, failed).0) * u128::from(tries);
            u64::try_from(most.div_ceil(u128::from(ALL.0))).unwrap_or(u64::MAX)
        }
    }
}

/// User-time lost to failures that make no outage, in units times nanoseconds, and how far chance
/// may have it off: of n of them, 2.6 roots of n (99 %). Zero for what was computed.
pub(super) fn lone(
    context: &Context<'_>,
    pair: Pair,
    who: Who<'_>,
    hours: &[Span],
) -> (u128, u128) {
    let (mut lost, mut count) = (0_u128, 0_u128);
    for &(from, to, users) in context.attempts(pair, who).flat_map(|one| &one.lone) {
        let within = intersect(&[(from, to)], hours);
        lost += u128::from(users) * length(&within).0.max(0).unsigned_abs() as u128;
        count += u128::from(!within.is_empty());
    }
    let error = lost / count.max(1) * (count * 676).isqrt() / 10;
    (lost, error)
}

/// Why the measurement of a figure is spoilt, in a sentence; `None` if it is not.
pub(super) fn spoilt(context: &Context<'_>, draft: &Draft) -> Option<String> {
    let measured = context.measured()?;
    if draft.structural || !matches!(draft.status, Status::Met | Status::Missed) {
        return None;
    }
    unsteady(context, &draft.about)
        .or_else(|| bypassed(context, measured, &draft.about))
        .or_else(|| disturbed(context, measured, draft))
        .or_else(|| cut(context, measured, draft))
}

/// The steady state of what a figure is about, if it did not hold.
fn unsteady(context: &Context<'_>, about: &About) -> Option<String> {
    let pairs = match about {
        About::Pairs(pairs) => pairs.clone(),
        About::Service(_) | About::Everything => context.pairs(),
    };
    pairs.into_iter().find_map(|pair| {
        let (tries, failed) = steady(context.attempts(pair, Who::Excluding(&[])));
        let many = failed >= 2 && failed * 100 > tries * MOST_FAILED;
        let share = context.share(pair);
        let down = share.is_some_and(|share| share.broken_before(steady_level(context, pair)));
        let name = context.pair_name(pair);
        let what = if many {
            let (failed, tries) = (thousands(failed), thousands(tries));
            format!("{failed} of {tries} attempts of {name} failed before anything was broken")
        } else if down {
            format!("{name} was already out when the first fault was due")
        } else {
            return None;
        };
        let text = format!("The steady state did not hold: {what}. It was not broken by us.");
        Some(text)
    })
}

/// Services that a figure rests on: those named, and what they need.
fn rests_on(context: &Context<'_>, about: &About) -> BTreeSet<ServiceId> {
    let topology = context.plan.topology;
    let mut open: Vec<ServiceId> = match about {
        About::Service(service) => vec![*service],
        About::Pairs(pairs) => pairs.iter().flat_map(|&p| needed(context, p)).collect(),
        About::Everything => {
            let pairs = context.pairs().into_iter();
            pairs.flat_map(|pair| needed(context, pair)).collect()
        }
    };
    let mut all = BTreeSet::new();
    while let Some(service) = open.pop() {
        if all.insert(service) {
            open.extend(depended(&topology.service(service).depends));
        }
    }
    all
}

/// What a journey calls, and what its users' accesses need.
fn needed(context: &Context<'_>, (population, journey): Pair) -> Vec<ServiceId> {
    let topology = context.plan.topology;
    let spec = topology.journey(journey);
    let access = topology.population(population).access.iter();
    let needs = access.flat_map(|&id| topology.access_path(id).needs.iter().map(|n| n.service));
    let called = spec.calls.iter().chain(&spec.writes).copied();
    called.chain(needs).collect()
}

fn depended(depends: &Depends) -> impl Iterator<Item = ServiceId> + '_ {
    let any = depends.any_of.iter().flatten();
    depends.all_of.iter().chain(any).map(|one| one.service)
}

/// What a figure was tested on. A figure is about the real thing only if all that it rests on
/// is real.
pub(super) fn tested_on(context: &Context<'_>, about: &About) -> &'static str {
    match context.journal.engine {
        Engine::Simulate => "simulation",
        Engine::Observed => "observed",
        Engine::Run => {
            let real = |id: &ServiceId| {
                let all = context.measured().map_or(&[][..], |m| &m.real);
                all.get(id.index()).copied().unwrap_or(false)
            };
            let services = rests_on(context, about);
            if !services.is_empty() && services.iter().all(real) {
                "real"
            } else {
                "stand-in"
            }
        }
    }
}

fn bypassed(context: &Context<'_>, measured: &Measured, about: &About) -> Option<String> {
    if measured.bypassed.is_empty() {
        return None;
    }
    let services = rests_on(context, about);
    let mut all = measured.bypassed.iter();
    let (service, what) = all.find(|(service, _)| services.contains(service))?;
    let name = context.service_name(*service);
    let what = what.trim_end_matches('.');
    Some(format!(
        "{name} was bypassed, so its faults put nothing to the test: {what}."
    ))
}

/// A span in which the harness was not fit to measure what the figure rests on.
fn disturbed(context: &Context<'_>, measured: &Measured, draft: &Draft) -> Option<String> {
    let of_users = matches!(draft.about, About::Pairs(_));
    let touches = |one: &&Disturbed| {
        let mut seconds = draft.seconds.iter();
        let overlaps = seconds.any(|&(from, to)| one.from < to && from < one.to);
        let unseen = one.blind && of_users && one.from < context.journal.end;
        overlaps || unseen
    };
    let found = measured.disturbed.iter().find(touches)?;
    let from = found.from;
    Some(format!(
        "It rests on seconds that could not be measured well: {}, {from} after the start.",
        found.what
    ))
}

/// A run that was ended early shows what was missed by then, and nothing else.
fn cut(context: &Context<'_>, measured: &Measured, draft: &Draft) -> Option<String> {
    let how = cut_short(measured)?;
    let (at, end) = (context.journal.end, context.plan.scenario.end);
    (draft.status == Status::Met || draft.mean)
        .then(|| format!("The run {how} {at} after its start, and was to last {end}."))
}

/// The command of wrap mode, as a finding of its own.
pub(super) fn command(context: &Context<'_>) -> Option<Finding> {
    let code = context.measured()?.command?;
    let written = Written {
        id: "command",
        source: "command line",
        fault: None,
    };
    let measured = code.map_or_else(
        || "ended by a signal".into(),
        |code| format!("exit code {code}"),
    );
    let draft = Draft {
        target: Some(Value::Count(0)),
        measured: code.and_then(|code| Some(Value::Count(u64::try_from(code).ok()?))),
        measured_text: measured.clone(),
        error: Some(Value::Count(0)),
        status: met_if(code == Some(0)),
        ..Draft::unmeasured(
            "the command".to_string(),
            "exit code 0".to_string(),
            format!("The command that ran beside the faults: {measured}."),
        )
    };
    Some(status::finish(context, written, "command", draft))
}

/// Adds what a live run noted to what there is to warn of.
pub(super) fn with_notes(context: &Context<'_>, mut warnings: Vec<String>) -> Vec<String> {
    let Some(measured) = context.measured() else {
        return warnings;
    };
    if let Some(how) = cut_short(measured) {
        let at = context.journal.end;
        warnings.push(format!("the run {how} {at} after its start"));
    }
    warnings.extend(measured.notes.iter().cloned());
    warnings
}

/// What the run measured of itself.
pub(super) fn result(context: &Context<'_>) -> Option<LiveResult> {
    let live = context.journal.engine == Engine::Run;
    let measured = context.measured().filter(|_| live)?;
    let services = context.plan.topology.services.iter().zip(&measured.real);
    let said = |one: &Disturbed| {
        let length: Nanos = one.to - one.from;
        format!(
            "{} ({length} from {} on)",
            one.what,
            context.instant(one.from)
        )
    };
    Some(LiveResult {
        pace: measured.pace,
        resolution: measured.resolution,
        slowness: measured.slowness,
        ended: match measured.ending {
            Some(Ending::Finished) => "finished",
            Some(Ending::Stable) => "stable",
            Some(Ending::Aborted) => "aborted",
            Some(Ending::Interrupted) => "interrupted",
            None => "killed",
        },
        attempts: measured
            .attempts
            .iter()
            .map(|a| a.began_at.len() as u64)
            .sum(),
        failed: measured
            .attempts
            .iter()
            .map(|a| a.failed_at.len() as u64)
            .sum(),
        real: services
            .filter(|(_, real)| **real)
            .map(|(service, _)| service.id.clone())
            .collect(),
        disturbed: measured.disturbed.iter().map(said).collect(),
        runs: Vec::new(),
    })
}

/// Failures beyond what the steady state allows, of users who must not be affected: how many
/// failed, and of how many attempts, and how many may, in service hours.
pub(super) fn excess(context: &Context<'_>, pair: Pair, who: Who<'_>) -> Option<String> {
    context.measured()?;
    let hours = context.hours(pair.0);
    let within = |at: &&Nanos| hours.iter().any(|&(from, to)| from <= **at && **at < to);
    let (mut tries, mut failed) = (0u64, 0u64);
    for one in context.attempts(pair, who) {
        tries += one.began_at.iter().filter(within).count() as u64;
        failed += one.failed_at.iter().filter(within).count() as u64;
    }
    let most = allowed(context, pair, who, tries);
    (failed > most).then(|| {
        format!(
            "{} of {} failed, and the steady state leads one to expect {most} at most",
            thousands(failed),
            number(usize::try_from(tries).unwrap_or(usize::MAX), "attempt"),
        )
    })
}
