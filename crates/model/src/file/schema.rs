//! JSON Schema and reference of the files, both made from the one table of fields.
//!
//! The schema helps an editor; it is looser than the readers, which also check references and
//! sense.

use super::Kind;
use super::fields::{KINDS, of};
use serde_json::{Map, Value, json};

/// The JSON Schema (2020-12) of a kind of file.
#[must_use]
pub fn schema(kind: Kind) -> Value {
    let (name, assize) = match kind {
        Kind::Topology => ("topology", "topology/v1"),
        Kind::Scenario => ("scenario", "scenario/v1"),
        Kind::Part => ("topology", "part/v1"),
        Kind::Expect => ("expectation file", "expect/v1"),
        Kind::Bindings => ("bindings", "bindings/v1"),
        Kind::Contract => ("contract", "contract/v1"),
        Kind::Record => ("drill record", "record/v1"),
    };
    let mut root = object(name);
    if let Some(line) = root.pointer_mut("/properties/assize") {
        *line = json!({"const": assize, "description": "What the file is. The first line."});
    }
    let mut defs = Map::new();
    for (name, _, _) in KINDS {
        defs.insert(slug(name), object(name));
    }
    if let Value::Object(root) = &mut root {
        root.insert(
            "$schema".into(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        root.insert("title".into(), json!(format!("assize: {assize}")));
        root.insert("required".into(), json!(["assize"]));
        root.insert("$defs".into(), Value::Object(defs));
    }
    root
}

/// The reference of every field, in Markdown: `docs/FILES.md`.
#[must_use]
pub fn reference() -> String {
    let mut text = include_str!("reference.md").to_string();
    for (name, about, fields) in KINDS {
        text += &format!(
            "\n## {}{}\n\n{about}\n",
            name[..1].to_uppercase(),
            &name[1..]
        );
        text += "\n| field | value | meaning |\n| --- | --- | --- |\n";
        for (key, value, meaning) in *fields {
            let value = words(value).replace('|', "\\|");
            text += &format!("| `{key}` | {value} | {} |\n", meaning.replace('|', "\\|"));
        }
    }
    text
}

fn slug(name: &str) -> String {
    name.replace(' ', "-")
}

fn object(kind: &str) -> Value {
    let mut properties = Map::new();
    for (key, value, meaning) in of(kind) {
        let mut schema = value_schema(value);
        if let Value::Object(map) = &mut schema {
            map.insert("description".into(), json!(meaning));
        }
        properties.insert((*key).to_string(), schema);
    }
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn value_schema(value: &str) -> Value {
    let value = unwrapped(value);
    let alternatives = split(value);
    if alternatives.len() > 1 {
        let all: Vec<Value> = alternatives.into_iter().map(value_schema).collect();
        return json!({"anyOf": all});
    }
    if let Some(words) = value
        .strip_prefix("word(")
        .and_then(|v| v.strip_suffix(')'))
    {
        let words: Vec<&str> = words.split('|').collect();
        return json!({"enum": words});
    }
    if let Some(inner) = value.strip_prefix("map:") {
        let entry = value_schema(inner);
        // In a file that lies over another, `null` deletes.
        return json!({"type": "object", "additionalProperties": {"anyOf": [entry, {"type": "null"}]}});
    }
    if let Some(inner) = value.strip_prefix("list:") {
        return json!({"type": "array", "items": value_schema(inner)});
    }
    let value = value.strip_prefix("one:").unwrap_or(value);
    match value {
        "any" => json!({}),
        "flag" => json!({"type": "boolean"}),
        "whole" => json!({"type": "integer", "minimum": 0}),
        "number" => json!({"type": "number", "minimum": 0}),
        "count" => json!({"anyOf": [{"type": "integer", "minimum": 0}, {"const": "all"}]}),
        "names" => {
            json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
        }
        "duration" | "instant" => json!({"type": ["string", "integer"]}),
        "share" => json!({"type": ["string", "number"]}),
        "name" | "rate" | "bandwidth" | "size" => json!({"type": "string"}),
        "text" => json!({"type": ["string", "number", "boolean"]}),
        kind => json!({"$ref": format!("#/$defs/{}", slug(kind))}),
    }
}

/// Alternatives, but not the `/` inside words such as `word(topology/v1|part/v1)`.
fn split(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut first) = (0_u32, 0);
    for (i, c) in value.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => {
                parts.push(&value[first..i]);
                first = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&value[first..]);
    parts
}

/// What stands in brackets: alternatives of the entries of a list or map.
fn unwrapped(value: &str) -> &str {
    let inner = value.strip_prefix('(').and_then(|v| v.strip_suffix(')'));
    inner.unwrap_or(value)
}

/// A value in words, for the reference.
fn words(value: &str) -> String {
    let one = |value: &str| -> String {
        if value.starts_with('(') {
            return words(unwrapped(value)).replace("; or ", " or ");
        }
        if let Some(words) = value
            .strip_prefix("word(")
            .and_then(|v| v.strip_suffix(')'))
        {
            let words: Vec<String> = words.split('|').map(|w| format!("`{w}`")).collect();
            return words.join(", ");
        }
        if let Some(rest) = value.strip_prefix("map:") {
            return format!("name → {}", words(rest));
        }
        if let Some(rest) = value.strip_prefix("list:") {
            return format!("list of {}", words(rest));
        }
        let value = value.strip_prefix("one:").unwrap_or(value);
        match value {
            "names" => "name or list of names".to_string(),
            "whole" => "whole number".to_string(),
            "flag" => "`true` or `false`".to_string(),
            "any" => "see right".to_string(),
            "count" => "count or `all`".to_string(),
            kind if !of(kind).is_empty() => format!("[{kind}](#{})", slug(kind)),
            other => other.to_string(),
        }
    };
    split(value)
        .into_iter()
        .map(one)
        .collect::<Vec<_>>()
        .join("; or ")
}
