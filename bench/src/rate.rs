//! Events per second beside the bare heap, and runs per second of a day with a data-centre loss.
//!
//! Rounds of the heap and of the simulator alternate, so that a machine that slows down slows
//! both; the ratio is taken round by round.

use crate::heap::{Loop, WAITING};
use crate::measure::{Rounds, per_second};
use crate::{engine, say};
use anyhow::Result;
use std::hint::black_box;
use std::time::Duration;

/// How long a round lasts, at least.
const ROUND: Duration = Duration::from_millis(200);

/// The scenario that is run.
const DAY: &str = "topologies/moj/scenarios/data-centre-loss.yaml";

/// At least this part of the heap's rate.
const RATIO: f64 = 0.25;

/// At least so many runs per second on one core.
const RUNS: f64 = 2_000.0;

/// Measures both.
pub(crate) fn run(rounds: usize) -> Result<()> {
    let day = engine::load(DAY, &["settle=null", "end=24h"])?;
    let events = day.run().events;
    let (mut heap, mut sim, mut ratio, mut runs) = (vec![], vec![], vec![], vec![]);
    let mut bare = Loop::new();
    for _ in 0..rounds {
        let of_heap = per_second(ROUND, || bare.take(100_000));
        let of_sim = per_second(ROUND, || black_box(day.run()).events);
        heap.push(of_heap);
        sim.push(of_sim);
        ratio.push(of_sim / of_heap);
        runs.push(per_second(ROUND, || {
            black_box(day.run());
            1
        }));
    }
    let (ratio, runs) = (Rounds::new(ratio), Rounds::new(runs));
    say::line(&format!(
        "events per second, one thread, {rounds} alternating rounds"
    ));
    say::rate(
        &format!("bare heap, {WAITING} waiting"),
        &Rounds::new(heap),
        "events/s",
    );
    say::rate("data-centre-loss, 24 h", &Rounds::new(sim), "events/s");
    let (least, most) = ratio.spread();
    say::line(&format!(
        "  {:<34}{:>14.3} {:<16} {least:.3} to {most:.3}",
        "ratio",
        ratio.median(),
        ""
    ));
    say::goal(&format!("a ratio of {RATIO}"), ratio.median() >= RATIO);
    say::line(&format!(
        "\nruns per second and core: plan and simulation of data-centre-loss, 24 h, {events} events"
    ));
    say::rate("runs", &runs, "runs/s");
    say::goal(&format!("{RUNS:.0} runs/s"), runs.median() >= RUNS);
    Ok(())
}
