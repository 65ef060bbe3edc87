//! Which of 64 cohorts have been in a condition for a given time without a break: users who
//! change to another access, or turn to paper, after so long.

use assize_fault::Nanos;

/// The machine.
#[derive(Clone, Debug)]
pub struct Matured {
    after: Nanos,
    within: u64,
    matured: u64,
    since: Box<[Nanos; 64]>,
}

impl Matured {
    /// Nobody is in the condition.
    #[must_use]
    pub fn new(after: Nanos) -> Self {
        Self {
            after,
            within: 0,
            matured: 0,
            since: Box::new([Nanos::ZERO; 64]),
        }
    }

    /// The cohorts for whom the time is over.
    #[must_use]
    pub const fn matured(&self) -> u64 {
        self.matured
    }

    /// These cohorts are in the condition from `now` on.
    pub fn on_mask(&mut self, now: Nanos, mask: u64) {
        if mask == self.within {
            return;
        }
        for k in bits(mask & !self.within) {
            self.since[k] = now;
        }
        self.within = mask;
        self.matured &= mask;
        if self.after == Nanos::ZERO {
            self.matured = mask;
        }
    }

    /// Time has passed; returns whether more cohorts have matured.
    pub fn on_wake(&mut self, now: Nanos) -> bool {
        let before = self.matured;
        for k in bits(self.within & !self.matured) {
            if self.since[k] + self.after <= now {
                self.matured |= 1 << k;
            }
        }
        self.matured != before
    }

    /// When the next cohort's time is over.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        bits(self.within & !self.matured)
            .map(|k| self.since[k] + self.after)
            .min()
    }
}

/// The numbers of the bits that are set, lowest first.
pub fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let k = mask.trailing_zeros() as usize;
        mask &= mask - 1;
        Some(k)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_starts_the_time_again() {
        let mut m = Matured::new(Nanos::secs(120));
        m.on_mask(Nanos::secs(0), 0b11);
        m.on_mask(Nanos::secs(60), 0b01);
        m.on_mask(Nanos::secs(61), 0b11);
        assert_eq!(m.next_wake(), Some(Nanos::secs(120)));
        assert!(m.on_wake(Nanos::secs(120)));
        assert_eq!(m.matured(), 0b01);
        assert_eq!(m.next_wake(), Some(Nanos::secs(181)));
        assert!(m.on_wake(Nanos::secs(181)));
        m.on_mask(Nanos::secs(200), 0);
        assert_eq!((m.matured(), m.next_wake()), (0, None));
    }

    #[test]
    fn without_a_delay_it_is_the_condition_itself() {
        let mut m = Matured::new(Nanos::ZERO);
        m.on_mask(Nanos::ZERO, 0b101);
        assert_eq!((m.matured(), m.next_wake()), (0b101, None));
    }
}
