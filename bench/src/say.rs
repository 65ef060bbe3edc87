//! What the benchmark prints, and the only place that prints it.

/// A line on standard output.
#[expect(
    clippy::print_stdout,
    reason = "a benchmark talks to the person who started it"
)]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A line on standard error: what is being measured, and errors.
#[expect(
    clippy::print_stderr,
    reason = "a benchmark talks to the person who started it"
)]
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}
