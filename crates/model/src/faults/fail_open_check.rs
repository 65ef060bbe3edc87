//! Health checks of the target that get no answer count as passed.
//!
//! Targets: services, replicas.
//!
//! Parameters: none.
//!
//! Bites when a check gets no answer while it is on, and counts as passed.
//!
//! Stands for: a check whose time-out is taken for success, a checker that answers from its cache.
//! A replica that refuses is found; one that hangs is not. A service that keeps sending traffic to
//! replicas when all checks fail is not this: that is `fail_open` of its failover.

use super::{Effect, On, Params, SERVICES};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(_: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::CheckFailsOpen);
}
