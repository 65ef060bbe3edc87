//! The clock of a service is wrong. Beyond a tolerance its tickets, and those shown to it, are
//! not valid: it turns everybody away who needs a new one, while its machine is well.
//!
//! Targets: services, replicas.
//!
//! Parameters:
//! - `by`: how wrong the clock is (a duration). Required.
//! - `tolerance`: how wrong it may be (a duration). Default 5m, as in Kerberos (RFC 4120).
//!
//! Bites when a client signs in, or renews a ticket, while it is on; never within the tolerance.
//!
//! Stands for: a time server that is not reached, a virtual machine that was paused. Tickets that
//! clients hold already are good until they end.

use super::{Effect, How, On, Params, SERVICES};
use crate::file::cx::Fields;
use assize_fault::Nanos;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    if !f.has("by") {
        let what = "`clock-skew` states by how much the clock is wrong";
        f.cx.error(f.at, what, "for example `by: 7m`");
    }
    let tolerance = f.duration_or("tolerance", Nanos::mins(5));
    if f.duration("by").is_some_and(|by| by > tolerance) {
        params.effects.push(Effect::NoAnswer(How::Refuse));
    }
}
