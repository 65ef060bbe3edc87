//! One shard of a sharded service is out; the others serve on.
//!
//! Targets: shards (`service/cjsm/3`), replicas of sharded services.
//!
//! Parameters:
//! - `how`: `refuse` (default) or `blackhole`.
//!
//! Bites when a user of that shard makes a request, or a check asks for it.
//!
//! Stands for: the fault of the secure e-mail service CJSM in January 2019, when one part of the
//! users could not send for a day and a half while all others could.

use super::{Effect, How, On, Params, SHARDS, how};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SHARDS;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    params
        .effects
        .push(Effect::Down(Some(how(f).unwrap_or(How::Refuse))));
}
