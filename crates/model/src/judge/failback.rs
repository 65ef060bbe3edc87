//! `failback`: from the end of the last fault to the home replica serving again.
//!
//! The disturbance, ∫ (1 − s) in that time, stands beside it; the outage that a fail-back causes
//! is also an outage like any other.

use super::context::Context;
use super::status::{Draft, lower};
use super::words::{time_margin, user_hours, user_hours_text};
use crate::finding::{Detail, Status, Value};
use crate::ids::ServiceId;
use crate::journal::DecisionKind;
use crate::objective::Objective;
use assize_fault::Nanos;

/// One finding for each service that could fail over, or the one that is named.
pub(super) fn judge(context: &Context<'_>, objective: &Objective, target: Nanos) -> Vec<Draft> {
    let services = match objective.service {
        Some(service) => vec![service],
        None => context.services(|service| service.failover.is_some()),
    };
    super::each_service(context, &services, &format!("≤ {target}"), |service| {
        Some(one(context, service, target))
    })
}

/// The home replica: the first with role primary, else the first.
fn home(context: &Context<'_>, service: ServiceId) -> u16 {
    let replicas = &context.plan.topology.service(service).replicas;
    replicas
        .iter()
        .position(|replica| replica.primary)
        .unwrap_or(0) as u16
}

/// Whether the service ever ran without its home replica.
fn failed_over(context: &Context<'_>, service: ServiceId, home: u16) -> bool {
    let journal = context.journal;
    let promoted = journal
        .decisions
        .iter()
        .any(|d| d.service == Some(service) && d.kind == DecisionKind::Promoted);
    // A replica that serves beside the home replica is no failover; one that serves while the
    // home replica does not is.
    let covered = |at: Nanos| {
        let mut spans = journal.serving.iter().filter(|s| s.service == service);
        spans.any(|s| s.replica == home && s.from <= at && at < s.to)
    };
    let mut others = journal
        .serving
        .iter()
        .filter(|s| s.service == service && s.replica != home);
    promoted
        || others.any(|s| s.from < s.to && (!covered(s.from) || !covered(s.to - Nanos(1))))
        || journal.serving.iter().any(|s| {
            let ended = s.service == service && s.replica == home && s.to < journal.end;
            ended && !covered(s.to) && others_serve(context, service, home, s.to)
        })
}

fn others_serve(context: &Context<'_>, service: ServiceId, home: u16, at: Nanos) -> bool {
    let mut spans = context
        .journal
        .serving
        .iter()
        .filter(|s| s.service == service);
    spans.any(|s| s.replica != home && s.from <= at && at < s.to)
}

fn one(context: &Context<'_>, service: ServiceId, target: Nanos) -> Draft {
    let journal = context.journal;
    let subject = context.service_name(service);
    let target_text = format!("≤ {target}");
    let home = home(context, service);
    if !failed_over(context, service, home) {
        let why = "The service never left its home replica, so no fail-back took place.";
        return Draft {
            status: Status::NotExercised,
            measured_text: "not exercised".to_string(),
            ..Draft::unmeasured(subject, target_text, why.to_string())
        };
    }
    let since = context.last_fault_end().unwrap_or(Nanos::ZERO);
    let again = journal
        .serving
        .iter()
        .filter(|s| s.service == service && s.replica == home && s.to > since && s.from < s.to)
        .map(|s| s.from.max(since))
        .min();
    let until = again.unwrap_or(journal.end).max(since);
    let measured = until - since;
    let error = context.resolution();
    let at_least = again.is_none();
    let lost: u128 = context
        .pairs()
        .into_iter()
        .filter(|pair| context.calls(pair.1, service))
        .filter_map(|pair| context.share(pair))
        .map(|share| share.lost(&[(since, until)]))
        .sum();
    let text = if at_least {
        format!("≥ {measured} (not by the end)")
    } else {
        measured.to_string()
    };
    Draft {
        target: Some(Value::Time(target)),
        measured: Some(Value::Time(measured)),
        measured_text: text,
        error: Some(Value::Time(error)),
        margin_text: time_margin(target, measured, at_least),
        status: lower(measured, error, target, at_least),
        seconds: vec![(since - error, until + error)],
        reason: if at_least {
            format!("The home replica did not serve again in the {measured} after the last fault.")
        } else {
            format!("The home replica served again {measured} after the last fault's end.")
        },
        details: vec![Detail {
            name: "disturbance",
            value: Some(Value::UserHours(user_hours(lost))),
            text: format!("{} lost meanwhile", user_hours_text(lost)),
        }],
        ..Draft::unmeasured(subject, target_text, String::new())
    }
}
