//! `assize graph`: a topology as a picture, in DOT or Mermaid.

use crate::Console;
use crate::args::SetArgs;
use crate::engine;
use crate::exit::{Exit, Failure};
use crate::graph::{self, dot, mermaid};
use clap::ValueEnum;
use std::path::PathBuf;

/// Draw a topology.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The topology, or a scenario whose topology is drawn.
    topology: PathBuf,
    /// Fold site classes with the same links into one box, and services into their nodes.
    #[arg(long, env = "ASSIZE_COLLAPSE", value_parser = crate::args::flag(), num_args = 0)]
    collapse: bool,
    #[command(flatten)]
    sets: SetArgs,
    /// The language of the picture.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "dot",
        value_name = "FORMAT"
    )]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Graphviz: `assize graph FILE | dot -Tsvg > network.svg`.
    Dot,
    /// Mermaid, for Markdown pages.
    Mermaid,
    /// Boxes, lines and clusters for programs.
    Json,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let loaded = engine::topology(&arguments.topology, &arguments.sets.sets)?;
    let graph = graph::build(&loaded.topology, arguments.collapse);
    match arguments.format {
        Format::Dot => dot::write(&graph, console.out)?,
        Format::Mermaid => mermaid::write(&graph, console.out)?,
        Format::Json => {
            let value = serde_json::json!({"schema": "assize/graph/v1", "graph": graph});
            writeln!(console.out, "{value:#}")?;
        }
    }
    Ok(Exit::Pass)
}
