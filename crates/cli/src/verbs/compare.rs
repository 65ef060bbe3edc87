//! `assize compare`: two designs side by side, or two verdicts.

use super::analyse::{Depth, analysis_of, write_json};
use crate::Console;
use crate::exit::{Exit, Failure};
use crate::stored;
use assize_analysis::Availability;
use assize_analysis::compare::{Change, Comparison, compare};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Say what a change of design buys, and what it costs.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The design as it is: a topology; or a run: a verdict or suite in JSON, the folder of a
    /// run, or an evidence pack.
    from: PathBuf,
    /// The other, of the same kind.
    to: PathBuf,
    #[command(flatten)]
    depth: Depth,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For a page.
    Markdown,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let from = stored::some_verdicts(&arguments.from)?;
    match (from, stored::some_verdicts(&arguments.to)?) {
        (Some(from), Some(to)) => runs(arguments, (&from, &to), console),
        (None, None) => designs(arguments, console),
        _ => Err(Failure::Usage(format!(
            "`{}` and `{}` are not of the same kind\n = help: give two topologies, or two runs",
            arguments.from.display(),
            arguments.to.display()
        ))),
    }
}

fn designs(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let from = analysis_of(&arguments.from, &arguments.depth)?;
    let to = analysis_of(&arguments.to, &arguments.depth)?;
    let found = compare(&from.1, &to.1);
    match arguments.format {
        Format::Json => write_json(&found, console)?,
        Format::Table => text(&found, "", console)?,
        Format::Markdown => text(&found, "## ", console)?,
    }
    Ok(Exit::Pass)
}

/// Findings by scenario, objective and subject: status and figure.
fn findings(runs: &[Value]) -> BTreeMap<String, (String, String)> {
    let mut found = BTreeMap::new();
    for run in runs {
        for finding in run["findings"].as_array().into_iter().flatten() {
            let word = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
            let key = [&run["scenario"], &finding["objective"], &finding["subject"]]
                .map(word)
                .join(" / ");
            let measured = &finding["measured"];
            let measured = if measured["text"].is_string() {
                &measured["text"]
            } else {
                measured
            };
            found.insert(key, (word(&finding["status"]), word(measured)));
        }
    }
    found
}

fn runs(
    arguments: &Arguments,
    (from, to): (&[Value], &[Value]),
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let (a, b) = (findings(from), findings(to));
    let mut moved = Vec::new();
    for key in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
        let (x, y) = (a.get(key), b.get(key));
        if x != y {
            let words = |f: Option<&(String, String)>| {
                f.map_or("absent".to_owned(), |f| format!("{} ({})", f.0, f.1))
            };
            moved.push((key.clone(), words(x), words(y)));
        }
    }
    match arguments.format {
        Format::Json => {
            let list: Vec<Value> = moved
                .iter()
                .map(|m| json!({"finding": m.0, "from": m.1, "to": m.2}))
                .collect();
            write_json(
                &json!({"schema": "assize/comparison/v1", "findings": list}),
                console,
            )?;
        }
        Format::Markdown => {
            writeln!(
                console.out,
                "| finding | before | after |\n| --- | --- | --- |"
            )?;
            for (key, x, y) in &moved {
                writeln!(console.out, "| {key} | {x} | {y} |")?;
            }
        }
        Format::Table => {
            for (key, x, y) in &moved {
                writeln!(console.out, "{key}: {x} -> {y}")?;
            }
            writeln!(
                console.out,
                "{} findings moved, of {}",
                moved.len(),
                a.len().max(b.len())
            )?;
        }
    }
    Ok(Exit::Pass)
}

fn text(found: &Comparison, heading: &str, console: &mut Console<'_>) -> Result<(), Failure> {
    let out = &mut *console.out;
    writeln!(out, "{heading}{} -> {}\n", found.from, found.to)?;
    let (a, b) = found.elements;
    writeln!(
        out,
        "The price: {a} elements become {b}, the sites of classes included ({} kinds more, {} fewer).",
        found.added.len(),
        found.removed.len()
    )?;
    for (title, list) in [
        (
            "Targets that no single failure misses any more",
            &found.targets_gained,
        ),
        (
            "Targets that a single failure misses now",
            &found.targets_lost,
        ),
        ("Elements added", &found.added),
        ("Elements removed", &found.removed),
    ] {
        if !list.is_empty() {
            writeln!(out, "\n{title}:\n")?;
            for one in list {
                writeln!(out, "- {one}")?;
            }
        }
    }
    for change in &found.journeys {
        one_journey(change, out)?;
    }
    Ok(())
}

fn one_journey(change: &Change, out: &mut dyn std::io::Write) -> Result<(), Failure> {
    writeln!(out, "\n{} ({}):\n", change.journey, change.population)?;
    for (title, list) in [
        ("single points gone", &change.single_points_removed),
        ("single points new", &change.single_points_added),
    ] {
        if !list.is_empty() {
            writeln!(out, "- {title}: {}", list.join(", "))?;
        }
    }
    let (gone, new) = (change.cut_sets_removed.len(), change.cut_sets_added.len());
    if gone + new > 0 {
        writeln!(
            out,
            "- minimal cut sets (of those listed): {gone} gone, {new} new"
        )?;
    }
    if let Some((a, b)) = change.availability {
        writeln!(out, "- available {} -> {}", share(a), share(b))?;
    }
    Ok(())
}

fn share(a: Availability) -> String {
    match a {
        Availability::Exact { exact } => format!("{:.5} %", exact * 100.0),
        Availability::Between(b) => format!("{:.5} to {:.5} %", b.lower * 100.0, b.upper * 100.0),
    }
}
