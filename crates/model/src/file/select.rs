//! Selectors: texts such as `node/crown/ap` or `domain/atos` become elements.
//!
//! A selector says what it names by its first word. `*` stands for any characters in a name.

use super::problem::did_you_mean;
use crate::ids::{DomainId, GroupId, LinkId, NodeId, ServiceId};
use crate::scenario::{Sites, Target};
use crate::topology::{Mode, SiteRange, Topology};

/// The first words.
const KINDS: [&str; 9] = [
    "node",
    "link",
    "service",
    "domain",
    "group",
    "flow",
    "access",
    "population",
    "journey",
];

/// Elements that a selector names, domains and groups expanded.
///
/// # Errors
/// What names nothing, with the nearest names.
pub fn resolve_selector(topology: &Topology, text: &str) -> Result<Vec<Target>, String> {
    let (kind, rest) = match text.split_once('/') {
        Some((kind, rest)) if KINDS.contains(&kind) => (kind, rest),
        Some((kind, _)) => {
            return Err(format!(
                "`{kind}/` names nothing; {}",
                did_you_mean(kind, KINDS)
            ));
        }
        None => return Err(bare(topology, text)),
    };
    let targets = match kind {
        "node" => node(topology, rest)?,
        "link" => matching("link", rest, topology.links.iter().map(|l| l.id.as_str()))?
            .into_iter()
            .map(|i| Target::Link(LinkId::from(i), Sites::All))
            .collect(),
        "service" => service(topology, rest)?,
        "domain" => domains_named(topology, rest)?
            .into_iter()
            .flat_map(|d| in_domain(topology, d))
            .collect(),
        "group" => matching("group", rest, topology.groups.iter().map(|g| g.id.as_str()))?
            .into_iter()
            .flat_map(|i| in_group(topology, GroupId::from(i)))
            .collect(),
        "flow" => vec![flow(topology, rest)?],
        "access" => matching(
            "access path",
            rest,
            topology.access.iter().map(|a| a.id.as_str()),
        )?
        .into_iter()
        .map(|i| Target::Access(crate::ids::AccessId::from(i)))
        .collect(),
        _ => {
            return Err(format!(
                "a {kind} cannot fail, so nothing can be done to it; name a node, link, service or domain that it relies on"
            ));
        }
    };
    let mut targets: Vec<Target> = targets;
    targets.sort();
    targets.dedup();
    if targets.is_empty() {
        return Err(format!("`{text}` selects nothing"));
    }
    Ok(targets)
}

/// A name without its kind: which kinds have it.
fn bare(t: &Topology, text: &str) -> String {
    let kinds: [(&str, Vec<&str>); 5] = [
        ("node", t.nodes.iter().map(|x| x.id.as_str()).collect()),
        ("link", t.links.iter().map(|x| x.id.as_str()).collect()),
        (
            "service",
            t.services.iter().map(|x| x.id.as_str()).collect(),
        ),
        ("domain", t.domains.iter().map(|x| x.id.as_str()).collect()),
        ("group", t.groups.iter().map(|x| x.id.as_str()).collect()),
    ];
    let found: Vec<String> = kinds
        .iter()
        .filter(|(_, names)| names.contains(&text))
        .map(|(kind, _)| format!("{kind}/{text}"))
        .collect();
    if found.is_empty() {
        return "a selector says what it names: `node/…`, `link/…`, `service/…`, `domain/…`, `group/…`".into();
    }
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    format!("write {}", super::problem::quoted(&found, "or"))
}

/// Indices of the names that a pattern matches; at least one.
fn matching<'a>(
    what: &str,
    pattern: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<Vec<usize>, String> {
    let found: Vec<usize> = names
        .clone()
        .enumerate()
        .filter(|(_, n)| glob(pattern, n))
        .map(|(i, _)| i)
        .collect();
    if found.is_empty() {
        let names: Vec<&str> = names.collect();
        let shown: String = pattern.chars().take(60).collect();
        return Err(format!(
            "no {what} is named `{shown}`; {}",
            did_you_mean(pattern, names)
        ));
    }
    Ok(found)
}

/// Whether `*` in a pattern can be filled in so that it is the name.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or("");
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.len() >= last.len() && left.ends_with(last)
}

fn node(t: &Topology, rest: &str) -> Result<Vec<Target>, String> {
    let (name, inner) = match rest.split_once('/') {
        Some((name, inner)) => (name, Some(inner)),
        None => (rest, None),
    };
    let mut targets = Vec::new();
    let found = matching("node", name, t.nodes.iter().map(|n| n.id.as_str()))?;
    let mut inside: Vec<&str> = Vec::new();
    for index in found {
        let id = NodeId::from(index);
        let Some(inner) = inner else {
            targets.push(Target::Node(id, Sites::All));
            continue;
        };
        let node = t.node(id);
        for (i, part) in node.parts.iter().enumerate() {
            inside.push(&part.id);
            if glob(inner, &part.id) {
                targets.push(Target::Part(id, i as u16, Sites::All));
            }
        }
        for (i, unit) in node.replicas.iter().enumerate() {
            inside.push(&unit.id);
            if glob(inner, &unit.id) {
                targets.push(Target::NodeReplica(id, i as u16));
            }
        }
    }
    match inner {
        Some(inner) if targets.is_empty() => Err(format!(
            "`node/{name}` has no part or unit `{inner}`; {}",
            did_you_mean(inner, inside)
        )),
        _ => Ok(targets),
    }
}

fn service(t: &Topology, rest: &str) -> Result<Vec<Target>, String> {
    let names = || t.services.iter().map(|s| s.id.as_str());
    if let Some((name, role)) = rest.split_once('@') {
        if role != "primary" {
            return Err(format!(
                "`@{role}` is unknown; write `service/{name}@primary`"
            ));
        }
        let found = matching("service", name, names())?;
        return Ok(found
            .into_iter()
            .map(|i| Target::Primary(ServiceId::from(i)))
            .collect());
    }
    let Some((name, inner)) = rest.split_once('/') else {
        let found = matching("service", rest, names())?;
        return Ok(found
            .into_iter()
            .map(|i| Target::Service(ServiceId::from(i)))
            .collect());
    };
    let mut targets = Vec::new();
    let mut inside: Vec<String> = Vec::new();
    for index in matching("service", name, names())? {
        let id = ServiceId::from(index);
        let service = t.service(id);
        let replicas = service.replicas.iter().enumerate();
        let before = targets.len();
        targets.extend(
            replicas
                .filter(|(_, r)| glob(inner, &r.id))
                .map(|(i, _)| Target::Replica(id, i as u16)),
        );
        inside.extend(service.replicas.iter().map(|r| r.id.clone()));
        if service.mode == Mode::Sharded && targets.len() == before {
            if let Ok(shard) = inner.parse::<u16>()
                && u32::from(shard) < service.shards
            {
                targets.push(Target::Shard(id, shard));
            }
            inside.push(format!("0 to {}", service.shards - 1));
        }
    }
    if targets.is_empty() {
        let inside: Vec<&str> = inside.iter().map(String::as_str).collect();
        return Err(format!(
            "`service/{name}` has no replica or shard `{inner}`; {}",
            did_you_mean(inner, inside)
        ));
    }
    Ok(targets)
}

fn flow(t: &Topology, rest: &str) -> Result<Target, String> {
    let Some((from, to)) = rest.split_once("->") else {
        return Err("a flow is `flow/SERVICE->SERVICE`".into());
    };
    let one = |name: &str| {
        matching(
            "service",
            name.trim(),
            t.services.iter().map(|s| s.id.as_str()),
        )
        .map(|f| f[0])
    };
    let (from, to) = (ServiceId::from(one(from)?), ServiceId::from(one(to)?));
    let depends = &t.service(from).depends;
    let mut needs = depends.all_of.iter().chain(depends.any_of.iter().flatten());
    if !needs.any(|d| d.service == to) {
        return Err(format!(
            "`{}` sends nothing to `{}`: it does not depend on it",
            t.service(from).id,
            t.service(to).id
        ));
    }
    Ok(Target::Flow(from, to))
}

/// The domains that a selector `domain/…` names.
pub(crate) fn domains_named(t: &Topology, pattern: &str) -> Result<Vec<DomainId>, String> {
    let found = matching("domain", pattern, t.domains.iter().map(|d| d.id.as_str()))?;
    Ok(found.into_iter().map(DomainId::from).collect())
}

/// Every element in a domain or in a domain inside it. What lies in an element that is named
/// already (a part of a node, a replica of a service) is left out.
fn in_domain(t: &Topology, domain: DomainId) -> Vec<Target> {
    let inside = nested(t, domain);
    let lies = |direct: &[DomainId]| direct.iter().any(|d| inside[d.index()]);
    let mut targets = Vec::new();
    for (i, node) in t.nodes.iter().enumerate() {
        let id = NodeId::from(i);
        if lies(&node.domains) {
            targets.push(Target::Node(id, Sites::All));
            continue;
        }
        let units = node
            .replicas
            .iter()
            .enumerate()
            .filter(|(_, r)| lies(&r.domains));
        targets.extend(units.map(|(i, _)| Target::NodeReplica(id, i as u16)));
        let parts = node
            .parts
            .iter()
            .enumerate()
            .filter(|(_, p)| lies(&p.domains));
        targets.extend(parts.map(|(i, _)| Target::Part(id, i as u16, Sites::All)));
    }
    let links = t.links.iter().enumerate().filter(|(_, l)| lies(&l.domains));
    targets.extend(links.map(|(i, _)| Target::Link(LinkId::from(i), Sites::All)));
    for (i, service) in t.services.iter().enumerate() {
        let id = ServiceId::from(i);
        if lies(&service.domains) {
            targets.push(Target::Service(id));
            continue;
        }
        let replicas = service
            .replicas
            .iter()
            .enumerate()
            .filter(|(_, r)| lies(&r.domains));
        targets.extend(replicas.map(|(i, _)| Target::Replica(id, i as u16)));
    }
    targets
}

/// For each domain, whether it is this one or lies in it.
fn nested(t: &Topology, domain: DomainId) -> Vec<bool> {
    let mut children: Vec<Vec<DomainId>> = vec![Vec::new(); t.domains.len()];
    for (i, child) in t.domains.iter().enumerate() {
        child
            .parents
            .iter()
            .for_each(|p| children[p.index()].push(DomainId::from(i)));
    }
    let mut inside = vec![false; t.domains.len()];
    let mut stack = vec![domain];
    while let Some(next) = stack.pop() {
        if !std::mem::replace(&mut inside[next.index()], true) {
            stack.extend(&children[next.index()]);
        }
    }
    inside
}

/// The sites of a group, class by class.
fn in_group(t: &Topology, group: GroupId) -> Vec<Target> {
    let sites = &t.group(group).sites;
    let target = |range: &SiteRange| {
        let whole = range.first == 0 && range.end == t.node(range.node).count;
        let sites = if whole {
            Sites::All
        } else {
            Sites::Some(vec![*range])
        };
        Target::Node(range.node, sites)
    };
    sites.iter().map(target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, is) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "axxbyyc", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("ab", "abc", false),
            ("a*bc*c", "abc", false),
        ] {
            assert_eq!(glob(pattern, name), is, "{pattern} {name}");
        }
    }
}
