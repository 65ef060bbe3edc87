//! `assize simulate`: scenarios in virtual time, judged, as one suite.

use crate::Console;
use crate::args::{EngineArgs, ReportArgs, SetArgs};
use crate::beside::{Beside, BesideArgs};
use crate::engine::{self, Request, ScenarioFile};
use crate::evidence::facts::Asked;
use crate::evidence::{self, Attempt, EvidenceArgs, Ran, Session};
use crate::exit::{self, Exit, Failure};
use crate::{reports, scenarios};
use assize_model::recorded;
use assize_report::{Run, Suite};
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::mpsc;

/// Say what would happen: scenarios in virtual time, judged.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scenarios, or folders: every scenario in them, recursively, in order of name.
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Try the scenarios on this topology instead of their own.
    #[arg(long, env = "ASSIZE_TOPOLOGY", value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Score the scenarios against the symptoms in this file (`assize: expect/v1`) instead of
    /// their own.
    #[arg(long, env = "ASSIZE_EXPECT", value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Simulate the plan of a live run: with the `live:` of each scenario over it.
    #[arg(long, env = "ASSIZE_LIVE", value_parser = crate::args::flag(), num_args = 0)]
    live: bool,
    #[command(flatten)]
    sets: SetArgs,
    /// Judge only these objectives. In the environment, one per line.
    #[arg(
        long,
        env = "ASSIZE_ONLY",
        value_name = "OBJECTIVE",
        value_delimiter = '\n'
    )]
    only: Vec<String>,
    #[command(flatten)]
    beside: BesideArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    report: ReportArgs,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    reports::prepare(&arguments.report.reports)?;
    let request = Request {
        sets: &arguments.sets.sets,
        topology: arguments.topology.as_deref(),
        expect: arguments.expect.as_deref(),
        live: arguments.live,
        ..Request::default()
    };
    let loaded = scenarios::load(&arguments.paths, &request, "simulate")?;
    let mut files = loaded.into_iter().map(|one| one.file).collect();
    scenarios::select(&mut files, &arguments.only)?;
    let beside = Beside::read(&arguments.beside, &files, console)?;
    let mut engine = arguments.engine.clone();
    let session = Session::begin(&arguments.evidence, "simulate", &files, &mut engine.seed)?;
    let done = run_all(&files, &engine, session.as_ref(), console);
    let (runs, journals): (Vec<Run>, Vec<Option<Vec<u8>>>) = done.into_iter().unzip();
    let suite = beside.suite(&files, runs, None);
    if let Some(session) = session {
        let ran = ran(&files, &suite, journals);
        let command = console.command.clone();
        let asked = (asked(arguments), None);
        let with = (&beside, command.as_slice());
        let about = Session::about(Some(&session), "simulate", engine.seed, asked, with);
        let packed = evidence::files(&about, &suite, &ran);
        session.finish(&suite, packed, console)?;
    }
    print(&suite, &arguments.report, console)
}

/// What evidence has of each scenario.
fn ran<'a>(
    files: &'a [ScenarioFile],
    suite: &Suite,
    journals: Vec<Option<Vec<u8>>>,
) -> Vec<Ran<'a>> {
    let names = super::run::names(files).into_iter();
    let all = files.iter().zip(names).zip(journals).zip(&suite.runs);
    all.map(|(((file, name), journal), run)| Ran {
        file,
        name,
        attempts: vec![Attempt {
            journal,
            reason: match run {
                Run::NotRun { reason, .. } => Some(reason.clone()),
                Run::Judged(_) => None,
            },
            ..Attempt::default()
        }],
        left_out: None,
        cut_off: None,
    })
    .collect()
}

/// What it takes to read the same again.
fn asked(arguments: &Arguments) -> Asked {
    let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    Asked {
        live: arguments.live,
        sets: arguments.sets.sets.clone(),
        topology: text(&arguments.topology),
        expect: text(&arguments.expect),
        contract: text(&arguments.beside.contract),
        only: arguments.only.clone(),
        ..Asked::default()
    }
}

/// Prints a suite and gives its exit code. Also for verbs that run one scenario of their own.
pub(crate) fn print(
    suite: &Suite,
    report: &ReportArgs,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let exit = Exit::from(suite.verdict());
    let Some(format) = assize_report::format(&report.format) else {
        return Err(Failure::Usage(format!(
            "there is no format `{}`",
            report.format
        )));
    };
    let style = console.style(report.verbose);
    // Files first: whoever reads them must not find the last run's because a pipe was closed.
    reports::write(&report.reports, suite, report.verbose)?;
    let written = (format.write)(suite, &style, console.out).map_err(Failure::from);
    if !format.ends_in_words {
        console.say(&assize_report::last_line(suite));
    }
    exit::unless_closed(written, exit)
}

/// Runs them side by side, and reports progress in their order.
fn run_all(
    files: &[ScenarioFile],
    args: &EngineArgs,
    session: Option<&Session>,
    console: &mut Console<'_>,
) -> Vec<Done> {
    let threads = args.threads();
    if let [file] = files {
        return vec![one(file, args.seed, threads, session)];
    }
    let mut runs: Vec<Option<Done>> = files.iter().map(|_| None).collect();
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let all = || {
                files
                    .par_iter()
                    .enumerate()
                    .for_each_with(sender, |sender, (index, file)| {
                        // The receiver outlives this scope's threads.
                        let _ = sender.send((index, one(file, args.seed, 1, session)));
                    });
            };
            match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
                Ok(pool) => pool.install(all),
                // Without a pool of its own the work is done by the shared one.
                Err(_) => all(),
            }
        });
        let mut said = 0;
        for (index, run) in receiver {
            runs[index] = Some(run);
            while let Some(Some(run)) = runs.get(said) {
                said += 1;
                console.progress(said, files.len(), run.0.scenario());
            }
        }
    });
    runs.into_iter().flatten().collect()
}

/// A run, and its journal where evidence is asked for.
type Done = (Run, Option<Vec<u8>>);

fn one(file: &ScenarioFile, seed: u64, threads: usize, session: Option<&Session>) -> Done {
    let Some(session) = session else {
        return (engine::simulate(file, seed, threads), None);
    };
    let bound = session.bound.as_ref();
    engine::simulate_and_show(file, seed, threads, |plan, journal| {
        recorded::write(plan, journal, env!("CARGO_PKG_VERSION"), bound)
    })
}
