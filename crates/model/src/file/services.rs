//! Services: replicas, dependencies, queues, failover.

use super::bind::is_address;
use super::cx::{Fields, check_name};
use super::doc::{Doc, Value};
use super::place::Span;
use super::topology::{Build, plain_node};
use crate::binding::{Knobs, Realisation, StandIn};
use crate::ids::{NodeId, ServiceId};
use crate::topology::{
    Check, Dependency, Depends, Failover, Mode, Probes, QueueSpec, Rejoin, Replica, Service,
    WhenFull,
};
use assize_fault::Nanos;

/// The most replicas of one service.
const MAX_REPLICAS: usize = 1_000;

impl Build<'_> {
    pub(crate) fn services(&mut self, f: &Fields<'_>) {
        let mut open = Vec::new();
        for (name, _, doc) in f.entries("services") {
            let mut service = blank(name);
            let fields = Fields::open(self.cx, doc, "service");
            if let Some(f) = &fields {
                self.service(f, &mut service);
            }
            self.t.services.push(service);
            open.push(fields);
        }
        // Backups may be kept by any service, so where each runs is settled first.
        for (index, fields) in open.into_iter().enumerate() {
            if let Some(f) = fields {
                self.t.services[index].state = self.state(&f, &self.t.services[index]);
                f.finish();
            }
        }
    }

    fn service(&mut self, f: &Fields<'_>, service: &mut Service) {
        let addresses;
        (service.replicas, addresses) = self.replicas(f, &service.id);
        let stand_in = self.stand_in(f, service);
        service.realised = self.realised(f, service, addresses, stand_in);
        let modes = [
            ("single", Mode::Single),
            ("active-active", Mode::ActiveActive),
            ("active-standby", Mode::ActiveStandby),
            ("quorum", Mode::Quorum),
            ("sharded", Mode::Sharded),
        ];
        let alone = service.replicas.len() < 2;
        let default = if alone {
            Mode::Single
        } else if writes_once(&service.realised) {
            Mode::ActiveStandby
        } else {
            Mode::ActiveActive
        };
        service.mode = f.choice("mode", &modes).unwrap_or(default);
        if service.mode == Mode::Single && !alone {
            let what = format!(
                "`{}` is single and has {} replicas",
                service.id,
                service.replicas.len()
            );
            self.cx.error(
                f.key("mode"),
                what,
                "write `mode: active-standby`, or keep one replica",
            );
        }
        let default = if service.mode == Mode::Sharded {
            service.replicas.len().max(1) as u64
        } else {
            1
        };
        service.shards = f.whole("shards", 1, 1_024).unwrap_or(default) as u32;
        if service.mode != Mode::Sharded && service.shards > 1 {
            self.cx.error(
                f.key("shards"),
                "only a sharded service has shards",
                "write `mode: sharded`",
            );
        }
        service.shard_key = f.text("shard_key").unwrap_or_else(|| service.id.clone());
        service.reach = self.networks_of(f, "reach");
        service.depends = self.depends(f);
        service.capacity = f.rate("capacity");
        service.queue = queue(f);
        service.service_time = f.duration_or("service_time", Nanos::ZERO);
        service.domains = self.domains_of(f);
        service.failover = self.failover(f, service);
    }

    /// Replicas: a map of names (each with a node, or with fields), or a list of names.
    fn replicas(&mut self, f: &Fields<'_>, service: &str) -> (Vec<Replica>, Vec<Option<String>>) {
        let mut replicas = Vec::new();
        let mut addresses = Vec::new();
        let mut roles = Vec::new();
        let entries: Vec<(String, Span, Option<&Doc>)> = match f.raw("replicas") {
            None => vec![("a".to_string(), f.at, None)],
            Some(Doc {
                value: Value::List(list),
                ..
            }) => list
                .iter()
                .filter_map(|d| Some((self.cx.text(d, "replicas")?, d.at, Some(d))))
                .collect(),
            Some(_) => f
                .entries("replicas")
                .into_iter()
                .map(|(name, at, doc)| (name.to_string(), at, Some(doc)))
                .collect(),
        };
        if entries.len() > MAX_REPLICAS {
            let what = format!("a service has at most {MAX_REPLICAS} replicas");
            self.cx.error(f.key("replicas"), what, "");
            return (replicas, addresses);
        }
        if entries.is_empty() {
            self.cx.error(
                f.key("replicas"),
                format!("service `{service}` has no replica"),
                "",
            );
        }
        for (name, at, doc) in entries {
            check_name(self.cx, "replica", &name, at);
            if replicas.iter().any(|r: &Replica| r.id == name) {
                self.cx
                    .error(at, format!("replica `{name}` is named twice"), "");
            }
            let mut replica = Replica {
                id: name,
                at: NodeId(0),
                primary: false,
                domains: vec![],
            };
            let (place, role, address) = self.replica(doc, &mut replica);
            addresses.push(address);
            replica.at = match place {
                Some(node) => node,
                None => self.own_node(service, &replica.id, at),
            };
            roles.push(role);
            replicas.push(replica);
        }
        let home = roles.iter().position(|r| *r == Some(true));
        let home = home
            .or_else(|| roles.iter().position(Option::is_none))
            .unwrap_or(0);
        for (i, replica) in replicas.iter_mut().enumerate() {
            replica.primary = i == home;
        }
        if roles.iter().filter(|r| **r == Some(true)).count() > 1 {
            let what = format!("service `{service}` has two primaries");
            self.cx
                .error(f.key("replicas"), what, "one replica is `role: primary`");
        }
        (replicas, addresses)
    }

    /// What the file says of a replica: where it runs, whether it is the primary, its address.
    fn replica(&self, doc: Option<&Doc>, replica: &mut Replica) -> Stated {
        let Some(doc) = doc else {
            return (None, None, None);
        };
        match &doc.value {
            Value::Map(_) => {
                let Some(f) = Fields::open(self.cx, doc, "replica") else {
                    return (None, None, None);
                };
                let place = f.raw("at").map(|d| self.single_node(d, "at"));
                let role = f.choice("role", &[("primary", true), ("standby", false)]);
                replica.domains = self.domains_of(&f);
                let address = f.raw("address").and_then(|d| self.address(d, "address"));
                f.finish();
                (place, role, address)
            }
            // In a list a name is the replica's own; it also says where, if a node has it.
            _ => match doc.scalar() {
                Some(text) if self.names.nodes.get(text).is_some() => {
                    (Some(self.single_node(doc, "at")), None, None)
                }
                Some(text) if is_address(text) => (None, None, Some(text.to_string())),
                Some(text) if text == replica.id => (None, None, None),
                _ => (Some(self.single_node(doc, "at")), None, None),
            },
        }
    }

    /// A node that is not a class; the first node after a report.
    pub(crate) fn single_node(&self, doc: &Doc, key: &str) -> NodeId {
        let found = self.cx.text(doc, key).and_then(|name| {
            let name = name.strip_prefix("node/").unwrap_or(&name).to_string();
            self.names.nodes.find(self.cx, &name, doc.at)
        });
        let Some(index) = found else { return NodeId(0) };
        let node = &self.t.nodes[index];
        if node.class {
            let what = format!(
                "`{}` is a class of {} sites, not one place",
                node.id, node.count
            );
            self.cx.error(doc.at, what, "name a node without `count:`");
        }
        NodeId::from(index)
    }

    fn own_node(&mut self, service: &str, replica: &str, at: Span) -> NodeId {
        if self.hub.is_none() {
            let what = format!("replica `{replica}` of `{service}` has no `at`");
            self.cx.error(
                at,
                what,
                "a topology with links says on which node each replica runs",
            );
            return NodeId(0);
        }
        let name = format!("{service}-{replica}");
        if let Some(index) = self.names.nodes.get(&name) {
            return NodeId::from(index);
        }
        let node = self.add_node(plain_node(&name, "host", false), at);
        self.hang(node, at);
        node
    }

    fn depends(&self, f: &Fields<'_>) -> Depends {
        let key = if f.has("depends") { "depends" } else { "needs" };
        if f.has("depends") && f.has("needs") {
            self.cx.error(
                f.key("needs"),
                "`depends` and `needs` are the same field",
                "keep one",
            );
        }
        let mut depends = Depends::default();
        let Some(doc) = f.raw(key) else {
            return depends;
        };
        if !matches!(doc.value, Value::Map(_)) || doc.get("service").is_some() {
            depends.all_of = f
                .list(key)
                .into_iter()
                .filter_map(|d| self.dependency(d))
                .collect();
            return depends;
        }
        let Some(d) = Fields::open(self.cx, doc, "dependencies") else {
            return depends;
        };
        depends.all_of = d
            .list("all_of")
            .into_iter()
            .filter_map(|d| self.dependency(d))
            .collect();
        let any = d.list("any_of");
        let nested = any.iter().any(|d| matches!(d.value, Value::List(_)));
        let read = |list: Vec<&Doc>| -> Vec<Dependency> {
            list.into_iter()
                .filter_map(|d| self.dependency(d))
                .collect()
        };
        if nested {
            depends.any_of = any
                .into_iter()
                .map(|d| read(super::cx::one_or_many(d)))
                .filter(|l| !l.is_empty())
                .collect();
        } else if !any.is_empty() {
            depends.any_of = vec![read(any)];
        }
        d.finish();
        depends
    }

    fn dependency(&self, doc: &Doc) -> Option<Dependency> {
        if let Value::Map(_) = doc.value {
            let f = Fields::open(self.cx, doc, "dependency")?;
            let soft = f.share("soft");
            let name = f.required_text("service", "which service is needed");
            let at = f.raw("service").map_or(f.at, |d| d.at);
            let found = if name.is_empty() {
                None
            } else {
                self.find_service(&name, at)
            };
            f.finish();
            return Some(Dependency {
                service: found?,
                soft,
            });
        }
        let name = self.cx.text(doc, "depends")?;
        Some(Dependency {
            service: self.find_service(&name, doc.at)?,
            soft: None,
        })
    }

    pub(crate) fn find_service(&self, name: &str, at: Span) -> Option<ServiceId> {
        let name = name.strip_prefix("service/").unwrap_or(name);
        self.names
            .services
            .find(self.cx, name, at)
            .map(ServiceId::from)
    }

    fn failover(&self, f: &Fields<'_>, service: &Service) -> Option<Failover> {
        let serves_all = matches!(service.mode, Mode::ActiveActive | Mode::Quorum);
        let back = serves_all.then_some(Nanos::ZERO);
        let mut failover = default_failover(back);
        let Some(doc) = f.raw("failover") else {
            return serves_all.then_some(failover);
        };
        if service.replicas.len() < 2 {
            let what = format!(
                "`{}` fails over, and has nothing to fail over to",
                service.id
            );
            self.cx
                .warn(f.key("failover"), what, "add a second replica, elsewhere");
        }
        if doc.scalar() == Some("external") {
            failover.external = true;
            return Some(failover);
        }
        let o = Fields::open(self.cx, doc, "failover")?;
        failover.external = o.flag("external").unwrap_or(false);
        if let Some(c) = o
            .raw("check")
            .and_then(|d| Fields::open(self.cx, d, "check"))
        {
            failover.check = self.check_spec(&c);
            c.finish();
        }
        failover.promote = o.duration_or("promote", Nanos::ZERO);
        if let Some(doc) = o.raw("redirect").filter(|d| d.scalar() != Some("vip"))
            && let Some(r) = Fields::open(self.cx, doc, "redirect")
        {
            failover.dns_ttl = r.duration_or("dns_ttl", Nanos::ZERO);
            r.finish();
        }
        if let Some(doc) = o.raw("failback") {
            failover.failback = None;
            if doc.scalar() != Some("never")
                && let Some(b) = Fields::open(self.cx, doc, "failback")
            {
                failover.failback = Some(b.duration_or("after", Nanos::ZERO));
                b.finish();
            }
        }
        let words = [
            ("rewind", Rejoin::Rewind),
            ("merge", Rejoin::Merge),
            ("as-primary", Rejoin::AsPrimary),
        ];
        failover.rejoin = o.choice("rejoin", &words).unwrap_or(Rejoin::Rewind);
        failover.fail_open = o.flag("fail_open").unwrap_or(false);
        o.finish();
        Some(failover)
    }

    fn check_spec(&self, c: &Fields<'_>) -> Check {
        let mut check = default_failover(None).check;
        check.every = c.period("every").unwrap_or(check.every);
        check.timeout = c.period("timeout").unwrap_or(check.timeout);
        check.fall = c.whole("fall", 1, 1_000).unwrap_or(3) as u32;
        check.rise = c.whole("rise", 1, 1_000).unwrap_or(2) as u32;
        check.from = c
            .list("from")
            .into_iter()
            .map(|d| self.single_node(d, "from"))
            .collect();
        check.phase = c.duration("phase");
        if check.phase.is_some_and(|p| p >= check.every) {
            self.cx
                .error(c.key("phase"), "`phase` is less than `every`", "");
        }
        if check.timeout > check.every {
            let what = "a check may still wait when the next one starts";
            self.cx
                .warn(c.key("timeout"), what, "make `timeout` at most `every`");
        }
        let words = [("service", Probes::Service), ("host", Probes::Host)];
        check.probes = c.choice("probes", &words).unwrap_or(Probes::Service);
        check
    }
}

/// Node, whether primary, address; each if the file says.
type Stated = (Option<NodeId>, Option<bool>, Option<String>);

/// Whether a real system is of a kind in which one replica takes the writes.
fn writes_once(realised: &Realisation) -> bool {
    matches!(realised, Realisation::Bound(binding) if binding.driver == "postgres")
}

fn queue(f: &Fields<'_>) -> QueueSpec {
    let Some(q) = f.raw("queue").and_then(|d| Fields::open(f.cx, d, "queue")) else {
        return QueueSpec::default();
    };
    let words = [("refuse", WhenFull::Refuse), ("drop", WhenFull::Drop)];
    let queue = QueueSpec {
        max: q.whole("max", 0, 1_000_000_000),
        when_full: q.choice("when_full", &words).unwrap_or_default(),
        stale_after: q.duration("stale_after"),
    };
    q.finish();
    queue
}

/// What a service without a `failover:` of its own gets, if its mode fails over by itself.
fn default_failover(failback: Option<Nanos>) -> Failover {
    Failover {
        external: false,
        check: Check {
            every: Nanos::secs(2),
            timeout: Nanos::secs(1),
            fall: 3,
            rise: 2,
            from: Vec::new(),
            phase: None,
            probes: Probes::Service,
        },
        promote: Nanos::ZERO,
        dns_ttl: Nanos::ZERO,
        failback,
        rejoin: Rejoin::Rewind,
        fail_open: false,
    }
}

fn blank(name: &str) -> Service {
    Service {
        id: name.to_string(),
        mode: Mode::Single,
        replicas: Vec::new(),
        reach: Vec::new(),
        failover: None,
        depends: Depends::default(),
        capacity: None,
        queue: QueueSpec::default(),
        service_time: Nanos::ZERO,
        state: None,
        shards: 1,
        shard_key: name.to_string(),
        domains: Vec::new(),
        realised: Realisation::StandIn(StandIn::Http),
        knobs: Knobs::default(),
    }
}
