//! Demand against capacity: what share of attempts a service serves in time.
//!
//! Fluid: requests arrive at a rate and are served at a rate, and what is left over waits. Where
//! waiting work stays fresh (the queue is short, or stale work is thrown away), an overloaded
//! service does useful work at its full capacity and C/λ of the attempts end well, however
//! often clients try again: with p of the tries served, λ(1 − (1 − p)^t)/p tries arrive, and
//! p = C over that, so that 1 − (1 − p)^t = C/λ. Where stale work is served, nothing ends well
//! once the wait is longer than clients' patience; every attempt then makes all of its tries,
//! and if those alone exceed the capacity, the service stays down after the cause is gone
//! (N. Bronson et al., "Metastable failures in distributed systems", HotOS 2021).

use assize_fault::{Nanos, Ppb};
use assize_model::topology::QueueSpec;

/// The machine. Rates are in millionths of a request per second; what waits is kept in rate ×
/// nanoseconds, so that nothing is ever rounded.
#[derive(Clone, Debug)]
pub struct Load {
    /// Of each server.
    max: Option<u64>,
    servers: u64,
    stale_after: Option<Nanos>,
    patience: Nanos,
    capacity: i128,
    /// First tries, and all tries if each attempt makes as many as it may.
    demand: i128,
    all_tries: i128,
    waiting: i128,
    at: Nanos,
    share: Ppb,
    /// Requests that arrived over those of first tries, in thousandths, at worst.
    amplified: u64,
}

impl Load {
    /// Nothing waits. `patience`: how long a client's try may wait for its turn.
    #[must_use]
    pub const fn new(queue: &QueueSpec, patience: Nanos) -> Self {
        Self {
            max: queue.max,
            servers: 1,
            stale_after: queue.stale_after,
            patience,
            capacity: 0,
            demand: 0,
            all_tries: 0,
            waiting: 0,
            at: Nanos::ZERO,
            share: Ppb::ONE,
            amplified: 1000,
        }
    }

    /// Requests that arrived over requests that users made, in thousandths, at worst.
    #[must_use]
    pub const fn amplification(&self) -> u64 {
        self.amplified
    }

    /// The share of attempts that begin now and end well.
    #[must_use]
    pub const fn share(&self) -> Ppb {
        self.share
    }

    /// What of the capacity requests take now, in millionths of a request per second; the rest is
    /// free for other work of the same service.
    #[must_use]
    pub fn taken(&self) -> u64 {
        let inflow = self.growth() + self.capacity;
        let taken = if self.waiting > 0 {
            self.capacity
        } else {
            inflow.min(self.capacity)
        };
        taken as u64
    }

    /// Requests that wait, in millionths.
    #[must_use]
    pub fn waiting(&self, now: Nanos) -> u64 {
        ((self.waiting_at(now)) / 1_000_000_000) as u64
    }

    /// From `now` on, so much can be served, by so many servers, and so much is asked for (millionths of a request
    /// per second): by first tries, and if every attempt makes all of its tries.
    pub fn on_rates(
        &mut self,
        now: Nanos,
        capacity: u64,
        servers: u64,
        demand: u64,
        all_tries: u64,
    ) {
        self.advance(now);
        self.servers = servers.max(1);
        (self.capacity, self.demand) = (i128::from(capacity), i128::from(demand));
        self.all_tries = i128::from(all_tries);
        if capacity == 0 {
            // Nobody serves: what waited is lost with the processes that held it.
            self.waiting = 0;
        }
        self.decide();
    }

    /// How long a request that arrives now waits.
    #[must_use]
    pub fn wait(&self, now: Nanos) -> Nanos {
        if self.capacity == 0 {
            return Nanos::ZERO;
        }
        let ns = self.waiting_at(now) / self.capacity;
        Nanos(ns.min(i128::from(Nanos::NEVER.0)) as i64)
    }

    /// Clients that call from `now` on wait no longer than this for their turn.
    pub fn on_patience(&mut self, now: Nanos, patience: Nanos) {
        self.advance(now);
        self.patience = patience.max(Nanos::ZERO);
        self.decide();
    }

    /// A bound may have been reached.
    pub fn on_wake(&mut self, now: Nanos) {
        self.advance(now);
        self.decide();
    }

    /// When the next bound is reached.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        let growth = self.growth();
        let to = match growth.signum() {
            1 => [self.limit(), self.fresh_limit()]
                .into_iter()
                .flatten()
                .filter(|l| *l > self.waiting)
                .min()?,
            -1 if self.waiting > 0 => {
                let stale = self.fresh_limit().filter(|l| *l < self.waiting);
                stale.unwrap_or(0)
            }
            _ => return None,
        };
        let distance = (to - self.waiting).abs();
        let ns = distance / growth.abs() + i128::from(distance % growth.abs() != 0);
        Some(self.at + Nanos(ns.min(i128::from(Nanos::NEVER.0)) as i64)).filter(|t| !t.is_never())
    }

    /// Whether nothing that waits is ever older than clients' patience.
    fn stays_fresh(&self) -> bool {
        let full = self
            .max
            .map(|m| i128::from(m * self.servers) * 1_000_000 * 1_000_000_000);
        self.stale_after.is_some_and(|age| age <= self.patience)
            || full.is_some_and(|f| f <= self.capacity * i128::from(self.patience.0))
    }

    /// The most that can wait; `None`: without bound.
    fn limit(&self) -> Option<i128> {
        let full = self
            .max
            .map(|m| i128::from(m * self.servers) * 1_000_000 * 1_000_000_000);
        let old = self
            .stale_after
            .map(|age| self.capacity * i128::from(age.0));
        match (full, old) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// So much waits when the wait is as long as clients' patience, where it can get longer.
    fn fresh_limit(&self) -> Option<i128> {
        (!self.stays_fresh()).then(|| self.capacity * i128::from(self.patience.0))
    }

    fn growth(&self) -> i128 {
        let inflow = if self.share == Ppb::ZERO {
            self.all_tries
        } else {
            self.demand
        };
        inflow - self.capacity
    }

    fn waiting_at(&self, now: Nanos) -> i128 {
        let grows = if self.capacity == 0 { 0 } else { self.growth() };
        let grown = self.waiting + grows * i128::from((now - self.at).0.max(0));
        let most = self
            .limit()
            .filter(|_| self.growth() > 0)
            .unwrap_or(i128::MAX);
        grown.clamp(0, most.max(self.waiting))
    }

    fn advance(&mut self, now: Nanos) {
        self.waiting = self.waiting_at(now);
        self.at = now;
    }

    fn decide(&mut self) {
        let overloaded = self.demand > self.capacity;
        self.share = if self.capacity == 0 && self.demand > 0 {
            Ppb::ZERO
        } else if let Some(limit) = self.fresh_limit() {
            // On the boundary it depends on which way the wait goes.
            let beyond = self.waiting > limit
                || (self.waiting == limit && self.waiting > 0 && self.demand >= self.capacity);
            if beyond { Ppb::ZERO } else { Ppb::ONE }
        } else if overloaded && self.limit().is_some_and(|l| self.waiting >= l) {
            Ppb((self.capacity * 1_000_000_000 / self.demand) as u64)
        } else {
            Ppb::ONE
        };
        if self.demand > 0 {
            self.amplified = self.amplified.max(self.arriving());
        }
    }

    /// What arrives now for each request of a user, in thousandths: each try fails with q, so
    /// that 1 − qᵗ of the attempts end well after (1 − qᵗ)/(1 − q) tries.
    fn arriving(&self) -> u64 {
        let tries = (self.all_tries / self.demand).clamp(1, 1000);
        if self.share == Ppb::ONE {
            return 1000;
        }
        if self.share == Ppb::ZERO {
            return (self.all_tries * 1000 / self.demand) as u64;
        }
        let failing = 1.0 - self.share.as_f64();
        let (mut low, mut high) = (0.0, 1.0);
        // Halving, with multiplications only, so that every machine gets the same bits.
        for _ in 0..60 {
            let q = f64::midpoint(low, high);
            let all = (0..tries).fold(1.0, |all, _| all * q);
            if all < failing { low = q } else { high = q }
        }
        (self.share.as_f64() / (1.0 - low) * 1000.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_model::topology::WhenFull;

    const fn per_second(n: u64) -> u64 {
        n * 1_000_000
    }

    fn queue(max: Option<u64>, stale_after: Option<Nanos>) -> QueueSpec {
        QueueSpec {
            max,
            when_full: WhenFull::Refuse,
            stale_after,
        }
    }

    #[test]
    fn a_short_queue_keeps_an_overloaded_service_useful() {
        // 150 asked, 100 served: the queue of 200 fills in 4 s, then two thirds are served.
        let mut load = Load::new(&queue(Some(200), None), Nanos::secs(3));
        load.on_rates(
            Nanos::ZERO,
            per_second(100),
            1,
            per_second(150),
            per_second(450),
        );
        assert_eq!(
            (load.share(), load.next_wake()),
            (Ppb::ONE, Some(Nanos::secs(4)))
        );
        load.on_wake(Nanos::secs(4));
        assert_eq!(load.share(), Ppb(666_666_666));
        // Three tries of which each fails with q = (1/3)^(1/3) = 0.69336 are 2/3 / (1 - q).
        assert_eq!(load.amplification(), 2174);
        assert_eq!(load.next_wake(), None);
        // Demand falls: served at once, and the 200 are gone after 4 s at 50 a second.
        load.on_rates(
            Nanos::secs(10),
            per_second(100),
            1,
            per_second(50),
            per_second(150),
        );
        assert_eq!(
            (load.share(), load.next_wake()),
            (Ppb::ONE, Some(Nanos::secs(14)))
        );
        assert_eq!(load.waiting(Nanos::secs(12)), 100 * 1_000_000);
    }

    #[test]
    fn stale_work_and_retries_keep_a_service_down_after_the_cause() {
        let mut load = Load::new(&queue(None, None), Nanos::secs(3));
        load.on_rates(
            Nanos::ZERO,
            per_second(100),
            1,
            per_second(200),
            per_second(600),
        );
        // 300 wait after 3 s: three seconds of work.
        assert_eq!(load.next_wake(), Some(Nanos::secs(3)));
        assert_eq!(load.amplification(), 1000);
        load.on_wake(Nanos::secs(3));
        assert_eq!((load.share(), load.amplification()), (Ppb::ZERO, 3000));
        // Demand falls to half the capacity, but each attempt makes three tries.
        load.on_rates(
            Nanos::secs(10),
            per_second(100),
            1,
            per_second(50),
            per_second(150),
        );
        assert_eq!((load.share(), load.next_wake()), (Ppb::ZERO, None));
        // Without retries it would drain: 300 + 7 × 500 = 3,800, above 300 by 3,500, at 50/s.
        load.on_rates(
            Nanos::secs(10),
            per_second(100),
            1,
            per_second(50),
            per_second(50),
        );
        assert_eq!(load.next_wake(), Some(Nanos::secs(80)));
        load.on_wake(Nanos::secs(80));
        assert_eq!(load.share(), Ppb::ONE);
    }

    #[test]
    fn what_requests_leave_of_the_capacity_is_free() {
        let mut load = Load::new(&queue(Some(200), None), Nanos::secs(3));
        load.on_rates(Nanos::ZERO, per_second(100), 1, per_second(80), 0);
        assert_eq!(load.taken(), per_second(80));
        // Overloaded it takes all, and so it does while what waits is worked off: 50 a second
        // too many for one second wait, and with 50 fewer than it can do it takes a second.
        load.on_rates(Nanos::secs(1), per_second(100), 1, per_second(150), 0);
        assert_eq!(load.taken(), per_second(100));
        load.on_rates(Nanos::secs(2), per_second(100), 1, per_second(50), 0);
        assert_eq!(load.taken(), per_second(100));
        load.on_wake(Nanos::secs(3));
        assert_eq!(load.taken(), per_second(50));
    }

    #[test]
    fn the_wait_is_what_waits_over_the_capacity() {
        // 50 a second too many for 2 s: 100 wait, a second's work. On half the capacity it is two.
        let mut load = Load::new(&queue(None, None), Nanos::secs(3));
        load.on_rates(Nanos::ZERO, per_second(100), 1, per_second(150), 0);
        assert_eq!(load.wait(Nanos::secs(2)), Nanos::secs(1));
        load.on_rates(Nanos::secs(2), per_second(50), 1, per_second(50), 0);
        assert_eq!(
            (load.wait(Nanos::secs(2)), load.share()),
            (Nanos::secs(2), Ppb::ONE)
        );
        // A client whose path takes half of its three seconds does not wait that long.
        load.on_patience(Nanos::secs(2), Nanos::millis(1500));
        assert_eq!(load.share(), Ppb::ZERO);
    }

    #[test]
    fn below_capacity_nothing_waits() {
        let mut load = Load::new(&queue(None, None), Nanos::secs(3));
        load.on_rates(
            Nanos::ZERO,
            per_second(100),
            1,
            per_second(100),
            per_second(300),
        );
        assert_eq!((load.share(), load.next_wake()), (Ppb::ONE, None));
        assert_eq!(load.waiting(Nanos::hours(1)), 0);
    }
}
