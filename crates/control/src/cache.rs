//! Leases, tickets and sessions that clients keep: renewed at one age, void at another.
//!
//! With renewal at half the lease (DHCP's T1, RFC 2131), ages are spread evenly over 0 to T1
//! at any instant. When the server stops, nobody is hurt until the first client that was due
//! for renewal reaches the end of its lease; then clients drop out evenly; a due renewal
//! succeeds as soon as the server is back. Phases count from the first interruption, as ages
//! before it are not observable: cohort k is due (π(k) + ½)/64 of the renewal age after it.

use crate::lease::Lease;
use crate::matured::bits;
use assize_fault::Nanos;
use assize_model::topology::LeaseSpec;

/// The machine: one per place, access and need, for 64 cohorts, each with its [`Lease`].
#[derive(Clone, Debug)]
pub struct Cache {
    leases: Box<[Lease; 64]>,
    phase: [u8; 64],
    join_phase: [u8; 64],
    /// Set by the first interruption, or by the first opening for aligned ages.
    anchored: bool,
    joins_anchored: bool,
    /// Cohorts that hold a valid lease.
    valid: u64,
    /// Cohorts that can reach a server that answers.
    available: u64,
    /// Cohorts that asked and got no answer since the interruption began.
    unanswered: u64,
}

/// What a wake, or a change of availability, brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// Cohorts that lost their lease.
    pub lost: u64,
    /// Cohorts without a lease that can ask now.
    pub asks: u64,
    /// Cohorts whose renewal or join found no server.
    pub unanswered: u64,
}

impl Cache {
    /// Everyone holds a lease and can reach the server; a cohort joins every so often, or never.
    #[must_use]
    pub fn new(spec: &LeaseSpec, phase: [u8; 64], join_every: Nanos, join_phase: [u8; 64]) -> Self {
        Self {
            leases: Box::new([Lease::new(spec, join_every); 64]),
            phase,
            join_phase,
            anchored: false,
            joins_anchored: false,
            valid: u64::MAX,
            available: u64::MAX,
            unanswered: 0,
        }
    }

    /// Cohorts that hold a valid lease.
    #[must_use]
    pub const fn valid(&self) -> u64 {
        self.valid
    }

    /// Everyone obtained the lease at `now` (service hours open). Those who cannot reach a
    /// server fail at once.
    pub fn on_opening(&mut self, now: Nanos) -> Change {
        self.anchored = true;
        for lease in self.leases.iter_mut() {
            lease.on_granted(now);
        }
        let lost = self.valid & !self.available;
        self.valid &= self.available;
        self.unanswered |= lost;
        Change {
            lost,
            asks: self.available & !self.valid,
            unanswered: lost,
        }
    }

    /// From `now` on these cohorts can reach a server that answers.
    pub fn on_available(&mut self, now: Nanos, mask: u64) -> Change {
        let gone = self.available & !mask;
        let back = mask & !self.available;
        if gone == 0 && back == 0 {
            return Change::default();
        }
        if !std::mem::replace(&mut self.anchored, true) {
            for (lease, phase) in self.leases.iter_mut().zip(self.phase) {
                lease.anchor(now, phase);
            }
        }
        // Joins have phases of their own, also where ages are aligned.
        if !std::mem::replace(&mut self.joins_anchored, true) {
            for (lease, phase) in self.leases.iter_mut().zip(self.join_phase) {
                lease.anchor_joins(now, phase);
            }
        }
        for k in bits(gone) {
            self.leases[k].catch_up(now);
        }
        for k in bits(back & self.valid) {
            if self.leases[k].due() <= now {
                self.leases[k].on_granted(now);
            }
        }
        self.unanswered &= !back;
        self.available = mask;
        Change {
            lost: 0,
            asks: back & !self.valid,
            unanswered: 0,
        }
    }

    /// Nobody's lease is valid any more; those who can reach a server ask it at once.
    pub fn on_void(&mut self, now: Nanos) -> Change {
        self.anchored = true;
        let lost = std::mem::take(&mut self.valid);
        for k in bits(lost) {
            self.leases[k].on_void(now);
        }
        Change {
            lost,
            asks: self.available & lost,
            unanswered: lost & !self.available,
        }
    }

    /// These cohorts have obtained a lease at `now`.
    pub fn on_granted(&mut self, now: Nanos, mask: u64) {
        for k in bits(mask) {
            self.leases[k].on_granted(now);
        }
        self.valid |= mask;
    }

    /// Renewals and joins that find no server, and leases that end.
    pub fn on_wake(&mut self, now: Nanos) -> Change {
        let mut change = Change::default();
        for k in bits(!self.available & self.valid) {
            let (bit, lease) = (1 << k, &self.leases[k]);
            if lease.due() <= now && self.unanswered & bit == 0 {
                self.unanswered |= bit;
                change.unanswered |= bit;
            }
            if lease.ends_at() <= now {
                change.unanswered |= bit;
                change.lost |= bit;
            }
        }
        self.valid &= !change.lost;
        change
    }

    /// When the next renewal fails, or the next lease ends.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        bits(!self.available & self.valid)
            .map(|k| {
                let asked = self.unanswered & (1 << k) != 0;
                let lease = &self.leases[k];
                if asked {
                    lease.ends_at()
                } else {
                    lease.asks_at()
                }
            })
            .min()
            .filter(|at| !at.is_never())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(join_every: Nanos) -> Cache {
        let spec = LeaseSpec {
            renew: Nanos::secs(2000),
            expire: Nanos::secs(4000),
            aligned: false,
        };
        let identity = core::array::from_fn(|k| k as u8);
        Cache::new(&spec, identity, join_every, identity)
    }

    /// Runs an interruption from 0 to `to`; returns (instant, cohorts without) after each change.
    fn interruption(cache: &mut Cache, to: Nanos) -> Vec<(Nanos, u32)> {
        cache.on_available(Nanos::ZERO, 0);
        let mut log = Vec::new();
        while let Some(at) = cache.next_wake().filter(|at| *at < to) {
            if cache.on_wake(at).lost != 0 {
                log.push((at, (!cache.valid()).count_ones()));
            }
        }
        let asks = cache.on_available(to, u64::MAX).asks;
        assert_eq!(asks, !cache.valid());
        cache.on_granted(to, asks);
        log
    }

    #[test]
    fn nobody_is_hurt_before_expire_less_renew() {
        assert_eq!(
            interruption(&mut lease(Nanos::NEVER), Nanos::secs(1800)),
            vec![]
        );
    }

    #[test]
    fn then_cohorts_drop_out_evenly() {
        let log = interruption(&mut lease(Nanos::NEVER), Nanos::secs(2500));
        // The first at 2,000 s + 2,000 s × ½/64; 16 of 64 by 2,500 s.
        assert_eq!(log.first(), Some(&(Nanos(2_015_625_000_000), 1)));
        assert_eq!(log.last().map(|l| l.1), Some(16));
    }

    #[test]
    fn a_renewal_without_answer_is_seen_though_nobody_is_hurt() {
        let mut cache = lease(Nanos::NEVER);
        cache.on_available(Nanos::ZERO, 0);
        let at = cache.next_wake().unwrap_or_default();
        assert_eq!(at, Nanos(15_625_000_000));
        let change = cache.on_wake(at);
        assert_eq!((change.unanswered, change.lost), (1, 0));
    }

    #[test]
    fn who_was_served_late_is_due_later_the_next_time() {
        let mut cache = lease(Nanos::NEVER);
        interruption(&mut cache, Nanos::secs(1000));
        // Cohort 0 was due at 15.6 s and renewed at 1,000 s: its lease now ends at 5,000 s.
        cache.on_available(Nanos::secs(1000), 0);
        assert_eq!(cache.leases[0].ends_at(), Nanos::secs(5000));
        // Cohort 63 was never due: still 1,984.4 s, void 2,000 s after it.
        assert_eq!(cache.leases[63].ends_at(), Nanos(3_984_375_000_000));
    }

    #[test]
    fn who_joins_meanwhile_fails_at_once() {
        // 5 % an hour: each cohort joins every 20 h; the first after 20 h × ½/64 = 562.5 s.
        let log = interruption(&mut lease(Nanos::hours(20)), Nanos::secs(1800));
        assert_eq!(
            log,
            vec![(Nanos(562_500_000_000), 1), (Nanos(1_687_500_000_000), 2)]
        );
    }

    #[test]
    fn who_joins_meanwhile_fails_at_once_also_where_ages_are_aligned() {
        let mut cache = lease(Nanos::hours(20));
        cache.on_opening(-Nanos::secs(100));
        let log = interruption(&mut cache, Nanos::secs(600));
        assert_eq!(log, vec![(Nanos(562_500_000_000), 1)]);
    }
}
