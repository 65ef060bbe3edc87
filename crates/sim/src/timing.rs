//! How long one call takes over a path, and which share of calls ends well.
//!
//! A userspace proxy cannot lose a segment of a TCP stream, so loss is what TCP makes of it:
//! delay. Each lost packet costs one retransmission timeout (RFC 6298: at least 200 ms as on
//! Linux, or the round trip and 200 ms); a call whose packets lose more of them than its time
//! allows fails.

use assize_control::fabric::{Quality, times};
use assize_fault::{Nanos, Ppb};
use assize_model::topology::{Journey, Retry};

const PACKET: u64 = 1460;

/// The time of one call without loss, and the share of tries of it that end well in time.
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
        share = times(share, survives(path.passes, packets, slack / cost));
    }
    (time, share)
}

/// The share of attempts of which at least one of so many tries ends well.
pub(crate) fn at_least_once(share: Ppb, tries: u32) -> Ppb {
    if share == Ppb::ONE {
        return share;
    }
    let fail = share.complement();
    let all = (1..tries.min(64)).fold(fail, |all, _| times(all, fail));
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

/// When the later tries of an attempt start, if each earlier one takes `fails_after` to fail
/// and a try that takes `takes` must end before the attempt's time is over.
pub(crate) fn offsets(
    retry: Retry,
    timeout: Nanos,
    fails_after: Nanos,
    takes: Nanos,
) -> Vec<Nanos> {
    let mut list = Vec::new();
    let mut at = Nanos::ZERO;
    let mut wait = i128::from(retry.wait.0);
    for _ in 1..retry.tries.min(1000) {
        let next = i128::from(at.0) + i128::from(fails_after.0) + wait;
        if next >= i128::from(timeout.0) || next + i128::from(takes.0) > i128::from(timeout.0) {
            break;
        }
        at = Nanos(next as i64);
        list.push(at);
        wait = wait * i128::from(retry.factor_milli) / 1000;
    }
    list
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

    const RETRY: Retry = Retry {
        tries: 3,
        wait: Nanos::secs(2),
        factor_milli: 2000,
        each: Nanos::secs(3),
    };

    #[test]
    fn later_tries_start_after_a_failure_and_a_growing_pause() {
        // Refused at once: 0, 2, 6 s. Silent for 3 s each: 0, 5, and 12 s is too late.
        assert_eq!(
            offsets(RETRY, Nanos::secs(10), Nanos::ZERO, Nanos::ZERO),
            vec![Nanos::secs(2), Nanos::secs(6)]
        );
        assert_eq!(
            offsets(RETRY, Nanos::secs(10), Nanos::secs(3), Nanos::ZERO),
            vec![Nanos::secs(5)]
        );
    }
}
