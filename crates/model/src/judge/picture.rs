//! What a report draws, from the plan and the journal. No figure comes from here.

use super::context::Context;
use crate::ids::{DomainId, ServiceId};
use crate::journal::DecisionKind;
use crate::picture::{Drill, Event, Hosted, Line, Mark, Picture, Place};
use crate::scenario::{Sites, Target};
use crate::topology::{Mode, Topology};
use assize_fault::Nanos;

/// Everything, in the order of the topology.
pub(super) fn draw(context: &Context<'_>) -> Picture {
    let plan = context.plan;
    let mut picture = Picture {
        path: plan.scenario.path.clone(),
        live: plan.scenario.live.applied,
        places: places(plan.topology),
        links: links(plan.topology),
        replicas: replicas(plan.topology),
        flaps: flaps(context),
        events: events(context),
        drills: drills(context),
    };
    for (fault, entry) in plan.scenario.faults.iter().enumerate() {
        for target in &entry.targets {
            mark(&mut picture, plan.topology, fault, target);
        }
    }
    instead(&mut picture, context);
    picture
}

fn places(topology: &Topology) -> Vec<Place> {
    let users = |index: usize| -> u64 {
        let seats = topology.populations.iter().flat_map(|p| &p.at);
        seats
            .filter(|seat| seat.0.index() == index)
            .map(|seat| seat.1)
            .sum()
    };
    let place = |(index, node): (usize, &crate::topology::Node)| {
        let units = node.replicas.iter().flat_map(|unit| &unit.domains);
        let domains: Vec<DomainId> = node.domains.iter().chain(units).copied().collect();
        Place {
            id: node.id.clone(),
            kind: node.kind.clone(),
            count: node.count,
            zone: zone(topology, &domains),
            users: users(index),
            marks: Vec::new(),
            instead: Vec::new(),
        }
    };
    topology.nodes.iter().enumerate().map(place).collect()
}

/// The data centres among the domains.
fn zone(topology: &Topology, domains: &[DomainId]) -> String {
    let all = topology.all_domains(domains).into_iter();
    let of_kind = all.filter(|&id| topology.domain(id).kind == "data-centre");
    let names: Vec<&str> = of_kind.map(|id| topology.domain(id).id.as_str()).collect();
    names.join(" and ")
}

fn links(topology: &Topology) -> Vec<Line> {
    let line = |link: &crate::topology::Link| Line {
        id: link.id.clone(),
        from: link.from.iter().map(|node| node.index()).collect(),
        to: link.to.index(),
        medium: link.medium.clone(),
        standby: link.standby.is_some(),
        marks: Vec::new(),
        activated: None,
    };
    topology.links.iter().map(line).collect()
}

fn replicas(topology: &Topology) -> Vec<Hosted> {
    let of = |service: &crate::topology::Service| {
        let roles = matches!(service.mode, Mode::ActiveStandby | Mode::Quorum);
        let id = service.id.clone();
        let all = service.replicas.iter().map(move |replica| Hosted {
            service: id.clone(),
            replica: replica.id.clone(),
            at: topology.node(replica.at).id.clone(),
            primary: roles && replica.primary,
        });
        all.collect::<Vec<_>>()
    };
    topology.services.iter().flat_map(of).collect()
}

fn flaps(context: &Context<'_>) -> Vec<Option<(Nanos, Nanos)>> {
    let faults = context.plan.scenario.faults.iter();
    faults
        .map(|entry| entry.flap.map(|flap| (flap.down, flap.up)))
        .collect()
}

fn events(context: &Context<'_>) -> Vec<Event> {
    let all = context.journal.decisions.iter();
    all.map(|decision| Event {
        at: decision.at,
        kind: decision.kind,
        subject: decision.subject.clone(),
        faults: decision.faults.clone(),
    })
    .collect()
}

fn drills(context: &Context<'_>) -> Vec<Drill> {
    let drill = |restore: &crate::journal::Restore| {
        let service = context.plan.topology.service(restore.service);
        let schedules = service.state.iter().flat_map(|state| &state.backups);
        let backup = schedules.skip(restore.backup).map(|b| b.id.clone()).next();
        Drill {
            service: service.id.clone(),
            backup: backup.unwrap_or_default(),
            point: restore.point,
            from: restore.from,
            to: restore.to,
            good: restore.good,
        }
    };
    context.journal.restores.iter().map(drill).collect()
}

/// Marks what a fault is about, on the element or on the place where it runs.
fn mark(picture: &mut Picture, topology: &Topology, fault: usize, target: &Target) {
    let mut on_replicas = |service: ServiceId, only: Option<u16>, part: String| {
        let replicas = topology.service(service).replicas.iter().enumerate();
        for (_, replica) in replicas.filter(|(i, _)| only.is_none_or(|o| usize::from(o) == *i)) {
            let part = part.clone();
            add(&mut picture.places[replica.at.index()].marks, fault, part);
        }
    };
    let name = |service: ServiceId| &topology.service(service).id;
    match target {
        Target::Node(node, sites) => {
            let whole = topology.node(*node).count;
            let part = part(sites, whole, "sites");
            add(&mut picture.places[node.index()].marks, fault, part);
        }
        Target::NodeReplica(node, unit) => {
            let unit = topology.node(*node).replicas.get(usize::from(*unit));
            let part = unit.map_or_else(String::new, |unit| format!("unit {}", unit.id));
            add(&mut picture.places[node.index()].marks, fault, part);
        }
        Target::Part(node, index, _) => {
            let part = topology.node(*node).parts.get(usize::from(*index));
            let part = part.map_or_else(String::new, |part| format!("part {}", part.id));
            add(&mut picture.places[node.index()].marks, fault, part);
        }
        Target::Link(link, sites) => {
            let ends = topology.link(*link).from.iter();
            let whole = ends.map(|&node| topology.node(node).count).sum();
            let part = part(sites, whole, "circuits");
            add(&mut picture.links[link.index()].marks, fault, part);
        }
        Target::Service(id) | Target::Primary(id) => {
            on_replicas(*id, None, format!("service/{}", name(*id)));
        }
        Target::Replica(id, index) => {
            let replica = topology.service(*id).replicas.get(usize::from(*index));
            let replica = replica.map_or("", |replica| &replica.id);
            on_replicas(
                *id,
                Some(*index),
                format!("service/{}/{replica}", name(*id)),
            );
        }
        Target::Shard(id, shard) => {
            on_replicas(*id, None, format!("service/{}/{shard}", name(*id)));
        }
        Target::Flow(from, to) => {
            let text = format!("flow/{}->{}", name(*from), name(*to));
            on_replicas(*from, None, text);
        }
        Target::Access(_) => {}
    }
}

fn add(marks: &mut Vec<Mark>, fault: usize, part: String) {
    let mark = Mark { fault, part };
    if !marks.contains(&mark) {
        marks.push(mark);
    }
}

/// How much of a class, in words; empty for all of it.
fn part(sites: &Sites, whole: u32, what: &str) -> String {
    match sites {
        Sites::All => String::new(),
        Sites::Some(ranges) => {
            let some: u32 = ranges.iter().map(|r| r.end.saturating_sub(r.first)).sum();
            if some == whole {
                return String::new();
            }
            format!("{some} of {whole} {what}")
        }
    }
}

/// What came into service in the place of something else.
fn instead(picture: &mut Picture, context: &Context<'_>) {
    let topology = context.plan.topology;
    for (index, service) in topology.services.iter().enumerate() {
        let serving = context.journal.serving.iter();
        let spans: Vec<_> = serving.filter(|s| s.service.index() == index).collect();
        let first = spans.iter().map(|span| span.from).min();
        for (replica, spec) in service.replicas.iter().enumerate() {
            let own = spans.iter().filter(|s| usize::from(s.replica) == replica);
            if own.map(|s| s.from).min() > first && first.is_some() {
                let text = format!("service/{}/{}", service.id, spec.id);
                picture.places[spec.at.index()].instead.push(text);
            }
        }
    }
    let decisions = context.journal.decisions.iter();
    for decision in decisions.filter(|d| d.kind == DecisionKind::Activated) {
        let mut links = picture.links.iter_mut();
        let mut places = picture.places.iter_mut();
        if let Some(id) = decision.subject.strip_prefix("link/") {
            if let Some(link) = links.find(|link| link.id == id) {
                link.activated.get_or_insert(decision.at);
            }
        } else if let Some(path) = decision.subject.strip_prefix("node/") {
            let (node, unit) = path.split_once('/').unwrap_or((path, ""));
            if let Some(place) = places.find(|place| place.id == node) {
                let text = format!("unit {unit}");
                if !place.instead.contains(&text) {
                    place.instead.push(text);
                }
            }
        }
    }
}
