//! `assize report`: a stored run in any format, judged again from its journals; also a run that was
//! killed, which every report says.

use super::{run as live, simulate};
use crate::Console;
use crate::args::{ReportArgs, SetArgs};
use crate::beside::{Beside, BesideArgs};
use crate::engine::{Request, ScenarioFile};
use crate::exit::{Exit, Failure};
use crate::recorded::Recorded;
use crate::{reports, scenarios, stored};
use assize_report::{Run, words};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Print what an earlier run recorded, in any format.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a run (`run --out`, or `PACK.unfinished`), one journal of it, or an evidence
    /// pack of `run` or `simulate`.
    run: PathBuf,
    /// The scenarios that were run, or folders with them; those that the run itself holds unless
    /// given.
    #[arg(
        long,
        env = "ASSIZE_SCENARIO",
        value_name = "FILE|DIR",
        value_delimiter = '\n'
    )]
    scenario: Vec<PathBuf>,
    /// The bindings they were run with.
    #[arg(long, env = "ASSIZE_BIND", value_name = "FILE")]
    bind: Option<PathBuf>,
    /// Results on stand-ins decide nothing.
    #[arg(long, env = "ASSIZE_REQUIRE", value_name = "WHAT")]
    require: Option<live::Require>,
    #[command(flatten)]
    sets: SetArgs,
    #[command(flatten)]
    beside: BesideArgs,
    #[command(flatten)]
    report: ReportArgs,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    reports::prepare(&arguments.report.reports)?;
    if arguments.scenario.is_empty()
        && let Some((files, facts)) = stored::run(&arguments.run)?
    {
        let mut told = stored::told(&arguments.run, (&files, &facts))?;
        for run in &mut told.runs {
            live::require(run, arguments.require);
        }
        let given = Beside::read(&arguments.beside, &told.scenarios, console)?;
        told.beside = given.or(told.beside);
        let (_, suite) = told.suite();
        return simulate::print(&suite, &arguments.report, console);
    }
    let journals = journals(&arguments.run)?;
    let files = files(arguments)?;
    let beside = Beside::read(&arguments.beside, &files, console)?;
    let told = told(&arguments.run);
    let mut by_scenario: Vec<(&ScenarioFile, Vec<Recorded>)> = Vec::new();
    for path in journals {
        let recorded = Recorded::read(&path)?;
        let file = files.iter().find(|file| recorded.is_of(file));
        let file = file.ok_or_else(|| unknown(&recorded, &files))?;
        let same = |known: &&mut (&ScenarioFile, Vec<Recorded>)| std::ptr::eq(known.0, file);
        match by_scenario.iter_mut().find(same) {
            Some((_, all)) => all.push(recorded),
            None => by_scenario.push((file, vec![recorded])),
        }
    }
    let mut runs: Vec<Run> = by_scenario
        .iter()
        .map(|(file, recorded)| one(file, recorded, &told))
        .collect();
    for run in &mut runs {
        live::require(run, arguments.require);
    }
    let reported = by_scenario.iter().map(|(file, _)| *file);
    let suite = beside.suite(reported, runs, None);
    simulate::print(&suite, &arguments.report, console)
}

/// The journals of a run, in order of name and number.
fn journals(run: &Path) -> Result<Vec<PathBuf>, Failure> {
    if run.is_file() {
        return Ok(vec![run.to_path_buf()]);
    }
    let unusable = |why: String| Failure::Usage(format!("the run `{}` {why}", run.display()));
    let entries =
        std::fs::read_dir(run).map_err(|error| unusable(format!("cannot be read: {error}")))?;
    let mut found: Vec<(String, u32, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let (name, number) = numbered(path.file_name()?.to_str()?)?;
            Some((name, number, path))
        })
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(unusable(
            "holds no journal\n = help: name the folder of `assize run --out`, or a file \
             `NAME.journal.jsonl` in it"
                .into(),
        ));
    }
    Ok(found.into_iter().map(|(.., path)| path).collect())
}

/// Name and number of a journal: `loss.2.journal.jsonl` is the second of `loss`.
fn numbered(file: &str) -> Option<(String, u32)> {
    let name = file.strip_suffix(".journal.jsonl")?;
    let parts = name.rsplit_once('.');
    let number = parts.and_then(|(name, number)| Some((name.to_owned(), number.parse().ok()?)));
    Some(number.unwrap_or_else(|| (name.to_owned(), 1)))
}

/// The scenarios that may have been run.
fn files(arguments: &Arguments) -> Result<Vec<ScenarioFile>, Failure> {
    let folder = match arguments.run.is_dir() {
        true => arguments.run.as_path(),
        false => arguments.run.parent().unwrap_or(Path::new("")),
    };
    let inputs = folder.join("inputs");
    let paths = if !arguments.scenario.is_empty() {
        arguments.scenario.clone()
    } else if inputs.is_dir() {
        vec![inputs]
    } else {
        return Err(Failure::Usage(format!(
            "the run `{}` does not hold what was run\n = help: name the scenario with --scenario \
             FILE, with the same --set and --bind as it was run with",
            arguments.run.display()
        )));
    };
    let request = Request {
        sets: &arguments.sets.sets,
        bind: arguments.bind.as_deref(),
        live: true,
        ..Request::default()
    };
    let loaded = scenarios::load(&paths, &request, "report")?;
    Ok(loaded.into_iter().map(|one| one.file).collect())
}

fn unknown(recorded: &Recorded, files: &[ScenarioFile]) -> Failure {
    let names: Vec<&str> = files.iter().map(|f| f.scenario.name.as_str()).collect();
    Failure::Usage(format!(
        "the journal `{}` is of `{}` on `{}` as it was then, which is none of {}\n = help: what \
         was run, with the same --set and --bind, can be reported; files changed since cannot",
        recorded.path.display(),
        recorded.scenario,
        recorded.topology,
        words::list(&names)
    ))
}

/// What `verdict.json` of a run says, if the run came so far.
fn told(run: &Path) -> Vec<Value> {
    let folder = if run.is_dir() { Some(run) } else { None };
    let bytes = folder.and_then(|folder| std::fs::read(folder.join(live::VERDICT)).ok());
    let value: Option<Value> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match value {
        Some(mut value) => match value["runs"].take() {
            Value::Array(runs) => runs,
            _ => vec![value],
        },
        None => Vec::new(),
    }
}

/// A scenario, judged from all of its journals. What only the run itself knew, such as why it
/// could not be carried out, is taken from its verdict.
fn one(file: &ScenarioFile, recorded: &[Recorded], told: &[Value]) -> Run {
    let verdict = told.iter().find(|v| v["scenario"] == file.scenario.name);
    let attempts = verdict.map(|v| &v["live"]["runs"]);
    let refused = |value: &Value| {
        let reason = value["reason"].as_str()?;
        (value["verdict"] == "could_not_run").then(|| reason.to_owned())
    };
    let made = recorded.iter().enumerate().map(|(index, recorded)| {
        let attempt = attempts.and_then(|all| all.get(index));
        let only = verdict.filter(|_| recorded_alone(attempts));
        let reason = attempt.and_then(refused).or_else(|| only.and_then(refused));
        let run = match reason {
            Some(reason) => live::not_run(file, reason),
            None => Run::Judged(Box::new(recorded.judged(file))),
        };
        let replaced = attempt.is_some_and(|attempt| attempt["replaced"] == true);
        (run, replaced)
    });
    live::together(file, made.collect())
}

fn recorded_alone(attempts: Option<&Value>) -> bool {
    attempts.is_none_or(Value::is_null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_have_a_name_and_a_number() {
        for (file, name, number) in [
            ("loss.journal.jsonl", "loss", 1),
            ("loss.2.journal.jsonl", "loss", 2),
            ("loss.10.journal.jsonl", "loss", 10),
            ("v1.b.journal.jsonl", "v1.b", 1),
        ] {
            assert_eq!(numbered(file), Some((name.to_owned(), number)), "{file}");
        }
        assert_eq!(numbered("verdict.json"), None);
    }
}
