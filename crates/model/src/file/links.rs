//! Links: which nodes they join, what they carry, what they run over.

use super::cx::{Fields, one_or_many};
use super::doc::{Doc, Value};
use super::place::Span;
use super::topology::Build;
use crate::ids::{LinkId, NodeId};
use crate::topology::{Link, Standby};
use assize_fault::{Nanos, Ppb};

impl Build<'_> {
    pub(crate) fn links(&mut self, f: &Fields<'_>) {
        for (name, at, doc) in f.entries("links") {
            let link = match Fields::open(self.cx, doc, "link") {
                Some(f) => {
                    let link = self.link(&f, name);
                    f.finish();
                    link
                }
                None => blank(name),
            };
            if link.from.is_empty() && !self.cx.failed() {
                self.cx
                    .error(at, format!("link `{name}` joins nothing"), "");
            }
            self.t.links.push(link);
        }
    }

    fn link(&mut self, f: &Fields<'_>, name: &str) -> Link {
        let mut link = blank(name);
        if let Some((from, to)) = self.between(f, name) {
            (link.from, link.to) = (from, to);
        }
        link.carries = self.networks_of(f, "carries");
        link.cost = f.whole("cost", 0, 1_000_000).unwrap_or(1) as u32;
        link.latency = f.duration_or("latency", Nanos::ZERO);
        link.bandwidth = f.bandwidth("bandwidth");
        link.loss = f.share("loss").unwrap_or(Ppb::ZERO);
        link.medium = f.text("medium").unwrap_or_default();
        link.detect = f.duration_or("detect", Nanos::ZERO);
        link.converge = f.duration_or("converge", Nanos::ZERO);
        for (under, at) in f.texts("over") {
            if let Some(index) = self.names.links.find(self.cx, &under, at) {
                link.over.push(LinkId::from(index));
            }
        }
        link.standby = standby(f);
        link.domains = self.domains_of(f);
        link
    }

    /// The ends: each of the first to the second, which is never a class.
    fn between(&self, f: &Fields<'_>, name: &str) -> Option<(Vec<NodeId>, NodeId)> {
        const HELP: &str = "write `between: [A, B]`; A may be a list, each of which joins B";
        let Some(doc) = f.raw("between") else {
            self.cx
                .error(f.at, format!("link `{name}` has no `between`"), HELP);
            return None;
        };
        let Value::List(ends) = &doc.value else {
            self.cx.wrong_kind(doc, "between", "a list of two ends");
            return None;
        };
        let [near, far] = ends.as_slice() else {
            let what = format!("a link has two ends, not {}", ends.len());
            self.cx.error(doc.at, what, HELP);
            return None;
        };
        let (near, far) = (self.end(near)?, self.end(far)?);
        let single = |end: &[NodeId]| matches!(end, [id] if !self.t.node(*id).class);
        let (from, to) = match (single(&near), single(&far)) {
            (_, true) => (near, far),
            (true, false) => (far, near),
            (false, false) => {
                let what = "both ends of a link are classes or lists";
                self.cx
                    .error(doc.at, what, "one end is a single node; write two links");
                return None;
            }
        };
        let to = to.first().copied()?;
        if from.contains(&to) {
            self.cx
                .error(doc.at, format!("link `{name}` joins a node to itself"), "");
        }
        Some((from, to))
    }

    fn end(&self, doc: &Doc) -> Option<Vec<NodeId>> {
        let mut ids = Vec::new();
        for item in one_or_many(doc) {
            let name = self.cx.text(item, "between")?;
            let id = NodeId::from(self.names.nodes.find(self.cx, &name, item.at)?);
            if ids.contains(&id) {
                self.cx
                    .error(item.at, format!("`{name}` is named twice"), "");
            } else {
                ids.push(id);
            }
        }
        if ids.is_empty() {
            self.cx.error(doc.at, "this end of the link is empty", "");
            return None;
        }
        Some(ids)
    }

    /// A link that runs over itself would fall with itself.
    pub(crate) fn check_underlays(&self) {
        for cycle in super::checks::cycles(self.t.links.len(), |i| {
            self.t.links[i].over.iter().map(|l| l.index()).collect()
        }) {
            let names: Vec<&str> = cycle.iter().map(|&i| self.t.links[i].id.as_str()).collect();
            let at: Span = self.names.links.place(cycle[0]);
            let what = format!("these links run over each other: {}", names.join(" over "));
            self.cx
                .error(at, what, "a tunnel runs over circuits, never the reverse");
        }
    }
}

/// `standby: {activates_in: 30s, when: automatic|step}`.
pub(crate) fn standby(f: &Fields<'_>) -> Option<Standby> {
    let doc = f.raw("standby")?;
    let s = Fields::open(f.cx, doc, "standby")?;
    let standby = Standby {
        activates_in: s.duration_or("activates_in", Nanos::ZERO),
        automatic: s
            .choice("when", &[("automatic", true), ("step", false)])
            .unwrap_or(true),
    };
    s.finish();
    Some(standby)
}

fn blank(name: &str) -> Link {
    Link {
        id: name.to_string(),
        from: Vec::new(),
        to: NodeId(0),
        carries: Vec::new(),
        cost: 1,
        latency: Nanos::ZERO,
        bandwidth: None,
        loss: Ppb::ZERO,
        medium: String::new(),
        detect: Nanos::ZERO,
        converge: Nanos::ZERO,
        over: Vec::new(),
        standby: None,
        domains: Vec::new(),
    }
}
