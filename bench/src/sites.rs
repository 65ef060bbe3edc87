//! What more sites cost: the same network with 100, 1,000 and 10,000 of them, as one class and
//! as a node each.
//!
//! As one class the cost should not grow at all: a run pays for what it tells apart. As a node
//! each is the worst that an inventory can be.

use crate::engine;
use crate::measure::{Budget, LIMIT, Rounds, Thousands, time};
use crate::table::Table;
use anyhow::Result;
use std::fmt::Write as _;
use std::hint::black_box;

/// How many sites.
const SIZES: [u32; 3] = [100, 1_000, 10_000];

/// Rounds after this many seconds of one size are left out.
const ENOUGH: f64 = 3.0;

/// Measures each size in both ways.
pub(crate) fn run(rounds: usize, table: &mut Table) -> Result<()> {
    for (how, text) in [
        ("one class", class as fn(u32) -> String),
        ("a node each", nodes),
    ] {
        let budget = Budget::new();
        let (mut before, mut last) = (None, None);
        for sites in SIZES {
            let what = format!("{} sites, {how}", Thousands(sites.into()));
            // What the next size will take, if it grows as it did from the last but one.
            let expected = last.zip(before).map(|(l, b): (f64, f64)| l * l / b);
            match expected {
                Some(seconds) if seconds > LIMIT.as_secs_f64() || !budget.is_left() => {
                    table.left_out(&what, &format!("would take about {seconds:.0} s a run"));
                }
                _ => {
                    before = last;
                    last = Some(one(&what, &text(sites), rounds, table)?);
                }
            }
        }
    }
    Ok(())
}

/// Measures one size; gives the median of a run, in seconds.
fn one(what: &str, text: &str, rounds: usize, table: &mut Table) -> Result<f64> {
    let mut reading: Vec<f64> = Vec::new();
    let mut running: Vec<f64> = Vec::new();
    let mut events = 0;
    while reading.is_empty()
        || (reading.len() < rounds && running.iter().chain(&reading).sum::<f64>() < ENOUGH)
    {
        let (took, loaded) = time(|| engine::load_text(text));
        reading.push(took.as_secs_f64());
        let loaded = loaded?;
        let (took, journal) = time(|| black_box(loaded.run()));
        running.push(took.as_secs_f64());
        events = journal.events;
    }
    let running = Rounds::new(running);
    table.millis(
        &format!("{what}: reading the file"),
        &Rounds::new(reading),
        None,
    );
    let what = format!("{what}: a run, {} events", Thousands(events as f64));
    table.millis(&what, &running, None);
    Ok(running.median())
}

/// All sites in one class.
fn class(sites: u32) -> String {
    let mut text = String::from(HEAD);
    let _ = writeln!(text, "    office: {{kind: site, count: {sites}}}");
    text.push_str(MIDDLE);
    let _ = writeln!(text, "    wan: {{between: [office, hub], {CIRCUIT}}}");
    text.push_str(SERVICES);
    let _ = writeln!(text, "      at: {{office: {}}}", sites * 20);
    text.push_str(TIMELINE);
    let lost = sites / 10;
    let _ = writeln!(
        text,
        "  - {{id: sites, {LOST}, target: node/office, of: {{count: {lost}}}}}"
    );
    text
}

/// Every site a node of its own.
fn nodes(sites: u32) -> String {
    let list = |from: &str, n: u32| {
        let names: Vec<String> = (0..n).map(|i| format!("{from}{i}")).collect();
        names.join(", ")
    };
    let mut text = String::from(HEAD);
    for i in 0..sites {
        let _ = writeln!(text, "    s{i}: {{kind: site}}");
    }
    text.push_str(MIDDLE);
    let _ = writeln!(
        text,
        "    wan: {{between: [[{}], hub], {CIRCUIT}}}",
        list("s", sites)
    );
    text.push_str(SERVICES);
    text.push_str("      at:\n");
    for i in 0..sites {
        let _ = writeln!(text, "        s{i}: 20");
    }
    text.push_str(TIMELINE);
    let _ = writeln!(
        text,
        "  - {{id: sites, {LOST}, target: [{}]}}",
        list("node/s", sites / 10)
    );
    text
}

const HEAD: &str = "assize: scenario/v1\ntopology:\n  nodes:\n";
const CIRCUIT: &str = "latency: 12ms, bandwidth: 100Mbit/s, detect: 900ms, converge: 1s";
const MIDDLE: &str = "    hub: {kind: switch}
    core-a: {kind: switch}
    core-b: {kind: switch}
  links:
    north: {between: [hub, core-a], latency: 1ms}
    south: {between: [hub, core-b], latency: 2ms}
";
const SERVICES: &str = "  services:
    names: {mode: active-active, replicas: {a: {at: core-a}, b: {at: core-b}}}
    app:
      mode: active-standby
      replicas: {a: {at: core-a, role: primary}, b: {at: core-b, role: standby}}
      failover:
        check: {every: 2s, timeout: 1s, fall: 3, rise: 2}
        promote: 30s
        redirect: {dns_ttl: 60s}
        failback: never
      state: {replication: {mode: async, every: 5s}}
  access:
    wired: {via: [wan], needs: [{service: names, cached_for: {renew: 2000s, expire: 4000s}}]}
  journeys:
    work: {calls: [app], writes: [app], timeout: 10s}
  populations:
    staff:
      access: [wired]
      makes: {work: 1/h}
";
const TIMELINE: &str = "\
objectives:
  - {rto: 2h, journey: work}
settle: 1h
timeline:
  - {id: app, at: 10m, fault: outage, target: service/app/a, for: 1h}
";
const LOST: &str = "at: 2h, fault: outage, for: 1h";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_the_sites_give_a_network() {
        for text in [class(100), nodes(100)] {
            let loaded = engine::load_text(&text).expect("the network is in order");
            assert!(loaded.run().events > 0);
        }
    }
}
