//! Events per second beside the bare heap, and runs per second of a day with a data-centre loss.
//!
//! Rounds of the heap and of the simulator alternate, so that a machine that slows down slows
//! both; the ratio is taken round by round.

use crate::engine::{self, Loaded};
use crate::heap::{Loop, WAITING};
use crate::measure::{Budget, Rounds, Thousands, per_second};
use crate::table::Table;
use crate::{say, storm};
use anyhow::{Result, ensure};
use std::hint::black_box;
use std::time::Duration;

/// How long a round lasts, at least.
const ROUND: Duration = Duration::from_millis(400);

/// At least this part of the heap's rate.
const RATIO: f64 = 0.25;

/// A data centre is lost for two hours of a day.
const DAY: &str = "topologies/moj/scenarios/data-centre-loss.yaml";

/// At least so many runs per second on one core.
const RUNS: f64 = 2_000.0;

/// Events per second of a scenario that is full of them, beside a heap that takes as many.
pub(crate) fn events(rounds: usize, table: &mut Table) -> Result<()> {
    let storm = engine::load_text(&storm::text())?;
    let events = count(&storm)?;
    say::progress(&format!("  {} events a run", Thousands(events as f64)));
    let (mut heap, mut sim, mut ratio) = (vec![], vec![], vec![]);
    let mut bare = Loop::new();
    let budget = Budget::new();
    while sim.is_empty() || (sim.len() < rounds && budget.is_left()) {
        let of_heap = per_second(ROUND, || bare.take(events));
        let of_sim = per_second(ROUND, || black_box(storm.run()).events);
        heap.push(of_heap);
        sim.push(of_sim);
        ratio.push(of_sim / of_heap);
    }
    let what = format!("a bare heap loop, {} waiting", Thousands(WAITING.into()));
    table.rate(&what, &Rounds::new(heap), "events/s", None);
    let what = format!("{} services that fail over and back", storm::SERVICES);
    table.rate(&what, &Rounds::new(sim), "events/s", None);
    table.ratio(
        "the same over the bare heap loop",
        &Rounds::new(ratio),
        RATIO,
    );
    Ok(())
}

/// Runs per second and core of a day in which a data centre is lost.
pub(crate) fn day(rounds: usize, table: &mut Table) -> Result<()> {
    let day = engine::load(DAY, &["settle=null", "end=24h"])?;
    let events = count(&day)?;
    let mut runs = vec![];
    let budget = Budget::new();
    while runs.is_empty() || (runs.len() < rounds && budget.is_left()) {
        runs.push(per_second(ROUND, || {
            black_box(day.run());
            1
        }));
    }
    let what = format!(
        "`data-centre-loss` over 24 h, {} events, one core",
        Thousands(events as f64)
    );
    table.rate(&what, &Rounds::new(runs), "runs/s", Some(RUNS));
    Ok(())
}

/// The events of one run, which are the same in each.
fn count(loaded: &Loaded) -> Result<u64> {
    let events = loaded.run().events;
    ensure!(events > 0, "nothing happens in the scenario");
    Ok(events)
}
