//! `assize merge`: the parts of a sweep as the report of the whole.

use super::analyse::{table, write_json};
use crate::Console;
use crate::args::Plain;
use crate::disk;
use crate::exit::{Exit, Failure};
use assize_analysis::{Report, merge::merge};
use std::path::PathBuf;

/// Join the parts of a sweep that `analyse --shard` made.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The parts, as `assize analyse --shard i/n --format json` wrote them, in any order.
    #[arg(required = true, value_name = "FILE")]
    parts: Vec<PathBuf>,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Plain,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let mut parts = Vec::new();
    for file in &arguments.parts {
        let text = disk::foreign(file)?;
        let part: Report = serde_json::from_str(&text)
            .map_err(|e| Failure::Usage(format!("{}: it is no analysis: {e}", file.display())))?;
        parts.push(part);
    }
    let whole = merge(parts).map_err(Failure::Usage)?;
    match arguments.format {
        Plain::Table => table::write(&whole, console)?,
        Plain::Json => write_json(&whole, console)?,
    }
    Ok(Exit::Pass)
}
