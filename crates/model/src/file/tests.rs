//! Whole files: what they become, and what is said about wrong ones.

use super::*;
use crate::faults::Effect;
use crate::ids::*;
use crate::scenario::{Action, Sites, Target};
use crate::topology::{Mode, Replication, SiteRange};
use assize_fault::Nanos;
use proptest::prelude::*;

/// A topology that uses every section and nearly every field.
const FULL: &str = include_str!("testdata/full.yaml");
/// A scenario over it.
const FULL_SCENARIO: &str = include_str!("testdata/full-scenario.yaml");

fn source() -> MemorySource {
    MemorySource::new([("full.yaml", FULL), ("scenarios/s.yaml", FULL_SCENARIO)])
}

fn topology(text: &str) -> Result<(Topology, Vec<Problem>), Problems> {
    let source = MemorySource::new([("t.yaml", text)]);
    load_topology(&source, Path::new("t.yaml"), &LoadOptions::default())
}

fn scenario(text: &str) -> Result<(Topology, Scenario, Vec<Problem>), Problems> {
    let source = MemorySource::new([("s.yaml", text), ("full.yaml", FULL)]);
    load_scenario(&source, Path::new("s.yaml"), &LoadOptions::default())
}

fn full() -> Topology {
    topology(FULL).unwrap_or_else(|p| panic!("{p}")).0
}

fn with_sets(sets: &[&str]) -> Result<(Topology, Scenario, Vec<Problem>), Problems> {
    let options = LoadOptions {
        sets: sets.iter().map(ToString::to_string).collect(),
        topology: None,
    };
    load_scenario(&source(), Path::new("scenarios/s.yaml"), &options)
}

/// The problem that mentions a text; fails with all of them if there is none.
fn problem<T: std::fmt::Debug>(result: Result<T, Problems>, text: &str) -> Problem {
    let problems = result.expect_err("there should be a problem");
    let found = problems
        .0
        .iter()
        .find(|p| p.what.contains(text) || p.help.contains(text));
    found
        .unwrap_or_else(|| panic!("no problem says `{text}`:\n{problems}"))
        .clone()
}

#[test]
fn the_whole_example_is_read() {
    let (t, warnings) = topology(FULL).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(warnings, []);
    assert_eq!(t.name, "example");
    assert_eq!(t.nodes[0].count, 84);
    assert_eq!(t.nodes[0].parts[0].count, 12);
    assert_eq!(t.networks, ["moj", "internet"]);
    let db = t.services.iter().find(|s| s.id == "juror-db").unwrap();
    assert_eq!(db.mode, Mode::ActiveStandby);
    let failover = db.failover.as_ref().unwrap();
    assert_eq!(failover.dns_ttl, Nanos::secs(60));
    assert_eq!(failover.failback, Some(Nanos::mins(10)));
    let state = db.state.as_ref().unwrap();
    assert_eq!(
        state.replication,
        Some(Replication::Async {
            every: Nanos::secs(5),
            phase: Nanos::ZERO
        })
    );
    // 1.2 TiB at 200 GiB/h.
    assert_eq!(
        state.backups[0].restore_takes.0 / 1_000_000_000,
        (12 * 1024 * 3600) / 2000
    );
    let cjsm = t.services.iter().find(|s| s.id == "cjsm-history").unwrap();
    assert_eq!((cjsm.shards, cjsm.shard_key.as_str()), (8, "cjsm"));
    assert_eq!(t.populations[0].users(), 6_720 + 3_600);
    assert_eq!(t.populations[0].demand[0].1, 3_000);
    assert_eq!(t.on_miss.as_deref(), Some("as it did in January 2019"));
    let lease = t.access[0].needs[1].cache.as_ref().unwrap();
    assert_eq!(
        (lease.renew, lease.expire),
        (Nanos::secs(2_000), Nanos::secs(4_000))
    );
}

#[test]
fn groups_take_sites_in_file_order() {
    let t = full();
    let range = |node: u16, first, end| SiteRange {
        node: NodeId(node),
        first,
        end,
    };
    assert_eq!(t.groups[0].sites, [range(0, 0, 80), range(1, 0, 60)]);
    assert_eq!(t.groups[1].sites, [range(0, 80, 84)]);
    // Another partition begins again.
    assert_eq!(t.groups[2].sites, [range(0, 0, 10)]);
}

#[test]
fn the_scenario_is_read() {
    let (t, s, warnings) = with_sets(&[]).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(warnings, []);
    assert_eq!(s.faults.len(), 5);
    let dc = &s.faults[0];
    assert_eq!(
        (dc.id.as_str(), dc.at, dc.until, dc.bounded),
        ("dc", Nanos::ZERO, Nanos::mins(55), true)
    );
    assert_eq!(dc.effects, [Effect::Down(None)]);
    let owners: Vec<&str> = dc.owners.iter().map(|d| t.domain(*d).id.as_str()).collect();
    assert_eq!(owners, ["atos", "ark"]);
    let wave = &s.faults[1];
    assert_eq!(wave.until, Nanos::hours(142) + Nanos::mins(30));
    let sites = vec![
        SiteRange {
            node: NodeId(0),
            first: 0,
            end: 80,
        },
        SiteRange {
            node: NodeId(1),
            first: 0,
            end: 60,
        },
    ];
    assert_eq!(wave.targets, [Target::Link(LinkId(0), Sites::Some(sites))]);
    assert_eq!(
        wave.flap.map(|f| (f.down, f.up)),
        Some((Nanos::mins(2), Nanos::mins(10)))
    );
    assert_eq!(
        s.steps[0].action,
        Action::Activate(vec![Target::Link(LinkId(1), Sites::All)])
    );
    assert_eq!(
        s.end,
        s.faults.iter().map(|f| f.until).max().unwrap() + Nanos::hours(1)
    );
    let ids: Vec<&str> = s.objectives.iter().map(|o| o.id.as_str()).collect();
    assert_eq!(
        ids,
        ["juror-rto", "prisons-untouched", "enrol-juror-availability"]
    );
    assert_eq!(s.expect.len(), 7);
}

#[test]
fn a_whole_real_test_in_one_file() {
    let text = "assize: scenario/v1
topology:
  services:
    db: {driver: postgres, replicas: {a: pg1:5432, b: pg2:5432}, dsn: {env: DB_URL}, failover: external, peers: [etcd:2379]}
  journeys:
    write: {ledger: db, rate: 20/s, timeout: 2s}
timeline: [{at: 0s, fault: isolate, target: service/db@primary, for: 90s}]
objectives: [{rto: 60s, journey: write}, {rpo: 0s, service: db}, {split_brain: never, service: db}]
settle: {until: stable 10s, max: 60s}
";
    let (t, s, warnings) = scenario(text).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(warnings, []);
    assert_eq!(s.end, Nanos::secs(150));
    assert_eq!(s.faults[0].targets, [Target::Primary(ServiceId(0))]);
    let ids: Vec<&str> = s.objectives.iter().map(|o| o.id.as_str()).collect();
    assert_eq!(ids, ["write-rto", "db-rpo", "db-split-brain"]);
    // Everything hangs on one node by ideal links, and one population makes every journey.
    let nodes: Vec<&str> = t.nodes.iter().map(|n| n.id.as_str()).collect();
    assert_eq!(nodes, ["network", "db-a", "db-b", "users"]);
    let links: Vec<&str> = t.links.iter().map(|l| l.id.as_str()).collect();
    assert_eq!(links, ["auto-db-a", "auto-db-b", "auto-users"]);
    assert_eq!(t.populations[0].users(), 1_000);
    assert_eq!(t.services[0].mode, Mode::ActiveActive);
    assert!(t.services[0].failover.as_ref().unwrap().external);
    assert!(t.services[0].state.is_some());
    assert_eq!(t.journeys[0].calls, t.journeys[0].writes);
}

#[test]
fn an_overlay_is_written_as_differences() {
    let source = MemorySource::new([
        (
            "d/base.yaml",
            FULL.replacen("topology/v1", "part/v1", 1).as_str(),
        ),
        (
            "d/next.yaml",
            "assize: topology/v1\ninclude: base.yaml\nname: next\nnodes: {spare: {kind: switch}}\nlinks: {court-lte: null, hub: {latency: 7ms}}\n",
        ),
    ]);
    let result = load_topology(&source, Path::new("d/next.yaml"), &LoadOptions::default());
    // `mobile` still goes over the deleted link: reported in the file that says so.
    let p = problem(result, "no link or node is named `court-lte`");
    assert_eq!(p.file, "d/base.yaml");
    assert!(p.source_line.contains("mobile"));
}

#[test]
fn a_topology_is_replaced_from_outside() {
    let mut files = source();
    files.insert(
        "other.yaml",
        FULL.replace("name: example", "name: other").into_bytes(),
    );
    let options = LoadOptions {
        sets: vec![],
        topology: Some("other.yaml".into()),
    };
    let (t, s, _) = load_scenario(&files, Path::new("scenarios/s.yaml"), &options).unwrap();
    assert_eq!((t.name.as_str(), s.name.as_str()), ("other", "s"));
    let (first, _, _) = with_sets(&[]).unwrap();
    assert_ne!(first.digest, t.digest);
}

#[test]
fn settings_change_scenario_and_topology() {
    let (t, s, _) = with_sets(&[
        "timeline.wave.until=2019-01-23T06:30",
        "timeline.1.at=1m",
        "links.hub.latency=9ms",
        "access.mobile=null",
        "populations.court-staff.access=[wired, wifi]",
    ])
    .unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(s.faults[1].until, Nanos::hours(166) + Nanos::mins(30));
    assert_eq!(s.faults[1].at, Nanos::mins(1));
    assert_eq!(t.links[2].latency, Nanos::millis(9));
    assert_eq!(t.access.len(), 2);
    let p = problem(with_sets(&["timeline.wav.until=1h"]), "timeline.wav.until");
    assert!(p.help.contains("`wave`"), "{p}");
    let p = problem(with_sets(&["links.hubb.latency=1s"]), "names nothing");
    assert!(p.help.contains("`hub`"), "{p}");
    problem(with_sets(&["linc.hub=1"]), "`links`");
    problem(with_sets(&["nonsense"]), "path=value");
    problem(with_sets(&["links.hub.latency=soon"]), "is not a duration");
}

#[test]
fn digests_say_the_same_for_the_same() {
    let json = "{\"assize\": \"topology/v1\", \"nodes\": {\"b\": {\"kind\": \"x\"}, \"a\": {}}}";
    let yaml = "assize: topology/v1\nnodes:\n  a: {}\n  b:\n    kind: x\n";
    assert_eq!(
        topology(json).unwrap().0.digest,
        topology(yaml).unwrap().0.digest
    );
    assert_ne!(full().digest, topology(yaml).unwrap().0.digest);
}

#[test]
fn selectors() {
    let t = full();
    let one = |text: &str| resolve_selector(&t, text).unwrap();
    assert_eq!(one("node/crown"), [Target::Node(NodeId(0), Sites::All)]);
    assert_eq!(
        one("node/crown/ap"),
        [Target::Part(NodeId(0), 0, Sites::All)]
    );
    assert_eq!(one("node/wlc/b"), [Target::NodeReplica(NodeId(3), 1)]);
    assert_eq!(
        one("service/juror-db/north"),
        [Target::Replica(ServiceId(3), 0)]
    );
    assert_eq!(one("service/cjsm/3"), [Target::Shard(ServiceId(5), 3)]);
    assert_eq!(
        one("service/juror-db@primary"),
        [Target::Primary(ServiceId(3))]
    );
    assert_eq!(one("link/court-*").len(), 2);
    assert_eq!(
        one("flow/juror-app->juror-db"),
        [Target::Flow(ServiceId(4), ServiceId(3))]
    );
    // All that lies in a domain, or in one inside it; the unit of a node that straddles two.
    let ark = one("domain/ark");
    assert!(ark.contains(&Target::NodeReplica(NodeId(3), 0)), "{ark:?}");
    assert!(ark.contains(&Target::Node(NodeId(4), Sites::All)));
    let group = one("group/jan-23");
    assert_eq!(
        group,
        [Target::Node(
            NodeId(0),
            Sites::Some(vec![SiteRange {
                node: NodeId(0),
                first: 80,
                end: 84
            }])
        )]
    );
    for (bad, help) in [
        ("node/crwon", "`crown`"),
        ("hub", "link/hub"),
        ("service/cjsm/9", "0 to 7"),
        ("population/court-staff", "cannot fail"),
        ("journey/enrol-juror", "cannot fail"),
        ("domain/empty", "selects nothing"),
        ("flow/juror-db->juror-app", "does not depend"),
        ("linc/hub", "`link`"),
        ("service/juror-db@standby", "@primary"),
    ] {
        let error = resolve_selector(&t, bad).unwrap_err();
        assert!(error.contains(help), "{bad}: {error}");
    }
}

#[test]
fn a_bare_scenario() {
    let t = full();
    let s = bare_scenario(&t, &["domain/dc-north".into()], Nanos::hours(2), None).unwrap();
    assert_eq!(
        (s.faults[0].until, s.end),
        (Nanos::hours(2), Nanos::hours(3))
    );
    // All but the one that is about a fault of another scenario.
    assert_eq!(s.objectives.len() + 1, t.objectives.len());
    assert!(
        bare_scenario(&t, &["domain/dc-nort".into()], Nanos::hours(2), None)
            .unwrap_err()
            .contains("`dc-north`")
    );
    assert!(bare_scenario(&t, &[], Nanos::hours(2), None).is_err());
}

/// One wrong line in the whole topology, and what must be said about it.
#[test]
fn wrong_topologies() {
    for (from, to, says) in [
        ("cost: 10", "cots: 10", "`cots` is not a field of a link"),
        ("latency: 12ms", "latency: 12 parsecs", "is not a duration"),
        (
            "bandwidth: 100Mbit/s",
            "bandwidth: 100MB",
            "is not a bandwidth",
        ),
        (
            "in: [vodafone]",
            "in: [vodaphone]",
            "did you mean `vodafone`?",
        ),
        (
            "jan-23: {crown: all}",
            "jan-23: {crown: 5}",
            "4 of 84 are left",
        ),
        (
            "via: [court-wan]",
            "via: [court-wam]",
            "no link or node is named `court-wam`",
        ),
        (
            "calls: [directory, juror-app]",
            "calls: [directory, jurorapp]",
            "did you mean `juror-app`?",
        ),
        (
            "hours: \"Mon-Fri 08:00-18:00\"",
            "hours: \"Mon-Fri 18:00-08:00\"",
            "closes before it opens",
        ),
        (
            "at: {crown: 6720,",
            "at: {hub-n: 6720,",
            "no node is named `hub-n`",
        ),
        (
            "at: {crown: 6720,",
            "at: {core-n: 6720,",
            "users sit at sites",
        ),
        ("count: 84", "count: 84.5", "is not a whole number"),
        (
            "populations.court-staff.at:",
            "populations.court-staff.att:",
            "names nothing in this topology",
        ),
        (
            "{objective: juror-rto,",
            "{objective: juror-rtt,",
            "no objective is named `juror-rtt`",
        ),
        ("until: 2027-03-31", "until: someday", "is not a date"),
        (
            "{rto: 15m, journey: enrol-juror}",
            "{rto: 15m, journey: enrol}",
            "no journey is named `enrol`",
        ),
        (
            "{rto: 15m, journey: enrol-juror}",
            "{rto: 15m, rpo: 1s}",
            "states one target, not 2",
        ),
        (
            "excluding: [node/crown]",
            "excluding: [node/crown, node/mags-large]",
            "leaves out every user",
        ),
        (
            "radius:    {replicas",
            "radius:    {at: core-n, replicas",
            "`at` is not a field of a service",
        ),
        (
            "renew: 2000s",
            "renew: 5000s",
            "`renew` is at most `expire`",
        ),
        ("each: 3s", "each: 30s", "may not outlast"),
        ("over: [court-wan]", "over: [hub]", "run over each other"),
        (
            "dc-south:  {kind: data-centre}",
            "dc-south:  {kind: data-centre, in: [dc-south]}",
            "lie in each other",
        ),
        (
            "time_zone: Europe/London",
            "time_zone: Europe/Londn",
            "is not a time zone",
        ),
        (
            "holidays: england-and-wales",
            "holidays: england",
            "write `england-and-wales`",
        ),
        (
            "between: [[crown, mags-large], wan]",
            "between: [[crown, mags-large], [crown, mags-large]]",
            "both ends",
        ),
        (
            "mode: active-standby",
            "mode: active-passive",
            "write `single`",
        ),
        ("role: primary", "role: master", "write `primary`"),
        ("kept_at: vault", "kept_at: service/vault", "restore loop"),
    ] {
        let text = FULL.replacen(from, to, 1);
        assert_ne!(text, FULL, "`{from}` is not in the example");
        let p = problem(topology(&text), says);
        assert!(p.line > 0 && p.column > 0, "{p}");
    }
}

#[test]
fn wrong_scenarios() {
    for (from, to, says) in [
        (
            "fault: outage,",
            "fault: outrage,",
            "did you mean `outage`?",
        ),
        (
            "target: domain/dc-north",
            "target: domain/dc-nort",
            "`dc-north`",
        ),
        (
            "target: domain/dc-north",
            "target: population/court-staff",
            "cannot fail",
        ),
        (
            "of: {group: jan-22}",
            "of: {group: jan-21}",
            "did you mean `jan-22`",
        ),
        (
            "{to: dc,",
            "{to: dcc,",
            "no fault of this scenario is named `dcc`",
        ),
        (
            "{id: dc, at: 0s,",
            "{id: dc, at: 0s, for: 1h,",
            "ends when its fix is done",
        ),
        (
            "until: 2019-01-22T06:30",
            "until: 2019-01-15T06:30",
            "ends before it begins",
        ),
        ("id: wave", "id: dc", "are named `dc`"),
        ("settle: 1h", "end: 1h", "ends before `wave` does"),
        (
            "journey: enrol-juror, at:",
            "journey: enrol, at:",
            "no journey is named `enrol`",
        ),
        (
            "target: link/court-lte",
            "target: service/radius",
            "only links and access paths",
        ),
        ("how: refuse", "hwo: refuse", "did you mean `how`?"),
        ("down: 2m, up: 10m", "down: 1ns, up: 10m", "at least 1ms"),
        (
            "objectives: [juror-rto,",
            "objectives: [juror-rtt,",
            "no objective of the topology",
        ),
        (
            "{faults: {dc:",
            "{faults: {dd:",
            "no fault of this scenario is named `dd`",
        ),
        (
            "restored: group/jan-22",
            "restored: group/jan-2",
            "did you mean",
        ),
        (
            "topology: ../full.yaml",
            "topology: ../../full.yaml",
            "outside the scenario's folder",
        ),
        (
            "topology: ../full.yaml",
            "topology: ../nothing.yaml",
            "there is no such file",
        ),
    ] {
        let text = FULL_SCENARIO.replacen(from, to, 1);
        assert_ne!(text, FULL_SCENARIO, "`{from}` is not in the example");
        let files = MemorySource::new([("full.yaml", FULL), ("scenarios/s.yaml", &text)]);
        let result = load_scenario(
            &files,
            Path::new("scenarios/s.yaml"),
            &LoadOptions::default(),
        );
        let p = problem(result, says);
        assert_eq!(p.file, "scenarios/s.yaml");
    }
}

#[test]
fn redundancy_that_is_none_is_a_warning() {
    let warned = |from: &str, to: &str| {
        let text = FULL.replacen(from, to, 1);
        assert_ne!(text, FULL, "`{from}` is not in the example");
        topology(&text).unwrap_or_else(|p| panic!("{p}")).1
    };
    let list = warned(
        "core-s:     {kind: switch, transit: true, in: [dc-south]}",
        "core-s: {kind: switch, in: [dc-north]}",
    );
    let says = |list: &[Problem], text: &str| {
        assert!(
            list.iter().any(|p| p.what.contains(text)),
            "{text}: {list:?}"
        );
        assert!(list.iter().all(|p| p.severity == Severity::Warning));
    };
    says(
        &list,
        "replicas `north` and `south` of `juror-db` lie in one domain, `dc-north`",
    );
    let list = warned(
        "vault:      {kind: host}",
        "vault: {kind: host, in: [dc-north]}",
    );
    says(
        &list,
        "`juror-db` and its backup lie in one domain, `dc-north`",
    );
    let list = warned("kept_at: vault", "kept_at: core-n");
    says(&list, "on the node of its primary");
    let list = warned(
        "dhcp:      {replicas: {n: {at: core-n}}}",
        "dhcp: {replicas: {n: core-n}, failover: {}}",
    );
    says(&list, "nothing to fail over to");
    let list = warned("b: {in: [dc-south]}", "b: {in: [dc-north]}");
    says(&list, "units `a` and `b` of `wlc` lie in one domain");
}

#[test]
fn every_problem_is_found_at_once() {
    let text = FULL
        .replace("cost: 10", "cots: 10")
        .replace("kind: router", "kind: [x]")
        .replace("3x", "lots")
        + "\nfoo: bar\n";
    let problems = topology(&text).unwrap_err();
    assert_eq!(problems.errors(), 4, "{problems}");
    assert!(problems.0.windows(2).all(|w| w[0].line <= w[1].line));
}

#[test]
fn a_file_of_the_wrong_kind_is_told_apart() {
    assert_eq!(kind_of(FULL.as_bytes()), Some(Kind::Topology));
    assert_eq!(kind_of(FULL_SCENARIO.as_bytes()), Some(Kind::Scenario));
    assert_eq!(kind_of(b"assize: part/v1"), Some(Kind::Part));
    assert_eq!(kind_of(b"apiVersion: v1"), None);
    assert_eq!(kind_of(b"{"), None);
    problem(topology(FULL_SCENARIO), "this is a `scenario/v1`");
    problem(topology("name: x"), "does not say what it is");
    problem(
        scenario("assize: scenario/v1\ntopology: s.yaml\n"),
        "a `topology/v1` is needed",
    );
    problem(scenario("[]"), "is a map");
    problem(scenario("assize: scenario/v1"), "has no `topology`");
}

#[test]
fn an_objective_about_a_fault_is_for_scenarios_that_have_it() {
    let text = "assize: scenario/v1\ntopology: full.yaml\ntimeline: [{id: x, at: 0s, fault: outage, target: link/hub, for: 1m}]\n";
    let (t, s, _) = scenario(text).unwrap();
    assert_eq!(s.objectives.len() + 1, t.objectives.len());
    problem(
        scenario(&format!("{text}objectives: [juror-most]\n")),
        "no fault of this scenario is named `dc`",
    );
}

#[test]
fn symptoms_may_stand_in_a_file() {
    let expect = "assize: expect/v1\nexpect:\n  - {untouched: population/court-staff}\n";
    let text = "assize: scenario/v1\ntopology: full.yaml\nexpect: e.yaml\n";
    let files = MemorySource::new([("s.yaml", text), ("full.yaml", FULL), ("e.yaml", expect)]);
    let (_, s, _) = load_scenario(&files, Path::new("s.yaml"), &LoadOptions::default()).unwrap();
    assert_eq!(s.expect[0].text, "court-staff is untouched");
    let files = MemorySource::new([("s.yaml", text), ("full.yaml", FULL)]);
    let p = problem(
        load_scenario(&files, Path::new("s.yaml"), &LoadOptions::default()),
        "there is no such file",
    );
    assert_eq!((p.file.as_str(), p.line), ("s.yaml", 3));
}

#[test]
fn narrowing_takes_the_first_sites() {
    let target = |of: &str| {
        let text = format!(
            "assize: scenario/v1\ntopology: full.yaml\ntimeline: [{{at: 0s, fault: outage, target: [link/hub, node/wan], of: {of}, for: 1m}}]\n"
        );
        scenario(&text).map(|(_, s, _)| s.faults[0].targets.clone())
    };
    let range = |node: u16, first, end| SiteRange {
        node: NodeId(node),
        first,
        end,
    };
    let link = |ranges: Vec<SiteRange>| Target::Link(LinkId(2), Sites::Some(ranges));
    let wan = Target::Node(NodeId(2), Sites::All);
    assert_eq!(
        target("{count: 10}").unwrap(),
        [wan.clone(), link(vec![range(0, 0, 10), range(1, 0, 10)])]
    );
    assert_eq!(
        target("{share: 50%}").unwrap(),
        [wan, link(vec![range(0, 0, 42), range(1, 0, 30)])]
    );
    assert_eq!(
        target("{group: jan-23}").unwrap(),
        [link(vec![range(0, 80, 84)])]
    );
    problem(target("{share: 0%}"), "leaves nothing");
    problem(target("{count: 1, share: 1%}"), "states one of");
}

#[test]
fn bombs_and_mountains_are_refused_quickly() {
    let mut many = String::from("assize: topology/v1\nnodes:\n");
    for i in 0..30_000 {
        many += &format!("  n{i}: {{}}\n");
    }
    problem(topology(&many), "at most 20000");
    let wrong = format!(
        "assize: topology/v1\nnodes: {{{}}}\n",
        "n: [], ".repeat(1)
            + &(0..15_000)
                .map(|i| format!("n{i}: {{kinnd: x}}"))
                .collect::<Vec<_>>()
                .join(", ")
    );
    let problems = topology(&wrong).unwrap_err();
    assert!(problems.0.len() <= 200);
    assert!(problems.to_string().len() < 1 << 20);
    problem(
        topology(&format!(
            "assize: topology/v1\nname: {}",
            "[".repeat(10_000_000)
        )),
        "recursion limit",
    );
    problem(
        topology(&format!(
            "assize: topology/v1\nname: {}",
            "[".repeat(60) + &"]".repeat(60)
        )),
        "nested more than",
    );
    problem(
        topology(&format!(
            "assize: topology/v1\nname: \"{}\"",
            "x".repeat(17 << 20)
        )),
        "at most",
    );
}

/// What the readers ask for is what the table of fields says, kind by kind.
#[test]
fn the_table_of_fields_is_what_is_read() {
    let cx = Cx::default();
    let base = merge::load(&cx, &source(), Path::new("full.yaml")).unwrap();
    let t = topology::read(&cx, &base, None, String::new()).unwrap();
    let doc = merge::load(&cx, &source(), Path::new("scenarios/s.yaml")).unwrap();
    let expect = doc::parse(
        &mut cx.files.borrow_mut(),
        "e",
        b"assize: expect/v1\nexpect: []\n",
    )
    .unwrap();
    scenario::read(
        &cx,
        &t,
        &doc,
        (String::new(), String::new()),
        None,
        String::new(),
    )
    .unwrap();
    let named =
        "assize: scenario/v1\nexpect: e.yaml\nsettle: {until: stable 1s, max: 2s}\ntimeline:\n";
    let faults = [
        "flap, target: link/hub, down: 1m, up: 1m, for: 1h",
        "capacity-loss, target: link/hub, left: 1%, for: 1h",
        "isolate, target: node/wan, spare: node/crown, for: 1h",
        "outage, target: link/hub, of: {count: 1}, flap: {down: 1m, up: 1m}, for: 1h",
    ];
    let mut named = named.to_string();
    for fault in faults {
        named += &format!("  - {{at: 0s, fault: {fault}}}\n");
    }
    let window =
        "objectives: [{availability: 1%, journey: enrol-juror, window: {from: 1s, to: 2s}}]\n";
    let doc = doc::parse(&mut cx.files.borrow_mut(), "n", (named + window).as_bytes()).unwrap();
    scenario::read(
        &cx,
        &t,
        &doc,
        (String::new(), String::new()),
        Some(&expect),
        String::new(),
    )
    .unwrap();
    cx.outcome().unwrap_or_else(|p| panic!("{p}"));
    let asked = cx.asked.borrow();
    for (kind, _, fields) in fields::KINDS {
        let Some(asked) = asked.get(kind) else {
            panic!("the test reads no {kind}")
        };
        let live = |key: &&&str| services::LIVE_KEYS.contains(key);
        let table: std::collections::BTreeSet<&str> = fields.iter().map(|f| f.0).collect();
        let read: std::collections::BTreeSet<&str> = asked
            .iter()
            .filter(|k| !live(k) || table.contains(*k))
            .copied()
            .collect();
        assert_eq!(read, table, "fields of a {kind}");
    }
    let kinds: Vec<&str> = fields::KINDS.iter().map(|k| k.0).collect();
    assert!(
        asked.keys().all(|k| kinds.contains(k)),
        "{:?}",
        asked.keys()
    );
}

#[test]
fn every_reference_of_the_schema_leads_somewhere() {
    for kind in [Kind::Topology, Kind::Scenario, Kind::Part, Kind::Expect] {
        let schema = schema(kind);
        let text = schema.to_string();
        for part in text.split("\"#/$defs/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{name}");
        }
    }
}

/// `ASSIZE_WRITE_REFERENCE=1 cargo test -p assize-model reference` writes it.
#[test]
fn the_reference_is_in_step() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/FILES.md");
    if std::env::var_os("ASSIZE_WRITE_REFERENCE").is_some() {
        std::fs::write(path, reference()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == reference(),
        "docs/FILES.md is stale: run the test with ASSIZE_WRITE_REFERENCE=1"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any bytes give a topology or problems.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut source = MemorySource::default();
        source.insert("t.yaml", bytes);
        let options = LoadOptions::default();
        let _ = load_topology(&source, Path::new("t.yaml"), &options);
        let _ = load_scenario(&source, Path::new("t.yaml"), &options);
    }

    /// A good file with a stretch cut out, repeated or replaced.
    #[test]
    fn broken_topologies(at in 0usize..6_000, len in 0usize..60, put in "[a-z0-9:{}\\[\\], \n*&-]{0,12}") {
        let text = broken(FULL, at, len, &put);
        check_problems(topology(&text).map(|_| ()), &text);
    }

    #[test]
    fn broken_scenarios(at in 0usize..2_500, len in 0usize..60, put in "[a-z0-9:{}\\[\\], \n*&-]{0,12}") {
        let text = broken(FULL_SCENARIO, at, len, &put);
        let files = MemorySource::new([("full.yaml", FULL), ("scenarios/s.yaml", &text)]);
        let result = load_scenario(&files, Path::new("scenarios/s.yaml"), &LoadOptions::default());
        check_problems(result.map(|_| ()), &text);
    }

    /// Words of the format in any order, so that readers see values where they expect others.
    #[test]
    fn shuffled_values(picks in proptest::collection::vec((0usize..200, 0usize..200), 1..6)) {
        let words: Vec<&str> = FULL.split_inclusive([' ', ',', '}', ']']).collect();
        let mut words: Vec<String> = words.into_iter().map(str::to_string).collect();
        for (a, b) in picks {
            let (a, b) = (a * words.len() / 200, b * words.len() / 200);
            words.swap(a, b);
        }
        let text = words.concat();
        check_problems(topology(&text).map(|_| ()), &text);
    }

    #[test]
    fn any_selector(text in ".{0,30}") {
        let t = full();
        if let Err(why) = resolve_selector(&t, &text) {
            prop_assert!(!why.is_empty());
        }
    }

    #[test]
    fn any_setting(text in "[a-z.=0-9\\[\\]{}:, -]{0,30}") {
        let _ = with_sets(&[&text]);
    }
}

fn broken(text: &str, at: usize, len: usize, put: &str) -> String {
    let at = at.min(text.len());
    let end = (at + len).min(text.len());
    format!("{}{put}{}", &text[..at], &text[end..])
}

/// Every problem points into the file that it names.
fn check_problems(result: Result<(), Problems>, text: &str) {
    let Err(problems) = result else { return };
    assert!(problems.errors() > 0);
    for p in &problems.0 {
        let lines = text.lines().count() as u32 + 1;
        assert!(p.line <= lines.max(200), "{p}");
        assert!(!p.what.is_empty() && !p.to_string().is_empty());
    }
}
