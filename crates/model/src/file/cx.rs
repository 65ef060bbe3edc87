//! Walking a document: every getter reports what is wrong and goes on, so that one reading
//! finds every problem.
//!
//! A getter that fails returns `None`, like a field that is absent; the reader then fills in a
//! default. That is safe because a document with an error in it never becomes a topology.

use super::doc::{Doc, Map, Value};
use super::place::{Files, Span};
use super::problem::{Problem, Problems, Severity, did_you_mean};
use assize_fault::{Bandwidth, Nanos, Ppb, Rate, Size};
use indexmap::IndexMap;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// How many entries one list or map of a file may have.
pub(crate) const MAX_ENTRIES: usize = 20_000;
/// The longest duration that a file may state: ten years. Sums of several stay far below the
/// range of the integer that holds them.
pub(crate) const LONGEST: Nanos = Nanos(Nanos::LONGEST.0 / 10);
/// How many problems are reported of one file.
const MAX_PROBLEMS: usize = 200;
/// How many names are compared, over all problems of one file, to suggest near ones.
const MAX_COMPARED: usize = 100_000;

/// What reading a document collects.
#[derive(Debug, Default)]
pub(crate) struct Cx {
    pub files: RefCell<Files>,
    problems: RefCell<Vec<Problem>>,
    failed: Cell<bool>,
    compared: Cell<usize>,
    /// Every field asked for, by the kind of map it stands in; the schema is tested against it.
    pub asked: RefCell<BTreeMap<&'static str, BTreeSet<&'static str>>>,
}

impl Cx {
    pub(crate) fn error(&self, at: Span, what: impl Into<String>, help: impl Into<String>) {
        self.failed.set(true);
        self.report(Severity::Error, at, what.into(), help.into());
    }

    pub(crate) fn warn(&self, at: Span, what: impl Into<String>, help: impl Into<String>) {
        self.report(Severity::Warning, at, what.into(), help.into());
    }

    /// An error about a line that must not be shown, because a secret may stand in it.
    pub(crate) fn error_unseen(&self, at: Span, what: impl Into<String>, help: impl Into<String>) {
        self.error(at, what, help);
        if let Some(problem) = self.problems.borrow_mut().last_mut() {
            problem.source_line = String::new();
        }
    }

    fn report(&self, severity: Severity, at: Span, what: String, help: String) {
        if self.problems.borrow().len() < MAX_PROBLEMS {
            let problem = self.files.borrow().problem(severity, at, what, help);
            self.problems.borrow_mut().push(problem);
        }
    }

    pub(crate) fn extend(&self, problems: Problems) {
        if problems.errors() > 0 {
            self.failed.set(true);
        }
        self.problems.borrow_mut().extend(problems.0);
    }

    /// Whether so much is wrong that looking for more helps nobody.
    pub(crate) fn full(&self) -> bool {
        self.problems.borrow().len() >= MAX_PROBLEMS
    }

    /// Whether any error was reported.
    pub(crate) fn failed(&self) -> bool {
        self.failed.get()
    }

    /// The warnings, or all problems if one of them is an error.
    pub(crate) fn outcome(&self) -> Result<Vec<Problem>, Problems> {
        let mut problems = self.problems.take();
        problems.sort_by_key(|p| (p.file.clone(), p.line, p.column));
        problems.dedup();
        if self.failed() {
            Err(Problems(problems))
        } else {
            Ok(problems)
        }
    }

    /// `did you mean …?`, unless so many names were compared already that it would take long.
    pub(crate) fn suggest<'a>(
        &self,
        wanted: &str,
        names: impl IntoIterator<Item = &'a str> + Clone,
    ) -> String {
        let compared = self.compared.get() + names.clone().into_iter().take(5_000).count();
        self.compared.set(compared);
        if compared > MAX_COMPARED {
            String::new()
        } else {
            did_you_mean(wanted, names)
        }
    }

    /// Reports a value of the wrong kind.
    pub(crate) fn wrong_kind(&self, doc: &Doc, name: &str, wanted: &str) {
        let help = match (wanted, &doc.value) {
            ("a map of names", Value::List(_)) => "write `NAME: …` for each entry, without the `-`",
            ("a map", Value::List(_)) => "write `field: value`, without the `-`",
            ("a map" | "a map of names", Value::Text(_) | Value::Number(_) | Value::Bool(_)) => {
                "write `{field: value}`, or each field on a line of its own, further in"
            }
            (_, Value::Null) => "write a value after the `:`, or remove the field",
            (_, Value::List(_) | Value::Map(_)) => "write one value, without brackets",
            _ => "",
        };
        self.error(
            doc.at,
            format!("`{name}` is {wanted}, not {}", doc.kind()),
            help,
        );
    }

    /// The entries of a map, bounded.
    pub(crate) fn map<'a>(&self, doc: &'a Doc, name: &str, wanted: &str) -> Option<&'a Map> {
        match &doc.value {
            Value::Map(map) if map.len() > MAX_ENTRIES => {
                let what = format!(
                    "`{name}` has {} entries; at most {MAX_ENTRIES} are read",
                    map.len()
                );
                self.error(doc.at, what, "give like elements one class with `count:`");
                None
            }
            Value::Map(map) => Some(map),
            _ => {
                self.wrong_kind(doc, name, wanted);
                None
            }
        }
    }

    /// A scalar as text.
    pub(crate) fn text(&self, doc: &Doc, name: &str) -> Option<String> {
        match doc.scalar() {
            Some(text) => Some(text.to_string()),
            None => {
                self.wrong_kind(doc, name, "text");
                None
            }
        }
    }

    /// A scalar read by `parse`, whose error is a sentence.
    pub(crate) fn parsed<T>(
        &self,
        doc: &Doc,
        name: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Some(text) = doc.scalar() else {
            self.wrong_kind(doc, name, wanted);
            return None;
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(help) => {
                let negative = text.strip_prefix('-').and_then(|t| t.bytes().next());
                let help = match negative {
                    Some(b'0'..=b'9' | b'.') => "it cannot be negative".to_string(),
                    _ => help,
                };
                let shown: String = text.chars().take(60).collect();
                self.error(doc.at, format!("`{name}: {shown}` is not {wanted}"), help);
                None
            }
        }
    }

    pub(crate) fn duration(&self, doc: &Doc, name: &str) -> Option<Nanos> {
        self.parsed(doc, name, "a duration", |text| {
            let bare = text.bytes().all(|b| b.is_ascii_digit());
            match Nanos::parse(text) {
                Ok(value) if value <= LONGEST => Ok(value),
                Ok(_) => Err("a duration in a file is at most 10 years".into()),
                Err(help) if text.starts_with(|c: char| c.is_ascii_digit()) => Err(if bare {
                    format!("{help}; if seconds are meant, `{text}s`")
                } else {
                    help
                }),
                Err(_) => Err("a duration is a number and a unit, such as `90s`, `1h30m`".into()),
            }
        })
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn whole(&self, doc: &Doc, name: &str, least: u64, most: u64) -> Option<u64> {
        self.parsed(doc, name, "a whole number", |text| {
            match text.parse::<u64>() {
                Ok(n) if (least..=most).contains(&n) => Ok(n),
                _ => Err(format!("write a whole number from {least} to {most}")),
            }
        })
    }
}

/// One or several: a list, or the value itself as a list of one.
pub(crate) fn one_or_many(doc: &Doc) -> Vec<&Doc> {
    match &doc.value {
        Value::List(list) => list.iter().collect(),
        Value::Null => Vec::new(),
        _ => vec![doc],
    }
}

/// The fields of one map.
pub(crate) struct Fields<'a> {
    pub cx: &'a Cx,
    pub at: Span,
    map: &'a Map,
    kind: &'static str,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Fields<'a> {
    /// Opens a map of a kind; the kind names it in the schema and in messages.
    pub(crate) fn open(cx: &'a Cx, doc: &'a Doc, kind: &'static str) -> Option<Self> {
        let map = cx.map(doc, kind, "a map")?;
        Some(Self::of(cx, map, doc.at, kind))
    }

    pub(crate) fn of(cx: &'a Cx, map: &'a Map, at: Span, kind: &'static str) -> Self {
        Self {
            cx,
            at,
            map,
            kind,
            asked: RefCell::default(),
        }
    }

    /// The value of a field; `None` if absent or null.
    pub(crate) fn raw(&self, key: &'static str) -> Option<&'a Doc> {
        self.asked.borrow_mut().insert(key);
        self.map.get(key).map(|e| &e.value).filter(|d| !d.is_null())
    }

    /// Whether a field is written at all.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.raw(key).is_some()
    }

    /// Whether a field is written, for keys that have been asked for.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(|e| !e.value.is_null())
    }

    /// The place of a field's key, or of the map.
    pub(crate) fn key(&self, key: &str) -> Span {
        self.map.get(key).map_or(self.at, |e| e.key)
    }

    /// Fields that have a meaning elsewhere: known here, and not read.
    pub(crate) fn ignore(&self, keys: &[&'static str]) {
        self.asked.borrow_mut().extend(keys);
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<String> {
        self.raw(key).and_then(|d| self.cx.text(d, key))
    }

    pub(crate) fn required_text(&self, key: &'static str, help: &str) -> String {
        if !self.has(key) {
            self.cx.error(self.at, format!("`{key}` is missing"), help);
        }
        self.text(key).unwrap_or_default()
    }

    pub(crate) fn duration(&self, key: &'static str) -> Option<Nanos> {
        self.raw(key).and_then(|d| self.cx.duration(d, key))
    }

    pub(crate) fn duration_or(&self, key: &'static str, default: Nanos) -> Nanos {
        self.duration(key).unwrap_or(default)
    }

    /// A duration that something repeats after: at least a millisecond, or a run of days would
    /// never end.
    pub(crate) fn period(&self, key: &'static str) -> Option<Nanos> {
        let doc = self.raw(key)?;
        let value = self.cx.duration(doc, key)?;
        if value < Nanos::millis(1) {
            self.cx
                .error(doc.at, format!("`{key}` is at least 1ms"), "");
            return None;
        }
        Some(value)
    }

    pub(crate) fn share(&self, key: &'static str) -> Option<Ppb> {
        self.raw(key)
            .and_then(|d| self.cx.parsed(d, key, "a share", share))
    }

    pub(crate) fn rate(&self, key: &'static str) -> Option<Rate> {
        self.raw(key)
            .and_then(|d| self.cx.parsed(d, key, "a rate", Rate::parse))
    }

    pub(crate) fn bandwidth(&self, key: &'static str) -> Option<Bandwidth> {
        self.raw(key)
            .and_then(|d| self.cx.parsed(d, key, "a bandwidth", Bandwidth::parse))
    }

    pub(crate) fn size(&self, key: &'static str) -> Option<Size> {
        self.raw(key)
            .and_then(|d| self.cx.parsed(d, key, "a size", Size::parse))
    }

    pub(crate) fn whole(&self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        self.raw(key)
            .and_then(|d| self.cx.whole(d, key, least, most))
    }

    pub(crate) fn flag(&self, key: &'static str) -> Option<bool> {
        let doc = self.raw(key)?;
        match doc.value {
            Value::Bool(b) => Some(b),
            _ => {
                self.cx.wrong_kind(doc, key, "`true` or `false`");
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let doc = self.raw(key)?;
        let names: Vec<&str> = words.iter().map(|&(name, _)| name).collect();
        let text = self.cx.text(doc, key)?;
        let found = words.iter().find(|&&(name, _)| same_word(name, &text));
        if found.is_none() {
            let help = format!("write {}", super::problem::quoted(&names, "or"));
            self.cx
                .error(doc.at, format!("`{key}: {text}` is unknown"), help);
        }
        found.map(|&(_, value)| value)
    }

    /// The entries of a map field with free names, bounded.
    pub(crate) fn entries(&self, key: &'static str) -> Vec<(&'a str, Span, &'a Doc)> {
        let Some(doc) = self.raw(key) else {
            return Vec::new();
        };
        let Some(map) = self.cx.map(doc, key, "a map of names") else {
            return Vec::new();
        };
        // An entry of nothing is one that an overlay deletes; without a base it is just absent.
        let entries = map.iter().filter(|(_, e)| !e.value.is_null());
        entries
            .map(|(k, e)| (k.as_str(), e.key, &e.value))
            .collect()
    }

    /// The entries of a field that is one value or a list, bounded.
    pub(crate) fn list(&self, key: &'static str) -> Vec<&'a Doc> {
        let list = self.raw(key).map(one_or_many).unwrap_or_default();
        if list.len() > MAX_ENTRIES {
            let what = format!(
                "`{key}` has {} entries; at most {MAX_ENTRIES} are read",
                list.len()
            );
            self.cx.error(self.key(key), what, "");
            return Vec::new();
        }
        list
    }

    /// The texts of a field that is one text or a list of them.
    pub(crate) fn texts(&self, key: &'static str) -> Vec<(String, Span)> {
        let list = self.list(key);
        list.into_iter()
            .filter_map(|d| Some((self.cx.text(d, key)?, d.at)))
            .collect()
    }

    /// Whether a field stands here that none of `known` is.
    pub(crate) fn has_other_than(&self, known: &[&str]) -> bool {
        self.map.keys().any(|key| !known.contains(&key.as_str()))
    }

    /// Reports fields that nobody asked for.
    pub(crate) fn finish(self) {
        let asked = self.asked.into_inner();
        for (name, entry) in self.map {
            if asked.contains(name.as_str()) {
                continue;
            }
            if name == "<<" {
                let help = "write the fields out, or let an alias stand for the whole map";
                self.cx
                    .error(entry.key, "`<<` has no meaning in YAML 1.2", help);
                continue;
            }
            let mut help = self
                .cx
                .suggest(name, asked.iter().copied().collect::<Vec<_>>());
            if !help.starts_with("did you mean") {
                // What there is, most wanted first, without what only runs on real systems have.
                let table = super::fields::of(self.kind).iter().map(|f| f.0);
                let known: Vec<_> = table.filter(|key| asked.contains(key)).collect();
                help = super::problem::there_are(&known);
            }
            let what = format!("`{name}` is not a field of {}", with_article(self.kind));
            self.cx.error(entry.key, what, help);
        }
        self.cx
            .asked
            .borrow_mut()
            .entry(self.kind)
            .or_default()
            .extend(asked);
    }
}

/// `a map`, `an objective`.
fn with_article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// A share; a number above one was most likely meant in percent.
fn share(text: &str) -> Result<Ppb, String> {
    Ppb::parse(text).map_err(|help| match Ppb::parse(&format!("{text}%")) {
        Ok(_) if !text.ends_with('%') => format!("a number is from 0 to 1; in percent, `{text}%`"),
        _ => help,
    })
}

/// Whether two words differ at most in `-` and `_`.
pub(crate) fn same_word(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .all(|(x, y)| x == y || (x == b'-' && y == b'_') || (x == b'_' && y == b'-'))
}

/// Names of one kind of thing, in order.
#[derive(Debug)]
pub(crate) struct Names {
    pub what: &'static str,
    list: IndexMap<String, Span>,
}

impl Names {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            what,
            list: IndexMap::new(),
        }
    }

    /// Adds a name and returns its index; of a name that exists, the existing index.
    pub(crate) fn add(&mut self, name: &str, at: Span) -> usize {
        if let Some(index) = self.list.get_index_of(name) {
            return index;
        }
        self.list.insert(name.to_string(), at);
        self.list.len() - 1
    }

    pub(crate) fn get(&self, name: &str) -> Option<usize> {
        self.list.get_index_of(name)
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn place(&self, index: usize) -> Span {
        self.list
            .get_index(index)
            .map_or_else(Span::default, |(_, &at)| at)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.list.keys().map(String::as_str)
    }

    /// The index of a name, or a report that there is none, with the nearest names.
    pub(crate) fn find(&self, cx: &Cx, name: &str, at: Span) -> Option<usize> {
        let found = self.get(name);
        if found.is_none() {
            let shown: String = name.chars().take(60).collect();
            let help = cx.suggest(name, self.iter());
            cx.error(at, format!("no {} is named `{shown}`", self.what), help);
        }
        found
    }
}

/// Whether text may name something: it must not collide with the marks that selectors use.
pub(crate) fn check_name(cx: &Cx, what: &str, name: &str, at: Span) {
    let bad = |c: char| c.is_whitespace() || c.is_control() || "/@*,".contains(c);
    if name.is_empty() || name.len() > 100 || name.chars().any(bad) || name.contains("->") {
        let shown: String = name.chars().take(60).collect();
        cx.error(
            at,
            format!("`{shown}` cannot name a {what}"),
            "a name has 1 to 100 characters, without blanks, `/`, `@`, `*`, `,` and `->`",
        );
    }
}
