//! The target goes out of service and comes back, over and over, beginning with out.
//!
//! Targets: nodes, their parts and units, links, services, replicas, flows, domains, groups.
//!
//! Parameters:
//! - `down`: how long it is out each time (a duration, at least 1ms). Required.
//! - `up`: how long it is in service between (a duration, at least 1ms). Required.
//! - `how`: `blackhole` (default) or `refuse`.
//!
//! Bites when a check, a request or a routing decision meets the target while it is out.
//!
//! Stands for: a route that comes and goes, a controller that restarts in a loop, the intermittent
//! service of 16 to 21 January 2019. Fail-over that takes longer than `up` never catches up.

use super::{ANY, Effect, How, On, Params, how};
use crate::file::cx::Fields;
use crate::scenario::Flap;

pub(super) const TARGETS: &[On] = ANY;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    let (down, up) = (f.period("down"), f.period("up"));
    if !f.has("down") || !f.has("up") {
        f.cx.error(
            f.at,
            "`flap` needs `down` and `up`",
            "for example `down: 2m, up: 10m`",
        );
    }
    params.flap = down.zip(up).map(|(down, up)| Flap { down, up });
    params
        .effects
        .push(Effect::Down(Some(how(f).unwrap_or(How::BlackHole))));
}
