//! Verdicts that an earlier command wrote: one, or those of a suite.

use crate::disk;
use crate::exit::Failure;
use serde_json::Value;
use std::path::Path;

/// The verdicts of a file in JSON, or of the `verdict.json` of a folder.
///
/// # Errors
/// Why there are none.
pub(crate) fn verdicts(path: &Path) -> Result<Vec<Value>, Failure> {
    let inside = path.join("verdict.json");
    let file = if path.is_dir() {
        inside.as_path()
    } else {
        path
    };
    let name = file.display();
    let unusable = |why: &str| {
        Failure::Usage(format!(
            "`{name}` {why}\n = help: give what `--format json` of simulate, run or judge printed, \
             or a folder with a `verdict.json`"
        ))
    };
    let text = disk::foreign(file)?;
    let value: Value =
        serde_json::from_str(&text).map_err(|error| unusable(&format!("is no JSON: {error}")))?;
    match value["schema"].as_str() {
        Some("assize/verdict/v1") => Ok(vec![value]),
        Some("assize/suite/v1") => match &value["runs"] {
            Value::Array(runs) if !runs.is_empty() => Ok(runs.clone()),
            _ => Err(unusable("is a suite without runs")),
        },
        _ => Err(unusable("holds neither a verdict nor a suite")),
    }
}
