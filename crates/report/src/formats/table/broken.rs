//! What was broken, when, and whether anything met it; and what was done besides.

use super::Page;
use crate::text::{Column, Grid, Paint};
use crate::words;
use assize_model::finding::{FaultResult, Outcome};
use std::io;

pub(super) fn print(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    faults(page, outcome)?;
    steps(page, outcome)
}

fn faults(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let mut grid = Grid::new(&[
        Column::words(""),
        Column::words(""),
        Column::words(""),
        Column::tag(""),
        Column::tag(""),
    ]);
    for fault in &outcome.faults {
        let bit = if fault.bit {
            ("it bit", Paint::Plain)
        } else {
            ("never bit", Paint::Care)
        };
        grid.row(vec![
            (fault.id.clone(), Paint::Strong),
            (fault.fault.clone(), Paint::Plain),
            (fault.target.clone(), Paint::Plain),
            (span(page, fault), Paint::Plain),
            (bit.0.to_owned(), bit.1),
        ]);
        if !fault.bit || page.style.verbose {
            grid.note(page.clock.within(&fault.evidence), Paint::Faint);
        }
        if page.style.verbose && !fault.owners.is_empty() {
            grid.note(
                format!("owned by {}", words::list(&fault.owners)),
                Paint::Faint,
            );
        }
    }
    page.table("What was broken", &grid)
}

fn span(page: &Page<'_>, fault: &FaultResult) -> String {
    format!(
        "{} to {}",
        page.clock.show(&fault.from),
        page.clock.show(&fault.to)
    )
}

fn steps(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let mut grid = Grid::new(&[Column::words(""), Column::tag(""), Column::words("")]);
    for step in &outcome.steps {
        grid.row(vec![
            (step.id.clone(), Paint::Strong),
            (page.clock.show(&step.at), Paint::Plain),
            (page.clock.within(&step.outcome), Paint::Plain),
        ]);
    }
    page.table("What was done", &grid)
}
