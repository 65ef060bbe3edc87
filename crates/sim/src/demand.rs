//! How much users ask for, and when: service hours and demand curves as windows.

use assize_fault::Nanos;
use assize_model::PopulationId;
use assize_model::plan::Plan;

/// Windows of constant demand of a population in `from..to`, with the factor in thousandths.
/// There is no window where there is no demand.
pub(crate) fn windows(
    plan: &Plan<'_>,
    population: PopulationId,
    from: Nanos,
    to: Nanos,
) -> Vec<(Nanos, Nanos, u64)> {
    let population = plan.topology.population(population);
    let calendar = &plan.topology.calendar;
    let start = plan.scenario.start;
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
