//! A service that signs users or devices in (RADIUS, Kerberos, a directory) turns them away, while
//! its machine is well: a check with `probes: host` stays green, one with `probes: service` notices.
//!
//! Targets: services, replicas.
//!
//! Parameters:
//! - `how`: `refuse` (default: at once) or `blackhole` (clients wait for their own timeout).
//!
//! Bites when a client signs in, or renews a ticket, while it is on.
//!
//! Stands for: an expired certificate, an OCSP responder that is not reached, a directory out of
//! step. Devices that are signed in already notice nothing.

use super::{Effect, How, On, Params, SERVICES, how};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    params
        .effects
        .push(Effect::NoAnswer(how(f).unwrap_or(How::Refuse)));
}
