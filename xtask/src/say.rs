//! What the tasks print. It is the only place that does, so that the lint holds elsewhere.

/// A line on standard output.
#[expect(
    clippy::print_stdout,
    reason = "a task talks to the person who started it"
)]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A line on standard error.
#[expect(
    clippy::print_stderr,
    reason = "a task talks to the person who started it"
)]
pub(crate) fn error(text: &str) {
    eprintln!("{text}");
}
