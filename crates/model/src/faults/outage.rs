//! The target is out of service.
//!
//! Targets: nodes, their parts and units, links, services, replicas, shards, flows, domains,
//! groups.
//!
//! Parameters:
//! - `how`: `blackhole` (packets vanish, open connections hang, new ones time out) or `refuse`
//!   (open connections are reset, new ones refused at once). Default: `blackhole` for nodes,
//!   links and domains, `refuse` (a crash) for services and replicas.
//! - `flap: {down, up}`: on for `down`, off for `up`, over and over. Default: on throughout.
//!
//! Bites when a check, a renewal, a request or a routing decision meets the target while it is
//! out.
//!
//! Stands for: a power cut, a cut fibre, a dead data centre, a crashed process. In January 2019
//! the core of one data centre was out of service for days.

use super::{ANY, Effect, On, Params, how};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = ANY;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::Down(how(f)));
}
