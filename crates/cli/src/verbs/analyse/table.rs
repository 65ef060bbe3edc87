//! An analysis for people: what is wrong first, then each journey, then the counts.

use crate::Console;
use crate::exit::Failure;
use assize_analysis::{
    Availability, Coverage, Journey, LoadFound, Report, Sensitivity, SinglePoint, Sweep, Timed, Top,
};
use std::io::Write;

/// Rows of a list that are shown; JSON has all.
const SHOWN: usize = 20;

/// Prints a report.
pub(in crate::verbs) fn write(report: &Report, console: &mut Console<'_>) -> Result<(), Failure> {
    let out = &mut *console.out;
    writeln!(
        out,
        "{} ({}), {} elements",
        report.name,
        report.kind,
        report.elements.len()
    )?;
    if let Some(found) = &report.top {
        top(found, out)?;
    }
    if !report.journeys.is_empty() {
        journeys(&report.journeys, out)?;
    }
    if !report.findings.is_empty() {
        writeln!(out, "\nFindings")?;
    }
    for finding in &report.findings {
        let accepted = if finding.accepted { " (accepted)" } else { "" };
        writeln!(out, "  - {}{accepted}", finding.text)?;
    }
    for one in &report.sweep {
        sweep(one, out)?;
    }
    if let Some(likely) = &report.likely {
        writeln!(
            out,
            "\nUp to {} at a time, most probable first: all but {:.3e} of the probability looked at; a target is missed with probability {:.6e} to {:.6e}",
            likely.k, likely.unexplored, likely.violating.lower, likely.violating.upper
        )?;
    }
    for demand in &report.demands {
        writeln!(out, "\nAt {} times the demand", demand.factor)?;
        for one in &demand.sweep {
            sweep(one, out)?;
        }
    }
    loads(&report.loads, out)?;
    if let Some(found) = &report.timed {
        timed(found, out)?;
    }
    if let Some(found) = &report.coverage {
        coverage(found, out)?;
    }
    if let Some(found) = &report.sensitivity {
        sensitivity(found, out)?;
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

/// One block per journey and population: what alone takes it away.
fn journeys(journeys: &[Journey], out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(
        out,
        "\nSingle points of failure, by journey and population (with the share that loses it, if not all)"
    )?;
    for journey in journeys {
        let count = journey
            .minimal_cut_sets
            .map_or("?".to_owned(), |c| c.to_string());
        let available = journey.availability.map_or(String::new(), |a| match a {
            Availability::Exact { exact } => format!(", available {:.5} %", exact * 100.0),
            Availability::Between(b) => format!(
                ", available {:.5} to {:.5} %",
                b.lower * 100.0,
                b.upper * 100.0
            ),
        });
        writeln!(
            out,
            "  {} ({}){available}; {count} minimal cut sets",
            journey.journey, journey.population
        )?;
        writeln!(out, "    {}", points(&journey.single_points))?;
        if !journey.site_points.is_empty() {
            let mut names: Vec<&str> = journey
                .site_points
                .iter()
                .filter_map(|p| p.element.split('@').next())
                .collect();
            names.dedup();
            writeln!(out, "    at the user's own site: {}", names.join(", "))?;
        }
    }
    Ok(())
}

fn points(points: &[SinglePoint]) -> String {
    if points.is_empty() {
        return "none".to_owned();
    }
    let one = |p: &SinglePoint| {
        let share = if p.share < 1.0 {
            format!(" ({:.1} %)", p.share * 100.0)
        } else {
            String::new()
        };
        let accepted = if p.accepted { " [accepted]" } else { "" };
        format!("{}{share}{accepted}", p.element)
    };
    points.iter().map(one).collect::<Vec<String>>().join(", ")
}

fn sweep(sweep: &Sweep, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(
        out,
        "\n{} at a time: {} of {} combinations violate ({} looked at, {} decided by others)",
        sweep.k, sweep.violating, sweep.combinations, sweep.evaluated, sweep.skipped
    )?;
    if sweep.overloaded > 0 {
        writeln!(
            out,
            "  {} of these only because a link or a service is too small",
            sweep.overloaded
        )?;
    }
    for one in sweep.minimal.iter().take(SHOWN) {
        let over = match one.overloaded.as_slice() {
            [] => String::new(),
            over => format!("  (too small: {})", over.join(", ")),
        };
        writeln!(out, "  {}{over}", one.elements.join(" + "))?;
    }
    let more = sweep.minimal.len().saturating_sub(SHOWN);
    if more > 0 {
        writeln!(out, "  and {more} more (`--format json` lists them)")?;
    }
    Ok(())
}

/// Links and services with a limit, the fullest first, each with what makes it so.
fn loads(loads: &[LoadFound], out: &mut dyn Write) -> Result<(), Failure> {
    let worst = |l: &LoadFound| l.worst.iter().fold(l.at_rest, |m, w| m.max(w.share));
    let mut list: Vec<&LoadFound> = loads.iter().filter(|l| worst(l) > 0.0).collect();
    if list.is_empty() {
        return Ok(());
    }
    list.sort_by(|a, b| worst(b).total_cmp(&worst(a)));
    writeln!(
        out,
        "\nHow full, at the height of demand: with nothing failed, and at worst"
    )?;
    for one in list.iter().take(SHOWN) {
        let mut line = format!(
            "  {} ({}): {}",
            one.element,
            one.limit,
            percent(one.at_rest)
        );
        let mut most = one.at_rest;
        for case in &one.worst {
            // More failures that make it no worse say nothing.
            if case.share > most {
                most = case.share;
                let by = case.elements.join(" + ");
                line.push_str(&format!("; {} without {by}", percent(case.share)));
            }
        }
        writeln!(out, "{line}")?;
    }
    let more = list.len().saturating_sub(SHOWN);
    if more > 0 {
        writeln!(out, "  and {more} more (`--format json` lists them)")?;
    }
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn timed(timed: &Timed, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(
        out,
        "\nOut for {}: {} elements simulated one at a time, {} not; {} of their pairs, {} not",
        timed.length, timed.simulated, timed.left_out, timed.pairs, timed.pairs_left_out
    )?;
    for missed in &timed.at_rest {
        writeln!(out, "  missed with nothing out: {missed}")?;
    }
    for one in &timed.missing {
        writeln!(out, "  {}", one.elements.join(" + "))?;
        for missed in &one.missed {
            writeln!(out, "    misses {missed}")?;
        }
    }
    Ok(())
}

fn coverage(found: &Coverage, out: &mut dyn Write) -> Result<(), Failure> {
    let tried = found.covered.iter().filter(|c| c.misses).count();
    writeln!(
        out,
        "\nTried live, in {} runs: {} combinations; of {} minimal violations {tried}, and {} not",
        found.runs,
        found.covered.len(),
        found.minimal,
        found.open.len()
    )?;
    for one in &found.covered {
        let misses = if one.misses { "misses a target; " } else { "" };
        let (names, runs) = (one.elements.join(" + "), one.runs.join(", "));
        writeln!(out, "  {names}  ({misses}{runs})")?;
    }
    if !found.open.is_empty() {
        writeln!(out, "  not tried:")?;
    }
    for one in found.open.iter().take(SHOWN) {
        writeln!(out, "    {}", one.join(" + "))?;
    }
    let more = found.open.len().saturating_sub(SHOWN);
    if more > 0 {
        writeln!(out, "    and {more} more (`--format json` lists them)")?;
    }
    if !found.unknown.is_empty() {
        let unknown = found.unknown.join(", ");
        writeln!(out, "  no element here: {unknown}")?;
    }
    Ok(())
}

fn sensitivity(found: &Sensitivity, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(
        out,
        "\nOf {} assumed figures, halved and doubled one at a time, {} tries change which targets single elements miss",
        found.figures,
        found.deciding.len()
    )?;
    for one in &found.deciding {
        writeln!(out, "  {} = {} instead of {}", one.path, one.at, one.value)?;
        for (what, list) in [("missed then", &one.missed), ("met then", &one.met)] {
            if let Some(first) = list.first() {
                let more = match list.len() - 1 {
                    0 => String::new(),
                    more => format!(", and {more} more"),
                };
                writeln!(out, "    {what}: {first}{more}")?;
            }
        }
    }
    Ok(())
}
