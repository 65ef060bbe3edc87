//! Who probes, how often, and the arrivals: open-loop, so that a slow answer delays nobody else.

use crate::clock::Clock;
use crate::director::Report;
use crate::users::{Attempted, Making, Rep, UsedAccess, attempt};
use crate::world::World;
use assize_fault::{Nanos, Rate};
use assize_model::binding::Realisation;
use assize_model::{JourneyId, Plan};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;
use tokio::time::sleep_until;

/// Attempts at once, over all representatives; one that finds no room is not made, and counted.
const IN_FLIGHT: usize = 8_192;

/// The least interval of one representative's attempts at one journey, on the wall.
const LEAST_WALL: Nanos = Nanos::millis(200);

/// All representatives of a plan.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) reps: Vec<Arc<Rep>>,
    /// The longest interval of attempts of one representative at one journey, in model time.
    pub(crate) every: Nanos,
}

impl Crowd {
    /// One for each cell and phase; no more attempts per wall second in all than `most`.
    pub(crate) fn new(plan: &Plan<'_>, pace: u32, most: u32) -> Self {
        let phases = u32::from(plan.phases.clamp(1, 64));
        let mut reps = Vec::new();
        for (cell_index, cell) in plan.cells.iter().enumerate() {
            let spot = spot_of(plan, cell_index);
            for phase in 0..phases {
                let cohorts = cohorts_of(phase, phases);
                let users = (cell.users * u64::from(cohorts.count_ones()) / 64).max(1);
                let id = u32::try_from(reps.len()).unwrap_or(u32::MAX);
                reps.push(rep(plan, (id, cell_index), (cohorts, spot, users)));
            }
        }
        let makings: usize = reps.iter().map(|r| r.journeys.len()).sum();
        let budget = Nanos(
            i64::try_from(makings)
                .unwrap_or(i64::MAX)
                .saturating_mul(1_000_000_000)
                / i64::from(most.max(1)),
        );
        let least = LEAST_WALL.max(budget) * i64::from(pace);
        let mut crowd = Self {
            reps: Vec::new(),
            every: least,
        };
        let mut nth = 0;
        for mut rep in reps {
            for making in &mut rep.journeys {
                set_arrivals(plan, rep.cell, rep.users, making, least);
                crowd.every = crowd.every.max(making.every);
                // Spread over the interval, in an order that puts neighbours far apart.
                let place = golden(nth);
                making.phase =
                    Nanos((i128::from(making.every.0) * i128::from(place) / 1_000_000) as i64);
                nth += 1;
            }
            crowd.reps.push(Arc::new(rep));
        }
        crowd
    }
}

/// Point n of a sequence that fills an interval evenly at any length, in millionths.
fn golden(n: u64) -> u64 {
    n.wrapping_mul(618_034) % 1_000_000
}

/// The cohorts of one of so many phases: a run of neighbours.
fn cohorts_of(phase: u32, phases: u32) -> u64 {
    let width = 64 / phases;
    let run = if width >= 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    };
    run << (phase * width)
}

/// The number of the spot of a cell: spots are counted by node and site.
pub(crate) fn spot_of(plan: &Plan<'_>, cell: usize) -> usize {
    let cell = &plan.cells[cell];
    let before: usize = plan.cuts[..cell.node.index()]
        .iter()
        .map(|cuts| cuts.len().saturating_sub(1))
        .sum();
    let own = &plan.cuts[cell.node.index()];
    before + own.iter().take_while(|c| **c < cell.first).count()
}

fn rep(
    plan: &Plan<'_>,
    (id, cell): (u32, usize),
    (cohorts, spot, users): (u64, usize, u64),
) -> Rep {
    let topology = plan.topology;
    let population = topology.population(plan.cells[cell].population);
    let accesses: Vec<UsedAccess> = population
        .access
        .iter()
        .map(|access| UsedAccess {
            access: *access,
            valid: topology
                .access_path(*access)
                .needs
                .iter()
                .map(|_| AtomicBool::new(true))
                .collect(),
        })
        .collect();
    let journeys = population
        .makes
        .iter()
        .map(|(journey, _)| {
            let writes = topology.journey(*journey).writes.len();
            Making::new(*journey, accesses.len(), writes)
        })
        .collect();
    Rep::new(
        (id, cell),
        (cohorts, spot, users),
        accesses,
        journeys,
        topology.services.len(),
    )
}

/// How often a representative attempts a journey. A real service gets the rate that the journey states, as far as the bound allows.
fn set_arrivals(plan: &Plan<'_>, cell: usize, users: u64, making: &mut Making, least: Nanos) {
    let topology = plan.topology;
    let journey = topology.journey(making.journey);
    let population = topology.population(plan.cells[cell].population);
    let makes = population.makes.iter().find(|m| m.0 == making.journey);
    // Requests per second, in millionths, of the users for whom this one stands.
    let own = match (journey.rate, makes) {
        (Some(total), _) => {
            let all = makers(plan, making.journey);
            per_second(total) * u128::from(users) / u128::from(all)
        }
        (None, Some((_, rate))) => per_second(*rate) * u128::from(users),
        (None, None) => 0,
    };
    let real = crate::users::called(journey)
        .any(|s| matches!(topology.service(s).realised, Realisation::Bound(_)));
    making.every = least;
    if real && own > 0 && journey.rate.is_some() {
        let stated = 1_000_000_000_u128 * 1_000_000 / own;
        let stated = Nanos(i64::try_from(stated).unwrap_or(i64::MAX));
        // Never so rarely that an outage could hide between two attempts.
        making.every = stated.clamp(least / 4, least * 8);
    }
}

/// Per second, in millionths.
fn per_second(rate: Rate) -> u128 {
    u128::from(rate.micro) * 1_000_000_000 / u128::from(rate.per.0.max(1).unsigned_abs())
}

/// All users who make a journey.
fn makers(plan: &Plan<'_>, journey: JourneyId) -> u64 {
    let makes = |p: &&assize_model::topology::Population| p.makes.iter().any(|m| m.0 == journey);
    let populations = plan.topology.populations.iter().filter(makes);
    populations.map(|p| p.users()).sum::<u64>().max(1)
}

/// What is common to all arrivals of a run.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    room: Arc<Semaphore>,
    /// Attempts that found no room.
    pub(crate) turned_away: Arc<AtomicU64>,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(IN_FLIGHT)),
            turned_away: Arc::default(),
        }
    }
}

impl Arrivals {
    /// Makes every attempt of one representative at one journey from `origin` on, until it is
    /// aborted; hands what became of each over.
    pub(crate) async fn keep_coming(
        self,
        world: Arc<World>,
        rep: Arc<Rep>,
        making: usize,
        origin: Nanos,
        out: Sender<Report>,
    ) {
        let clock: Clock = world.clock;
        let (every, phase) = (rep.journeys[making].every, rep.journeys[making].phase);
        for n in 0u64.. {
            let after = i128::from(every.0) * i128::from(n);
            let due = origin + phase + Nanos(i64::try_from(after).unwrap_or(i64::MAX / 2));
            sleep_until(clock.instant(due)).await;
            let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
                self.turned_away.fetch_add(1, Relaxed);
                continue;
            };
            let (world, rep, out) = (Arc::clone(&world), Arc::clone(&rep), out.clone());
            tokio::spawn(async move {
                let attempted: Attempted = attempt(world, rep, making, due).await;
                // The director is gone only when the run is over.
                let _ = out.send(Report::Attempted(attempted)).await;
                drop(room);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_share_the_cohorts_among_them() {
        for phases in [1, 2, 8, 64] {
            let masks: Vec<u64> = (0..phases).map(|p| cohorts_of(p, phases)).collect();
            assert_eq!(masks.iter().fold(0, |all, m| all | m), u64::MAX);
            assert_eq!(masks.iter().map(|m| m.count_ones()).sum::<u32>(), 64);
        }
    }

    #[test]
    fn first_attempts_are_spread() {
        let mut places: Vec<u64> = (0..100).map(golden).collect();
        places.sort_unstable();
        let gaps = places.windows(2).map(|w| w[1] - w[0]);
        assert!(gaps.clone().max().unwrap_or(0) < 20_000, "{places:?}");
        assert!(gaps.min().unwrap_or(0) > 1_000, "{places:?}");
    }
}
