//! What an earlier command left: a verdict in JSON, the folder of a run, an evidence pack. One
//! reader for all verbs that take a RUN.
//!
//! A pack is read only if it holds; whose it is, and whether its findings follow, is for
//! `evidence verify` to say. A run that was killed left no verdict: its journals are judged.

use crate::disk;
use crate::evidence::again::{self, Told};
use crate::evidence::facts::Facts;
use crate::evidence::{folder, store};
use crate::exit::Failure;
use crate::verbs::run::VERDICT;
use assize_evidence::Files;
use assize_report::Style;
use serde_json::Value;
use std::path::Path;

/// What `--help` and messages say that a RUN is.
const KINDS: &str = "what `--format json` of simulate, run or judge printed, the folder of a run, \
                     or an evidence pack";

/// The files of a run and what it says of itself: of a pack, or of a folder that has them.
///
/// # Errors
/// Why they cannot be used; `None` if the path is neither.
pub(crate) fn run(path: &Path) -> Result<Option<(Files, Facts)>, Failure> {
    if store::is_pack(path) {
        let (files, _) = store::read_whole(path)?;
        let facts = again::facts(&files).map_err(|refusal| unusable(path, &refusal.to_string()))?;
        return Ok(Some((files, facts)));
    }
    folder::is_run(path).then(|| folder::read(path)).transpose()
}

/// What a run comes to, judged again from its journals.
///
/// # Errors
/// Why it cannot be.
pub(crate) fn told(path: &Path, (files, facts): (&Files, &Facts)) -> Result<Told, Failure> {
    again::retold(files, facts).map_err(|refusal| unusable(path, &refusal.to_string()))
}

/// The verdicts that a RUN holds: one, or those of a suite.
///
/// # Errors
/// Why there are none.
pub(crate) fn verdicts(path: &Path) -> Result<Vec<Value>, Failure> {
    match serde_json::from_slice(&verdict(path)?) {
        Ok(value) => {
            of(path, value)?.ok_or_else(|| unusable(path, "holds neither a verdict nor a suite"))
        }
        Err(error) => Err(unusable(path, &format!("is no JSON: {error}"))),
    }
}

/// The same; `None` where the path is something else, such as a topology.
pub(crate) fn some_verdicts(path: &Path) -> Result<Option<Vec<Value>>, Failure> {
    let json = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"));
    if path.is_dir() || store::is_pack(path) {
        return verdicts(path).map(Some);
    }
    if !json {
        return Ok(None);
    }
    match serde_json::from_slice(&verdict(path)?) {
        Ok(value) => of(path, value),
        Err(_) => Ok(None),
    }
}

fn of(path: &Path, mut value: Value) -> Result<Option<Vec<Value>>, Failure> {
    match value["schema"].as_str().unwrap_or_default() {
        "assize/verdict/v1" => Ok(Some(vec![value])),
        "assize/suite/v1" => match value["runs"].take() {
            Value::Array(runs) if !runs.is_empty() => Ok(Some(runs)),
            _ => Err(unusable(path, "is a suite without runs")),
        },
        _ => Ok(None),
    }
}

/// The file of the verdict of a RUN.
///
/// # Errors
/// Why there is none.
pub(crate) fn verdict(path: &Path) -> Result<Vec<u8>, Failure> {
    if store::is_pack(path) {
        let (mut files, _) = store::read_whole(path)?;
        let verdict = files.remove(VERDICT);
        return verdict.ok_or_else(|| unusable(path, "has no verdict"));
    }
    if !path.is_dir() {
        return disk::foreign(path).map(String::into_bytes);
    }
    let inside = path.join(VERDICT);
    if inside.exists() {
        return disk::foreign(&inside).map(String::into_bytes);
    }
    let Some((files, facts)) = run(path)? else {
        return Err(unusable(path, "holds no verdict"));
    };
    let (_, suite) = told(path, (&files, &facts))?.suite();
    let mut bytes = Vec::new();
    if let Some(json) = assize_report::format("json") {
        (json.write)(&suite, &Style::default(), &mut bytes)?;
    }
    Ok(bytes)
}

fn unusable(path: &Path, why: &str) -> Failure {
    let path = path.display();
    Failure::Usage(format!("`{path}` {why}\n = help: give {KINDS}"))
}
