//! `assize judge`: what an earlier run recorded, judged again; also a run that was killed, as far
//! as its journal goes.

use super::simulate;
use crate::Console;
use crate::args::{ReportArgs, SetArgs};
use crate::engine::{self, Request, in_words};
use crate::exit::{Exit, Failure};
use crate::journal;
use assize_model::observation::Observation;
use assize_model::{Plan, judge};
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
    let place = arguments.journal.display();
    let unusable = |why: String| Failure::Usage(format!("the journal `{place}` {why}"));
    let bytes = std::fs::read(&arguments.journal)
        .map_err(|error| unusable(format!("cannot be read: {error}")))?;
    let observations =
        journal::read(&bytes).map_err(|why| unusable(format!("is no journal: {why}")))?;
    let Some(Observation::Began {
        seed, model_digest, ..
    }) = observations.first()
    else {
        return Err(unusable("does not begin with what was run".into()));
    };
    let plan = Plan::new(&file.topology, &file.scenario, *seed);
    if judge::model_digest(&plan) != *model_digest {
        return Err(unusable(
            "is of another scenario or topology\n = help: what was run, with the same --set and \
             --bind, can be judged again"
                .into(),
        ));
    }
    let prediction = engine::predict(&file, *seed);
    let warnings = file.warnings.iter().map(in_words).collect();
    let outcome = engine::judged(&plan, &observations, prediction.as_ref(), warnings);
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
