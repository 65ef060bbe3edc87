//! Real incidents: outages that somebody wrote down, or that monitoring recorded, as the judge
//! reads them.
//!
//! What was observed becomes a scenario whose faults are the stated causes, and a journal with
//! the stated shares; then it is judged as any other. Nothing is simulated.

mod csv;
mod journal;
mod prometheus;
mod scenario;
mod sites;
#[cfg(test)]
mod tests;
mod topology;

pub use csv::read as read_csv;
pub use prometheus::read as read_prometheus;

use crate::contract::Contract;
use crate::file::Problems;
use crate::finding::Outcome;
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::topology::Topology;
use assize_fault::{Nanos, Ppb};
use jiff::Timestamp;

/// What was observed.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The file, as it was named.
    pub file: String,
    /// Rows, in file order.
    pub rows: Vec<Row>,
    /// How late a change may have been seen; zero for what people wrote down.
    pub resolution: Nanos,
    /// When nobody looked.
    pub gaps: Vec<(Timestamp, Timestamp)>,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
}

/// Who was without what, from when to when, and why.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its line, from 1.
    pub line: u32,
    /// The line itself, for messages; empty if it is not a line of text.
    pub text: String,
    /// Whom or what it is about.
    pub about: About,
    /// Only this journey.
    pub journey: Option<String>,
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
    /// Share of the users without it; nothing: it was watched, and well.
    pub share: Ppb,
    /// Why: one cause, or several that cannot be told apart.
    pub causes: Vec<String>,
    /// Who answers for them.
    pub owners: Vec<String>,
    /// When it was noticed.
    pub detected: Option<Timestamp>,
    /// When it was reported.
    pub reported: Option<Timestamp>,
    /// How many users there are, where no topology says it.
    pub users: Option<u64>,
    /// At how many sites somebody was out; all of the population's unless said.
    pub sites: Option<u64>,
}

/// Whom or what a row is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum About {
    /// A population.
    Population(String),
    /// Everybody who calls a service.
    Service(String),
}

impl About {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Population(name) | Self::Service(name) => name,
        }
    }
}

/// What is judged beside the rows.
#[derive(Clone, Copy, Default)]
pub struct Frame<'a> {
    /// Populations, journeys, owners and objectives; `None`: made from the rows.
    pub topology: Option<&'a Topology>,
    /// Levels become objectives, and their months are observed.
    pub contract: Option<&'a Contract>,
    /// When observation began; `None`: with the first row's month if there is a contract, else
    /// with the first row.
    pub from: Option<Timestamp>,
    /// When it ended; likewise.
    pub to: Option<Timestamp>,
}

/// Judges what was observed.
///
/// # Errors
/// Rows that name nothing, or that contradict each other, each with its place.
pub fn judge(observed: &Observed, frame: Frame<'_>) -> Result<Outcome, Problems> {
    let made;
    let topology = match frame.topology {
        Some(topology) => topology,
        None => {
            made = topology::make(observed, frame.contract)?;
            &made
        }
    };
    let scenario: Scenario = scenario::make(observed, topology, frame)?;
    let plan = Plan::new(topology, &scenario, 0);
    let (journal, mut warnings) = journal::make(observed, &plan)?;
    if frame.topology.is_none() && observed.rows.iter().any(|row| row.users.is_none()) {
        warnings.push("users that no row counts are taken as 1,000".into());
    }
    let mut outcome = crate::judge::judge(&plan, &journal, warnings);
    outcome.resolution = observed.resolution;
    sites::apply(observed, topology, scenario.start, &mut outcome)?;
    // Of whom nobody wrote anything down, nothing is known.
    for population in &mut outcome.populations {
        population
            .journeys
            .retain(|journey| !journey.availability_all_hours.is_nan());
    }
    outcome.populations.retain(|one| !one.journeys.is_empty());
    Ok(outcome)
}
