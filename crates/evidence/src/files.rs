//! The files of a pack, in memory, and which names and sizes they may have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Files by name, in order of name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The most that all files of a pack hold together: 1 GiB.
pub const MOST_BYTES: u64 = 1 << 30;

/// The most files of a pack.
pub const MOST_FILES: usize = 10_000;

/// The longest name of a file.
const LONGEST_NAME: usize = 240;

/// Why a pack is refused: which of its files, and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The file; empty for the pack as a whole.
    pub file: String,
    /// What is wrong, as a sentence without a full stop.
    pub why: String,
}

impl Refusal {
    /// About one file.
    pub fn of(file: &str, why: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            why: why.into(),
        }
    }

    /// About the pack as a whole.
    pub fn pack(why: impl Into<String>) -> Self {
        Self::of("", why)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file.as_str() {
            "" => write!(f, "{}", self.why),
            file => write!(f, "`{}`: {}", file.escape_debug(), self.why),
        }
    }
}

/// Whether a name may stand in a pack: relative, without `..`, of plain characters, so that it
/// means the same on every system.
///
/// # Errors
/// Why not.
pub fn fit_name(name: &str) -> Result<(), Refusal> {
    let no = |why: &str| Err(Refusal::of(name, why));
    if name.is_empty() || name.len() > LONGEST_NAME {
        return no("a name has from 1 to 240 characters");
    }
    if name.starts_with('/') || name.as_bytes().get(1) == Some(&b':') {
        return no("an absolute name could lead anywhere");
    }
    if name.split('/').any(|part| part == "..") {
        return no("a name with `..` leads out of the pack");
    }
    if name.ends_with('/') {
        return no("a folder of its own has no place in a pack");
    }
    if name.split('/').any(|part| part.is_empty() || part == ".") {
        return no("a name with an empty part or `.` has two spellings");
    }
    if name.split('/').any(|part| part.ends_with('.')) {
        return no("a name that ends in a dot loses it on some systems");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !name.chars().all(plain) {
        return no("only letters, digits, `-`, `_`, `.` and `/` stand in names");
    }
    Ok(())
}

/// Whether names may stand in a pack together: on every system each is a file of its own.
///
/// # Errors
/// The first that may not.
pub fn fit_together<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), Refusal> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut folders: BTreeSet<String> = BTreeSet::new();
    for name in names {
        let plain = name.to_ascii_lowercase();
        let above = plain
            .match_indices('/')
            .map(|(at, _)| plain[..at].to_owned());
        folders.extend(above);
        if !known.insert(plain) {
            let why =
                "another differs from it in capitals alone, which some systems do not tell apart";
            return Err(Refusal::of(name, why));
        }
    }
    match known.intersection(&folders).next() {
        Some(name) => Err(Refusal::of(name, "it is a file, and a folder too")),
        None => Ok(()),
    }
}

/// A name for a file that was read from elsewhere: it shows where it came from, and is fit.
#[must_use]
pub fn name_for(folder: &str, path: &str, taken: &Files) -> String {
    let parts = path
        .split(['/', '\\'])
        .filter(|part| !part.is_empty() && *part != ".");
    let mut plain: Vec<String> = parts
        .map(|part| match part {
            ".." => "_up".to_owned(),
            part => part
                .chars()
                .map(|c| match c {
                    c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
                    _ => '-',
                })
                .collect::<String>()
                .trim_end_matches('.')
                .to_owned(),
        })
        .collect();
    // What is long is cut at the front, where it says least.
    while plain.len() > 1 && plain.iter().map(|p| p.len() + 1).sum::<usize>() > 160 {
        plain.remove(0);
    }
    plain.retain(|part| !part.is_empty());
    let mut stem = plain.join("/");
    stem.truncate(200);
    let first = format!("{folder}/{}", if stem.is_empty() { "file" } else { &stem });
    let mut name = first.clone();
    let mut number = 1;
    // Names that differ in case alone are one on some systems.
    while taken.keys().any(|other| other.eq_ignore_ascii_case(&name)) {
        number += 1;
        name = format!("{first}.{number}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_lead_elsewhere_are_refused() {
        for name in ["a", "a/b.json", "inputs/_up/x-1.yaml"] {
            assert_eq!(fit_name(name), Ok(()), "{name}");
        }
        for (name, why) in [
            ("", "from 1 to 240"),
            ("/etc/passwd", "absolute"),
            ("C:x", "absolute"),
            ("../x", "`..`"),
            ("a/../../x", "`..`"),
            ("a/", "folder"),
            ("a//b", "two spellings"),
            ("./a", "two spellings"),
            ("a\\b", "only letters"),
            ("a\0b", "only letters"),
            ("ä", "only letters"),
        ] {
            let refusal = fit_name(name).expect_err(name);
            assert!(refusal.why.contains(why), "{name}: {refusal}");
        }
    }

    #[test]
    fn names_of_read_files_show_where_they_came_from() {
        let mut taken = Files::new();
        for (path, name) in [
            ("topologies/a.yaml", "in/topologies/a.yaml"),
            ("../a b.yaml", "in/_up/a-b.yaml"),
            ("../a-b.yaml", "in/_up/a-b.yaml.2"),
            ("/home/x.yaml", "in/home/x.yaml"),
        ] {
            let got = name_for("in", path, &taken);
            assert_eq!(got, name);
            assert_eq!(fit_name(&got), Ok(()));
            taken.insert(got, Vec::new());
        }
        let long = format!("{}/x.yaml", ["folder"; 60].join("/"));
        assert_eq!(fit_name(&name_for("in", &long, &taken)), Ok(()));
    }
}
