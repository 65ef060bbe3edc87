//! Data of the target is deleted when the fault begins, and the deletion replicates.
//!
//! Targets: services, replicas.
//!
//! Parameters: none.
//!
//! Bites when it begins, if the target holds data.
//!
//! Stands for: an administrator in the wrong window, ransomware. Only a backup that the deletion
//! cannot reach helps.

use super::{Effect, On, Params, SERVICES};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(_: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::Deletes);
}
