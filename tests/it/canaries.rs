//! Results that look well although nothing was tried, or that look well to the wrong eyes.

use crate::support::{Folder, assize};
use crate::worked::{finding, outcome};
use assize_model::finding::{Outcome, Status, VerdictKind};

const SPARE_LINE: &str = "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, core: {kind: switch}, shed: {kind: router}}
  links:
    lan: {between: [site, core], cost: 1}
    spare: {between: [core, shed], cost: 1}
  services: {web: {replicas: {a: {at: core}}}}
  populations: {staff: {at: {site: 40}}}
  journeys: {read: {calls: [web]}}
timeline:
  - {id: idle, at: 10m, for: 10m, fault: outage, target: link/spare}
  - {id: real, at: 30m, for: 10m, fault: outage, target: link/lan}
objectives:
  - {id: of-idle, rto: 1h, journey: read, fault: idle}
  - {id: of-real, rto: 1h, journey: read, fault: real}
  - {id: of-any, rto: 1h, journey: read}
settle: 10m
";

#[test]
fn a_fault_on_a_link_that_nobody_uses_proves_nothing() {
    let out = outcome(SPARE_LINE, &[]);
    let bit: Vec<bool> = out.faults.iter().map(|f| f.bit).collect();
    assert_eq!(bit, [false, true]);
    // Only what names the idle fault is undecided.
    assert_eq!(finding(&out, "of-idle").status, Status::Inconclusive);
    assert_eq!(finding(&out, "of-real").status, Status::Met);
    assert_eq!(finding(&out, "of-any").status, Status::Met);
    assert_eq!(out.verdict, VerdictKind::Inconclusive);
    // Alone, it decides nothing at all.
    let alone = outcome(
        SPARE_LINE,
        &["timeline.real=null", "objectives.of-real=null"],
    );
    assert!(
        alone
            .findings
            .iter()
            .all(|f| f.status == Status::Inconclusive)
    );
}

fn idle(outcome: &Outcome) -> Vec<&str> {
    outcome
        .not_exercised
        .iter()
        .map(|n| n.element.as_str())
        .collect()
}

const STANDBYS: &str = "
assize: scenario/v1
topology:
  nodes:
    site: {kind: site}
    core: {kind: switch, replicas: {one: {}, two: {}}, switch_over: 2s}
    mast: {kind: router}
    n1: {kind: server}
    n2: {kind: server}
    vault: {kind: store}
  links:
    wan: {between: [site, core], detect: 1s, converge: 1s}
    lte: {between: [site, mast], cost: 50, standby: {activates_in: 10s, when: automatic}}
    mast-core: {between: [mast, core], cost: 50}
    l1: {between: [n1, core]}
    l2: {between: [n2, core]}
    lv: {between: [vault, core]}
  services:
    db:
      mode: active-standby
      replicas: {a: {at: n1}, b: {at: n2}}
      failover: {check: {every: 2s, timeout: 1s, fall: 3, rise: 2}, promote: 5s, failback: never}
      state:
        replication: {mode: sync}
        backups: [{id: often, every: 10m, kept_at: vault, restore_takes: 1m}]
  populations: {staff: {at: {site: 40}}}
  journeys: {write: {ledger: db, rate: 1/s}}
timeline:
  - {id: line, at: 10m, for: 10m, fault: outage, target: link/wan}
  - {id: unit, at: 30m, for: 10m, fault: outage, target: node/core/one}
  - {id: primary, at: 50m, for: 10m, fault: outage, target: node/n1}
  - {id: harm, at: 75m, fault: corruption, target: service/db}
respond: [{to: harm, detect: 1m, restore: db}]
objectives: [{rto: 1h, journey: write}]
end: 2h
";

#[test]
fn whatever_stands_by_is_listed_until_it_has_served() {
    let elements = [
        ("line", "link/lte"),
        ("unit", "node/core/two"),
        ("primary", "service/db/b"),
        ("harm", "service/db/often"),
    ];
    let all = outcome(STANDBYS, &[]);
    assert!(idle(&all).is_empty(), "{:?}", idle(&all));
    for (fault, element) in elements {
        let leave_out = format!("timeline.{fault}=null");
        let mut sets = vec![leave_out.as_str()];
        if fault == "harm" {
            sets.push("respond=null");
        }
        let out = outcome(STANDBYS, &sets);
        assert_eq!(idle(&out), [element], "without {fault}");
    }
}

/// The checker's table is green, the users' is not.
#[test]
fn a_lying_check_is_told_from_what_users_see() {
    let folder = Folder::new("lying");
    let file = folder.write(
        "lying.yaml",
        "assize: scenario/v1\n\
         topology:\n\
         \x20 services:\n\
         \x20   db: {mode: active-standby, replicas: [a, b], failover: {promote: 5s}}\n\
         \x20 journeys: {query: {calls: [db]}}\n\
         timeline:\n\
         \x20 - {id: lie, at: 0s, for: 1h, fault: lying-check, target: service/db}\n\
         \x20 - {id: crash, at: 0s, for: 1h, fault: outage, how: refuse, target: service/db/a}\n\
         objectives:\n\
         \x20 - {id: back, rto: 1m, journey: query}\n\
         \x20 - {id: seen, detection: 30s, fault: crash}\n",
    );
    let value = assize(&["simulate", &file, "--format", "json"])
        .expect(1)
        .json();
    let status = |i: usize| value["findings"][i]["status"].as_str().unwrap_or("");
    assert_eq!([status(0), status(1)], ["missed", "missed"]);
    assert_eq!(value["findings"][0]["measured"]["text"], "1h");
    assert_eq!(value["findings"][1]["measured_text"], "never");
    // Green for the checker: the dead replica is the one that serves, all along.
    let served = value["services"][0]["served_by"].as_array();
    let served = served.expect("a list");
    assert!(served.iter().all(|s| s["replica"] == "a"), "{served:#?}");
    assert!(
        value["faults"]
            .as_array()
            .expect("faults")
            .iter()
            .all(|f| f["bit"] == true)
    );
    let honest = assize(&["simulate", &file, "--set", "timeline.lie=null"]).expect(0);
    assert!(!honest.out.contains("never"), "{}", honest.out);
}
