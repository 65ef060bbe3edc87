//! `cargo xtask golden [--bless]`: the golden output of the tests, compared or accepted.
//!
//! Accepting is a decision: look at the difference that git shows before it is committed.

use crate::shell::{self, cargo};
use anyhow::Result;

/// What to do with output that differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Fail.
    Compare,
    /// Write it over the golden file.
    Bless,
}

/// Runs the integration tests, and shows what changed.
pub(crate) fn run(mode: Mode) -> Result<()> {
    let mut command = cargo(&["test", "--quiet", "--package", "assize-tests"]);
    match mode {
        Mode::Compare => shell::run(command.env("INSTA_UPDATE", "no")),
        Mode::Bless => {
            // insta writes every difference in one run, but still fails the tests that differed
            // for another reason; plain golden files follow UPDATE_GOLDEN.
            command
                .env("INSTA_UPDATE", "always")
                .env("INSTA_FORCE_PASS", "1");
            shell::run(command.env("UPDATE_GOLDEN", "1"))
        }
    }
}
