//! From attempts to served shares: each representative's last attempt says how its cohorts fare
//! until its next one begins.
//!
//! One failed attempt between two good ones is no outage; two in a row are, from the first. They
//! are counted all the same: for the statistics of steady state, and as user-time lost.

use super::Machine;
use crate::ids::JourneyId;
use crate::journal::{Attempts, Disturbed, Series, Step};
use crate::observation::{Observation, Served};
use crate::plan::Plan;
use assize_fault::Nanos;
use std::collections::BTreeMap;

/// What the attempts show.
pub(super) struct Sampled {
    pub(super) series: Vec<Series>,
    pub(super) attempts: Vec<Attempts>,
    /// Spans in which a representative that should have tried did not.
    pub(super) gaps: Vec<Disturbed>,
}

/// A representative: its cell, and how many of the cell's 64 cohorts it stands for.
#[derive(Clone, Copy)]
struct Representative {
    cell: usize,
    cohorts: u64,
}

#[derive(Clone, Copy)]
struct Sample {
    at: Nanos,
    took: Nanos,
    served: Served,
}

/// Missed turns after which a representative is taken to have stood still.
const MISSED_TURNS: i64 = 4;
/// Users of one cohort, in the units of a series.
const COHORT: u64 = 1_000_000_000;

pub(super) fn sampled(
    plan: &Plan<'_>,
    observations: &[Observation],
    machine: &Machine,
    end: Nanos,
) -> Sampled {
    let reps = representatives(plan, observations);
    let tries = tries(plan, observations, &reps);
    let mut out = Sampled {
        series: Vec::new(),
        attempts: Vec::new(),
        gaps: Vec::new(),
    };
    for (&(cell, journey), by_rep) in &tries {
        let mut attempts = count(cell, journey, by_rep, end);
        for (rep, samples) in by_rep {
            let users = u64::from(reps[rep].cohorts.count_ones()) * plan.cells[cell].users * COHORT;
            let spans = lone(samples, end).map(|(from, to)| (from, to, users));
            attempts.lone.extend(spans);
        }
        out.attempts.push(attempts);
        let patience = plan.topology.journey(journey).timeout + machine.probe_every * MISSED_TURNS;
        if machine.probe_every > Nanos::ZERO {
            let name = &plan.topology.journey(journey).id;
            for samples in by_rep.values() {
                out.gaps.extend(gaps(samples, patience, end, name));
            }
        }
        // A cell of which some cohorts were not watched was not measured.
        let covered = by_rep.keys().fold(0, |mask, rep| mask | reps[rep].cohorts);
        let whole = by_rep
            .keys()
            .map(|rep| reps[rep].cohorts.count_ones())
            .sum::<u32>()
            == 64;
        if covered == u64::MAX && whole {
            let users = plan.cells[cell].users;
            out.series.push(series(cell, journey, users, by_rep, &reps));
        }
    }
    merge(&mut out.gaps);
    out
}

fn representatives(plan: &Plan<'_>, observations: &[Observation]) -> BTreeMap<u32, Representative> {
    let all = observations.iter().filter_map(|one| match *one {
        Observation::Representative { rep, cell, cohorts } if cell < plan.cells.len() => {
            Some((rep, Representative { cell, cohorts }))
        }
        _ => None,
    });
    all.collect()
}

type ByRep = BTreeMap<u32, Vec<Sample>>;

/// Attempts by cell and journey, and then by representative, in order of time.
fn tries(
    plan: &Plan<'_>,
    observations: &[Observation],
    reps: &BTreeMap<u32, Representative>,
) -> BTreeMap<(usize, JourneyId), ByRep> {
    let mut all: BTreeMap<(usize, JourneyId), ByRep> = BTreeMap::new();
    for one in observations {
        let &Observation::Sample {
            at,
            rep,
            journey,
            took,
            served,
            ..
        } = one
        else {
            continue;
        };
        let Some(known) = reps
            .get(&rep)
            .filter(|_| journey < plan.topology.journeys.len())
        else {
            continue;
        };
        // What failed over the start may have met what begins there: it tells of the start.
        let astride = served == Served::No && at < Nanos::ZERO && at + took > Nanos::ZERO;
        let at = if astride { Nanos::ZERO } else { at };
        let key = (known.cell, JourneyId::from(journey));
        let list = all.entry(key).or_default().entry(rep).or_default();
        list.push(Sample { at, took, served });
    }
    for samples in all.values_mut().flat_map(BTreeMap::values_mut) {
        samples.sort_by_key(|sample| sample.at);
    }
    all
}

fn count(cell: usize, journey: JourneyId, by_rep: &ByRep, end: Nanos) -> Attempts {
    let mut attempts = Attempts {
        cell,
        journey,
        steady: 0,
        steady_failed: 0,
        began_at: Vec::new(),
        failed_at: Vec::new(),
        lone: Vec::new(),
    };
    for sample in by_rep.values().flatten().filter(|sample| sample.at < end) {
        let failed = sample.served == Served::No;
        if sample.at < Nanos::ZERO {
            attempts.steady += 1;
            attempts.steady_failed += u64::from(failed);
        } else {
            attempts.began_at.push(sample.at);
            if failed {
                attempts.failed_at.push(sample.at);
            }
        }
    }
    attempts.began_at.sort_unstable();
    attempts.failed_at.sort_unstable();
    attempts
}

/// Whether an attempt failed between two that did not.
fn is_lone(samples: &[Sample], index: usize) -> bool {
    let failed = |index: Option<usize>| {
        let sample = index.and_then(|i| samples.get(i));
        sample.is_some_and(|s| s.served == Served::No)
    };
    failed(Some(index)) && !failed(index.checked_sub(1)) && !failed(Some(index + 1))
}

/// Lone failures from the start on, each to the next attempt.
fn lone(samples: &[Sample], end: Nanos) -> impl Iterator<Item = (Nanos, Nanos)> + '_ {
    let alone = (0..samples.len()).filter(|&index| is_lone(samples, index));
    let spans = alone.map(move |index| {
        let next = samples.get(index + 1).map_or(end, |sample| sample.at);
        (samples[index].at.max(Nanos::ZERO), next.min(end))
    });
    spans.filter(|(from, to)| from < to)
}

/// The states of one representative, with lone failures taken as what stood before them.
fn smoothed(samples: &[Sample]) -> Vec<(Nanos, Served)> {
    let state = |index: usize| samples.get(index).map(|sample| sample.served);
    let mut out: Vec<(Nanos, Served)> = Vec::new();
    for (index, sample) in samples.iter().enumerate() {
        let lone = is_lone(samples, index);
        let good = out.last().map(|last| last.1).or_else(|| state(index + 1));
        let served = match good {
            Some(good) if lone => good,
            _ => sample.served,
        };
        if out.last().is_none_or(|last| last.1 != served) {
            out.push((sample.at, served));
        }
    }
    out
}

fn series(
    cell: usize,
    journey: JourneyId,
    users: u64,
    by_rep: &ByRep,
    reps: &BTreeMap<u32, Representative>,
) -> Series {
    let mut changes: Vec<(Nanos, i128, i128)> = Vec::new();
    let mut worst_latency = Nanos::ZERO;
    // What a representative found first held before: nobody looked earlier.
    let first = by_rep
        .values()
        .filter_map(|samples| Some(samples.first()?.at));
    let first = first.min().unwrap_or(Nanos::ZERO).min(Nanos::ZERO);
    for (rep, samples) in by_rep {
        let weight = u64::from(reps[rep].cohorts.count_ones()) * users * COHORT;
        let weight = i128::from(weight);
        let mut before = (0, 0);
        for (index, &(at, served)) in smoothed(samples).iter().enumerate() {
            let now = match served {
                Served::Yes => (weight, 0),
                Served::Degraded => (weight, weight),
                Served::No => (0, 0),
            };
            let at = if index == 0 { first } else { at };
            changes.push((at, now.0 - before.0, now.1 - before.1));
            before = now;
        }
        let served = samples
            .iter()
            .filter(|sample| sample.at >= Nanos::ZERO && sample.served != Served::No);
        worst_latency = served
            .map(|sample| sample.took)
            .fold(worst_latency, Nanos::max);
    }
    changes.sort_by_key(|change| change.0);
    Series {
        cell,
        journey,
        steps: accumulated(&changes),
        worst_latency,
    }
}

fn accumulated(changes: &[(Nanos, i128, i128)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut served, mut degraded) = (0i128, 0i128);
    for &(at, more, more_degraded) in changes {
        served += more;
        degraded += more_degraded;
        let step = Step {
            at,
            served: u64::try_from(served).unwrap_or(0),
            degraded: u64::try_from(degraded).unwrap_or(0),
        };
        match steps.last_mut() {
            Some(last) if last.at == at => *last = step,
            _ => steps.push(step),
        }
    }
    steps.dedup_by(|next, last| (next.served, next.degraded) == (last.served, last.degraded));
    steps
}

/// Spans from the start on in which no attempt began although it was due.
fn gaps(samples: &[Sample], patience: Nanos, end: Nanos, journey: &str) -> Vec<Disturbed> {
    let times = samples.iter().map(|sample| sample.at).chain([end]);
    let mut last: Option<Nanos> = None;
    let mut out = Vec::new();
    for at in times {
        if let Some(since) = last.replace(at)
            && at - since > patience
            && at > Nanos::ZERO
        {
            out.push(Disturbed {
                from: since.max(Nanos::ZERO),
                to: at.min(end),
                blind: true,
                what: format!("runner stood still: no attempt of {journey} was made"),
            });
        }
    }
    out
}

/// Puts overlapping spans of one text together.
fn merge(gaps: &mut Vec<Disturbed>) {
    gaps.sort_by(|a, b| (&a.what, a.from).cmp(&(&b.what, b.from)));
    gaps.dedup_by(|next, last| {
        let together = next.what == last.what && next.from <= last.to;
        if together {
            last.to = last.to.max(next.to);
        }
        together
    });
}
