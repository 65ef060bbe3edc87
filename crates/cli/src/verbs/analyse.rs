//! `assize analyse`: what can break a network. Topologies, plain networks in GraphML, fault trees
//! in the Open-PSA format.

mod table;

use crate::Console;
use crate::args::Plain;
use crate::disk;
use crate::exit::{Exit, Failure};
use assize_analysis::{Limits, Report, analyse_graph, analyse_tree, graphml, opsa};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Say what can break it: single points, cut sets, availability, every combination of failures.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A topology, a network in GraphML (`.graphml`) or a fault tree in the Open-PSA format
    /// (`.xml`).
    file: PathBuf,
    /// What fails, in a GraphML network.
    #[arg(
        long,
        env = "ASSIZE_ELEMENTS",
        default_value = "links",
        value_name = "KIND"
    )]
    elements: Elements,
    /// What must hold, in a GraphML network.
    #[arg(
        long,
        env = "ASSIZE_OBJECTIVE",
        default_value = "connected",
        value_name = "NAME"
    )]
    objective: Objective,
    /// How many elements fail together, at most.
    #[arg(long, env = "ASSIZE_K", default_value_t = 2, value_name = "N",
          value_parser = clap::value_parser!(u8).range(0..=8))]
    k: u8,
    /// List cut sets of at most so many elements.
    #[arg(long, env = "ASSIZE_ORDER", default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u8).range(1..=64))]
    order: u8,
    /// List at most so many cut sets.
    #[arg(long, env = "ASSIZE_MOST", default_value_t = 1000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    most: u32,
    /// The gate of a fault tree to analyse; else the one that no other refers to.
    #[arg(long, env = "ASSIZE_TOP", value_name = "GATE")]
    top: Option<String>,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Plain,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Elements {
    /// Links.
    Links,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Objective {
    /// No failure raises the number of connected parts.
    Connected,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let report = match extension(&arguments.file).as_str() {
        "graphml" => graph(arguments)?,
        _ => tree(arguments)?,
    };
    match arguments.format {
        Plain::Table => table::write(&report, console)?,
        Plain::Json => write_json(&report, console)?,
    }
    Ok(Exit::Pass)
}

fn extension(file: &Path) -> String {
    let extension = file.extension().unwrap_or_default();
    extension.to_string_lossy().to_lowercase()
}

fn graph(arguments: &Arguments) -> Result<Report, Failure> {
    let (Elements::Links, Objective::Connected) = (arguments.elements, arguments.objective);
    let text = disk::foreign(&arguments.file)?;
    let graph = graphml::read(&text).map_err(|e| cannot_use(&arguments.file, &e))?;
    Ok(analyse_graph(
        &graph,
        arguments.k.into(),
        arguments.most as usize,
    ))
}

fn tree(arguments: &Arguments) -> Result<Report, Failure> {
    let text = disk::foreign(&arguments.file)?;
    let tree =
        opsa::read(&text, arguments.top.as_deref()).map_err(|e| cannot_use(&arguments.file, &e))?;
    let (order, most) = (arguments.order.into(), arguments.most as usize);
    Ok(analyse_tree(&tree, order, most, Limits::default()))
}

fn cannot_use(file: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::Usage(format!("{}: {error}", file.display()))
}

fn write_json(report: &Report, console: &mut Console<'_>) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *console.out, report).map_err(std::io::Error::from)?;
    writeln!(console.out)?;
    Ok(())
}
