//! `retained_capacity` and `backlog`: what is left while on the standby, and how long queued
//! work takes to clear.

use super::context::{Context, Pair, Who};
use super::exact::{compare_share, ratio, share_floor};
use super::rto::beside;
use super::series::{Share, Span};
use super::status::{Draft, lower, met_if};
use super::words::{share_down, share_margin, time_detail, time_margin};
use crate::finding::{Detail, Status, Value};
use crate::ids::ServiceId;
use crate::journal::{Decision, DecisionKind, USER};
use crate::objective::Objective;
use crate::topology::Mode;
use assize_fault::{Nanos, Ppb};
use core::cmp::Ordering;

/// `retained_capacity: 50%`: one finding for each population and journey.
pub(super) fn retained(context: &Context<'_>, objective: &Objective, target: Ppb) -> Vec<Draft> {
    super::each_pair(context, objective, format!("≥ {target}"), |pair| {
        let share = context.share_of(pair, Who::Excluding(&objective.excluding))?;
        Some(retained_one(context, objective, target, pair, &share))
    })
}

fn retained_one(
    context: &Context<'_>,
    objective: &Objective,
    target: Ppb,
    pair: Pair,
    share: &Share,
) -> Draft {
    let name = context.pair_name(pair);
    let target_text = format!("≥ {target}");
    let windows = failed_over(context, objective, pair);
    let Some(least) = share.least(&windows) else {
        let why = "Nothing that the journey uses failed over, so nothing had to carry its load.";
        return Draft {
            status: Status::NotExercised,
            measured_text: "not exercised".to_string(),
            ..Draft::unmeasured(name, target_text, why.to_string())
        };
    };
    let total = share.total();
    let met = compare_share(least, total, target.0) != Ordering::Less;
    let text = share_down(least, total);
    let mut details: Vec<Detail> = windows
        .iter()
        .map(|&(from, to)| {
            let text = format!("from {} to {}", context.instant(from), context.instant(to));
            time_detail("failed_over", to - from, text)
        })
        .collect();
    details.extend(beside(share));
    Draft {
        target: Some(Value::Share(target.as_f64())),
        measured: Some(Value::Share(ratio(least, total))),
        measured_text: text.clone(),
        error: Some(Value::Share(0.0)),
        margin_text: share_margin(target.0, share_floor(least, total).unwrap_or(0), met),
        status: met_if(met),
        seconds: if met { Vec::new() } else { windows },
        reason: format!("At least {text} of the demand was served while failed over."),
        details,
        ..Draft::unmeasured(name, target_text, String::new())
    }
}

/// When a decision is the end of a failover, and when its clients have followed.
fn followed(context: &Context<'_>, decision: &Decision) -> Option<Nanos> {
    let topology = context.plan.topology;
    let Some(service) = decision.service else {
        let link = decision.subject.strip_prefix("link/");
        let link = link.and_then(|id| topology.links.iter().find(|link| link.id == id));
        let converge = link.map_or(Nanos::ZERO, |link| link.converge);
        return match decision.kind {
            DecisionKind::RouteDown => Some(decision.at + converge),
            DecisionKind::Activated => Some(decision.at),
            _ => None,
        };
    };
    let service = topology.service(service);
    let ends = match service.mode {
        Mode::ActiveStandby | Mode::Quorum => DecisionKind::Promoted,
        Mode::Single | Mode::ActiveActive | Mode::Sharded => DecisionKind::Down,
    };
    let ttl = service
        .failover
        .as_ref()
        .map_or(Nanos::ZERO, |failover| failover.dns_ttl);
    (decision.kind == ends).then_some(decision.at + ttl)
}

/// From the end of each failover that a journey's services (or the network) made, to the start
/// of fail-back, to the fault that brings about the next failover, or to the end.
fn failed_over(context: &Context<'_>, objective: &Objective, pair: Pair) -> Vec<Span> {
    let concerned = |decision: &&Decision| match (decision.service, objective.service) {
        (Some(service), Some(only)) => service == only,
        (Some(service), None) => context.calls(pair.1, service),
        (None, only) => only.is_none(),
    };
    let mut windows: Vec<Span> = Vec::new();
    let mut open: Option<Nanos> = None;
    for decision in context.journal.decisions.iter().filter(concerned) {
        let fails_back = matches!(
            decision.kind,
            DecisionKind::FailBackBegun | DecisionKind::FailedBack
        );
        let complete = followed(context, decision);
        if complete.is_none() && !fails_back {
            continue;
        }
        if let Some(from) = open {
            let begun = decision
                .faults
                .iter()
                .filter_map(|&f| context.begun(f, decision.at))
                .max();
            let to = if fails_back {
                decision.at
            } else {
                begun.unwrap_or(decision.at)
            };
            windows.push((from, to));
        }
        open = complete.map(|at| open.map_or(at, |from| from.max(at)));
    }
    windows.extend(open.map(|from| (from, context.journal.end)));
    // Who was served again shows by the next attempt.
    let e = context.resolution();
    for (from, to) in &mut windows {
        *from += e;
        *to -= if *to < context.journal.end {
            e
        } else {
            Nanos::ZERO
        };
    }
    windows.retain(|&(from, to)| from < to);
    windows
}

/// `backlog: 1h`: one finding for each service with a queue, or the one that is named.
pub(super) fn backlog(context: &Context<'_>, objective: &Objective, target: Nanos) -> Vec<Draft> {
    let queues = &context.journal.queues;
    let services = match objective.service {
        Some(service) => vec![service],
        None => {
            let mut services: Vec<ServiceId> = queues.iter().map(|queue| queue.service).collect();
            services.sort_unstable();
            services.dedup();
            services
        }
    };
    super::each_service(context, &services, &format!("≤ {target}"), |service| {
        let amounts = amounts(context, service)?;
        Some(backlog_one(context, service, target, &amounts))
    })
}

/// Queued work of a service from each instant on, over all its queues; the first at 0.
fn amounts(context: &Context<'_>, service: ServiceId) -> Option<Vec<(Nanos, i128)>> {
    let queues = context
        .journal
        .queues
        .iter()
        .filter(|queue| queue.service == service);
    let mut changes: Vec<(Nanos, i128)> = Vec::new();
    let mut any = false;
    for queue in queues {
        any = true;
        let mut last = 0;
        for &(at, amount) in queue
            .steps
            .iter()
            .filter(|step| step.0 < context.journal.end)
        {
            changes.push((at.max(Nanos::ZERO), i128::from(amount) - last));
            last = i128::from(amount);
        }
    }
    changes.sort_by_key(|change| change.0);
    let mut out = vec![(Nanos::ZERO, 0)];
    for (at, change) in changes {
        let last = out.len() - 1;
        let amount = out[last].1 + change;
        if out[last].0 == at {
            out[last].1 = amount;
        } else {
            out.push((at, amount));
        }
    }
    any.then_some(out)
}

fn backlog_one(
    context: &Context<'_>,
    service: ServiceId,
    target: Nanos,
    amounts: &[(Nanos, i128)],
) -> Draft {
    let since = context.last_fault_end().unwrap_or(Nanos::ZERO);
    let regular = amounts[0].1;
    let past = amounts.partition_point(|one| one.0 <= since);
    let cleared = amounts[past.saturating_sub(1)..]
        .iter()
        .find(|one| one.1 <= regular)
        .map(|one| one.0.max(since));
    let measured = cleared.unwrap_or(context.journal.end).max(since) - since;
    let at_least = cleared.is_none();
    let error = context.resolution();
    let peak = amounts.iter().map(|one| one.1).max().unwrap_or(0).max(0);
    let peak = (peak / i128::from(USER)) as u64;
    let target_text = format!("≤ {target}");
    Draft {
        target: Some(Value::Time(target)),
        measured: Some(Value::Time(measured)),
        measured_text: match (at_least, measured) {
            (true, _) => format!("≥ {measured} (still queued)"),
            (false, Nanos::ZERO) => "nothing left queued".to_string(),
            (false, _) => measured.to_string(),
        },
        error: Some(Value::Time(error)),
        margin_text: time_margin(target, measured, at_least),
        status: lower(measured, error, target, at_least),
        seconds: vec![(since, since + measured + error)],
        reason: if at_least {
            "Queued work was not back to its amount at the start by the end.".to_string()
        } else {
            format!(
                "Queued work was back to its amount at the start {measured} after the last fault."
            )
        },
        details: vec![Detail {
            name: "peak",
            value: Some(Value::Count(peak)),
            text: format!("at most {peak} queued"),
        }],
        ..Draft::unmeasured(context.service_name(service), target_text, String::new())
    }
}
