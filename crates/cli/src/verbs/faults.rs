//! `assize faults`: what can be broken, and how; the manual of each is its file's own text.

use crate::Console;
use crate::engine::{self, Listed, On};
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
    let chosen: Vec<Listed> = match &arguments.name {
        None => all,
        Some(name) => {
            let wanted = hyphens(name);
            let found = all.iter().find(|known| hyphens(known.name) == wanted);
            let unknown = || {
                let names = all.iter().map(|known| known.name);
                let help = assize_model::file::did_you_mean(&wanted, names);
                Failure::Usage(format!(
                    "there is no fault `{name}`\n = help: {help} (`assize faults` lists them)"
                ))
            };
            vec![found.cloned().ok_or_else(unknown)?]
        }
    };
    match (arguments.format, &arguments.name) {
        (Format::Json, _) => {
            let list: Vec<_> = chosen
                .iter()
                .map(|fault| {
                    let on = match fault.on {
                        On::Element => "element",
                        On::Wire => "wire",
                    };
                    json!({"name": fault.name, "on": on, "manual": fault.manual})
                })
                .collect();
            let value = json!({"schema": "assize/faults/v1", "faults": list});
            writeln!(console.out, "{value:#}")?;
        }
        (Format::Markdown, _) => markdown(&chosen, console)?,
        (Format::Table, Some(_)) => {
            for fault in &chosen {
                writeln!(console.out, "{}", fault.manual.trim())?;
            }
        }
        (Format::Table, None) => table(&chosen, console)?,
    }
    Ok(Exit::Pass)
}

/// Files spell names with hyphens, the HTTP API with underscores.
fn hyphens(name: &str) -> String {
    name.replace('_', "-")
}

/// The two kinds of fault, and what to say about each.
const PARTS: [(On, &str, &str); 2] = [
    (
        On::Element,
        "On the elements of a topology (scenarios)",
        "`fault:` in a scenario's timeline.",
    ),
    (
        On::Wire,
        "On the wire (toxics of a proxy)",
        "What passes a proxy: the toxics of its HTTP API, by these names. \
         A listener that refuses or swallows connections is a state of the proxy, not a toxic.\n\n\
         No number may be negative; a time of more than a hundred years counts as a hundred years. \
         Each fault touches a share of the connections (`toxicity`), drawn once for each and \
         direction from the seed.",
    ),
];

fn table(faults: &[Listed], console: &mut Console<'_>) -> Result<(), Failure> {
    let style: Style = console.style(false);
    for (on, title, _) in PARTS {
        writeln!(console.out, "{title}\n")?;
        let mut grid = Grid::new(&[Column::tag(""), Column::words("")]);
        for fault in faults.iter().filter(|fault| fault.on == on) {
            grid.row(vec![
                (fault.name.to_owned(), Paint::Strong),
                (summary(&fault.manual), Paint::Plain),
            ]);
        }
        grid.print(console.out, &style, 0)?;
        writeln!(console.out)?;
    }
    writeln!(
        console.out,
        "`assize faults NAME` prints the manual of one."
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

fn markdown(faults: &[Listed], console: &mut Console<'_>) -> Result<(), Failure> {
    writeln!(console.out, "# Faults\n")?;
    writeln!(
        console.out,
        "Written by `assize faults --format markdown`; do not edit."
    )?;
    for (on, title, says) in PARTS {
        let mut part = faults.iter().filter(|fault| fault.on == on).peekable();
        if part.peek().is_some() {
            writeln!(console.out, "\n## {title}\n\n{says}")?;
        }
        for fault in part {
            let manual = fault.manual.trim();
            writeln!(console.out, "\n### `{}`\n\n{manual}", fault.name)?;
        }
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
