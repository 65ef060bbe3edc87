//! Which of the scenarios run: those named, and of folders those that fit a live run.

use crate::Console;
use crate::engine::ScenarioFile;
use crate::exit::Failure;
use crate::scenarios::Loaded;
use assize_fault::Nanos;

/// Scenarios of folders that are longer run only with a `live:` plan of their own.
const LONGEST: Nanos = Nanos::mins(20);

/// The scenarios to run; the others are listed.
pub(super) fn select(
    loaded: Vec<Loaded>,
    tags: &[String],
    console: &mut Console<'_>,
) -> Result<Vec<ScenarioFile>, Failure> {
    let mut files = Vec::new();
    let mut long = Vec::new();
    for Loaded { named, file } in loaded {
        let scenario = &file.scenario;
        if !tags.is_empty() && !scenario.tags.iter().any(|tag| tags.contains(tag)) {
            continue;
        }
        if named || scenario.live.stated || scenario.end < LONGEST {
            files.push(file);
        } else {
            long.push(format!("{} ({})", scenario.name, scenario.end));
        }
    }
    if !long.is_empty() {
        let (count, list) = (long.len(), long.join(", "));
        console.say(&format!(
            "not run, being longer than {LONGEST} without a `live:` plan ({count}): {list}"
        ));
    }
    if files.is_empty() {
        let help = if tags.is_empty() {
            "name a scenario, or give it a `live:` plan with shorter faults"
        } else {
            "no scenario that fits has such a tag"
        };
        return Err(Failure::Usage(format!(
            "there is no scenario to run here\n = help: {help}"
        )));
    }
    Ok(files)
}

/// Whether some service of it is a real system.
pub(super) fn is_real(file: &ScenarioFile) -> bool {
    file.topology.has_real()
}
