//! JSON: `assize/verdict/v1` for one scenario, `assize/suite/v1` for several.

use crate::suite::{Run, Suite, SuiteVerdict};
use crate::{Format, Style};
use assize_model::finding::Outcome;
use serde::Serialize;
use std::io::{self, Write};

/// The registry's line.
pub const FORMAT: Format = Format {
    name: "json",
    about: "one object for programs: assize/verdict/v1, or assize/suite/v1 for several scenarios",
    write,
    ends_in_words: false,
};

#[derive(Serialize)]
struct SuiteObject<'a> {
    schema: &'static str,
    verdict: SuiteVerdict,
    runs: Vec<RunObject<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RunObject<'a> {
    Judged(&'a Outcome),
    NotRun(NotRun<'a>),
}

/// A scenario that could not be carried out has no figures, only a reason.
#[derive(Serialize)]
struct NotRun<'a> {
    schema: &'static str,
    topology: &'a str,
    scenario: &'a str,
    verdict: SuiteVerdict,
    reason: &'a str,
}

impl<'a> From<&'a Run> for RunObject<'a> {
    fn from(run: &'a Run) -> Self {
        match run {
            Run::Judged(outcome) => Self::Judged(outcome),
            Run::NotRun {
                topology,
                scenario,
                reason,
            } => Self::NotRun(NotRun {
                schema: "assize/verdict/v1",
                topology,
                scenario,
                verdict: SuiteVerdict::CouldNotRun,
                reason,
            }),
        }
    }
}

fn write(suite: &Suite, _: &Style, out: &mut dyn Write) -> io::Result<()> {
    let result = match suite.runs.as_slice() {
        [run] => serde_json::to_writer_pretty(&mut *out, &RunObject::from(run)),
        runs => serde_json::to_writer_pretty(
            &mut *out,
            &SuiteObject {
                schema: "assize/suite/v1",
                verdict: suite.verdict(),
                runs: runs.iter().map(RunObject::from).collect(),
            },
        ),
    };
    // The writer's own error is kept, so that a closed pipe is still known as one.
    result.map_err(io::Error::from)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use assize_model::finding::{Status, VerdictKind};

    fn value(runs: Vec<Run>) -> serde_json::Value {
        serde_json::from_str(&sample::printed(&FORMAT, &sample::suite(runs))).expect("JSON")
    }

    #[test]
    fn one_is_a_verdict_and_several_are_a_suite() {
        let run = || sample::run("loss", VerdictKind::Fail, Status::Missed);
        let one = value(vec![run()]);
        assert_eq!(one["schema"], "assize/verdict/v1");
        assert_eq!(one["findings"][0]["measured"]["ns"], 95_531_250_000_i64);
        let failed = Run::NotRun {
            topology: "t".into(),
            scenario: "s".into(),
            reason: "r".into(),
        };
        let suite = value(vec![run(), failed]);
        assert_eq!(suite["schema"], "assize/suite/v1");
        assert_eq!(suite["verdict"], "could_not_run");
        assert_eq!(suite["runs"][0]["verdict"], "fail");
        assert_eq!(suite["runs"][1]["reason"], "r");
    }

    /// Hands on so many bytes, then behaves as a pipe whose reader has gone.
    struct Pipe(usize);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_stays_known_as_one() {
        let run = sample::run("loss", VerdictKind::Fail, Status::Missed);
        let suite = sample::suite(vec![run]);
        let result = write(&suite, &Style::default(), &mut Pipe(10));
        assert_eq!(result.map_err(|e| e.kind()), Err(io::ErrorKind::BrokenPipe));
    }
}
