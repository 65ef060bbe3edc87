//! Which targets single elements miss: the verdict of an analysis in its shortest form, for
//! comparisons.

use super::{Slice, Sweeper, compile};
use assize_fault::Nanos;
use assize_model::Plan;
use assize_model::file::bare_scenario;
use assize_model::topology::Topology;
use std::collections::BTreeSet;

/// An objective, and the element without which it is missed; none if it is missed in any case.
pub type Missed = (String, Option<String>);

/// By reachability and capacity, at the usual demand.
///
/// # Errors
/// None that a topology which was read can cause.
pub fn missed(topology: &Topology) -> Result<BTreeSet<Missed>, String> {
    let compiled = compile(topology, &[]);
    let scenario = bare_scenario(topology, &[], Nanos::hours(1), None)?;
    let plan = Plan::new(topology, &scenario, 0);
    let sweeper = Sweeper::new(&plan, &compiled, vec![1000]);
    let at_rest = sweeper.missed_at_rest().into_iter().map(|m| (m.1, None));
    let mut all: BTreeSet<Missed> = at_rest.collect();
    for sweep in sweeper.sweep(1, Slice::WHOLE, 1).sweep {
        for one in sweep.minimal {
            let element = one.elements.first().cloned();
            all.extend(one.objectives.into_iter().map(|o| (o, element.clone())));
        }
    }
    Ok(all)
}
