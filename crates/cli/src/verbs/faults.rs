//! `assize faults`: what can be broken, and how; the manual of each is its file's own text.

use crate::Console;
use crate::engine;
use crate::exit::{Exit, Failure};
use assize_report::Style;
use assize_report::text::{Column, Grid, Paint};
use clap::ValueEnum;
use serde_json::json;

/// List the faults, or print the manual of one.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The fault; all of them unless given.
    name: Option<String>,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// The whole manual, for a page of documentation.
    Markdown,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let all = engine::faults();
    let chosen: Vec<(&str, String)> = match &arguments.name {
        None => all,
        Some(name) => {
            let wanted = name.replace('_', "-");
            let found = all.iter().find(|(known, _)| *known == wanted).cloned();
            let names = all.iter().map(|(known, _)| *known);
            let unknown = || {
                let help = assize_model::file::did_you_mean(&wanted, names);
                Failure::Usage(format!(
                    "there is no fault `{name}`\n = help: {help} (`assize faults` lists them)"
                ))
            };
            vec![found.ok_or_else(unknown)?]
        }
    };
    match (arguments.format, &arguments.name) {
        (Format::Json, _) => {
            let list: Vec<_> = chosen
                .iter()
                .map(|(name, manual)| json!({"name": name, "manual": manual}))
                .collect();
            let value = json!({"schema": "assize/faults/v1", "faults": list});
            writeln!(console.out, "{value:#}")?;
        }
        (Format::Markdown, _) => markdown(&chosen, console)?,
        (Format::Table, Some(_)) => {
            for (_, manual) in &chosen {
                writeln!(console.out, "{}", manual.trim())?;
            }
        }
        (Format::Table, None) => table(&chosen, console)?,
    }
    Ok(Exit::Pass)
}

fn table(faults: &[(&str, String)], console: &mut Console<'_>) -> Result<(), Failure> {
    let mut grid = Grid::new(&[Column::tag(""), Column::words("")]);
    for (name, manual) in faults {
        grid.row(vec![
            ((*name).to_owned(), Paint::Strong),
            (summary(manual), Paint::Plain),
        ]);
    }
    let style: Style = console.style(false);
    grid.print(console.out, &style, 0)?;
    writeln!(
        console.out,
        "\n`assize faults NAME` prints the manual of one."
    )?;
    Ok(())
}

/// The first paragraph of a manual, on one line.
fn summary(manual: &str) -> String {
    let lines = manual
        .trim()
        .lines()
        .skip_while(|l| l.starts_with('#') || l.trim().is_empty());
    let first: Vec<&str> = lines
        .take_while(|l| !l.trim().is_empty())
        .map(str::trim)
        .collect();
    first.join(" ")
}

fn markdown(faults: &[(&str, String)], console: &mut Console<'_>) -> Result<(), Failure> {
    writeln!(console.out, "# Faults\n")?;
    writeln!(
        console.out,
        "Written by `assize faults --format markdown`; do not edit."
    )?;
    for (name, manual) in faults {
        writeln!(console.out, "\n## `{name}`\n\n{}", manual.trim())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_the_first_paragraph() {
        assert_eq!(
            summary("# Outage\n\nTakes a thing\nout of service.\n\nMore."),
            "Takes a thing out of service."
        );
        assert_eq!(summary(""), "");
    }
}
