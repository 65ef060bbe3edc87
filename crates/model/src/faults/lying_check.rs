//! Health checks of the target exercise only the machine that it runs on.
//!
//! Targets: services, replicas.
//!
//! Parameters: none.
//!
//! Bites when a check sees the target well while its users are not served.
//!
//! Stands for: a check that asks for a static page, a port that is open although the process behind
//! it hangs. Fail-over never starts, because nothing looks broken.

use super::{Effect, On, Params, SERVICES};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(_: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::CheckLies);
}
