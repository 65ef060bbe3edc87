//! What can fail in a topology, each kind of thing once: the sites of a class are like each other.
//!
//! An element of a class stands for one of its sites, and for its users that is their own. Links
//! of a class are one circuit per site. Access points and other parts of one kind at a site count
//! as one element, as they do for faults.

use assize_model::topology::{Mode, Topology};
use assize_model::{DomainId, NodeId};

/// One element.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its selector; a circuit of a class names the class too, `link/court-wan@crown`.
    pub id: String,
    /// What it is.
    pub what: What,
    /// The class whose sites each have one; `None` for what there is once.
    pub class: Option<NodeId>,
    /// How many there are.
    pub count: u32,
    /// Domains with which it falls.
    pub domains: Vec<DomainId>,
}

/// What an element is, by index in the topology.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    /// A place, or a site of a class.
    Node(NodeId),
    /// A unit of a redundant place.
    Unit(NodeId, u16),
    /// The parts of one kind of a site.
    Part(NodeId, u16),
    /// The circuit of a link at one of its near ends.
    Circuit(u16, u16),
    /// A replica of a service.
    Replica(u16, u16),
    /// A shard of a service.
    Shard(u16, u16),
    /// A domain.
    Domain(DomainId),
}

/// All elements, in the order of the file by kind.
#[derive(Clone, Debug)]
pub struct Elements {
    /// The elements; an event of a structure is an index here.
    pub items: Vec<Item>,
    by_what: std::collections::BTreeMap<What, u32>,
}

impl Elements {
    /// Of a topology.
    #[must_use]
    pub fn of(topology: &Topology) -> Self {
        let mut all = Self {
            items: Vec::new(),
            by_what: std::collections::BTreeMap::new(),
        };
        for index in 0..topology.nodes.len() {
            all.node(topology, NodeId::from(index));
        }
        for (index, link) in topology.links.iter().enumerate() {
            for (end, near) in link.from.iter().enumerate() {
                let node = topology.node(*near);
                let id = if link.from.len() == 1 {
                    format!("link/{}", link.id)
                } else {
                    format!("link/{}@{}", link.id, node.id)
                };
                let what = What::Circuit(index as u16, end as u16);
                all.add(
                    topology,
                    id,
                    what,
                    node.class.then_some(*near),
                    &link.domains,
                );
            }
        }
        for (index, service) in topology.services.iter().enumerate() {
            for (r, replica) in service.replicas.iter().enumerate() {
                let id = format!("service/{}/{}", service.id, replica.id);
                let domains = [service.domains.as_slice(), &replica.domains].concat();
                all.add(
                    topology,
                    id,
                    What::Replica(index as u16, r as u16),
                    None,
                    &domains,
                );
            }
            let shards = if service.mode == Mode::Sharded {
                service.shards
            } else {
                0
            };
            for shard in 0..shards.min(u32::from(u16::MAX)) {
                let id = format!("service/{}/{shard}", service.id);
                all.add(
                    topology,
                    id,
                    What::Shard(index as u16, shard as u16),
                    None,
                    &[],
                );
            }
        }
        for (index, domain) in topology.domains.iter().enumerate() {
            let id = DomainId::from(index);
            all.add(
                topology,
                format!("domain/{}", domain.id),
                What::Domain(id),
                None,
                &[],
            );
        }
        all
    }

    fn node(&mut self, topology: &Topology, id: NodeId) {
        let node = topology.node(id);
        let class = node.class.then_some(id);
        self.add(
            topology,
            format!("node/{}", node.id),
            What::Node(id),
            class,
            &node.domains,
        );
        for (unit, replica) in node.replicas.iter().enumerate() {
            let name = format!("node/{}/{}", node.id, replica.id);
            self.add(
                topology,
                name,
                What::Unit(id, unit as u16),
                class,
                &replica.domains,
            );
        }
        for (index, part) in node.parts.iter().enumerate() {
            let name = format!("node/{}/{}", node.id, part.id);
            self.add(
                topology,
                name,
                What::Part(id, index as u16),
                class,
                &part.domains,
            );
        }
    }

    fn add(
        &mut self,
        topology: &Topology,
        id: String,
        what: What,
        class: Option<NodeId>,
        domains: &[DomainId],
    ) {
        self.by_what.insert(what, self.items.len() as u32);
        let domains = if matches!(what, What::Domain(_)) {
            Vec::new()
        } else {
            topology.all_domains(domains)
        };
        self.items.push(Item {
            id,
            what,
            class,
            count: class.map_or(1, |c| topology.node(c).count),
            domains,
        });
    }

    /// The number of an element.
    #[must_use]
    pub fn number(&self, what: What) -> Option<u32> {
        self.by_what.get(&what).copied()
    }

    /// The numbers of the elements that a selector names: itself, what is below it, and `*`
    /// within a name.
    #[must_use]
    pub fn matching(&self, selector: &str) -> Vec<u32> {
        let matches = |item: &&(usize, &Item)| {
            let id = item.1.id.split('@').next().unwrap_or_default();
            glob(selector, &item.1.id)
                || glob(selector, id)
                || glob(selector, id.split_once('/').map_or(id, |s| s.1))
        };
        let numbered: Vec<(usize, &Item)> = self.items.iter().enumerate().collect();
        let mut found: Vec<u32> = numbered
            .iter()
            .filter(matches)
            .map(|i| i.0 as u32)
            .collect();
        // A service is named without its replicas too: all of them are meant.
        if found.is_empty() {
            let inside = |i: &&(usize, &Item)| {
                let id = i.1.id.rsplit_once('/').map_or("", |s| s.0);
                glob(selector, id) || glob(selector, id.split_once('/').map_or(id, |s| s.1))
            };
            found = numbered.iter().filter(inside).map(|i| i.0 as u32).collect();
        }
        found
    }
}

/// Whether a name matches a pattern in which `*` stands for anything within.
fn glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        last = Some(part);
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    match last {
        None => rest.is_empty(),
        Some("") => true,
        Some(part) => name.ends_with(part),
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(glob("node/*", "node/a/b") && glob("*", "x") && glob("a*c", "abbc"));
        assert!(!glob("a*c", "abcd") && !glob("a", "ab") && glob("a", "a"));
    }
}
