//! Figures that a topology calls assumed, one by one, so that each can be tried at other values.

use super::doc::{Doc, Value};
use super::{Cx, LoadOptions, Problems, Source, merge, sets};
use std::path::Path;

/// A figure under a path of `assumed:`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Figure {
    /// Its path, as `--set` takes it.
    pub path: String,
    /// As the file writes it: a number, and a unit perhaps.
    pub text: String,
}

impl Figure {
    /// The same at so many thousandths, whole numbers whole and at least 1.
    #[must_use]
    pub fn times(&self, thousandths: u64) -> String {
        let (number, unit) = split(&self.text).unwrap_or((&self.text, ""));
        let value = number.parse::<f64>().unwrap_or(0.0) * thousandths as f64 / 1000.0;
        if unit.is_empty() && !number.contains('.') {
            return format!("{}", value.round().max(1.0));
        }
        let text = format!("{value:.6}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        format!("{text}{unit}")
    }
}

/// A number and what follows it, if the text is that and nothing else.
fn split(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let one_point =
        number.matches('.').count() <= 1 && number.starts_with(|c: char| c.is_ascii_digit());
    let is_unit = |c: char| c.is_alphabetic() || "%/".contains(c);
    (one_point && unit.chars().all(is_unit)).then_some((number, unit))
}

/// The figures of a topology under the paths that it calls assumed, in order of path.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn assumed_figures(
    source: &dyn Source,
    path: &Path,
    options: &LoadOptions,
) -> Result<Vec<Figure>, Problems> {
    let cx = Cx::default();
    let mut doc = merge::load(&cx, source, path)?;
    for set in &options.sets {
        sets::apply(&cx, set, None, &mut doc);
    }
    let mut found = Vec::new();
    if let Some(Value::Map(assumed)) = doc.get("assumed").map(|d| &d.value) {
        for path in assumed.keys() {
            if let Ok(node) = merge::lookup(&doc, path) {
                collect(node, path, &mut found);
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn collect(node: &Doc, path: &str, found: &mut Vec<Figure>) {
    match &node.value {
        Value::Number(text) | Value::Text(text) => {
            if split(text).is_some_and(|(number, _)| number.parse::<f64>().is_ok_and(|v| v > 0.0)) {
                found.push(Figure {
                    path: path.to_owned(),
                    text: text.clone(),
                });
            }
        }
        Value::Map(map) => {
            for (key, entry) in map {
                collect(&entry.value, &format!("{path}.{key}"), found);
            }
        }
        Value::List(list) => {
            for (index, item) in list.iter().enumerate() {
                collect(item, &format!("{path}.{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::MemorySource;

    #[test]
    fn figures_below_assumed_paths_are_found_and_varied() {
        let text = "assize: topology/v1\nname: t\nnodes: {s: {kind: site, count: 3}, r: {kind: host}}\n\
            links: {l: {between: [s, r], latency: 12ms, bandwidth: 1.5Gbit/s}}\n\
            assumed: {links.l: guess, nodes.s.count: guess}\n";
        let source = MemorySource::new([("t.yaml", text)]);
        let found = assumed_figures(&source, Path::new("t.yaml"), &LoadOptions::default());
        let found = found.expect("it is read");
        let texts: Vec<String> = found
            .iter()
            .map(|f| format!("{}={} {}", f.path, f.times(500), f.times(2000)))
            .collect();
        assert_eq!(
            texts,
            [
                "links.l.bandwidth=0.75Gbit/s 3Gbit/s",
                "links.l.latency=6ms 24ms",
                "nodes.s.count=2 6"
            ]
        );
    }

    #[test]
    fn times_of_day_dates_and_names_are_no_figures() {
        for text in ["09:00", "2027-03-31", "a1", "1.2.3", "Mon-Fri 08:00-18:00"] {
            assert_eq!(split(text), None, "{text}");
        }
        assert_eq!(split("12.5%"), Some(("12.5", "%")));
    }
}
