//! A scenario that was run once, told again from its journals: judged as it was then.

use super::again::{self, Made};
use super::one::{self, One};
use super::{Require, strict, suite};
use super::{baseline, budget};
use crate::engine::{self, ScenarioFile};
use crate::evidence::facts::{AttemptFacts, Facts, RanFacts};
use crate::evidence::{Attempt, BASELINE};
use crate::journal;
use assize_evidence::Files;
use assize_fault::Ppb;
use assize_model::observation::Observation;
use assize_model::{Plan, judge};
use assize_report::{Run, SuiteVerdict};

/// Judges a scenario again, as often as it was run.
///
/// # Errors
/// Which journal is not one of it, and why.
pub(crate) fn retold(
    file: &ScenarioFile,
    facts: &Facts,
    ran: &RanFacts,
    files: &Files,
) -> Result<Run, String> {
    let mut run = match &ran.left_out {
        Some(why) => suite::left_out(file, facts.seed, why),
        None => {
            let made = ran.attempts.iter();
            let made = made.map(|attempt| made_then(file, facts, attempt, files));
            let made: Vec<Made> = made.collect::<Result<_, _>>()?;
            replaced_rightly(ran, &made)?;
            again::together(file, made).run
        }
    };
    if let Some(why) = &ran.cut_off {
        budget::cut_off(&mut run, why);
    }
    strict::apply(&mut run, facts.asked.require_real.then_some(Require::Real));
    if let Some(bytes) = files.get(BASELINE) {
        let regress = Ppb::parse(&facts.asked.regress)?;
        baseline::from_bytes(bytes)?.compare(&mut run, regress);
    }
    Ok(run)
}

/// That only what could not be decided was made again: whoever could leave out a miss by calling
/// it replaced would choose the best of many.
fn replaced_rightly(ran: &RanFacts, made: &[Made]) -> Result<(), String> {
    for (index, one) in made.iter().enumerate().filter(|(_, one)| one.replaced) {
        let undecided = one.one.run.verdict() == SuiteVerdict::Inconclusive;
        if !undecided || index + 1 == made.len() {
            return Err(format!(
                "`{}`: run {} is called replaced, and {}",
                ran.scenario,
                index + 1,
                match undecided {
                    true => "no other was made in its place",
                    false => "it was decided: only what could not be is made again",
                }
            ));
        }
    }
    Ok(())
}

fn made_then(
    file: &ScenarioFile,
    facts: &Facts,
    attempt: &AttemptFacts,
    files: &Files,
) -> Result<Made, String> {
    let observations = match &attempt.journal {
        Some(name) => observations(file, facts, name, files)?,
        None => Vec::new(),
    };
    let run = match &attempt.reason {
        Some(reason) => engine::not_run(file, reason.clone()),
        None => {
            let plan = Plan::new(&file.topology, &file.scenario, facts.seed);
            let prediction = engine::predict(file, facts.seed);
            let warnings = one::warnings(file, &attempt.remarks);
            let outcome = engine::judged(&plan, &observations, prediction.as_ref(), warnings);
            Run::Judged(Box::new(outcome))
        }
    };
    Ok(Made {
        one: One {
            run,
            left: Vec::new(),
            attempt: Attempt::default(),
        },
        replaced: attempt.replaced,
    })
}

/// The records of a journal, if it is one of this scenario, seed and registered attempt.
fn observations(
    file: &ScenarioFile,
    facts: &Facts,
    name: &str,
    files: &Files,
) -> Result<Vec<Observation>, String> {
    let bytes = files
        .get(name)
        .ok_or_else(|| format!("`{name}` is missing"))?;
    let all = journal::read(bytes).map_err(|why| format!("`{name}` is no journal: {why}"))?;
    let Some(Observation::Began {
        seed,
        model_digest,
        bound,
        ..
    }) = all.first()
    else {
        return Err(format!("`{name}` does not begin with what was run"));
    };
    let plan = Plan::new(&file.topology, &file.scenario, facts.seed);
    if *model_digest != judge::model_digest(&plan) {
        return Err(format!(
            "`{name}` is of another scenario or topology than was packed"
        ));
    }
    if *seed != facts.seed || bound.as_deref() != facts.bound.as_ref() {
        return Err(format!("`{name}` is of another seed or registered attempt"));
    }
    Ok(all)
}
