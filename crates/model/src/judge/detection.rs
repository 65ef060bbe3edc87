//! `detection`: from a fault to the first decision, of the control plane or of people, about an
//! element that it failed.

use super::context::Context;
use super::rto::is_detection_by_control_plane;
use super::status::{Draft, lower};
use super::words::time_margin;
use crate::finding::Value;
use crate::journal::{Decision, DecisionKind};
use crate::objective::Objective;
use assize_fault::Nanos;

/// One finding for each fault, or for the one that the objective names.
pub(super) fn judge(context: &Context<'_>, objective: &Objective, target: Nanos) -> Vec<Draft> {
    let faults = match context.fault_of(objective) {
        Some(fault) => vec![fault],
        None => (0..context.plan.scenario.faults.len()).collect(),
    };
    if faults.is_empty() {
        let why = "The scenario has no fault to detect.".to_string();
        return vec![Draft::unmeasured(
            "any fault".into(),
            format!("≤ {target}"),
            why,
        )];
    }
    faults
        .into_iter()
        .map(|fault| one(context, objective, target, fault))
        .collect()
}

fn one(context: &Context<'_>, objective: &Objective, target: Nanos, fault: usize) -> Draft {
    let id = &context.plan.scenario.faults[fault].id;
    let subject = format!("fault/{id}");
    let target_text = format!("≤ {target}");
    let Some(record) = context.journal.faults.get(fault) else {
        let why = format!("What became of `{id}` was not recorded.");
        return Draft {
            fault: Some(fault),
            ..Draft::unmeasured(subject, target_text, why)
        };
    };
    let end = context.journal.end;
    let about = |decision: &&Decision| {
        decision.at >= record.from
            && decision.faults.contains(&fault)
            && objective
                .service
                .is_none_or(|service| decision.service == Some(service))
            && (is_detection_by_control_plane(decision.kind)
                || decision.kind == DecisionKind::PeopleKnow)
    };
    let found = context.journal.decisions.iter().find(about);
    // Never noticed: at least as long as it was on.
    let last = record.to.min(end).max(record.from);
    let measured = found.map_or(last, |decision| decision.at) - record.from;
    let at_least = found.is_none();
    let error = context.resolution();
    Draft {
        target: Some(Value::Time(target)),
        measured: found.map(|_| Value::Time(measured)),
        measured_text: if at_least {
            "never".into()
        } else {
            measured.to_string()
        },
        error: found.map(|_| Value::Time(error)),
        margin_text: time_margin(target, measured, at_least),
        status: lower(measured, error, target, at_least),
        seconds: vec![(record.from, record.from + measured + error)],
        reason: match found {
            Some(decision) => format!("Noticed at `{}` after {measured}.", decision.subject),
            None => format!("Nobody noticed `{id}` in the {measured} that it was on."),
        },
        fault: Some(fault),
        ..Draft::unmeasured(subject, target_text, String::new())
    }
}
