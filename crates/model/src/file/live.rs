//! The `live:` section of a scenario: what is different when it runs on real sockets.
//!
//! It is an overlay, applied to the document before anything is read, so that a live plan is
//! checked as any other and `simulate` can predict exactly that plan. Without it only its own
//! shape is checked.

use super::cx::{Cx, Fields, Names};
use super::doc::{Doc, Entry, Value};
use super::place::Span;
use super::scenario::{Reader, Tables};
use super::{merge, sets};
use crate::binding::{AbortIf, LivePlan};
use crate::ids::JourneyId;
use crate::topology::Topology;
use assize_fault::Nanos;

/// Fields of a scenario that `live:` may replace as a whole. Of each pair in [`EITHER`] the one
/// that it states displaces the other.
const REPLACED: [&str; 5] = ["start", "steady_state", "end", "settle", "stable_for"];
/// Fields of which a scenario or a fault has one.
const EITHER: [(&str, &str); 2] = [("end", "settle"), ("for", "until")];
/// The most model seconds per wall second.
const MAX_PACE: u64 = 1_000;

/// Applies `live:` to a scenario and its topology.
pub(crate) fn apply(cx: &Cx, scenario: &mut Doc, topology: &mut Doc) {
    let Some(live) = scenario.get("live").cloned() else {
        return;
    };
    let Some(f) = Fields::open(cx, &live, "live plan") else {
        return;
    };
    f.ignore(&["phases", "pace", "abort_if", "shortest_timer"]);
    for (section, list, id, default) in [
        ("faults", "timeline", "id", "fault-"),
        ("steps", "timeline", "id", "step-"),
        ("respond", "respond", "to", ""),
    ] {
        for (name, at, over) in f.entries(section) {
            match entry(scenario, (list, id, default), name) {
                Some(there) => replace(there, over.clone()),
                None => {
                    let what = format!("`{section}` names `{name}`, which is not in `{list}`");
                    cx.error(
                        at,
                        what,
                        "name an entry by its `id`, a response by its fault",
                    );
                }
            }
        }
    }
    let mut over = super::doc::Map::default();
    for key in REPLACED {
        if let Some(doc) = f.raw(key) {
            let key_at = f.key(key);
            let value = doc.clone();
            over.insert(key.to_string(), Entry { key: key_at, value });
        }
    }
    let sets = f.texts("set");
    replace(
        scenario,
        Doc {
            at: live.at,
            value: Value::Map(over),
        },
    );
    for (text, at) in sets {
        sets::apply_at(cx, &text, at, Some(scenario), topology);
    }
}

/// The names that entries of the timeline state.
pub(super) fn timeline_names(scenario: &Doc) -> Vec<String> {
    let entries = match scenario.get("timeline").map(|doc| &doc.value) {
        Some(Value::List(entries)) => entries.as_slice(),
        _ => &[],
    };
    let names = entries.iter().filter_map(|doc| doc.get("id")?.scalar());
    names.map(str::to_string).collect()
}

/// Entries that a variation has taken out of the timeline have no live plan either.
pub(super) fn forget_removed(scenario: &mut Doc, stated: &[String]) {
    let left = timeline_names(scenario);
    let removed: Vec<&String> = stated.iter().filter(|name| !left.contains(name)).collect();
    let Value::Map(map) = &mut scenario.value else {
        return;
    };
    let Some(Value::Map(live)) = map.get_mut("live").map(|entry| &mut entry.value.value) else {
        return;
    };
    for section in ["faults", "steps", "respond"] {
        if let Some(Value::Map(entries)) = live.get_mut(section).map(|e| &mut e.value.value) {
            for name in &removed {
                entries.shift_remove(name.as_str());
            }
        }
    }
}

/// Lays one map over another; what it states displaces the other of a pair.
fn replace(there: &mut Doc, over: Doc) {
    if let (Value::Map(under), Value::Map(top)) = (&mut there.value, &over.value) {
        for (a, b) in EITHER.into_iter().chain(EITHER.map(|(a, b)| (b, a))) {
            if top.contains_key(a) {
                under.shift_remove(b);
            }
        }
        // A settling of another kind is replaced, not merged.
        for key in REPLACED {
            if top.contains_key(key) {
                under.shift_remove(key);
            }
        }
    }
    merge::overlay(there, over);
}

/// The entry of a list that has this name: as stated, or as the reader numbers them.
fn entry<'a>(
    scenario: &'a mut Doc,
    (list, id, default): (&str, &str, &str),
    name: &str,
) -> Option<&'a mut Doc> {
    let Value::Map(map) = &mut scenario.value else {
        return None;
    };
    let Value::List(entries) = &mut map.get_mut(list)?.value.value else {
        return None;
    };
    let mut number = 0;
    entries.iter_mut().find(|doc| {
        let of_kind = (default == "step-") == doc.get("do").is_some();
        if !of_kind {
            return false;
        }
        number += 1;
        match doc.get(id).and_then(Doc::scalar) {
            Some(stated) => stated == name,
            None => !default.is_empty() && format!("{default}{number}") == name,
        }
    })
}

impl Reader<'_> {
    /// What a scenario says about its live run, beside the overlay.
    pub(crate) fn live(&self, f: &Fields<'_>, until_stable: Option<Nanos>) -> LivePlan {
        let mut plan = LivePlan {
            until_stable,
            ..LivePlan::default()
        };
        let Some(live) = f
            .raw("live")
            .and_then(|d| Fields::open(self.cx, d, "live plan"))
        else {
            return plan;
        };
        live.ignore(&["faults", "steps", "respond", "set"]);
        live.ignore(&REPLACED);
        plan.stated = true;
        if let Some(doc) = live.raw("phases") {
            let phases = self.cx.parsed(doc, "phases", "a divisor of 64", |text| {
                let number = text.parse::<u8>().ok();
                number
                    .filter(|n| *n > 0 && 64 % n == 0)
                    .ok_or_else(|| "write 1, 2, 4, 8, 16, 32 or 64".to_string())
            });
            plan.phases = phases.unwrap_or(plan.phases);
        }
        plan.pace = live.whole("pace", 1, MAX_PACE).map(|n| n as u32);
        plan.shortest_timer = live.duration_or("shortest_timer", Nanos::ZERO);
        plan.abort_if = live
            .list("abort_if")
            .into_iter()
            .filter_map(|doc| abort_if(self.cx, &self.tables.journeys, doc))
            .collect();
        for (section, known) in [("faults", true), ("steps", false)] {
            for (name, at, _) in live.entries(section) {
                self.check_named(name, at, known);
            }
        }
        for (name, at, _) in live.entries("respond") {
            self.find_fault(name, at);
        }
        live.finish();
        plan
    }

    fn check_named(&self, name: &str, at: Span, fault: bool) {
        if fault {
            self.find_fault(name, at);
        } else if !self.steps.iter().any(|s| s.id == name) {
            let ids: Vec<&str> = self.steps.iter().map(|s| s.id.as_str()).collect();
            let help = self.cx.suggest(name, ids);
            let what = format!("no step of this scenario is named `{name}`");
            self.cx.error(at, what, help);
        }
    }
}

/// Conditions that the caller states beside those of the file, each as it would stand there:
/// `{journey: page, below: 20%, for: 1m}`, with or without the braces.
pub(super) fn abort_conditions(cx: &Cx, t: &Topology, texts: &[String]) -> Vec<AbortIf> {
    let journeys = Tables::new(t).journeys;
    let condition = |text: &String| {
        let text = text.trim();
        let braced = if text.starts_with('{') {
            text.to_string()
        } else {
            format!("{{{text}}}")
        };
        let doc = sets::value_of(cx, "--abort-if", &braced)?;
        abort_if(cx, &journeys, &doc)
    };
    texts.iter().filter_map(condition).collect()
}

fn abort_if(cx: &Cx, journeys: &Names, doc: &Doc) -> Option<AbortIf> {
    let f = Fields::open(cx, doc, "abort condition")?;
    let name = f.required_text("journey", "the journey that is watched");
    let at = f.raw("journey").map_or(f.at, |d| d.at);
    let below = f.share("below");
    let for_ = f.duration_or("for", Nanos::ZERO);
    if !f.has("below") {
        let help = "the share below which the run is stopped, such as `20%`";
        cx.error(f.at, "`below` is missing", help);
    }
    f.finish();
    let name = name.strip_prefix("journey/").unwrap_or(&name);
    if name.is_empty() {
        return None;
    }
    let journey = journeys.find(cx, name, at)?;
    Some(AbortIf {
        journey: JourneyId::from(journey),
        below: below?,
        for_,
    })
}
