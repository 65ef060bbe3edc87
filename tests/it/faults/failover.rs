//! Services that fail, and what the control plane makes of it: checks that lie, promotions that
//! fail, shards, capacity.

use super::*;

const PAIR: &str = "
assize: scenario/v1
topology:
  services:
    db:
      mode: active-standby
      replicas: [a, b]
      failover:
        check: {every: 2s, timeout: 1s, fall: 3, rise: 2, phase: 1s}
        promote: 30s
        redirect: {dns_ttl: 60s}
        failback: never
  journeys:
    query: {calls: [db], timeout: 10s}
timeline:
  - {id: gone, at: 0s, fault: outage, target: service/db/a, how: blackhole, for: 1h}
  - {id: other, at: 0s, fault: FAULT, target: service/db, for: 1h}
objectives:
  - {id: rto, rto: 15m, journey: query}
  - {id: detection, detection: 7s, fault: gone}
settle: 2h
";

#[test]
fn a_crash_is_noticed_sooner_than_a_black_hole() {
    // Refused at 1, 3 and 5 s, each at once: detected at 5 s, a second before the black hole's.
    let crash = outcome(PAIR, &["timeline.other=null", "timeline.gone.how=refuse"]);
    bit(&crash, "gone", "outage");
    assert_eq!(time(finding(&crash, "detection").measured), d("5s"));
    assert_eq!(rto(&crash), Nanos(94_531_250_000));
    let hole = outcome(PAIR, &["timeline.other=null"]);
    assert_eq!(time(finding(&hole, "detection").measured), d("6s"));
    assert_eq!(rto(&hole), Nanos(95_531_250_000));
}

#[test]
fn a_promotion_that_fails_leaves_the_outage_to_the_fault() {
    let text = PAIR.replace("FAULT", "failed-promotion");
    let out = outcome(&text, &[]);
    bit(&out, "other", "failed-promotion");
    // Detected as ever, and nobody was sent elsewhere: served again when the primary is.
    assert_eq!(time(finding(&out, "detection").measured), d("6s"));
    assert_eq!(rto(&out), d("1h"));
    // The standby never served.
    let standby = |r: &assize_model::finding::ServedBy| r.replica == "b";
    assert!(!out.services[0].served_by.iter().any(standby));
    // A promotion that nobody tries is not met: nothing is down.
    let idle = outcome(&text, &["timeline.gone=null", "objectives.detection=null"]);
    assert!(!fault(&idle, "other").bit);
    assert_eq!(finding(&idle, "rto").status, Status::Inconclusive);
}

#[test]
fn a_promotion_is_tried_again_until_it_succeeds() {
    // Tried at 6 s and every 30 s since; the one of 576 s is done at 606 s, when the fault is over.
    // The last of 64 cohorts has its name 63.5/64 of 60 s later.
    let text = PAIR.replace("FAULT", "failed-promotion");
    let out = outcome(&text, &["timeline.other.for=10m"]);
    bit(&out, "other", "failed-promotion");
    assert_eq!(rto(&out), d("606s") + Nanos(59_531_250_000));
}

#[test]
fn a_lying_check_is_green_while_users_fail() {
    let text = PAIR.replace("FAULT", "lying-check");
    let out = outcome(&text, &["timeline.gone.how=refuse"]);
    bit(&out, "other", "lying-check");
    // The machine is well, so the checker sees green, and nobody is promoted for an hour.
    assert_eq!(finding(&out, "detection").measured, None);
    assert_eq!(finding(&out, "detection").status, Status::Missed);
    assert_eq!(rto(&out), d("1h"));
    assert_eq!(journey(&out).peak_out, 1.0);
    let a = &out.services[0].served_by;
    assert!(a.iter().all(|s| s.replica == "a"), "{a:?}");
}

#[test]
fn a_lying_check_keeps_a_dead_replica_in_rotation() {
    let text = PAIR
        .replace("FAULT", "lying-check")
        .replace("active-standby", "active-active");
    let out = outcome(&text, &["timeline.gone.how=refuse"]);
    bit(&out, "other", "lying-check");
    // Half of the users are on it, for the whole hour.
    assert_eq!(journey(&out).peak_out, 0.5);
    assert_eq!(rto(&out), d("1h"));
    assert_eq!(journey(&out).lost_per_user, d("30m"));
    // With honest checks it is out of rotation after 5 s.
    let honest = outcome(
        &text,
        &[
            "timeline.gone.how=refuse",
            "timeline.other=null",
            "topology.services.db.failover.redirect=vip",
        ],
    );
    assert_eq!(rto(&honest), d("5s"));
}

#[test]
fn a_shard_takes_its_own_users_only() {
    let out = outcome(
        "
assize: scenario/v1
topology:
  services: {store: {mode: sharded, shards: 4, replicas: [a, b]}}
  journeys: {read: {calls: [store]}}
timeline: [{id: one, at: 10m, fault: shard-outage, target: service/store/2, for: 90m}]
objectives:
  - {id: rto, rto: 1h, journey: read}
  - {id: rto-75, rto: 1h, journey: read, level: 75%}
settle: 20m
",
        &[],
    );
    bit(&out, "one", "shard-outage");
    let read = journey(&out);
    assert_eq!(read.peak_out, 0.25);
    assert_eq!(rto(&out), d("90m"));
    assert_eq!(finding(&out, "rto").status, Status::Missed);
    assert_eq!(finding(&out, "rto-75").status, Status::Met);
    // 16 of 64 cohorts for 90 of 120 min: 1 - 0.25 × 0.75.
    assert_eq!(read.availability, 1.0 - 0.25 * 0.75);
}

#[test]
fn a_service_that_flaps_is_out_each_time() {
    let out = outcome(
        "
assize: scenario/v1
topology:
  services: {app: {}}
  journeys: {use: {calls: [app]}}
timeline: [{id: loop, at: 0s, fault: flap, target: service/app, down: 2m, up: 3m, for: 20m}]
objectives:
  - {id: rto, rto: 1m, journey: use}
  - {id: often, outages: {max: 3, total: 10m}, journey: use}
  - {id: as-one, rto: 1h, journey: use, stable_for: 4m}
settle: 20m
",
        &[],
    );
    bit(&out, "loop", "flap");
    let starts: Vec<Nanos> = journey(&out)
        .outages
        .iter()
        .map(|o| o.from_offset)
        .collect();
    assert_eq!(starts, [d("0s"), d("5m"), d("10m"), d("15m")]);
    assert_eq!(rto(&out), d("2m"));
    // 8 of 40 min.
    assert!((journey(&out).availability - 0.8).abs() < 1e-12);
    assert_eq!(finding(&out, "often").status, Status::Missed);
    // Bridged where they are less than 4 min apart: from 0 to 17 min.
    assert_eq!(time(finding(&out, "as-one").measured), d("17m"));
}

/// 100 requests a second for 100 a second, then for 40.
const BUSY: &str = "
assize: scenario/v1
topology:
  services: {app: {capacity: 200/s, queue: {max: 10, when_full: refuse}}}
  journeys: {use: {calls: [app], rate: 100/s, timeout: 10s}}
timeline: [{id: less, at: 10m, fault: capacity-loss, target: service/app, left: 20%, for: 10m}]
objectives: [{id: rto, rto: 1m, journey: use}]
settle: 10m
";

#[test]
fn a_service_with_less_capacity_serves_less() {
    let out = outcome(BUSY, &[]);
    bit(&out, "less", "capacity-loss");
    // 40 of 100 a second are served, from the moment at which ten wait until the fault ends.
    let share = served(journey(&out), d("15m"));
    assert!((share - 0.4).abs() < 1e-6, "{share}");
    assert_eq!(finding(&out, "rto").status, Status::Missed);
    // Half is still enough for all.
    let half = outcome(BUSY, &["timeline.less.left=50%"]);
    bit(&half, "less", "capacity-loss");
    assert_eq!(rto(&half), Nanos::ZERO);
}

#[test]
fn who_stays_with_an_old_primary_reads_old_values() {
    // `n` is cut off but for the sites beside it at 60 s. Checks at 61, 63 and 65 s get no answer
    // within 1 s, so `s` is primary from 66 + 30 s on; until 160 s the old one goes on. 64 reads.
    let out = outcome(
        "
assize: scenario/v1
topology:
  nodes: {east: {kind: site}, west: {kind: site}, core: {kind: switch}, n: {kind: server}, s: {kind: server}}
  links:
    beside: {between: [east, n]}
    ln: {between: [n, core], detect: 1h}
    ls: {between: [s, core]}
    lw: {between: [west, core]}
  services:
    db:
      mode: active-standby
      replicas: {n: {at: n}, s: {at: s}}
      failover: {check: {every: 2s, timeout: 1s, fall: 3, phase: 1s, from: [core]}, promote: 30s, redirect: vip, failback: never}
      state: {replication: {mode: async, every: 5s}}
  populations: {e: {at: {east: 64}, makes: {look: 1/h}}, w: {at: {west: 64}, makes: {write: 1/h}}}
  journeys: {look: {calls: [db], rate: 1/s, timeout: 1s}, write: {ledger: db, rate: 1/s, timeout: 1s}}
timeline: [{id: cut, at: 60s, fault: outage, target: link/ln, for: 100s}]
objectives: [{id: rpo, rpo: 5s, service: db}]
end: 10m
",
        &[],
    );
    let data = out.services[0].data.as_ref().expect("a ledger");
    assert_eq!(data.stale, 64, "{data:?}");
}

#[test]
fn who_needs_a_sharded_service_loses_the_users_of_the_shard() {
    // One of eight shards is 8 of 64 cohorts, with the service itself and with one that needs it.
    let out = outcome(
        "
assize: scenario/v1
topology:
  services:
    mail: {mode: sharded, shards: 8, replicas: [a]}
    web: {depends: [mail]}
  populations: {u: {users: 640, makes: {direct: 1/h, through: 1/h}}}
  journeys: {direct: {calls: [mail], timeout: 2s}, through: {calls: [web], timeout: 2s}}
timeline: [{id: f, at: 1m, fault: shard-outage, target: service/mail/3, for: 1m}]
objectives: [{id: rto, rto: 2m, journey: through}]
settle: 5m
",
        &[],
    );
    for journey in &out.populations[0].journeys {
        let shares: Vec<f64> = journey.outages.iter().map(|o| o.share).collect();
        assert_eq!(shares, [0.125], "{}", journey.id);
    }
}

#[test]
fn a_replica_that_nobody_reaches_does_not_serve() {
    let out = outcome(
        "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, core: {kind: switch}, n: {kind: server}, s: {kind: server}}
  links: {l: {between: [site, core]}, ln: {between: [n, core]}, ls: {between: [s, core]}}
  services:
    app:
      mode: active-active
      replicas: {n: {at: n}, s: {at: s}}
      failover: {check: {every: 2s, timeout: 1s, fall: 3, phase: 1s, from: [core]}, redirect: vip}
  populations: {u: {at: {site: 64}}}
  journeys: {use: {calls: [app], timeout: 2s}}
timeline: [{id: f, at: 1m, fault: outage, target: link/ls, for: 1m}]
objectives: [{id: rto, rto: 2m, journey: use}]
settle: 5m
",
        &[],
    );
    let served = out.services[0]
        .served_by
        .iter()
        .filter(|s| s.replica == "s");
    let from: Vec<&str> = served.map(|s| s.to.as_str()).collect();
    assert_eq!(from.len(), 2, "{from:?}");
    assert!(from[0].starts_with("2025-01-06T09:01:00Z"), "{from:?}");
}
