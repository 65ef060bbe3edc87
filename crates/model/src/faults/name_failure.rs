//! A name server answers no queries, while its checks see it well.
//!
//! Targets: services, replicas.
//!
//! Parameters:
//! - `how`: `blackhole` (default: queries time out) or `refuse` (SERVFAIL at once).
//!
//! Bites when a client looks a name up, beyond its cache, while it is on.
//!
//! Stands for: a resolver cut off from its forwarders, a zone that expired. Caches hide it for as
//! long as their entries live.

use super::{Effect, How, On, Params, SERVICES, how};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    params
        .effects
        .push(Effect::NoAnswer(how(f).unwrap_or(How::BlackHole)));
}
