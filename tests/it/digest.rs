//! `trace_digest`: the same for the same input, however it is run, and another one when any timer
//! that fires is changed.

use crate::support::assize;
use crate::worked::outcome;
use std::path::Path;

fn moj(name: &str) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().expect("the root");
    root.join("topologies/moj").join(name).display().to_string()
}

#[test]
fn the_suite_is_byte_identical_on_one_thread_and_on_two() {
    let folder = moj("");
    for topology in ["moj-2019.yaml", "moj-resilient.yaml"] {
        let topology = moj(topology);
        let bytes = |threads| {
            let args = [
                "simulate",
                &folder,
                "--topology",
                &topology,
                "--format",
                "json",
                "--threads",
                threads,
            ];
            assize(&args).out
        };
        let once = bytes("1");
        let runs = once.matches("\"trace_digest\"").count();
        assert_eq!(runs, crate::moj::scenarios().len());
        assert!(once == bytes("1"), "a second run differs");
        assert!(once == bytes("2"), "two threads differ from one");
    }
}

/// Everything that waits, waits once: a circuit fails and LTE steps in, leases run out and are
/// fought for, a unit switches over, a database fails over and back, is damaged and restored.
const TIMERS: &str = "
assize: scenario/v1
topology:
  nodes:
    office: {kind: site, count: 4}
    core: {kind: switch, replicas: {a: {}, b: {}}, switch_over: 5s}
    mast: {kind: router}
    n1: {kind: server}
    n2: {kind: server}
    vault: {kind: store}
  links:
    wan: {between: [office, core], latency: 5ms, detect: 900ms, converge: 1s}
    lte: {between: [office, mast], cost: 50, standby: {activates_in: 30s, when: automatic}}
    mast-core: {between: [mast, core], cost: 50}
    l1: {between: [n1, core]}
    l2: {between: [n2, core]}
    lv: {between: [vault, core]}
  access:
    wired:
      via: [wan]
      needs:
        - service: dhcp
          cached_for: {renew: 300s, expire: 600s}
          try: {lasts: 3s, again: 2s}
    mobile: {via: [lte], after: 2m}
  services:
    dhcp: {replicas: {a: {at: core}}, capacity: 4/s, queue: {max: 9, when_full: refuse, stale_after: 3s}}
    db:
      mode: active-standby
      replicas: {a: {at: n1}, b: {at: n2}}
      failover:
        check: {every: 2s, timeout: 1s, fall: 3, rise: 2, phase: 1s, from: core}
        promote: 30s
        redirect: {dns_ttl: 60s}
        failback: {after: 5m}
      state:
        replication: {mode: async, every: 5s}
        backups: [{id: often, every: 10m, takes: 1m, kept_at: vault, restore_takes: 10m}]
  populations: {staff: {at: {office: 400}, access: [wired, mobile]}}
  journeys:
    write:
      ledger: db
      rate: 2/s
      timeout: 10s
      retry: {tries: 2, wait: 1s, each: 4s}
      otherwise: {mode: paper, capacity: 60%, after: 1m}
timeline:
  - {id: cut, at: 10m, for: 10m, fault: outage, target: link/wan}
  - {id: silent, at: 30m, for: 15m, fault: address-assignment-failure, target: service/dhcp}
  - {id: unit, at: 70m, for: 5m, fault: outage, target: node/core/a}
  - {id: gone, at: 90m, for: 20m, fault: outage, target: node/n1}
  - {id: harm, at: 155m, fault: corruption, target: service/db}
  - {id: loop, at: 220m, for: 20m, fault: flap, down: 1m, up: 3m, target: link/wan}
respond: [{to: harm, detect: 5m, diagnose: 4m, fix: 3m, restore: db}]
objectives: [{id: rto, rto: 1m, journey: write}]
settle: 30m
";

/// Timers that fire in it, each with another value.
const OTHERWISE: &[(&str, &str)] = &[
    ("topology.nodes.core.switch_over", "6s"),
    ("topology.links.wan.detect", "901ms"),
    ("topology.links.wan.converge", "1001ms"),
    ("topology.links.lte.standby.activates_in", "31s"),
    ("topology.access.wired.needs.0.cached_for.renew", "301s"),
    ("topology.access.wired.needs.0.cached_for.expire", "601s"),
    ("topology.access.wired.needs.0.try.lasts", "2s"),
    ("topology.access.wired.needs.0.try.again", "3s"),
    ("topology.access.mobile.after", "121s"),
    ("topology.services.dhcp.queue.stale_after", "1s"),
    ("topology.services.db.failover.check.every", "2100ms"),
    ("topology.services.db.failover.check.timeout", "900ms"),
    ("topology.services.db.failover.check.fall", "4"),
    ("topology.services.db.failover.check.rise", "3"),
    ("topology.services.db.failover.check.phase", "1500ms"),
    ("topology.services.db.failover.promote", "31s"),
    ("topology.services.db.failover.redirect.dns_ttl", "61s"),
    ("topology.services.db.failover.failback.after", "301s"),
    (
        "topology.services.db.state.backups.often.restore_takes",
        "11m",
    ),
    ("topology.journeys.write.otherwise.after", "61s"),
    ("topology.services.db.state.replication.every", "7s"),
    ("topology.services.db.state.backups.often.every", "11m"),
    ("topology.journeys.write.timeout", "4s"),
    ("topology.journeys.write.retry.wait", "2s"),
    ("topology.journeys.write.retry.each", "2s"),
    ("respond.0.detect", "301s"),
    ("respond.0.diagnose", "241s"),
    ("respond.0.fix", "181s"),
    ("timeline.loop.down", "61s"),
    ("timeline.loop.up", "181s"),
    ("timeline.cut.for", "601s"),
    ("timeline.gone.at", "5401s"),
];

#[test]
fn every_timer_that_fires_changes_the_digest() {
    let base = outcome(TIMERS, &[]);
    for fault in &base.faults {
        assert!(fault.bit, "{}: {}", fault.id, fault.evidence);
    }
    assert_eq!(base.trace_digest, outcome(TIMERS, &[]).trace_digest);
    let unmoved: Vec<_> = OTHERWISE
        .iter()
        .filter(|(path, value)| {
            let changed = outcome(TIMERS, &[&format!("{path}={value}")]);
            changed.trace_digest == base.trace_digest
        })
        .collect();
    assert!(unmoved.is_empty(), "{unmoved:#?}");
}
