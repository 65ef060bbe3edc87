//! Putting a document together: files that include others, and single values set from outside.
//!
//! Maps merge, lists and scalars replace, `null` deletes. A node keeps the place of the file that
//! wrote it, so a problem in an included file is shown there. Nothing outside the folder of the
//! first file is read.

use super::Source;
use super::cx::Cx;
use super::doc::{self, Doc, Entry, Map, Value};
use super::place::Span;
use super::problem::{Problems, did_you_mean};
use std::path::{Component, Path, PathBuf};

/// How many files one document may be put together from.
const MAX_FILES: usize = 64;
/// How many values all files of one document may hold together.
const MAX_TOTAL: usize = 2 * doc::MAX_NODES;

/// Removes `.` and `x/..` without asking the file system.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The folder of a file; empty for the working directory.
pub(crate) fn folder(path: &Path) -> PathBuf {
    tidy(path.parent().unwrap_or(Path::new("")))
}

/// A file named in another one: inside `root`, or nothing.
pub(crate) fn inside(root: &Path, from: &Path, name: &str) -> Option<PathBuf> {
    let named = Path::new(name);
    // A drive or a root is absolute on some systems only; both are refused on all.
    let relative = named.components().all(|c| {
        matches!(
            c,
            Component::Normal(_) | Component::CurDir | Component::ParentDir
        )
    });
    if !relative || name.contains(':') || name.contains('\\') || name.contains('\0') {
        return None;
    }
    let path = tidy(&from.join(named));
    let rest = if root.as_os_str().is_empty() {
        Some(path.as_path())
    } else {
        path.strip_prefix(root).ok()
    };
    let stays = rest.is_some_and(|r| r.components().all(|c| matches!(c, Component::Normal(_))));
    stays.then_some(path)
}

/// Reads and parses one file.
pub(crate) fn read(cx: &Cx, source: &dyn Source, path: &Path) -> Result<Doc, Problems> {
    let name = path.display().to_string();
    let bytes = source
        .read(path)
        .map_err(|error| Problems::of_file(&name, format!("cannot read the file: {error}"), ""))?;
    doc::parse(&mut cx.files.borrow_mut(), &name, &bytes)
}

/// Reads a file with all that it includes. Problems with included files are reported to `cx`;
/// the document then lacks what they would have given.
pub(crate) fn load(cx: &Cx, source: &dyn Source, path: &Path) -> Result<Doc, Problems> {
    let first = read(cx, source, path)?;
    Ok(including(cx, source, path, first))
}

/// Replaces the `include:` of a document by what it names.
pub(crate) fn including(cx: &Cx, source: &dyn Source, path: &Path, doc: Doc) -> Doc {
    let mut loader = Loader {
        cx,
        source,
        root: folder(path),
        files: 1,
        nodes: count(&doc),
    };
    let mut chain = vec![tidy(path)];
    loader.expand(doc, &mut chain)
}

struct Loader<'a> {
    cx: &'a Cx,
    source: &'a dyn Source,
    root: PathBuf,
    files: usize,
    nodes: usize,
}

impl Loader<'_> {
    fn expand(&mut self, mut doc: Doc, chain: &mut Vec<PathBuf>) -> Doc {
        let Value::Map(map) = &mut doc.value else {
            return doc;
        };
        let Some(include) = map.shift_remove("include") else {
            return doc;
        };
        let mut base: Option<Doc> = None;
        for item in super::cx::one_or_many(&include.value) {
            let Some(name) = self.cx.text(item, "include") else {
                continue;
            };
            let Some(part) = self.include(&name, item.at, chain) else {
                continue;
            };
            match &mut base {
                None => base = Some(part),
                Some(base) => overlay(base, part),
            }
        }
        let Some(mut merged) = base else { return doc };
        merged.at = doc.at;
        overlay(&mut merged, doc);
        merged
    }

    fn include(&mut self, name: &str, at: Span, chain: &mut Vec<PathBuf>) -> Option<Doc> {
        let from = chain.last().map(|p| folder(p)).unwrap_or_default();
        let Some(path) = inside(&self.root, &from, name) else {
            let what = format!("`{name}` is outside the folder of the first file");
            self.cx.error(
                at,
                what,
                "included files stand in the same folder, or below it",
            );
            return None;
        };
        if chain.contains(&path) {
            let what = format!("`{name}` includes itself");
            self.cx
                .error(at, what, "remove one of the `include:` lines of the circle");
            return None;
        }
        self.files += 1;
        if self.files > MAX_FILES {
            let what = format!("more than {MAX_FILES} files are included");
            self.cx.error(at, what, "");
            return None;
        }
        let doc = match read(self.cx, self.source, &path) {
            Ok(doc) => doc,
            Err(problems) if problems.0.iter().all(|p| p.line == 0) => {
                let what = problems
                    .0
                    .first()
                    .map(|p| p.what.clone())
                    .unwrap_or_default();
                self.cx.error(at, format!("`{name}`: {what}"), "");
                return None;
            }
            Err(problems) => {
                self.cx.extend(problems);
                return None;
            }
        };
        self.nodes += count(&doc);
        if self.nodes > MAX_TOTAL {
            self.cx.error(
                at,
                format!("the files together hold more than {MAX_TOTAL} values"),
                "",
            );
            return None;
        }
        self.check_part(&doc, name, at);
        chain.push(path);
        let doc = self.expand(doc, chain);
        chain.pop();
        Some(doc)
    }

    fn check_part(&self, doc: &Doc, name: &str, at: Span) {
        let kind = doc.get("assize").and_then(Doc::scalar);
        if !matches!(kind, Some("part/v1" | "topology/v1")) {
            let what = format!("`{name}` is neither a part nor a topology");
            self.cx
                .error(at, what, "its first line is `assize: part/v1`");
        }
    }
}

fn count(doc: &Doc) -> usize {
    1 + match &doc.value {
        Value::List(list) => list.iter().map(count).sum(),
        Value::Map(map) => map.values().map(|e| count(&e.value)).sum(),
        _ => 0,
    }
}

/// Lays `top` over `base`.
pub(crate) fn overlay(base: &mut Doc, top: Doc) {
    let Doc { at, value } = top;
    match (&mut base.value, value) {
        (Value::Map(under), Value::Map(over)) => {
            for (name, entry) in over {
                overlay_entry(under, name, entry);
            }
        }
        (_, value) => *base = Doc { at, value },
    }
}

fn overlay_entry(under: &mut Map, name: String, entry: Entry) {
    if entry.value.is_null() {
        under.shift_remove(&name);
        return;
    }
    match under.get_mut(&name) {
        Some(there) => {
            there.key = entry.key;
            overlay(&mut there.value, entry.value);
        }
        None => {
            under.insert(name, entry);
        }
    }
}

/// Sets `path` to `value` in a document; `null` deletes.
///
/// # Errors
/// Which part of the path names nothing, with the nearest names there.
pub(crate) fn set(doc: &mut Doc, path: &str, value: Doc) -> Result<(), String> {
    let parts: Vec<&str> = path.split('.').collect();
    let Some((last, parents)) = parts.split_last() else {
        return Err("a path is missing".into());
    };
    let mut node = doc;
    for part in parents {
        node = child(node, part)?;
    }
    match &mut node.value {
        Value::Map(map) if value.is_null() => match map.shift_remove(*last) {
            Some(_) => Ok(()),
            None => Err(unknown(last, map.keys().map(String::as_str))),
        },
        Value::Map(map) => {
            let key = map.get(*last).map_or(value.at, |e| e.key);
            map.insert((*last).to_string(), Entry { key, value });
            Ok(())
        }
        Value::List(list) => {
            let index = position(list, last)?;
            if value.is_null() {
                list.remove(index);
            } else if let Some(there) = list.get_mut(index) {
                *there = value;
            }
            Ok(())
        }
        _ => Err(format!("`{last}` is not inside a list or a map")),
    }
}

/// The node at a path.
///
/// # Errors
/// As [`set`].
pub(crate) fn lookup<'a>(doc: &'a Doc, path: &str) -> Result<&'a Doc, String> {
    let mut node = doc;
    for part in path.split('.') {
        node = match &node.value {
            Value::Map(map) => match map.get(part) {
                Some(entry) => &entry.value,
                None => return Err(unknown(part, map.keys().map(String::as_str))),
            },
            Value::List(list) => &list[position(list, part)?],
            _ => return Err(format!("there is nothing below `{part}`")),
        };
    }
    Ok(node)
}

fn child<'a>(node: &'a mut Doc, part: &str) -> Result<&'a mut Doc, String> {
    match &mut node.value {
        Value::Map(map) => {
            if !map.contains_key(part) {
                return Err(unknown(part, map.keys().map(String::as_str)));
            }
            map.get_mut(part)
                .map(|e| &mut e.value)
                .ok_or_else(String::new)
        }
        Value::List(list) => {
            let index = position(list, part)?;
            Ok(&mut list[index])
        }
        _ => Err(format!("there is no list or map around `{part}`")),
    }
}

/// The place of a list entry: by its `id`, by its text, or by its index.
fn position(list: &[Doc], part: &str) -> Result<usize, String> {
    let id = |d: &Doc| d.get("id").and_then(Doc::scalar).map(str::to_string);
    let by_id = list.iter().position(|d| id(d).as_deref() == Some(part));
    let by_text = || list.iter().position(|d| d.scalar() == Some(part));
    let by_index = || part.parse::<usize>().ok().filter(|&i| i < list.len());
    by_id.or_else(by_index).or_else(by_text).ok_or_else(|| {
        let ids: Vec<String> = list.iter().filter_map(id).collect();
        let help = did_you_mean(part, ids.iter().map(String::as_str));
        format!("no entry `{part}` (a list of {}); {help}", list.len())
    })
}

fn unknown<'a>(part: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    let names: Vec<&str> = names.collect();
    format!("no `{part}` there; {}", did_you_mean(part, names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::MemorySource;

    fn read_text(text: &str) -> Doc {
        let mut files = crate::file::place::Files::default();
        doc::parse(&mut files, "t", text.as_bytes()).unwrap()
    }

    #[test]
    fn maps_merge_lists_replace_and_null_deletes() {
        let mut base = read_text("a: {x: 1, y: 2}\nl: [1, 2]\nz: 3\n");
        overlay(
            &mut base,
            read_text("a: {y: 9, w: {q: 1}}\nl: [7]\nz: null\n"),
        );
        assert_eq!(
            base.canonical().to_string(),
            r#"{"a":{"w":{"q":"1"},"x":"1","y":"9"},"l":["7"]}"#
        );
    }

    #[test]
    fn nothing_outside_the_folder_is_named() {
        let root = Path::new("a/b");
        assert_eq!(
            inside(root, root, "c.yaml"),
            Some(PathBuf::from("a/b/c.yaml"))
        );
        assert_eq!(
            inside(root, root, "d/../c.yaml"),
            Some(PathBuf::from("a/b/c.yaml"))
        );
        for bad in [
            "../c.yaml",
            "/etc/passwd",
            "d/../../c",
            "C:\\x",
            "..\\x",
            "../bb/c",
        ] {
            assert_eq!(inside(root, root, bad), None, "{bad}");
        }
        let here = Path::new("");
        assert_eq!(inside(here, here, "c.yaml"), Some(PathBuf::from("c.yaml")));
        assert_eq!(inside(here, here, "../c.yaml"), None);
        let up = Path::new("..");
        assert_eq!(inside(up, up, "c.yaml"), Some(PathBuf::from("../c.yaml")));
        assert_eq!(inside(up, up, "../c.yaml"), None);
    }

    #[test]
    fn a_circle_of_includes_is_reported() {
        let source = MemorySource::new([
            ("a.yaml", "assize: part/v1\ninclude: b.yaml\n"),
            ("b.yaml", "assize: part/v1\ninclude: a.yaml\nname: b\n"),
        ]);
        let cx = Cx::default();
        let doc = load(&cx, &source, Path::new("a.yaml")).unwrap();
        assert_eq!(doc.get("name").and_then(Doc::scalar), Some("b"));
        let problems = cx.outcome().unwrap_err();
        assert!(problems.0[0].what.contains("includes itself"));
        assert_eq!(problems.0[0].file, "b.yaml");
    }

    #[test]
    fn values_are_set_by_name_index_and_id() {
        let mut doc = read_text("t: [{id: x, at: 1s}, {at: 2s}]\nn: {a: {b: 1}}\n");
        set(&mut doc, "t.x.at", read_text("5s")).unwrap();
        set(&mut doc, "t.1.at", read_text("6s")).unwrap();
        set(&mut doc, "n.a.c", read_text("2")).unwrap();
        set(&mut doc, "n.a.b", read_text("null")).unwrap();
        assert_eq!(
            doc.canonical().to_string(),
            r#"{"n":{"a":{"c":"2"}},"t":[{"at":"5s","id":"x"},{"at":"6s"}]}"#
        );
        assert!(
            set(&mut doc, "t.y.at", read_text("5s"))
                .unwrap_err()
                .contains("`x`")
        );
        assert!(
            set(&mut doc, "n.aa.b", read_text("5s"))
                .unwrap_err()
                .contains("`a`")
        );
        assert!(set(&mut doc, "n.a.zz", read_text("null")).is_err());
    }
}
