//! The analysis of a topology: what each journey stands on, and what combinations of failures
//! miss which targets.

mod accepted;
#[cfg(test)]
mod capacity_tests;
mod case;
mod checks;
mod compile;
mod elements;
mod evaluate;
mod findings;
mod journeys;
mod likely;
#[cfg(test)]
mod likely_tests;
mod loads;
mod missed;
mod overload;
mod routes;
mod sweep;
#[cfg(test)]
mod tests;
mod traffic;

pub use compile::{Compiled, USER, Unit, compile};
pub use elements::{Elements, Item, What};
pub use journeys::Wanted;
pub use missed::{Missed, missed};
pub use sweep::{Found, Slice, Sweeper};

use crate::report::{Element, Report};
pub(crate) use accepted::Register;
use assize_fault::Nanos;
use assize_model::Plan;
use assize_model::file::bare_scenario;
use assize_model::topology::Topology;

/// What is asked of a topology.
#[derive(Clone, Debug)]
pub struct Question {
    /// How many elements fail together: all combinations up to 2, beyond that the most probable.
    pub k: usize,
    /// Beyond 2, how much probability may stay unexplored.
    pub unexplored: f64,
    /// Selectors of what is down already.
    pub down: Vec<String>,
    /// How much of cut sets is wanted.
    pub wanted: Wanted,
    /// Which part of the sweep.
    pub slice: Slice,
    /// On how many threads. Changes no byte.
    pub threads: usize,
    /// Further demands, in thousandths of the usual.
    pub demands: Vec<u64>,
}

/// Analyses a topology; the error names a selector that selects nothing, or says why no more than
/// 2 elements can be explored.
pub fn analyse(topology: &Topology, question: &Question) -> Result<Report, String> {
    let all = Elements::of(topology);
    let mut down = Vec::new();
    for selector in &question.down {
        let found = all.matching(selector);
        if found.is_empty() {
            return Err(format!("`{selector}` names no element of this topology"));
        }
        down.extend(found);
    }
    let compiled = compile(topology, &down);
    let register = Register::of(topology);
    let p = figures(topology, &compiled.elements);
    let mut report = Report::new("topology", topology.name.clone());
    report.elements = compiled
        .elements
        .items
        .iter()
        .zip(&p)
        .map(|(item, p)| Element {
            id: item.id.clone(),
            count: item.count.into(),
            probability: *p,
        })
        .collect();
    let (journeys, warnings) = journeys::of(topology, &compiled, &p, &register, question.wanted);
    report.findings = findings::of(topology, &journeys);
    report.journeys = journeys;
    report.warnings = warnings;
    let scenario = bare_scenario(topology, &[], Nanos::hours(1), None)?;
    let plan = Plan::new(topology, &scenario, 0);
    let usual = std::iter::once(1000);
    let more = question.demands.iter().copied().filter(|d| *d != 1000);
    let sweeper = Sweeper::new(&plan, &compiled, usual.chain(more).collect());
    for (demand, objective) in sweeper.missed_at_rest() {
        let at = match demand {
            1000 => String::new(),
            _ => format!(" at {} times the demand", demand as f64 / 1000.0),
        };
        report.warnings.push(format!(
            "`{objective}` is missed{at} although nothing {} has failed",
            if down.is_empty() { "at all" } else { "more" }
        ));
    }
    let found = sweeper.sweep(question.k, question.slice, question.threads);
    report.sweep = found.sweep;
    report.demands = found.demands;
    report.loads = found.loads;
    if question.k > 2 {
        let wanted = (question.k, question.unexplored);
        let (sweeps, likely) = sweeper.likely(&p, wanted, question.slice, question.threads)?;
        report.sweep.extend(sweeps);
        if likely.unexplored > question.unexplored {
            report.warnings.push(format!(
                "of the probability {:.3e} is unexplored: there are combinations of more than {} elements in it, or too many",
                likely.unexplored, question.k
            ));
        }
        report.likely = Some(likely);
    }
    Ok(report)
}

/// The probability that each element has failed, where the topology says; later entries override
/// earlier ones.
fn figures(topology: &Topology, elements: &Elements) -> Vec<Option<f64>> {
    let mut p = vec![None; elements.items.len()];
    for entry in &topology.reliability {
        for element in elements.matching(&entry.selector) {
            p[element as usize] =
                Some(entry.unavailable.0 as f64 / entry.unavailable.1.max(1) as f64);
        }
    }
    p
}
