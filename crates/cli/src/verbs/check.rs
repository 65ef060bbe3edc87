//! `assize check`: every problem of every file at once, each with place, cause and remedy.

use crate::Console;
use crate::args::{Plain, SetArgs};
use crate::disk::{self, Found};
use crate::engine::{self, Request};
use crate::exit::{Exit, Failure};
use assize_model::file::{Kind, Problem, Problems, Severity};
use assize_report::words;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Read files and say everything that is wrong with them.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Topologies, scenarios, or folders with such files in them.
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    sets: SetArgs,
    /// Check the scenarios on this topology instead of their own.
    #[arg(long, env = "ASSIZE_TOPOLOGY", value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Let warnings count as errors.
    #[arg(long, env = "ASSIZE_STRICT", value_parser = crate::args::flag(), num_args = 0)]
    strict: bool,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Plain,
}

/// A file and what is wrong with it; `None` if it is only checked through others.
struct Checked {
    file: Found,
    problems: Option<Vec<Problem>>,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let request = Request {
        sets: &arguments.sets.sets,
        topology: arguments.topology.as_deref(),
        ..Request::default()
    };
    let checked: Vec<Checked> = disk::find(&arguments.paths)?
        .into_iter()
        .map(|file| Checked {
            problems: problems(&file, &request),
            file,
        })
        .collect();
    if checked.iter().all(|c| c.problems.is_none()) {
        return Err(Failure::Usage(
            "there is nothing to check: none of these files begins with \
             `assize: topology/v1` or `assize: scenario/v1`"
                .into(),
        ));
    }
    let bad = |c: &&Checked| {
        let worst = if arguments.strict {
            Severity::Warning
        } else {
            Severity::Error
        };
        c.problems.iter().flatten().any(|p| p.severity <= worst)
    };
    let bad_files = checked.iter().filter(bad).count();
    match arguments.format {
        Plain::Table => table(&checked, bad_files, console)?,
        Plain::Json => json(&checked, bad_files == 0, console)?,
    }
    Ok(if bad_files == 0 {
        Exit::Pass
    } else {
        Exit::BadInput
    })
}

fn problems(file: &Found, request: &Request<'_>) -> Option<Vec<Problem>> {
    let result = match file.kind {
        Some(Kind::Topology) => engine::topology(&file.path, request.sets).map(|l| l.warnings),
        Some(Kind::Contract) => {
            engine::contract(&file.path, request.sets, &Default::default()).map(|l| l.warnings)
        }
        // A file that does not say what it is gets the scenario reader's word on that.
        Some(Kind::Scenario) | None => scenario(&file.path, request),
        Some(_) => return None,
    };
    Some(result.unwrap_or_else(|problems| problems.0))
}

/// The warnings of a scenario; of one that has a live plan, also as that plan.
fn scenario(path: &Path, request: &Request<'_>) -> Result<Vec<Problem>, Problems> {
    let read = engine::scenario(path, request)?;
    let mut warnings = read.warnings;
    if read.scenario.live.stated {
        let live = Request {
            live: true,
            ..*request
        };
        let more = engine::scenario(path, &live)?.warnings;
        let new: Vec<Problem> = more.into_iter().filter(|p| !warnings.contains(p)).collect();
        warnings.extend(new);
    }
    Ok(warnings)
}

fn table(checked: &[Checked], bad_files: usize, console: &mut Console<'_>) -> Result<(), Failure> {
    // The same base is read for several files, and its problems are said once.
    let mut said: Vec<&Problem> = Vec::new();
    for problem in checked.iter().filter_map(|c| c.problems.as_ref()).flatten() {
        if !said.contains(&problem) {
            writeln!(console.out, "{problem}\n")?;
            said.push(problem);
        }
    }
    let read: Vec<&Checked> = checked.iter().filter(|c| c.problems.is_some()).collect();
    let errors = said
        .iter()
        .filter(|p| p.severity == Severity::Error)
        .count();
    let warnings = said.len() - errors;
    let mut counts = Vec::new();
    if errors > 0 {
        counts.push(words::number(errors, "error", "errors"));
    }
    if warnings > 0 {
        counts.push(words::number(warnings, "warning", "warnings"));
    }
    let files = words::number(read.len(), "file", "files");
    let line = match (bad_files, counts.as_slice()) {
        (0, []) if read.len() == 1 => format!("{files} checked: it is good"),
        (0, []) => format!("{files} checked: all are good"),
        (0, counts) => format!("{files} checked, with {}", words::list(counts)),
        (bad, counts) => {
            let bad = if read.len() == 1 {
                "it cannot be used".into()
            } else {
                format!("{bad} of them cannot be used")
            };
            format!("{files} checked: {bad}; {}", words::list(counts))
        }
    };
    writeln!(console.out, "{line}")?;
    Ok(())
}

fn json(checked: &[Checked], good: bool, console: &mut Console<'_>) -> Result<(), Failure> {
    let files: Vec<_> = checked
        .iter()
        .filter_map(|c| {
            let problems: Vec<_> = c.problems.as_ref()?.iter().map(problem_json).collect();
            let kind = match c.file.kind {
                Some(Kind::Topology) => "topology",
                Some(Kind::Scenario) => "scenario",
                Some(Kind::Contract) => "contract",
                _ => "unknown",
            };
            Some(json!({
                "file": c.file.path.display().to_string(),
                "kind": kind,
                "problems": problems,
            }))
        })
        .collect();
    let value = json!({"schema": "assize/check/v1", "good": good, "files": files});
    writeln!(console.out, "{value:#}")?;
    Ok(())
}

fn problem_json(problem: &Problem) -> serde_json::Value {
    json!({
        "severity": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "length": problem.len,
        "what": problem.what,
        "help": problem.help,
    })
}
