//! Access paths, populations and journeys.

use super::cx::Fields;
use super::doc::{Doc, Value};
use super::links::standby;
use super::place::Span;
use super::topology::{Build, is_empty, plain_node};
use crate::calendar::Hours;
use crate::ids::{AccessId, JourneyId, LinkId, NodeId, ServiceId};
use crate::topology::{Access, Contingency, Journey, LeaseSpec, Need, Population, Retry};
use assize_fault::{Nanos, Ppb, Rate};

/// The most users of one population: served users are counted in 64,000,000,000ths of a user.
const MAX_USERS: u64 = 100_000_000;
/// Users of a population whose file does not say how many.
const DEFAULT_USERS: u64 = 1_000;
/// What a user of a population without `makes:` does.
const DEFAULT_RATE: Rate = Rate {
    micro: 1_000_000,
    per: Nanos::hours(1),
};

impl Build<'_> {
    pub(crate) fn access(&mut self, f: &Fields<'_>) {
        for (name, _, doc) in f.entries("access") {
            let mut access = direct(name);
            if let Some(f) = Fields::open(self.cx, doc, "access path") {
                self.access_path(&f, &mut access);
                f.finish();
            }
            self.t.access.push(access);
        }
    }

    fn access_path(&self, f: &Fields<'_>, access: &mut Access) {
        for (name, at) in f.texts("via") {
            if let Some(part) = name.strip_prefix("site/") {
                let has = |p: &crate::topology::Part| p.id == part;
                if !self.t.nodes.iter().any(|n| n.parts.iter().any(has)) {
                    let parts: Vec<&str> = self
                        .t
                        .nodes
                        .iter()
                        .flat_map(|n| &n.parts)
                        .map(|p| p.id.as_str())
                        .collect();
                    let help = self.cx.suggest(part, parts);
                    self.cx
                        .error(at, format!("no site has a part `{part}`"), help);
                }
                access.parts.push(part.to_string());
                continue;
            }
            let (kind, bare) = name.split_once('/').unwrap_or(("", &name));
            let link = self.names.links.get(bare).filter(|_| kind != "node");
            let node = self.names.nodes.get(bare).filter(|_| kind != "link");
            match (link, node) {
                (Some(link), _) => access.first_links.push(LinkId::from(link)),
                (None, Some(node)) => {
                    if self.t.nodes[node].class {
                        let what =
                            format!("`{bare}` is a class of sites, not one place to pass through");
                        self.cx.error(
                            at,
                            what,
                            "the user's own site needs no mention; its parts are `site/PART`",
                        );
                    }
                    access.through.push(NodeId::from(node));
                }
                (None, None) => {
                    let all: Vec<&str> = self
                        .names
                        .links
                        .iter()
                        .chain(self.names.nodes.iter())
                        .collect();
                    let help = self.cx.suggest(bare, all);
                    self.cx
                        .error(at, format!("no link or node is named `{bare}`"), help);
                }
            }
        }
        access.needs = f
            .list("needs")
            .into_iter()
            .filter_map(|d| self.need(d))
            .collect();
        access.after = f.duration_or("after", Nanos::ZERO);
        access.joins = f.rate("joins");
        access.standby = standby(f);
    }

    fn need(&self, doc: &Doc) -> Option<Need> {
        let mut need = Need {
            service: ServiceId(0),
            cache: None,
            try_lasts: Nanos::secs(3),
            try_again: Nanos::secs(2),
        };
        let Value::Map(_) = doc.value else {
            let name = self.cx.text(doc, "needs")?;
            need.service = self.find_service(&name, doc.at)?;
            return Some(need);
        };
        let f = Fields::open(self.cx, doc, "need")?;
        let name = f.required_text("service", "which service the client needs");
        let at = f.raw("service").map_or(f.at, |d| d.at);
        let service = if name.is_empty() {
            None
        } else {
            self.find_service(&name, at)
        };
        need.cache = f.raw("cached_for").and_then(|d| self.lease(d));
        if let Some(t) = f.raw("try").and_then(|d| Fields::open(self.cx, d, "try")) {
            need.try_lasts = t.period("lasts").unwrap_or(need.try_lasts);
            need.try_again = t.period("again").unwrap_or(need.try_again);
            t.finish();
        }
        f.finish();
        need.service = service?;
        Some(need)
    }

    fn lease(&self, doc: &Doc) -> Option<LeaseSpec> {
        if let Value::Text(_) = doc.value {
            let expire = self.cx.duration(doc, "cached_for")?;
            return self.checked(
                doc.at,
                LeaseSpec {
                    renew: expire / 2,
                    expire,
                    aligned: false,
                },
            );
        }
        let c = Fields::open(self.cx, doc, "cache")?;
        let expire = c.period("expire");
        if !c.has("expire") {
            self.cx.error(
                c.at,
                "`expire` is missing",
                "the age at which it is no longer valid",
            );
        }
        let renew = c.period("renew");
        let aligned = c
            .choice("aged", &[("uniform", false), ("aligned", true)])
            .unwrap_or(false);
        c.finish();
        let expire = expire?;
        self.checked(
            doc.at,
            LeaseSpec {
                renew: renew.unwrap_or(expire / 2),
                expire,
                aligned,
            },
        )
    }

    fn checked(&self, at: Span, lease: LeaseSpec) -> Option<LeaseSpec> {
        if lease.expire < Nanos::millis(2) {
            self.cx.error(
                at,
                "a cache lasts at least 2ms",
                "leave out `cached_for` to ask every time",
            );
            return None;
        }
        if lease.renew > lease.expire {
            let what = format!(
                "it is renewed at {} and has expired at {}",
                lease.renew, lease.expire
            );
            self.cx.error(at, what, "`renew` is at most `expire`");
            return None;
        }
        Some(lease)
    }

    pub(crate) fn journeys(&mut self, f: &Fields<'_>) {
        for (name, _, doc) in f.entries("journeys") {
            let mut journey = blank(name);
            if let Some(f) = Fields::open(self.cx, doc, "journey") {
                self.journey(&f, &mut journey);
                f.finish();
            }
            for &service in &journey.writes {
                self.keep_writes(service);
            }
            self.t.journeys.push(journey);
        }
    }

    /// A service that is written to has state: replicated at once, unless the file says more.
    fn keep_writes(&mut self, service: ServiceId) {
        if let Some(service) = self.t.services.get_mut(service.index()) {
            let sync = (service.replicas.len() > 1).then_some(crate::topology::Replication::Sync);
            service.state.get_or_insert(crate::topology::State {
                replication: sync,
                backups: vec![],
            });
        }
    }

    fn journey(&self, f: &Fields<'_>, journey: &mut Journey) {
        let find = |key| -> Vec<ServiceId> {
            let texts = f.texts(key);
            texts
                .iter()
                .filter_map(|(name, at)| self.find_service(name, *at))
                .collect()
        };
        journey.calls = find("calls");
        for (key, calls) in [("writes", false), ("ledger", true)] {
            for service in find(key) {
                if calls && !journey.calls.contains(&service) {
                    journey.calls.push(service);
                }
                if !journey.writes.contains(&service) {
                    journey.writes.push(service);
                }
            }
        }
        for &service in &journey.writes {
            if !journey.calls.contains(&service) {
                journey.calls.push(service);
            }
        }
        self.request(f, journey);
        if journey.calls.is_empty() && !self.cx.failed() {
            let what = format!("journey `{}` calls no service", journey.id);
            self.cx.error(f.at, what, "write `calls: [SERVICE]`");
        }
        journey.rate = f.rate("rate");
        journey.timeout = f.period("timeout").unwrap_or(Nanos::secs(10));
        journey.idempotent = f.flag("idempotent").unwrap_or(false);
        journey.round_trips = f.whole("round_trips", 0, 10_000).unwrap_or(1) as u32;
        journey.sends = f.size("sends").unwrap_or_default();
        journey.receives = f.size("receives").unwrap_or_default();
        journey.retry = self.retry(f, journey.timeout);
        if let Some(o) = f
            .raw("otherwise")
            .and_then(|d| Fields::open(self.cx, d, "contingency"))
        {
            journey.otherwise = Some(Contingency {
                mode: o.text("mode").unwrap_or_else(|| "contingency".to_string()),
                capacity: o.share("capacity").unwrap_or(Ppb::ONE),
                after: o.duration_or("after", Nanos::ZERO),
            });
            o.finish();
        }
    }

    fn retry(&self, f: &Fields<'_>, timeout: Nanos) -> Retry {
        let mut retry = Retry {
            tries: 1,
            wait: Nanos::ZERO,
            factor_milli: 1_000,
            each: timeout,
        };
        let Some(r) = f
            .raw("retry")
            .and_then(|d| Fields::open(self.cx, d, "retry"))
        else {
            return retry;
        };
        retry.tries = r.whole("tries", 1, 100).unwrap_or(1) as u32;
        retry.wait = r.duration_or("wait", Nanos::ZERO);
        if let Some(doc) = r.raw("factor") {
            let factor = self
                .cx
                .parsed(doc, "factor", "a number", |t| thousandths(t, 100));
            retry.factor_milli = factor.unwrap_or(1_000);
        }
        retry.each = r.period("each").unwrap_or(timeout);
        if retry.each > timeout {
            self.cx.error(
                r.key("each"),
                "one try may not outlast the whole attempt",
                "`each` is at most `timeout`",
            );
        }
        r.finish();
        retry
    }

    pub(crate) fn populations(&mut self, f: &Fields<'_>) {
        let stated = f.entries("populations");
        if stated.is_empty() {
            self.only_population(f);
            return;
        }
        for (name, _, doc) in stated {
            let mut population = Population {
                id: name.to_string(),
                at: Vec::new(),
                access: Vec::new(),
                hours: None,
                demand: Vec::new(),
                makes: Vec::new(),
            };
            if let Some(f) = Fields::open(self.cx, doc, "population") {
                self.population(&f, &mut population);
                f.finish();
            }
            self.t.populations.push(population);
        }
    }

    /// Without populations in the file there is one user group that makes every journey.
    fn only_population(&mut self, f: &Fields<'_>) {
        if self.t.journeys.is_empty() {
            return;
        }
        if self.hub.is_none() {
            let what = "the file states links and journeys, and nobody who makes them";
            self.cx.error(
                f.key("journeys"),
                what,
                "add `populations:` with `at: {SITE: USERS}`",
            );
            return;
        }
        let at = vec![(self.users_node(Span::default()), DEFAULT_USERS)];
        let access = vec![self.direct_access()];
        let makes = (0..self.t.journeys.len())
            .map(|i| (JourneyId::from(i), DEFAULT_RATE))
            .collect();
        self.names.populations.add("users", Span::default());
        self.t.populations.push(Population {
            id: "users".to_string(),
            at,
            access,
            hours: None,
            demand: Vec::new(),
            makes,
        });
    }

    fn users_node(&mut self, at: Span) -> NodeId {
        if let Some(index) = self.names.nodes.get("users") {
            return NodeId::from(index);
        }
        let node = self.add_node(plain_node("users", "site", false), at);
        self.hang(node, at);
        node
    }

    fn direct_access(&mut self) -> AccessId {
        let index = self.names.access.add("direct", Span::default());
        if index == self.t.access.len() {
            self.t.access.push(direct("direct"));
        }
        AccessId::from(index)
    }

    fn population(&mut self, f: &Fields<'_>, population: &mut Population) {
        let default = f.whole("users", 1, MAX_USERS);
        for (name, at, doc) in f.entries("at") {
            let users = self.cx.whole(doc, name, 1, MAX_USERS);
            let Some(index) = self.names.nodes.find(self.cx, name, at) else {
                continue;
            };
            let node = &self.t.nodes[index];
            if node.transit {
                let what = format!("`{name}` is a {}; users sit at sites", node.kind);
                self.cx.error(
                    at,
                    what,
                    "name a node through which no path passes (`kind: site`)",
                );
            }
            population
                .at
                .push((NodeId::from(index), users.unwrap_or(1)));
        }
        if !f.has("at") {
            if self.hub.is_some() {
                let node = self.users_node(f.at);
                population.at.push((node, default.unwrap_or(DEFAULT_USERS)));
            } else {
                let what = format!("population `{}` has no `at`", population.id);
                self.cx.error(f.at, what, "write `at: {SITE: USERS}`");
            }
        } else if default.is_some() {
            self.cx.error(
                f.key("users"),
                "`at` says how many users there are",
                "remove `users`",
            );
        } else if population.at.is_empty() && f.raw("at").is_some_and(is_empty) {
            self.cx
                .error(f.key("at"), "nobody belongs to this population", "");
        }
        if population.users() > MAX_USERS {
            self.cx.error(
                f.key("at"),
                format!("a population has at most {MAX_USERS} users"),
                "",
            );
        }
        self.habits(f, population);
    }

    fn habits(&mut self, f: &Fields<'_>, population: &mut Population) {
        for (name, at) in f.texts("access") {
            let name = name.strip_prefix("access/").unwrap_or(&name);
            if let Some(index) = self.names.access.find(self.cx, name, at) {
                population.access.push(AccessId::from(index));
            }
        }
        if !f.has("access") {
            population.access.push(self.direct_access());
        }
        let hours = f.raw("hours").filter(|d| d.scalar() != Some("always"));
        population.hours =
            hours.and_then(|d| self.cx.parsed(d, "hours", "service hours", Hours::parse));
        for (window, at, doc) in f.entries("demand") {
            let hours = match Hours::parse(window) {
                Ok(hours) => hours,
                Err(help) => {
                    self.cx
                        .error(at, format!("`{window}` is not a window of time"), help);
                    continue;
                }
            };
            let factor = self.cx.parsed(doc, window, "a multiple", |t| {
                thousandths(t.strip_suffix('x').unwrap_or(t), 10_000)
            });
            population.demand.push((hours, factor.unwrap_or(1_000)));
        }
        for (name, at, doc) in f.entries("makes") {
            let rate = self.cx.parsed(doc, name, "a rate", Rate::parse);
            if let Some(index) = self.names.journeys.find(self.cx, name, at) {
                population
                    .makes
                    .push((JourneyId::from(index), rate.unwrap_or(DEFAULT_RATE)));
            }
        }
        if !f.has("makes") {
            let all = (0..self.t.journeys.len()).map(|i| (JourneyId::from(i), DEFAULT_RATE));
            population.makes = all.collect();
        }
    }
}

/// A number such as `1.5`, in thousandths, up to `most`.
fn thousandths(text: &str, most: u64) -> Result<u64, String> {
    let help = || format!("write a number from 0 to {most}, such as `1.5`");
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let digits = |t: &str| !t.is_empty() && t.len() < 7 && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 3 {
        return Err(help());
    }
    let padded = format!("{fraction:0<3}");
    let value = whole.parse::<u64>().map_err(|_| help())? * 1_000
        + padded.parse::<u64>().map_err(|_| help())?;
    if value > most * 1_000 {
        Err(help())
    } else {
        Ok(value)
    }
}

fn direct(name: &str) -> Access {
    Access {
        id: name.to_string(),
        first_links: Vec::new(),
        parts: Vec::new(),
        through: Vec::new(),
        needs: Vec::new(),
        after: Nanos::ZERO,
        joins: None,
        standby: None,
    }
}

fn blank(name: &str) -> Journey {
    let timeout = Nanos::secs(10);
    Journey {
        id: name.to_string(),
        calls: Vec::new(),
        writes: Vec::new(),
        rate: None,
        timeout,
        round_trips: 1,
        idempotent: false,
        sends: assize_fault::Size(0),
        receives: assize_fault::Size(0),
        retry: Retry {
            tries: 1,
            wait: Nanos::ZERO,
            factor_milli: 1_000,
            each: timeout,
        },
        otherwise: None,
        request: None,
    }
}
