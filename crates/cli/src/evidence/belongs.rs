//! Whether a pack has what its run has, and nothing else: a file that nothing follows from would
//! be believed because it lies in a sealed pack.

use super::BASELINE;
use super::build::{ANALYSIS, PLAN, RECORD, REGISTER, REPORTS, VERIFY};
use super::facts::{FACTS, Facts};
use assize_evidence::sums::SUMS;
use assize_evidence::{Files, Refusal, sha256};
use std::collections::{BTreeMap, BTreeSet};

/// All that has no place in a pack of such a run, or stands in it for two things.
pub(super) fn check(files: &Files, facts: &Facts) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    let mut known: BTreeSet<&str> = REPORTS.iter().map(|(name, _)| *name).collect();
    known.extend([
        VERIFY, FACTS, BASELINE, RECORD, ANALYSIS, PLAN, REGISTER, SUMS,
    ]);
    let mut paths = BTreeSet::new();
    for input in &facts.inputs {
        if !paths.insert(&input.path) || !known.insert(&input.file) {
            let why = "two inputs stand for one, so that one could be shown and another be judged";
            wrong.push(Refusal::of(&input.file, why));
        }
    }
    let journals = facts.runs.iter().flat_map(|ran| &ran.attempts);
    let journals: Vec<&String> = journals.filter_map(|one| one.journal.as_ref()).collect();
    let mut same: BTreeMap<String, &String> = BTreeMap::new();
    for name in &journals {
        if !known.insert(name) {
            wrong.push(Refusal::of(name, "two runs are told from it"));
        }
        // A live run has its time in its first record, a simulation its scenario.
        let digest = files.get(*name).map(|bytes| sha256(bytes));
        if let Some(other) = digest.and_then(|digest| same.insert(digest, name))
            && other != *name
        {
            let why = format!("it is `{other}` once more: one run is told as two");
            wrong.push(Refusal::of(name, why));
        }
    }
    let chains: Vec<String> = journals
        .iter()
        .map(|name| format!("{}.chain", name.strip_suffix(".jsonl").unwrap_or(name)))
        .collect();
    known.extend(chains.iter().map(String::as_str));
    let seals = |name: &str| name.starts_with("attestations/") || name.starts_with("stamps/");
    let strange = files
        .keys()
        .filter(|name| !known.contains(name.as_str()) && !seals(name));
    wrong.extend(strange.map(|name| {
        Refusal::of(
            name,
            "nothing that was run has it: it has no place in this pack",
        )
    }));
    wrong
}
