//! What follows from the plan and what was seen of its elements: what never served, and when the
//! sites of a group were left in peace.

use crate::ids::{GroupId, ServiceId};
use crate::journal::{FaultRecord, NotExercised, Restore, Serving};
use crate::observation::Observation;
use crate::plan::Plan;
use crate::scenario::{Sites, Target};
use crate::topology::{Mode, SiteRange, Topology};
use assize_fault::Nanos;
use std::collections::BTreeSet;

/// What exists to take over and never served.
pub(super) fn not_exercised(
    plan: &Plan<'_>,
    observations: &[Observation],
    serving: &[Serving],
    restores: &[Restore],
) -> Vec<NotExercised> {
    let topology = plan.topology;
    let used: BTreeSet<&str> = observations
        .iter()
        .filter_map(|one| match one {
            Observation::Exercised { element } => Some(element.as_str()),
            _ => None,
        })
        .collect();
    let mut list = of_services(topology, serving, restores);
    let mut idle = |element: String, what: &str| {
        list.push(NotExercised {
            element,
            what: what.to_string(),
            service: None,
        });
    };
    for link in topology.links.iter().filter(|link| link.standby.is_some()) {
        idle(format!("link/{}", link.id), "standby link");
    }
    let first: BTreeSet<_> = topology
        .populations
        .iter()
        .filter_map(|p| p.access.first())
        .collect();
    for (index, access) in topology.access.iter().enumerate() {
        if !first.contains(&crate::ids::AccessId::from(index)) {
            idle(format!("access/{}", access.id), "other access");
        }
    }
    for node in topology.nodes.iter().filter(|node| node.replicas.len() > 1) {
        for unit in node.replicas.iter().skip(1) {
            let element = format!("node/{}/{}", node.id, unit.id);
            idle(element, "other unit of a redundant node");
        }
    }
    list.retain(|one| !used.contains(one.element.as_str()));
    list.sort();
    list.dedup();
    list
}

fn of_services(
    topology: &Topology,
    serving: &[Serving],
    restores: &[Restore],
) -> Vec<NotExercised> {
    let mut list = Vec::new();
    for (index, service) in topology.services.iter().enumerate() {
        let id = ServiceId::from(index);
        let mut idle = |name: &str, what: &str| {
            list.push(NotExercised {
                element: format!("service/{}/{name}", service.id),
                what: what.to_string(),
                service: Some(id),
            });
        };
        for (replica, entry) in service.replicas.iter().enumerate() {
            let mut of_service = serving.iter().filter(|span| span.service == id);
            let served = of_service.any(|span| usize::from(span.replica) == replica);
            if !served && service.mode != Mode::Sharded {
                idle(&entry.id, "standby replica");
            }
        }
        for (backup, entry) in service.state.iter().flat_map(|s| &s.backups).enumerate() {
            let of_backup = |r: &&Restore| r.service == id && r.backup == backup;
            if !restores.iter().filter(of_backup).any(|r| r.good) {
                idle(&entry.id, "backup, never restored");
            }
        }
    }
    list
}

/// When the last fault that touches sites of a group was over; `None`: not by the end.
pub(super) fn groups(
    plan: &Plan<'_>,
    faults: &[FaultRecord],
    observations: &[Observation],
) -> Vec<(GroupId, Option<Nanos>)> {
    let last = |fault: usize| {
        let switched = observations.iter().rev().find_map(|one| match *one {
            Observation::Fault { fault: f, on, .. } if f == fault => Some(on),
            _ => None,
        });
        match switched {
            None => Some(Nanos::ZERO),
            Some(true) => None,
            Some(false) => Some(faults[fault].to),
        }
    };
    let groups = plan.topology.groups.iter().enumerate();
    let restored = groups.map(|(index, group)| {
        let entries = plan.scenario.faults.iter().enumerate();
        let touching = entries.filter(|(_, entry)| {
            let mut targets = entry.targets.iter();
            targets.any(|target| touches(plan.topology, target, &group.sites))
        });
        let mut ends = touching.map(|(fault, _)| last(fault));
        let restored = ends.try_fold(Nanos::ZERO, |last, end| Some(last.max(end?)));
        (GroupId::from(index), restored)
    });
    restored.collect()
}

/// Whether a target is one of these sites, a part of them, or a circuit at them.
fn touches(topology: &Topology, target: &Target, sites: &[SiteRange]) -> bool {
    let narrowed = |narrow: &Sites, site: &SiteRange| match narrow {
        Sites::All => true,
        Sites::Some(ranges) => ranges
            .iter()
            .any(|r| r.node == site.node && r.first < site.end && site.first < r.end),
    };
    sites.iter().any(|site| match target {
        Target::Node(node, narrow) | Target::Part(node, _, narrow) => {
            *node == site.node && narrowed(narrow, site)
        }
        Target::Link(link, narrow) => {
            topology.link(*link).from.contains(&site.node) && narrowed(narrow, site)
        }
        _ => false,
    })
}
