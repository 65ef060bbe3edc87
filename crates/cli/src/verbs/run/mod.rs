//! `assize run`: scenarios on real sockets, measured and judged, with the prediction beside.
//!
//! From files to an exit code: `select` says which scenarios run, `suite` runs them side by side,
//! `one` carries one out and judges it, `again` repeats it, `baseline` and `strict` add what the
//! caller asks for beyond the file's targets, `budget` what there is time for. What happens on sockets is in `assize-live`.

mod again;
mod baseline;
mod budget;
mod clock;
mod one;
mod out;
mod progress;
mod retold;
mod select;
mod strict;
mod suite;
#[cfg(test)]
mod tests;

use crate::Console;
use crate::args::{EngineArgs, ReportArgs, SetArgs};
use crate::beside::{Beside, BesideArgs};
use crate::engine::{Request, ScenarioFile};
use crate::evidence::facts::Asked;
use crate::evidence::{self, EvidenceArgs, Ran, Session, folder};
use crate::exit::{self, Exit, Failure};
use crate::{reports, scenarios};
use assize_fault::{Nanos, Ppb};
use assize_live::{Ended, Options, Refused, Stop};
use assize_model::Plan;
use assize_model::observation::Observation;
use assize_report::{Forced, Suite, SuiteVerdict};
use serde_json::json;
use std::path::PathBuf;

/// Say what does happen: break it on real sockets, measure, judge.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scenarios, or folders: of those, the scenarios with a `live:` plan or of less than 20
    /// model minutes; the others are listed.
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Your own tests or load, which run while things are broken: ASSIZE_<SERVICE>_URL, _HOST and
    /// _PORT lead them through the proxies, and their exit code is one more target.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Bindings (`assize: bindings/v1`): which real systems stand behind the services.
    #[arg(long, env = "ASSIZE_BIND", value_name = "FILE")]
    bind: Option<PathBuf>,
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
    /// Only scenarios with one of these tags.
    #[arg(long, env = "ASSIZE_TAG", value_name = "TAG", value_delimiter = ',')]
    tag: Vec<String>,
    /// Print every address, proxy and step, and touch nothing.
    #[arg(long, env = "ASSIZE_PLAN", value_parser = crate::args::flag(), num_args = 0)]
    plan: bool,
    /// Model seconds per wall second; as many as the machine permits, up to 20, unless given.
    /// Real systems run at 1.
    #[arg(long, env = "ASSIZE_PACE", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pace: Option<u32>,
    /// Let the file start commands (`exec`, `process`).
    #[arg(long, env = "ASSIZE_ALLOW_EXEC", value_parser = crate::args::flag(), num_args = 0)]
    allow_exec: bool,
    /// How many scenarios run at once; by processors and the size of the plans unless given.
    /// Those with real systems run one by one.
    #[arg(long, env = "ASSIZE_JOBS", value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Stop, and lift every fault, when a journey's served share stays below this for so long:
    /// `journey: sign-in, below: 20%, for: 1m`; beside what `live.abort_if` says. In the
    /// environment, one per line.
    #[arg(
        long,
        env = "ASSIZE_ABORT_IF",
        value_name = "CONDITION",
        value_delimiter = '\n'
    )]
    abort_if: Vec<String>,
    /// Wall time for all together; what would not fit is not exercised.
    #[arg(long, env = "ASSIZE_BUDGET", value_name = "DURATION", value_parser = Nanos::parse)]
    budget: Option<Nanos>,
    /// Run each scenario so often; the worst decides, and the spread of each figure is printed.
    #[arg(long, env = "ASSIZE_REPEAT", value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    repeat: u16,
    /// Run again, at most so often, what could not be decided: `inconclusive=2`. Never a miss.
    #[arg(long, env = "ASSIZE_RETRY", value_name = "inconclusive=N", value_parser = retry)]
    retry: Option<u16>,
    /// What makes the command fail.
    #[arg(
        long,
        env = "ASSIZE_FAIL_ON",
        value_name = "WHAT",
        value_delimiter = ',',
        default_values = ["missed", "inconclusive"]
    )]
    fail_on: Vec<FailOn>,
    /// An earlier run to compare with: its `verdict.json`, its folder, or its evidence pack.
    #[arg(long, env = "ASSIZE_BASELINE", value_name = "RUN")]
    baseline: Option<PathBuf>,
    /// How much worse than in the baseline a figure may be.
    #[arg(long, env = "ASSIZE_REGRESS", value_name = "SHARE", default_value = "20%",
          value_parser = Ppb::parse)]
    regress: Ppb,
    /// Results on stand-ins decide nothing.
    #[arg(long, env = "ASSIZE_REQUIRE", value_name = "WHAT")]
    require: Option<Require>,
    /// A folder for the journal of each run and the verdict.
    #[arg(long, env = "ASSIZE_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    beside: BesideArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    report: ReportArgs,
}

/// What makes the command fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum FailOn {
    /// A target that was missed: exit code 1.
    Missed,
    /// One that could not be decided: exit code 3.
    Inconclusive,
}

/// What findings must rest on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Require {
    /// Real systems alone.
    Real,
}

/// `inconclusive=2`.
fn retry(text: &str) -> Result<u16, String> {
    let times = text
        .strip_prefix("inconclusive=")
        .and_then(|n| n.parse().ok());
    times
        .filter(|times| *times <= 100)
        .ok_or_else(|| "write `inconclusive=N`, with N at most 100; a miss is never retried".into())
}

pub(crate) use crate::engine::not_run;
pub(crate) use again::together_again as together;
pub(crate) use out::{VERDICT, names, path as journal_path, unique as unique_names};
pub(crate) use strict::apply as require;

/// What carries out a plan: the live engine, or a test's own.
type Engine = fn(&Plan<'_>, &Options, &mut dyn FnMut(Observation)) -> Result<Ended, Refused>;

pub(crate) use retold::retold;

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let stop = Stop::default();
    if !arguments.plan {
        assize_live::on_signal(&stop).map_err(|Refused(why)| Failure::World(why))?;
    }
    // What the files start is ended even if this process is killed.
    if console.own_process && (arguments.allow_exec || !arguments.command.is_empty()) {
        let guarded = assize_live::guard::install("guard");
        guarded.map_err(|e| Failure::World(format!("the guard cannot be started: {e}")))?;
    }
    run_on(assize_live::run, &stop, arguments, console)
}

fn run_on(
    engine: Engine,
    stop: &Stop,
    arguments: &Arguments,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    reports::prepare(&arguments.report.reports)?;
    let request = Request {
        sets: &arguments.sets.sets,
        bind: arguments.bind.as_deref(),
        live: true,
        abort_if: &arguments.abort_if,
        ..Request::default()
    };
    let loaded = scenarios::load(&arguments.paths, &request, "run")?;
    let mut files = select::select(loaded, &arguments.tag, console)?;
    scenarios::select(&mut files, &arguments.only)?;
    if !arguments.command.is_empty() && files.len() > 1 {
        return Err(Failure::Usage(
            "a command runs beside one scenario, and here are several\n = help: name one file"
                .into(),
        ));
    }
    let baseline = match &arguments.baseline {
        Some(path) => Some(baseline::read(path)?),
        None => None,
    };
    let beside = Beside::read(&arguments.beside, &files, console)?;
    if arguments.plan {
        return plan(&files, arguments, console);
    }
    for file in &files {
        let (topology, scenario) = file.as_it_stands();
        let plan = Plan::new(topology, scenario, arguments.engine.seed);
        let options = one::options(arguments, Stop::default(), PathBuf::new());
        assize_live::admit(&plan, &options)
            .map_err(|Refused(why)| Failure::Usage(format!("{}: {why}", file.scenario.name)))?;
    }
    let mut arguments = arguments.clone();
    let pack = arguments.evidence.evidence.as_deref();
    let unfinished = pack
        .filter(|_| arguments.out.is_none())
        .map(folder::unfinished);
    if let Some(folder) = &unfinished {
        out::refuse_unfinished(folder)?;
        arguments.out = Some(folder.clone());
    }
    out::prepare(arguments.out.as_deref(), &files)?;
    let seed = &mut arguments.engine.seed;
    let session = Session::begin(&arguments.evidence, "run", &files, seed)?;
    let arguments = &arguments;
    let asked = (
        asked(arguments),
        baseline.as_ref().map(|(_, bytes)| bytes.clone()),
    );
    let command = console.command.clone();
    let seed = arguments.engine.seed;
    let with = (&beside, command.as_slice());
    let about = Session::about(session.as_ref(), "run", seed, asked, with);
    if let Some(folder) = &arguments.out {
        folder::begin(folder, &evidence::beforehand(&about, &ran(&files, &mut [])))?;
    }
    let mut results = suite::run_all(engine, stop, &files, (arguments, about.bound), console)?;
    let forced = forced(&results, stop);
    let ran = ran(&files, &mut results);
    let mut runs: Vec<_> = results.into_iter().map(|result| result.run).collect();
    for run in &mut runs {
        strict::apply(run, arguments.require);
        if let Some((baseline, _)) = &baseline {
            baseline.compare(run, arguments.regress);
        }
    }
    let suite = beside.suite(&files, runs, forced);
    if let Some(folder) = &arguments.out {
        let packed = evidence::files(&about, &suite, &ran);
        out::verdict(folder, &suite)?;
        folder::end(folder, &packed.0)?;
        if let Some(session) = session {
            session.finish(&suite, packed, console)?;
        }
    }
    if let Some(folder) = &unfinished {
        out::remove(folder)?;
    }
    finish(&suite, arguments, console)
}

/// What evidence has of each scenario; without results, before any was run.
fn ran<'a>(files: &'a [ScenarioFile], results: &mut [suite::Result]) -> Vec<Ran<'a>> {
    let mut results = results.iter_mut();
    let one = |(file, name)| {
        let result = results.next();
        let mut ran = Ran {
            file,
            name,
            attempts: Vec::new(),
            left_out: None,
            cut_off: None,
        };
        if let Some(result) = result {
            ran.attempts = std::mem::take(&mut result.attempts);
            ran.left_out = result.left_out.take();
            ran.cut_off = result.cut_off.take();
        }
        ran
    };
    files.iter().zip(names(files)).map(one).collect()
}

/// What it takes to read and judge the same again.
fn asked(arguments: &Arguments) -> Asked {
    let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    Asked {
        live: true,
        sets: arguments.sets.sets.clone(),
        bind: text(&arguments.bind),
        contract: text(&arguments.beside.contract),
        only: arguments.only.clone(),
        abort_if: arguments.abort_if.clone(),
        require_real: arguments.require.is_some(),
        regress: arguments.regress.to_string(),
        ..Asked::default()
    }
}

/// What decides whatever was measured.
fn forced(results: &[suite::Result], stop: &Stop) -> Option<Forced> {
    let left: Vec<&str> = results
        .iter()
        .flat_map(|result| result.left.iter().map(String::as_str))
        .collect();
    let why = if !left.is_empty() {
        format!("not everything is as it was: {}", left.join("; "))
    } else if stop.is_requested() {
        "interrupted: every fault was lifted, and what was measured by then stands above".into()
    } else {
        return None;
    };
    Some(Forced {
        verdict: SuiteVerdict::CouldNotRun,
        why,
    })
}

/// Prints the verdict and gives the exit code, less what the caller does not want to fail on.
fn finish(
    suite: &Suite,
    arguments: &Arguments,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let exit = super::simulate::print(suite, &arguments.report, console)?;
    let fails = |what| arguments.fail_on.contains(&what);
    Ok(match exit {
        Exit::Missed if !fails(FailOn::Missed) => Exit::Pass,
        Exit::Inconclusive if !fails(FailOn::Inconclusive) => Exit::Pass,
        exit => exit,
    })
}

/// `--plan`: what would be done, in words.
fn plan(
    files: &[ScenarioFile],
    arguments: &Arguments,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let mut runs = Vec::new();
    for file in files {
        let plan = Plan::new(&file.topology, &file.scenario, arguments.engine.seed);
        let options = one::options(arguments, Stop::default(), PathBuf::new());
        let lines = assize_live::describe(&plan, &options)
            .map_err(|Refused(why)| Failure::Usage(format!("{}: {why}", file.scenario.name)))?;
        runs.push((file.scenario.name.as_str(), lines));
    }
    let mut write = || {
        if arguments.report.format == "json" {
            let runs: Vec<_> = runs
                .iter()
                .map(|(scenario, plan)| json!({"scenario": scenario, "plan": plan}))
                .collect();
            let object = json!({"schema": "assize/plan/v1", "runs": runs});
            return writeln!(console.out, "{object:#}");
        }
        for (index, (scenario, lines)) in runs.iter().enumerate() {
            let gap = if index > 0 { "\n" } else { "" };
            writeln!(console.out, "{gap}{scenario}")?;
            for line in lines {
                writeln!(console.out, "  {line}")?;
            }
        }
        Ok(())
    };
    exit::unless_closed(write().map_err(Failure::from), Exit::Pass)
}
