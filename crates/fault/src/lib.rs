//! The pure floor of Assize: time, units, the seeded generator, and the core of the data plane.
//!
//! No clock, no sockets, no global randomness: time and randomness are always arguments.
//! A [`Pipe`] says what leaves a connection and when; somebody else reads, waits and writes.

pub mod chance;
pub mod pipe;
pub mod rng;
mod settings;
pub mod shaper;
pub mod time;
#[cfg(test)]
mod trace;
pub mod unit;
pub mod wire;

pub use chance::{Direction, FaultId, Origin};
pub use pipe::{Begun, Item, Order, Pipe};
pub use rng::{Stream, permutation64};
pub use settings::{Attribute, Kind, Refused, Value};
pub use shaper::SharedShaper;
pub use time::Nanos;
pub use unit::{Bandwidth, Ppb, Rate, Size};
pub use wire::Wire;
