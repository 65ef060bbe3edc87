//! Links and places: partitions, isolation, and what gets worse without being out.

use super::*;

/// A site, its way to the core, and a costlier one.
const TWO_WAYS: &str = "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, mid: {kind: router}, core: {kind: switch}}
  links:
    main: {between: [site, core], cost: 1, latency: 10ms, detect: 900ms, converge: 1s}
    up: {between: [site, mid], cost: 10, latency: 10ms, detect: 900ms, converge: 1s}
    down: {between: [mid, core], cost: 10, latency: 10ms, detect: 900ms, converge: 1s}
  services: {app: {replicas: {a: {at: core}}}}
  populations: {staff: {at: {site: 640}}}
  journeys: {use: {calls: [app], timeout: 1s}}
timeline: [{id: cut, at: 10m, fault: partition, target: link/main, for: 1h}]
objectives: [{id: rto, rto: 1m, journey: use}]
settle: 10m
";

#[test]
fn a_link_that_is_cut_silently_is_not_routed_round() {
    // Both ends stay up, and routing sees nothing: until the end of the cut, though a way round
    // exists. One direction is enough to end a conversation.
    for sets in [
        &[] as &[&str],
        &["timeline.cut.one_way=in"],
        &["timeline.cut.one_way=out"],
    ] {
        let out = outcome(TWO_WAYS, sets);
        bit(&out, "cut", "partition");
        assert_eq!(rto(&out), d("1h"), "{sets:?}");
    }
    // An outage is noticed: 900 ms until it is, 1 s until packets go round.
    let out = outcome(TWO_WAYS, &["timeline.cut.fault=outage"]);
    bit(&out, "cut", "outage");
    assert_eq!(rto(&out), d("1900ms"));
    // Nor is there a way round without the other link: until the link is believed again.
    let out = outcome(
        TWO_WAYS,
        &["timeline.cut.fault=outage", "topology.links.down=null"],
    );
    assert_eq!(rto(&out), d("1h") + d("1900ms"));
}

#[test]
fn a_partition_between_two_places_leaves_the_rest_alone() {
    const HALVES: &str = "
assize: scenario/v1
topology:
  nodes: {east: {kind: site}, west: {kind: site}, core: {kind: switch}, dc: {kind: server}}
  links:
    e: {between: [east, core]}
    w: {between: [west, core]}
    d: {between: [core, dc]}
  services: {app: {replicas: {a: {at: dc}}}}
  populations: {staff: {at: {east: 300, west: 700}}}
  journeys: {use: {calls: [app]}}
timeline: [{id: cut, at: 10m, fault: partition, target: node/dc, against: [node/east], for: 30m}]
objectives: [{id: rto, rto: 1m, journey: use}]
settle: 10m
";
    for sets in [
        &[] as &[&str],
        &["timeline.cut.one_way=out"],
        &["timeline.cut.one_way=in"],
    ] {
        let out = outcome(HALVES, sets);
        bit(&out, "cut", "partition");
        let outages = &journey(&out).outages;
        assert_eq!(outages.len(), 1, "{sets:?} {outages:?}");
        assert!((outages[0].share - 0.3).abs() < 1e-9, "{outages:?}");
        assert_eq!(rto(&out), d("30m"), "{sets:?}");
    }
}

const ISLANDS: &str = "
assize: scenario/v1
topology:
  nodes: {near: {kind: site}, a: {kind: server}, b: {kind: server}, core: {kind: switch}}
  links:
    near-core: {between: [near, core]}
    a-core: {between: [a, core]}
    b-core: {between: [b, core], latency: 10ms}
  services:
    db:
      mode: active-standby
      replicas: {a: {at: a, role: primary}, b: {at: b}}
      failover:
        check: {every: 2s, timeout: 1s, fall: 3, rise: 2, phase: 1s, from: b}
        promote: 30s
        redirect: {dns_ttl: 0s}
        failback: never
      state: {replication: {mode: async, every: 5s}}
  populations: {writer: {at: {near: 64}}}
  journeys: {write: {ledger: db, rate: 1/s, timeout: 1s}}
timeline: [{id: alone, at: 10m, fault: isolate, target: node/a, for: 30m}]
objectives:
  - {id: rto, rto: 1m, journey: write}
  - {id: rpo, rpo: 5s, service: db}
  - {id: one, split_brain: never, service: db}
settle: 30m
";

#[test]
fn an_isolated_primary_is_replaced() {
    let out = outcome(ISLANDS, &[]);
    bit(&out, "alone", "isolate");
    // Checks at 601, 603 and 605 s end at 606 s; 30 s to promote.
    assert_eq!(rto(&out), d("36s"));
    // The shipment of 595 s was the last, and the write of 595 s came just after: 595 to 599 s are
    // missing. 600 - 595 = 5 s.
    let data = out.services[0].data.as_ref().expect("a ledger");
    assert_eq!(data.lost, 5, "{data:?}");
    assert_eq!(time(finding(&out, "rpo").measured), d("5s"));
    assert_eq!(finding(&out, "one").status, Status::Met);
}

/// At one instant a fault begins before a timer is due: without latency too, the shipment of 600 s
/// meets the fault.
#[test]
fn a_shipment_due_when_the_fault_begins_is_lost() {
    let out = outcome(ISLANDS, &["topology.links.b-core.latency=0s"]);
    let data = out.services[0].data.as_ref().expect("a ledger");
    assert_eq!(data.lost, 5, "{data:?}");
}

#[test]
fn a_cut_between_replicas_makes_two_writers() {
    // Each replica has clients beside it; only the line between the two is cut.
    let text = ISLANDS
        .replace(
            "near: {kind: site}, ",
            "near: {kind: site}, far: {kind: site}, ",
        )
        .replace(
            "near-core: {between: [near, core]}",
            "near-a: {between: [near, a]}\n    far-b: {between: [far, b]}",
        )
        .replace("{at: {near: 64}}", "{at: {near: 64, far: 64}}");
    let out = outcome(
        &text,
        &[
            "timeline.alone.fault=partition",
            "timeline.alone.target=link/a-core",
        ],
    );
    bit(&out, "alone", "partition");
    let one = finding(&out, "one");
    assert_eq!(one.status, Status::Missed, "{one:?}");
    // The clients beside the old primary never notice; the others until the promotion.
    let write = journey(&out);
    assert_eq!(write.peak_out, 0.5);
    assert_eq!(rto(&out), d("36s"));
    let data = out.services[0].data.as_ref().expect("a ledger");
    assert!(data.lost > 0, "{data:?}");
}

const WORSE: &str = "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, core: {kind: switch}}
  links: {wan: {between: [site, core], latency: 10ms, bandwidth: 100Mbit/s}}
  services: {app: {replicas: {a: {at: core}}}}
  populations: {staff: {at: {site: 640}}}
  journeys: {use: {calls: [app], timeout: 1s, round_trips: 2}}
timeline: [{id: bad, at: 10m, fault: degrade, target: link/wan, for: 30m, latency: 100ms}]
objectives:
  - {id: rto, rto: 1m, journey: use}
  - {id: slow, latency: 1s, journey: use}
settle: 10m
";

#[test]
fn delay_is_felt_and_breaks_what_has_no_time_for_it() {
    // 2 round trips of 2 × (10 + 100) ms = 440 ms of the 1 s.
    let out = outcome(WORSE, &[]);
    bit(&out, "bad", "degrade");
    assert_eq!(rto(&out), Nanos::ZERO);
    assert_eq!(time(finding(&out, "slow").measured), d("440ms"));
    // 2 × 2 × (10 + 245) = 1,020 ms.
    let out = outcome(WORSE, &["timeline.bad.latency=245ms"]);
    assert_eq!(rto(&out), d("30m"));
    // Jitter counts in full: 2 × 2 × (10 + 100 + 145) = 1,020 ms; with 130 ms 960 ms.
    let out = outcome(WORSE, &["timeline.bad.jitter=145ms"]);
    assert_eq!(rto(&out), d("30m"));
    let out = outcome(WORSE, &["timeline.bad.jitter=130ms"]);
    assert_eq!(rto(&out), Nanos::ZERO);
    assert_eq!(time(finding(&out, "slow").measured), d("960ms"));
}

#[test]
fn less_bandwidth_makes_transfers_too_long() {
    // 125 kB = 1 Mbit: 10 ms at 100 Mbit/s, 500 ms at 2 Mbit/s, 2 s at 500 kbit/s. Delay: 40 ms.
    let sets = |bandwidth: &str| {
        [
            format!("timeline.bad.bandwidth={bandwidth}"),
            "timeline.bad.latency=null".into(),
            "topology.journeys.use.receives=125kB".into(),
            "topology.journeys.use.rate=1/h".into(),
        ]
    };
    let run = |bandwidth| {
        let sets = sets(bandwidth);
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        outcome(WORSE, &sets)
    };
    let enough = run("2Mbit/s");
    bit(&enough, "bad", "degrade");
    assert_eq!(rto(&enough), Nanos::ZERO);
    assert_eq!(time(finding(&enough, "slow").measured), d("540ms"));
    let little = run("500kbit/s");
    assert_eq!(rto(&little), d("30m"));
    assert_eq!(journey(&little).peak_out, 1.0);
}

#[test]
fn lost_packets_cost_time_and_sometimes_the_attempt() {
    // One round trip of 20 ms: 2 packets. A loss costs 220 ms, and 200 ms are left of 220 ms: none
    // may be lost, 0.9² = 81 % get through.
    let tight = [
        "timeline.bad.latency=null",
        "timeline.bad.loss=10%",
        "topology.journeys.use.round_trips=1",
        "topology.journeys.use.timeout=220ms",
    ];
    let out = outcome(WORSE, &tight);
    bit(&out, "bad", "degrade");
    let share = served(journey(&out), d("20m"));
    assert!((share - 0.81).abs() < 1e-6, "{share}");
    // With 240 ms one may be lost: 0.81 + 2 × 0.1 × 0.81 = 97.2 %.
    let mut loose = tight;
    loose[3] = "topology.journeys.use.timeout=240ms";
    let share = served(journey(&outcome(WORSE, &loose)), d("20m"));
    assert!((share - 0.972).abs() < 1e-6, "{share}");
}

#[test]
fn errors_fail_their_share_and_retries_mend_most() {
    let out = outcome(
        WORSE,
        &["timeline.bad.latency=null", "timeline.bad.errors=20%"],
    );
    bit(&out, "bad", "degrade");
    let share = served(journey(&out), d("20m"));
    assert!((share - 0.8).abs() < 1e-6, "{share}");
    // Three tries: 1 - 0.2³ = 99.2 %.
    let out = outcome(
        WORSE,
        &[
            "timeline.bad.latency=null",
            "timeline.bad.errors=20%",
            "topology.journeys.use.retry={tries: 3}",
        ],
    );
    let share = served(journey(&out), d("20m"));
    assert!((share - 0.992).abs() < 1e-6, "{share}");
}

#[test]
fn a_circuit_with_less_capacity_is_too_slow() {
    // 125 kB = 1 Mbit over 1 % of 100 Mbit/s: 1 s, and 40 ms of delay, of 1 s.
    let text = WORSE.replace("fault: degrade", "fault: capacity-loss");
    let sets = [
        "timeline.bad.latency=null",
        "timeline.bad.left=1%",
        "topology.journeys.use.receives=125kB",
        "topology.journeys.use.rate=1/h",
    ];
    let out = outcome(&text, &sets);
    bit(&out, "bad", "capacity-loss");
    assert_eq!(rto(&out), d("30m"));
    // Over 2 %: 500 ms and 40 ms.
    let mut enough = sets;
    enough[1] = "timeline.bad.lost=98%";
    let out = outcome(&text, &enough);
    assert_eq!(rto(&out), Nanos::ZERO);
    assert_eq!(time(finding(&out, "slow").measured), d("540ms"));
}

#[test]
fn a_flow_that_is_cut_leaves_other_callers_alone() {
    let out = outcome(
        "
assize: scenario/v1
topology:
  services: {app: {needs: [db]}, other: {needs: [db]}, db: {}}
  journeys: {use: {calls: [app]}, use-other: {calls: [other]}}
timeline: [{id: cut, at: 10m, fault: outage, target: flow/app->db, for: 10m}]
objectives: [{id: rto, rto: 1m, journey: use}]
settle: 10m
",
        &[],
    );
    bit(&out, "cut", "outage");
    assert_eq!(rto(&out), d("10m"));
    let other = &out.populations[0].journeys[1];
    assert_eq!((other.id.as_str(), other.availability), ("use-other", 1.0));
}

const ONE_WAY: &str = "
assize: scenario/v1
topology:
  nodes: {east: {kind: site}, core: {kind: switch}, dc: {kind: server}}
  links: {e: {between: [east, core]}, d: {between: [core, dc]}}
  services: {db: {mode: single, replicas: {a: {at: dc}}, state: {}}}
  populations: {staff: {at: {east: 64}}}
  journeys: {write: {ledger: db, rate: 1/s, timeout: 1s}}
timeline: [{id: cut, at: 10m, fault: partition, target: node/dc, against: [node/east], one_way: out, for: 10m}]
objectives: [{id: duplicates, duplicates: 0, service: db}]
settle: 10m
";

/// Acknowledged, indeterminate and duplicated writes.
fn fates(out: &Outcome) -> (u64, u64, u64) {
    let data = out.services[0].data.as_ref().expect("a ledger");
    (data.acknowledged, data.indeterminate, data.duplicated)
}

#[test]
fn writes_whose_answers_are_lost_are_indeterminate() {
    // One a second for ten minutes arrives; in the other direction none does. 0 to 1,800 s are
    // 1,801 writes.
    assert_eq!(fates(&outcome(ONE_WAY, &[])), (1201, 600, 0));
    let inward = outcome(ONE_WAY, &["timeline.cut.one_way=in"]);
    assert_eq!(fates(&inward), (1201, 0, 0));
}

#[test]
fn a_write_without_an_answer_that_is_tried_again_is_there_twice() {
    // Tries at 0, 2 and 4 s: who wrote at 1,196 to 1,199 s gets the answer of a later try.
    const RETRY: [&str; 2] = [
        "topology.journeys.write.timeout=10s",
        "topology.journeys.write.retry={tries: 3, wait: 1s, each: 1s}",
    ];
    let out = outcome(ONE_WAY, &RETRY);
    assert_eq!(fates(&out), (1205, 596, 4));
    assert_eq!(finding(&out, "duplicates").status, Status::Missed);
    let once = [
        RETRY[0],
        RETRY[1],
        "topology.journeys.write.idempotent=true",
    ];
    assert_eq!(fates(&outcome(ONE_WAY, &once)), (1205, 596, 0));
}

#[test]
fn a_share_of_errors_is_that_share_of_the_writes() {
    // A quarter of 400 writes ends in an error, done or not.
    let errors =
        ["timeline.cut={id: cut, at: 10m, fault: degrade, target: link/d, errors: 25%, for: 400s}"];
    assert_eq!(fates(&outcome(ONE_WAY, &errors)).1, 100);
}

#[test]
fn a_failure_that_is_over_when_routing_acts_was_noticed_all_the_same() {
    // Down for 1 s and noticed after 0.9 s. When routing has converged 1 s later, the link has
    // been back, and is down again for 300 ms, which nobody notices.
    let out = outcome(
        "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, dc: {kind: server}}
  links: {l: {between: [site, dc], detect: 900ms, converge: 1s}}
  services: {app: {replicas: {a: {at: dc}}}}
  populations: {u: {at: {site: 64}}}
  journeys: {use: {calls: [app], timeout: 2s}}
timeline:
  - {id: f, at: 60s, fault: outage, target: link/l, for: 1s}
  - {id: g, at: 61.2s, fault: outage, target: link/l, for: 300ms}
objectives: [{id: seen, detection: 1s, fault: f}, {id: unseen, detection: 1s, fault: g}]
settle: 5m
",
        &[],
    );
    assert_eq!(time(finding(&out, "seen").measured), Nanos::millis(900));
    assert_eq!(finding(&out, "unseen").measured_text, "never");
}
