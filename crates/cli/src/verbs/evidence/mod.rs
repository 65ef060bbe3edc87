//! `assize evidence`: what is done with packs after a run, and before it.
//!
//! One file per deed. Exit codes: 0 it holds, or was done; 1 a pack is refused; 2 wrong usage; 3
//! nothing is wrong and something is not shown; 4 the disk does not allow it.

mod add;
mod keygen;
mod pack;
mod plan;
#[cfg(test)]
mod tests;
mod verify;

use crate::Console;
use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// Check, sign and time-stamp evidence packs, and register what will be run.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Clone, Debug, Subcommand)]
enum Deed {
    /// Check a pack: signatures, digests, chains, and the judge once more. Several packs are also
    /// compared with their plan.
    Verify(verify::Arguments),
    /// Make a pack of a run from its folder: also of a run that was killed, which the pack says.
    Pack(pack::Arguments),
    /// Make a pair of keys: NAME, which stays with you, and NAME.pub.
    Keygen(keygen::Arguments),
    /// Add a signature to a pack.
    Sign(add::Sign),
    /// Write the request for a time-stamp of a pack (or of any file, such as a plan).
    Tsq(add::Request),
    /// Add the time-stamp that an authority gave.
    Attach(add::Attach),
    /// Register what will be run, and how often, before it is.
    Plan(plan::Arguments),
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    match &arguments.deed {
        Deed::Verify(arguments) => verify::run(arguments, console),
        Deed::Pack(arguments) => pack::run(arguments, console),
        Deed::Keygen(arguments) => keygen::run(arguments, console),
        Deed::Sign(arguments) => add::sign(arguments, console),
        Deed::Tsq(arguments) => add::request(arguments, console),
        Deed::Attach(arguments) => add::attach(arguments, console),
        Deed::Plan(arguments) => plan::run(arguments, console),
    }
}
