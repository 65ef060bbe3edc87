//! What an earlier run recorded, read again and judged again: also a run that was killed, as far as
//! its journal goes.

use crate::engine::{self, ScenarioFile, in_words};
use crate::exit::Failure;
use crate::journal;
use assize_model::finding::Outcome;
use assize_model::observation::Observation;
use assize_model::{Plan, judge};
use std::path::{Path, PathBuf};

/// Versions of journals that are read.
const VERSIONS: &[&str] = &["assize/journal/v1"];

/// A journal, with what its first record says.
pub(crate) struct Recorded {
    pub(crate) path: PathBuf,
    pub(crate) scenario: String,
    pub(crate) topology: String,
    pub(crate) seed: u64,
    pub(crate) digest: String,
    observations: Vec<Observation>,
}

impl Recorded {
    /// Reads a journal file.
    ///
    /// # Errors
    /// Why it is none, or of another version.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let place = path.display();
        let unusable = |why: String| Failure::Usage(format!("the journal `{place}` {why}"));
        let bytes =
            std::fs::read(path).map_err(|error| unusable(format!("cannot be read: {error}")))?;
        let observations =
            journal::read(&bytes).map_err(|why| unusable(format!("is no journal: {why}")))?;
        let Some(Observation::Began {
            schema,
            scenario,
            topology,
            seed,
            model_digest,
            version,
            ..
        }) = observations.first()
        else {
            return Err(unusable("does not begin with what was run".into()));
        };
        if !VERSIONS.contains(&schema.as_str()) {
            let readable = VERSIONS.join(", ");
            return Err(unusable(format!(
                "is of version `{schema}`, which is not read here\n = help: it was written by \
                 assize {version}; read are {readable}"
            )));
        }
        Ok(Self {
            path: path.to_path_buf(),
            scenario: scenario.clone(),
            topology: topology.clone(),
            seed: *seed,
            digest: model_digest.clone(),
            observations,
        })
    }

    /// Whether it was recorded of exactly this scenario.
    pub(crate) fn is_of(&self, file: &ScenarioFile) -> bool {
        let plan = Plan::new(&file.topology, &file.scenario, self.seed);
        judge::model_digest(&plan) == self.digest
    }

    /// Judges it, with the prediction beside.
    pub(crate) fn judged(&self, file: &ScenarioFile) -> Outcome {
        let plan = Plan::new(&file.topology, &file.scenario, self.seed);
        let prediction = engine::predict(file, self.seed);
        let warnings = file.warnings.iter().map(in_words).collect();
        engine::judged(&plan, &self.observations, prediction.as_ref(), warnings)
    }
}
