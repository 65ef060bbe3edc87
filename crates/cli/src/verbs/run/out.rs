//! The folder of `--out`: a journal for each run, and the verdict.

use crate::engine::ScenarioFile;
use crate::evidence::facts::FACTS;
use crate::exit::Failure;
use assize_report::{Style, Suite};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The file of a run of a scenario: `NAME.journal.jsonl`, from the second run on
/// `NAME.2.journal.jsonl`.
pub(crate) fn path(folder: &Path, name: &str, number: usize) -> PathBuf {
    let number = match number {
        0 | 1 => String::new(),
        number => format!(".{number}"),
    };
    folder.join(format!("{name}{number}.journal.jsonl"))
}

/// A name for the files of each scenario: its own, made unique.
pub(crate) fn names(files: &[ScenarioFile]) -> Vec<String> {
    unique(files.iter().map(|file| file.scenario.name.as_str()))
}

/// Names for the files of scenarios with these names.
pub(crate) fn unique<'a>(scenarios: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for scenario in scenarios {
        let plain: String = scenario
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || "-_".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let mut name = plain.clone();
        let mut number = 1;
        while names.contains(&name) {
            number += 1;
            name = format!("{plain}-{number}");
        }
        names.push(name);
    }
    names
}

/// Makes the folder, and refuses one that holds what would be written.
pub(super) fn prepare(folder: Option<&Path>, files: &[ScenarioFile]) -> Result<(), Failure> {
    let Some(folder) = folder else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| {
        Failure::World(format!(
            "the folder `{}` cannot be made: {error}",
            folder.display()
        ))
    })?;
    let journals = names(files).into_iter().map(|name| path(folder, &name, 1));
    for file in journals.chain([folder.join(VERDICT), folder.join(FACTS)]) {
        if file.exists() {
            return Err(Failure::Usage(format!(
                "`{}` is there already\n = help: name another folder with --out: what was measured \
                 is not written over",
                file.display()
            )));
        }
    }
    Ok(())
}

/// Refuses to go on where a run that was to be packed was killed.
pub(super) fn refuse_unfinished(folder: &Path) -> Result<(), Failure> {
    let empty = || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !empty() {
        return Err(Failure::Usage(format!(
            "`{0}` is there already: a run was killed before it wrote this pack\n = help: make a \
             pack of what it recorded with `assize evidence pack {0} --out PACK`, then remove it",
            folder.display()
        )));
    }
    Ok(())
}

/// Removes the folder of a run that was packed.
pub(super) fn remove(folder: &Path) -> Result<(), Failure> {
    fs::remove_dir_all(folder).map_err(|error| {
        let folder = folder.display();
        Failure::World(format!("`{folder}` cannot be removed: {error}"))
    })
}

/// The verdict's file in the folder of `--out`.
pub(crate) const VERDICT: &str = "verdict.json";

/// Writes the verdict beside the journals.
pub(super) fn verdict(folder: &Path, suite: &Suite) -> Result<(), Failure> {
    let path = folder.join(VERDICT);
    let write = || {
        let mut file = BufWriter::new(File::create(&path)?);
        if let Some(json) = assize_report::format("json") {
            (json.write)(suite, &Style::default(), &mut file)?;
        }
        file.flush()
    };
    write().map_err(|error: io::Error| {
        Failure::World(format!("`{}` cannot be written: {error}", path.display()))
    })
}
