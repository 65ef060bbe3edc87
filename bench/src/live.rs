//! What proxies add to the requests of a live run: `cargo xtask bench live`.
//!
//! Both arms are whole runs of the live engine: its users, who arrive on time whether the last
//! answer has come or not and open a connection for each request; its HTTP stand-in; its director,
//! which takes every sample. In one arm each of the users' places has a proxy of its own, with
//! nothing on it, as in every run; in the other they go to the service itself. The arms take turns.
//!
//! A time counts from the instant at which the request was due, so what waits behind something
//! slow is not forgotten; the lateness of the runtime's timers, which count in milliseconds, is in
//! both arms. Both ends and the harness share this machine.

use crate::engine::{self, Loaded};
use crate::measure::{Rounds, Thousands};
use crate::say;
use crate::table::Table;
use anyhow::{Context, Result, anyhow, ensure};
use assize_fault::Nanos;
use assize_live::Options;
use assize_model::observation::{Observation, Served};
use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write as _;
use std::path::Path;

/// How long requests are counted, after two seconds of the same load.
const SECONDS: u32 = 8;

/// p99 through proxies is at most so many times that without them.
const GOAL: f64 = 1.5;

/// What is to be measured.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Order {
    rounds: usize,
    flows: usize,
    rate: u32,
}

impl Order {
    /// Of arguments: `[--rounds N] [--flows N] [--rate N]`.
    pub(crate) fn read(mut args: &[&str]) -> Option<Self> {
        let mut order = Self {
            rounds: 5,
            flows: 2_000,
            rate: 5_000,
        };
        while let [name, number, rest @ ..] = args {
            let number: u32 = number.parse().ok().filter(|n| *n >= 1)?;
            match *name {
                "--rounds" => order.rounds = number as usize,
                "--flows" => order.flows = number as usize,
                "--rate" => order.rate = number,
                _ => return None,
            }
            args = rest;
        }
        args.is_empty().then_some(order)
    }
}

/// One run.
#[derive(Default)]
struct Arm {
    /// Of requests that were due while it counted, in nanoseconds, in order of size.
    took: Vec<i64>,
    failed: usize,
    /// From the first to be due to the end, in seconds.
    lasted: f64,
    /// 99th percentile of how late a timer was before the run, in seconds.
    jitter: f64,
    /// Processors that this process kept busy.
    cores: f64,
}

/// Measures it, and prints the table.
pub(crate) fn run(order: &Order) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("assize-bench-live-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = measure(order, &folder);
    // Only what stand-ins keep is in it.
    let _ = std::fs::remove_dir_all(&folder);
    let (direct, proxied) = measured?;
    let mut table = Table::default();
    fill(&mut table, order, &direct, &proxied);
    table.print();
    Ok(())
}

fn measure(order: &Order, folder: &Path) -> Result<(Vec<Arm>, Vec<Arm>)> {
    let loaded = engine::load_text(&scenario(order.flows))?;
    let (mut direct, mut proxied) = (Vec::new(), Vec::new());
    for round in 1..=order.rounds {
        let mut one = |is_direct: bool| -> Result<()> {
            let arm = if is_direct {
                "direct"
            } else {
                "through proxies"
            };
            let folder = folder.join(format!("{round}-{arm}"));
            std::fs::create_dir_all(&folder)?;
            let measured = arm_of(&loaded, order, folder, is_direct).context(arm)?;
            say::progress(&format!(
                "  round {round}, {arm}: {} requests, {} failed, p50 {:.2} ms, p99 {:.2} ms, {:.2} cores",
                Thousands(measured.took.len() as f64),
                measured.failed,
                measured.percentile(500) * 1e3,
                measured.percentile(990) * 1e3,
                measured.cores,
            ));
            let list = if is_direct { &mut direct } else { &mut proxied };
            list.push(measured);
            Ok(())
        };
        // Each begins once, so that none always follows the other.
        let first = round % 2 == 1;
        one(first)?;
        one(!first)?;
    }
    Ok((direct, proxied))
}

/// One whole run of the engine.
fn arm_of(loaded: &Loaded, order: &Order, folder: std::path::PathBuf, direct: bool) -> Result<Arm> {
    let plan = loaded.plan();
    let options = Options {
        pace: Some(1),
        probes_per_second: order.rate,
        direct,
        ..Options::new(folder)
    };
    let clock = |which| {
        let t = clock_gettime(which);
        t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
    };
    let counted = Nanos::ZERO..Nanos::secs(i64::from(SECONDS));
    let (mut arm, mut busy) = (Arm::default(), None);
    let mut sink = |observation: Observation| match observation {
        Observation::Machine { jitter, .. } => arm.jitter = jitter.0 as f64 / 1e9,
        Observation::Sample {
            at, took, served, ..
        } if counted.contains(&at) => {
            let now = (clock(ClockId::ProcessCPUTime), clock(ClockId::Monotonic));
            let from = busy.get_or_insert((now, now)).0;
            busy = Some((from, now));
            let left = (counted.end - at).0 as f64 / 1e9;
            arm.lasted = arm.lasted.max(left);
            arm.failed += usize::from(served != Served::Yes);
            arm.took.push(took.0);
        }
        _ => {}
    };
    assize_live::run(&plan, &options, &mut sink).map_err(|refused| anyhow!("{refused}"))?;
    let (from, to) = busy.context("nothing was asked")?;
    arm.cores = (to.0 - from.0) / (to.1 - from.1);
    arm.took.sort_unstable();
    ensure!(!arm.took.is_empty(), "nothing was asked");
    Ok(arm)
}

impl Arm {
    /// The time that so many of a thousand requests did not exceed, in seconds.
    fn percentile(&self, of_thousand: usize) -> f64 {
        let rank = (self.took.len() * of_thousand).div_ceil(1_000).max(1) - 1;
        self.took.get(rank).map_or(0.0, |took| *took as f64 / 1e9)
    }
}

fn fill(table: &mut Table, order: &Order, direct: &[Arm], proxied: &[Arm]) {
    let of = |arms: &[Arm], figure: &dyn Fn(&Arm) -> f64| {
        Rounds::new(arms.iter().map(figure).collect::<Vec<f64>>())
    };
    let flows = Thousands(order.flows as f64);
    for (name, arms) in [("direct", direct), ("through proxies", proxied)] {
        let served = |arm: &Arm| (arm.took.len() - arm.failed) as f64 / arm.lasted;
        // What is due at either end of the span may fall out of it.
        let goal = f64::from(order.rate) * 0.995;
        let row = format!("{flows} flows, {name}: requests served");
        table.rate(&row, &of(arms, &served), "/s", Some(goal));
        for (per_mille, percentile) in [(500, "p50"), (990, "p99"), (999, "p99.9")] {
            let took = |arm: &Arm| arm.percentile(per_mille);
            table.millis(&format!("{name}: {percentile}"), &of(arms, &took), None);
        }
        table.figure(
            &format!("{name}: processors kept busy"),
            &of(arms, &|arm| arm.cores),
            "cores",
        );
        table.millis(
            &format!("{name}: a timer is late by, p99"),
            &of(arms, &|arm| arm.jitter),
            None,
        );
    }
    let ratios = |per_mille| {
        let pairs = direct.iter().zip(proxied);
        let ratio = |(d, p): (&Arm, &Arm)| p.percentile(per_mille) / d.percentile(per_mille);
        Rounds::new(pairs.map(ratio).collect())
    };
    table.at_most("p99 through proxies ÷ direct, by round", &ratios(990), GOAL);
}

/// So many places, each with a user who asks one service in the middle. Nothing is on the ways.
fn scenario(flows: usize) -> String {
    let list = |each: &dyn Fn(usize) -> String| (0..flows).map(each).collect::<Vec<_>>().join(", ");
    let end = SECONDS;
    let mut text =
        String::from("assize: scenario/v1\ntopology:\n  nodes:\n    hub: {kind: switch}\n");
    for n in 0..flows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    s{n}: {{kind: site}}");
    }
    let _ = write!(
        text,
        "  links: {{lan: {{between: [[{}], hub]}}}}
  access: {{wired: {{via: [lan]}}}}
  services: {{app: {{replicas: {{a: {{at: hub}}}}}}}}
  populations: {{staff: {{at: {{{}}}, access: [wired], makes: {{open: 1/h}}}}}}
  journeys: {{open: {{calls: [app], timeout: 2s}}}}
timeline: []
steady_state: {{for: 2s}}
end: {end}s
live: {{phases: 1}}
",
        list(&|n| format!("s{n}")),
        list(&|n| format!("s{n}: 64")),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        let order = Order::read(&["--rounds", "2", "--flows", "10"]);
        let expected = Order {
            rounds: 2,
            flows: 10,
            rate: 5_000,
        };
        assert_eq!(order, Some(expected));
        for wrong in [
            &["--rounds"][..],
            &["--rate", "0"],
            &["nonsense"],
            &["x", "1"],
        ] {
            assert_eq!(Order::read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_place_has_a_flow_of_its_own() -> Result<()> {
        let loaded = engine::load_text(&scenario(3))?;
        assert_eq!(loaded.plan().cells.len(), 3);
        Ok(())
    }

    #[test]
    fn percentiles_are_times_that_occurred() {
        let arm = Arm {
            took: (1..=1_000).map(|n| n * 1_000_000).collect(),
            ..Arm::default()
        };
        assert!((arm.percentile(990) - 0.99).abs() < 1e-9);
        assert!((arm.percentile(500) - 0.5).abs() < 1e-9);
    }
}
