//! One run of one scenario: recorded, folded, judged, with the prediction beside.

use super::{Arguments, Engine, clock, out};
use crate::engine::{ScenarioFile, in_words, judged, panic_text};
use crate::journal::Writer;
use assize_live::{Options, Refused, Stop, Wrap};
use assize_model::observation::Observation;
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
}

/// What a run needs beside its plan.
pub(super) struct Setting<'a> {
    pub(super) engine: Engine,
    pub(super) stop: &'a Stop,
    pub(super) arguments: &'a Arguments,
    /// Name of the scenario's files.
    pub(super) name: &'a str,
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
    number: u32,
    tell: &dyn Fn(&Observation),
) -> One {
    let done = catch_unwind(AssertUnwindSafe(|| {
        record_and_judge(file, prediction, setting, number, tell)
    }));
    let reason = match done {
        Ok(Ok(one)) => return one,
        Ok(Err(reason)) => reason,
        // One broken run must not take the others of the suite with it.
        Err(cause) => format!("a defect in the engine ({})", panic_text(cause.as_ref())),
    };
    One {
        run: not_run(file, reason),
        left: Vec::new(),
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

fn record_and_judge(
    file: &ScenarioFile,
    prediction: Option<&Journal>,
    setting: &Setting<'_>,
    number: u32,
    tell: &dyn Fn(&Observation),
) -> Result<One, String> {
    let arguments = setting.arguments;
    let plan = Plan::new(&file.topology, &file.scenario, arguments.engine.seed);
    let folder = Folder::new()?;
    let options = options(arguments, setting.stop.clone(), folder.0.clone());
    let writer = match &arguments.out {
        Some(folder) => Some(Writer::create(out::path(folder, setting.name, number))?),
        None => None,
    };
    let mut observations = Vec::new();
    let mut record = |observation: Observation| {
        if let Some(writer) = &writer {
            writer.record(&observation);
        }
        tell(&observation);
        observations.push(observation);
    };
    record(began(&plan));
    let ended = (setting.engine)(&plan, &options, &mut |observation| {
        // The first record and the last are written here, whoever else does.
        if !matches!(
            observation,
            Observation::Began { .. } | Observation::Ended { .. }
        ) {
            record(observation);
        }
    });
    let ended = ended.map_err(|Refused(why)| why);
    if let Ok(ended) = &ended {
        record(Observation::Ended {
            at: ended.at,
            why: ended.why,
            left: ended.left.clone(),
        });
    }
    let written = writer.map_or(Ok(()), Writer::close);
    let ended = ended?;
    let mut warnings: Vec<String> = file.warnings.iter().map(in_words).collect();
    warnings.extend(written.err());
    Ok(One {
        run: Run::Judged(Box::new(judged(&plan, &observations, prediction, warnings))),
        left: ended.left,
    })
}

fn began(plan: &Plan<'_>) -> Observation {
    Observation::Began {
        schema: "assize/journal/v1".into(),
        topology: plan.topology.name.clone(),
        scenario: plan.scenario.name.clone(),
        model_digest: judge::model_digest(plan),
        seed: plan.seed,
        wall: clock::wall(),
        version: env!("CARGO_PKG_VERSION").into(),
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
