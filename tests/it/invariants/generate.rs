//! Small networks and faults on them, as text.

use assize_fault::Nanos;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::ops::Range;

/// How a service is built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// 1 to 3.
    pub(super) replicas: u8,
    /// With more than one replica: active-standby rather than active-active.
    pub(super) standby: bool,
    /// The first of its servers, of four; the others follow.
    pub(super) server: u8,
    /// Seconds that clients keep the old address.
    pub(super) ttl: u16,
}

/// A network of two kinds of site, a core, four servers and two services.
#[derive(Clone, Debug)]
pub(super) struct Net {
    pub(super) services: [Service; 2],
    /// Seconds after which the users' lease is renewed, or 0: no lease is needed.
    pub(super) lease: u16,
    /// The lease's server is the first service's server.
    pub(super) retries: u8,
    /// Each service has one more replica, on a server of its own.
    pub(super) spare: bool,
}

/// A fault on one of the network's elements; times in seconds.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) target: u8,
    pub(super) refuse: bool,
    pub(super) at: u32,
    pub(super) length: u32,
}

/// What a generated scenario is judged by: one finding for each population and journey.
pub(super) const OUTAGES: &str = "objectives:\n  - {rto: 1m}\n";

/// One objective of each kind.
pub(super) const EVERY_OBJECTIVE: &str = "objectives:
  - {rto: 1m}
  - {id: from-end, rto: 1m, from: fault_end}
  - {availability: 99%}
  - {id: after, availability: 99%, during: after}
  - {outages: {max: 1, total: 5m}}
  - {must_not_affect: population/staff}
  - {blast_radius: 10%}
  - {user_hours_lost: 1h}
  - {latency: 5s}
  - {retained_capacity: 50%}
  - {backlog: 1m, service: v0}
  - {detection: 10s}
  - {failback: 1m, service: v0}
";

pub(super) fn net() -> impl Strategy<Value = Net> {
    let service =
        (1u8..=3, any::<bool>(), 0u8..4, 0u16..90).prop_map(|(replicas, standby, server, ttl)| {
            Service {
                replicas,
                standby,
                server,
                ttl,
            }
        });
    let lease = prop_oneof![Just(0u16), 60u16..1200];
    ([service.clone(), service], lease, 1u8..=2).prop_map(|(services, lease, retries)| Net {
        services,
        lease,
        retries,
        spare: false,
    })
}

pub(super) fn fault() -> impl Strategy<Value = Fault> {
    (0u8..14, any::<bool>(), 0u32..3000, 1u32..2000).prop_map(|(target, refuse, at, length)| {
        Fault {
            target,
            refuse,
            at,
            length,
        }
    })
}

pub(super) fn faults(how_many: Range<usize>) -> impl Strategy<Value = Vec<Fault>> {
    proptest::collection::vec(fault(), how_many)
}

impl Net {
    /// Longer than any fault, and what it leaves behind.
    pub(super) const END: Nanos = Nanos::hours(3);

    /// The same with every service active-active.
    pub(super) fn all_active(&self) -> Self {
        let mut net = self.clone();
        for service in &mut net.services {
            service.standby = false;
        }
        net
    }

    /// The same with one replica of every service, and nothing to fail over to.
    pub(super) fn all_single(&self) -> Self {
        let mut net = self.clone();
        for service in &mut net.services {
            service.replicas = 1;
        }
        net
    }

    /// A scenario with these faults, judged by the outages of each journey.
    pub(super) fn scenario(&self, faults: &[Fault]) -> String {
        let timeline: Vec<String> = faults
            .iter()
            .enumerate()
            .map(|(i, fault)| format!("{{id: f{i}, {}}}", self.fault(fault, "")))
            .collect();
        let mut parts = Parts::default();
        self.part("", &mut parts);
        parts.text(&timeline)
    }

    /// A scenario of two copies of it that share nothing, with a fault in each.
    pub(super) fn twin(&self, left: Option<&Fault>, right: Option<&Fault>) -> String {
        let mut parts = Parts::default();
        let mut timeline = Vec::new();
        for (prefix, fault) in [("L", left), ("R", right)] {
            self.part(prefix, &mut parts);
            if let Some(fault) = fault {
                let fault = self.fault(fault, prefix);
                timeline.push(format!("{{id: {prefix}, {fault}}}"));
            }
        }
        parts.text(&timeline)
    }

    /// What is broken, when and how; `p` stands before each name.
    fn fault(&self, fault: &Fault, p: &str) -> String {
        let how = if fault.refuse { "refuse" } else { "blackhole" };
        let target = match fault.target {
            n @ 0..=3 => format!("outage, target: node/{p}n{n}"),
            n @ 4..=7 => format!("outage, target: link/{p}l{}", n - 4),
            8 => format!("outage, target: link/{p}east-wan, of: {{count: 3}}"),
            9 => format!("outage, target: node/{p}west"),
            n @ 10..=11 => format!("outage, how: {how}, target: service/{p}v{}/a", n - 10),
            12 => format!("flap, how: {how}, down: 40s, up: 200s, target: service/{p}v0/a"),
            _ => format!("outage, how: {how}, target: service/{p}lease/a"),
        };
        format!("at: {}s, for: {}s, fault: {target}", fault.at, fault.length)
    }

    fn part(&self, p: &str, parts: &mut Parts) {
        let Parts {
            nodes,
            links,
            services,
            users,
            journeys,
            access,
        } = parts;
        let _ = writeln!(
            nodes,
            "    {p}east: {{kind: site, count: 8, parts: {{camera: {{count: 2}}}}}}\n    \
             {p}west: {{kind: site}}\n    {p}core: {{kind: switch}}\n    {p}island: {{kind: router}}"
        );
        let _ = writeln!(
            links,
            "    {p}east-wan: {{between: [{p}east, {p}core], latency: 5ms, detect: 1s, converge: 1s}}\n    \
             {p}west-wan: {{between: [{p}west, {p}core], latency: 9ms, detect: 1s, converge: 1s}}\n    \
             {p}unused: {{between: [{p}island, {p}core], cost: 50}}"
        );
        for n in 0..4 {
            let _ = writeln!(nodes, "    {p}n{n}: {{kind: server}}");
            let _ = writeln!(links, "    {p}l{n}: {{between: [{p}n{n}, {p}core]}}");
        }
        for (i, service) in self.services.iter().enumerate() {
            let mut replicas = String::new();
            for r in 0..service.replicas {
                let name = char::from(b'a' + r);
                let at = (service.server + r) % 4;
                let _ = write!(replicas, "{name}: {{at: {p}n{at}}}, ");
            }
            if self.spare {
                let _ = writeln!(nodes, "    {p}x{i}: {{kind: server}}");
                let _ = writeln!(links, "    {p}lx{i}: {{between: [{p}x{i}, {p}core]}}");
                let _ = write!(replicas, "spare: {{at: {p}x{i}}}, ");
            }
            let mode = match (service.replicas, service.standby) {
                _ if self.spare => "active-active",
                (1, _) => "single",
                (_, true) => "active-standby",
                (_, false) => "active-active",
            };
            let failover = match mode {
                "single" => String::new(),
                _ => format!(
                    ", failover: {{check: {{every: 2s, timeout: 1s, fall: 3, rise: 2}}, \
                     promote: 10s, redirect: {{dns_ttl: {}s}}}}",
                    service.ttl
                ),
            };
            let replicas = replicas.trim_end_matches(", ");
            let _ = writeln!(
                services,
                "    {p}v{i}: {{mode: {mode}, replicas: {{{replicas}}}{failover}}}"
            );
        }
        let _ = writeln!(services, "    {p}lease: {{replicas: {{a: {{at: {p}n0}}}}}}");
        if self.lease > 0 {
            let _ = writeln!(
                access,
                "    {p}wire: {{needs: [{{service: {p}lease, cached_for: {{renew: {}s, expire: {}s}}}}]}}",
                self.lease,
                2 * self.lease
            );
        } else {
            let _ = writeln!(access, "    {p}wire: {{}}");
        }
        let _ = writeln!(
            users,
            "    {p}staff: {{at: {{{p}east: 800, {p}west: 450}}, access: [{p}wire], \
             makes: {{{p}one: 1/h, {p}two: 1/h}}}}"
        );
        let retry = match self.retries {
            1 => "",
            _ => ", retry: {tries: 3, wait: 2s, each: 3s}",
        };
        let _ = writeln!(
            journeys,
            "    {p}one: {{calls: [{p}v0], timeout: 12s}}\n    \
             {p}two: {{calls: [{p}v1], timeout: 12s{retry}}}"
        );
    }
}

/// The sections of a topology.
#[derive(Default)]
struct Parts {
    nodes: String,
    links: String,
    services: String,
    access: String,
    users: String,
    journeys: String,
}

impl Parts {
    fn text(&self, timeline: &[String]) -> String {
        let timeline = timeline.join(", ");
        format!(
            "assize: scenario/v1\ntopology:\n  nodes:\n{}  links:\n{}  access:\n{}  services:\n{}  \
             populations:\n{}  journeys:\n{}timeline: [{timeline}]\nend: 3h\n{OUTAGES}",
            self.nodes, self.links, self.access, self.services, self.users, self.journeys
        )
    }
}
