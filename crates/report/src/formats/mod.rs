//! The registry of formats: one file and one line each.

pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod table;

use crate::{Style, Suite};
use std::io::{self, Write};

/// One way of writing a suite down.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// Writes it.
    pub write: fn(&Suite, &Style, &mut dyn Write) -> io::Result<()>,
    /// Whether it ends with the last line in words, which otherwise goes to standard error.
    pub ends_in_words: bool,
}

/// All formats.
pub const REGISTRY: &[Format] = &[
    table::FORMAT,
    json::FORMAT,
    junit::FORMAT,
    markdown::FORMAT,
    html::FORMAT,
];

/// The format of that name.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    REGISTRY.iter().find(|format| format.name == name)
}
