//! `assize compliance`: what the findings of runs support of the frameworks that a customer
//! answers to, and what has no evidence. It informs, and decides nothing.

use crate::Console;
use crate::args::Plain;
use crate::exit::{self, Exit, Failure};
use crate::stored;
use assize_report::compliance::{self, Caf};
use clap::ValueEnum;
use serde_json::json;
use std::path::PathBuf;

/// Say what findings support of NCSC CAF, ISO 22301, ISO/IEC 27001 and the MoJ's policy.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Verdicts or suites in JSON (`--format json`, or `verdict.json`), folders of runs, or
    /// evidence packs.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Edition of the NCSC's Cyber Assessment Framework.
    #[arg(
        long,
        env = "ASSIZE_CAF",
        default_value = "3.2",
        value_name = "VERSION"
    )]
    caf: Edition,
    /// Print every piece of evidence.
    #[arg(long, short, env = "ASSIZE_VERBOSE", value_parser = crate::args::flag(), num_args = 0)]
    verbose: bool,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Plain,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Edition {
    /// Version 3.2.
    #[value(name = "3.2")]
    V3_2,
    /// Version 4.0.
    #[value(name = "4.0")]
    V4_0,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let mut verdicts = Vec::new();
    for path in &arguments.runs {
        verdicts.extend(stored::verdicts(path)?);
    }
    let caf = match arguments.caf {
        Edition::V3_2 => Caf::V3_2,
        Edition::V4_0 => Caf::V4_0,
    };
    let map = compliance::map(&verdicts, caf)
        .map_err(|why| Failure::Usage(format!("one of the runs {why}")))?;
    let written = match arguments.format {
        Plain::Json => writeln!(console.out, "{:#}", json!(map)),
        Plain::Table => {
            let style = console.style(arguments.verbose);
            compliance::write(&map, &style, console.out)
        }
    };
    exit::unless_closed(written.map_err(Failure::from), Exit::Pass)
}
