//! Which sites of classes a fault is about, and who answers for its elements.

use crate::ids::{DomainId, GroupId, NodeId, ServiceId};
use crate::scenario::{Sites, Target};
use crate::topology::{SiteRange, Topology};
use assize_fault::Ppb;

/// What `of:` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Of {
    /// The first so many sites of each class.
    Count(u32),
    /// The first so large a part of each class, rounded to whole sites.
    Share(Ppb),
    /// The sites of a group.
    Group(GroupId),
}

/// Narrows the classes among some targets; what is left of each. Elements without sites to
/// tell apart stay as they are, and it is an error if nothing can be narrowed.
///
/// # Errors
/// Why nothing is left, or nothing could be narrowed.
pub(crate) fn narrow(t: &Topology, targets: Vec<Target>, of: Of) -> Result<Vec<Target>, String> {
    let mut out = Vec::new();
    let (mut narrowed, mut left) = (false, false);
    for target in targets {
        let (nodes, sites): (Vec<NodeId>, Sites) = match &target {
            Target::Node(id, sites) | Target::Part(id, _, sites) => (vec![*id], sites.clone()),
            Target::Link(id, sites) => (t.link(*id).from.clone(), sites.clone()),
            _ => (Vec::new(), Sites::All),
        };
        let numbered = |id: &NodeId| t.node(*id).class || matches!(of, Of::Group(_));
        if !nodes.iter().any(numbered) {
            out.push(target);
            continue;
        }
        narrowed = true;
        let ranges = nodes
            .into_iter()
            .flat_map(|id| narrow_class(t, id, &sites, of))
            .collect::<Vec<_>>();
        if ranges.is_empty() {
            continue;
        }
        left = true;
        out.push(match target {
            Target::Node(id, _) => Target::Node(id, Sites::Some(ranges)),
            Target::Part(id, part, _) => Target::Part(id, part, Sites::Some(ranges)),
            Target::Link(id, _) => Target::Link(id, Sites::Some(ranges)),
            other => other,
        });
    }
    if !narrowed {
        return Err("`of` narrows classes of sites, and none is selected".into());
    }
    if !left {
        return Err("`of` leaves nothing of the selection".into());
    }
    Ok(out)
}

fn narrow_class(t: &Topology, id: NodeId, sites: &Sites, of: Of) -> Vec<SiteRange> {
    let node = t.node(id);
    let there: Vec<SiteRange> = match sites {
        Sites::All => vec![SiteRange {
            node: id,
            first: 0,
            end: node.count,
        }],
        Sites::Some(ranges) => ranges.iter().copied().filter(|r| r.node == id).collect(),
    };
    let total: u32 = there.iter().map(|r| r.end - r.first).sum();
    let mut left = match of {
        Of::Count(n) => n,
        Of::Share(share) => ((u64::from(total) * share.0 + 500_000_000) / 1_000_000_000) as u32,
        Of::Group(group) => {
            let members = t.group(group).sites.iter().filter(|r| r.node == id);
            let cut = |a: &SiteRange, b: &SiteRange| SiteRange {
                node: id,
                first: a.first.max(b.first),
                end: a.end.min(b.end),
            };
            let pairs = members.flat_map(|m| there.iter().map(move |r| cut(m, r)));
            return pairs.filter(|r| r.first < r.end).collect();
        }
    };
    let mut out = Vec::new();
    for range in there {
        let take = left.min(range.end - range.first);
        if take > 0 {
            out.push(SiteRange {
                end: range.first + take,
                ..range
            });
            left -= take;
        }
    }
    out
}

/// The parties that answer for some targets: their domains of kind `supplier`, or, if there is
/// none, the domains that they lie in directly. In index order.
pub(crate) fn owners(t: &Topology, targets: &[Target], named: &[DomainId]) -> Vec<DomainId> {
    let mut direct: Vec<DomainId> = named.to_vec();
    for target in targets {
        match target {
            Target::Node(id, _) => direct.extend(&t.node(*id).domains),
            Target::NodeReplica(id, unit) => {
                direct.extend(&t.node(*id).domains);
                direct.extend(&t.node(*id).replicas[usize::from(*unit)].domains);
            }
            Target::Part(id, part, _) => {
                direct.extend(&t.node(*id).domains);
                direct.extend(&t.node(*id).parts[usize::from(*part)].domains);
            }
            Target::Link(id, _) => direct.extend(&t.link(*id).domains),
            Target::Service(id)
            | Target::Shard(id, _)
            | Target::Primary(id)
            | Target::Flow(_, id) => {
                service_domains(t, *id, &mut direct);
            }
            Target::Replica(id, replica) => {
                let service = t.service(*id);
                let replica = &service.replicas[usize::from(*replica)];
                direct.extend(&service.domains);
                direct.extend(&replica.domains);
                direct.extend(&t.node(replica.at).domains);
            }
            Target::Access(_) => {}
        }
    }
    direct.sort_unstable();
    direct.dedup();
    let suppliers: Vec<DomainId> = t
        .all_domains(&direct)
        .into_iter()
        .filter(|d| t.domain(*d).kind == "supplier")
        .collect();
    if suppliers.is_empty() {
        direct
    } else {
        suppliers
    }
}

/// A service's own domains, or, if it has none, those of the nodes that it runs on.
fn service_domains(t: &Topology, id: ServiceId, direct: &mut Vec<DomainId>) {
    let service = t.service(id);
    direct.extend(&service.domains);
    if service.domains.is_empty() {
        for replica in &service.replicas {
            direct.extend(&replica.domains);
            direct.extend(&t.node(replica.at).domains);
        }
    }
}
