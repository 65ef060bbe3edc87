//! A run from its plan to its end.

use crate::options::{Ended, Options, Refused};
use assize_model::Plan;
use assize_model::observation::Observation;

/// Carries out a plan in real time and hands over what it observes, in order. Blocks until the
/// end; must not be called from within an asynchronous runtime.
///
/// # Errors
/// The run cannot be carried out; nothing has been broken then.
pub fn run(
    plan: &Plan<'_>,
    options: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    let _ = (plan, options, sink);
    Err(Refused::new("this version cannot run plans"))
}
