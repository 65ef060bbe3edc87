//! `backup_rule: 3-2-1`: copies, places, off-site and offline copies, read from the topology.
//!
//! It says what exists, not that a restore from it works.

use super::context::Context;
use super::status::{Draft, met_if};
use super::words::{number, text_detail};
use crate::finding::Value;
use crate::ids::{DomainId, NodeId, ServiceId};
use crate::objective::Objective;
use crate::topology::{Replica, State};

/// What a rule asks for, or what there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rule {
    /// Copies in all, the primary included.
    pub(super) copies: u32,
    /// Different nodes that hold them.
    pub(super) places: u32,
    /// Copies that share neither node nor domain with the primary.
    pub(super) off_site: u32,
    /// Copies without connection.
    pub(super) offline: u32,
}

impl Rule {
    fn figures(self) -> [(u32, &'static str, &'static str); 4] {
        [
            (self.copies, "copy", "copies"),
            (self.places, "place", "places"),
            (self.off_site, "off-site", "off-site"),
            (self.offline, "offline", "offline"),
        ]
    }

    fn text(self) -> String {
        let words = self
            .figures()
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }));
        words.join(", ")
    }

    /// What is short of the rule, in words; empty if nothing is.
    fn shortfall(self, found: Self) -> String {
        let both = found.figures().into_iter().zip(self.figures());
        let short = both.filter_map(|((have, ..), (want, one, many))| {
            let missing = want.checked_sub(have).filter(|&missing| missing > 0)?;
            Some(format!(
                "{missing} {}",
                if missing == 1 { one } else { many }
            ))
        });
        short.collect::<Vec<String>>().join(", ")
    }
}

/// One finding for each service with state, or the one that is named.
pub(super) fn judge(context: &Context<'_>, objective: &Objective, rule: Rule) -> Vec<Draft> {
    let services = match objective.service {
        Some(service) => vec![service],
        None => context.services(|service| service.state.is_some()),
    };
    let target_text = format!("≥ {}", rule.text());
    super::each_service(context, &services, &target_text, |service| {
        let state = context.plan.topology.service(service).state.as_ref()?;
        let found = count(context, service, state)?;
        let short = rule.shortfall(found);
        let met = short.is_empty();
        let unverified = state
            .backups
            .iter()
            .filter(|b| b.last_verified.is_none())
            .count();
        let details = (unverified > 0)
            .then(|| {
                let text = format!("{} never restored from", number(unverified, "backup"));
                text_detail("unverified", text)
            })
            .into_iter()
            .collect();
        Some(Draft {
            measured: Some(Value::Count(u64::from(found.copies))),
            measured_text: found.text(),
            margin_text: if met {
                String::new()
            } else {
                format!("short of {}", short)
            },
            status: met_if(met),
            reason: if met {
                "The copies that the topology states satisfy the rule.".to_string()
            } else {
                format!("The topology is short of {}.", short)
            },
            details,
            structural: true,
            ..Draft::unmeasured(
                context.service_name(service),
                target_text.clone(),
                String::new(),
            )
        })
    })
    .into_iter()
    .map(|draft| Draft {
        structural: true,
        ..draft
    })
    .collect()
}

/// Counts the copies of a service's data; `None` for a service without replicas.
fn count(context: &Context<'_>, service: ServiceId, state: &State) -> Option<Rule> {
    let topology = context.plan.topology;
    let replicas = &topology.service(service).replicas;
    let primary = replicas
        .iter()
        .find(|replica| replica.primary)
        .or(replicas.first())?;
    let domains = |node: NodeId, more: &[DomainId]| {
        let direct: Vec<DomainId> = topology
            .node(node)
            .domains
            .iter()
            .chain(more)
            .copied()
            .collect();
        topology.all_domains(&direct)
    };
    let home = domains(primary.at, &primary.domains);
    let off_site = |node: NodeId, more: &[DomainId]| {
        node != primary.at
            && domains(node, more)
                .iter()
                .all(|domain| !home.contains(domain))
    };
    // Without replication only the primary has the data.
    let holds =
        |replica: &&Replica| state.replication.is_some() || core::ptr::eq(*replica, primary);
    let mut nodes = Vec::new();
    let mut rule = Rule {
        copies: 0,
        places: 0,
        off_site: 0,
        offline: 0,
    };
    let mut add = |node: NodeId, more: &[DomainId], offline: bool| {
        rule.copies += 1;
        rule.off_site += u32::from(off_site(node, more));
        rule.offline += u32::from(offline);
        if !nodes.contains(&node) {
            nodes.push(node);
            rule.places += 1;
        }
    };
    for replica in replicas.iter().filter(holds) {
        add(replica.at, &replica.domains, false);
    }
    for backup in &state.backups {
        add(backup.kept_at, &[], backup.offline);
    }
    Some(rule)
}
