//! A list of steps, each printed with the time it took, which stops at the first that fails.

use crate::say;
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// The steps taken so far.
pub(crate) struct Steps {
    task: &'static str,
    begun: Instant,
    passed: usize,
    skipped: Vec<&'static str>,
}

impl Steps {
    /// Begins a list of steps under the task's name.
    pub(crate) fn begin(task: &'static str) -> Self {
        Self {
            task,
            begun: now(),
            passed: 0,
            skipped: Vec::new(),
        }
    }

    /// Takes a step. `again` is the command that repeats it alone; it is part of the error.
    pub(crate) fn step(
        &mut self,
        name: &str,
        again: &str,
        body: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        say::line(&format!("==> {name}: {again}"));
        let begun = now();
        let result = body();
        let took = seconds(now().duration_since(begun));
        match result {
            Ok(()) => {
                say::line(&format!("    {name}: ok, {took}"));
                self.passed += 1;
                Ok(())
            }
            Err(error) => Err(error).with_context(|| {
                format!(
                    "{}: {name} failed after {took}; to run it again: {again}\n",
                    self.task
                )
            }),
        }
    }

    /// Notes a step that this machine cannot take, and how to make it able to.
    pub(crate) fn skip(&mut self, name: &'static str, why: &str) {
        say::line(&format!("==> {name}: skipped, {why}"));
        self.skipped.push(name);
    }

    /// Prints the summary line.
    pub(crate) fn end(self) {
        let took = seconds(now().duration_since(self.begun));
        let skipped = match self.skipped.as_slice() {
            [] => String::new(),
            names => format!("; skipped: {}", names.join(", ")),
        };
        say::line(&format!(
            "{}: {} steps passed in {took}{skipped}",
            self.task, self.passed
        ));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "steps are timed for the person who waits"
)]
fn now() -> Instant {
    Instant::now()
}

fn seconds(duration: Duration) -> String {
    format!(
        "{}.{} s",
        duration.as_secs(),
        duration.subsec_millis() / 100
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_says_how_to_repeat_it() {
        let mut steps = Steps::begin("ci");
        let error = steps
            .step("fmt", "cargo fmt --all --check", || {
                anyhow::bail!("two files differ")
            })
            .map_err(|error| format!("{error:#}"));
        let text = error.expect_err("the step failed");
        assert!(text.contains("ci: fmt failed after"), "{text}");
        assert!(
            text.contains("to run it again: cargo fmt --all --check"),
            "{text}"
        );
        assert!(text.contains("two files differ"), "{text}");
        assert_eq!(steps.passed, 0);
    }

    #[test]
    fn seconds_keep_one_digit_and_do_not_round_up() {
        assert_eq!(seconds(Duration::from_millis(1_999)), "1.9 s");
        assert_eq!(seconds(Duration::from_millis(60_049)), "60.0 s");
    }
}
