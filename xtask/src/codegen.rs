//! `cargo xtask codegen [--check]`: the files that are generated from the source.
//!
//! `schemas/*.json` are what `assize schema` prints, for editors that complete and check files as
//! they are written; `docs/FAULTS.md` is the manual of every fault, as `assize faults` prints it.
//! They are kept in the repository so that they can be read and linked to, and compared here so
//! that they stay true.

use crate::{say, shell, tree};
use anyhow::{Context, Result, bail};
use std::fs;

/// What to do with a file that differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Write it.
    Write,
    /// Fail.
    Check,
}

/// The kinds of file that have a schema.
const KINDS: &[&str] = &[
    "topology", "scenario", "part", "bindings", "contract", "record",
];

/// Generates every file, and writes or compares it.
pub(crate) fn run(mode: Mode) -> Result<()> {
    let root = shell::root();
    let generated = generate()?;
    let mut stale = Vec::new();
    for (path, text) in &generated {
        if fs::read_to_string(root.join(path)).is_ok_and(|have| have == *text) {
            continue;
        }
        match mode {
            Mode::Check => stale.push(path.clone()),
            Mode::Write => {
                let target = root.join(path);
                if let Some(folder) = target.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::write(&target, text).with_context(|| format!("cannot write {path}"))?;
                say::line(&format!("    wrote {path}"));
            }
        }
    }
    stale.extend(orphans(&generated)?);
    if !stale.is_empty() {
        bail!(
            "not as generated: {}; `cargo xtask codegen` writes what is generated, \
             and a schema that nothing generates is to be deleted",
            stale.join(", ")
        );
    }
    Ok(())
}

fn generate() -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for kind in KINDS {
        let text = shell::stdout(&mut shell::assize(&["schema", kind]))?;
        files.push((format!("schemas/{kind}.json"), ended(text)));
    }
    let manual = shell::stdout(&mut shell::assize(&["faults", "--format", "markdown"]))?;
    files.push(("docs/FAULTS.md".to_owned(), ended(manual)));
    Ok(files)
}

/// The text with one line feed at its end.
fn ended(text: String) -> String {
    text.trim_end().to_owned() + "\n"
}

/// Files among the schemas that nothing generates any more.
fn orphans(generated: &[(String, String)]) -> Result<Vec<String>> {
    let folder = shell::root().join("schemas");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let files = tree::read(&folder)?;
    let paths = files.iter().map(|file| format!("schemas/{}", file.path));
    Ok(paths
        .filter(|path| !generated.iter().any(|(known, _)| known == path))
        .collect())
}
