//! The worked examples that fix what each figure means: small files, exact figures.

use assize_fault::Nanos;
use assize_model::file::{LoadOptions, MemorySource, load_scenario};
use assize_model::finding::{Finding, Outcome, Status, Value};
use assize_model::judge::judge;
use assize_model::plan::Plan;
use std::path::Path;

/// Simulates a scenario given as text and judges it.
#[track_caller]
pub(crate) fn outcome(text: &str, sets: &[&str]) -> Outcome {
    outcome_with_seed(text, sets, 1)
}

#[track_caller]
pub(crate) fn outcome_with_seed(text: &str, sets: &[&str], seed: u64) -> Outcome {
    let source = MemorySource::new([("s.yaml", text)]);
    let options = LoadOptions {
        sets: sets.iter().map(|s| (*s).to_string()).collect(),
        ..LoadOptions::default()
    };
    let (topology, scenario, _) = match load_scenario(&source, Path::new("s.yaml"), &options) {
        Ok(loaded) => loaded,
        Err(problems) => panic!("{problems}"),
    };
    let plan = Plan::new(&topology, &scenario, seed);
    let journal = assize_sim::simulate_with_solos(&plan, 1);
    judge(&plan, &journal, Vec::new())
}

#[track_caller]
pub(crate) fn finding<'a>(outcome: &'a Outcome, objective: &str) -> &'a Finding {
    let found = outcome.findings.iter().find(|f| f.objective == objective);
    found.unwrap_or_else(|| {
        let all: Vec<_> = outcome.findings.iter().map(|f| &f.objective).collect();
        panic!("no finding {objective} among {all:?}")
    })
}

pub(crate) fn time(value: Option<Value>) -> Nanos {
    match value {
        Some(Value::Time(time)) => time,
        other => panic!("not a time: {other:?}"),
    }
}

fn secs(text: &str) -> Nanos {
    Nanos::parse(text).expect("a duration")
}

const FAILOVER: &str = "
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
        failback: {after: 10m}
  journeys:
    query: {calls: [db], timeout: 10s}
timeline: [{id: gone, at: 0s, fault: outage, target: service/db/a, how: blackhole, for: 1h}]
objectives:
  - {id: rto, rto: 15m, journey: query}
  - {id: detection, detection: 7s}
settle: 2h
";

#[test]
fn a_active_standby_with_dns() {
    let out = outcome(FAILOVER, &[]);
    let rto = finding(&out, "rto");
    // Checks at 1, 3, 5 s fail; the third's timeout ends at 6 s; promoted at 36 s; the last of
    // 64 cohorts looks the name up 60 s × 63.5/64 = 59.53 s later.
    assert_eq!(time(finding(&out, "detection").measured), secs("6s"));
    assert_eq!(time(rto.measured), Nanos(95_531_250_000));
    assert_eq!(rto.status, Status::Met);
    let journey = &out.populations[0].journeys[0];
    // Two outages: the failure, and the return 10 minutes after the home replica is well.
    assert_eq!(journey.rto_outages.len(), 2, "{:?}", journey.rto_outages);
    // The first alone: 36 s + 30 s on average.
    let alone = outcome(FAILOVER, &["topology.services.db.failover.failback=never"]);
    assert_eq!(alone.populations[0].journeys[0].lost_per_user, secs("66s"));
    assert_eq!(alone.populations[0].journeys[0].rto_outages.len(), 1);
}

#[test]
fn a_detection_lies_between_two_and_three_intervals_and_the_timeout() {
    for seed in 0..40 {
        for (how, from, to) in [("blackhole", "5s", "7s"), ("refuse", "4s", "6s")] {
            let sets = [
                "topology.services.db.failover.check.phase=null".to_string(),
                format!("timeline.gone.how={how}"),
            ];
            let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
            let out = outcome_with_seed(FAILOVER, &sets, seed);
            let detected = time(finding(&out, "detection").measured);
            assert!(
                secs(from) <= detected && detected < secs(to),
                "seed {seed}: {detected}"
            );
        }
    }
}

const LEASES: &str = "
assize: scenario/v1
topology:
  nodes: {office: {kind: site}}
  services:
    dhcp: {}
    mail: {}
  access:
    wired: {needs: [{service: dhcp, cached_for: {renew: 2000s, expire: 4000s}}]}
  populations:
    staff: {at: {office: 1000}, access: [wired]}
  journeys:
    read: {calls: [mail]}
timeline: [{id: silent, at: 0s, fault: address-assignment-failure, target: service/dhcp, for: 2500s}]
objectives:
  - {id: rto, rto: 10m, journey: read}
  - {id: rto-75, rto: 10m, journey: read, level: 75%}
settle: 1h
";

#[test]
fn b_leases_run_out_evenly_and_late() {
    let short = outcome(LEASES, &["timeline.silent.for=1800s"]);
    assert_eq!(time(finding(&short, "rto").measured), Nanos::ZERO);
    assert_eq!(finding(&short, "rto").status, Status::Met);
    assert!(
        short.faults[0].bit,
        "a renewal met it: {}",
        short.faults[0].evidence
    );

    let long = outcome(LEASES, &[]);
    let rto = finding(&long, "rto");
    assert_eq!(time(rto.measured), Nanos(484_375_000_000));
    let onset = rto
        .details
        .iter()
        .find(|d| d.name == "onset")
        .and_then(|d| d.value);
    assert_eq!(time(onset), Nanos(2_015_625_000_000));
    let journey = &long.populations[0].journeys[0];
    assert_eq!(journey.peak_out, 0.25);
    assert_eq!(journey.lost_per_user, Nanos(62_500_000_000));
    assert_eq!(time(finding(&long, "rto-75").measured), Nanos::ZERO);
}

const LEDGER: &str = "
assize: scenario/v1
topology:
  nodes:
    site: {kind: site}
    a: {kind: server}
    b: {kind: server}
  links:
    near: {between: [site, a], latency: 0s}
    far: {between: [a, b], latency: 10ms}
    round: {between: [site, b], latency: 0s, cost: 100}
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
  populations: {writer: {at: {site: 1}}}
  journeys:
    write: {ledger: db, rate: 1/s, timeout: 1s}
timeline: [{id: gone, at: 63.5s, fault: outage, target: node/a}]
objectives: [{id: rpo, rpo: 5s, service: db}]
end: 10m
";

#[test]
fn c_writes_not_shipped_are_lost() {
    // The site must not depend on node a for its path to b.
    let out = outcome(LEDGER, &[]);
    let rpo = finding(&out, "rpo");
    let data = out.services[0].data.as_ref().expect("a ledger");
    assert_eq!(data.lost, 4);
    assert_eq!(time(rpo.measured), secs("3.5s"));
    assert_eq!(time(rpo.error), secs("1s"));
    assert_eq!(rpo.status, Status::Met);
}

#[test]
fn c_an_isolated_primary_goes_on_acknowledging() {
    let out = outcome(
        LEDGER,
        &[
            "timeline.gone.at=64s",
            "timeline.gone.for=60s",
            "timeline.gone.fault=isolate",
            "timeline.gone.target=node/a",
            "timeline.gone.spare=[node/site]",
            "topology.links.round=null",
        ],
    );
    let data = out.services[0].data.as_ref().expect("a ledger");
    assert_eq!(data.lost, 65, "{data:?}");
    assert_eq!(time(finding(&out, "rpo").measured), secs("64s"));
}

#[test]
fn c_a_stale_primary_that_takes_over_again_loses_the_time_between() {
    let out = outcome(
        LEDGER,
        &[
            "timeline.gone.at=64s",
            "timeline.gone.for=2h",
            // Checks at 65, 67, 69 s: called down at 70 s, six seconds after the fault.
            "topology.services.db.failover.rejoin=as-primary",
            "end=3h",
        ],
    );
    let rpo = finding(&out, "rpo");
    assert_eq!(time(rpo.measured), secs("7164s"), "{rpo:?}");
    let recovery = rpo
        .details
        .iter()
        .find(|d| d.name == "at_recovery")
        .and_then(|d| d.value);
    assert_eq!(time(recovery), secs("4s"));
}

const STORM: &str = "
assize: scenario/v1
topology:
  nodes: {campus: {kind: site}}
  services:
    radius: {capacity: 278/s, queue: {max: 834, when_full: refuse, stale_after: 3s}}
    mail: {}
  access:
    wifi:
      needs:
        - service: radius
          cached_for: {renew: 1h, expire: 1h}
          try: {lasts: 3s, again: 2s}
  populations:
    devices: {at: {campus: 20000}, access: [wifi]}
  journeys:
    read: {calls: [mail]}
timeline: [{id: down, at: 0s, fault: outage, target: service/radius, for: 2h}]
objectives: [{id: back, rto: 2m, journey: read, from: fault_end}]
settle: 1h
";

#[test]
fn d_a_fresh_bounded_queue_recovers_and_a_stale_one_never_does() {
    let fresh = outcome(STORM, &[]);
    let back = time(finding(&fresh, "back").measured);
    // 20,000 / 278 per second = 71.942 s.
    assert_eq!(back.0 / 1_000_000, 71_942);

    let stale = outcome(
        STORM,
        &[
            "topology.services.radius.queue.max=null",
            "topology.services.radius.queue.stale_after=null",
        ],
    );
    assert_eq!(finding(&stale, "back").status, Status::Missed);
    let outages = &stale.populations[0].journeys[0].outages;
    let last = outages.last().expect("still out at the end");
    // 278 × 3 s = 834 of 20,000 are in, and never more.
    assert!(
        (last.share - (1.0 - 834.0 / 20_000.0)).abs() < 1e-9,
        "{last:?}"
    );
    let settled = outages.iter().find(|o| (o.share - last.share).abs() < 1e-9);
    assert_eq!(
        settled.map(|o| o.from_offset),
        Some(Nanos::hours(2) + secs("3s"))
    );
}

const TWO_FAULTS: &str = "
assize: scenario/v1
topology:
  services: {app: {}}
  journeys: {use: {calls: [app]}}
timeline:
  - {id: A, at: 0s, fault: outage, target: service/app, for: 10m}
  - {id: B, at: 5m, fault: outage, target: service/app, for: 10m}
objectives: [{id: rto, rto: 1m, journey: use}]
settle: 10m
";

#[test]
fn e_an_outage_with_two_causes_is_shared_between_them() {
    let out = outcome(TWO_FAULTS, &[]);
    let rto = finding(&out, "rto");
    assert_eq!(time(rto.measured), secs("15m"));
    let parts: Vec<_> = rto
        .attribution
        .iter()
        .map(|a| (a.cause.as_str(), a.time, a.joint))
        .collect();
    assert_eq!(
        parts,
        vec![
            ("A", secs("7m30s"), secs("2m30s")),
            ("B", secs("7m30s"), secs("2m30s"))
        ]
    );
}

const SITES: &str = "
assize: scenario/v1
topology:
  nodes: {crown: {kind: site, count: 84}, rest: {kind: site, count: 100}, core: {kind: switch}}
  links: {wan: {between: [[crown, rest], core]}}
  services: {app: {replicas: {a: {at: core}}}}
  populations: {staff: {at: {crown: 6720, rest: 9776}}}
  journeys: {use: {calls: [app]}}
timeline: [{id: out, at: 0s, fault: outage, target: node/crown, of: {count: 10}, for: 4h}]
objectives:
  - {id: rto, rto: 1h, journey: use}
  - {id: rto-95, rto: 15m, journey: use, level: 95%}
settle: 1h
";

#[test]
fn f_ten_of_eighty_four_sites() {
    let out = outcome(SITES, &[]);
    assert_eq!(time(finding(&out, "rto").measured), secs("4h"));
    assert_eq!(finding(&out, "rto").status, Status::Missed);
    assert_eq!(time(finding(&out, "rto-95").measured), Nanos::ZERO);
    assert_eq!(finding(&out, "rto-95").status, Status::Met);
    // 800 of 16,496.
    let peak = out.populations[0].journeys[0].peak_out;
    assert!((peak - 800.0 / 16_496.0).abs() < 1e-12, "{peak}");
}

#[test]
fn g_without_a_standby_the_outage_is_the_fault() {
    let out = outcome(
        "
assize: scenario/v1
topology:
  services: {app: {}}
  journeys: {use: {calls: [app]}}
timeline: [{at: 10m, fault: outage, target: service/app, for: 2h}]
objectives: [{id: rto, rto: 1h, journey: use}]
settle: 10m
",
        &[],
    );
    assert_eq!(time(finding(&out, "rto").measured), secs("2h"));
    assert_eq!(finding(&out, "rto").status, Status::Missed);
}

#[test]
fn a_tunnel_takes_as_long_as_all_that_it_runs_over() {
    // Six links, each over the next, 10 ms each: 60 ms one way, 120 ms there and back.
    let links: String = (1..6)
        .map(|i| {
            format!(
                "    l{i}: {{between: [a, b], latency: 10ms, over: l{}}}\n",
                i + 1
            )
        })
        .collect();
    let out = outcome(
        &format!(
            "
assize: scenario/v1
topology:
  nodes: {{a: {{kind: site}}, b: {{kind: server}}}}
  links:
{links}    l6: {{between: [a, b], latency: 10ms}}
  access: {{first: {{via: [l1]}}}}
  services: {{app: {{replicas: {{x: {{at: b}}}}}}}}
  populations: {{u: {{at: {{a: 10}}, access: [first]}}}}
  journeys: {{use: {{calls: [app]}}}}
timeline: [{{at: 1m, fault: outage, target: link/l6, for: 1m}}]
objectives: [{{id: slow, latency: 1s, journey: use}}, {{id: rto, rto: 1s, journey: use}}]
"
        ),
        &[],
    );
    assert_eq!(time(finding(&out, "slow").measured), secs("120ms"));
    // It falls with what it runs over, however deep.
    assert_eq!(time(finding(&out, "rto").measured), secs("1m"));
}

#[test]
fn a_synchronous_write_takes_the_round_trip_to_its_copy_and_is_answered_in_time_or_not() {
    // There and back: 2 × 10 ms to the primary, 2 × 30 ms from it to its copy, and 50 ms of service.
    // The standby hangs at 60 s; checks of every 2 s at even seconds, with 1 s of patience, call it
    // down with the third that fails: begun at 64 s at the latest, over at 65 s. Who asks from
    // 65 s − (4 s − 70 ms) on is answered in time, as no copy is waited for any more.
    let text = "
assize: scenario/v1
topology:
  nodes: {s: {kind: site}, a: {kind: server}, b: {kind: server}}
  links: {sa: {between: [s, a], latency: 10ms}, ab: {between: [a, b], latency: 30ms}}
  services:
    db:
      mode: active-standby
      service_time: 50ms
      replicas: {one: {at: a, role: primary}, two: {at: b}}
      failover: {check: {every: 2s, timeout: 1s, fall: 3, rise: 2, phase: 0s, from: a}, promote: 5s, failback: never}
      state: {replication: {mode: MODE}}
  populations: {u: {at: {s: 64}, makes: {put: 1/s}}}
  journeys: {put: {writes: [db], timeout: 4s}}
timeline: [{at: 1m, fault: outage, how: blackhole, target: service/db/two, for: 1m}]
objectives: [{id: slow, latency: 1s, journey: put}, {id: rto, rto: 1m, journey: put}]
settle: 1m
";
    let sync = outcome(&text.replace("MODE", "sync"), &[]);
    let (from, served) = (secs("60s"), secs("65s") - secs("4s") + secs("70ms"));
    assert_eq!(time(finding(&sync, "rto").measured), served - from);
    let alone = outcome(
        &text
            .replace("MODE", "sync")
            .replace("service/db/two", "service/db/one"),
        &["timeline=[]"],
    );
    assert_eq!(time(finding(&alone, "slow").measured), secs("130ms"));
    let not = outcome(&text.replace("MODE", "async, every: 5s"), &["timeline=[]"]);
    assert_eq!(time(finding(&not, "slow").measured), secs("70ms"));
}
