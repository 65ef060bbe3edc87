//! The machines that decide every figure: health checks, failover, routing, caches, queues,
//! backups, people.
//!
//! Each machine is told what happens and when (`on_…(now, …)`), says when it wants to be woken
//! (`next_wake`), and answers with what it decided. None has a clock, a socket or randomness of
//! its own: `sim` drives them in virtual time, a live engine with real sockets, and both get
//! the same answers. A machine that would only repeat itself asks for no wake: its next change
//! is computed.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod backups;
pub mod belief;
pub mod cache;
pub mod checker;
pub mod fabric;
pub mod failover;
pub mod lease;
pub mod load;
pub mod matured;
pub mod names;
pub mod queue;
pub mod response;
pub mod standby;
pub mod votes;
pub mod wire;

pub use backups::{BackupRun, Backups};
pub use belief::Belief;
pub use cache::Cache;
pub use checker::{Checker, Seen};
pub use fabric::Fabric;
pub use failover::{Failover, FailoverAction};
pub use lease::Lease;
pub use load::Load;
pub use matured::Matured;
pub use names::Names;
pub use queue::{Done, Part, Queue};
pub use response::{Response, Stage};
pub use standby::{Activation, Units};
pub use votes::Votes;

#[cfg(test)]
mod trace;
