//! The objectives: target, measured, margin, status; and why, where a target was not met.

use super::Page;
use crate::tell::{self, details, predicted, status};
use crate::text::{Column, Grid, Paint};
use assize_model::finding::{Finding, Outcome, Status};
use std::io;

pub(super) fn print(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let with_predicted = outcome.findings.iter().any(|f| predicted(f).is_some());
    let mut columns = vec![
        Column::words("objective"),
        Column::words("for"),
        Column::figure("target"),
        Column::figure("measured"),
    ];
    columns.extend(with_predicted.then(|| Column::figure("predicted")));
    columns.extend([Column::figure("margin"), Column::tag("status")]);
    let mut grid = Grid::new(&columns);
    for finding in &outcome.findings {
        row(&mut grid, finding, with_predicted, page);
    }
    page.table("Targets", &grid)
}

fn row(grid: &mut Grid, finding: &Finding, with_predicted: bool, page: &Page<'_>) {
    let (style, clock) = (&page.style, &page.clock);
    let (status, paint) = status(finding);
    let mut cells = vec![
        (finding.objective.clone(), Paint::Strong),
        (finding.subject.clone(), Paint::Plain),
        (finding.target_text.clone(), Paint::Plain),
        (finding.measured_text.clone(), Paint::Plain),
    ];
    if with_predicted {
        let text = predicted(finding).unwrap_or("not predicted");
        cells.push((text.to_owned(), Paint::Plain));
    }
    cells.push((finding.margin_text.clone(), Paint::Plain));
    cells.push((status.to_owned(), paint));
    grid.row(cells);
    let met = finding.status == Status::Met;
    if !met || style.verbose {
        grid.note(clock.within(&finding.reason), Paint::Plain);
    }
    let details = details(finding, clock, style.verbose);
    if !details.is_empty() {
        grid.note(details.join("; "), Paint::Faint);
    }
    if !met && finding.attribution.len() > 1 || style.verbose && !finding.attribution.is_empty() {
        grid.note(tell::causes(finding).unwrap_or_default(), Paint::Faint);
    }
    if let Some(accepted) = tell::accepted(finding) {
        grid.note(accepted, Paint::Care);
    }
    if style.verbose {
        grid.note(
            format!("tested on {}; {}", finding.tested_on, finding.source),
            Paint::Faint,
        );
    }
}
