//! What the benchmark prints, and the only place that prints it.

use crate::measure::{Rounds, Thousands};

/// A line on standard output.
#[expect(
    clippy::print_stdout,
    reason = "a benchmark talks to the person who started it"
)]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A line on standard error.
#[expect(
    clippy::print_stderr,
    reason = "a benchmark talks to the person who started it"
)]
pub(crate) fn error(text: &str) {
    eprintln!("{text}");
}

/// A rate: its median and its spread.
pub(crate) fn rate(what: &str, rounds: &Rounds, unit: &str) {
    let (least, most) = rounds.spread();
    line(&format!(
        "  {what:<34}{:>14} {unit:<16} {} to {}",
        Thousands(rounds.median()),
        Thousands(least),
        Thousands(most)
    ));
}

/// Seconds: their median and their spread, in milliseconds.
pub(crate) fn millis(what: &str, rounds: &Rounds) {
    let (least, most) = rounds.spread();
    line(&format!(
        "  {what:<34}{:>14.2} {:<16} {:.2} to {:.2}",
        rounds.median() * 1e3,
        "ms",
        least * 1e3,
        most * 1e3
    ));
}

/// Whether a goal is reached.
pub(crate) fn goal(text: &str, reached: bool) {
    line(&format!(
        "  goal: {text}: {}",
        if reached { "reached" } else { "NOT reached" }
    ));
}
