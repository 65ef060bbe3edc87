//! Takeovers of systems that fail over by themselves: nobody tells the harness, but another
//! replica begins to serve.

use crate::journal::{Decision, DecisionKind, FaultRecord, Serving};
use crate::plan::Plan;
use assize_fault::Nanos;

/// Adds a promotion for each first serving of a replica that did not serve before, unless one
/// was recorded. It is seen when it is over: an upper bound of when it was decided.
pub(super) fn decisions(
    plan: &Plan<'_>,
    serving: &[Serving],
    faults: &[FaultRecord],
    decisions: &mut Vec<Decision>,
) {
    for span in serving.iter().filter(|span| span.from > Nanos::ZERO) {
        let service = plan.topology.service(span.service);
        if !service.failover.as_ref().is_some_and(|f| f.external) {
            continue;
        }
        let mut before = serving
            .iter()
            .filter(|other| other.service == span.service && other.from < span.from);
        if !before.any(|other| other.replica != span.replica) {
            continue;
        }
        let subject = service.replicas.get(usize::from(span.replica)).map_or_else(
            || format!("service/{}", service.id),
            |replica| format!("service/{}/{}", service.id, replica.id),
        );
        let told = decisions.iter().any(|d| {
            d.service == Some(span.service)
                && d.kind == DecisionKind::Promoted
                && d.subject == subject
        });
        if told {
            continue;
        }
        let on = faults.iter().enumerate();
        let on = on.filter(|(_, fault)| fault.from <= span.from && span.from <= fault.effect_to);
        decisions.push(Decision {
            at: span.from,
            kind: DecisionKind::Promoted,
            subject,
            faults: on.map(|(index, _)| index).collect(),
            service: Some(span.service),
        });
    }
}
