//! A scenario run more than once: repeated for the spread of its figures, or tried again because
//! it could not be decided. A miss is never tried again; every run is told of.

use super::one::{self, One, Setting};
use super::suite::Result;
use crate::engine::{self, ScenarioFile};
use crate::evidence::Attempt;
use assize_fault::Nanos;
use assize_model::Journal;
use assize_model::finding::{Detail, Outcome, RunFigure, RunResult, Status, Value};
use assize_model::observation::Observation;
use assize_report::{Run, SuiteVerdict};

/// A run, and whether another was made in its place.
pub(super) struct Made {
    pub(super) one: One,
    pub(super) replaced: bool,
}

/// Runs a scenario as often as is asked for; the worst of the runs decides.
pub(super) fn run(
    file: &ScenarioFile,
    prediction: Option<&Journal>,
    setting: &Setting<'_>,
    tell: &dyn Fn(&Observation),
) -> Result {
    let arguments = setting.arguments;
    let mut made: Vec<Made> = Vec::new();
    let once = |made: &mut Vec<Made>| {
        let one = one::carry_out(file, prediction, setting, made.len() + 1, tell);
        made.push(Made {
            one,
            replaced: false,
        });
    };
    for _ in 0..arguments.repeat.max(1) {
        once(&mut made);
        for _ in 0..arguments.retry.unwrap_or(0) {
            let Some(last) = made.last_mut() else { break };
            if setting.stop.is_requested() || last.one.run.verdict() != SuiteVerdict::Inconclusive {
                break;
            }
            last.replaced = true;
            once(&mut made);
        }
        if setting.stop.is_requested() {
            break;
        }
    }
    together(file, made)
}

/// The run that decides, with what is to be said of the others.
pub(super) fn together(file: &ScenarioFile, mut made: Vec<Made>) -> Result {
    let taken = |m: &mut Made| Attempt {
        replaced: m.replaced,
        ..std::mem::take(&mut m.one.attempt)
    };
    let attempts = made.iter_mut().map(taken).collect();
    let left = made.iter().flat_map(|m| m.one.left.clone()).collect();
    let mut runs: Vec<RunResult> = Vec::new();
    if made.len() > 1 {
        runs = made.iter().map(told).collect();
    }
    let mut kept: Vec<Run> = made
        .into_iter()
        .filter(|m| !m.replaced)
        .map(|m| m.one.run)
        .collect();
    let spreads = spreads(&kept);
    // The first of the worst.
    let worst = kept.iter().map(Run::verdict).max();
    let index = kept.iter().position(|run| Some(run.verdict()) == worst);
    let mut run = match index {
        Some(index) => kept.swap_remove(index),
        None => engine::not_run(file, "it was interrupted before it began".into()),
    };
    if let Run::Judged(outcome) = &mut run {
        for (finding, spread) in outcome.findings.iter_mut().zip(spreads) {
            finding.details.extend(spread);
        }
        if let Some(live) = &mut outcome.live {
            live.runs = runs;
        }
    }
    Result {
        run,
        left,
        attempts,
        left_out: None,
        cut_off: None,
    }
}

/// The run that decides of those that were recorded: each with whether another was made in its
/// place.
pub(crate) fn together_again(file: &ScenarioFile, made: Vec<(Run, bool)>) -> Run {
    let made = made.into_iter().map(|(run, replaced)| Made {
        one: One {
            run,
            left: Vec::new(),
            attempt: Attempt::default(),
        },
        replaced,
    });
    together(file, made.collect()).run
}

fn told(made: &Made) -> RunResult {
    let (reason, figures) = match &made.one.run {
        Run::NotRun { reason, .. } => (Some(reason.clone()), Vec::new()),
        Run::Judged(outcome) => {
            let figures = outcome.findings.iter().map(|finding| RunFigure {
                objective: finding.objective.clone(),
                subject: finding.subject.clone(),
                measured: finding.measured,
                measured_text: finding.measured_text.clone(),
                status: finding.status,
            });
            (None, figures.collect())
        }
    };
    RunResult {
        verdict: made.one.run.verdict_word(),
        replaced: made.replaced,
        reason,
        figures,
    }
}

/// For each finding of the runs, how far its figure and its status spread.
fn spreads(kept: &[Run]) -> Vec<Option<Detail>> {
    let outcomes: Vec<&Outcome> = kept
        .iter()
        .filter_map(|run| match run {
            Run::Judged(outcome) => Some(outcome.as_ref()),
            Run::NotRun { .. } => None,
        })
        .collect();
    let findings = outcomes.first().map_or(0, |first| first.findings.len());
    let spread = |index: usize| {
        if outcomes.len() < 2 {
            return None;
        }
        let of_runs = outcomes.iter().filter_map(|o| o.findings.get(index));
        let (mut times, mut met) = (Vec::new(), 0);
        for finding in of_runs {
            met += usize::from(finding.status == Status::Met);
            if let Some(Value::Time(time)) = finding.measured {
                times.push(time);
            }
        }
        let figures = range(&mut times).map_or(String::new(), |range| format!("; {range}"));
        Some(Detail {
            name: "spread",
            value: None,
            text: format!("met in {met} of {} runs{figures}", outcomes.len()),
        })
    };
    (0..findings).map(spread).collect()
}

fn range(times: &mut [Nanos]) -> Option<String> {
    times.sort_unstable();
    let (least, most) = (times.first()?, times.last()?);
    let median = times.get(times.len() / 2)?;
    Some(format!(
        "{least} at least, {median} at the median, {most} at most"
    ))
}
