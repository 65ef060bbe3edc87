//! The pure floor of Assize: time, units and the seeded generator.
//!
//! No clock, no sockets, no global randomness: time and randomness are always arguments.

pub mod rng;
pub mod time;
pub mod unit;

pub use rng::{Stream, permutation64};
pub use time::Nanos;
pub use unit::{Bandwidth, Ppb, Rate, Size};
