//! A bad change is pushed to the target and puts it out of service, until it is rolled back, wave
//! by wave.
//!
//! Targets: nodes, their parts, links, services, domains, groups.
//!
//! Parameters:
//! - `waves`: for each group, when the change is rolled back at its sites (instants or offsets):
//!   `{jan-22: 2019-01-22T06:30:00Z, jan-23: …}`. Sites of no wave do not get the change. Each
//!   wave is a fault of its own in every report, named after both: `push-jan-22`. Default: the
//!   change is everywhere, and rolled back at once when the fault ends.
//! - `how`: `blackhole` (default) or `refuse`.
//!
//! Bites when a check, a request or a routing decision meets the target while the change is in
//! place.
//!
//! Stands for: a wrong routing policy, a firewall rule in the wrong order, an image that does not
//! start. What comes back in waves, after changes made overnight, looks like this.

use super::{Effect, How, On, Params, how};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = &[On::Node, On::Part, On::Link, On::Service];

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    params.waves = f.raw("waves").is_some();
    params
        .effects
        .push(Effect::Down(Some(how(f).unwrap_or(How::BlackHole))));
}
