//! Rows of the outcome beside the findings: populations, services, groups, faults, steps,
//! what never served, assumptions. They decide nothing.

use super::context::{Context, Pair, Who};
use super::exact::ratio;
use super::rpo::{self, judged, point};
use super::series::{ALL, Share, bridge, length};
use super::words::user_hours;
use super::{live, losses};
use crate::finding::{
    AssumptionResult, DataResult, FaultResult, GroupResult, JourneyResult, NotExercisedResult,
    OutageResult, PopulationResult, ServedBy, ServiceResult, SpanResult, StepResult,
};
use crate::ids::{PopulationId, ServiceId};
use crate::journal::{ReadBack, USER};
use assize_fault::Nanos;

/// Every population with every journey that it makes.
pub(super) fn populations(context: &Context<'_>) -> Vec<PopulationResult> {
    let populations = context.plan.topology.populations.iter().enumerate();
    populations
        .map(|(index, population)| {
            let id = PopulationId::from(index);
            let pairs = context.pairs_of(id).into_iter();
            PopulationResult {
                id: population.id.clone(),
                users: population.users(),
                sites: sites(context, id),
                journeys: pairs.map(|pair| journey(context, pair)).collect(),
            }
        })
        .collect()
}

/// Sites at which a population sits.
fn sites(context: &Context<'_>, population: PopulationId) -> u64 {
    let cells = context.journal.cells.iter();
    cells
        .filter(|cell| cell.population == population)
        .map(|cell| u64::from(cell.end - cell.first))
        .sum()
}

fn journey(context: &Context<'_>, pair: Pair) -> JourneyResult {
    let id = context.plan.topology.journey(pair.1).id.clone();
    let Some(share) = context.share(pair) else {
        // Not a number becomes `null`: no measurement is neither good nor bad.
        return JourneyResult {
            id,
            availability: f64::NAN,
            availability_all_hours: f64::NAN,
            degraded: f64::NAN,
            peak_out: f64::NAN,
            user_hours_lost: f64::NAN,
            lost_per_user: Nanos::ZERO,
            outages: Vec::new(),
            rto_outages: Vec::new(),
            losses: Vec::new(),
        };
    };
    let (hours, whole) = (context.hours(pair.0), share.whole());
    let total = share.total();
    let of = |spans, part| ratio(part, total * length(spans).0 as u128);
    let lone = |spans| live::lone(context, pair, Who::Excluding(&[]), spans).0;
    let served = |spans| {
        let served = share.integral(spans, |point| point.served.min(total));
        served.saturating_sub(lone(spans))
    };
    let lost = share.lost(&whole) + lone(&whole);
    JourneyResult {
        id,
        availability: of(hours, served(hours)),
        availability_all_hours: of(&whole, served(&whole)),
        degraded: of(hours, share.integral(hours, |point| point.degraded)),
        peak_out: ratio(share.peak_out(hours), total),
        user_hours_lost: user_hours(share.lost(hours) + lone(hours)),
        lost_per_user: per_user(lost, share.users),
        outages: outages(context, share),
        rto_outages: rto_outages(context, share),
        losses: losses::losses(context, pair),
    }
}

/// User-time lost over the users, to the nearest nanosecond below.
fn per_user(lost: u128, users: u64) -> Nanos {
    let units = u128::from(users) * u128::from(USER);
    Nanos(i64::try_from(lost / units.max(1)).unwrap_or(Nanos::NEVER.0))
}

/// Consecutive intervals of constant 1 − s > 0, not bridged.
fn outages(context: &Context<'_>, share: &Share) -> Vec<OutageResult> {
    let total = share.total();
    let mut spans: Vec<(Nanos, Nanos, u128)> = Vec::new();
    for ((from, to), point) in share.pieces() {
        let out = total.saturating_sub(point.served);
        match spans.last_mut() {
            // Points also differ in what a contingency serves.
            Some(last) if last.1 == from && last.2 == out => last.1 = to,
            _ => spans.push((from, to, out)),
        }
    }
    let out = spans.into_iter().filter(|span| span.2 > 0);
    out.map(|(from, to, out)| OutageResult {
        from: context.instant(from),
        to: context.instant(to),
        from_offset: from,
        to_offset: to,
        share: ratio(out, total),
    })
    .collect()
}

fn rto_outages(context: &Context<'_>, share: &Share) -> Vec<SpanResult> {
    let spans = bridge(&share.below(ALL), context.plan.scenario.stable_for);
    spans
        .into_iter()
        .map(|(from, to)| SpanResult {
            from: context.instant(from),
            to: context.instant(to),
            length: to - from,
        })
        .collect()
}

/// Every service, with who served and what became of its writes.
pub(super) fn services(context: &Context<'_>) -> Vec<ServiceResult> {
    let services = context.plan.topology.services.iter().enumerate();
    services
        .map(|(index, service)| {
            let id = ServiceId::from(index);
            let serving = context
                .journal
                .serving
                .iter()
                .filter(|one| one.service == id);
            let name = |replica: u16| {
                let replica = service.replicas.get(usize::from(replica));
                replica.map_or_else(|| "unnamed".to_string(), |replica| replica.id.clone())
            };
            ServiceResult {
                id: service.id.clone(),
                served_by: serving
                    .map(|one| ServedBy {
                        replica: name(one.replica),
                        from: context.instant(one.from),
                        to: context.instant(one.to),
                    })
                    .collect(),
                data: data(context, id),
                amplification: amplification(context, id),
            }
        })
        .collect()
}

/// Of a service with a capacity, what arrived over what users asked for.
fn amplification(context: &Context<'_>, service: ServiceId) -> Option<f64> {
    let all = context.journal.amplification.iter();
    let mut of_service = all.filter(|a| a.0 == service);
    of_service.next().map(|a| a.1 as f64 / 1000.0)
}

/// What became of the writes: counts at the end, and the larger recovery point.
fn data(context: &Context<'_>, service: ServiceId) -> Option<DataResult> {
    let backs = context
        .journal
        .read_backs
        .iter()
        .filter(|back| back.service == service);
    let backs: Vec<&ReadBack> = backs.collect();
    let worst = judged(&backs, None)?;
    let last = backs
        .iter()
        .rev()
        .find(|back| back.is_final)
        .copied()
        .unwrap_or(worst);
    let loss = rpo::worst(worst, None);
    Some(DataResult {
        acknowledged: last.acknowledged,
        lost: last.lost,
        duplicated: last.duplicated,
        stale: last.stale,
        corrupted: last.corrupted,
        indeterminate: last.indeterminate,
        rpo: point(worst, None).0,
        oldest_lost_at: loss.map(|loss| context.instant(loss.oldest_at)),
        newest_lost_at: loss.map(|loss| context.instant(loss.newest_at)),
    })
}

/// Groups, as far as the engine recorded when they were restored.
pub(super) fn groups(context: &Context<'_>) -> Vec<GroupResult> {
    let groups = context.journal.groups.iter();
    groups
        .map(|&(id, restored_at)| {
            let group = context.plan.topology.group(id);
            let sites = group.sites.iter();
            GroupResult {
                id: group.id.clone(),
                sites: sites
                    .map(|range| u64::from(range.end.saturating_sub(range.first)))
                    .sum(),
                restored_at: restored_at.map(|at| context.instant(at)),
            }
        })
        .collect()
}

/// Every fault of the scenario, and what met it.
pub(super) fn faults(context: &Context<'_>) -> Vec<FaultResult> {
    let faults = context.plan.scenario.faults.iter().enumerate();
    faults
        .map(|(index, entry)| {
            let record = context.journal.faults.get(index);
            let bite = record.and_then(|record| record.bite.as_ref());
            let evidence = match (record, bite) {
                (_, Some((at, what))) => format!("at {at}: {what}"),
                (Some(_), None) => "nothing met it while it was on".to_string(),
                (None, None) => "what became of it was not recorded".to_string(),
            };
            let end = context.journal.end;
            let (detected, reported) = losses::noticed(context, index);
            let (from, to) = record.map_or((entry.at, entry.until), |r| (r.from, r.to));
            FaultResult {
                id: entry.id.clone(),
                fault: entry.kind.to_string(),
                target: entry.target_text.clone(),
                from: context.instant(from),
                to: context.instant(to.min(end)),
                owners: losses::owners_of(context, index),
                detected: detected.map(|at| context.instant(at)),
                reported: reported.map(|at| context.instant(at)),
                bit: bite.is_some(),
                evidence,
            }
        })
        .collect()
}

/// Every step of the scenario, and what came of it.
pub(super) fn steps(context: &Context<'_>) -> Vec<StepResult> {
    let steps = context.plan.scenario.steps.iter().enumerate();
    steps
        .map(|(index, entry)| {
            let record = context.journal.steps.get(index);
            StepResult {
                id: entry.id.clone(),
                at: context.instant(record.map_or(entry.at, |record| record.at)),
                outcome: record.map_or_else(
                    || "what came of it was not recorded".to_string(),
                    |record| record.outcome.clone(),
                ),
            }
        })
        .collect()
}

/// What exists to take over, and never served.
pub(super) fn not_exercised(context: &Context<'_>) -> Vec<NotExercisedResult> {
    let list = context.journal.not_exercised.iter();
    list.map(|one| NotExercisedResult {
        element: one.element.clone(),
        what: one.what.clone(),
    })
    .collect()
}

/// Assumptions of the topology, by path.
pub(super) fn assumptions(context: &Context<'_>) -> Vec<AssumptionResult> {
    let assumed = context.plan.topology.assumed.iter();
    assumed
        .map(|one| AssumptionResult {
            path: one.path.clone(),
            reason: one.reason.clone(),
        })
        .collect()
}
