//! The objectives: target, measured, margin, status; and why, where a target was not met.

use super::Page;
use crate::text::{Column, Grid, Paint};
use crate::words;
use assize_fault::Nanos;
use assize_model::finding::{Attribution, Detail, Finding, Outcome, Status, Value};
use std::io;

/// Figures printed beside a finding even if it was met: they say what the main figure hides.
const ALWAYS: [&str; 6] = [
    "spread",
    "outages",
    "below_full",
    "left_out",
    "difference",
    "predicted_status",
];
/// Figures whose text says by itself what they are.
const PLAIN: [&str; 11] = [
    "spread",
    "difference",
    "failures",
    "outages",
    "below_full",
    "left_out",
    "held",
    "degraded",
    "peak",
    "disturbance",
    "unverified",
];

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

/// What was predicted, in words.
fn predicted(finding: &Finding) -> Option<&str> {
    let mut details = finding.details.iter();
    let found = details.find(|detail| detail.name == "predicted")?;
    Some(&found.text)
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
        let parts: Vec<String> = finding.attribution.iter().map(cause).collect();
        grid.note(format!("caused by {}", words::list(&parts)), Paint::Faint);
    }
    if let Some(accepted) = &finding.accepted {
        grid.note(
            format!(
                "accepted by {} until {}: {}",
                accepted.by, accepted.until, accepted.reason
            ),
            Paint::Care,
        );
    }
    if style.verbose {
        grid.note(
            format!("tested on {}; {}", finding.tested_on, finding.source),
            Paint::Faint,
        );
    }
}

/// The figures beside the main one, each once, in words.
fn details(finding: &Finding, clock: &words::Clock, verbose: bool) -> Vec<String> {
    let wanted = |d: &&Detail| match d.name {
        // The total of the outages is in the text of their number.
        "outages_total" => false,
        // It has a column of its own.
        "predicted" => false,
        _ if verbose => true,
        "first_good" | "stable_good" | "since_fault" => false,
        "onset" if d.value == Some(Value::Time(Nanos::ZERO)) => false,
        name if finding.status == Status::Met => {
            ALWAYS.contains(&name) && d.value != Some(Value::Count(0))
        }
        _ => true,
    };
    let mut texts: Vec<String> = Vec::new();
    let mut before: Option<&Detail> = None;
    for detail in finding.details.iter().filter(wanted) {
        // First and lasting recovery are most often the same.
        if before.is_none_or(|b| b.text != detail.text) {
            let text = clock.within(&detail.text);
            texts.push(if PLAIN.contains(&detail.name) {
                text
            } else {
                let name = match detail.name {
                    "user_hours_lost" => "lost in all".to_owned(),
                    "predicted_status" => "predicted".to_owned(),
                    name => name.replace('_', " "),
                };
                format!("{name} {text}")
            });
        }
        before = Some(detail);
    }
    texts
}

fn status(finding: &Finding) -> (&'static str, Paint) {
    match finding.status {
        Status::Met => ("met", Paint::Good),
        Status::Missed if finding.accepted.is_some() => ("missed, accepted", Paint::Care),
        Status::Missed => ("MISSED", Paint::Bad),
        Status::Inconclusive => ("undecided", Paint::Care),
        Status::NotExercised => ("not exercised", Paint::Care),
    }
}

fn cause(part: &Attribution) -> String {
    let mut text = format!("{} {}", part.cause, words::about(part.time));
    let mut beside = Vec::new();
    if part.joint == part.time && part.joint.0 > 0 {
        beside.push("jointly".to_owned());
    } else if part.joint.0 > 0 {
        beside.push(format!("{} of it jointly", words::about(part.joint)));
    }
    if !part.owners.is_empty() {
        beside.push(format!("owned by {}", part.owners.join(", ")));
    }
    if !beside.is_empty() {
        text.push_str(&format!(" ({})", beside.join("; ")));
    }
    text
}
