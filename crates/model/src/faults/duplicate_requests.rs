//! Every request to the target arrives several times over.
//!
//! Targets: services.
//!
//! Parameters:
//! - `times`: how often each request arrives (a whole number from 2 to 1000). Required.
//!
//! Bites when a request reaches the target while it is on, if the target has a capacity.
//!
//! Stands for: notifications that are sent again although the first was received, clients that
//! press the button twice, a message broker that delivers at least once. It costs capacity: where
//! the queue is short and drops what finds no room, part of the requests is never carried out.

use super::{Effect, On, Params};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = &[On::Service];

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    if !f.has("times") {
        let what = "`duplicate-requests` states how often each request arrives";
        f.cx.error(f.at, what, "for example `times: 2`");
    }
    let times = f.whole("times", 2, 1000).unwrap_or(2);
    params.effects.push(Effect::Repeated(times as u32));
}
