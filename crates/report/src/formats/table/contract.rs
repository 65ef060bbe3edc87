//! What a contract makes of it: each service level in each month, and what follows.

use super::Page;
use crate::credits::{basis, due, happened, in_short, last_line};
use crate::text::{Column, Grid, Paint};
use assize_model::finding::Outcome;
use std::io;

pub(super) fn print(page: &mut Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let Some(credits) = &outcome.contract else {
        return Ok(());
    };
    let mut grid = Grid::new(&[
        Column::words("service level"),
        Column::words("period"),
        Column::figure("reached"),
        Column::figure("points"),
        Column::tag(""),
    ]);
    for level in in_short(credits) {
        grid.row(vec![
            (level.level, Paint::Strong),
            (level.result.month.name(), Paint::Plain),
            (level.result.achieved_text.clone(), Paint::Plain),
            (level.result.points.to_string(), Paint::Plain),
            (level.status, level.paint),
        ]);
        if page.style.verbose {
            for (name, text) in &level.result.arithmetic {
                grid.note(format!("{name}: {text}"), Paint::Faint);
            }
        }
    }
    page.table(&format!("The contract {}", credits.contract), &grid)?;
    for month in &credits.months {
        if let Some(due) = due(credits, month) {
            let text = format!("credits of {}: {due}", month.month.name());
            page.line(Paint::Plain, &text)?;
        }
    }
    for one in credits.critical.iter().filter(|one| one.happened) {
        let (word, paint) = happened(credits, one);
        let text = format!(
            "critical failure: {}: {word} ({})",
            one.clause, one.arithmetic
        );
        page.line(paint, &text)?;
    }
    let line = format!("{}; {}", last_line(credits), basis(credits.tested_on));
    page.line(Paint::Faint, &line)
}
