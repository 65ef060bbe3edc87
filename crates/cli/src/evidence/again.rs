//! The judge once more: whether the findings of a pack follow from its journal, and whether a
//! simulation gives the same bytes again.

use super::belongs;
use super::build::{ANALYSIS, RECORD, VERIFY, told};
use super::facts::{self, FACTS, Facts, RanFacts};
use crate::beside::Beside;
use crate::engine::{self, Request, ScenarioFile};
use crate::inputs::{Input, Inputs};
use crate::scenarios;
use crate::verbs::run;
use assize_evidence::{Files, Refusal, State, sha256};
use assize_model::{Plan, judge, recorded};
use assize_report::{Forced, Run, Suite, SuiteVerdict};
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
    let told = guarded(|| tell(files, facts, threads));
    told.unwrap_or_else(|refusal| Again {
        wrong: vec![refusal],
        ..Again::default()
    })
}

/// A run as it is told again.
pub(crate) struct Told {
    /// The scenarios, as they were read.
    pub(crate) scenarios: Vec<ScenarioFile>,
    pub(crate) runs: Vec<Run>,
    /// What stood beside the findings.
    pub(crate) beside: Beside,
    forced: Option<Forced>,
}

impl Told {
    /// All of it, with what stands beside.
    pub(crate) fn suite(self) -> (Vec<ScenarioFile>, Suite) {
        let suite = self.beside.suite(&self.scenarios, self.runs, self.forced);
        (self.scenarios, suite)
    }
}

/// What a run comes to, judged again from its journals.
///
/// # Errors
/// Why it cannot be.
pub(crate) fn retold(files: &Files, facts: &Facts) -> Result<Told, Refusal> {
    guarded(|| judged(files, facts))
}

/// A journal may hold anything, and the judge trusts what engines record.
fn guarded<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        Err(Refusal::pack(format!(
            "its journal cannot be judged: {}",
            engine::panic_text(cause.as_ref())
        )))
    })
}

/// The scenarios of a run, and what their journals come to.
fn judged(files: &Files, facts: &Facts) -> Result<Told, Refusal> {
    let inputs = inputs(files, facts)?;
    let loaded = load(&inputs, facts)?;
    let beside = beside(files, facts, &inputs)?;
    let mut runs = Vec::new();
    for (file, ran) in loaded.iter().zip(&facts.runs) {
        let told = match facts.verb.as_str() {
            "simulate" => simulated(file, facts, ran, files),
            _ => run::retold(file, facts, ran, files),
        };
        runs.push(told.map_err(Refusal::pack)?);
    }
    let forced = facts.forced.as_ref().map(|forced| Forced {
        verdict: SuiteVerdict::CouldNotRun,
        why: forced.why.clone(),
    });
    Ok(Told {
        scenarios: loaded,
        runs,
        beside,
        forced,
    })
}

fn tell(files: &Files, facts: &Facts, threads: usize) -> Result<Again, Refusal> {
    let (loaded, suite) = judged(files, facts)?.suite();
    let same = facts.version == env!("CARGO_PKG_VERSION");
    let mut again = Again::default();
    if facts.verb == "simulate" {
        for (file, ran) in loaded.iter().zip(&facts.runs) {
            repeat(file, facts, ran, (files, threads), &mut again).map_err(Refusal::pack)?;
        }
    }
    again.wrong.extend(belongs::check(files, facts));
    let (state, why) = facts::state(facts, files);
    // Of a killed run each journal may have come to its end; no other word is kinder than it.
    if facts.state != state && facts.state != State::Killed {
        let why = format!(
            "it says that the run is {}, and by its journals it is {state}",
            facts.state
        );
        again.wrong.push(Refusal::of(FACTS, why));
    }
    let written = told(&suite, facts.state, &why);
    for name in written.keys() {
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
        (Some(packed), Some(now)) if packed == now && name == VERIFY => {
            let shown = format!("{name} is the one that packs of such runs have");
            again.shown.push(shown);
        }
        (Some(packed), Some(now)) if packed == now => {
            again.shown.push(format!("{name} follows from the journal"));
        }
        (Some(_), Some(_)) if same && name == VERIFY => again.wrong.push(Refusal::of(
            name,
            "it is not the one that packs of such runs have",
        )),
        (Some(_), Some(_)) if same => again.wrong.push(Refusal::of(
            name,
            "it does not follow from the journal: judged again, it is another",
        )),
        (Some(_), _) => again.open.push(format!("{name} could not be compared")),
        (None, _) if name == "verdict.json" || name == VERIFY => {
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

/// The journal of a simulation that was carried out, and what its first record says.
fn recorded_of<'a>(
    ran: &'a RanFacts,
    files: &'a Files,
) -> Result<Option<(&'a str, &'a [u8])>, String> {
    let [attempt] = ran.attempts.as_slice() else {
        return Err(format!("`{}` was not simulated once", ran.scenario));
    };
    let Some(name) = &attempt.journal else {
        return Ok(None);
    };
    let bytes = files
        .get(name)
        .ok_or_else(|| format!("`{name}` is missing"))?;
    Ok(Some((name, bytes)))
}

/// Judges a simulation's journal.
fn simulated(
    file: &ScenarioFile,
    facts: &Facts,
    ran: &RanFacts,
    files: &Files,
) -> Result<Run, String> {
    let Some((name, bytes)) = recorded_of(ran, files)? else {
        let reason = ran.attempts.first().and_then(|a| a.reason.clone());
        return Ok(engine::not_run(file, reason.unwrap_or_default()));
    };
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
    let journal = recorded::read(&plan, bytes).map_err(|why| format!("`{name}`: {why}"))?;
    let warnings = file.warnings.iter().map(engine::in_words).collect();
    let outcome = judge(&plan, &journal, warnings);
    Ok(Run::Judged(Box::new(outcome)))
}

/// Simulates again, and compares.
fn repeat(
    file: &ScenarioFile,
    facts: &Facts,
    ran: &RanFacts,
    (files, threads): (&Files, usize),
    again: &mut Again,
) -> Result<(), String> {
    let Some((name, bytes)) = recorded_of(ran, files)? else {
        return Ok(());
    };
    let head = recorded::head(bytes).ok_or_else(|| format!("`{name}` is no simulation"))?;
    let (_, repeated) = engine::simulate_and_show(file, facts.seed, threads, |plan, journal| {
        recorded::write(plan, journal, &head.version, head.bound.as_ref())
    });
    if repeated.as_deref() == Some(bytes) {
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
    Ok(())
}
