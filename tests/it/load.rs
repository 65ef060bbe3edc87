//! Demand against capacity: figures worked out by hand.

use crate::worked::{finding, outcome, time};
use assize_fault::Nanos;
use assize_model::finding::Status;

const OVERLOAD: &str = "
assize: scenario/v1
topology:
  services:
    app:
      replicas: [a, b]
      capacity: 100/s
      queue: {max: 200, when_full: refuse}
      failover: {check: {every: 2s, timeout: 1s, fall: 3, phase: 1s}, failback: {after: 0s}}
  populations: {staff: {users: 1500, makes: {use: 0.1/s}}}
  journeys: {use: {calls: [app], timeout: 3s}}
timeline: [{id: half, at: 0s, fault: outage, target: service/app/b, how: refuse, for: 10m}]
objectives:
  - {id: rto, rto: 1m, journey: use}
  - {id: rto-60, rto: 10s, journey: use, level: 60%}
  - {id: backlog, backlog: 5s, service: app}
settle: 10m
";

#[test]
fn half_of_the_replicas_serve_two_thirds_of_the_demand() {
    let out = outcome(OVERLOAD, &[]);
    // 1,500 users ask 150 times a second. From 5 s (the third refused check) all of it goes to
    // the replica that is left: 50 a second too many fill its queue of 200 by 9 s, and from
    // then on 100 of 150 are served.
    let journey = &out.populations[0].journeys[0];
    let overloaded = journey
        .outages
        .iter()
        .find(|o| (o.share - 1.0 / 3.0).abs() < 1e-6);
    let overloaded = overloaded.expect("a third is not served");
    assert_eq!(
        overloaded.from_offset,
        Nanos::secs(9),
        "{:?}",
        journey.outages
    );
    // Before, half of the users met the dead replica.
    assert!(journey.outages.iter().any(|o| (o.share - 0.5).abs() < 1e-9));
    // Two thirds are above 60 %; the half before is not.
    assert_eq!(time(finding(&out, "rto-60").measured), Nanos::secs(5));
    // The replica is back at 600 s and called up at the second good check: 601 and 603 s.
    assert_eq!(time(finding(&out, "rto").measured), Nanos::secs(603));
}

#[test]
fn without_a_bound_and_with_retries_it_stays_down_for_good() {
    // Both replicas are back, demand is below capacity as it always was, but what waits is
    // older than three seconds, so every attempt makes its three tries: 450 a second for 200.
    let sets = [
        "topology.services.app.queue=null",
        "topology.journeys.use.retry={tries: 3, wait: 0s, each: 1s}",
    ];
    let out = outcome(OVERLOAD, &sets);
    let rto = finding(&out, "rto");
    assert_eq!(rto.status, Status::Missed);
    assert!(
        rto.measured_text.contains("still open"),
        "{}",
        rto.measured_text
    );
    assert_eq!(out.services[0].amplification, Some(3.0));
    // With one try it is 150 for 200, and what waits is worked off.
    let out = outcome(OVERLOAD, &["topology.services.app.queue=null"]);
    let rto = finding(&out, "rto");
    assert!(
        !rto.measured_text.contains("still open"),
        "{}",
        rto.measured_text
    );
    // 50 too many a second from 5 s to 603 s: 29,900 wait, 50 fewer every second; from 600
    // (three seconds of two replicas' work) on, attempts are in time again.
    assert_eq!(time(rto.measured), Nanos::secs(603 + (29_900 - 600) / 50));
}

#[test]
fn a_narrow_link_carries_its_share() {
    // 100 sites with ten users each, a megabit per user every ten seconds: 1 Mbit/s a site on a
    // circuit of 2 Mbit/s, and 100 Mbit/s on the link behind. The fault leaves 40 of them.
    let out = outcome(
        "
assize: scenario/v1
topology:
  nodes: {office: {kind: site, count: 100}, hub: {kind: switch}, dc: {kind: server}}
  links:
    wan: {between: [[office], hub], bandwidth: 2Mbit/s}
    trunk: {between: [hub, dc], bandwidth: 1Gbit/s}
  services: {app: {replicas: {a: {at: dc}}}}
  populations: {staff: {at: {office: 1000}, makes: {use: 0.1/s}}}
  journeys: {use: {calls: [app], timeout: 30s, receives: 125kB}}
timeline: [{id: narrow, at: 1m, fault: degrade, target: link/trunk, bandwidth: 40Mbit/s, for: 5m}]
objectives: [{id: rto, rto: 1m, journey: use}]
settle: 5m
",
        &[],
    );
    let outages = &out.populations[0].journeys[0].outages;
    assert_eq!(outages.len(), 1, "{outages:?}");
    assert!((outages[0].share - 0.6).abs() < 1e-6, "{outages:?}");
    assert_eq!(time(finding(&out, "rto").measured), Nanos::mins(5));
    assert!(out.faults[0].bit);
}

#[test]
fn an_overloaded_service_passes_on_only_what_it_serves() {
    // 150 a second through front (100/s) to back (100/s): a third is refused at the front, and
    // the back is just not overloaded.
    let out = outcome(
        "
assize: scenario/v1
topology:
  services:
    back: {capacity: 100/s, queue: {max: 10}}
    front: {capacity: 200/s, queue: {max: 10}, depends: [back]}
  populations: {staff: {users: 1500, makes: {use: 0.1/s}}}
  journeys: {use: {calls: [front], timeout: 3s}}
timeline: [{id: less, at: 1m, fault: capacity-loss, target: service/front, left: 50%, for: 5m}]
objectives: [{id: rto, rto: 1m, journey: use}]
settle: 5m
",
        &["topology.services.back.capacity=150/s"],
    );
    let journey = &out.populations[0].journeys[0];
    let worst = journey.outages.iter().map(|o| o.share).fold(0.0, f64::max);
    assert!((worst - 1.0 / 3.0).abs() < 1e-6, "{:?}", journey.outages);
    let out = outcome(
        "
assize: scenario/v1
topology:
  services:
    back: {capacity: 100/s, queue: {max: 10}}
    front: {capacity: 100/s, queue: {max: 10}, depends: [back]}
  populations: {staff: {users: 1500, makes: {use: 0.1/s}}}
  journeys: {use: {calls: [front], timeout: 3s}}
timeline: [{id: none, at: 1m, fault: outage, target: service/back, for: 1s}]
settle: 5m
",
        &[],
    );
    let journey = &out.populations[0].journeys[0];
    let last = journey.outages.last().expect("always overloaded");
    assert!(
        (last.share - 1.0 / 3.0).abs() < 1e-6,
        "{:?}",
        journey.outages
    );
}

#[test]
fn a_storm_gets_what_the_requests_of_users_leave() {
    // From 360 s on, 6,400 users without a lease ask `dir` (100/s), and call it 80 times a second
    // once all of them have one. With a of them through, 100 - 80 a / 6,400 more get theirs each
    // second: a(t) = 8,000 (1 - exp(-t / 80)), all at 80 ln 5 = 128.755 s. In 64 steps of 100
    // users, each at the rate before it, it is the sum of 80 / (80 - k), 126.780 s; cohorts
    // that are partly through lie between. Apart, storm and calls would take 64 s.
    let out = outcome(
        "
assize: scenario/v1
topology:
  nodes: {s: {kind: site}, r: {kind: router}, dc: {kind: data-centre}, dc2: {kind: data-centre}}
  links: {a: {between: [s, r]}, b: {between: [r, dc]}, c: {between: [r, dc2]}}
  access: {w: {via: [a], needs: [{service: dir, cached_for: {renew: 100s, expire: 200s}}]}}
  services:
    dir: {replicas: {a: {at: dc}}, capacity: 100/s, queue: {max: 200, when_full: refuse, stale_after: 3s}}
    app: {replicas: {a: {at: dc2}}}
  populations: {u: {at: {s: 6400}, access: [w], makes: {j: 0.0125/s}}}
  journeys: {j: {calls: [app, dir], timeout: 3s}}
timeline: [{id: f, at: 60s, fault: outage, target: link/b, for: 300s}]
objectives: [{id: rto, rto: 1m, journey: j}]
end: 20m
",
        &[],
    );
    let all_through = time(finding(&out, "rto").measured) - Nanos::secs(300);
    assert!(
        (Nanos::millis(126_780)..=Nanos::millis(128_756)).contains(&all_through),
        "{all_through}"
    );
}

const RUSH: &str = "
assize: scenario/v1
topology:
  nodes: {s: {kind: site}, dc: {kind: server}}
  links: {l: {between: [s, dc]}}
  services: {one: {replicas: {a: {at: dc}}, capacity: 100/s, queue: {max: 250, when_full: refuse}}}
  populations: {u: {at: {s: 1000}, makes: {j: 0.08/s}, demand: {\"09:01-09:03\": 2x}}}
  journeys: {j: {calls: [one], timeout: 3s}}
timeline: [{id: f, at: 20s, fault: capacity-loss, left: 99%, target: service/one, for: 10s}]
objectives: [{id: latency, latency: 1s, journey: j}]
end: 20m
";

#[test]
fn what_waits_is_part_of_latency() {
    // 160 a second for 100 from 60 s on: the queue of 250 is full 250 / 60 = 4.167 s later, and
    // who is served then has waited 250 / 100 = 2.5 s. 60 of 160 are refused.
    let out = outcome(RUSH, &[]);
    assert_eq!(time(finding(&out, "latency").measured), Nanos::millis(2500));
    assert_eq!(finding(&out, "latency").status, Status::Missed);
    let outages = &out.populations[0].journeys[0].outages;
    assert_eq!(outages.len(), 1, "{outages:?}");
    assert!((outages[0].share - 0.375).abs() < 1e-9, "{outages:?}");
}

#[test]
fn the_way_takes_part_of_the_time_that_a_client_waits() {
    // The way takes 2 x 500 ms of the three seconds, so a wait of more than 2 s is too long: 200
    // wait at 60 + 200 / 60 = 63.333 s, and nobody is served in time. From 180 s on 80 a second
    // come for 100: of the 250 that wait 50 are gone at 182.5 s, and all are in time again.
    let out = outcome(RUSH, &["topology.links.l.latency=500ms"]);
    let outages = &out.populations[0].journeys[0].outages;
    assert_eq!(outages.len(), 1, "{outages:?}");
    assert!((outages[0].share - 1.0).abs() < 1e-9, "{outages:?}");
    let (from, to) = (outages[0].from_offset, outages[0].to_offset);
    assert_eq!((from.0 / 1_000_000, to), (63_333, Nanos::millis(182_500)));
    // The slowest that is served: the whole of its time.
    assert_eq!(time(finding(&out, "latency").measured), Nanos::secs(3));
}
