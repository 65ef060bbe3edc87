//! `assize evidence plan`: what will be run, registered before it is.

use crate::Console;
use crate::args::SetArgs;
use crate::engine::Request;
use crate::evidence::model_digest;
use crate::exit::{Exit, Failure};
use crate::scenarios;
use assize_evidence::plan::{Planned, Registered};
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

/// Register what will be run, and how often, before it is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scenarios, or folders of them, exactly as they will be run.
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// The file of the plan: give it to the customer before anything is run.
    #[arg(long, short, env = "ASSIZE_OUT", value_name = "FILE")]
    out: PathBuf,
    /// How often all of them will be run.
    #[arg(long, env = "ASSIZE_TIMES", value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    times: u32,
    /// What the customer chose; it is bound into the seed and the first record of every journal.
    #[arg(
        long,
        env = "ASSIZE_CHALLENGE",
        value_name = "TEXT",
        default_value = ""
    )]
    challenge: String,
    /// Which verb will run it.
    #[arg(
        long = "for",
        env = "ASSIZE_FOR",
        value_name = "VERB",
        default_value = "run"
    )]
    verb: Verb,
    #[command(flatten)]
    sets: SetArgs,
    /// Bindings that it will be run with.
    #[arg(long, env = "ASSIZE_BIND", value_name = "FILE")]
    bind: Option<PathBuf>,
    /// The topology that it will be simulated on, in place of the scenarios' own.
    #[arg(long, env = "ASSIZE_TOPOLOGY", value_name = "FILE")]
    topology: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Verb {
    /// On real sockets.
    Run,
    /// In virtual time.
    Simulate,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let verb = match arguments.verb {
        Verb::Run => "run",
        Verb::Simulate => "simulate",
    };
    let request = Request {
        sets: &arguments.sets.sets,
        bind: arguments.bind.as_deref(),
        topology: arguments.topology.as_deref(),
        live: arguments.verb == Verb::Run,
        ..Request::default()
    };
    let loaded = scenarios::load(&arguments.paths, &request, "evidence plan")?;
    let planned = loaded.iter().map(|one| Planned {
        path: one.file.path.display().to_string(),
        scenario: one.file.scenario.name.clone(),
        topology: one.file.topology.name.clone(),
        model_digest: model_digest(&one.file),
    });
    let plan = Registered::new(
        verb,
        arguments.times,
        &arguments.challenge,
        planned.collect(),
    );
    let out = &arguments.out;
    let written = File::create_new(out).and_then(|mut file| file.write_all(&plan.to_bytes()));
    written.map_err(|error| {
        Failure::Usage(format!(
            "`{}` cannot be written: {error}\n = help: a plan is not written over: what was \
             registered stays",
            out.display()
        ))
    })?;
    if plan.challenge.is_empty() {
        console.say("without --challenge nothing shows that it was not run before");
    }
    console.say(&format!(
        "give {} or its digest to the customer, then: assize {verb} … --evidence PACK --plan-file {0}",
        out.display()
    ));
    writeln!(console.out, "{}", plan.digest())?;
    Ok(Exit::Pass)
}
