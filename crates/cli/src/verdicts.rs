//! Verdicts in JSON, as `simulate` and `run` wrote them, for the verbs that read them.

use crate::disk;
use crate::exit::Failure;
use serde_json::Value;
use std::path::Path;

/// The verdicts of a file: of a run, or of each run of a suite. `None` where it is something else.
pub(crate) fn read(file: &Path) -> Result<Option<Vec<Value>>, Failure> {
    if file.extension().is_none_or(|e| e != "json") {
        return Ok(None);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(&disk::foreign(file)?) else {
        return Ok(None);
    };
    let schema = value["schema"].as_str().unwrap_or_default();
    if schema.starts_with("assize/verdict/") {
        return Ok(Some(vec![value]));
    }
    if !schema.starts_with("assize/suite/") {
        return Ok(None);
    }
    let runs = value["runs"].as_array_mut().map(std::mem::take);
    Ok(Some(runs.unwrap_or_default()))
}
