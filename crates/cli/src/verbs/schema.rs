//! `assize schema`: the JSON Schema of the files.

use crate::Console;
use crate::exit::{Exit, Failure};
use assize_model::file::{self, Kind};
use clap::ValueEnum;

/// Print the JSON Schema of the files, for editors.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Of which kind of file.
    #[arg(default_value = "scenario")]
    kind: Which,
    /// How to print; a schema is JSON in any case.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "json",
        value_name = "FORMAT"
    )]
    format: Format,
}

/// The one format there is, so that `--format json` is right for every verb.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A JSON Schema.
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// `assize: topology/v1`
    Topology,
    /// `assize: scenario/v1`
    Scenario,
    /// `assize: part/v1`
    Part,
    /// `assize: bindings/v1`
    Bindings,
    /// `assize: contract/v1`
    Contract,
    /// `assize: record/v1`
    Record,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let Format::Json = arguments.format;
    let kind = match arguments.kind {
        Which::Topology => Kind::Topology,
        Which::Scenario => Kind::Scenario,
        Which::Part => Kind::Part,
        Which::Bindings => Kind::Bindings,
        Which::Contract => Kind::Contract,
        Which::Record => Kind::Record,
    };
    writeln!(console.out, "{:#}", file::schema(kind))?;
    Ok(Exit::Pass)
}
