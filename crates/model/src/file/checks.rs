//! What only the whole topology shows: loops, and redundancy that is none.

use super::topology::Build;
use crate::ids::DomainId;
use crate::topology::{Mode, Service};

/// How many loops of one kind are reported.
const MAX_CYCLES: usize = 20;

/// Loops of a directed graph: each as its nodes in order, found by depth first search. Every
/// graph that has a loop gives at least one.
pub(crate) fn cycles(nodes: usize, edges: impl Fn(usize) -> Vec<usize>) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        OnPath,
        Done,
    }
    let mut marks = vec![Mark::New; nodes];
    let mut found = Vec::new();
    for root in 0..nodes {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::OnPath;
        let mut path = vec![(root, edges(root))];
        while let Some((node, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                marks[*node] = Mark::Done;
                path.pop();
                continue;
            };
            match marks.get(next) {
                Some(Mark::New) => {
                    marks[next] = Mark::OnPath;
                    path.push((next, edges(next)));
                }
                Some(Mark::OnPath) if found.len() < MAX_CYCLES => {
                    let on_path: Vec<usize> = path.iter().map(|p| p.0).collect();
                    let first = on_path.iter().position(|&n| n == next).unwrap_or(0);
                    found.push(on_path[first..].to_vec());
                }
                _ => {}
            }
        }
    }
    found
}

impl Build<'_> {
    /// Reports what is wrong with the whole.
    pub(crate) fn check(&self) {
        self.check_domains();
        self.check_underlays();
        self.check_dependencies();
        self.check_restores();
        // These are warnings, and follow references that an error may have left open.
        for service in self.t.services.iter().filter(|_| !self.cx.failed()) {
            self.check_standbys(service);
        }
    }

    fn check_domains(&self) {
        let parents = |i: usize| {
            self.t.domains[i]
                .parents
                .iter()
                .map(|d| d.index())
                .collect()
        };
        for cycle in cycles(self.t.domains.len(), parents) {
            let names: Vec<&str> = cycle
                .iter()
                .map(|&i| self.t.domains[i].id.as_str())
                .collect();
            let at = self.names.domains.place(cycle[0]);
            self.cx.error(
                at,
                format!("these domains lie in each other: {}", names.join(" in ")),
                "",
            );
        }
    }

    /// What a service cannot be without, by index.
    fn hard(&self, index: usize) -> Vec<usize> {
        let Some(service) = self.t.services.get(index) else {
            return Vec::new();
        };
        let depends = &service.depends;
        let all = depends.all_of.iter().filter(|d| d.soft.is_none());
        let only = depends.any_of.iter().filter(|l| l.len() == 1).flatten();
        all.chain(only).map(|d| d.service.index()).collect()
    }

    fn check_dependencies(&self) {
        for cycle in cycles(self.t.services.len(), |i| self.hard(i)) {
            let mut names: Vec<&str> = cycle
                .iter()
                .map(|&i| self.t.services[i].id.as_str())
                .collect();
            names.push(names[0]);
            let what = format!("these services need each other: {}", names.join(" needs "));
            let help = "none of them could ever start; make one dependency `soft`, or remove it";
            self.cx
                .error(self.names.services.place(cycle[0]), what, help);
        }
    }

    /// A restore that needs what is being restored.
    fn check_restores(&self) {
        let restores = self.restores.borrow();
        for &(user, needed, at) in restores.iter() {
            // Everything that `needed` needs, to run or to be restored.
            let mut seen = vec![false; self.t.services.len()];
            let mut stack = vec![needed];
            while let Some(next) = stack.pop() {
                if !std::mem::replace(&mut seen[next], true) {
                    stack.extend(self.hard(next));
                }
            }
            if seen[user] {
                let (user, needed) = (&self.t.services[user].id, &self.t.services[needed].id);
                let what = format!(
                    "restore loop: restoring `{user}` needs `{needed}`, which cannot run without `{user}`"
                );
                self.cx.error(
                    at,
                    what,
                    "keep the backup where a restore needs nothing that is lost",
                );
            }
        }
        let edges = |i: usize| restores.iter().filter(|r| r.0 == i).map(|r| r.1).collect();
        if restores.len() > 2_000 {
            return;
        }
        for cycle in cycles(self.t.services.len(), edges)
            .into_iter()
            .filter(|c| c.len() > 1)
        {
            let mut names: Vec<&str> = cycle
                .iter()
                .map(|&i| self.t.services[i].id.as_str())
                .collect();
            names.push(names[0]);
            let what = format!(
                "these services keep each other's backups: {}",
                names.join(" on ")
            );
            let help = "if they fall together, neither can be restored";
            self.cx
                .warn(self.names.services.place(cycle[0]), what, help);
        }
    }

    fn check_standbys(&self, service: &Service) {
        if !matches!(
            service.mode,
            Mode::ActiveStandby | Mode::ActiveActive | Mode::Quorum
        ) {
            return;
        }
        let Some(home) = service.replicas.iter().find(|r| r.primary) else {
            return;
        };
        let Some(index) = self.names.services.get(&service.id) else {
            return;
        };
        let place = self.names.services.place(index);
        for other in service.replicas.iter().filter(|r| r.id != home.id) {
            let (a, b) = (self.t.node(home.at), self.t.node(other.at));
            let pair = format!(
                "replicas `{}` and `{}` of `{}`",
                home.id, other.id, service.id
            );
            if home.at == other.at {
                self.cx.warn(
                    place,
                    format!("{pair} run on one node, `{}`", a.id),
                    "move one of them",
                );
                continue;
            }
            let direct = |r: &crate::topology::Replica, n: &crate::topology::Node| {
                [r.domains.as_slice(), n.domains.as_slice()].concat()
            };
            if let Some(domain) = self.shared_place(&direct(home, a), &direct(other, b)) {
                let help = "a fault of that domain takes both; place the standby outside it";
                self.cx
                    .warn(place, format!("{pair} lie in one domain, `{domain}`"), help);
            }
        }
    }

    /// A domain that both lie in and that can fail as one place. Suppliers are left out: both
    /// sides of most designs belong to one, and the owner is no place.
    pub(crate) fn shared_place(&self, a: &[DomainId], b: &[DomainId]) -> Option<&str> {
        if a.is_empty() || b.is_empty() {
            return None;
        }
        let b = self.t.all_domains(b);
        let shared = self
            .t
            .all_domains(a)
            .into_iter()
            .filter(|d| b.binary_search(d).is_ok());
        shared
            .map(|d| self.t.domain(d))
            .find(|d| d.kind != "supplier" && d.kind != "owner")
            .map(|d| d.id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::cycles;

    #[test]
    fn loops_are_found_and_trees_are_none() {
        let graph = [vec![1], vec![2], vec![0, 3], vec![3], vec![]];
        let found = cycles(5, |i| graph[i].clone());
        assert_eq!(found, [vec![3], vec![0, 1, 2]]);
        let tree = [vec![1, 2], vec![2], vec![]];
        assert!(cycles(3, |i| tree[i].clone()).is_empty());
    }
}
