//! What whole files become.

use super::*;

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
    assert_eq!(t.services[0].mode, Mode::ActiveStandby);
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
        topology: Some("other.yaml".into()),
        ..LoadOptions::default()
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
    let quiet = bare_scenario(&t, &[], Nanos::hours(2), None).unwrap();
    assert!(quiet.faults.is_empty());
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
