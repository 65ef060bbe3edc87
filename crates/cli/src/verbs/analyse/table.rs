//! An analysis for people.

use crate::Console;
use crate::exit::Failure;
use assize_analysis::{Report, Sweep, Top};
use std::io::Write;

/// Rows of a list that are shown; JSON has all.
const SHOWN: usize = 20;

/// Prints a report.
pub(super) fn write(report: &Report, console: &mut Console<'_>) -> Result<(), Failure> {
    writeln!(
        console.out,
        "{} ({}), {} elements",
        report.name,
        report.kind,
        report.elements.len()
    )?;
    if let Some(found) = &report.top {
        top(found, console.out)?;
    }
    for one in &report.sweep {
        sweep(one, console.out)?;
    }
    for warning in &report.warnings {
        console.say(&format!("warning: {warning}"));
    }
    Ok(())
}

fn top(top: &Top, out: &mut dyn Write) -> Result<(), Failure> {
    match (top.probability, top.bounds) {
        (Some(p), _) => writeln!(out, "`{}` fails with probability {p:.6e}", top.name)?,
        (None, Some(b)) => writeln!(
            out,
            "`{}` fails with probability between {:.6e} and {:.6e}",
            top.name, b.lower, b.upper
        )?,
        (None, None) => writeln!(
            out,
            "`{}`: no probability without those of all events",
            top.name
        )?,
    }
    match top.minimal_cut_sets {
        Some(count) => writeln!(out, "{count} minimal cut sets")?,
        None => writeln!(out, "minimal cut sets not counted")?,
    }
    for set in top.cut_sets.iter().take(SHOWN) {
        let p = set
            .probability
            .map_or(String::new(), |p| format!("  {p:.3e}"));
        writeln!(out, "  {}{p}", set.elements.join(" + "))?;
    }
    if !top.importance.is_empty() {
        writeln!(
            out,
            "\n  {:<24} {:>12} {:>12} {:>14}",
            "event", "criticality", "Birnbaum", "Fussell-Vesely"
        )?;
    }
    for one in top.importance.iter().take(SHOWN) {
        let share = one
            .fussell_vesely
            .map_or("-".to_owned(), |v| format!("{v:.4}"));
        writeln!(
            out,
            "  {:<24} {:>12.4} {:>12.4e} {:>14}",
            one.element, one.criticality, one.birnbaum, share
        )?;
    }
    Ok(())
}

fn sweep(sweep: &Sweep, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(
        out,
        "\n{} at a time: {} of {} combinations violate ({} looked at, {} decided by others)",
        sweep.k, sweep.violating, sweep.combinations, sweep.evaluated, sweep.skipped
    )?;
    for one in sweep.minimal.iter().take(SHOWN) {
        writeln!(out, "  {}", one.elements.join(" + "))?;
    }
    let more = sweep.minimal.len().saturating_sub(SHOWN);
    if more > 0 {
        writeln!(out, "  and {more} more (`--format json` lists them)")?;
    }
    Ok(())
}
