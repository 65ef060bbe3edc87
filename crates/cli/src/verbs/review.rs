//! `assize review`: a page for a design review, and a check for continuous integration.

use super::analyse::{Depth, analysis_of, write_json};
use crate::Console;
use crate::exit::{Exit, Failure};
use assize_analysis::Report;
use assize_analysis::review::{Entry, Status, passes, register};
use clap::ValueEnum;
use std::path::PathBuf;

/// Write the page for a design review: the register of single points.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The design.
    model: PathBuf,
    /// The design as it was: what that had already is not new.
    #[arg(long, env = "ASSIZE_AGAINST", value_name = "FILE")]
    against: Option<PathBuf>,
    /// Exit with 1 if a single point is not accepted (with `--against`, a new one), or an
    /// acceptance has run out.
    #[arg(long, env = "ASSIZE_CHECK", value_parser = crate::args::flag(), num_args = 0)]
    check: bool,
    /// The date by which acceptances are judged, such as `2027-03-31`; without it none has run
    /// out.
    #[arg(long, env = "ASSIZE_TODAY", value_name = "DATE", value_parser = date)]
    today: Option<String>,
    #[command(flatten)]
    depth: Depth,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "markdown",
        value_name = "FORMAT"
    )]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// A page.
    Markdown,
    /// The register as a table for spreadsheets.
    Csv,
    /// For programs.
    Json,
}

fn date(text: &str) -> Result<String, String> {
    let parsed = text.parse::<jiff::civil::Date>();
    parsed
        .map(|d| d.to_string())
        .map_err(|_| "write `2027-03-31`".to_owned())
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let (topology, report) = analysis_of(&arguments.model, &arguments.depth)?;
    let old = arguments
        .against
        .as_ref()
        .map(|file| analysis_of(file, &arguments.depth))
        .transpose()?;
    let old = old.as_ref().map(|o| &o.1);
    let entries = register(&topology, &report, old, arguments.today.as_deref());
    match arguments.format {
        Format::Markdown => page(&report, &entries, console)?,
        Format::Csv => csv(&entries, console)?,
        Format::Json => write_json(&entries, console)?,
    }
    if !arguments.check || passes(&entries, old.is_some()) {
        return Ok(Exit::Pass);
    }
    let wrong = |e: &&Entry| {
        e.status == Status::Expired || e.status == Status::Open && (old.is_none() || e.new)
    };
    console.say(&format!(
        "{} single points are not accepted, or not any more",
        entries.iter().filter(wrong).count()
    ));
    Ok(Exit::Missed)
}

fn status(entry: &Entry) -> &'static str {
    match entry.status {
        Status::Open => "open",
        Status::Accepted => "accepted",
        Status::Expired => "run out",
    }
}

fn page(report: &Report, entries: &[Entry], console: &mut Console<'_>) -> Result<(), Failure> {
    let out = &mut *console.out;
    writeln!(
        out,
        "# Design review: {}\n\n## What can break it\n",
        report.name
    )?;
    for finding in &report.findings {
        writeln!(
            out,
            "- {}{}",
            finding.text,
            if finding.accepted { " (accepted)" } else { "" }
        )?;
    }
    writeln!(out, "\n## Combinations\n")?;
    for sweep in &report.sweep {
        writeln!(
            out,
            "- Of {} combinations of {}, {} miss a target.",
            sweep.combinations, sweep.k, sweep.violating
        )?;
    }
    writeln!(
        out,
        "\n## Register of single points\n\n| element | journey | population | share | status | by | until | reason |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    )?;
    for e in entries {
        let text = |t: &Option<String>| t.clone().unwrap_or_default().replace('|', "/");
        let new = if e.new { " (new)" } else { "" };
        writeln!(
            out,
            "| {} | {} | {} | {:.1} % | {}{new} | {} | {} | {} |",
            e.element,
            e.journey,
            e.population,
            e.share * 100.0,
            status(e),
            text(&e.by),
            text(&e.until),
            text(&e.reason)
        )?;
    }
    Ok(())
}

fn csv(entries: &[Entry], console: &mut Console<'_>) -> Result<(), Failure> {
    writeln!(
        console.out,
        "element,journey,population,share,status,new,by,until,reason"
    )?;
    for e in entries {
        let cell = |t: &str| format!("\"{}\"", t.replace('"', "\"\""));
        let text = |t: &Option<String>| cell(t.as_deref().unwrap_or_default());
        writeln!(
            console.out,
            "{},{},{},{},{},{},{},{},{}",
            cell(&e.element),
            cell(&e.journey),
            cell(&e.population),
            e.share,
            status(e),
            e.new,
            text(&e.by),
            text(&e.until),
            text(&e.reason)
        )?;
    }
    Ok(())
}
