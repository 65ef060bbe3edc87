//! The folder of a run (`--out`): beside its journals, from before anything is run, what was asked
//! and read, so that a run that was killed can be told of, and packed, from its folder alone.
//!
//! `run.json` is as in a pack. It says `killed` until the run writes it anew at its end; which
//! attempts a killed run made, the journals say that are there.

use super::build::{ANALYSIS, PLAN, RECORD, REGISTER, journal_name};
use super::facts::{AttemptFacts, FACTS, Facts};
use super::{BASELINE, store};
use crate::exit::Failure;
use crate::verbs::run::{journal_path, unique_names};
use assize_evidence::{Files, State, fit_name};
use std::path::{Path, PathBuf};

/// What a killed run did not come to.
const NOT_BEGUN: &str = "The run was killed before this began.";
/// What a reader of a killed run should know.
const CUT: &str = "the run was killed: this is what its journal holds up to then";

/// Where a run keeps what it will pack, if no folder was named: beside the pack.
pub(crate) fn unfinished(pack: &Path) -> PathBuf {
    // Without a slash at its end, and by its own name where it is `.`: else it would lie inside.
    let pack: PathBuf = match pack.file_name() {
        Some(_) => pack.components().collect(),
        None => pack.canonicalize().unwrap_or_else(|_| pack.to_path_buf()),
    };
    let mut name = pack.into_os_string();
    name.push(".unfinished");
    PathBuf::from(name)
}

/// Writes what is known before anything is run.
pub(crate) fn begin(folder: &Path, files: &Files) -> Result<(), Failure> {
    store::put_all(folder, files)
}

/// Writes how the run ended, in the place of what was known before.
pub(crate) fn end(folder: &Path, files: &Files) -> Result<(), Failure> {
    let facts = files.get(FACTS).map_or(&[][..], Vec::as_slice);
    store::replace(&folder.join(FACTS), facts)
}

/// Whether a folder holds a run with what was asked of it.
pub(crate) fn is_run(folder: &Path) -> bool {
    folder.join(FACTS).is_file()
}

/// The files of a run as a pack has them, all but what tells of it, and its facts.
pub(crate) fn read(folder: &Path) -> Result<(Files, Facts), Failure> {
    let unusable = |why: String| {
        Failure::Usage(format!(
            "the run `{}` cannot be told again: {why}",
            folder.display()
        ))
    };
    let get = |name: &str| -> Result<Option<Vec<u8>>, Failure> {
        fit_name(name).map_err(|refusal| unusable(refusal.to_string()))?;
        store::one(folder, name).map_err(|error| unusable(format!("`{name}`: {error}")))
    };
    let missing = |name: &str| unusable(format!("`{name}` is missing"));
    let bytes = get(FACTS)?.ok_or_else(|| missing(FACTS))?;
    let mut facts =
        Facts::from_bytes(&bytes).map_err(|why| unusable(format!("`{FACTS}` {why}")))?;
    let mut files = Files::new();
    for input in &facts.inputs {
        let bytes = get(&input.file)?.ok_or_else(|| missing(&input.file))?;
        files.insert(input.file.clone(), bytes);
    }
    for name in [BASELINE, ANALYSIS, RECORD, PLAN, REGISTER] {
        if let Some(bytes) = get(name)? {
            files.insert(name.into(), bytes);
        }
    }
    let names = unique_names(facts.runs.iter().map(|ran| ran.scenario.as_str()));
    for (ran, name) in facts.runs.iter_mut().zip(&names) {
        if facts.state == State::Killed {
            ran.attempts = begun(folder, name);
            if ran.attempts.is_empty() {
                ran.left_out = Some(NOT_BEGUN.into());
            }
        }
        for (index, attempt) in ran.attempts.iter_mut().enumerate() {
            let path = journal_path(folder, name, index + 1);
            let whole = match std::fs::read(&path) {
                Ok(bytes) => whole_records(bytes),
                Err(_) if attempt.journal.is_none() => continue,
                Err(error) => return Err(unusable(format!("`{}`: {error}", path.display()))),
            };
            let known = attempt.journal.take();
            let name = known.unwrap_or_else(|| journal_name(name, index + 1, &files));
            fit_name(&name).map_err(|refusal| unusable(refusal.to_string()))?;
            files.insert(name.clone(), whole);
            attempt.journal = Some(name);
        }
    }
    Ok((files, facts))
}

/// The attempts of a scenario that a killed run began.
fn begun(folder: &Path, name: &str) -> Vec<AttemptFacts> {
    let there = |number: &usize| journal_path(folder, name, *number).is_file();
    let attempt = |_| AttemptFacts {
        remarks: vec![CUT.into()],
        ..AttemptFacts::default()
    };
    (1..).take_while(there).map(attempt).collect()
}

/// A journal up to its last whole record: whoever is killed while writing leaves half a line.
fn whole_records(mut journal: Vec<u8>) -> Vec<u8> {
    let end = journal.iter().rposition(|byte| *byte == b'\n');
    journal.truncate(end.map_or(0, |at| at + 1));
    journal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished_lies_beside_the_pack() {
        for (pack, beside) in [
            ("drill.zip", "drill.zip.unfinished"),
            ("out/", "out.unfinished"),
            ("a/./out//", "a/out.unfinished"),
        ] {
            assert_eq!(unfinished(Path::new(pack)), Path::new(beside), "{pack}");
        }
        let here = std::env::current_dir().expect("a folder");
        let beside = unfinished(Path::new("."));
        assert_eq!(
            beside.parent(),
            here.canonicalize().expect("a path").parent()
        );
    }

    #[test]
    fn half_a_line_is_no_record() {
        for (journal, whole) in [("", ""), ("{}", ""), ("{}\n", "{}\n"), ("{}\n{\"a", "{}\n")] {
            assert_eq!(whole_records(journal.into()), whole.as_bytes());
        }
    }
}
