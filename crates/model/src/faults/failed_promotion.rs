//! A promotion of the target does not succeed: the standby stays a standby.
//!
//! Targets: services, replicas.
//!
//! Parameters: none.
//!
//! Bites when a promotion of the target is tried while it is on.
//!
//! Stands for: a standby that was never licensed, a replica too far behind, a promotion script that
//! was never run before the day it was needed.

use super::{Effect, On, Params, SERVICES};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(_: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::PromotionFails);
}
