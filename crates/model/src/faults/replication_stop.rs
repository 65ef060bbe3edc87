//! The target neither sends nor receives writes of its peers; it serves on.
//!
//! Targets: services, replicas.
//!
//! Parameters: none.
//!
//! Bites when a shipment of data is due, or a synchronous write waits, while it is on.
//!
//! Stands for: a replication slot that overflowed, a log volume that is full. Nothing fails until
//! the fail-over, and then everything written since is missing.

use super::{Effect, On, Params, SERVICES};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(_: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::ReplicationStops);
}
