//! Backups of the target that begin while it is on cannot be restored, and nobody knows.
//!
//! Targets: services.
//!
//! Parameters: none.
//!
//! Bites when a backup begins while it is on, or a restore chooses one of those.
//!
//! Stands for: a job that reports success and writes nothing, a key that is lost, a tape that was
//! never read back. A restore then falls back to the last backup before it.

use super::{Effect, On, Params, SERVICES};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(_: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::BadBackup);
}
