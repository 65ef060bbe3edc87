//! A service that gives out addresses (DHCP) answers nobody, while its machine is well: a check
//! with `probes: host` stays green, one with `probes: service` notices.
//!
//! Targets: services, replicas.
//!
//! Parameters:
//! - `how`: `blackhole` (default: requests are not answered) or `refuse` (they are declined).
//!
//! Bites when a client renews a lease or asks for a new one while it is on. A renewal that goes
//! unanswered is a bite even when the lease that the client holds hides it.
//!
//! Stands for: an exhausted pool, a server whose database is locked, a relay that drops requests.
//! Nobody notices until leases run out, then everybody does.

use super::{Effect, How, On, Params, SERVICES, how};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    params
        .effects
        .push(Effect::NoAnswer(how(f).unwrap_or(How::BlackHole)));
}
