//! How much users ask for, and when: service hours and demand curves as windows, and the attempts
//! that follow from them.

use crate::ids::{JourneyId, PopulationId};
use crate::topology::{Population, Topology};
use assize_fault::Nanos;

/// Windows of constant demand of a population in `from..to`, counted from `start`, with the
/// factor in thousandths. There is no window where there is no demand.
#[must_use]
pub fn windows(
    topology: &Topology,
    start: jiff::Timestamp,
    population: PopulationId,
    (from, to): (Nanos, Nanos),
) -> Vec<(Nanos, Nanos, u64)> {
    let population = topology.population(population);
    let calendar = &topology.calendar;
    let open = match &population.hours {
        None => vec![(from, to)],
        Some(hours) => hours.spans(calendar, start, from, to),
    };
    let curves: Vec<(Vec<(Nanos, Nanos)>, u64)> = population
        .demand
        .iter()
        .map(|(hours, factor)| (hours.spans(calendar, start, from, to), *factor))
        .collect();
    let mut cuts: Vec<Nanos> = open
        .iter()
        .chain(curves.iter().flat_map(|c| &c.0))
        .flat_map(|span| [span.0, span.1])
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let inside = |spans: &[(Nanos, Nanos)], at: Nanos| spans.iter().any(|s| s.0 <= at && at < s.1);
    cuts.windows(2)
        .filter(|pair| inside(&open, pair[0]))
        .map(|pair| {
            let factor = curves
                .iter()
                .filter(|c| inside(&c.0, pair[0]))
                .fold(1000, |f, c| f * c.1 / 1000);
            (pair[0], pair[1], factor)
        })
        .filter(|w| w.2 > 0)
        .collect()
}

/// The greatest factor of a population's demand, in thousandths, in four ordinary weeks; 0 where
/// it asks for nothing in them.
#[must_use]
pub fn peak(topology: &Topology, population: PopulationId) -> u64 {
    let weeks = (Nanos::ZERO, Nanos::hours(4 * 7 * 24));
    let windows = windows(topology, crate::file::default_start(), population, weeks);
    windows.iter().map(|w| w.2).max().unwrap_or(0)
}

/// Attempts of so many users of a population at a journey, in millionths per second, at a demand
/// in thousandths of the usual; 0 where they do not make it.
#[must_use]
pub fn attempts(
    topology: &Topology,
    population: &Population,
    journey: JourneyId,
    users: u64,
    factor: u64,
) -> u128 {
    let each = population.makes.iter().find(|m| m.0 == journey);
    let (rate, over) = match (topology.journey(journey).rate, each) {
        (Some(total), _) => (total, u128::from(makers(topology, journey))),
        (None, Some((_, rate))) => (*rate, 1),
        (None, None) => return 0,
    };
    let per_second = u128::from(rate.micro) * u128::from(users) * 1_000_000_000;
    per_second * u128::from(factor) / 1000 / over / (rate.per.0.max(1) as u128)
}

/// All users who make a journey, at least 1.
#[must_use]
pub fn makers(topology: &Topology, journey: JourneyId) -> u64 {
    let makes = |p: &&Population| p.makes.iter().any(|m| m.0 == journey);
    let makers = topology.populations.iter().filter(makes);
    makers.map(Population::users).sum::<u64>().max(1)
}
