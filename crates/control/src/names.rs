//! Where clients send their requests: a DNS record with a TTL, or a virtual address (TTL 0).
//!
//! Clients look a name up again when its TTL is over, so a change reaches them spread over
//! one TTL. The moment of a client's last lookup is not observable before a change, so the
//! cohorts' phases count from the first change: cohort k follows it after (π(k) + ½)/64 of the
//! TTL, and looks the name up every TTL from then on.

use assize_fault::Nanos;

/// The machine, one per service.
#[derive(Clone, Debug)]
pub struct Names {
    ttl: Nanos,
    phase: [u8; 64],
    /// The first change; lookups of cohort k are at `anchor + phase + n × ttl`.
    anchor: Option<Nanos>,
    record: [u8; 64],
    view: [u8; 64],
    /// By replica, the cohorts whose view it is.
    masks: Vec<u64>,
    /// Cohorts whose view is older than the record, with their next lookup, latest first.
    waiting: Vec<(Nanos, u8)>,
}

impl Names {
    /// Clients and record agree on `target` for each cohort.
    #[must_use]
    pub fn new(ttl: Nanos, phase: [u8; 64], target: [u8; 64]) -> Self {
        let mut names = Self {
            ttl,
            phase,
            anchor: None,
            record: target,
            view: target,
            masks: Vec::new(),
            waiting: Vec::new(),
        };
        names.count();
        names
    }

    fn count(&mut self) {
        self.masks.fill(0);
        for (k, replica) in self.view.iter().enumerate() {
            let replica = usize::from(*replica);
            if self.masks.len() <= replica {
                self.masks.resize(replica + 1, 0);
            }
            self.masks[replica] |= 1 << k;
        }
    }

    /// The cohorts that send their requests to this replica.
    #[must_use]
    pub fn mask(&self, replica: u8) -> u64 {
        self.masks.get(usize::from(replica)).copied().unwrap_or(0)
    }

    /// The record changes; returns whether a view changed at once.
    pub fn on_record(&mut self, now: Nanos, record: [u8; 64]) -> bool {
        if record == self.record {
            return false;
        }
        self.record = record;
        if self.ttl == Nanos::ZERO {
            self.view = record;
            self.count();
            return true;
        }
        let anchor = *self.anchor.get_or_insert(now);
        self.waiting.clear();
        for k in 0..64u8 {
            if self.view[usize::from(k)] != record[usize::from(k)] {
                let offset = self.ttl.0 * (2 * i64::from(self.phase[usize::from(k)]) + 1) / 128;
                let next = now + (anchor + Nanos(offset) - now) % self.ttl;
                self.waiting.push((next, k));
            }
        }
        self.waiting.sort_unstable_by(|a, b| b.cmp(a));
        false
    }

    /// Lookups that are due; returns whether a view changed.
    pub fn on_wake(&mut self, now: Nanos) -> bool {
        let mut changed = false;
        while let Some((_, k)) = self.waiting.pop_if(|w| w.0 <= now) {
            let cohort = usize::from(k);
            let (old, new) = (self.view[cohort], self.record[cohort]);
            self.view[cohort] = new;
            self.masks[usize::from(old)] &= !(1 << k);
            if self.masks.len() <= usize::from(new) {
                self.masks.resize(usize::from(new) + 1, 0);
            }
            self.masks[usize::from(new)] |= 1 << k;
            changed = true;
        }
        changed
    }

    /// When the next lookup brings something new.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        self.waiting.last().map(|w| w.0)
    }
}

/// Deals the cohorts out to replicas, evenly, so that one more replica takes some cohorts of
/// each of the others and changes nothing else. `rank` is the order in which they are given up;
/// cohorts of equal rank stay together.
#[must_use]
pub fn deal(replicas: &[u8], rank: &[u8; 64]) -> [u8; 64] {
    let mut dealt = [replicas.first().copied().unwrap_or(0); 64];
    let together = rank.iter().filter(|r| **r == rank[0]).count();
    for (i, &new) in replicas.iter().enumerate().skip(1) {
        for _ in 0..64 / together / (i + 1) {
            let held = |r: u8| dealt.iter().filter(|d| **d == r).count();
            // The largest holder gives, the first of equals; of its cohorts, the last in rank.
            let from = replicas[..i]
                .iter()
                .copied()
                .max_by_key(|r| (held(*r), 255 - r));
            let Some(from) = from else { return dealt };
            let given = (0..64)
                .filter(|k| dealt[*k] == from)
                .max_by_key(|k| rank[*k]);
            if let Some(given) = given {
                for (to, _) in dealt.iter_mut().zip(rank).filter(|d| *d.1 == rank[given]) {
                    *to = new;
                }
            }
        }
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_fault::permutation64;

    fn identity() -> [u8; 64] {
        core::array::from_fn(|k| k as u8)
    }

    #[test]
    fn a_change_reaches_the_cohorts_evenly_over_one_ttl() {
        let mut n = Names::new(Nanos::secs(60), identity(), [0; 64]);
        n.on_record(Nanos::secs(36), [1; 64]);
        assert_eq!(n.next_wake(), Some(Nanos::secs(36) + Nanos(468_750_000)));
        let mut last = Nanos::ZERO;
        while let Some(at) = n.next_wake() {
            assert!(n.on_wake(at));
            last = at;
        }
        // 36 s + 60 s × 63.5/64.
        assert_eq!(last, Nanos(95_531_250_000));
        assert_eq!(n.mask(1), u64::MAX);
    }

    #[test]
    fn who_has_not_looked_yet_never_sees_a_record_that_is_gone() {
        let mut n = Names::new(Nanos::secs(64), identity(), [0; 64]);
        n.on_record(Nanos::secs(0), [1; 64]);
        while n.next_wake().is_some_and(|at| at < Nanos::secs(10)) {
            let at = n.next_wake().unwrap_or_default();
            n.on_wake(at);
        }
        // Ten cohorts have followed; the record returns, and the others never left.
        assert_eq!(n.mask(1).count_ones(), 10);
        n.on_record(Nanos::secs(10), [0; 64]);
        assert_eq!(n.next_wake(), Some(Nanos(64_500_000_000)));
    }

    #[test]
    fn a_virtual_address_moves_at_once() {
        let mut n = Names::new(Nanos::ZERO, identity(), [0; 64]);
        assert!(n.on_record(Nanos::ZERO, [1; 64]));
        assert_eq!((n.mask(1), n.next_wake()), (u64::MAX, None));
    }

    #[test]
    fn cohorts_that_share_a_phase_are_dealt_together() {
        let rank = assize_model::plan::phases(3, "app/spread", 8);
        let dealt = deal(&[0, 1, 2], &rank);
        assert!(dealt.chunks(8).all(|g| g.iter().all(|r| *r == g[0])));
        let of = |replica| dealt.iter().filter(|d| **d == replica).count();
        assert_eq!((of(0), of(1), of(2)), (24, 24, 16));
    }

    #[test]
    fn one_more_replica_takes_some_of_each_and_moves_nothing_else() {
        let rank = permutation64(3, "app/spread");
        for n in 1..8u8 {
            let fewer = deal(&(0..n).collect::<Vec<u8>>(), &rank);
            let more = deal(&(0..=n).collect::<Vec<u8>>(), &rank);
            assert!((0..64).all(|k| more[k] == n || more[k] == fewer[k]));
            let sizes: Vec<usize> = (0..=n)
                .map(|r| more.iter().filter(|d| **d == r).count())
                .collect();
            let (least, most) = (sizes.iter().min(), sizes.iter().max());
            assert!(
                most.zip(least).is_some_and(|(a, b)| a - b <= 1),
                "{sizes:?}"
            );
        }
    }
}
