//! The scenarios that a command is about: named files, and those found in folders.

use crate::disk;
use crate::engine::{self, Request, ScenarioFile};
use crate::exit::Failure;
use assize_model::file::{Kind, Problems};
use std::path::PathBuf;

/// A scenario that was read.
pub(crate) struct Loaded {
    /// It was named itself, not found in a folder.
    pub(crate) named: bool,
    pub(crate) file: ScenarioFile,
}

/// Reads all scenarios; the problems of all are collected before any is said.
///
/// # Errors
/// All problems of all files, or that there is no scenario. `verb` is whose arguments they are.
pub(crate) fn load(
    paths: &[PathBuf],
    request: &Request<'_>,
    verb: &str,
) -> Result<Vec<Loaded>, Failure> {
    let mut files = Vec::new();
    let mut problems = Problems::default();
    for found in disk::find(paths)? {
        match found.kind {
            Some(Kind::Scenario) => {}
            Some(Kind::Topology) if found.named => {
                return Err(Failure::Usage(format!(
                    "`{}` is a topology, and `{verb}` takes scenarios\n = help: `assize what-if \
                     {0} --down SELECTOR` needs no scenario; `--topology {0}` tries scenarios on it",
                    found.path.display()
                )));
            }
            // A named file without a known first line: the reader says what is wrong with it.
            None if found.named => {}
            _ => continue,
        }
        match engine::scenario(&found.path, request) {
            Ok(file) => files.push(Loaded {
                named: found.named,
                file,
            }),
            // What several scenarios share is wrong once.
            Err(Problems(list)) => {
                for problem in list {
                    if !problems.0.contains(&problem) {
                        problems.0.push(problem);
                    }
                }
            }
        }
    }
    if problems.0.is_empty() {
        if files.is_empty() {
            return Err(Failure::Usage(
                "there is no scenario here: no file begins with `assize: scenario/v1`".into(),
            ));
        }
        return Ok(files);
    }
    Err(problems.into())
}

/// Leaves only the objectives asked for; scenarios without any of them are left out.
pub(crate) fn select(files: &mut Vec<ScenarioFile>, only: &[String]) -> Result<(), Failure> {
    if only.is_empty() {
        return Ok(());
    }
    for name in only {
        let known = |f: &ScenarioFile| f.scenario.objectives.iter().any(|o| &o.id == name);
        if !files.iter().any(known) {
            let mut names: Vec<&str> = files
                .iter()
                .flat_map(|f| f.scenario.objectives.iter().map(|o| o.id.as_str()))
                .collect();
            names.sort_unstable();
            names.dedup();
            return Err(Failure::Usage(format!(
                "no scenario has the objective `{name}`\n = help: there are {}",
                assize_report::words::list(&names)
            )));
        }
    }
    for file in files.iter_mut() {
        file.scenario.objectives.retain(|o| only.contains(&o.id));
    }
    files.retain(|file| !file.scenario.objectives.is_empty());
    Ok(())
}
