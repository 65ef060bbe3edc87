//! `assize trace`: one journey of one population through the network, hop by hop.

use crate::Console;
use crate::exit::{Exit, Failure};

/// Follow a user's journey.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments, _: &mut Console<'_>) -> Result<Exit, Failure> {
    Ok(Exit::Pass)
}
