//! Topology, scenario, objectives, plan, observations and the judge: data and pure functions.
//!
//! No clock, no sockets, no randomness of its own. Files become [`Topology`] and [`Scenario`]
//! in `file`; both engines write a [`Journal`]; [`judge()`] turns it into findings.

pub mod binding;
pub mod calendar;
pub mod contract;
pub mod demand;
pub mod drill;
pub mod faults;
pub mod file;
pub mod finding;
mod fold;
mod holidays;
pub mod ids;
pub mod journal;
pub mod judge;
pub mod objective;
pub mod observation;
pub mod observed;
pub mod picture;
pub mod plan;
pub mod recorded;
pub mod scenario;
pub mod timers;
pub mod topology;

pub use fold::fold;
pub use ids::*;
pub use journal::Journal;
pub use judge::{judge, suite_verdict};
pub use objective::{Objective, ObjectiveKind};
pub use plan::{Cell, Plan};
pub use scenario::Scenario;
pub use topology::Topology;
