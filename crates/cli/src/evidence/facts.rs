//! `run.json` of a pack: what was asked and what was done, so that it can be done again.

use assize_evidence::{Files, State};
use assize_model::observation::{Bound, Ending, Observation};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Name of the file.
pub(crate) const FACTS: &str = "run.json";
/// What it is.
pub(crate) const SCHEMA: &str = "assize/evidence/v1";

/// All of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facts {
    pub(crate) schema: String,
    /// The program's version.
    pub(crate) version: String,
    /// `simulate` or `run`.
    pub(crate) verb: String,
    /// The command as it was given, secrets struck out.
    pub(crate) command: String,
    /// Variables that stood for flags.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) seed: u64,
    /// How far it came.
    #[serde(default)]
    pub(crate) state: State,
    /// Made from the folder of a run, and not by the run itself.
    #[serde(default)]
    pub(crate) packed_later: bool,
    pub(crate) asked: Asked,
    /// What was registered before.
    pub(crate) bound: Option<Bound>,
    /// The register's file, where the run was registered.
    #[serde(default)]
    pub(crate) register: Option<String>,
    pub(crate) runs: Vec<RanFacts>,
    /// What decided whatever was measured.
    pub(crate) forced: Option<ForcedFacts>,
    pub(crate) inputs: Vec<InputFacts>,
    /// What stands behind each service.
    pub(crate) bindings: Vec<Value>,
    pub(crate) clock: Value,
    pub(crate) machine: Value,
    /// The record of the drill, if one was given: its file in the pack.
    pub(crate) record: Option<String>,
}

/// What changes how files are read and judged.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) live: bool,
    pub(crate) sets: Vec<String>,
    pub(crate) topology: Option<String>,
    pub(crate) expect: Option<String>,
    pub(crate) bind: Option<String>,
    /// The contract that runs were held against, if not that of their topology.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) contract: Option<String>,
    pub(crate) only: Vec<String>,
    pub(crate) abort_if: Vec<String>,
    pub(crate) require_real: bool,
    /// How much worse than in the baseline a figure may be; there is one if it was packed.
    pub(crate) regress: String,
}

/// A scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RanFacts {
    /// Its file, as it was named.
    pub(crate) path: String,
    pub(crate) scenario: String,
    pub(crate) topology: String,
    /// Every time that it was run.
    pub(crate) attempts: Vec<AttemptFacts>,
    /// Why it was not.
    pub(crate) left_out: Option<String>,
    /// Why it was stopped before its end.
    pub(crate) cut_off: Option<String>,
}

/// A scenario run once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttemptFacts {
    /// Its file in the pack.
    pub(crate) journal: Option<String>,
    /// It could not be decided, and the next was made in its place.
    pub(crate) replaced: bool,
    /// Why it could not be carried out.
    pub(crate) reason: Option<String>,
    /// What a reader should know that the journal does not say.
    pub(crate) remarks: Vec<String>,
}

/// As `assize_report::Forced`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForcedFacts {
    pub(crate) why: String,
}

/// A file that was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputFacts {
    /// As it was asked for.
    pub(crate) path: String,
    /// Its file in the pack.
    pub(crate) file: String,
    /// SHA-256 of it as it was read; none if a secret was struck out.
    pub(crate) sha256: Option<String>,
}

impl Facts {
    /// JSON.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // Plain data, which JSON can always hold.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads them.
    ///
    /// # Errors
    /// Why they are none, as the rest of a sentence.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let facts: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("does not say what was run: {error}"))?;
        if facts.schema != SCHEMA {
            return Err(format!("is of another version: `{}`", facts.schema));
        }
        Ok(facts)
    }
}

/// How far a run came, by its attempts and the last record of their journals, and why not further.
pub(crate) fn state(facts: &Facts, files: &Files) -> (State, Vec<String>) {
    let mut state = State::Complete;
    let mut why: Vec<String> = facts.forced.iter().map(|f| f.why.clone()).collect();
    if !why.is_empty() {
        state = State::Aborted;
    }
    for ran in &facts.runs {
        let name = &ran.scenario;
        let mut came = |to: State, said: String| {
            state = state.max(to);
            why.push(format!("{name}: {said}"));
        };
        for said in ran.left_out.iter().chain(&ran.cut_off) {
            came(State::Aborted, said.clone());
        }
        let kept = ran.attempts.iter().filter(|attempt| !attempt.replaced);
        for attempt in kept {
            if let Some(reason) = &attempt.reason {
                came(State::Aborted, reason.clone());
            } else if facts.verb == "run" {
                match attempt.journal.as_ref().and_then(|name| files.get(name)) {
                    Some(bytes) => match ending(bytes) {
                        Some(Ending::Finished | Ending::Stable) => {}
                        Some(Ending::Aborted) => came(State::Aborted, "it was aborted".into()),
                        Some(Ending::Interrupted) => {
                            came(State::Aborted, "it was interrupted".into());
                        }
                        None => came(State::Killed, "its journal has no end".into()),
                    },
                    None => came(State::Killed, "nothing was recorded".into()),
                }
            }
        }
    }
    (state, why)
}

/// How a journal ends; `None`: it does not.
fn ending(journal: &[u8]) -> Option<Ending> {
    let last = assize_evidence::chain::records(journal).last()?;
    match serde_json::from_slice(last).ok()? {
        Observation::Ended { why, .. } => Some(why),
        _ => None,
    }
}
