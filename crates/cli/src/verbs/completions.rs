//! `assize completions`: completions for a shell.

use crate::Console;
use crate::args::Cli;
use crate::exit::{Exit, Failure};
use clap::CommandFactory as _;

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: clap_complete::Shell,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    // Into memory first: the generator does not return what its writer says.
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "assize", &mut text);
    console.out.write_all(&text)?;
    Ok(Exit::Pass)
}
