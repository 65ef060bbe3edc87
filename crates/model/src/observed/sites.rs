//! At how many sites somebody was out, where rows say so: for contracts that weigh sites. Rows
//! that do not say it count every site of their users.

use super::csv::problem;
use super::journal::is_about;
use super::scenario::offset;
use super::{About, Observed, Row};
use crate::file::Problems;
use crate::finding::{LossResult, Outcome};
use crate::ids::{JourneyId, PopulationId};
use crate::topology::Topology;
use assize_fault::Nanos;
use jiff::Timestamp;

/// Writes it into the losses.
///
/// # Errors
/// Rows that name more sites than there are, or sites of nobody in particular.
pub(super) fn apply(
    observed: &Observed,
    t: &Topology,
    start: Timestamp,
    outcome: &mut Outcome,
) -> Result<(), Problems> {
    let rows: Vec<(&Row, u64)> = observed
        .rows
        .iter()
        .filter_map(|row| Some((row, row.sites?)))
        .collect();
    check(observed, outcome, &rows)?;
    for population in &mut outcome.populations {
        let whom = t.populations.iter().position(|p| p.id == population.id);
        for journey in &mut population.journeys {
            let what = t.journeys.iter().position(|j| j.id == journey.id);
            let (Some(whom), Some(what)) = (whom, what) else {
                continue;
            };
            let (whom, what) = (PopulationId::from(whom), JourneyId::from(what));
            let about = rows.iter().filter(|(row, _)| is_about(t, row, whom, what));
            let spans: Vec<(Nanos, Nanos, u64)> = about
                .map(|(row, sites)| (offset(start, row.from), offset(start, row.to), *sites))
                .collect();
            journey.losses = told(&journey.losses, &spans);
        }
    }
    Ok(())
}

fn check(observed: &Observed, outcome: &Outcome, rows: &[(&Row, u64)]) -> Result<(), Problems> {
    let mut problems = Vec::new();
    for (row, sites) in rows {
        let mut wrong = |what: String, help: &str| {
            problems.push(problem(&observed.file, row.line, &row.text, what, help));
        };
        let About::Population(name) = &row.about else {
            let what = "sites are those of one population".to_owned();
            wrong(what, "write a row for each population");
            continue;
        };
        let of = outcome.populations.iter().find(|p| p.id == *name);
        let most = of.map_or(0, |population| population.sites);
        if *sites > most {
            let help = "give the topology that has the sites with `--topology FILE`";
            wrong(
                format!("`{name}` sits at {most} sites, not at {sites}"),
                help,
            );
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Problems(problems)),
    }
}

/// Losses with the sites of the row that holds then; what spans several is cut at their ends.
fn told(losses: &[LossResult], rows: &[(Nanos, Nanos, u64)]) -> Vec<LossResult> {
    let mut all = Vec::new();
    for loss in losses {
        let ends = rows.iter().flat_map(|&(from, to, _)| [from, to]);
        let mut cuts: Vec<Nanos> = ends.filter(|&at| loss.from < at && at < loss.to).collect();
        cuts.extend([loss.from, loss.to]);
        cuts.sort_unstable();
        cuts.dedup();
        for span in cuts.windows(2) {
            let holds = |row: &&(Nanos, Nanos, u64)| row.0 <= span[0] && span[1] <= row.1;
            let sites = rows.iter().find(holds).map(|row| row.2);
            all.push(LossResult {
                from: span[0],
                to: span[1],
                sites: sites.unwrap_or(loss.sites),
                ..loss.clone()
            });
        }
    }
    all
}
