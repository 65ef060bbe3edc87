//! One run of one scenario: recorded, folded, judged, with the prediction beside.

use super::{Arguments, Engine, clock, out};
use crate::engine::{ScenarioFile, in_words, judged, not_run, panic_text};
use crate::evidence::Attempt;
use crate::journal::{self, Writer};
use assize_evidence::redact::Redactor;
use assize_live::{Options, Refused, Stop, Wrap};
use assize_model::observation::{Bound, Observation};
use assize_model::{Journal, Plan, judge};
use assize_report::Run;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// What came of a run.
pub(super) struct One {
    pub(super) run: Run,
    /// Faults that could not be lifted.
    pub(super) left: Vec<String>,
    /// What evidence has of it.
    pub(super) attempt: Attempt,
}

/// What a run needs beside its plan.
pub(super) struct Setting<'a> {
    pub(super) engine: Engine,
    pub(super) stop: &'a Stop,
    pub(super) arguments: &'a Arguments,
    /// Name of the scenario's files.
    pub(super) name: &'a str,
    /// What was registered before.
    pub(super) bound: Option<&'a Bound>,
}

/// The options of a run.
pub(super) fn options(arguments: &Arguments, stop: Stop, folder: PathBuf) -> Options {
    Options {
        pace: arguments.pace,
        allow_exec: arguments.allow_exec,
        stop,
        wrap: (!arguments.command.is_empty()).then(|| Wrap {
            argv: arguments.command.clone(),
            env: Vec::new(),
        }),
        ..Options::new(folder)
    }
}

/// Runs a scenario once, for the `number`th time, and judges what was observed. `tell` hears of
/// each observation.
pub(super) fn carry_out(
    file: &ScenarioFile,
    prediction: Option<&Journal>,
    setting: &Setting<'_>,
    number: usize,
    tell: &dyn Fn(&Observation),
) -> One {
    let mut observations = Vec::new();
    let done = catch_unwind(AssertUnwindSafe(|| {
        record_and_judge(file, prediction, setting, number, (&mut observations, tell))
    }));
    let journal = |observations: &[Observation]| {
        // Evidence has a folder too, from before the run begins.
        let kept = setting.arguments.out.is_some();
        (kept && !observations.is_empty()).then(|| journal::write_all(observations))
    };
    let reason = match done {
        Ok(Ok(mut one)) => {
            one.attempt.journal = journal(&observations);
            return one;
        }
        Ok(Err(reason)) => reason,
        // One broken run must not take the others of the suite with it.
        Err(cause) => format!("a defect in the engine ({})", panic_text(cause.as_ref())),
    };
    One {
        run: not_run(file, reason.clone()),
        left: Vec::new(),
        attempt: Attempt {
            journal: journal(&observations),
            reason: Some(reason),
            ..Attempt::default()
        },
    }
}

/// Where observations go: they are kept, and told of.
type Heard<'a> = (&'a mut Vec<Observation>, &'a dyn Fn(&Observation));

fn record_and_judge(
    file: &ScenarioFile,
    prediction: Option<&Journal>,
    setting: &Setting<'_>,
    number: usize,
    (observations, tell): Heard<'_>,
) -> Result<One, String> {
    let arguments = setting.arguments;
    let plan = Plan::new(&file.topology, &file.scenario, arguments.engine.seed);
    // What is judged and written is the file without its secrets; what is run has them.
    let (topology, scenario) = file.as_it_stands();
    let real = Plan::new(topology, scenario, arguments.engine.seed);
    let folder = Folder::new()?;
    let options = options(arguments, setting.stop.clone(), folder.0.clone());
    let writer = match &arguments.out {
        Some(folder) => Some(Writer::create(out::path(folder, setting.name, number))?),
        None => None,
    };
    let mut record = |observation: Observation| {
        let observation = without_secrets(&file.secrets, observation);
        if let Some(writer) = &writer {
            writer.record(&observation);
        }
        tell(&observation);
        observations.push(observation);
    };
    record(began(&plan, setting.bound));
    let ended = (setting.engine)(&real, &options, &mut |observation| {
        // The first record and the last are written here, whoever else does.
        if !matches!(
            observation,
            Observation::Began { .. } | Observation::Ended { .. }
        ) {
            record(observation);
        }
    });
    let ended = ended.map_err(|Refused(why)| file.secrets.text(&why).into_owned());
    if let Ok(ended) = &ended {
        record(Observation::Ended {
            at: ended.at,
            why: ended.why,
            left: ended.left.clone(),
        });
    }
    let written = writer.map_or(Ok(()), Writer::close);
    let ended = ended?;
    let remarks: Vec<String> = written.err().into_iter().collect();
    let warnings = warnings(file, &remarks);
    Ok(One {
        run: Run::Judged(Box::new(judged(&plan, observations, prediction, warnings))),
        left: ended.left,
        attempt: Attempt {
            remarks,
            ..Attempt::default()
        },
    })
}

/// What is doubtful about the file, and what else a reader should know.
pub(super) fn warnings(file: &ScenarioFile, remarks: &[String]) -> Vec<String> {
    let of_file = file.warnings.iter().map(in_words);
    of_file.chain(remarks.iter().cloned()).collect()
}

/// The same observation; what systems and commands say may hold a secret.
fn without_secrets(secrets: &Redactor, observation: Observation) -> Observation {
    // These are many, and hold no text of others.
    if let Observation::Control { .. } | Observation::Representative { .. } = observation {
        return observation;
    }
    if matches!(&observation, Observation::Sample { why, .. } if why.is_empty()) {
        return observation;
    }
    let Ok(mut value) = serde_json::to_value(&observation) else {
        return observation;
    };
    if !secrets.json(&mut value) {
        return observation;
    }
    serde_json::from_value(value).unwrap_or(observation)
}

fn began(plan: &Plan<'_>, bound: Option<&Bound>) -> Observation {
    Observation::Began {
        schema: "assize/journal/v1".into(),
        topology: plan.topology.name.clone(),
        scenario: plan.scenario.name.clone(),
        model_digest: judge::model_digest(plan),
        seed: plan.seed,
        wall: clock::wall(),
        version: env!("CARGO_PKG_VERSION").into(),
        bound: bound.cloned().map(Box::new),
    }
}

/// A folder of one run's own, removed when it is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("assize-run-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        private(&path)
            .map_err(|error| format!("the folder {} cannot be made: {error}", path.display()))?;
        Ok(Self(path))
    }
}

/// Makes a folder that was not there, and that nobody else may read.
fn private(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left lies in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
