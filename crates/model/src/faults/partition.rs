//! Nothing passes between the target and the far side; both stay up.
//!
//! Targets: nodes, links, services, replicas, flows, domains, groups.
//!
//! Parameters:
//! - `against` (or `from`): selectors of the far side. Required, except for links and flows, which
//!   are cut along their length.
//! - `one_way`: `out` (nothing leaves the target) or `in` (nothing reaches it). Default: neither
//!   way.
//!
//! Bites when a packet, a check, a shipment of data or a routing decision would have crossed the
//! cut.
//!
//! Stands for: a firewall rule pushed to one side, a routing error between two data centres, a
//! link that fails in one direction only. The classic cause of a split brain.

use super::{Direction, Effect, On, PLACES, Params};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = PLACES;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    let along = f.has("against") || f.has("from");
    params.against = Some(if f.has("against") { "against" } else { "from" });
    params.against_required = !along;
    f.ignore(&["against", "from"]);
    let words = [("out", Direction::Out), ("in", Direction::In)];
    params.effects.push(Effect::Cut(
        f.choice("one_way", &words).unwrap_or(Direction::Both),
    ));
}
