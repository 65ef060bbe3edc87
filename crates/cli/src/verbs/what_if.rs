//! `assize what-if`: a scenario without a file. These things are down for so long; what then?

use super::simulate;
use crate::Console;
use crate::args::{EngineArgs, ReportArgs, SetArgs};
use crate::engine;
use crate::exit::{Exit, Failure};
use assize_fault::Nanos;
use assize_report::Suite;
use std::path::PathBuf;

/// Say what would happen if something were down, without a scenario file.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The topology.
    topology: PathBuf,
    /// What is down: `domain/dc-north`, `node/core`, `link/wan`, `service/db/north`,
    /// `service/db@primary`, `group/north`; several are down at once.
    #[arg(long, env = "ASSIZE_DOWN", value_name = "SELECTOR", required = true,
          num_args = 1.., value_delimiter = '\n')]
    down: Vec<String>,
    /// For how long: `90s`, `2h`, `3d`.
    #[arg(long = "for", env = "ASSIZE_FOR", value_name = "DURATION", default_value = "2h",
          allow_hyphen_values = true, value_parser = Nanos::parse)]
    for_: Nanos,
    /// When it begins, as an instant: `2019-01-16T08:00:00Z`, or local time without the `Z`.
    #[arg(long, env = "ASSIZE_AT", value_name = "INSTANT")]
    at: Option<String>,
    #[command(flatten)]
    sets: SetArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    report: ReportArgs,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let loaded = engine::topology(&arguments.topology, &arguments.sets.sets)?;
    let at = arguments.at.as_deref();
    let file = engine::what_if(loaded, &arguments.down, arguments.for_, at)?;
    let run = engine::simulate(&file, arguments.engine.seed, arguments.engine.threads());
    let suite = Suite {
        runs: vec![run],
        ..Suite::default()
    };
    simulate::print(&suite, &arguments.report, console)
}
