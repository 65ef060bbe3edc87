//! A picture of a topology: boxes in clusters, joined by lines. Pure; draws nothing itself.
//!
//! `collapse` folds what a reader of a large network does not tell apart: site classes that
//! hang on the same links become one box, and services stand in the box of their node.

pub(crate) mod dot;
pub(crate) mod mermaid;

use assize_model::topology::{Node, Service};
use assize_model::{DomainId, LinkId, NodeId, Topology};
use assize_report::words;
use serde::Serialize;

/// A picture.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Graph {
    /// Its name.
    pub(crate) name: String,
    /// Domains that hold something, parents before children.
    pub(crate) clusters: Vec<Cluster>,
    /// Boxes.
    pub(crate) boxes: Vec<Box_>,
    /// Lines between boxes.
    pub(crate) lines: Vec<Line>,
}

/// A domain.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cluster {
    /// Its name.
    pub(crate) id: String,
    /// Its kind.
    pub(crate) kind: String,
    /// Index of the cluster that it lies in.
    pub(crate) within: Option<usize>,
}

/// A box.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Box_ {
    /// Names of what it stands for.
    pub(crate) names: Vec<String>,
    /// Further lines of text.
    pub(crate) text: Vec<String>,
    /// What it stands for.
    pub(crate) shape: Shape,
    /// Index of its cluster.
    pub(crate) within: Option<usize>,
}

/// What a box stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    /// A node.
    Node,
    /// Where users sit.
    Site,
    /// A service.
    Service,
}

/// A line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    /// Index of a box.
    pub(crate) from: usize,
    /// Index of a box.
    pub(crate) to: usize,
    /// What stands beside it.
    pub(crate) label: Vec<String>,
    /// What it means.
    pub(crate) kind: LineKind,
}

/// What a line means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LineKind {
    /// A link.
    Link,
    /// A link that runs over others.
    Tunnel,
    /// A link that serves only once activated.
    Standby,
    /// A service runs on a node.
    RunsOn,
    /// A service needs another.
    Needs,
}

/// Draws a topology.
pub(crate) fn build(topology: &Topology, collapse: bool) -> Graph {
    let mut graph = Graph {
        name: topology.name.clone(),
        ..Graph::default()
    };
    let clusters = Clusters::build(topology, &mut graph);
    let folded = fold(topology, collapse);
    let mut box_of: Vec<usize> = vec![0; topology.nodes.len()];
    for members in &folded {
        for &node in members {
            box_of[node.index()] = graph.boxes.len();
        }
        let boxed = node_box(topology, &clusters, members, collapse);
        graph.boxes.push(boxed);
    }
    links(topology, &box_of, &mut graph);
    if !collapse {
        services(topology, &clusters, &box_of, &mut graph);
    }
    graph
}

/// The cluster of each domain, once it holds something.
struct Clusters {
    of: Vec<Option<usize>>,
}

impl Clusters {
    /// One cluster for each domain that some element has as its home, and for those around it.
    fn build(topology: &Topology, graph: &mut Graph) -> Self {
        let mut clusters = Self {
            of: vec![None; topology.domains.len()],
        };
        let homes = topology
            .nodes
            .iter()
            .filter_map(|n| home(topology, &n.domains));
        let service_homes = topology
            .services
            .iter()
            .filter_map(|s| home(topology, &s.domains));
        for id in homes.chain(service_homes) {
            clusters.add(topology, id, graph, 0);
        }
        clusters
    }

    /// The depth ends a nesting that would come back to itself, which the reader refuses.
    fn add(&mut self, topology: &Topology, id: DomainId, graph: &mut Graph, depth: usize) -> usize {
        if let Some(index) = self.of[id.index()] {
            return index;
        }
        let domain = topology.domain(id);
        let within = match domain.parents.first() {
            Some(&parent) if depth < topology.domains.len() => {
                Some(self.add(topology, parent, graph, depth + 1))
            }
            _ => None,
        };
        graph.clusters.push(Cluster {
            id: domain.id.clone(),
            kind: domain.kind.clone(),
            within,
        });
        let index = graph.clusters.len() - 1;
        self.of[id.index()] = Some(index);
        index
    }

    fn find(&self, topology: &Topology, domains: &[DomainId]) -> Option<usize> {
        home(topology, domains).and_then(|id| self.of[id.index()])
    }
}

/// The one domain in which an element is drawn: a place rather than an owner.
fn home(topology: &Topology, domains: &[DomainId]) -> Option<DomainId> {
    let owner =
        |id: &&DomainId| matches!(topology.domain(**id).kind.as_str(), "supplier" | "owner");
    domains
        .iter()
        .find(|id| !owner(id))
        .or(domains.first())
        .copied()
}

/// Nodes that share a box, each node once, in file order of their first.
fn fold(topology: &Topology, collapse: bool) -> Vec<Vec<NodeId>> {
    let mut groups: Vec<(Key, Vec<NodeId>)> = Vec::new();
    for (index, node) in topology.nodes.iter().enumerate() {
        let id = NodeId::from(index);
        let key = (collapse && node.class).then(|| key(topology, id, node));
        match groups.iter_mut().find(|(k, _)| k.is_some() && *k == key) {
            Some((_, members)) => members.push(id),
            None => groups.push((key, vec![id])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// What tells site classes apart: their links and their domains. `None` is like no other.
type Key = Option<(Vec<LinkId>, Vec<DomainId>)>;

fn key(topology: &Topology, id: NodeId, node: &Node) -> (Vec<LinkId>, Vec<DomainId>) {
    let links = (0..topology.links.len())
        .filter(|&i| topology.links[i].from.contains(&id))
        .map(LinkId::from)
        .collect();
    (links, node.domains.clone())
}

fn node_box(topology: &Topology, clusters: &Clusters, members: &[NodeId], collapse: bool) -> Box_ {
    let nodes: Vec<&Node> = members.iter().map(|&id| topology.node(id)).collect();
    let sites: u64 = nodes.iter().map(|n| u64::from(n.count)).sum();
    let users = |id: &NodeId| -> u64 {
        let all = topology.populations.iter().flat_map(|p| &p.at);
        all.filter(|(at, _)| at == id).map(|(_, users)| users).sum()
    };
    let users: u64 = members.iter().map(users).sum();
    let mut text = Vec::new();
    let mut counts = Vec::new();
    if nodes.iter().any(|n| n.class) {
        counts.push(words::number(sites as usize, "site", "sites"));
    }
    if users > 0 {
        counts.push(words::number(users as usize, "user", "users"));
    }
    if !counts.is_empty() {
        text.push(counts.join(", "));
    }
    if let [node] = nodes.as_slice() {
        if !node.replicas.is_empty() {
            let names: Vec<&str> = node.replicas.iter().map(|r| r.id.as_str()).collect();
            text.push(format!("units {}", words::list(&names)));
        }
        if !collapse && !node.parts.is_empty() {
            let names: Vec<String> = node
                .parts
                .iter()
                .map(|p| format!("{} × {}", p.count, p.id))
                .collect();
            text.push(names.join(", "));
        }
    }
    if collapse {
        let here: Vec<&str> = topology
            .services
            .iter()
            .filter(|s| s.replicas.iter().any(|r| members.contains(&r.at)))
            .map(|s| s.id.as_str())
            .collect();
        if !here.is_empty() {
            text.push(format!("runs {}", here.join(", ")));
        }
    }
    let site = nodes.iter().any(|n| n.class || n.kind == "site");
    Box_ {
        names: nodes.iter().map(|n| n.id.clone()).collect(),
        text,
        shape: if site { Shape::Site } else { Shape::Node },
        within: nodes
            .first()
            .and_then(|n| clusters.find(topology, &n.domains)),
    }
}

/// One line for each pair of boxes and kind of link, with the names of the links.
fn links(topology: &Topology, box_of: &[usize], graph: &mut Graph) {
    for link in &topology.links {
        let kind = match (&link.standby, link.over.as_slice()) {
            (Some(_), _) => LineKind::Standby,
            (None, []) => LineKind::Link,
            (None, _) => LineKind::Tunnel,
        };
        let to = box_of[link.to.index()];
        for near in &link.from {
            let from = box_of[near.index()];
            let same = |l: &&mut Line| (l.from, l.to, l.kind) == (from, to, kind);
            match graph.lines.iter_mut().find(same) {
                Some(line) if line.label.contains(&link.id) => {}
                Some(line) => line.label.push(link.id.clone()),
                None => {
                    graph.lines.push(Line {
                        from,
                        to,
                        label: vec![link.id.clone()],
                        kind,
                    });
                }
            }
        }
    }
}

fn services(topology: &Topology, clusters: &Clusters, box_of: &[usize], graph: &mut Graph) {
    let first = graph.boxes.len();
    for service in &topology.services {
        graph.boxes.push(Box_ {
            names: vec![service.id.clone()],
            text: vec![mode(service).to_owned()],
            shape: Shape::Service,
            within: clusters.find(topology, &service.domains),
        });
    }
    for (index, service) in topology.services.iter().enumerate() {
        for replica in &service.replicas {
            graph.lines.push(Line {
                from: first + index,
                to: box_of[replica.at.index()],
                label: vec![replica.id.clone()],
                kind: LineKind::RunsOn,
            });
        }
        let needs = service.depends.all_of.iter().map(|d| (d, false));
        let either = service.depends.any_of.iter().flatten().map(|d| (d, true));
        for (dependency, either) in needs.chain(either) {
            let mut label = Vec::new();
            if either {
                label.push("one of".to_owned());
            }
            if let Some(left) = dependency.soft {
                label.push(format!("{left} without"));
            }
            graph.lines.push(Line {
                from: first + index,
                to: first + dependency.service.index(),
                label,
                kind: LineKind::Needs,
            });
        }
    }
}

const fn mode(service: &Service) -> &'static str {
    use assize_model::topology::Mode;
    match service.mode {
        Mode::Single => "single",
        Mode::ActiveActive => "active-active",
        Mode::ActiveStandby => "active-standby",
        Mode::Quorum => "quorum",
        Mode::Sharded => "sharded",
    }
}

impl Graph {
    /// Boxes whose cluster is this one, by index.
    pub(crate) fn boxes_in(&self, cluster: Option<usize>) -> impl Iterator<Item = (usize, &Box_)> {
        self.boxes
            .iter()
            .enumerate()
            .filter(move |(_, b)| b.within == cluster)
    }

    /// Clusters whose parent is this one, by index.
    pub(crate) fn clusters_in(
        &self,
        parent: Option<usize>,
    ) -> impl Iterator<Item = (usize, &Cluster)> {
        self.clusters
            .iter()
            .enumerate()
            .filter(move |(_, c)| c.within == parent)
    }
}

impl Box_ {
    /// Its text as lines that are not too long to read.
    pub(crate) fn lines(&self) -> Vec<String> {
        const READABLE: usize = 32;
        let mut lines = assize_report::text::wrap(&self.names.join(", "), READABLE);
        for text in &self.text {
            lines.extend(assize_report::text::wrap(text, READABLE));
        }
        lines
    }
}

/// The names beside a line, or how many they are where they would hide the picture.
fn short(names: &[String]) -> Vec<String> {
    match names {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            let more = format!("and {} more", rest.len());
            vec![format!("{first}, {second},"), format!("{third} {more}")]
        }
        [] => Vec::new(),
        names => vec![names.join(", ")],
    }
}
