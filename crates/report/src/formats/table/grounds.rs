//! What the verdict rests on, and what it says nothing about: symptoms of the real incident,
//! what was never exercised, assumptions, warnings.

use super::Page;
use crate::text::{Column, Grid, Paint};
use crate::words;
use assize_model::finding::Outcome;
use std::io;

/// Entries of a list printed unless all are asked for.
const SHOWN: usize = 5;

pub(super) fn print(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    symptoms(page, outcome)?;
    never_exercised(page, outcome)?;
    assumptions(page, outcome)?;
    warnings(page, outcome)
}

fn symptoms(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
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

fn never_exercised(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let mut grid = Grid::new(&[Column::words(""), Column::words("")]);
    for item in outcome.not_exercised.iter().take(limit(page)) {
        grid.row(vec![
            (item.element.clone(), Paint::Plain),
            (item.what.clone(), Paint::Faint),
        ]);
    }
    page.table("Never exercised, so not shown to work", &grid)?;
    more(page, outcome.not_exercised.len())
}

fn assumptions(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    if outcome.assumptions.is_empty() {
        return Ok(());
    }
    let count = words::number(outcome.assumptions.len(), "assumption", "assumptions");
    page.section(&format!("The verdict rests on {count}"))?;
    let mut grid = Grid::new(&[Column::words(""), Column::words("")]);
    for assumption in outcome.assumptions.iter().take(limit(page)) {
        grid.row(vec![
            (assumption.path.clone(), Paint::Plain),
            (assumption.reason.clone(), Paint::Faint),
        ]);
    }
    grid.print(page.out, &page.style, 4)?;
    more(page, outcome.assumptions.len())
}

fn warnings(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    if outcome.warnings.is_empty() {
        return Ok(());
    }
    page.section("Warnings")?;
    for warning in &outcome.warnings {
        page.line(Paint::Care, warning)?;
    }
    Ok(())
}
