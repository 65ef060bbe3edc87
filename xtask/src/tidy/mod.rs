//! `cargo xtask tidy`: the rules of the source tree that no compiler checks.
//!
//! It reads files and judges text; it builds nothing and changes nothing. Every complaint is
//! printed, each with its place and its remedy.

use crate::tree::{self, File};
use crate::{say, shell};
use anyhow::{Result, bail};

mod manifest;
mod register;
mod text;

/// One broken rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Complaint {
    /// Where: the path, and the line if there is one.
    pub(crate) place: String,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

impl Complaint {
    fn of(file: &File, what: impl Into<String>) -> Self {
        Self {
            place: file.path.clone(),
            what: what.into(),
        }
    }

    fn at(file: &File, line: usize, what: impl Into<String>) -> Self {
        Self {
            place: format!("{}:{}", file.path, line + 1),
            what: what.into(),
        }
    }
}

/// Checks the tree.
pub(crate) fn run() -> Result<()> {
    let files = tree::read(&shell::root())?;
    let complaints = check(&files);
    for complaint in &complaints {
        say::error(&format!("{}: {}", complaint.place, complaint.what));
    }
    match complaints.len() {
        0 => Ok(()),
        1 => bail!("tidy: 1 rule is broken"),
        n => bail!("tidy: {n} rules are broken"),
    }
}

fn check(files: &[File]) -> Vec<Complaint> {
    let mut complaints: Vec<Complaint> = files.iter().flat_map(text::check).collect();
    complaints.extend(register::check(files));
    complaints.extend(manifest::check(files));
    complaints
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}
