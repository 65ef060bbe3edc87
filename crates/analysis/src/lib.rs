//! What can break a network: minimal cut sets, exact probabilities, exhaustive sweeps.
//!
//! Pure functions of what they are given: no file, no clock, no randomness. Fault trees and
//! topologies compile to one [`Structure`], which says when something fails; [`Solved`] answers
//! how likely that is and by which smallest sets of failures. Graphs without services are swept
//! on their own.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod bdd;
mod bounds;
pub mod compare;
pub mod connected;
pub mod coverage;
mod cutsets;
pub mod cycles;
pub mod design;
mod diagram;
pub mod graph;
pub mod graphml;
pub mod import;
mod list;
pub mod merge;
mod modules;
mod network;
mod nodes;
pub mod opsa;
mod order;
mod parallel;
mod program;
mod report;
pub mod review;
mod solve;
#[cfg(test)]
mod solve_tests;
mod structure;
mod tree;

pub use list::CutSet;
pub use network::{Failing, analyse as analyse_graph};
pub use report::*;
pub use solve::{Figure, Importance, Limits, Solved};
pub use structure::{Gate, Ref, Structure};
pub use tree::analyse as analyse_tree;
