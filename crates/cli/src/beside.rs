//! What stands beside the findings of a run in its reports: a contract that it is held against,
//! an analysis that was made beforehand, the record of the drill. None of it decides a verdict.

use crate::disk;
use crate::engine::{self, ContractFile, ScenarioFile, in_words};
use crate::exit::Failure;
use crate::inputs::Inputs;
use crate::{Console, drill};
use assize_evidence::redact::Redactor;
use assize_model::contract::{Contract, Record, reckon};
use assize_model::drill::Drill;
use assize_model::finding::Outcome;
use assize_report::{Analysis, Forced, Run, Suite, words};
use std::path::{Path, PathBuf};

/// What is given beside what is run.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct BesideArgs {
    /// Hold each run against this contract (`assize: contract/v1`) and show every clause; unless
    /// given, the topology's own `contract:`. It informs: `assize credits` decides by it.
    #[arg(long, env = "ASSIZE_CONTRACT", value_name = "FILE")]
    pub(crate) contract: Option<PathBuf>,
    /// Show what an analysis found (`assize analyse TOPOLOGY --format json`): single points of
    /// failure, combinations, capacity.
    #[arg(long, env = "ASSIZE_ANALYSIS", value_name = "FILE")]
    pub(crate) analysis: Option<PathBuf>,
    /// Show the record of the drill (`assize: record/v1`): who led, observed and approved it.
    #[arg(long, env = "ASSIZE_RECORD", value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

/// What was given, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    contract: Option<Contract>,
    /// Every file that was read for the contract, secrets struck out.
    pub(crate) inputs: Inputs,
    analysis: Option<Paper<Analysis>>,
    record: Option<Paper<Drill>>,
}

/// A document and what it says; secrets are struck out of both.
#[derive(Clone, Debug)]
struct Paper<T> {
    bytes: Vec<u8>,
    says: T,
}

impl Beside {
    /// Reads it, before anything is run for it.
    ///
    /// # Errors
    /// What is wrong with a file, or that an analysis is of another topology.
    pub(crate) fn read(
        arguments: &BesideArgs,
        files: &[ScenarioFile],
        console: &mut Console<'_>,
    ) -> Result<Self, Failure> {
        let known = files.iter().map(|file| &file.secrets);
        let secrets = known.fold(Redactor::default(), |all, one| all.and(one));
        let mut beside = Self::default();
        if let Some(path) = &arguments.contract {
            let ContractFile {
                contract,
                warnings,
                inputs,
            } = engine::contract(path, &[], &secrets)?;
            for warning in &warnings {
                console.say(&format!("warning: {}", in_words(warning)));
            }
            (beside.contract, beside.inputs) = (Some(contract), inputs);
        }
        if let Some(path) = &arguments.record {
            let bytes = secrets.bytes(drill::read(path)?);
            let says = drill::parse(&bytes).map_err(Failure::Usage)?;
            beside.record = Some(Paper { bytes, says });
        }
        if let Some(path) = &arguments.analysis {
            let bytes = secrets
                .text(&disk::foreign(path)?)
                .into_owned()
                .into_bytes();
            beside.analysis = Some(analysis(path, bytes, files)?);
        }
        Ok(beside)
    }

    /// What was packed of it. `contract` is the path by which it was asked for.
    ///
    /// # Errors
    /// Which of it cannot be read, and why.
    pub(crate) fn packed(
        contract: Option<&Path>,
        inputs: &Inputs,
        (analysis, record): (Option<&Vec<u8>>, Option<&Vec<u8>>),
    ) -> Result<Self, String> {
        let contract = contract.map(|path| engine::contract_from(inputs, path));
        let record = record.map(|bytes| drill::parse(bytes).map(|says| (bytes, says)));
        let analysis = analysis.map(|bytes| Analysis::read(bytes).map(|says| (bytes, says)));
        Ok(Self {
            contract: contract.transpose().map_err(|why| why.to_string())?,
            inputs: Inputs::default(),
            analysis: analysis.transpose()?.map(Paper::of),
            record: record.transpose()?.map(Paper::of),
        })
    }

    /// What is given here, and for the rest what stood there.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            contract: self.contract.or(other.contract),
            inputs: self.inputs,
            analysis: self.analysis.or(other.analysis),
            record: self.record.or(other.record),
        }
    }

    /// The record, as it is packed.
    pub(crate) fn record(&self) -> Option<&[u8]> {
        self.record.as_ref().map(|paper| paper.bytes.as_slice())
    }

    /// The analysis, as it is packed.
    pub(crate) fn analysis(&self) -> Option<&[u8]> {
        self.analysis.as_ref().map(|paper| paper.bytes.as_slice())
    }

    /// Runs of these scenarios, with all that is reported beside them.
    pub(crate) fn suite<'a>(
        &self,
        files: impl IntoIterator<Item = &'a ScenarioFile>,
        mut runs: Vec<Run>,
        forced: Option<Forced>,
    ) -> Suite {
        let mut on_miss = std::collections::BTreeMap::new();
        for (file, run) in files.into_iter().zip(&mut runs) {
            let topology = &file.topology;
            let own = topology.contract.as_ref();
            if let (Run::Judged(outcome), Some(contract)) = (run, self.contract.as_ref().or(own)) {
                hold(contract, outcome);
            }
            if let Some(text) = &topology.on_miss {
                on_miss.insert(topology.name.clone(), text.clone());
            }
        }
        Suite {
            runs,
            on_miss,
            forced,
            record: self.record.as_ref().map(|paper| paper.says.clone()),
            analysis: self.analysis.as_ref().map(|paper| paper.says.clone()),
        }
    }
}

impl<T> Paper<T> {
    fn of((bytes, says): (&Vec<u8>, T)) -> Self {
        Self {
            bytes: bytes.clone(),
            says,
        }
    }
}

/// An analysis, if it is of a topology that is run.
fn analysis(
    path: &Path,
    bytes: Vec<u8>,
    files: &[ScenarioFile],
) -> Result<Paper<Analysis>, Failure> {
    let unusable = |why: String| Failure::Usage(format!("the analysis `{}` {why}", path.display()));
    let says = Analysis::read(&bytes).map_err(unusable)?;
    let mut names: Vec<&str> = files.iter().map(|f| f.topology.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if !names.contains(&says.name.as_str()) {
        return Err(unusable(format!(
            "is of `{}`, and what is reported is on {}\n = help: analyse the topology that is run",
            says.name,
            words::list(&names)
        )));
    }
    Ok(Paper { bytes, says })
}

/// What a contract makes of it; if nothing can be, that it says so.
fn hold(contract: &Contract, outcome: &mut Outcome) {
    let verdict = serde_json::to_value(&*outcome).map_err(|error| error.to_string());
    match verdict.and_then(|verdict| Record::read(&verdict)) {
        Ok(record) => outcome.contract = Some(reckon(contract, &record)),
        Err(why) => outcome.warnings.push(format!(
            "the contract {} cannot be held against this, which {why}",
            contract.name
        )),
    }
}
