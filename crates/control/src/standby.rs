//! Things that come into service after a while: a standby link or access that is activated,
//! and the other unit of a redundant node.

use assize_fault::Nanos;

/// A standby that is out of service until it is activated.
#[derive(Clone, Debug)]
pub struct Activation {
    activates_in: Nanos,
    active: bool,
    due: Option<Nanos>,
}

impl Activation {
    /// Out of service.
    #[must_use]
    pub const fn new(activates_in: Nanos) -> Self {
        Self {
            activates_in,
            active: false,
            due: None,
        }
    }

    /// Whether it is in service.
    #[must_use]
    pub const fn active(&self) -> bool {
        self.active
    }

    /// It is wanted, or no longer; returns whether it left service.
    pub fn on_wanted(&mut self, now: Nanos, wanted: bool) -> bool {
        if wanted {
            if !self.active && self.due.is_none() {
                self.due = Some(now + self.activates_in);
            }
            return false;
        }
        self.due = None;
        std::mem::replace(&mut self.active, false)
    }

    /// Returns whether it came into service.
    pub fn on_wake(&mut self, now: Nanos) -> bool {
        if self.due.is_none_or(|at| at > now) {
            return false;
        }
        self.due = None;
        self.active = true;
        true
    }

    /// When it comes into service.
    #[must_use]
    pub const fn next_wake(&self) -> Option<Nanos> {
        self.due
    }
}

/// The units of a redundant node: one is active, another takes over after `switch_over`.
#[derive(Clone, Debug)]
pub struct Units {
    switch_over: Nanos,
    up: Vec<bool>,
    active: usize,
    due: Option<Nanos>,
}

impl Units {
    /// All units are up and the first is active.
    #[must_use]
    pub fn new(units: usize, switch_over: Nanos) -> Self {
        Self {
            switch_over,
            up: vec![true; units],
            active: 0,
            due: None,
        }
    }

    /// The unit that serves, or will serve when it is back.
    #[must_use]
    pub const fn active(&self) -> usize {
        self.active
    }

    /// Whether the node serves.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.up[self.active]
    }

    /// A unit fails or comes back.
    pub fn on_unit(&mut self, now: Nanos, unit: usize, up: bool) {
        self.up[unit] = up;
        if self.up[self.active] || !self.up.contains(&true) {
            self.due = None;
        } else {
            self.due.get_or_insert(now + self.switch_over);
        }
    }

    /// Returns whether another unit has taken over.
    pub fn on_wake(&mut self, now: Nanos) -> bool {
        if self.due.is_none_or(|at| at > now) {
            return false;
        }
        self.due = None;
        if let Some(next) = self.up.iter().position(|up| *up) {
            self.active = next;
            return true;
        }
        false
    }

    /// When another unit takes over.
    #[must_use]
    pub const fn next_wake(&self) -> Option<Nanos> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_unit_takes_over_after_the_switch_over_time() {
        let mut units = Units::new(2, Nanos::secs(120));
        units.on_unit(Nanos::secs(10), 0, false);
        assert!(!units.serves());
        assert_eq!(units.next_wake(), Some(Nanos::secs(130)));
        assert!(units.on_wake(Nanos::secs(130)));
        assert!(units.serves() && units.active() == 1);
        units.on_unit(Nanos::secs(200), 0, true);
        assert_eq!((units.active(), units.next_wake()), (1, None));
    }

    #[test]
    fn the_active_unit_may_be_back_first() {
        let mut units = Units::new(2, Nanos::secs(120));
        units.on_unit(Nanos::secs(10), 0, false);
        units.on_unit(Nanos::secs(20), 0, true);
        assert_eq!((units.serves(), units.next_wake()), (true, None));
    }

    #[test]
    fn with_all_units_down_the_first_one_back_takes_over() {
        let mut units = Units::new(2, Nanos::secs(120));
        units.on_unit(Nanos::secs(10), 0, false);
        units.on_unit(Nanos::secs(10), 1, false);
        assert_eq!(units.next_wake(), None);
        units.on_unit(Nanos::secs(50), 1, true);
        assert_eq!(units.next_wake(), Some(Nanos::secs(170)));
    }

    #[test]
    fn a_standby_serves_after_activation() {
        let mut link = Activation::new(Nanos::secs(30));
        link.on_wanted(Nanos::secs(5), true);
        link.on_wanted(Nanos::secs(9), true);
        assert_eq!(link.next_wake(), Some(Nanos::secs(35)));
        assert!(link.on_wake(Nanos::secs(35)) && link.active());
        assert!(link.on_wanted(Nanos::secs(40), false));
        assert!(!link.active());
    }
}
