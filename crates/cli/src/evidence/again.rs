//! The judge once more: whether the findings of a pack follow from its journal, and whether a
//! simulation gives the same bytes again.

use super::build::{ANALYSIS, RECORD, REPORTS, reports};
use super::facts::{FACTS, Facts, RanFacts};
use crate::beside::Beside;
use crate::engine::{self, Request, ScenarioFile};
use crate::inputs::{Input, Inputs};
use crate::scenarios;
use crate::verbs::run;
use assize_evidence::{Files, Refusal, sha256};
use assize_model::{Plan, judge, recorded};
use assize_report::{Forced, Run, SuiteVerdict};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// What judging again has shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Again {
    /// What does not follow.
    pub(crate) wrong: Vec<Refusal>,
    /// What could not be compared, and why.
    pub(crate) open: Vec<String>,
    /// What was shown, in words.
    pub(crate) shown: Vec<String>,
}

/// What a pack says was run.
///
/// # Errors
/// That it does not say so.
pub(crate) fn facts(files: &Files) -> Result<Facts, Refusal> {
    let bytes = files
        .get(FACTS)
        .ok_or_else(|| Refusal::pack(format!("it has no `{FACTS}`")))?;
    Facts::from_bytes(bytes).map_err(|why| Refusal::of(FACTS, format!("it {why}")))
}

/// Reads the inputs again, judges the journals again, and writes the reports again.
pub(crate) fn again(files: &Files, facts: &Facts, threads: usize) -> Again {
    let judged = catch_unwind(AssertUnwindSafe(|| tell(files, facts, threads)));
    match judged {
        Ok(Ok(again)) => again,
        Ok(Err(refusal)) => Again {
            wrong: vec![refusal],
            ..Again::default()
        },
        // A journal may hold anything, and the judge trusts what engines record.
        Err(cause) => Again {
            wrong: vec![Refusal::pack(format!(
                "its journal cannot be judged: {}",
                engine::panic_text(cause.as_ref())
            ))],
            ..Again::default()
        },
    }
}

fn tell(files: &Files, facts: &Facts, threads: usize) -> Result<Again, Refusal> {
    let inputs = inputs(files, facts)?;
    let loaded = load(&inputs, facts)?;
    let beside = beside(files, facts, &inputs)?;
    let same = facts.version == env!("CARGO_PKG_VERSION");
    let mut again = Again::default();
    let mut runs = Vec::new();
    for (file, ran) in loaded.iter().zip(&facts.runs) {
        let told = match facts.verb.as_str() {
            "simulate" => simulated(file, facts, ran, (files, threads), &mut again),
            _ => run::retold(file, facts, ran, files),
        };
        runs.push(told.map_err(Refusal::pack)?);
    }
    let forced = facts.forced.as_ref().map(|forced| Forced {
        verdict: SuiteVerdict::CouldNotRun,
        why: forced.why.clone(),
    });
    let suite = beside.suite(&loaded, runs, forced);
    let written = reports(&suite);
    for (name, _) in REPORTS {
        compare(name, files, &written, same, &mut again);
    }
    if !same && !again.open.is_empty() {
        again.open.push(format!(
            "the pack was made by assize {}, and this is {}: check it with that version",
            facts.version,
            env!("CARGO_PKG_VERSION")
        ));
    }
    Ok(again)
}

/// A report of the pack, beside the same report of what was judged again.
fn compare(name: &str, files: &Files, written: &Files, same: bool, again: &mut Again) {
    match (files.get(name), written.get(name)) {
        (Some(packed), Some(now)) if packed == now => {
            again.shown.push(format!("{name} follows from the journal"));
        }
        (Some(_), Some(_)) if same => again.wrong.push(Refusal::of(
            name,
            "it does not follow from the journal: judged again, it is another",
        )),
        (Some(_), _) => again.open.push(format!("{name} could not be compared")),
        (None, _) if name == "verdict.json" => {
            again.wrong.push(Refusal::of(name, "it is missing"));
        }
        (None, _) => {}
    }
}

/// What stood beside the findings.
fn beside(files: &Files, facts: &Facts, inputs: &Inputs) -> Result<Beside, Refusal> {
    let contract = facts.asked.contract.as_deref().map(Path::new);
    let papers = (files.get(ANALYSIS), files.get(RECORD));
    Beside::packed(contract, inputs, papers)
        .map_err(|why| Refusal::of(FACTS, format!("what was reported cannot be read: {why}")))
}

/// The inputs that were packed.
fn inputs(files: &Files, facts: &Facts) -> Result<Inputs, Refusal> {
    let mut inputs = Inputs::default();
    for input in &facts.inputs {
        let bytes = files
            .get(&input.file)
            .ok_or_else(|| Refusal::of(&input.file, "it is missing"))?;
        if input
            .sha256
            .as_ref()
            .is_some_and(|digest| *digest != sha256(bytes))
        {
            return Err(Refusal::of(&input.file, "it is not the file that was read"));
        }
        let kept = Input {
            bytes: bytes.clone(),
            as_read: Some(sha256(bytes)),
        };
        inputs.0.insert(PathBuf::from(&input.path), kept);
    }
    Ok(inputs)
}

/// The scenarios, from the inputs that were packed.
fn load(inputs: &Inputs, facts: &Facts) -> Result<Vec<ScenarioFile>, Refusal> {
    let asked = &facts.asked;
    let request = Request {
        sets: &asked.sets,
        topology: asked.topology.as_deref().map(Path::new),
        expect: asked.expect.as_deref().map(Path::new),
        bind: asked.bind.as_deref().map(Path::new),
        live: asked.live,
        abort_if: &asked.abort_if,
    };
    let unusable = |why: String| Refusal::of(FACTS, format!("what was run cannot be read: {why}"));
    let mut loaded = Vec::new();
    for ran in &facts.runs {
        let path = Path::new(&ran.path);
        let file = engine::from_inputs(inputs.clone(), path, &request)
            .map_err(|problems| unusable(problems.to_string()))?;
        loaded.push(file);
    }
    scenarios::select(&mut loaded, &asked.only)
        .map_err(|_| unusable("it has no such objective".into()))?;
    if loaded.len() != facts.runs.len() {
        return Err(unusable("it has no such objective".into()));
    }
    Ok(loaded)
}

/// Judges a simulation's journal, and simulates again.
fn simulated(
    file: &ScenarioFile,
    facts: &Facts,
    ran: &RanFacts,
    (files, threads): (&Files, usize),
    again: &mut Again,
) -> Result<Run, String> {
    let [attempt] = ran.attempts.as_slice() else {
        return Err(format!("`{}` was not simulated once", ran.scenario));
    };
    let Some(name) = &attempt.journal else {
        let reason = attempt.reason.clone();
        return Ok(engine::not_run(file, reason.unwrap_or_default()));
    };
    let bytes = files
        .get(name)
        .ok_or_else(|| format!("`{name}` is missing"))?;
    let plan = Plan::new(&file.topology, &file.scenario, facts.seed);
    let head = recorded::head(bytes).ok_or_else(|| format!("`{name}` is no simulation"))?;
    if head.model_digest != judge::model_digest(&plan) {
        return Err(format!(
            "`{name}` is of another scenario or topology than was packed"
        ));
    }
    if head.seed != facts.seed || head.bound != facts.bound {
        return Err(format!("`{name}` is of another seed or registered attempt"));
    }
    let (_, repeated) = engine::simulate_and_show(file, facts.seed, threads, |plan, journal| {
        recorded::write(plan, journal, &head.version, head.bound.as_ref())
    });
    if repeated.as_ref() == Some(bytes) {
        let same = format!("{name}: simulated again, it is the same to the byte");
        again.shown.push(same);
    } else if facts.version == env!("CARGO_PKG_VERSION") {
        return Err(format!(
            "`{name}` is not what the simulation gives: simulated again, it is another"
        ));
    } else {
        again
            .open
            .push(format!("{name} is not what this version simulates"));
    }
    let journal = recorded::read(&plan, bytes).map_err(|why| format!("`{name}`: {why}"))?;
    let warnings = file.warnings.iter().map(engine::in_words).collect();
    let outcome = judge(&plan, &journal, warnings);
    Ok(Run::Judged(Box::new(outcome)))
}
