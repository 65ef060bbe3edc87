//! What the systems' own logs say of acknowledged writes: a second witness, beside the ledger that
//! was read back.

use crate::observation::{Logged, Observation};
use crate::plan::Plan;
use assize_fault::Nanos;

/// For each standby that was promoted, how many writes that others had acknowledged by then lie
/// beyond what it had of their log.
pub(super) fn promotions(plan: &Plan<'_>, observations: &[Observation]) -> Vec<String> {
    let mut said = Vec::new();
    for one in observations {
        let &Observation::Log {
            at,
            service,
            replica,
            position,
            what: Logged::Promoted,
        } = one
        else {
            continue;
        };
        let spec = plan.topology.services.get(service);
        let name = spec.and_then(|s| Some((&s.id, &s.replicas.get(usize::from(replica))?.id)));
        let Some((service_id, replica_id)) = name else {
            continue;
        };
        let acknowledged = acknowledged(observations, service, replica, at);
        let beyond = acknowledged.iter().filter(|p| **p > position).count();
        if !acknowledged.is_empty() {
            let all = acknowledged.len();
            said.push(format!(
                "by its own log, {service_id}/{replica_id} lacked {beyond} of the {all} writes \
                 acknowledged before it was promoted"
            ));
        }
    }
    said
}

/// The positions of writes that other replicas acknowledged before an instant.
fn acknowledged(observations: &[Observation], of: usize, not: u16, before: Nanos) -> Vec<u64> {
    let positions = observations.iter().filter_map(|one| match one {
        Observation::Log {
            at,
            service,
            replica,
            position,
            what: Logged::Acknowledged { .. },
        } if *service == of && *replica != not && *at <= before => Some(*position),
        _ => None,
    });
    positions.collect()
}
