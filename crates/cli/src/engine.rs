//! The seam to the model and the simulator: everything the verbs ask of them, in one place.

use crate::disk::Disk;
use crate::exit::Failure;
use crate::inputs::{self, Inputs, Keeping};
use assize_evidence::redact::Redactor;
use assize_fault::{Nanos, Wire, wire};
use assize_model::contract::Contract;
use assize_model::faults;
use assize_model::file::{self, Kind, LoadOptions, Problem, Problems};
use assize_model::finding::Outcome;
use assize_model::journal::Journal;
use assize_model::observation::Observation;
use assize_model::{JourneyId, Plan, PopulationId, Scenario, Topology, fold, judge};
use assize_report::Run;
pub(crate) use assize_sim::{Explained, ExplainedAccess};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// How files are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Request<'a> {
    /// Variations, `path=value`.
    pub(crate) sets: &'a [String],
    /// Replaces the topology of scenarios.
    pub(crate) topology: Option<&'a Path>,
    /// Replaces the symptoms that scenarios are scored against.
    pub(crate) expect: Option<&'a Path>,
    /// Bindings, laid over those of the scenario and its topology.
    pub(crate) bind: Option<&'a Path>,
    /// Whether the `live:` of scenarios is applied.
    pub(crate) live: bool,
    /// Conditions under which a live run is stopped, beside those of the files.
    pub(crate) abort_if: &'a [String],
}

impl Request<'_> {
    fn options(&self) -> LoadOptions {
        LoadOptions {
            sets: self.sets.to_vec(),
            topology: self.topology.map(Path::to_path_buf),
            expect: self.expect.map(Path::to_path_buf),
            bind: self.bind.map(Path::to_path_buf),
            live: self.live,
            abort_if: self.abort_if.to_vec(),
        }
    }

    fn disk(&self, path: &Path) -> Disk {
        Disk::for_files(
            std::iter::once(path)
                .chain(self.topology)
                .chain(self.expect)
                .chain(self.bind),
        )
    }
}

/// A topology that was read.
#[derive(Clone, Debug)]
pub(crate) struct TopologyFile {
    /// The topology.
    pub(crate) topology: Topology,
    /// What is doubtful about it.
    pub(crate) warnings: Vec<Problem>,
}

/// A scenario that was read, with its topology.
#[derive(Clone, Debug)]
pub(crate) struct ScenarioFile {
    /// The topology.
    pub(crate) topology: Topology,
    /// The scenario.
    pub(crate) scenario: Scenario,
    /// What is doubtful about either.
    pub(crate) warnings: Vec<Problem>,
    /// The file, as it was named.
    pub(crate) path: PathBuf,
    /// Every file that was read for it, secrets struck out.
    pub(crate) inputs: Inputs,
    /// The secrets that this process knows.
    pub(crate) secrets: Redactor,
    /// The same with its secrets, for a run on real sockets; `None` if it has none.
    pub(crate) real: Option<Box<(Topology, Scenario)>>,
}

impl ScenarioFile {
    /// Topology and scenario with the secrets in them, for a run on real sockets.
    pub(crate) fn as_it_stands(&self) -> (&Topology, &Scenario) {
        match self.real.as_deref() {
            Some((topology, scenario)) => (topology, scenario),
            None => (&self.topology, &self.scenario),
        }
    }
}

/// Reads a topology, or the topology of a scenario.
pub(crate) fn topology(path: &Path, sets: &[String]) -> Result<TopologyFile, Problems> {
    let request = Request {
        sets,
        ..Request::default()
    };
    if crate::disk::kind(path) == Some(Kind::Scenario) {
        let ScenarioFile {
            topology, warnings, ..
        } = scenario(path, &request)?;
        return Ok(TopologyFile { topology, warnings });
    }
    let (topology, warnings) = file::load_topology(&request.disk(path), path, &request.options())?;
    Ok(TopologyFile { topology, warnings })
}

/// The figures that a topology calls assumed.
pub(crate) fn assumed_figures(path: &Path, sets: &[String]) -> Result<Vec<file::Figure>, Problems> {
    let request = Request {
        sets,
        ..Request::default()
    };
    file::assumed_figures(&request.disk(path), path, &request.options())
}

/// Reads a scenario and its topology, and strikes out the secrets in them.
pub(crate) fn scenario(path: &Path, request: &Request<'_>) -> Result<ScenarioFile, Problems> {
    let disk = request.disk(path);
    let keeping = Keeping::new(&disk);
    let (topology, scenario, warnings) = file::load_scenario(&keeping, path, &request.options())?;
    let secrets = inputs::secrets(&topology);
    let inputs = keeping.inputs(&secrets);
    let read = ScenarioFile {
        topology,
        scenario,
        warnings,
        path: path.to_path_buf(),
        inputs,
        secrets,
        real: None,
    };
    if !read.inputs.were_struck() {
        return Ok(read);
    }
    let struck = from_inputs(read.inputs, path, request)?;
    Ok(ScenarioFile {
        secrets: read.secrets,
        real: Some(Box::new((read.topology, read.scenario))),
        ..struck
    })
}

/// Reads a scenario from what was read for it before.
pub(crate) fn from_inputs(
    inputs: Inputs,
    path: &Path,
    request: &Request<'_>,
) -> Result<ScenarioFile, Problems> {
    let (topology, scenario, warnings) = file::load_scenario(&inputs, path, &request.options())?;
    Ok(ScenarioFile {
        topology,
        scenario,
        warnings,
        path: path.to_path_buf(),
        inputs,
        secrets: Redactor::default(),
        real: None,
    })
}

/// A contract that was read.
#[derive(Clone, Debug)]
pub(crate) struct ContractFile {
    /// The contract.
    pub(crate) contract: Contract,
    /// What is doubtful about it.
    pub(crate) warnings: Vec<Problem>,
    /// Every file that was read for it, secrets struck out.
    pub(crate) inputs: Inputs,
}

/// Reads a contract, or that of a topology; without these secrets.
pub(crate) fn contract(
    path: &Path,
    sets: &[String],
    secrets: &Redactor,
) -> Result<ContractFile, Problems> {
    let request = Request {
        sets,
        ..Request::default()
    };
    let disk = request.disk(path);
    let keeping = Keeping::new(&disk);
    let (mut contract, warnings) = file::load_contract(&keeping, path, &request.options())?;
    let inputs = keeping.inputs(secrets);
    if inputs.were_struck() {
        contract = file::load_contract(&inputs, path, &request.options())?.0;
    }
    Ok(ContractFile {
        contract,
        warnings,
        inputs,
    })
}

/// Reads a contract from what was read for it before.
pub(crate) fn contract_from(inputs: &Inputs, path: &Path) -> Result<Contract, Problems> {
    let options = LoadOptions::default();
    file::load_contract(inputs, path, &options).map(|(contract, _)| contract)
}

/// A scenario in which these elements are down for so long.
pub(crate) fn what_if(
    loaded: TopologyFile,
    down: &[String],
    length: Nanos,
    at: Option<&str>,
) -> Result<ScenarioFile, Failure> {
    let TopologyFile { topology, warnings } = loaded;
    let start = at.map(|text| instant(&topology, text)).transpose()?;
    let scenario = file::bare_scenario(&topology, down, length, start).map_err(Failure::Usage)?;
    Ok(ScenarioFile {
        topology,
        scenario,
        warnings,
        path: PathBuf::new(),
        inputs: Inputs::default(),
        secrets: Redactor::default(),
        real: None,
    })
}

/// An instant as people write it: with an offset, or as local time of the topology's zone.
fn instant(topology: &Topology, text: &str) -> Result<jiff::Timestamp, Failure> {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(instant);
    }
    let local = text.parse::<jiff::civil::DateTime>().ok();
    local
        .and_then(|local| topology.calendar.zone.to_timestamp(local).ok())
        .ok_or_else(|| {
            Failure::Usage(format!(
                "`{text}` is no instant\n = help: write for example `2019-01-16T08:00:00Z`, or \
                 `2019-01-16T08:00` for local time"
            ))
        })
}

/// The state of a journey at an instant, for each place at which the population sits.
pub(crate) fn explain(
    file: &ScenarioFile,
    seed: u64,
    population: PopulationId,
    journey: JourneyId,
    at: Nanos,
) -> Vec<Explained> {
    let plan = Plan::new(&file.topology, &file.scenario, seed);
    assize_sim::explain(&plan, population, journey, at)
}

/// Runs and judges one scenario.
pub(crate) fn simulate(file: &ScenarioFile, seed: u64, threads: usize) -> Run {
    simulate_and_show(file, seed, threads, |_, _| ()).0
}

/// Runs and judges one scenario, and shows the journal before it is gone.
pub(crate) fn simulate_and_show<T>(
    file: &ScenarioFile,
    seed: u64,
    threads: usize,
    show: impl FnOnce(&Plan<'_>, &Journal) -> T,
) -> (Run, Option<T>) {
    let judged = catch_unwind(AssertUnwindSafe(|| {
        let plan = Plan::new(&file.topology, &file.scenario, seed);
        let journal = assize_sim::simulate_with_solos(&plan, threads);
        let warnings = file.warnings.iter().map(in_words).collect();
        (judge(&plan, &journal, warnings), show(&plan, &journal))
    }));
    match judged {
        Ok((outcome, shown)) => (Run::Judged(Box::new(outcome)), Some(shown)),
        // One broken run must not take the others of the suite with it.
        Err(cause) => {
            let reason = format!("a defect in the simulator ({})", panic_text(cause.as_ref()));
            (not_run(file, reason), None)
        }
    }
}

/// A scenario that was not carried out.
pub(crate) fn not_run(file: &ScenarioFile, reason: String) -> Run {
    Run::NotRun {
        topology: file.topology.name.clone(),
        scenario: file.scenario.name.clone(),
        reason,
    }
}

/// What the plan that will be run is predicted to come to; `None` if the simulator failed.
pub(crate) fn predict(file: &ScenarioFile, seed: u64) -> Option<Journal> {
    let predicted = catch_unwind(AssertUnwindSafe(|| {
        let plan = Plan::new(&file.topology, &file.scenario, seed);
        assize_sim::simulate_with_solos(&plan, 1)
    }));
    predicted.ok()
}

/// Judges what was observed, and puts the prediction beside.
pub(crate) fn judged(
    plan: &Plan<'_>,
    observations: &[Observation],
    prediction: Option<&Journal>,
    warnings: Vec<String>,
) -> Outcome {
    let mut journal = fold(plan, observations);
    let Some(prediction) = prediction else {
        return judge(plan, &journal, warnings);
    };
    journal.adopt_solos(prediction);
    let mut outcome = judge(plan, &journal, warnings);
    // Of a run that ended early, because all was stable or not, so much was predicted.
    let as_far = Journal {
        end: journal.end,
        ..prediction.clone()
    };
    judge::compare(&mut outcome, &judge(plan, &as_far, Vec::new()));
    outcome
}

pub(crate) fn panic_text(cause: &(dyn std::any::Any + Send)) -> &str {
    let literal = cause.downcast_ref::<&str>().copied();
    literal
        .or_else(|| cause.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// A problem on one line.
pub(crate) fn in_words(problem: &Problem) -> String {
    let place = match problem.line {
        0 => problem.file.clone(),
        line => format!("{}:{line}", problem.file),
    };
    format!("{} ({place})", problem.what)
}

/// A fault as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub name: &'static str,
    /// What it acts on.
    pub on: On,
    pub manual: String,
}

/// What a fault acts on: the two kinds are told apart wherever they are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum On {
    /// An element of the topology, in a scenario.
    Element,
    /// The bytes that pass a proxy.
    Wire,
}

/// All faults and their manuals, in the order of the registries.
pub(crate) fn faults() -> Vec<Listed> {
    let elements = faults::all().iter().map(|fault| Listed {
        name: fault.name,
        on: On::Element,
        manual: fault.manual(),
    });
    let wires = Wire::KINDS.iter().map(|kind| Listed {
        name: kind,
        on: On::Wire,
        manual: wire::manual(kind).unwrap_or_default(),
    });
    elements.chain(wires).collect()
}
