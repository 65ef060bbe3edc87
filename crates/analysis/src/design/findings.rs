//! What is wrong with a design, each in one plain sentence.
//!
//! Single points by what they take away; redundancy that falls as one; backups that fall with
//! what they back up. Nothing here needs a figure.

use crate::report::{Finding, Journey};
use assize_model::topology::{Backup, Service, Topology};
use assize_model::{DomainId, NodeId, ServiceId};
use std::collections::BTreeMap;

/// All findings: single points first.
pub(crate) fn of(topology: &Topology, journeys: &[Journey]) -> Vec<Finding> {
    let mut findings = single_points(journeys);
    shared_places(topology, &mut findings);
    shared_domains(topology, &mut findings);
    underlays(topology, &mut findings);
    for service in &topology.services {
        backups(topology, service, &mut findings);
    }
    findings
}

fn push(findings: &mut Vec<Finding>, kind: &str, subject: String, text: String) {
    findings.push(Finding {
        kind: kind.to_owned(),
        subject,
        text,
        accepted: false,
    });
}

/// An element, whether it is accepted, and by journey the populations that lose it.
type Taken<'a> = (&'a str, bool, BTreeMap<&'a str, Vec<&'a str>>);

/// One sentence per element, with all that it takes.
fn single_points(journeys: &[Journey]) -> Vec<Finding> {
    let mut by_element: Vec<Taken<'_>> = Vec::new();
    for journey in journeys {
        for point in &journey.single_points {
            let found = by_element
                .iter()
                .position(|e| e.0 == point.element && e.1 == point.accepted);
            let at = found.unwrap_or_else(|| {
                by_element.push((&point.element, point.accepted, BTreeMap::new()));
                by_element.len() - 1
            });
            by_element[at]
                .2
                .entry(&journey.journey)
                .or_default()
                .push(&journey.population);
        }
    }
    by_element.sort_by_key(|e| std::cmp::Reverse(e.2.values().map(Vec::len).sum::<usize>()));
    let sentence = |(element, accepted, journeys): Taken<'_>| {
        let what: Vec<String> = journeys
            .iter()
            .map(|(j, p)| format!("{j} ({})", p.join(", ")))
            .collect();
        Finding {
            kind: "single-point".to_owned(),
            subject: element.to_owned(),
            text: format!(
                "If `{element}` fails, this cannot be done until it is repaired: {}.",
                what.join("; ")
            ),
            accepted,
        }
    };
    by_element.into_iter().map(sentence).collect()
}

/// Domains that all of these lie in; none where there is no redundancy to lose.
fn common(of: &[Vec<DomainId>]) -> Vec<DomainId> {
    match of {
        [] | [_] => Vec::new(),
        [first, rest @ ..] => first
            .iter()
            .copied()
            .filter(|d| rest.iter().all(|r| r.contains(d)))
            .collect(),
    }
}

/// Services all of whose replicas stand on one node.
fn shared_places(topology: &Topology, findings: &mut Vec<Finding>) {
    for (index, node) in topology.nodes.iter().enumerate() {
        let here =
            |s: &&Service| s.replicas.len() > 1 && s.replicas.iter().all(|r| r.at.index() == index);
        let names: Vec<String> = topology
            .services
            .iter()
            .filter(here)
            .map(|s| format!("`{}`", s.id))
            .collect();
        if !names.is_empty() {
            push(
                findings,
                "shared-place",
                format!("node/{}", node.id),
                format!(
                    "All replicas of {} stand on `{}`: they fall together.",
                    names.join(", "),
                    node.id
                ),
            );
        }
    }
}

/// By domain, what is redundant and lies in it with all of its parts.
fn shared_domains(topology: &Topology, findings: &mut Vec<Finding>) {
    let mut inside: Vec<Vec<String>> = vec![Vec::new(); topology.domains.len()];
    for service in &topology.services {
        let own = |r: &assize_model::topology::Replica| {
            let all = [
                service.domains.as_slice(),
                &r.domains,
                &topology.node(r.at).domains,
            ]
            .concat();
            topology.all_domains(&all)
        };
        let places: Vec<Vec<DomainId>> = service.replicas.iter().map(own).collect();
        common(&places)
            .into_iter()
            .for_each(|d| inside[d.index()].push(format!("replicas of `{}`", service.id)));
    }
    for node in &topology.nodes {
        let own = |u: &assize_model::topology::NodeReplica| {
            topology.all_domains(&[node.domains.as_slice(), &u.domains].concat())
        };
        let places: Vec<Vec<DomainId>> = node.replicas.iter().map(own).collect();
        common(&places)
            .into_iter()
            .for_each(|d| inside[d.index()].push(format!("units of `{}`", node.id)));
    }
    for (domain, names) in topology.domains.iter().zip(&inside) {
        if !names.is_empty() {
            push(
                findings,
                "shared-domain",
                format!("domain/{}", domain.id),
                format!(
                    "`{}` has all of these and takes them together, however redundant they are: {}.",
                    domain.id,
                    names.join(", ")
                ),
            );
        }
    }
}

/// Links of one place of which each runs over the same one.
fn underlays(topology: &Topology, findings: &mut Vec<Finding>) {
    let mut found: BTreeMap<(String, &str), Vec<String>> = BTreeMap::new();
    for (index, node) in topology.nodes.iter().enumerate() {
        let place = NodeId::from(index);
        let here = topology.links.iter().filter(|l| l.from.contains(&place));
        let tunnels: Vec<_> = here
            .filter(|l| !l.over.is_empty() && l.standby.is_none_or(|s| s.automatic))
            .collect();
        let [first, rest @ ..] = tunnels.as_slice() else {
            continue;
        };
        for below in first
            .over
            .iter()
            .filter(|b| !rest.is_empty() && rest.iter().all(|l| l.over.contains(b)))
        {
            if topology.link(*below).from.contains(&place) {
                let names: Vec<String> = tunnels.iter().map(|l| format!("`{}`", l.id)).collect();
                found
                    .entry((names.join(" and "), &topology.link(*below).id))
                    .or_default()
                    .push(format!("`{}`", node.id));
            }
        }
    }
    for ((links, below), places) in found {
        push(
            findings,
            "shared-underlay",
            format!("link/{below}"),
            format!(
                "{links} of {} run over `{below}`, and fall with it.",
                places.join(", ")
            ),
        );
    }
}

fn backups(topology: &Topology, service: &Service, findings: &mut Vec<Finding>) {
    let Some(state) = &service.state else { return };
    let Some(primary) = service
        .replicas
        .iter()
        .find(|r| r.primary)
        .or(service.replicas.first())
    else {
        return;
    };
    let subject = || format!("service/{}", service.id);
    if state.backups.is_empty() {
        if !matches!(
            service.realised,
            assize_model::binding::Realisation::StandIn(_)
        ) {
            return;
        }
        push(
            findings,
            "backup",
            subject(),
            format!(
                "`{}` has no backup: what is damaged or deleted is lost.",
                service.id
            ),
        );
        return;
    }
    let places = |node: NodeId, more: &[DomainId]| {
        topology.all_domains(&[topology.node(node).domains.as_slice(), more].concat())
    };
    let home = places(primary.at, &primary.domains);
    let falls_with = |b: &&Backup| {
        b.kept_at == primary.at || places(b.kept_at, &[]).iter().any(|d| home.contains(d))
    };
    for backup in state.backups.iter().filter(falls_with) {
        let shared = places(backup.kept_at, &[])
            .into_iter()
            .find(|d| home.contains(d));
        let with = shared.map_or(&topology.node(primary.at).id, |d| &topology.domain(d).id);
        push(
            findings,
            "backup",
            subject(),
            format!(
                "The backup `{}` of `{}` is kept in `{with}`, as is what it backs up: they fall together.",
                backup.id, service.id
            ),
        );
    }
    let copies = service.replicas.len() + state.backups.len();
    let off_site = state.backups.iter().any(|b| !falls_with(&b));
    let offline = state.backups.iter().any(|b| b.offline);
    let mut lacks = Vec::new();
    if copies < 3 {
        lacks.push("a third copy");
    }
    if !off_site {
        lacks.push("one elsewhere");
    }
    if !offline {
        lacks.push("one offline");
    }
    if !lacks.is_empty() {
        push(
            findings,
            "backup-rule",
            subject(),
            format!(
                "`{}` has {copies} copies; 3-2-1 with one offline lacks {}.",
                service.id,
                lacks.join(", ")
            ),
        );
    }
    for backup in &state.backups {
        if let Some(loops) = backup
            .needs
            .iter()
            .find(|n| stands_on(topology, **n, &service.id))
        {
            push(
                findings,
                "restore-loop",
                subject(),
                format!(
                    "A restore of `{}` from `{}` needs `{}`, which needs what is restored.",
                    service.id,
                    backup.id,
                    topology.service(*loops).id
                ),
            );
        }
    }
}

/// Whether a service needs another, however indirectly.
fn stands_on(topology: &Topology, from: ServiceId, name: &str) -> bool {
    let mut seen = vec![false; topology.services.len()];
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        let service = topology.service(id);
        if service.id == name {
            return true;
        }
        if !std::mem::replace(&mut seen[id.index()], true) {
            open.extend(service.depends.all_of.iter().map(|d| d.service));
        }
    }
    false
}
