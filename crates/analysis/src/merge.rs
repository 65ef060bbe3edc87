//! Joins the parts of a sweep into the report of the whole: the same bytes as one process gives.

use crate::report::{Demand, LikelyFound, LoadFound, Report, Sweep, WorstFound};
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
    let mut sum = Divided::of(&mut whole);
    whole.shard = None;
    let place = places(whole.elements.iter().map(|e| &e.id));
    for mut part in parts {
        let more = Divided::of(&mut part);
        part.shard = None;
        if part != whole {
            return Err(
                "the parts are of different topologies, or were asked different questions"
                    .to_owned(),
            );
        }
        sum.add(more, &place)?;
    }
    for sweep in sum.sweeps() {
        sweep.skipped = sweep.combinations.saturating_sub(sweep.evaluated);
        sweep.minimal.sort_by_key(|v| order(&v.elements, &place));
    }
    sum.give(&mut whole);
    Ok(whole)
}

/// What differs between parts.
struct Divided {
    sweep: Vec<Sweep>,
    demands: Vec<Demand>,
    loads: Vec<LoadFound>,
    /// By probability, in parts.
    violating: u64,
    likely: Option<LikelyFound>,
}

pub(crate) type Places = BTreeMap<String, usize>;

/// The places of elements in a list of their names.
pub(crate) fn places<'a>(names: impl Iterator<Item = &'a String>) -> Places {
    names.enumerate().map(|(i, id)| (id.clone(), i)).collect()
}

impl Divided {
    fn of(part: &mut Report) -> Self {
        Self {
            sweep: std::mem::take(&mut part.sweep),
            demands: std::mem::take(&mut part.demands),
            loads: std::mem::take(&mut part.loads),
            violating: part.likely.as_ref().map_or(0, |l| l.violating_parts),
            likely: part.likely.take(),
        }
    }

    fn give(self, whole: &mut Report) {
        whole.sweep = self.sweep;
        whole.demands = self.demands;
        whole.loads = self.loads;
        let all = |l: LikelyFound| LikelyFound::new(l.k, l.goal, l.unexplored, self.violating);
        whole.likely = self.likely.map(all);
    }

    fn sweeps(&mut self) -> impl Iterator<Item = &mut Sweep> {
        let others = self.demands.iter_mut().flat_map(|d| &mut d.sweep);
        self.sweep.iter_mut().chain(others)
    }

    fn add(&mut self, more: Self, place: &Places) -> Result<(), String> {
        self.sweep = add(std::mem::take(&mut self.sweep), more.sweep)?;
        let bound = |l: &LikelyFound| (l.k, l.goal, l.unexplored);
        if self.likely.as_ref().map(bound) != more.likely.as_ref().map(bound) {
            return Err("the parts have explored different combinations".to_owned());
        }
        self.violating += more.violating;
        let factors = |list: &[Demand]| list.iter().map(|d| d.factor).collect::<Vec<_>>();
        if factors(&self.demands) != factors(&more.demands) {
            return Err("the parts are at different demands".to_owned());
        }
        for (mine, theirs) in self.demands.iter_mut().zip(more.demands) {
            mine.sweep = add(std::mem::take(&mut mine.sweep), theirs.sweep)?;
        }
        let same = |(a, b): (&LoadFound, &LoadFound)| {
            (&a.element, &a.limit, a.at_rest) == (&b.element, &b.limit, b.at_rest)
        };
        let alike = self.loads.len() == more.loads.len();
        if !alike || !self.loads.iter().zip(&more.loads).all(same) {
            return Err("the parts have different links or services".to_owned());
        }
        for (mine, theirs) in self.loads.iter_mut().zip(more.loads) {
            worse(&mut mine.worst, theirs.worst, place);
        }
        Ok(())
    }
}

/// Of each number of failures the worse case; of equals the earlier one in the order of a sweep.
fn worse(mine: &mut Vec<WorstFound>, theirs: Vec<WorstFound>, place: &Places) {
    for their in theirs {
        match mine.iter_mut().find(|m| m.k == their.k) {
            None => mine.push(their),
            Some(my) => {
                let earlier = || order(&their.elements, place) < order(&my.elements, place);
                if their.share > my.share || their.share == my.share && earlier() {
                    *my = their;
                }
            }
        }
    }
    mine.sort_by_key(|m| m.k);
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
        a.overloaded += b.overloaded;
        a.complete &= b.complete;
        a.minimal.extend(b.minimal);
        Ok(a)
    });
    joined.collect()
}

/// How a sweep orders its cases: by element, at different sites before at one.
pub(crate) fn order(elements: &[String], place: &Places) -> (Vec<usize>, bool, Vec<String>) {
    // What is said of a site stands in brackets behind the name.
    let bare = |e: &String| {
        let bare = e.split(" (").next().unwrap_or_default();
        place.get(bare).copied().unwrap_or(usize::MAX)
    };
    let apart = elements.iter().any(|e| e.contains(" ("));
    (
        elements.iter().map(bare).collect(),
        !apart,
        elements.to_vec(),
    )
}
