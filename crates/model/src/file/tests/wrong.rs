//! What is said about wrong files.

use super::*;

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
    problem(scenario("[]"), "does not say what it is");
    problem(scenario("assize: scenario/v1"), "has no `topology`");
}

/// A small file as a beginner writes it.
const SMALL: &str = "assize: scenario/v1
topology:
  services:
    db:
      replicas: [north, south]
      failover: {promote: 30s}
  journeys:
    order: {calls: db, rate: 20/s}
timeline:
  - {id: loss, at: 1m, fault: outage, target: service/db/north, for: 10m}
objectives:
  - {rto: 1m, journey: order}
";

/// Slips of people who begin, each with the only thing that is to be said, and the remedy.
#[test]
fn slips_of_beginners_have_one_problem_with_a_remedy() {
    assert!(scenario(SMALL).is_ok());
    for (from, to, what, help) in [
        ("  services:", "\tservices:", "not YAML", "not with tabs"),
        ("rate: 20/s}", "rate: 20/s", "not YAML", "is not closed"),
        ("id: loss", "id: loss: x", "not YAML", "is not closed"),
        ("promote: 30s", "promote: 30", "not a duration", "`30s`"),
        (
            "promote: 30s",
            "promote: -30s",
            "not a duration",
            "negative",
        ),
        ("promote: 30s", "promote: soon", "not a duration", "`90s`"),
        (
            "{promote: 30s}",
            "[promote]",
            "is a map, not a list",
            "without the `-`",
        ),
        (
            "{rto: 1m,",
            "{rtoo: 1m,",
            "`rtoo` is not a field of an objective",
            "`rto`",
        ),
        (
            "{rto: 1m,",
            "{availability: 99.9,",
            "not a share",
            "`99.9%`",
        ),
        (
            "assize: scenario",
            "asize: scenario",
            "`asize` is not a field",
            "`assize`",
        ),
        (
            "assize: scenario/v1",
            "assize: topology/v1",
            "and a `scenario/v1` is needed",
            "first line",
        ),
        (
            "fault: outage",
            "fault: capacity-loss, left: 150%",
            "`left: 150%` is not a share",
            "100%",
        ),
        (
            "fault: outage",
            "fault: degrade, latency: 5",
            "`latency: 5` is not a duration",
            "`5s`",
        ),
        (
            "promote: 30s",
            "<<: {promote: 30s}",
            "no meaning in YAML 1.2",
            "write the fields out",
        ),
        (
            "fault: outage",
            "fault: flap, down: 1ms, up: 1ms",
            "more than 20000 times",
            "longer",
        ),
    ] {
        let text = SMALL.replacen(from, to, 1);
        assert_ne!(text, SMALL, "{from}");
        let problems = scenario(&text).expect_err(to);
        assert_eq!(problems.0.len(), 1, "{to}:\n{problems}");
        let problem = &problems.0[0];
        assert!(problem.what.contains(what), "{to}: {problem}");
        assert!(problem.help.contains(help), "{to}: {problem}");
        assert!(problem.line > 0, "{to}: {problem}");
    }
}

#[test]
fn a_mark_of_the_byte_order_is_no_part_of_the_file() {
    assert!(scenario(&format!("\u{feff}{SMALL}")).is_ok());
    assert!(scenario(&SMALL.replace('\n', "\r\n")).is_ok());
}

#[test]
fn the_backups_of_a_scenario_are_bounded() {
    let state = "promote: 30s}\n      state: {backups: [{every: 1m, kept_at: db-south}]}";
    let text = SMALL.replacen("promote: 30s}", state, 1);
    assert!(scenario(&text).is_ok());
    let long = text.replacen("for: 10m", "for: 3650d", 1);
    problem(scenario(&long), "more than 200000 backups");
}
