//! `split_brain: never`: two replicas of a single-writer service acknowledging at one instant.
//!
//! Observed from acknowledgements, never from a flag.

use super::context::Context;
use super::series::{Span, length, union};
use super::status::{Draft, met_if};
use super::words::number;
use crate::finding::Value;
use crate::objective::Objective;
use crate::topology::Mode;

/// One finding for each service with state and a single writer, or the one that is named.
pub(super) fn judge(context: &Context<'_>, objective: &Objective) -> Vec<Draft> {
    let services = match objective.service {
        Some(service) => vec![service],
        None => context.services(|service| {
            let single = matches!(
                service.mode,
                Mode::Single | Mode::ActiveStandby | Mode::Quorum
            );
            single && service.state.is_some()
        }),
    };
    super::each_service(context, &services, "never", |service| {
        let overlaps = context
            .journal
            .split_brain
            .iter()
            .filter(|one| one.service == service);
        let spans: Vec<Span> = union(overlaps.map(|one| (one.from, one.to)).collect());
        let total = length(&spans);
        let met = spans.is_empty();
        Some(Draft {
            measured: Some(Value::Time(total)),
            measured_text: match spans.len() {
                0 => "never".to_string(),
                count => format!("{}, {total} in all", number(count, "time")),
            },
            // The first acknowledgement is seen late, and after the last one there may have been
            // time for another: nearly a resolution each.
            error: Some(Value::Time(context.resolution() * (2 * spans.len() as i64))),
            margin_text: if met {
                String::new()
            } else {
                format!("over by {total}")
            },
            status: met_if(met),
            reason: match spans.first() {
                None => "No two replicas acknowledged writes at one instant.".to_string(),
                Some(&(from, _)) => format!(
                    "Two replicas acknowledged writes at once, first at {}.",
                    context.instant(from)
                ),
            },
            ..Draft::unmeasured(context.service_name(service), "never".into(), String::new())
        })
    })
}
