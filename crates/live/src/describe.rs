//! What a run would do, in words; touches nothing.

use crate::options::{Options, Refused};
use assize_model::Plan;

/// Every address, proxy and step of a run, a line each.
///
/// # Errors
/// The run would be refused for something that stands in the plan.
pub fn describe(plan: &Plan<'_>, options: &Options) -> Result<Vec<String>, Refused> {
    let _ = options;
    Ok(vec![format!("scenario {}", plan.scenario.name)])
}
