//! Bytes and bandwidths, thinned together by one factor.
//!
//! What a transfer takes is bytes over bandwidth, so both can be divided by the same number and
//! no figure changes; but the machine has less to carry, and its own slowness is in every figure.
//! Real services get every byte: it is they who are measured.

use assize_fault::{Bandwidth, Size};
use assize_model::Plan;
use assize_model::binding::Realisation;

/// The most that one attempt moves in one direction after thinning.
const MOST: u64 = 16 << 10;

/// What is left of the narrowest line, in bytes per second on the wall: the heads of requests are
/// not thinned, and would fill it.
const LEAST_LINE: u64 = 64 << 10;

/// By how much the bytes of this plan are thinned at a pace, where this is the narrowest line that
/// anything leads over; 1: not at all.
pub(crate) fn factor(plan: &Plan<'_>, pace: u32, narrowest: Option<Bandwidth>) -> u32 {
    let services = &plan.topology.services;
    let embedded =
        |s: &assize_model::topology::Service| matches!(s.realised, Realisation::StandIn(_));
    if !services.iter().all(embedded) {
        return 1;
    }
    let journeys = plan.topology.journeys.iter();
    let most = journeys.map(|j| j.sends.0.max(j.receives.0)).max();
    let wall = |line: Bandwidth| line.0 / 8 * u64::from(pace) / LEAST_LINE;
    let fits = narrowest.map_or(u64::MAX, wall);
    let wanted = most.unwrap_or(0).div_ceil(MOST);
    u32::try_from(wanted.min(fits).max(1)).unwrap_or(u32::MAX)
}

/// What is left of so many bytes; something stays of something.
pub(crate) fn thinned(size: Size, factor: u32) -> Size {
    Size(size.0.div_ceil(u64::from(factor.max(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_stays_of_something() {
        assert_eq!(thinned(Size(0), 64), Size(0));
        assert_eq!(thinned(Size(1), 64), Size(1));
        assert_eq!(thinned(Size(64_000), 64), Size(1_000));
    }
}
