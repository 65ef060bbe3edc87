//! The certificate of a service has run out: clients refuse it at once, while its process and its
//! machine are well.
//!
//! Targets: services, replicas.
//!
//! Parameters: none.
//!
//! Bites when a request, a renewal, a lookup or a check with `probes: service` meets it.
//!
//! Stands for: a certificate that nobody renewed. All replicas usually share it, so failing over
//! does not help; a check that only asks whether the machine answers stays green.

use super::{Effect, How, On, Params, SERVICES};
use crate::file::cx::Fields;

pub(super) const TARGETS: &[On] = SERVICES;

pub(super) fn read(_: &Fields<'_>, params: &mut Params) {
    params.effects.push(Effect::NoAnswer(How::Refuse));
}
