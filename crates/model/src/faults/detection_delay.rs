//! Nobody comes to know of what is wrong with the target: a `respond` that would notice a fault on
//! it waits until this is over.
//!
//! Targets: nodes, their parts, links, services, replicas, domains, groups.
//!
//! Parameters: none.
//!
//! Bites when people would have noticed a fault on the target while it is on.
//!
//! Stands for: a monitoring system that is down or watches something else, an alarm that is muted,
//! a call that waits in a queue. On 7 April 2021 it took 91 minutes until the people who could mend
//! the name servers were told.

use super::{Effect, On, Params, WORSE};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = WORSE;

pub(super) fn read(_: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::Unwatched);
}
