//! Random small networks with something that breaks, as files.

use assize_fault::Stream;
use std::fmt::Write as _;

/// Draws by name, so that one more draw changes no other.
struct Draw(u64);

impl Draw {
    fn below(&self, name: &str, bound: u64) -> u64 {
        Stream::new(self.0, &["joint", name]).below(bound)
    }

    fn between(&self, name: &str, from: u64, to: u64) -> u64 {
        from + self.below(name, to - from + 1)
    }

    fn one<'a>(&self, name: &str, of: &[&'a str]) -> &'a str {
        of[self.below(name, of.len() as u64) as usize]
    }

    fn chance(&self, name: &str, in_ten: u64) -> bool {
        self.below(name, 10) < in_ten
    }
}

/// A scenario of this seed, in which everything breaks so many milliseconds later and promotions
/// take that much longer.
pub(super) fn random(seed: u64, later: u64) -> String {
    let draw = Draw(seed);
    let mut text = String::from("assize: scenario/v1\ntopology:\n");
    network(&draw, &mut text);
    services(&draw, later, &mut text);
    users(&draw, &mut text);
    text.push_str("steady_state: {for: 30s}\ntimeline:\n");
    for n in 0..=draw.below("faults", 2) {
        fault(&draw, n, later, &mut text);
    }
    text.push_str(
        "objectives:
  - {id: order-rto, rto: 40s, journey: order, stable_for: 10s}
  - {id: look-rto, rto: 40s, journey: look, stable_for: 10s}
  - {id: kept, rpo: 6s, service: db}
  - {id: one-writer, split_brain: never, service: db}
  - {id: look-available, availability: 90%, journey: look}
settle: 60s
live: {pace: 10, phases: 8}
",
    );
    text
}

/// Two sites and three places, all joined, so that there is a way round.
fn network(draw: &Draw, text: &mut String) {
    text.push_str("  nodes: {site: {kind: site}, far: {kind: site}, a: {kind: router}, b: {kind: router}, c: {kind: router}}\n  links:\n");
    for (from, to) in [
        ("site", "a"),
        ("site", "b"),
        ("far", "b"),
        ("far", "c"),
        ("a", "b"),
        ("b", "c"),
        ("a", "c"),
    ] {
        let name = format!("{from}-{to}");
        let latency = draw.between(&format!("{name} latency"), 1, 30);
        let cost = draw.between(&format!("{name} cost"), 1, 20);
        let (detect, converge) = (
            draw.between(&format!("{name} detect"), 2, 5),
            draw.between(&format!("{name} converge"), 2, 5),
        );
        let _ = writeln!(
            text,
            "    {name}: {{between: [{from}, {to}], latency: {latency}ms, cost: {cost}, detect: {detect}s, converge: {converge}s}}"
        );
    }
}

fn failover(draw: &Draw, of: &str, later: u64, promotes: bool) -> String {
    let every = draw.between(&format!("{of} every"), 2, 6);
    let timeout = draw.between(&format!("{of} timeout"), 2, every);
    let fall = draw.between(&format!("{of} fall"), 1, 3);
    let rise = draw.between(&format!("{of} rise"), 1, 3);
    let from = draw.one(&format!("{of} from"), &["[c]", "[a, b, c]", "[b, c]"]);
    let ttl = draw.one(
        &format!("{of} ttl"),
        &["vip", "{dns_ttl: 8s}", "{dns_ttl: 20s}"],
    );
    let mut spec = format!(
        "check: {{every: {every}s, timeout: {timeout}s, fall: {fall}, rise: {rise}, from: {from}}}, redirect: {ttl}"
    );
    if promotes {
        let promote = draw.between(&format!("{of} promote"), 3, 15) * 1000 + later;
        let back = draw.one(&format!("{of} back"), &["never", "{after: 15s}"]);
        let _ = write!(
            spec,
            ", promote: {promote}ms, failback: {back}, rejoin: rewind"
        );
    }
    spec
}

/// An application, a store with a copy that it may depend on, and perhaps leases.
fn services(draw: &Draw, later: u64, text: &mut String) {
    let needs = if draw.chance("app needs db", 4) {
        ", needs: [db]"
    } else {
        ""
    };
    let (mode, promotes) = match draw.below("app mode", 3) {
        0 => ("active-active", false),
        _ => ("active-standby", true),
    };
    let roles = if promotes {
        "{north: {at: a, role: primary}, south: {at: b, role: standby}}"
    } else {
        "{north: {at: a}, south: {at: b}}"
    };
    let replication = match draw.below("replication", 3) {
        0 => "{mode: sync}".to_string(),
        _ => format!("{{mode: async, every: {}s}}", draw.between("ships", 2, 5)),
    };
    let _ = write!(
        text,
        "  services:
    app:
      mode: {mode}
      replicas: {roles}
      failover: {{{}}}{}
    db:
      mode: active-standby
      replicas: {{north: {{at: a, role: primary}}, south: {{at: c, role: standby}}}}
      failover: {{{}}}
      state: {{replication: {replication}}}
    lease: {{mode: single, replicas: {{one: {{at: b}}}}, stand_in: {{kind: http}}}}
",
        failover(draw, "app", later, promotes),
        needs.replace(", needs: ", "\n      depends: "),
        failover(draw, "db", later, true),
    );
}

fn users(draw: &Draw, text: &mut String) {
    let needs = if draw.chance("leases", 5) {
        ", needs: [{service: lease, cached_for: {renew: 40s, expire: 80s}, try: {lasts: 2s, again: 500ms}}]"
    } else {
        ""
    };
    let _ = write!(
        text,
        "  access: {{wired: {{via: [site-a, site-b, far-b, far-c]{needs}}}}}
  populations: {{staff: {{at: {{site: 640, far: 320}}, access: [wired], makes: {{order: 6/h, look: 6/h}}}}}}
  journeys: {{order: {{writes: [db], timeout: 4s}}, look: {{calls: [app], timeout: 4s}}}}
"
    );
}

/// Something that breaks within the first minute.
fn fault(draw: &Draw, n: u64, later: u64, text: &mut String) {
    let of = |what: &str| format!("fault {n} {what}");
    let (fault, target) = match draw.below(&of("kind"), 8) {
        0 => ("outage", "service/app/north"),
        1 | 2 => ("outage", "service/db/north"),
        3 => (
            "outage",
            draw.one(&of("node"), &["node/a", "node/b", "node/c"]),
        ),
        4 => (
            "outage",
            draw.one(
                &of("link"),
                &["link/site-a", "link/a-c", "link/far-c", "link/a-b"],
            ),
        ),
        5 => ("outage", "service/lease/one"),
        6 => ("lying-check", "service/app/north"),
        _ => ("failed-promotion", "service/db/south"),
    };
    let how = match (fault, draw.below(&of("how"), 3)) {
        ("outage", 0) => ", how: blackhole",
        ("outage", 1) => ", how: refuse",
        _ => "",
    };
    let at = draw.between(&of("at"), 5, 60) * 1000 + later;
    let length = draw.between(&of("for"), 15, 90);
    let _ = writeln!(
        text,
        "  - {{id: f{n}, at: {at}ms, for: {length}s, fault: {fault}, target: {target}{how}}}"
    );
}
