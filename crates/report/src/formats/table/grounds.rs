//! What the verdict rests on, and what it says nothing about: symptoms of the real incident,
//! what was never exercised, assumptions, warnings.

use super::Page;
use crate::text::{Column, Grid, Paint};
use crate::words;
use assize_model::finding::{AssumptionResult, Outcome};
use std::io;

/// Entries of a list printed unless all are asked for.
const SHOWN: usize = 5;

/// For one outcome, or for several together: what none of them exercised, and all that any of
/// them rests on.
pub(super) fn print(page: &mut Page<'_>, outcomes: &[&Outcome]) -> io::Result<()> {
    never_exercised(page, outcomes)?;
    assumptions(page, outcomes)?;
    warnings(page, outcomes)
}

pub(super) fn symptoms(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let mut grid = Grid::new(&[
        Column::tag(""),
        Column::words("symptom"),
        Column::words("published"),
        Column::words("here"),
    ]);
    for symptom in &outcome.expected {
        let mark = if symptom.reproduced {
            ("yes", Paint::Good)
        } else {
            ("NO", Paint::Care)
        };
        grid.row(vec![
            (mark.0.to_owned(), mark.1),
            (page.clock.within(&symptom.symptom), Paint::Plain),
            (page.clock.within(&symptom.published), Paint::Plain),
            (page.clock.within(&symptom.got), Paint::Plain),
        ]);
    }
    let reproduced = outcome.expected.iter().filter(|s| s.reproduced).count();
    let heading = format!(
        "Published symptoms: {reproduced} of {} reproduced",
        outcome.expected.len()
    );
    page.table(&heading, &grid)
}

fn limit(page: &Page<'_>) -> usize {
    if page.style.verbose {
        usize::MAX
    } else {
        SHOWN
    }
}

fn more(page: &mut Page<'_>, total: usize) -> io::Result<()> {
    let hidden = total.saturating_sub(limit(page));
    if hidden == 0 {
        return Ok(());
    }
    page.line(
        Paint::Faint,
        &format!("and {} more (--verbose)", words::count(hidden as u64)),
    )
}

fn never_exercised(page: &mut Page<'_>, outcomes: &[&Outcome]) -> io::Result<()> {
    let Some((first, others)) = outcomes.split_first() else {
        return Ok(());
    };
    let idle: Vec<_> = first
        .not_exercised
        .iter()
        .filter(|item| {
            others
                .iter()
                .all(|o| o.not_exercised.iter().any(|i| i.element == item.element))
        })
        .collect();
    let mut grid = Grid::new(&[Column::words(""), Column::words("")]);
    for item in idle.iter().take(limit(page)) {
        grid.row(vec![
            (item.element.clone(), Paint::Plain),
            (item.what.clone(), Paint::Faint),
        ]);
    }
    let heading = if others.is_empty() {
        "Never exercised, so not shown to work"
    } else {
        "Never exercised in any of these scenarios, so not shown to work"
    };
    page.table(heading, &grid)?;
    more(page, idle.len())
}

fn assumptions(page: &mut Page<'_>, outcomes: &[&Outcome]) -> io::Result<()> {
    let mut all: Vec<&AssumptionResult> = Vec::new();
    for assumption in outcomes.iter().flat_map(|o| &o.assumptions) {
        if !all
            .iter()
            .any(|a| a.path == assumption.path && a.reason == assumption.reason)
        {
            all.push(assumption);
        }
    }
    let verdict = if outcomes.len() > 1 {
        "verdicts rest"
    } else {
        "verdict rests"
    };
    let count = words::number(all.len(), "assumption", "assumptions");
    let mut grid = Grid::new(&[Column::words(""), Column::words("")]);
    for assumption in all.iter().take(limit(page)) {
        grid.row(vec![
            (assumption.path.clone(), Paint::Plain),
            (assumption.reason.clone(), Paint::Faint),
        ]);
    }
    page.table(&format!("The {verdict} on {count}"), &grid)?;
    more(page, all.len())
}

fn warnings(page: &mut Page<'_>, outcomes: &[&Outcome]) -> io::Result<()> {
    let mut all: Vec<&str> = Vec::new();
    for warning in outcomes.iter().flat_map(|o| &o.warnings) {
        if !all.contains(&warning.as_str()) {
            all.push(warning);
        }
    }
    if all.is_empty() {
        return Ok(());
    }
    page.section("Warnings")?;
    for warning in all {
        page.line(Paint::Care, warning)?;
    }
    Ok(())
}
