//! Exit codes, and what makes a verb end without a result.

use crate::Console;
use assize_model::file::Problems;
use assize_report::SuiteVerdict;
use std::io;

/// How the command ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: every target met, or the verb did what was asked.
    Pass,
    /// 1: an objective was missed and the miss is not accepted.
    Missed,
    /// 2: bad input or usage: unknown names, bad files.
    BadInput,
    /// 3: nothing missed, something not decided.
    Inconclusive,
    /// 4: could not be carried out, found by touching the world.
    CouldNotRun,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Missed => 1,
            Self::BadInput => 2,
            Self::Inconclusive => 3,
            Self::CouldNotRun => 4,
        }
    }
}

impl From<SuiteVerdict> for Exit {
    fn from(verdict: SuiteVerdict) -> Self {
        match verdict {
            SuiteVerdict::Pass => Self::Pass,
            SuiteVerdict::Inconclusive => Self::Inconclusive,
            SuiteVerdict::Fail => Self::Missed,
            SuiteVerdict::CouldNotRun => Self::CouldNotRun,
        }
    }
}

/// Why a verb ended without a result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Files that cannot be used.
    Problems(Problems),
    /// Arguments that cannot be used; one or more lines, the first without a prefix.
    Usage(String),
    /// The world did not allow it.
    World(String),
    /// Output could not be written.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}

impl Failure {
    /// Says it on standard error, and gives the exit code.
    pub(crate) fn report(&self, console: &mut Console<'_>) -> Exit {
        let (text, exit) = match self {
            // Whoever read the output has seen enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Pass,
            Self::Output(error) => (
                format!("error: the output could not be written: {error}"),
                Exit::CouldNotRun,
            ),
            Self::Problems(problems) => (problems.to_string(), Exit::BadInput),
            Self::Usage(text) => (format!("error: {text}"), Exit::BadInput),
            Self::World(text) => (format!("error: {text}"), Exit::CouldNotRun),
        };
        // Nobody is left to tell if standard error is closed; the exit code still says it.
        let _ = writeln!(console.err, "{text}");
        exit
    }
}

/// The exit that was decided, although the reader of the output may have gone: a closed pipe
/// must not turn a failing build green.
pub(crate) fn unless_closed(written: Result<(), Failure>, exit: Exit) -> Result<Exit, Failure> {
    match written {
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit),
        Err(failure) => Err(failure),
        Ok(()) => Ok(exit),
    }
}
