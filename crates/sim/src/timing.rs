//! How long one call takes over a path, and which share of calls ends well.
//!
//! A userspace proxy cannot lose a segment of a TCP stream, so loss is what TCP makes of it:
//! delay. Each lost packet costs one retransmission timeout (RFC 6298: at least 200 ms as on
//! Linux, or the round trip and 200 ms); a call whose packets lose more of them than its time
//! allows fails.

use crate::route::Quality;
use assize_fault::{Nanos, Ppb};
use assize_model::topology::Journey;

const PACKET: u64 = 1460;

/// The time of one call without loss, and the share of calls that end well in time.
pub(crate) fn one_call(
    journey: &Journey,
    path: &Quality,
    calls: u64,
    service_time: Nanos,
) -> (Nanos, Ppb) {
    let trips = i64::from(journey.round_trips.max(1));
    let round_trip = (path.latency + path.jitter) * 2;
    let bytes = journey.sends.0 + journey.receives.0;
    let transfer = path.bandwidth.map_or(Nanos::ZERO, |b| b.time_for(bytes));
    let time = Nanos(
        (round_trip + service_time)
            .0
            .saturating_mul(trips)
            .saturating_add(transfer.0)
            .min(Nanos::NEVER.0),
    );
    let mut share = path.correct;
    if path.passes != Ppb::ONE {
        // The slack of the attempt is shared by the calls that it makes.
        let limit = journey.timeout.min(journey.retry.each);
        let slack = (limit - time).0.max(0) / calls.max(1) as i64;
        let cost = (round_trip + Nanos::millis(200)).0;
        let packets = (2 * trips as u64 + bytes.div_ceil(PACKET)).min(1_000_000);
        share = crate::route::times(share, survives(path.passes, packets, slack / cost));
    }
    let tries = journey.retry.tries.max(1);
    (time, at_least_once(share, tries))
}

/// The share of attempts of which at least one of so many tries ends well.
fn at_least_once(share: Ppb, tries: u32) -> Ppb {
    let fail = share.complement();
    let all = (1..tries.min(64)).fold(fail, |all, _| crate::route::times(all, fail));
    all.complement()
}

/// The probability that of `packets` sent until each has arrived, at most `losses` are lost:
/// a negative binomial distribution, summed with multiplications only, so that every machine
/// gets the same bits.
fn survives(passes: Ppb, packets: u64, losses: i64) -> Ppb {
    let p = passes.as_f64();
    let mut base = p;
    let mut term = 1.0;
    let mut n = packets;
    while n > 0 {
        if n & 1 == 1 {
            term *= base;
        }
        base *= base;
        n >>= 1;
    }
    let mut sum = term;
    for j in 1..=losses.min(10_000) {
        term *= (packets as f64 + j as f64 - 1.0) / j as f64 * (1.0 - p);
        sum += term;
    }
    Ppb((sum * 1e9) as u64).min(Ppb::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_follow_the_negative_binomial_distribution() {
        // One packet at 10 % loss: 90 % without loss, 99 % with one retransmission allowed.
        assert_eq!(survives(Ppb(900_000_000), 1, 0), Ppb(900_000_000));
        let one = survives(Ppb(900_000_000), 1, 1).0;
        assert!((989_999_999..=990_000_001).contains(&one), "{one}");
        // Two packets, none lost: 81 %.
        let two = survives(Ppb(900_000_000), 2, 0).0;
        assert!((809_999_999..=810_000_001).contains(&two), "{two}");
    }

    #[test]
    fn three_tries_at_ten_per_cent_errors_fail_once_in_a_thousand() {
        assert_eq!(at_least_once(Ppb(900_000_000), 3), Ppb(999_000_000));
        assert_eq!(at_least_once(Ppb(900_000_000), 1), Ppb(900_000_000));
    }
}
