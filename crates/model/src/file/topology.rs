//! A merged document becomes a [`Topology`]: the frame, domains, nodes, groups, provenance.
//!
//! Names of every section are collected before any section is read, so that the order of
//! sections in a file does not matter. Links, services and users are read in their own files.

use super::cx::{Cx, Fields, Names, check_name};
use super::doc::{Doc, Value};
use super::place::Span;
use crate::calendar::{self, Calendar, Holidays};
use crate::ids::{DomainId, GroupId, NetworkId, NodeId, PartitionId};
use crate::topology::{
    Domain, Group, Link, Node, NodeReplica, Part, Partition, SiteRange, Topology,
};
use assize_fault::Nanos;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Kinds of node through which no path passes.
const NO_TRANSIT: [&str; 4] = ["site", "data-centre", "data-center", "cloud"];
/// The most sites of one class.
const MAX_SITES: u64 = 1_000_000;
/// The most nodes or links, those that no file names included.
pub(crate) const MAX_ELEMENTS: usize = 60_000;

/// The names of every section.
pub(crate) struct Tables {
    pub domains: Names,
    pub nodes: Names,
    pub networks: Names,
    pub groups: Names,
    pub links: Names,
    pub access: Names,
    pub services: Names,
    pub populations: Names,
    pub journeys: Names,
}

/// A topology that is being read.
pub(crate) struct Build<'a> {
    pub cx: &'a Cx,
    pub start: jiff::Timestamp,
    pub names: Tables,
    pub t: Topology,
    /// The node that everything hangs on when the file states no links.
    pub hub: Option<NodeId>,
    /// A restore of the first service needs the second; by index, with the place that says so.
    pub restores: RefCell<Vec<(usize, usize, Span)>>,
}

/// Reads a merged document. The result is to be used only if `cx` has no errors.
pub(crate) fn read(cx: &Cx, doc: &Doc, start: Option<&str>, digest: String) -> Option<Topology> {
    let f = Fields::open(cx, doc, "topology")?;
    f.ignore(&["assize", "include"]);
    let calendar = read_calendar(&f);
    let start = start
        .and_then(|s| calendar.timestamp(s).ok())
        .unwrap_or_else(super::default_start);
    let t = Topology {
        name: f.text("name").unwrap_or_default(),
        calendar,
        domains: Vec::new(),
        networks: Vec::new(),
        nodes: Vec::new(),
        partitions: Vec::new(),
        groups: Vec::new(),
        links: Vec::new(),
        access: Vec::new(),
        services: Vec::new(),
        populations: Vec::new(),
        journeys: Vec::new(),
        objectives: Vec::new(),
        contract: None,
        reliability: Vec::new(),
        assumed: Vec::new(),
        accepted: Vec::new(),
        on_miss: f.text("on_miss"),
        digest,
    };
    let mut b = Build {
        cx,
        start,
        names: tables(&f),
        t,
        hub: None,
        restores: RefCell::default(),
    };
    b.domains(&f);
    b.nodes(&f);
    b.groups(&f);
    if !f.has("links") {
        b.hang_all();
    }
    b.links(&f);
    b.services(&f);
    b.journeys(&f);
    b.default_stand_ins();
    b.access(&f);
    b.populations(&f);
    b.t.networks = b.names.networks.iter().map(str::to_string).collect();
    b.objectives(&f);
    b.contract(&f);
    b.reliability(&f);
    b.assumed(&f, doc);
    b.accepted(&f);
    f.finish();
    b.check();
    Some(b.t)
}

fn read_calendar(f: &Fields<'_>) -> Calendar {
    let zone = f
        .raw("time_zone")
        .and_then(|d| f.cx.parsed(d, "time_zone", "a time zone", calendar::zone))
        .unwrap_or(jiff::tz::TimeZone::UTC);
    let words = [
        ("england-and-wales", Holidays::EnglandAndWales),
        ("none", Holidays::None),
    ];
    Calendar {
        zone,
        holidays: f.choice("holidays", &words).unwrap_or(Holidays::None),
    }
}

fn tables(f: &Fields<'_>) -> Tables {
    let section = |key: &'static str, what: &'static str| {
        let mut names = Names::new(what);
        for (name, at, _) in f.entries(key) {
            check_name(f.cx, what, name, at);
            names.add(name, at);
        }
        names
    };
    Tables {
        domains: section("domains", "domain"),
        nodes: section("nodes", "node"),
        networks: Names::new("network"),
        groups: Names::new("group"),
        links: section("links", "link"),
        access: section("access", "access path"),
        services: section("services", "service"),
        populations: section("populations", "population"),
        journeys: section("journeys", "journey"),
    }
}

impl Build<'_> {
    /// The domains named by `in:`.
    pub(crate) fn domains_of(&self, f: &Fields<'_>) -> Vec<DomainId> {
        let mut found: Vec<DomainId> = Vec::new();
        for (name, at) in f.texts("in") {
            if let Some(index) = self.names.domains.find(self.cx, &name, at) {
                let id = DomainId::from(index);
                if found.contains(&id) {
                    self.cx
                        .error(at, format!("domain `{name}` is named twice"), "");
                } else {
                    found.push(id);
                }
            }
        }
        found
    }

    /// The networks named by a field; they come into being by being named.
    pub(crate) fn networks_of(&mut self, f: &Fields<'_>, key: &'static str) -> Vec<NetworkId> {
        let mut found = Vec::new();
        for (name, at) in f.texts(key) {
            check_name(self.cx, "network", &name, at);
            let id = NetworkId::from(self.names.networks.add(&name, at));
            if self.names.networks.len() > 1_000 {
                self.cx.error(at, "more than 1000 networks", "");
            } else if !found.contains(&id) {
                found.push(id);
            }
        }
        found
    }

    fn domains(&mut self, f: &Fields<'_>) {
        for (name, _, doc) in f.entries("domains") {
            let Some(f) = Fields::open(self.cx, doc, "domain") else {
                self.t.domains.push(Domain {
                    id: name.into(),
                    kind: String::new(),
                    parents: vec![],
                });
                continue;
            };
            let kind = f.text("kind").unwrap_or_default();
            let parents = self.domains_of(&f);
            f.finish();
            self.t.domains.push(Domain {
                id: name.to_string(),
                kind,
                parents,
            });
        }
    }

    fn nodes(&mut self, f: &Fields<'_>) {
        for (name, _, doc) in f.entries("nodes") {
            let mut node = plain_node(name, "", true);
            if let Some(f) = Fields::open(self.cx, doc, "node") {
                self.node(&f, &mut node);
                f.finish();
            }
            self.t.nodes.push(node);
        }
    }

    fn node(&self, f: &Fields<'_>, node: &mut Node) {
        node.kind = f.text("kind").unwrap_or_else(|| "host".to_string());
        let passes = !NO_TRANSIT.contains(&node.kind.as_str()) && node.kind != "host";
        node.transit = f.flag("transit").unwrap_or(passes);
        if f.has("count") {
            node.class = true;
            node.count = f.whole("count", 1, MAX_SITES).unwrap_or(1) as u32;
        }
        node.domains = self.domains_of(f);
        for (part, at, doc) in f.entries("parts") {
            check_name(self.cx, "part", part, at);
            let Some(p) = Fields::open(self.cx, doc, "part") else {
                continue;
            };
            node.parts.push(Part {
                id: part.to_string(),
                kind: p.text("kind").unwrap_or_default(),
                count: p.whole("count", 1, 10_000).unwrap_or(1) as u32,
                domains: self.domains_of(&p),
            });
            p.finish();
        }
        for (replica, at, doc) in f.entries("replicas") {
            check_name(self.cx, "unit", replica, at);
            let Some(r) = Fields::open(self.cx, doc, "unit") else {
                continue;
            };
            node.replicas.push(NodeReplica {
                id: replica.to_string(),
                domains: self.domains_of(&r),
            });
            r.finish();
        }
        node.switch_over = f.duration_or("switch_over", Nanos::ZERO);
        if node.class && node.transit {
            let what = format!(
                "`{}` is a class of like sites, and paths may pass through it",
                node.id
            );
            self.cx.error(
                f.key("count"),
                what,
                "give it `transit: false`, or no `count:`",
            );
        }
        if f.has("switch_over") && node.replicas.len() < 2 {
            let what = "`switch_over` needs two units to switch between";
            self.cx
                .error(f.key("switch_over"), what, "add `replicas: {a: {}, b: {}}`");
        }
        self.check_twins(f, node);
    }

    /// Two units of one node that lie in the same place are not redundant against its loss.
    fn check_twins(&self, f: &Fields<'_>, node: &Node) {
        for (i, unit) in node.replicas.iter().enumerate() {
            let shared = |other: &NodeReplica| {
                let mut both = unit.domains.iter().filter(|d| other.domains.contains(d));
                both.next().copied()
            };
            let twin = node.replicas[..i]
                .iter()
                .find_map(|other| shared(other).map(|domain| (other, domain)));
            if let Some((other, domain)) = twin {
                let domain = self
                    .t
                    .domains
                    .get(domain.index())
                    .map_or("", |d| d.id.as_str());
                let what = format!(
                    "units `{}` and `{}` of `{}` lie in one domain, `{domain}`",
                    other.id, unit.id, node.id
                );
                self.cx.warn(
                    f.key("replicas"),
                    what,
                    "a fault of that domain takes both; place one of them outside it",
                );
            }
        }
    }

    /// Adds a node that no file names.
    pub(crate) fn add_node(&mut self, node: Node, at: Span) -> NodeId {
        if self.t.nodes.len() >= MAX_ELEMENTS {
            self.cx
                .error(at, format!("more than {MAX_ELEMENTS} nodes"), "");
            return NodeId(0);
        }
        self.names.nodes.add(&node.id, at);
        self.t.nodes.push(node);
        NodeId::from(self.t.nodes.len() - 1)
    }

    /// Without links in the file, every node hangs on one transit node, by ideal links.
    fn hang_all(&mut self) {
        let at = Span::default();
        let hub = match self.names.nodes.get("network") {
            Some(index) => {
                let node = &mut self.t.nodes[index];
                if node.class {
                    let place = self.names.nodes.place(index);
                    let help = "without `links:`, `network` is the node that all others hang on";
                    self.cx
                        .error(place, "`network` cannot be a class of sites here", help);
                }
                node.transit = true;
                NodeId::from(index)
            }
            None => self.add_node(plain_node("network", "switch", true), at),
        };
        self.hub = Some(hub);
        for index in 0..self.t.nodes.len() {
            self.hang(NodeId::from(index), at);
        }
    }

    /// Hangs a node on the hub, if there is one.
    pub(crate) fn hang(&mut self, node: NodeId, at: Span) {
        let Some(hub) = self.hub.filter(|&hub| hub != node) else {
            return;
        };
        let id = format!("auto-{}", self.t.node(node).id);
        if self.t.links.len() >= MAX_ELEMENTS {
            return;
        }
        self.names.links.add(&id, at);
        self.t.links.push(Link {
            id,
            from: vec![node],
            to: hub,
            carries: Vec::new(),
            cost: 1,
            latency: Nanos::ZERO,
            bandwidth: None,
            loss: assize_fault::Ppb::ZERO,
            medium: String::new(),
            detect: Nanos::ZERO,
            converge: Nanos::ZERO,
            over: Vec::new(),
            standby: None,
            domains: Vec::new(),
        });
    }

    fn groups(&mut self, f: &Fields<'_>) {
        for (partition, at, doc) in f.entries("groups") {
            check_name(self.cx, "partition", partition, at);
            let Some(map) = self.cx.map(doc, partition, "a map of groups") else {
                continue;
            };
            let index = PartitionId::from(self.t.partitions.len());
            let mut taken: BTreeMap<usize, u32> = BTreeMap::new();
            let mut ids = Vec::new();
            for (group, entry) in map.iter().filter(|(_, e)| !e.value.is_null()) {
                check_name(self.cx, "group", group, entry.key);
                if self.names.groups.get(group).is_some() {
                    let what = format!("a group named `{group}` exists already");
                    self.cx.error(
                        entry.key,
                        what,
                        "names of groups are unique over all partitions",
                    );
                    continue;
                }
                if self.t.groups.len() >= super::cx::MAX_ENTRIES {
                    self.cx.error(entry.key, "too many groups", "");
                    break;
                }
                self.names.groups.add(group, entry.key);
                let sites = self.group_sites(group, &entry.value, &mut taken);
                if sites.is_empty() {
                    self.cx
                        .error(entry.key, format!("group `{group}` has no sites"), "");
                }
                ids.push(GroupId::from(self.t.groups.len()));
                self.t.groups.push(Group {
                    id: group.clone(),
                    partition: index,
                    sites,
                });
            }
            self.t.partitions.push(Partition {
                id: partition.to_string(),
                groups: ids,
            });
        }
    }

    fn group_sites(
        &self,
        group: &str,
        doc: &Doc,
        taken: &mut BTreeMap<usize, u32>,
    ) -> Vec<SiteRange> {
        let mut sites = Vec::new();
        let Some(map) = self.cx.map(doc, group, "a map of classes and counts") else {
            return sites;
        };
        for (class, entry) in map.iter().filter(|(_, e)| !e.value.is_null()) {
            let Some(index) = self.names.nodes.find(self.cx, class, entry.key) else {
                continue;
            };
            let node = &self.t.nodes[index];
            let first = *taken.get(&index).unwrap_or(&0);
            let left = node.count - first;
            let wanted = if entry.value.scalar() == Some("all") {
                left
            } else {
                self.cx
                    .whole(&entry.value, class, 0, MAX_SITES)
                    .unwrap_or(0) as u32
            };
            if wanted > left {
                let what = format!(
                    "group `{group}` takes {wanted} of `{class}`, and {left} of {} are left",
                    node.count
                );
                let help = "groups of one partition are disjoint; lower a count, or write `all`";
                self.cx.error(entry.value.at, what, help);
                continue;
            }
            taken.insert(index, first + wanted);
            if wanted > 0 {
                sites.push(SiteRange {
                    node: NodeId::from(index),
                    first,
                    end: first + wanted,
                });
            }
        }
        sites
    }
}

/// A node with nothing but a name and a kind.
pub(crate) fn plain_node(id: &str, kind: &str, transit: bool) -> Node {
    Node {
        id: id.to_string(),
        kind: kind.to_string(),
        transit,
        count: 1,
        class: false,
        parts: Vec::new(),
        replicas: Vec::new(),
        switch_over: Nanos::ZERO,
        domains: Vec::new(),
    }
}

/// Whether a document is a map or list without anything in it.
pub(crate) fn is_empty(doc: &Doc) -> bool {
    match &doc.value {
        Value::Null => true,
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}
