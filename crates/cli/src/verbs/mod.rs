//! The registry of verbs: one file and one line each.

mod analyse;
mod check;
mod compare;
mod completions;
mod compliance;
mod credits;
mod ctl;
mod evidence;
mod faults;
mod graph;
mod guard;
mod heartbeat;
mod import;
mod init;
mod judge;
mod merge;
mod proxy;
mod report;
mod review;
pub(crate) mod run;
mod schema;
pub(crate) mod simulate;
mod trace;
mod what_if;

use crate::Console;
use crate::exit::{Exit, Failure};
use clap::Subcommand;

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident => $module:ident),* $(,)?) => {
        /// What can be done.
        #[derive(Debug, Subcommand)]
        pub(crate) enum Verb {
            $($(#[$doc])* $name($module::Arguments),)*
        }

        impl Verb {
            /// Does it.
            pub(crate) fn run(&self, console: &mut Console<'_>) -> Result<Exit, Failure> {
                match self {
                    $(Self::$name(arguments) => $module::run(arguments, console),)*
                }
            }
        }
    };
}

verbs! {
    /// Read files and say everything that is wrong with them.
    Check => check,
    /// Draw a topology.
    Graph => graph,
    /// Say what can break it: single points, cut sets, availability, every combination of failures.
    Analyse => analyse,
    /// Join the parts of a sweep that `analyse --shard` made.
    Merge => merge,
    /// Say what a change of design buys, and what it costs.
    Compare => compare,
    /// Write the page for a design review: the register of single points.
    Review => review,
    /// Make the base of a topology from an inventory that others keep.
    Import => import,
    /// Say what would happen: scenarios in virtual time, judged.
    Simulate => simulate,
    /// Say what does happen: break it on real sockets, measure, judge.
    Run => run,
    /// Judge what an earlier run recorded.
    Judge => judge,
    /// Print what an earlier run recorded, in any format; also one that was killed.
    Report => report,
    /// Say what a contract makes of a run: service levels, points, credits.
    Credits => credits,
    /// Say what findings support of the frameworks that a customer answers to.
    Compliance => compliance,
    /// Check, sign and time-stamp evidence packs, and register what will be run.
    Evidence => evidence,
    /// Say what would happen if something were down, without a scenario file.
    WhatIf => what_if,
    /// Follow a user's journey through the network: hops, caches, and where it stops.
    Trace => trace,
    /// Run proxies through which faults are injected, behind the API of Toxiproxy.
    Proxy => proxy,
    /// Look at a running `assize proxy`, and change its proxies and toxics.
    Ctl => ctl,
    /// Keep one dated row in a database, so that a drill can prove how old a backup of it is.
    Heartbeat => heartbeat,
    /// End what a run has started once it is gone; runs start this themselves.
    #[command(hide = true)]
    Guard => guard,
    /// List the faults, or print the manual of one.
    Faults => faults,
    /// Print the JSON Schema of the files, for editors.
    Schema => schema,
    /// Write a small commented file to begin with.
    Init => init,
    /// Print completions for a shell.
    Completions => completions,
}
