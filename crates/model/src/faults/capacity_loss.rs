//! Less of the target's capacity is left.
//!
//! Targets: services, replicas, links (their bandwidth), domains.
//!
//! Parameters, exactly one of them:
//! - `left`: the share of the capacity that is left (a share).
//! - `lost`: the share that is gone (a share).
//!
//! Bites when a request or a flow meets the target while it is on.
//!
//! Stands for: servers withdrawn from a pool, a licence limit, a
//! circuit that fell back to a lower rate.

use super::{Effect, LOADED, On, Params};
use crate::file::cx::Fields;
use assize_fault::Ppb;

pub(super) const TARGETS: &[On] = LOADED;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    let left = match (f.share("left"), f.share("lost")) {
        (Some(left), None) => left,
        (None, Some(lost)) => lost.complement(),
        // One that is written but is no share has been reported.
        _ if f.has("left") != f.has("lost") => Ppb::ONE,
        _ => {
            let what = "`capacity-loss` states `left` or `lost`, and not both";
            f.cx.error(f.at, what, "for example `left: 40%`");
            Ppb::ONE
        }
    };
    params.effects.push(Effect::Capacity(left));
}
