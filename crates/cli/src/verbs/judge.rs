//! `assize judge`: what an earlier run recorded, judged again; also a run that was killed, as far
//! as its journal goes.

use super::simulate;
use crate::Console;
use crate::args::{ReportArgs, SetArgs};
use crate::engine::{self, Request};
use crate::exit::{Exit, Failure};
use crate::recorded::Recorded;
use assize_report::{Run, Suite};
use std::path::PathBuf;

/// Judge what an earlier run recorded.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The scenario that was run.
    scenario: PathBuf,
    /// Its journal, as `run --out` wrote it.
    journal: PathBuf,
    /// The bindings it was run with.
    #[arg(long, env = "ASSIZE_BIND", value_name = "FILE")]
    bind: Option<PathBuf>,
    #[command(flatten)]
    sets: SetArgs,
    #[command(flatten)]
    report: ReportArgs,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let request = Request {
        sets: &arguments.sets.sets,
        bind: arguments.bind.as_deref(),
        live: true,
        ..Request::default()
    };
    let file = engine::scenario(&arguments.scenario, &request)?;
    let recorded = Recorded::read(&arguments.journal)?;
    if !recorded.is_of(&file) {
        return Err(Failure::Usage(format!(
            "the journal `{}` is of another scenario or topology\n = help: what was run, with the \
             same --set and --bind, can be judged again",
            arguments.journal.display()
        )));
    }
    let outcome = recorded.judged(&file);
    let on_miss = file.topology.on_miss.clone();
    let suite = Suite {
        runs: vec![Run::Judged(Box::new(outcome))],
        on_miss: on_miss
            .map(|text| (file.topology.name.clone(), text))
            .into_iter()
            .collect(),
        forced: None,
    };
    simulate::print(&suite, &arguments.report, console)
}
