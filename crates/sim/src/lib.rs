//! Virtual time: drives the machines of `control` through a plan and writes the journal.
//!
//! State is piecewise constant per cohort between events, so every integral is exact. No
//! clock, no sockets, no randomness but the plan's seed; the same plan gives the same bytes on
//! any number of threads.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod acks;
mod attempts;
mod blame;
mod build;
mod checks;
mod data;
mod effects;
mod engine;
mod entries;
mod explain;
mod initial;
mod loads;
mod people;
mod record;
mod refresh;
mod repeat;
mod restore;
mod services;
mod state;
mod storm;
mod takeover;
mod timing;
mod units;
mod wakes;

pub use explain::{Explained, ExplainedAccess, ExplainedCall, explain};

use assize_fault::Nanos;
use assize_model::Journal;
use assize_model::journal::{Cause, Series, Solo, USER};
use assize_model::plan::Plan;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs a plan from its start to its end.
#[must_use]
pub fn simulate(plan: &Plan<'_>) -> Journal {
    run(plan, None)
}

/// Runs a plan, and once more with each of its faults and steps alone, for attribution; on so
/// many threads. The result does not depend on `threads`.
#[must_use]
pub fn simulate_with_solos(plan: &Plan<'_>, threads: usize) -> Journal {
    let mut journal = simulate(plan);
    let faults = (0..plan.scenario.faults.len()).map(Cause::Fault);
    let causes: Vec<Cause> = faults
        .chain((0..plan.scenario.steps.len()).map(Cause::Step))
        .collect();
    if causes.len() == 1 {
        journal.solos.push(Solo {
            cause: causes[0],
            series: journal.series.clone(),
        });
    } else {
        journal.solos = in_parallel(threads, causes.len(), |i| Solo {
            cause: causes[i],
            series: run(plan, Some(causes[i])).series,
        });
    }
    for solo in &journal.solos {
        if let Cause::Fault(fault) = solo.cause {
            let record = &mut journal.faults[fault];
            record.effect_to = record.effect_to.max(last_effect(plan, &solo.series));
        }
    }
    journal
}

fn run(plan: &Plan<'_>, only: Option<Cause>) -> Journal {
    let mut engine = engine::Engine::new(plan, only);
    engine.run(plan.scenario.end);
    engine.finish_run()
}

/// The end of the last interval in which not everybody was served.
fn last_effect(plan: &Plan<'_>, series: &[Series]) -> Nanos {
    let mut last = Nanos::ZERO;
    for one in series {
        let full = plan.cells[one.cell].users * USER;
        for (i, step) in one.steps.iter().enumerate() {
            if step.served < full {
                let end = one
                    .steps
                    .get(i + 1)
                    .map_or(plan.scenario.end, |next| next.at);
                last = last.max(end);
            }
        }
    }
    last
}

/// Results in order of index, whichever thread made them.
fn in_parallel<T: Send>(threads: usize, n: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads <= 1 || n <= 1 {
        return (0..n).map(make).collect();
    }
    let next = AtomicUsize::new(0);
    let mut made: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(n))
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= n {
                            return mine;
                        }
                        mine.push((i, make(i)));
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().unwrap_or_default())
            .collect()
    });
    made.sort_by_key(|m| m.0);
    made.into_iter().map(|m| m.1).collect()
}
