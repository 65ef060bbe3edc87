//! `latency`: the longest that one served attempt would have taken.

use super::context::{Context, Who};
use super::rto::beside;
use super::status::{Draft, lower};
use super::words::time_margin;
use crate::finding::Value;
use crate::objective::Objective;
use assize_fault::Nanos;

/// One finding for each population and journey; attempts that were not served count elsewhere.
pub(super) fn judge(context: &Context<'_>, objective: &Objective, target: Nanos) -> Vec<Draft> {
    super::each_pair(context, objective, format!("≤ {target}"), |pair| {
        let share = context.share_of(pair, Who::Excluding(&objective.excluding))?;
        let measured = share.worst_latency?;
        let error = context.slowness();
        Some(Draft {
            target: Some(Value::Time(target)),
            measured: Some(Value::Time(measured)),
            measured_text: measured.to_string(),
            error: Some(Value::Time(error)),
            margin_text: time_margin(target, measured, false),
            status: lower(measured, error, target, false),
            reason: format!("The slowest attempt that was served took {measured}."),
            details: beside(&share),
            ..Draft::unmeasured(
                context.pair_name(pair),
                format!("≤ {target}"),
                String::new(),
            )
        })
    })
}
