//! The whole of a live run in virtual time, many times over: director, health checks, failover,
//! names, leases, users, stand-ins, wire faults, fold and judge, on random small networks, and each
//! figure beside the one that was computed for it.
//!
//! Nothing here waits or depends on the machine, so a difference is one of meaning.

mod world;

use crate::support::Folder;
use assize_fault::Nanos;
use assize_live::Options;
use assize_model::file::{LoadOptions, MemorySource, load_scenario};
use assize_model::finding::{Outcome, Value};
use assize_model::journal::Journal;
use assize_model::judge::compare;
use assize_model::observation::{Ending, Observation};
use assize_model::{Plan, fold, judge};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Further seeds: those that once found something.
const FOUND: [u64; 13] = [
    172, 177, 178, 234, 337, 393, 394, 414, 458, 559, 683, 839, 932,
];

/// Seeds, unless `ASSIZE_JOINT_SEEDS` says another number.
const SEEDS: u64 = 50;

/// What a scenario gives in virtual time, compared with its prediction.
fn rehearsed(text: &str, seed: u64) -> (Outcome, String) {
    let source = MemorySource::new([("s.yaml", text)]);
    let load = LoadOptions {
        live: true,
        ..LoadOptions::default()
    };
    let (topology, scenario, _) = load_scenario(&source, "s.yaml".as_ref(), &load)
        .unwrap_or_else(|problems| panic!("seed {seed}: {problems}\n{text}"));
    let plan = Plan::new(&topology, &scenario, seed);
    let folder = Folder::new(&format!("joint-{seed}"));
    let options = Options::new(folder.path("").into());
    let mut seen = Vec::new();
    let ended = assize_live::rehearse(&plan, &options, &mut |o| seen.push(o))
        .unwrap_or_else(|refused| panic!("seed {seed}: {refused}\n{text}"));
    assert_eq!(ended.why, Ending::Finished, "seed {seed}");
    assert_eq!(ended.left, Vec::<String>::new(), "seed {seed}");
    let computed = assize_sim::simulate_with_solos(&plan, 1);
    let mut journal = fold(&plan, &seen);
    journal.adopt_solos(&computed);
    let mut outcome = judge(&plan, &journal, Vec::new());
    compare(&mut outcome, &judge(&plan, &computed, Vec::new()));
    let mut decided = format!(
        "decided in virtual time:\n{}computed:\n{}",
        decisions(&journal),
        decisions(&computed)
    );
    if std::env::var_os("ASSIZE_JOINT_TELL").is_some() {
        decided.push_str(&told(&seen));
    }
    (outcome, decided)
}

/// What went wrong and what was done, a line each, for whoever looks into a seed.
fn told(seen: &[Observation]) -> String {
    let matters = |one: &&Observation| match one {
        Observation::Sample { why, .. } => !why.is_empty(),
        Observation::Applied { .. } | Observation::Note { .. } | Observation::ReadBack(_) => true,
        _ => false,
    };
    let lines = seen.iter().filter(matters);
    lines.map(|one| format!("  {one:?}\n")).collect()
}

/// What the control plane decided, a line each.
fn decisions(journal: &Journal) -> String {
    let lines = journal.decisions.iter();
    lines
        .map(|d| format!("  {} {:?} {}\n", d.at, d.kind, d.subject))
        .collect()
}

/// Figures that are further from their prediction than their error bound and a tenth.
fn differences(outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    for finding in &outcome.findings {
        let details = finding.details.iter();
        for apart in details.filter(|d| d.name == "difference") {
            // A moment with two writers passes between two attempts to write.
            let unseen = |v| matches!(v, Some(Value::Time(t)) if t < Nanos::secs(3));
            if finding.kind == "split_brain"
                && unseen(finding.measured)
                && unseen(finding.predicted)
            {
                continue;
            }
            found.push(format!(
                "{} ({}): {} {}; {}",
                finding.objective,
                finding.subject,
                finding.measured_text,
                apart.text,
                finding.reason
            ));
        }
    }
    found
}

/// A number in the environment.
fn asked(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}

#[test]
fn random_networks_behave_as_computed() {
    let seeds = asked("ASSIZE_JOINT_SEEDS");
    let first = asked("ASSIZE_JOINT_FIRST");
    let (from, count) = (first.unwrap_or(1), seeds.unwrap_or(SEEDS));
    let mut all: Vec<u64> = (from..from + count).collect();
    if (seeds, first) == (None, None) {
        all.extend(FOUND);
    }
    let (next, bad) = (AtomicUsize::new(0), Mutex::new(String::new()));
    let work = || {
        while let Some(&seed) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            let text = world::random(seed, 0);
            let (outcome, decided) = rehearsed(&text, seed);
            let apart = differences(&outcome);
            // Two timers that happen to fall together fall apart a moment later: those that count
            // from a fault, and those that count from a promotion. So does what is at the limit of
            // an error bound; a difference of meaning stays.
            let stays = |later| {
                let moved = world::random(seed, later);
                !differences(&rehearsed(&moved, seed).0).is_empty()
            };
            if !apart.is_empty() && stays(700) && stays(1_300) {
                let mut bad = bad.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = writeln!(bad, "seed {seed}:\n{}\n{text}{decided}", apart.join("\n"));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    let bad = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(
        bad.is_empty(),
        "figures differ from what was computed:\n{bad}"
    );
}

/// The harness itself: a stand-in that promotes later than its topology says is found out.
#[test]
fn a_promotion_that_is_slower_than_stated_differs() {
    let text = "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, a: {kind: router}, b: {kind: router}}
  links: {site-a: {between: [site, a], latency: 1ms}, site-b: {between: [site, b], latency: 1ms}, ab: {between: [a, b], latency: 1ms}}
  services:
    app:
      mode: active-standby
      replicas: {north: {at: a, role: primary}, south: {at: b, role: standby}}
      failover: {check: {every: 2s, timeout: 2s, fall: 3, rise: 2, from: b}, promote: 5s, redirect: {dns_ttl: 4s}, failback: never}
      stand_in: {promote: 45s}
  populations: {staff: {at: {site: 64}, makes: {look: 1/h}}}
  journeys: {look: {calls: [app], timeout: 4s}}
steady_state: {for: 20s}
timeline: [{id: out, at: 10s, for: 90s, fault: outage, target: service/app/north}]
objectives: [{id: back, rto: 60s, journey: look}]
settle: 20s
live: {pace: 10}
";
    let (outcome, _) = rehearsed(text, 7);
    let apart = differences(&outcome);
    assert_eq!(apart.len(), 1, "{apart:?}");
    let longer = crate::worked::time(outcome.findings[0].measured)
        - crate::worked::time(outcome.findings[0].predicted);
    assert!(
        (Nanos::secs(37)..Nanos::secs(43)).contains(&longer),
        "{longer}"
    );
}
