//! `blast_radius`, `user_hours_lost` and `must_not_affect`: who was out in service hours.
//!
//! Service hours only; recovery times run on the clock and are judged elsewhere.

use super::context::{Context, Pair, Who};
use super::exact::{compare_share, ratio, share_ceil};
use super::live;
use super::rto::beside;
use super::series::{ALL, Share};
use super::status::{About, Draft, met_if};
use super::words::{share_margin, share_up, text_detail, thousands, user_hours, user_hours_text};
use crate::finding::{Detail, Status, Value};
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
        let seconds = share.below(ALL);
        let met = compare_share(peak, total, target.0) != Ordering::Greater;
        let worst = share_up(peak, total);
        let mut details = vec![lost_detail(share.lost(hours))];
        details.extend(beside(&share));
        Some(Draft {
            target: Some(Value::Share(target.as_f64())),
            measured: Some(Value::Share(ratio(peak, total))),
            measured_text: format!("{worst} out"),
            seconds,
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
        let who = Who::Excluding(&objective.excluding);
        let lone = live::lone(context, pair, who, hours);
        let lost = share.lost(hours) + lone.0;
        // Each change was seen up to one resolution late.
        let seen_late = share.variation(hours) * context.resolution().0.max(0) as u128;
        let error = seen_late + lone.1;
        let margin = if lost <= units {
            format!("+{} to spare", user_hours_text(units - lost))
        } else {
            format!("over by {}", user_hours_text(lost - units))
        };
        Some(Draft {
            target: Some(Value::UserHours(user_hours(units))),
            measured: Some(Value::UserHours(user_hours(lost))),
            measured_text: user_hours_text(lost),
            error: Some(Value::UserHours(user_hours(error))),
            margin_text: margin,
            status: if lost + error <= units {
                Status::Met
            } else if lost.saturating_sub(error) <= units {
                Status::Inconclusive
            } else {
                Status::Missed
            },
            seconds: share.below(ALL),
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
    let about = About::Pairs(seen.iter().map(|one| one.0).collect());
    seen.retain(|(pair, share)| share.least(context.hours(pair.0)).is_some());
    if seen.is_empty() {
        let why = "Nobody makes a journey there in service hours.".to_string();
        return Draft::unmeasured(subject, target_text, why);
    }
    Draft {
        about,
        ..untouched_found(context, objective, who, (subject, target_text), &seen)
    }
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
    objective: &Objective,
    who: Who<'_>,
    (subject, target_text): (String, String),
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
    // Without an outage of anybody, more failures than the steady state has are still an effect.
    let excess: Vec<String> = seen
        .iter()
        .filter_map(|(pair, _)| {
            let what = live::excess(context, *pair, who)?;
            Some(format!("{}: {what}", context.pair_name(*pair)))
        })
        .collect();
    let is_out = |one: &&(Pair, Cow<'_, Share>)| {
        let peak = peak_of(one);
        peak > 0
            && one.1.is_below(
                one.1.total().saturating_sub(peak),
                context.level(objective, one.0),
            )
    };
    let out: Vec<&(Pair, Cow<'_, Share>)> = seen.iter().filter(is_out).collect();
    let touched: Vec<String> = out.iter().map(|one| context.pair_name(one.0)).collect();
    let met = out.is_empty() && excess.is_empty();
    let seconds = out.iter().flat_map(|one| one.1.below(ALL)).collect();
    let (peak, total) = worst.map_or((0, 1), |one| (peak_of(one), one.1.total()));
    let text = share_up(peak, total);
    let mut details = vec![lost_detail(lost)];
    if !touched.is_empty() {
        details.push(text_detail("touched", touched.join(", ")));
    }
    if let Some(what) = excess.first() {
        details.push(text_detail("failures", what.clone()));
    }
    // Failures too rare for an outage, by how many attempts there are.
    let only_failures = out.is_empty().then(|| excess.first()).flatten();
    Draft {
        target: Some(Value::Share(0.0)),
        measured: Some(Value::Share(ratio(peak, total))),
        measured_text: if met {
            "untouched".into()
        } else if only_failures.is_some() {
            "some attempts failed".into()
        } else {
            format!("{text} out")
        },
        error: Some(Value::Share(0.0)),
        margin_text: if met || only_failures.is_some() {
            String::new()
        } else {
            format!("over by {text}")
        },
        status: met_if(met),
        seconds,
        reason: match worst {
            _ if only_failures.is_some() => {
                format!(
                    "No outage was seen, but {}.",
                    only_failures.map_or("", String::as_str)
                )
            }
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
