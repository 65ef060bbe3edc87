//! Data of the target is damaged when the fault begins, and the damage replicates.
//!
//! Targets: services, replicas.
//!
//! Parameters: none.
//!
//! Bites when it begins, if the target holds data; the damage shows at the next read-back.
//!
//! Stands for: a bad migration, a failing storage controller. Replicas are no help, because they
//! copy the damage; only a backup that began before it is.

use super::{Effect, On, Params, SERVICES};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(_: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::Corrupts);
}
