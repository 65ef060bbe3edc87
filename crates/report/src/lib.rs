//! Reports: one file per format, each a pure function from a suite to text.
//!
//! Nothing here judges or measures: a report shows what an [`Outcome`] says and adds nothing to
//! it. It does not know where its text goes, nor whether that is a terminal.
#![forbid(unsafe_code)]

pub mod analysis;
pub mod compliance;
pub mod credits;
pub mod formats;
#[cfg(test)]
mod sample;
pub mod suite;
mod summary;
mod tell;
pub mod text;
pub mod words;

pub use analysis::Analysis;
pub use assize_model::finding::Outcome;
pub use formats::{Format, format};
pub use suite::{Forced, Run, Suite, SuiteVerdict};
pub use summary::last_line;

/// How a report for people looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Whether escape sequences may be used; what they add is also there in words.
    pub colour: bool,
    /// Columns of the page. Text is wrapped to it and never cut.
    pub width: usize,
    /// Print every row and reason, not only those that matter to the verdict.
    pub verbose: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            colour: false,
            width: 100,
            verbose: false,
        }
    }
}
