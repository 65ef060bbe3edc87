//! `availability`: user-time served over the service hours in the window.
//!
//! Site-time and request figures stand beside it under their own names, and decide nothing.

use super::context::{Context, Pair, Who};
use super::exact::{BILLION, compare_share, ratio, share_floor};
use super::live;
use super::rto::beside;
use super::series::{ALL, Share, Span, intersect, length};
use super::status::Draft;
use super::words::{share_down, share_margin, thousands};
use crate::calendar::Spans;
use crate::finding::{Detail, Status, Value};
use crate::journal::USER;
use crate::objective::{During, Objective};
use assize_fault::{Nanos, Ppb};
use core::cmp::Ordering;

/// One finding for each population and journey that the objective is about.
pub(super) fn judge(context: &Context<'_>, objective: &Objective, target: Ppb) -> Vec<Draft> {
    super::each_pair(context, objective, format!("≥ {target}"), |pair| {
        let share = context.share_of(pair, Who::Excluding(&objective.excluding))?;
        Some(one(context, objective, target, pair, &share))
    })
}

/// The service hours that count: in the window, and while or after faults are on.
fn window(context: &Context<'_>, objective: &Objective, pair: Pair) -> Spans {
    let end = context.journal.end;
    let (from, to) = objective.window.unwrap_or((Nanos::ZERO, end));
    let named = intersect(
        &[(from.max(Nanos::ZERO), to.min(end))],
        context.hours(pair.0),
    );
    match objective.during {
        During::All => named,
        During::Fault => {
            let on = context.fault_of(objective);
            let on = on.map_or_else(|| context.faulted(), |fault| context.turns(fault));
            intersect(&named, &on)
        }
        During::After => {
            let fault = context.fault_of(objective);
            let record = fault.and_then(|fault| context.journal.faults.get(fault));
            let after = record.map(|record| record.to).or(context.last_fault_end());
            let after = after.unwrap_or(Nanos::ZERO);
            intersect(&named, &[(after, end)])
        }
    }
}

fn one(
    context: &Context<'_>,
    objective: &Objective,
    target: Ppb,
    pair: Pair,
    share: &Share,
) -> Draft {
    let name = context.pair_name(pair);
    let target_text = format!("≥ {target}");
    let hours = window(context, objective, pair);
    let whole = share.total() * length(&hours).0 as u128;
    let who = Who::Excluding(&objective.excluding);
    let lone = live::lone(context, pair, who, &hours);
    let served = share.integral(&hours, |point| point.served.min(share.total()));
    let served = served.saturating_sub(lone.0);
    let Some(floor) = share_floor(served, whole) else {
        let why = "There are no service hours in the window.".to_string();
        return Draft::unmeasured(name, target_text, why);
    };
    let met = compare_share(served, whole, target.0) != Ordering::Less;
    let (error, status) = bounds(context, share, &hours, (served, whole, lone.1), target);
    let percent = share_down(served, whole);
    let mut details = details(context, pair, share, &hours);
    details.extend(beside(share));
    Draft {
        target: Some(Value::Share(target.as_f64())),
        measured: Some(Value::Share(ratio(served, whole))),
        measured_text: percent.clone(),
        error: Some(Value::Share(ratio(error, whole))),
        margin_text: share_margin(target.0, floor, met),
        status,
        mean: true,
        seconds: share.below(ALL),
        reason: format!(
            "{percent} of {} of {} users were served.",
            hours_text(length(&hours)),
            thousands(share.users)
        ),
        details,
        ..Draft::unmeasured(name, target_text, String::new())
    }
}

/// How far the integral may be off, and the status with that: each change was seen up to one
/// resolution late, and lone failures come as chance has them. Zero for what was computed.
fn bounds(
    context: &Context<'_>,
    share: &Share,
    hours: &[Span],
    (served, whole, by_chance): (u128, u128, u128),
    target: Ppb,
) -> (u128, Status) {
    let seen_late = share.variation(hours) * context.resolution().0.max(0) as u128;
    let error = seen_late + by_chance;
    let at_least = |served| compare_share(served, whole, target.0) != Ordering::Less;
    let status = if at_least(served.saturating_sub(error)) {
        Status::Met
    } else if at_least((served + error).min(whole)) {
        Status::Inconclusive
    } else {
        Status::Missed
    };
    (error, status)
}

/// `110 service hours`, or of less than one `3m 20s of service hours`.
fn hours_text(time: Nanos) -> String {
    if time < Nanos::hours(1) {
        return format!("{time} of service hours");
    }
    let tenths = (i128::from(time.0) * 10 / 3_600_000_000_000) as i64;
    match tenths % 10 {
        0 => format!("{} service hours", tenths / 10),
        rest => format!("{}.{rest} service hours", tenths / 10),
    }
}

fn details(context: &Context<'_>, pair: Pair, share: &Share, hours: &[Span]) -> Vec<Detail> {
    let mut out = Vec::new();
    let mut show = |name, figure: Option<f64>| {
        if let Some(figure) = figure {
            // For the eye: four places, cut off, so that no figure is flattered.
            let text = Ppb((figure * 1e6) as u64 * 1_000).to_string();
            out.push(Detail {
                name,
                value: Some(Value::Share(figure)),
                text,
            });
        }
    };
    show("site_time", site_time(context, pair, share, hours));
    show("requests", requests(context, pair, share, hours));
    let whole = share.total() * length(hours).0 as u128;
    let degraded = share.integral(hours, |point| point.degraded);
    show(
        "degraded_time",
        (degraded > 0).then(|| ratio(degraded, whole)),
    );
    out
}

/// Each site counts the same, however many users sit there. For display only.
fn site_time(context: &Context<'_>, pair: Pair, share: &Share, hours: &[Span]) -> Option<f64> {
    let whole = length(hours).0 as u128;
    let (mut served, mut sites) = (0.0, 0u64);
    for series in &context.journal.series {
        let Some(cell) = context.journal.cells.get(series.cell) else {
            continue;
        };
        if (cell.population, series.journey) != pair || share.left_out > 0 {
            continue;
        }
        let of_cell = [series].into_iter();
        let one = Share::combine(of_cell, &context.journal.cells, cell.users, 0, share.end)?;
        let count = cell.end.saturating_sub(cell.first);
        let users = u128::from(cell.users) * u128::from(USER);
        served += f64::from(count) * ratio(one.integral(hours, |p| p.served), users * whole);
        sites += u64::from(count);
    }
    (sites > 1 && served.is_finite()).then(|| (served / sites as f64).min(1.0))
}

/// Each instant weighs as much as the demand then. For display only.
fn requests(context: &Context<'_>, pair: Pair, share: &Share, hours: &[Span]) -> Option<f64> {
    let topology = context.plan.topology;
    let population = topology.population(pair.0);
    if population.demand.is_empty() {
        return None;
    }
    let weigh = |spans: &[Span], weight: i64| {
        let served = share.integral(spans, |point| point.served);
        let whole = share.total() * length(spans).0 as u128;
        let scale = weight as f64 / BILLION as f64;
        (served as f64 * scale, whole as f64 * scale)
    };
    let (mut served, mut whole) = weigh(hours, 1_000);
    for (window, milli) in &population.demand {
        let start = context.plan.scenario.start;
        let spans = window.spans(&topology.calendar, start, Nanos::ZERO, share.end);
        let extra = i64::try_from(*milli).unwrap_or(i64::MAX) - 1_000;
        let more = weigh(&intersect(&spans, hours), extra);
        served += more.0;
        whole += more.1;
    }
    (whole > 0.0).then(|| (served / whole).clamp(0.0, 1.0))
}
