//! `blast_radius`, `user_hours_lost` and `must_not_affect`: who was out in service hours.
//!
//! Service hours only; recovery times run on the clock and are judged elsewhere.

use super::context::{Context, Pair, Who};
use super::exact::{compare_share, ratio, share_ceil};
use super::rto::beside;
use super::series::Share;
use super::status::{Draft, met_if};
use super::words::{share_margin, share_up, text_detail, thousands, user_hours, user_hours_text};
use crate::finding::{Detail, Value};
use crate::journal::USER;
use crate::objective::{Objective, Untouched};
use assize_fault::{Nanos, Ppb};
use core::cmp::Ordering;
use std::borrow::Cow;

/// What was lost, as a detail.
fn lost_detail(lost: u128) -> Detail {
    Detail {
        name: "user_hours_lost",
        value: Some(Value::UserHours(user_hours(lost))),
        text: user_hours_text(lost),
    }
}

/// `blast_radius: 10%`: the peak share of users out.
pub(super) fn radius(context: &Context<'_>, objective: &Objective, target: Ppb) -> Vec<Draft> {
    super::each_pair(context, objective, format!("≤ {target}"), |pair| {
        let share = context.share_of(pair, Who::Excluding(&objective.excluding))?;
        let name = context.pair_name(pair);
        let target_text = format!("≤ {target} out");
        let hours = context.hours(pair.0);
        if share.least(hours).is_none() {
            return Some(no_hours(name, target_text));
        }
        let (peak, total) = (share.peak_out(hours), share.total());
        let met = compare_share(peak, total, target.0) != Ordering::Greater;
        let worst = share_up(peak, total);
        let mut details = vec![lost_detail(share.lost(hours))];
        details.extend(beside(&share));
        Some(Draft {
            target: Some(Value::Share(target.as_f64())),
            measured: Some(Value::Share(ratio(peak, total))),
            measured_text: format!("{worst} out"),
            error: Some(Value::Share(0.0)),
            margin_text: share_margin(target.0, share_ceil(peak, total).unwrap_or(0), met),
            status: met_if(met),
            reason: format!(
                "At worst {worst} of {} users were out in service hours.",
                thousands(share.users)
            ),
            details,
            ..Draft::unmeasured(name, target_text, String::new())
        })
    })
}

/// `user_hours_lost: 500h`: ∫ users out.
pub(super) fn hours_lost(context: &Context<'_>, objective: &Objective, most: Nanos) -> Vec<Draft> {
    let units = most.0.max(0) as u128 * u128::from(USER);
    let target_text = format!("≤ {}", user_hours_text(units));
    super::each_pair(context, objective, target_text.clone(), |pair| {
        let share = context.share_of(pair, Who::Excluding(&objective.excluding))?;
        let name = context.pair_name(pair);
        let hours = context.hours(pair.0);
        if share.least(hours).is_none() {
            return Some(no_hours(name, target_text.clone()));
        }
        let lost = share.lost(hours);
        let margin = if lost <= units {
            format!("+{} to spare", user_hours_text(units - lost))
        } else {
            format!("over by {}", user_hours_text(lost - units))
        };
        Some(Draft {
            target: Some(Value::UserHours(user_hours(units))),
            measured: Some(Value::UserHours(user_hours(lost))),
            measured_text: user_hours_text(lost),
            error: Some(Value::UserHours(0.0)),
            margin_text: margin,
            status: met_if(lost <= units),
            reason: format!("{} were lost in service hours.", user_hours_text(lost)),
            details: beside(&share),
            ..Draft::unmeasured(name, target_text.clone(), String::new())
        })
    })
}

fn no_hours(name: String, target_text: String) -> Draft {
    let why = "There are no service hours in the scenario.".to_string();
    Draft::unmeasured(name, target_text, why)
}

/// `must_not_affect`: one finding for each item; nobody out in service hours.
pub(super) fn untouched(
    context: &Context<'_>,
    objective: &Objective,
    items: &[Untouched],
) -> Vec<Draft> {
    items
        .iter()
        .map(|&item| untouched_item(context, objective, item))
        .collect()
}

fn untouched_item(context: &Context<'_>, objective: &Objective, item: Untouched) -> Draft {
    let topology = context.plan.topology;
    let subject = match item {
        Untouched::Population(id) => format!("population/{}", topology.population(id).id),
        Untouched::Journey(id) => format!("journey/{}", topology.journey(id).id),
        Untouched::Group(id) => format!("group/{}", topology.group(id).id),
    };
    let target_text = "nobody out".to_string();
    let mut pairs = context.subjects(objective);
    pairs.retain(|pair| match item {
        Untouched::Population(id) => pair.0 == id,
        Untouched::Journey(id) => pair.1 == id,
        Untouched::Group(_) => true,
    });
    let who = match item {
        Untouched::Group(id) => Who::At(&topology.group(id).sites, &objective.excluding),
        _ => Who::Excluding(&objective.excluding),
    };
    let mut seen = Vec::new();
    for &pair in &pairs {
        if !any_users(context, pair, who) {
            continue;
        }
        match context.share_of(pair, who) {
            Some(share) => seen.push((pair, share)),
            None => {
                let why = format!("{} was not measured.", context.pair_name(pair));
                return Draft::unmeasured(subject, target_text, why);
            }
        }
    }
    seen.retain(|(pair, share)| share.least(context.hours(pair.0)).is_some());
    if seen.is_empty() {
        let why = "Nobody makes a journey there in service hours.".to_string();
        return Draft::unmeasured(subject, target_text, why);
    }
    untouched_found(context, subject, target_text, &seen)
}

fn any_users(context: &Context<'_>, pair: Pair, who: Who<'_>) -> bool {
    context
        .journal
        .cells
        .iter()
        .any(|cell| cell.population == pair.0 && who.means(cell))
}

fn untouched_found(
    context: &Context<'_>,
    subject: String,
    target_text: String,
    seen: &[(Pair, Cow<'_, Share>)],
) -> Draft {
    let peak_of = |(pair, share): &(Pair, Cow<'_, Share>)| share.peak_out(context.hours(pair.0));
    let lost = seen
        .iter()
        .map(|(pair, share)| share.lost(context.hours(pair.0)))
        .sum();
    // Shares, not users, are compared: populations differ in size. The first of the worst.
    let worst = seen
        .iter()
        .rev()
        .max_by_key(|one| share_ceil(peak_of(one), one.1.total()));
    let touched: Vec<String> = seen
        .iter()
        .filter(|one| peak_of(one) > 0)
        .map(|(pair, _)| context.pair_name(*pair))
        .collect();
    let met = touched.is_empty();
    let (peak, total) = worst.map_or((0, 1), |one| (peak_of(one), one.1.total()));
    let text = share_up(peak, total);
    let mut details = vec![lost_detail(lost)];
    if !met {
        details.push(text_detail("touched", touched.join(", ")));
    }
    Draft {
        target: Some(Value::Share(0.0)),
        measured: Some(Value::Share(ratio(peak, total))),
        measured_text: if met {
            "untouched".into()
        } else {
            format!("{text} out")
        },
        error: Some(Value::Share(0.0)),
        margin_text: if met {
            String::new()
        } else {
            format!("over by {text}")
        },
        status: met_if(met),
        reason: match worst {
            Some((pair, _)) if !met => {
                format!(
                    "At worst {text} of the users of {} were out.",
                    context.pair_name(*pair)
                )
            }
            _ => "Nobody was out in service hours.".to_string(),
        },
        details,
        ..Draft::unmeasured(subject, target_text, String::new())
    }
}
