//! `assize judge`: what an earlier run recorded, judged again; also a run that was killed, as far
//! as its journal goes; and real incidents, as somebody observed them.

mod observed;

use super::simulate;
use crate::Console;
use crate::args::{ReportArgs, SetArgs};
use crate::beside::Beside;
use crate::engine::{self, Request};
use crate::exit::{Exit, Failure};
use crate::recorded::Recorded;
use assize_report::Run;
use std::path::PathBuf;

/// Judge what an earlier run recorded, or what was observed of a real incident.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The scenario that was run.
    #[arg(required_unless_present = "observed")]
    scenario: Option<PathBuf>,
    /// Its journal, as `run --out` wrote it.
    #[arg(required_unless_present = "observed")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    incident: observed::Incident,
    /// The bindings it was run with.
    #[arg(long, env = "ASSIZE_BIND", value_name = "FILE")]
    bind: Option<PathBuf>,
    #[command(flatten)]
    sets: SetArgs,
    #[command(flatten)]
    report: ReportArgs,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    if let Some(file) = &arguments.incident.observed {
        return observed::run(file, arguments, console);
    }
    let (Some(scenario), Some(place)) = (&arguments.scenario, &arguments.journal) else {
        return Err(Failure::Usage(
            "a scenario and its journal are needed".into(),
        ));
    };
    let request = Request {
        sets: &arguments.sets.sets,
        bind: arguments.bind.as_deref(),
        live: true,
        ..Request::default()
    };
    let file = engine::scenario(scenario, &request)?;
    let recorded = Recorded::read(place)?;
    if !recorded.is_of(&file) {
        return Err(Failure::Usage(format!(
            "the journal `{}` is of another scenario or topology\n = help: what was run, with the \
             same --set and --bind, can be judged again",
            place.display()
        )));
    }
    let outcome = recorded.judged(&file);
    let suite = Beside::default().suite([&file], vec![Run::Judged(Box::new(outcome))], None);
    simulate::print(&suite, &arguments.report, console)
}
