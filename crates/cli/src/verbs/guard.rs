//! `assize guard`: outlives a killed run and ends what it had started. Started by runs, not by
//! people, and in no help.

use crate::Console;
use crate::exit::{Exit, Failure};

/// End what a run has started once standard input closes; runs start this themselves.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let left = assize_live::guard::guard(std::io::stdin().lock());
    for what in &left {
        console.say(what);
    }
    Ok(if left.is_empty() {
        Exit::Pass
    } else {
        Exit::CouldNotRun
    })
}
