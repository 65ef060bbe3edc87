//! Joins the parts of a sweep into the report of the whole: the same bytes as one process gives.

use crate::report::{Report, Sweep, Violation};
use std::collections::BTreeMap;

/// Joins parts, in any order. The error says which are missing, twice, or of something else.
pub fn merge(mut parts: Vec<Report>) -> Result<Report, String> {
    parts.sort_by_key(|p| p.shard.map(|s| s.index));
    let of = parts.first().and_then(|p| p.shard).map(|s| s.of);
    let of =
        of.ok_or("a report that is no part of a sweep (`analyse --shard`) cannot be joined")?;
    let mut have = Vec::new();
    for part in &parts {
        match part.shard {
            Some(shard) if shard.of == of => have.push(shard.index),
            Some(shard) => {
                return Err(format!("there are parts of {of} and parts of {}", shard.of));
            }
            None => return Err("one of the reports is no part of a sweep".to_owned()),
        }
    }
    if let Some(twice) = have.windows(2).find(|w| w[0] == w[1]) {
        return Err(format!("part {}/{of} is there twice", twice[0]));
    }
    let missing: Vec<String> = (1..=of)
        .filter(|i| have.binary_search(i).is_err())
        .map(|i| i.to_string())
        .collect();
    if !missing.is_empty() {
        return Err(format!(
            "of {of} parts these are missing: {}",
            missing.join(", ")
        ));
    }
    let mut parts = parts.into_iter();
    let mut whole = parts.next().ok_or("there is nothing to join")?;
    for mut part in parts {
        let sweep = std::mem::take(&mut part.sweep);
        part.shard = whole.shard;
        let so_far = std::mem::take(&mut whole.sweep);
        if part != whole {
            return Err(
                "the parts are of different topologies, or were asked different questions"
                    .to_owned(),
            );
        }
        whole.sweep = add(so_far, sweep)?;
    }
    whole.shard = None;
    let place: BTreeMap<&str, usize> = whole
        .elements
        .iter()
        .enumerate()
        .map(|(i, e)| (e.id.as_str(), i))
        .collect();
    for sweep in &mut whole.sweep {
        sweep.skipped = sweep.combinations.saturating_sub(sweep.evaluated);
        sweep.minimal.sort_by_key(|v| order(v, &place));
    }
    Ok(whole)
}

fn add(whole: Vec<Sweep>, part: Vec<Sweep>) -> Result<Vec<Sweep>, String> {
    if whole.len() != part.len() {
        return Err("the parts go up to different numbers of failures".to_owned());
    }
    let both = whole.into_iter().zip(part);
    let joined = both.map(|(mut a, b)| {
        if (a.k, a.combinations, &a.reasons) != (b.k, b.combinations, &b.reasons) {
            return Err("the parts count different combinations".to_owned());
        }
        a.evaluated += b.evaluated;
        a.violating += b.violating;
        a.complete &= b.complete;
        a.minimal.extend(b.minimal);
        Ok(a)
    });
    joined.collect()
}

/// How a sweep orders its cases: by element, at different sites before at one.
fn order(violation: &Violation, place: &BTreeMap<&str, usize>) -> (Vec<usize>, bool) {
    let bare = |e: &String| {
        place
            .get(e.trim_end_matches(crate::design::ELSEWHERE))
            .copied()
            .unwrap_or(usize::MAX)
    };
    let together = !violation
        .elements
        .iter()
        .any(|e| e.ends_with(crate::design::ELSEWHERE));
    (violation.elements.iter().map(bare).collect(), together)
}
