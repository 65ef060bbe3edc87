//! The target reaches nobody and nobody reaches it, except what runs on its own node.
//!
//! Targets: nodes, services, replicas (also `service/db@primary`), domains.
//!
//! Parameters:
//! - `spare`: selectors of nodes or groups whose clients still reach it. Default: none.
//!
//! Bites when a check, a request or a shipment of data meets the cut.
//!
//! Stands for: a top-of-rack switch that dies, a primary that lost its network and does not know
//! it. An isolated primary may still acknowledge writes to clients on its own side.

use super::{Effect, On, PLACES, Params};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = PLACES;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    params.against = Some("spare");
    f.ignore(&["spare"]);
    params.effects.push(Effect::Isolate);
}
