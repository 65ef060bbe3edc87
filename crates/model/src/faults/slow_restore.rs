//! Restores of the target's data go slower than planned.
//!
//! Targets: services.
//!
//! Parameters:
//! - `left`: the share of the restore rate that is left (a share above 0%). Required.
//!
//! Bites when a restore begins while it is on, or it begins while a restore is under way.
//!
//! Stands for: a tape library with one drive, a backup store whose line is shared, encryption that
//! nobody had timed. A restore of 6 hours at 25% takes 24.

use super::{Effect, On, Params};
use crate::file::cx::Fields;
use assize_fault::Ppb;

pub(super) const TARGETS: &[On] = &[On::Service];

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    let left = f.share("left");
    if !f.has("left") || left == Some(Ppb::ZERO) {
        let what = "`slow-restore` states the share of the restore rate that is left, above 0%";
        f.cx.error(f.at, what, "for example `left: 25%`");
    }
    let left = left.filter(|l| *l > Ppb::ZERO).unwrap_or(Ppb::ONE);
    params.effects.push(Effect::RestoreSlows(left));
}
