//! Real time: drives the machines of `control` through a plan with real sockets, real proxies and
//! real (or embedded) services, and records what was observed.
//!
//! What decides a figure is in `control`; here it is carried out: this address is checked, that
//! replica is promoted, a path's conditions become the faults of a proxy. Nothing is judged here.

#[cfg(feature = "rehearsal")]
mod air;
mod clock;
mod context;
mod control_path;
mod describe;
mod director;
pub mod drivers;
mod flows;
pub mod guard;
mod heartbeat;
mod leases;
pub mod ledger;
mod net;
mod network;
mod options;
mod pace;
mod probe;
mod realise;
mod reap;
mod replica;
mod run;
mod signal;
mod sparing;
pub mod stand_ins;
mod thin;
mod turns;
mod users;
mod world;
pub mod wrap;
mod zone;

pub use clock::Clock;
pub use context::Context;
pub use describe::{admit, describe};
pub use heartbeat::heartbeat;
pub use options::{Ended, Options, Refused, Stop, Wrap};
pub use pace::Machine;
pub use replica::{
    Answer, BackupReport, Call, Effect, Entry, Held, Later, Neighbours, Replica, Role, Transport,
    Trouble, Way, What, Work,
};
#[cfg(feature = "rehearsal")]
pub use run::rehearse;
pub use run::run;
pub use signal::on_signal;
pub use zone::{Record, Zone};
