//! `--set path=value`: one value of a file, changed for one run.

use super::cx::Cx;
use super::doc::{self, Doc, Value};
use super::place::Span;
use super::{merge, place, problem::Severity};

/// First words of paths into a scenario.
const SCENARIO: [&str; 14] = [
    "timeline",
    "steady_state",
    "end",
    "settle",
    "start",
    "objectives",
    "stable_for",
    "respond",
    "expect",
    "tags",
    "live",
    "bind",
    "topology",
    "name",
];
/// First words of paths into a topology.
const TOPOLOGY: [&str; 15] = [
    "name",
    "time_zone",
    "holidays",
    "domains",
    "nodes",
    "groups",
    "links",
    "access",
    "services",
    "populations",
    "journeys",
    "objectives",
    "assumed",
    "accepted",
    "contract",
];

/// Applies one setting of the caller to the scenario if its path leads there, else to the topology.
pub(crate) fn apply(cx: &Cx, text: &str, scenario: Option<&mut Doc>, topology: &mut Doc) {
    let whole = whole(cx, "--set", text);
    apply_at(cx, text, whole, scenario, topology);
}

/// Applies one setting of the caller to a document of any kind.
pub(crate) fn apply_anywhere(cx: &Cx, text: &str, doc: &mut Doc) {
    let whole = whole(cx, "--set", text);
    let Some((path, value)) = split(cx, text, whole) else {
        return;
    };
    if let Err(why) = merge::set(doc, path, value) {
        cx.error(whole, format!("`{path}` names nothing"), why);
    }
}

/// Path and value of a setting.
fn split<'a>(cx: &Cx, text: &'a str, whole: Span) -> Option<(&'a str, Doc)> {
    let Some((path, value)) = text.split_once('=') else {
        let help = "for example `timeline.dc.for=4h`";
        cx.error(whole, "a setting is `path=value`", help);
        return None;
    };
    let path = path.trim();
    let column = whole.column + path.chars().count() as u32 + 1;
    Some((path, parse(cx, value, Span { column, ..whole })?))
}

/// As [`apply`], of a setting that stands in a file.
pub(crate) fn apply_at(
    cx: &Cx,
    text: &str,
    whole: Span,
    scenario: Option<&mut Doc>,
    topology: &mut Doc,
) {
    let Some((path, value)) = split(cx, text, whole) else {
        return;
    };
    let first = path.split('.').next().unwrap_or("");
    if let Some(rest) = path.strip_prefix("topology.") {
        if let Err(why) = merge::set(topology, rest, value) {
            cx.error(whole, format!("`{path}` names nothing"), why);
        }
        return;
    }
    let mut why = String::new();
    if let Some(scenario) = scenario
        && SCENARIO.contains(&first)
    {
        match merge::set(scenario, path, value.clone()) {
            Ok(()) => return,
            Err(reason) => why = reason,
        }
    }
    if TOPOLOGY.contains(&first) {
        match merge::set(topology, path, value) {
            Ok(()) => return,
            Err(reason) => why = reason,
        }
    }
    if why.is_empty() {
        why = cx.suggest(first, SCENARIO.into_iter().chain(TOPOLOGY));
    }
    cx.error(whole, format!("`{path}` names nothing"), why);
}

/// A value that the caller states with an option of this name.
pub(crate) fn value_of(cx: &Cx, option: &str, text: &str) -> Option<Doc> {
    parse(cx, text, whole(cx, option, text))
}

/// The place of all that an option says.
fn whole(cx: &Cx, option: &str, text: &str) -> Span {
    Span {
        file: cx.files.borrow_mut().add(option, text),
        line: 1,
        column: 1,
        len: text.chars().count().max(1) as u32,
    }
}

/// The value, with every place in it turned into the place of the setting.
fn parse(cx: &Cx, text: &str, at: Span) -> Option<Doc> {
    if text.trim().is_empty() {
        cx.error(at, "the value is missing", "write `path=null` to delete");
        return None;
    }
    let mut files = place::Files::default();
    match doc::parse(&mut files, "--set", text.as_bytes()) {
        Ok(mut doc) => {
            place(&mut doc, at);
            Some(doc)
        }
        Err(problems) => {
            let what = problems
                .0
                .into_iter()
                .find(|p| p.severity == Severity::Error);
            cx.error(
                at,
                what.map_or_else(|| "no value".to_string(), |p| p.what),
                "",
            );
            None
        }
    }
}

fn place(doc: &mut Doc, at: Span) {
    doc.at = Span {
        len: doc.at.len,
        ..at
    };
    match &mut doc.value {
        Value::List(list) => list.iter_mut().for_each(|d| place(d, at)),
        Value::Map(map) => {
            for entry in map.values_mut() {
                entry.key = at;
                place(&mut entry.value, at);
            }
        }
        _ => {}
    }
}
