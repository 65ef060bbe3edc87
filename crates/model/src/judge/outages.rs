//! `outages: {max, total}`: how many outages, and how long they are together.

use super::context::{Context, Pair, Who};
use super::rto::{Outages, apart, beside};
use super::series::{Share, length};
use super::status::{Draft, lower, met_if, worse};
use super::words::{number, thousands, time_detail, time_margin};
use crate::finding::{Detail, Status, Value};
use crate::objective::Objective;
use assize_fault::Nanos;

/// The two limits; either may be missing.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) max: Option<u32>,
    pub(super) total: Option<Nanos>,
}

impl Limits {
    fn text(self) -> String {
        let max = self
            .max
            .map(|max| format!("≤ {}", number(max as usize, "outage")));
        let total = self.total.map(|total| format!("≤ {total} in all"));
        let both: Vec<String> = max.into_iter().chain(total).collect();
        both.join(", ")
    }

    /// The limit that leads: the number of outages if there is one.
    fn value(self) -> Option<Value> {
        let max = self.max.map(|max| Value::Count(u64::from(max)));
        max.or(self.total.map(Value::Time))
    }

    fn margin(self, count: usize, total: Nanos, open: bool) -> String {
        let by_count = self.max.map(|max| {
            let (max, count) = (u64::from(max), count as u64);
            match max.checked_sub(count) {
                Some(left) => format!("{left} more allowed"),
                None => format!("{} too many", thousands(count - max)),
            }
        });
        let by_total = self.total.map(|most| time_margin(most, total, open));
        let both: Vec<String> = by_count.into_iter().chain(by_total).collect();
        both.join(", ")
    }
}

/// One finding for each population and journey that the objective is about.
pub(super) fn judge(context: &Context<'_>, objective: &Objective, limits: Limits) -> Vec<Draft> {
    super::each_pair(context, objective, limits.text(), |pair| {
        let share = context.share_of(pair, Who::Excluding(&objective.excluding))?;
        Some(one(context, objective, limits, pair, &share))
    })
}

fn one(
    context: &Context<'_>,
    objective: &Objective,
    limits: Limits,
    pair: Pair,
    share: &Share,
) -> Draft {
    let outages = Outages::of(context, objective, pair, share);
    let count = outages.spans.len();
    let total = length(&outages.spans);
    let readings = outages.readings(context, objective, pair, share);
    let farthest = |figure: &dyn Fn(&Outages) -> Nanos| {
        let own = figure(&outages);
        let others = readings.iter().map(|r| apart(figure(r), own));
        others.max().unwrap_or_default()
    };
    let error = context.resolution() * count as i64 + farthest(&|o| length(&o.spans));
    let counts = readings.iter().map(|r| r.spans.len());
    let by_count = limits.max.map_or(Status::Met, |max| {
        let within = |count: usize| met_if(count as u64 <= u64::from(max));
        // Where they disagree nobody can tell.
        let differ = counts.map(within).any(|status| status != within(count));
        if differ {
            Status::Inconclusive
        } else {
            within(count)
        }
    });
    let by_total = limits
        .total
        .map_or(Status::Met, |most| lower(total, error, most, outages.open));
    let status = worse(by_count, by_total);
    let open = if outages.open {
        ", the last still open"
    } else {
        ""
    };
    let text = format!("{}, {total} in all{open}", number(count, "outage"));
    let parts = outages.causes.parts(&outages.spans);
    let mut details = vec![
        Detail {
            name: "outages",
            value: Some(Value::Count(count as u64)),
            text: text.clone(),
        },
        time_detail("outages_total", total, total.to_string()),
    ];
    details.extend(beside(share));
    let reason = match status {
        Status::Inconclusive if outages.open => format!("{text}: too early to tell."),
        Status::Inconclusive => format!("{text} ± {error}: too close to call."),
        _ if count == 0 => "No user of the journey was interrupted beyond its level.".to_string(),
        _ => format!("The journey was below its level in {text}."),
    };
    let time_only = limits.max.is_none();
    Draft {
        target: limits.value(),
        measured: Some(if time_only {
            Value::Time(total)
        } else {
            Value::Count(count as u64)
        }),
        measured_text: text,
        error: Some(if time_only {
            Value::Time(error)
        } else {
            Value::Count(0)
        }),
        margin_text: limits.margin(count, total, outages.open),
        status,
        reason,
        details,
        attribution: parts.rows(context),
        seconds: outages.seconds(context),
        ..Draft::unmeasured(context.pair_name(pair), limits.text(), String::new())
    }
}
