//! `assize analyse --timed`: elements that there are once are out for a while in virtual time, one
//! by one and in pairs, and all targets are judged: recovery times, losses and backlogs, not
//! reachability alone.
//!
//! Pairs are many, so no more than `--pairs` are simulated: first those that the sweep lists as
//! minimal violations, then the others in order of elements. Of a pair only those targets are
//! reported that neither of the two misses alone.

use crate::engine::{self, TopologyFile};
use assize_analysis::{Report, Timed, TimedMiss};
use assize_fault::Nanos;
use assize_model::finding::{Finding, Status};
use assize_report::Run;
use std::collections::{BTreeMap, BTreeSet};

/// Targets that are missed, by objective and subject, with what was measured.
type Missed = BTreeMap<(String, String), String>;

/// Simulates outages of this length. One that cannot be aimed, or whose run breaks, is left out
/// and counted, and spoils nothing else.
pub(super) fn run(loaded: &TopologyFile, report: &Report, length: Nanos, pairs: usize) -> Timed {
    let mut timed = Timed {
        length: length.to_string(),
        simulated: 0,
        left_out: 0,
        at_rest: Vec::new(),
        missing: Vec::new(),
        pairs: 0,
        pairs_left_out: 0,
    };
    // What is missed with nothing out is nobody's doing.
    let rest = outage(loaded, &[], length).unwrap_or_default();
    timed.at_rest = words(&rest);
    let mut alone: BTreeMap<&str, Missed> = BTreeMap::new();
    for element in &report.elements {
        let aimed = element.count == 1 && !element.id.contains('@');
        let id = element.id.as_str();
        match aimed.then(|| outage(loaded, &[id], length)).flatten() {
            Some(mut missed) => {
                missed.retain(|key, _| !rest.contains_key(key));
                timed.simulated += 1;
                timed.note(&[id], &missed);
                alone.insert(id, missed);
            }
            None => timed.left_out += 1,
        }
    }
    let (chosen, left_out) = choose(report, &alone, pairs);
    timed.pairs_left_out = left_out;
    for (a, b) in chosen {
        let Some(mut missed) = outage(loaded, &[a, b], length) else {
            timed.pairs_left_out += 1;
            continue;
        };
        timed.pairs += 1;
        let known = |key: &(String, String)| {
            [&rest, &alone[a], &alone[b]]
                .iter()
                .any(|m| m.contains_key(key))
        };
        missed.retain(|key, _| !known(key));
        timed.note(&[a, b], &missed);
    }
    timed
}

/// The pairs to simulate, and how many there are besides.
fn choose<'a>(
    report: &'a Report,
    alone: &BTreeMap<&'a str, Missed>,
    most: usize,
) -> (Vec<(&'a str, &'a str)>, usize) {
    let ids = || report.elements.iter().map(|e| e.id.as_str());
    let ids: Vec<&str> = ids().filter(|id| alone.contains_key(id)).collect();
    let all = ids.len() * ids.len().saturating_sub(1) / 2;
    let minimal = report.sweep.iter().flat_map(|s| &s.minimal);
    let listed = minimal.filter_map(|v| match v.elements.as_slice() {
        [a, b] => Some((a.as_str(), b.as_str())),
        _ => None,
    });
    let listed = listed.filter(|(a, b)| alone.contains_key(a) && alone.contains_key(b));
    let others = ids
        .iter()
        .enumerate()
        .flat_map(|(i, a)| ids[i + 1..].iter().map(|b| (*a, *b)));
    let mut seen = BTreeSet::new();
    let chosen = listed.chain(others).filter(|pair| seen.insert(*pair));
    let chosen: Vec<(&str, &str)> = chosen.take(most).collect();
    let left_out = all - chosen.len();
    (chosen, left_out)
}

/// What is missed while these are out; `None` if that cannot be simulated.
fn outage(loaded: &TopologyFile, ids: &[&str], length: Nanos) -> Option<Missed> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let file = engine::what_if(loaded.clone(), &ids, length, None).ok()?;
    let Run::Judged(outcome) = engine::simulate(&file, 0, 1) else {
        return None;
    };
    let missed = outcome
        .findings
        .iter()
        .filter(|f| f.status == Status::Missed);
    let one = |f: &Finding| {
        let words = format!("{}, wanted {}", f.measured_text, f.target_text);
        ((f.objective.clone(), f.subject.clone()), words)
    };
    Some(missed.map(one).collect())
}

fn words(missed: &Missed) -> Vec<String> {
    let one = |((objective, subject), words): (&(String, String), &String)| {
        format!("{objective} ({subject}): {words}")
    };
    missed.iter().map(one).collect()
}

trait Note {
    fn note(&mut self, ids: &[&str], missed: &Missed);
}

impl Note for Timed {
    fn note(&mut self, ids: &[&str], missed: &Missed) {
        if missed.is_empty() {
            return;
        }
        self.missing.push(TimedMiss {
            elements: ids.iter().map(|id| (*id).to_owned()).collect(),
            missed: words(missed),
        });
    }
}
