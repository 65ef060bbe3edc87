//! Real systems behind services, and the live plan of a scenario.

use super::*;
use crate::binding::{Command, EnvVar, Knobs, Misbehaviour, Realisation, Request, StandIn};
use crate::file::doc::Doc;

/// Every field of bindings, in the topology and apart from it.
const TOPOLOGY: &str = r#"assize: topology/v1
services:
  shop: {driver: http, replicas: {a: "127.0.0.1:8001", b: {address: "127.0.0.1:8002"}}, health: /health, failover: external}
  db:
    driver: postgres
    replicas: {a: {}, b: {}}
    addresses: {a: "pg1:5432", b: "[::1]:5432"}
    dsn: {env: DB_URL}
    peers: ["etcd:2379"]
    failover: external
    commands: {start: {a: [./primary.sh, "{port}"], b: ./standby.sh}, promote: [pg_ctl, promote]}
  lookup: {stand_in: dns}
  plain: {}
  ledger: {state: {replication: sync}, replicas: [x, y], stand_in: {promote: 50s, misbehaves: [drops-writes]}}
journeys:
  order: {http: POST /orders, to: shop, body: "{id}", expect: [200, 201], rate: 5/s}
  page: {calls: shop, http: /}
  count: {sql: select 1, to: db}
  write: {ledger: db}
  script: {calls: [shop], exec: ./order.sh now}
"#;

const SCENARIO: &str = r#"assize: scenario/v1
topology: t.yaml
bind:
  services: {plain: {driver: process, address: "localhost:9000", commands: {start: [./serve]}}, shop: {driver: tcp, addresses: {}, dsn: null, peers: [], health: /, commands: {}}}
  journeys: {order: {http: PUT /orders, to: shop, body: x, expect: 204, rate: 1/s}, count: {sql: select 2}, script: {exec: [./other]}}
timeline:
  - {at: 0s, fault: outage, target: service/shop/a, until: 2h}
  - {id: cut, at: 0s, fault: outage, target: service/db/a}
  - {at: 1h, do: promote, target: service/db/b}
respond: [{to: cut, detect: 1h, diagnose: 1h, fix: 1h}]
end: 9h
live:
  faults: {fault-1: {for: 4m}}
  steps: {step-1: {at: 2m}}
  respond: {cut: {detect: 1m, diagnose: 1m, fix: 1m}}
  set: [journeys.page.timeout=3s, timeline.cut.at=30s]
  start: 2025-01-06T10:00:00Z
  steady_state: {for: 30s}
  settle: {until: stable 20s, max: 3m}
  stable_for: 5s
  phases: 4
  pace: 10
  abort_if: [{journey: page, below: 20%, for: 1m}]
  shortest_timer: 2s
"#;

fn files(scenario: &str) -> MemorySource {
    MemorySource::new([("d/t.yaml", TOPOLOGY), ("d/s.yaml", scenario)])
}

fn load(scenario: &str, live: bool) -> Result<(Topology, Scenario, Vec<Problem>), Problems> {
    let options = LoadOptions {
        live,
        ..LoadOptions::default()
    };
    load_scenario(&files(scenario), Path::new("d/s.yaml"), &options)
}

/// For the test of the table of fields.
pub(super) fn read(cx: &Cx) {
    let source = files(SCENARIO);
    let mut t = merge::load(cx, &source, Path::new("d/t.yaml")).unwrap();
    let mut s = merge::load(cx, &source, Path::new("d/s.yaml")).unwrap();
    let bound: Doc = s.get("bind").unwrap().clone();
    bind::lay(cx, bound, &mut t);
    live::apply(cx, &mut s, &mut t);
    let t = topology::read(cx, &t, None, String::new()).unwrap();
    let names = (String::new(), String::new());
    scenario::read(cx, &t, &s, names, None, String::new()).unwrap();
}

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn services_are_bound_where_they_stand() {
    let (t, _) = topology(TOPOLOGY).unwrap_or_else(|p| panic!("{p}"));
    let Realisation::Bound(shop) = &t.services[0].realised else {
        panic!("{:?}", t.services[0].realised)
    };
    assert_eq!(shop.addresses, ["127.0.0.1:8001", "127.0.0.1:8002"]);
    assert_eq!(shop.health.as_deref(), Some("/health"));
    let Realisation::Bound(db) = &t.services[1].realised else {
        panic!("{:?}", t.services[1].realised)
    };
    assert_eq!(db.addresses, ["pg1:5432", "[::1]:5432"]);
    assert_eq!(db.dsn, Some(EnvVar("DB_URL".into())));
    let command = |verb: &str, replica, words: &[&str]| Command {
        verb: verb.into(),
        replica,
        argv: argv(words),
    };
    let expected = [
        command("start", Some(0), &["./primary.sh", "{port}"]),
        command("start", Some(1), &["./standby.sh"]),
        command("promote", None, &["pg_ctl", "promote"]),
    ];
    assert_eq!(db.commands, expected);
    assert_eq!(t.services[1].mode, Mode::ActiveStandby);
    let stand_ins: Vec<_> = t.services[2..].iter().map(|s| s.realised.clone()).collect();
    let expected = [StandIn::Dns, StandIn::Http, StandIn::Store].map(Realisation::StandIn);
    assert_eq!(stand_ins, expected);
    let knobs = Knobs {
        promote: Some(Nanos::secs(50)),
        misbehaves: vec![Misbehaviour::DropsWrites],
    };
    assert_eq!(t.services[4].knobs, knobs);
}

#[test]
fn journeys_say_what_they_ask() {
    let (t, _) = topology(TOPOLOGY).unwrap_or_else(|p| panic!("{p}"));
    let requests: Vec<_> = t
        .journeys
        .iter()
        .map(|j| j.request.clone().unwrap())
        .collect();
    let (shop, db) = (ServiceId(0), ServiceId(1));
    let http = |method: &str, path: &str, body: Option<&str>, expect: &[u16]| Request::Http {
        to: shop,
        method: method.into(),
        path: path.into(),
        body: body.map(Into::into),
        expect: expect.to_vec(),
    };
    let expected = [
        http("POST", "/orders", Some("{id}"), &[200, 201]),
        http("GET", "/", None, &[]),
        Request::Sql {
            to: db,
            statement: "select 1".into(),
        },
        Request::Ledger { to: db },
        Request::Exec {
            argv: argv(&["./order.sh", "now"]),
            folder: "".into(),
        },
    ];
    assert_eq!(requests, expected);
    // What is asked is called, so that the simulator predicts it.
    assert_eq!(t.journeys[0].calls, [shop]);
    assert_eq!(t.journeys[2].calls, [db]);
}

#[test]
fn bindings_lie_over_the_topology() {
    let (t, s, _) = load(SCENARIO, false).unwrap_or_else(|p| panic!("{p}"));
    let Realisation::Bound(plain) = &t.services[3].realised else {
        panic!("{:?}", t.services[3].realised)
    };
    assert_eq!(
        (plain.driver.as_str(), plain.folder.as_path()),
        ("process", Path::new("d"))
    );
    let Some(Request::Http { method, expect, .. }) = &t.journeys[0].request else {
        panic!("{:?}", t.journeys[0].request)
    };
    assert_eq!(
        (method.as_str(), expect.as_slice()),
        ("PUT", [204].as_slice())
    );
    // Without a live run its plan is as the file's other sections say.
    assert_eq!(s.end, Nanos::hours(9));
    assert!(s.live.stated);
}

#[test]
fn bindings_stand_in_a_file_of_their_own() {
    let mut files = files(&SCENARIO.replace("timeline:", "#"));
    files.insert(
        "b.yaml",
        b"assize: bindings/v1\nservices: {lookup: {driver: tcp, address: 'ns:53'}}\n".to_vec(),
    );
    files.insert(
        "d/s2.yaml",
        b"assize: scenario/v1\ntopology: t.yaml\nbind: b.yaml\n".to_vec(),
    );
    files.insert(
        "d/b.yaml",
        b"assize: bindings/v1\nservices: {lookupp: {driver: tcp}}\n".to_vec(),
    );
    let options = LoadOptions {
        bind: Some("b.yaml".into()),
        ..LoadOptions::default()
    };
    let (t, _) = load_topology(&files, Path::new("d/t.yaml"), &options).unwrap();
    assert!(matches!(&t.services[2].realised, Realisation::Bound(b) if b.addresses == ["ns:53"]));
    let wrong = load_scenario(&files, Path::new("d/s2.yaml"), &LoadOptions::default());
    let p = problem(wrong, "the topology has no service `lookupp`");
    assert_eq!(
        (p.file.as_str(), p.help.as_str()),
        ("d/b.yaml", "did you mean `lookup`?")
    );
}

#[test]
fn a_live_plan_lies_over_the_scenario() {
    let (t, s, _) = load(SCENARIO, true).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(s.faults[0].until, Nanos::mins(4));
    assert_eq!(
        (s.faults[1].at, s.faults[1].until),
        (Nanos::secs(30), Nanos::secs(210))
    );
    assert_eq!(s.steps[0].at, Nanos::mins(2));
    assert_eq!(t.journeys[1].timeout, Nanos::secs(3));
    // The last to end is fault-1, at 4 minutes; settling takes three more at most.
    assert_eq!(s.end, Nanos::mins(7));
    assert_eq!(s.live.until_stable, Some(Nanos::secs(20)));
    assert_eq!((s.live.phases, s.live.pace), (4, Some(10)));
    assert_eq!(s.live.abort_if.len(), 1);
    assert_eq!(
        (s.stable_for, s.steady_state),
        (Nanos::secs(5), Nanos::secs(30))
    );
    let (_, plain, _) = load(SCENARIO, false).unwrap();
    assert_ne!(plain.digest, s.digest);
}

#[test]
fn a_live_plan_may_have_no_shorter_timer() {
    // A third of 3 s, which the plan's own `set` states.
    let faster = SCENARIO.replace("page.timeout=3s", "page.timeout=1s");
    let (t, s, _) = load(&faster, true).unwrap();
    assert_eq!(
        (t.journeys[1].timeout, s.live.shortest_timer),
        (Nanos::secs(2), Nanos::secs(2))
    );
    let (t, ..) = load(&faster, false).unwrap();
    assert_eq!(t.journeys[1].timeout, Nanos::secs(10));
}

#[test]
fn a_caller_may_state_when_to_stop() {
    let with = |text: &str| {
        let options = LoadOptions {
            live: true,
            abort_if: vec![text.to_string()],
            ..LoadOptions::default()
        };
        load_scenario(&files(SCENARIO), Path::new("d/s.yaml"), &options)
    };
    for text in [
        "{journey: order, below: 50%, for: 5s}",
        "journey: order, below: 50%, for: 5s",
    ] {
        let (_, s, _) = with(text).unwrap_or_else(|p| panic!("{p}"));
        let added = &s.live.abort_if[1];
        assert_eq!(
            (added.journey.index(), added.below, added.for_),
            (0, assize_fault::Ppb(500_000_000), Nanos::secs(5))
        );
    }
    for (text, says) in [
        ("journey: oder, below: 50%", "`oder`"),
        ("journey: order", "`below` is missing"),
        ("journey: order, below: half", "half"),
    ] {
        let p = problem(with(text), says);
        assert_eq!((p.file.as_str(), p.line), ("--abort-if", 1), "{p:?}");
    }
}

/// One wrong line, and what must be said about it.
#[test]
fn wrong_bindings() {
    for (from, to, says) in [
        ("driver: http", "driver: htpp", "no driver is named `htpp`"),
        ("driver: http, ", "", "no `driver` is named"),
        (
            "a: \"pg1:5432\", ",
            "",
            "replica `a` of `db` has no address",
        ),
        ("pg1:5432", "pg1", "`pg1` is not an address"),
        ("pg1:5432", "pg1:0", "is not an address"),
        (
            "addresses: {a:",
            "addresses: {c:",
            "`db` has no replica `c`",
        ),
        (
            "dsn: {env: DB_URL}",
            "dsn: postgres://u:secret@h/d",
            "stands in the environment",
        ),
        (
            "dsn: {env: DB_URL}",
            "dsn: {env: 'a b'}",
            "cannot name an environment variable",
        ),
        ("    dsn: {env: DB_URL}\n", "", "needs a data source"),
        (
            "peers: [\"etcd:2379\"]",
            "peers: [etcd]",
            "`etcd` is not an address",
        ),
        (
            "promote: [pg_ctl",
            "promotion: [pg_ctl",
            "there is no command `promotion`",
        ),
        (
            "promote: [pg_ctl, promote]",
            "promote: []",
            "names no program",
        ),
        ("start: {a:", "start: {z:", "`db` has no replica `z`"),
        (
            "misbehaves: [drops-writes]",
            "misbehaves: [drops]",
            "`misbehaves: drops` is unknown",
        ),
        (
            "stand_in: dns",
            "stand_in: dsn",
            "`stand_in: dsn` is unknown",
        ),
        (
            "stand_in: dns",
            "stand_in: dns, driver: tcp, address: 'a:1'",
            "a driver and a stand-in",
        ),
        (
            "plain: {}",
            "plain: {driver: process, address: 'a:1'}",
            "needs a command `start`",
        ),
        (
            "plain: {}",
            "plain: {driver: exec, address: 'a:1'}",
            "needs a command `write`",
        ),
        ("POST /orders", "POST orders", "is not a request"),
        ("POST /orders", "BREW /orders", "is not a request"),
        ("expect: [200, 201]", "expect: [20]", "from 100 to 599"),
        (
            "{sql: select 1, to: db}",
            "{sql: select 1}",
            "does not say which service it asks",
        ),
        (
            "{sql: select 1,",
            "{sql: select 1, http: /,",
            "asks one thing",
        ),
        ("{ledger: db}", "{ledger: db, to: db}", "`to` says whom"),
        (
            "{ledger: db}",
            "{ledger: db, body: x}",
            "`body` is of an HTTP request",
        ),
    ] {
        let text = TOPOLOGY.replacen(from, to, 1);
        assert_ne!(text, TOPOLOGY, "`{from}` is not in the example");
        let p = problem(topology(&text), says);
        assert!(p.line > 1, "{p:?}");
    }
}

/// A secret that stands in a file after all is refused without being repeated.
#[test]
fn a_secret_is_not_repeated() {
    let text = TOPOLOGY.replace("dsn: {env: DB_URL}", "dsn: postgres://u:hunter2@h/d");
    let problems = topology(&text).unwrap_err();
    assert!(!format!("{problems} {problems:?}").contains("hunter2"));
}

#[test]
fn wrong_live_plans() {
    for (from, to, says) in [
        ("fault-1: {for", "fault-2: {for", "`fault-2`"),
        ("step-1: {at", "step-2: {at", "`step-2`"),
        ("cut: {detect", "cutt: {detect", "`cutt`"),
        (
            "fault-1: {for: 4m}",
            "fault-1: {fro: 4m}",
            "`fro` is not a field of a fault",
        ),
        (
            "journeys.page.timeout",
            "journeys.pages.timeout",
            "names nothing",
        ),
        ("phases: 4", "phases: 5", "write 1, 2, 4, 8, 16, 32 or 64"),
        ("pace: 10", "pace: 0", "from 1 to 1000"),
        (
            "journey: page, below",
            "journey: pages, below",
            "no journey is named `pages`",
        ),
        ("below: 20%, ", "", "`below` is missing"),
        (
            "stable_for: 5s",
            "stabel_for: 5s",
            "`stabel_for` is not a field of a live plan",
        ),
    ] {
        let text = SCENARIO.replacen(from, to, 1);
        assert_ne!(text, SCENARIO, "`{from}` is not in the example");
        let p = problem(load(&text, true), says);
        assert_eq!(p.file, "d/s.yaml", "{from}");
    }
}
