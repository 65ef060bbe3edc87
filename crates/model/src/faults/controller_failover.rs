//! The active unit of a redundant node fails, and everybody whose way leads through the node has to
//! sign in anew when the other unit has taken over.
//!
//! Targets: units of nodes (`node/wlc/a`).
//!
//! Parameters:
//! - `sessions`: the services whose sessions the unit kept (selectors). Required: what users hold
//!   of them, over an access that leads through the node, is void at once.
//!
//! Bites when the unit was the active one and a session was lost, or when a request meets the node
//! while no unit serves.
//!
//! Stands for: a pair of Wi-Fi controllers that do not share their clients' keys. The outage is the
//! time of switching over; the storm of sign-ins after it can be far longer.

use super::{Effect, On, Params};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = &[On::Unit];

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    params.against = Some("sessions");
    params.against_required = !f.has("sessions");
    // Which unit is the active one is seen before it fails.
    params.effects.push(Effect::SessionsLost);
    params.effects.push(Effect::Down(None));
}
