//! A YAML (or JSON) document as a tree in which every node knows its place.
//!
//! Built from the events of `granit-parser` with a budget for bytes, depth, nodes and text, so
//! that no input costs more than a bounded amount of memory and time. It knows nothing of what
//! the document means.

use super::place::{Files, Span};
use super::problem::{Problems, Severity};
use granit_parser::{Event, Parser, ScalarStyle, Span as Place};
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 16 << 20;
/// How deep lists and maps may be nested.
pub const MAX_DEPTH: usize = 48;
/// How many values a file may hold after its aliases are expanded.
pub const MAX_NODES: usize = 400_000;
/// How many bytes of text a file may hold after its aliases are expanded.
const MAX_TEXT: usize = 32 << 20;

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Doc {
    pub at: Span,
    pub value: Value,
}

/// What a node holds. Numbers keep their text, so that nothing is rounded.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Doc>),
    Map(Map),
}

/// A map in file order.
pub(crate) type Map = IndexMap<String, Entry>;

/// A key's place and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: Span,
    pub value: Doc,
}

impl Doc {
    /// What kind of value this is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The text of a scalar.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(t) | Value::Number(t) => Some(t),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }

    pub(crate) fn map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.get(key).map(|e| &e.value)
    }

    /// JSON with sorted keys; the same for two files that say the same.
    pub(crate) fn canonical(&self) -> serde_json::Value {
        use serde_json::Value as J;
        match &self.value {
            Value::Null => J::Null,
            Value::Bool(b) => J::Bool(*b),
            Value::Number(t) | Value::Text(t) => J::String(t.clone()),
            Value::List(list) => J::Array(list.iter().map(Self::canonical).collect()),
            Value::Map(map) => {
                let sorted: BTreeMap<&String, &Entry> = map.iter().collect();
                J::Object(
                    sorted
                        .into_iter()
                        .map(|(k, e)| (k.clone(), e.value.canonical()))
                        .collect(),
                )
            }
        }
    }
}

/// Reads one document.
///
/// # Errors
/// What keeps the text from being a document, with its place.
pub(crate) fn parse(files: &mut Files, name: &str, bytes: &[u8]) -> Result<Doc, Problems> {
    if bytes.len() > MAX_BYTES {
        let what = format!(
            "the file has {} bytes; at most {MAX_BYTES} are read",
            bytes.len()
        );
        return Err(Problems::of_file(name, what, "split it with `include:`"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let line = good.matches('\n').count() as u32 + 1;
            let column = good.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
            let file = files.add(name, &good);
            let at = Span {
                file,
                line,
                column,
                len: 1,
            };
            let what = "the file is not UTF-8 text from here on".to_string();
            let help = "save it as UTF-8".to_string();
            return Err(Problems(vec![files.problem(
                Severity::Error,
                at,
                what,
                help,
            )]));
        }
    };
    // Some editors begin a file with a mark of its byte order, which is no part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file = files.add(name, text);
    Builder::new(file).build(text).map_err(|wrong| {
        let Wrong { at, what, help } = *wrong;
        Problems(vec![files.problem(Severity::Error, at, what, help)])
    })
}

struct Wrong {
    at: Span,
    what: String,
    help: String,
}

fn wrong<T>(at: Span, what: impl Into<String>, help: impl Into<String>) -> Result<T, Box<Wrong>> {
    Err(Box::new(Wrong {
        at,
        what: what.into(),
        help: help.into(),
    }))
}

/// A list or map that is not complete yet.
enum Open {
    List(Vec<Doc>),
    Map(Map, Option<(String, Span)>),
}

/// A complete node that an alias may repeat, and what repeating it costs.
struct Anchored {
    doc: Doc,
    cost: Cost,
}

#[derive(Clone, Copy, Default)]
struct Cost {
    nodes: usize,
    text: usize,
    depth: usize,
}

struct Frame {
    open: Open,
    at: Span,
    anchor: usize,
    cost: Cost,
}

struct Builder {
    file: u16,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Anchored>,
    total: Cost,
    root: Option<Doc>,
}

impl Builder {
    fn new(file: u16) -> Self {
        Self {
            file,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            total: Cost::default(),
            root: None,
        }
    }

    fn span(&self, place: Place) -> Span {
        let (start, end) = (place.start, place.end);
        let len = if start.line() == end.line() {
            end.index().saturating_sub(start.index()).max(1)
        } else {
            // Only the first line of what spans several is underlined; printing clips it.
            1_000
        };
        Span {
            file: self.file,
            line: start.line() as u32,
            column: start.col() as u32 + 1,
            len: len as u32,
        }
    }

    fn build(mut self, text: &str) -> Result<Doc, Box<Wrong>> {
        let start = Span {
            file: self.file,
            line: 1,
            column: 1,
            len: 1,
        };
        for next in Parser::new_from_str(text) {
            let (event, place) = match next {
                Ok(next) => next,
                Err(error) => {
                    let mark = *error.marker();
                    let line = (mark.line() as u32).max(1);
                    let at = Span {
                        file: self.file,
                        line,
                        column: mark.col() as u32 + 1,
                        len: 1,
                    };
                    let what = format!("this is not YAML: {}", error.kind());
                    let help = remedy(&what);
                    return wrong(at, what, help);
                }
            };
            let at = self.span(place);
            self.event(event, at)?;
        }
        match self.root {
            Some(root) => Ok(root),
            None => wrong(
                start,
                "the file is empty",
                "begin with `assize: scenario/v1`, or with `assize: topology/v1`; `assize init` writes an example",
            ),
        }
    }

    fn event(&mut self, event: Event<'_>, at: Span) -> Result<(), Box<Wrong>> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                wrong(at, "a file holds one document", "remove the second `---`")
            }
            Event::Scalar(text, style, anchor, tag) => {
                let as_text = match &tag {
                    None => false,
                    Some(tag) if tag.core_suffix() == Some("str") => true,
                    Some(tag) => return no_tags(at, &tag.original()),
                };
                self.scalar(&text, style == ScalarStyle::Plain && !as_text, at, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                if let Some(tag) = tag {
                    return no_tags(at, &tag.original());
                }
                self.open(Open::List(Vec::new()), at, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                if let Some(tag) = tag {
                    return no_tags(at, &tag.original());
                }
                self.open(Open::Map(Map::new(), None), at, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(id) => self.alias(id, at),
            _ => Ok(()),
        }
    }

    fn charge(&mut self, cost: Cost, at: Span) -> Result<(), Box<Wrong>> {
        self.total.nodes += cost.nodes;
        self.total.text += cost.text;
        if self.total.nodes > MAX_NODES {
            let what = format!("the file holds more than {MAX_NODES} values");
            return wrong(
                at,
                what,
                "give like sites one class with `count:`; aliases count each time",
            );
        }
        if self.total.text > MAX_TEXT {
            let what = format!("the file holds more than {MAX_TEXT} bytes of text");
            return wrong(at, what, "aliases count each time that they are used");
        }
        if self.stack.len() + cost.depth > MAX_DEPTH {
            let what = format!("lists and maps are nested more than {MAX_DEPTH} deep");
            return wrong(
                at,
                what,
                "no field needs that; look for a bracket that is not closed",
            );
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        plain: bool,
        at: Span,
        anchor: usize,
    ) -> Result<(), Box<Wrong>> {
        let cost = Cost {
            nodes: 1,
            text: text.len(),
            depth: 0,
        };
        self.charge(cost, at)?;
        let value = if plain {
            plain_value(text)
        } else {
            Value::Text(text.to_string())
        };
        if let Some(Frame {
            open: Open::Map(_, key @ None),
            ..
        }) = self.stack.last_mut()
        {
            *key = Some((text.to_string(), at));
            return Ok(());
        }
        self.complete(Doc { at, value }, anchor, cost)
    }

    fn open(&mut self, open: Open, at: Span, anchor: usize) -> Result<(), Box<Wrong>> {
        let cost = Cost {
            nodes: 1,
            text: 0,
            depth: 1,
        };
        self.charge(cost, at)?;
        if let Some(Frame {
            open: Open::Map(_, None),
            ..
        }) = self.stack.last()
        {
            return wrong(at, "a key is text, not a list or a map", KEY_HELP);
        }
        self.stack.push(Frame {
            open,
            at: Span { len: 1, ..at },
            anchor,
            cost,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Box<Wrong>> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let value = match frame.open {
            Open::List(list) => Value::List(list),
            Open::Map(map, _) => Value::Map(map),
        };
        self.complete(
            Doc {
                at: frame.at,
                value,
            },
            frame.anchor,
            frame.cost,
        )
    }

    fn alias(&mut self, id: usize, at: Span) -> Result<(), Box<Wrong>> {
        let Some(anchored) = self.anchors.get(&id) else {
            return wrong(
                at,
                "this alias repeats something that contains it",
                "write out what is meant",
            );
        };
        // The cost is charged before anything is copied: a bomb is refused, not built.
        let cost = anchored.cost;
        self.charge(cost, at)?;
        let Some(doc) = self.anchors.get(&id).map(|a| a.doc.clone()) else {
            return Ok(());
        };
        if let Some(Frame {
            open: Open::Map(_, key @ None),
            ..
        }) = self.stack.last_mut()
        {
            let Some(text) = doc.scalar() else {
                return wrong(at, "a key is text, not a list or a map", KEY_HELP);
            };
            *key = Some((text.to_string(), at));
            return Ok(());
        }
        self.complete(doc, 0, cost)
    }

    /// Puts a complete node where it belongs.
    fn complete(&mut self, doc: Doc, anchor: usize, cost: Cost) -> Result<(), Box<Wrong>> {
        if anchor != 0 {
            // Kept apart, and therefore charged apart.
            self.charge(Cost { depth: 0, ..cost }, doc.at)?;
            self.anchors.insert(
                anchor,
                Anchored {
                    doc: doc.clone(),
                    cost,
                },
            );
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(doc);
            return Ok(());
        };
        frame.cost.nodes += cost.nodes;
        frame.cost.text += cost.text;
        frame.cost.depth = frame.cost.depth.max(cost.depth + 1);
        match &mut frame.open {
            Open::List(list) => list.push(doc),
            Open::Map(map, key) => {
                let Some((name, key)) = key.take() else {
                    return Ok(());
                };
                if let Some(first) = map.get(&name) {
                    let what = format!("`{name}` is given twice in one map");
                    let help = format!("the first is on line {}", first.key.line);
                    return wrong(key, what, help);
                }
                map.insert(name, Entry { key, value: doc });
            }
        }
        Ok(())
    }
}

const KEY_HELP: &str = "write `name: value`; a text with brackets in it stands in quotes";

/// What to do about text that is no YAML, by what the parser says of it.
fn remedy(what: &str) -> &'static str {
    let says = |part: &str| what.contains(part);
    if says("tab") {
        "indent with blanks, not with tabs"
    } else if says("mapping values are not allowed") {
        "a `:` is followed by a blank, and a text with `: ` in it stands in quotes; the slip may be on the line before"
    } else if says("did not find expected key") || says("indent") {
        "what belongs together begins in the same column; look at this line and the one before"
    } else if says("expected ':'") {
        "a field is written `name: value`"
    } else if says("']'") || says("'}'") || says("bracket") || says("recursion") {
        "a `{` or `[` is not closed, or a comma is missing; look at this line and those before"
    } else {
        "look at the indentation, the quotes and the brackets, here and on the line before"
    }
}

fn no_tags<T>(at: Span, tag: &str) -> Result<T, Box<Wrong>> {
    wrong(at, format!("`{tag}` has no meaning here"), "remove the tag")
}

/// YAML 1.2 core schema, as far as it is needed: everything else is text.
fn plain_value(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_string()),
        _ => Value::Text(text.to_string()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(fraction)
}
