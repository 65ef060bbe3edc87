//! Data is swallowed, and the connection closes after a time.
//!
//! Attributes:
//! - `timeout` (ms): when the connection is closed, counted from the moment at which the fault
//!   begins on it. Default 0: never.
//!
//! Data that keeps coming does not put the time off. A source that ends its stream is still
//! followed: the end is handed on. When the fault is removed the connection closes, because what
//! was swallowed is missing from it.

use super::{Fate, Head, Machine, Wire, later, millis};
use crate::chance::Dice;
use crate::pipe::{Begun, Item};
use crate::settings::settings;
use crate::time::Nanos;

settings! {
    /// The settings of `timeout`.
    Timeout {
        /// After how many milliseconds the connection is closed; 0: never.
        timeout: i64 = 0, "ms";
    }
}

impl Timeout {
    pub(super) fn machine(&self, now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        let mut swallow = Swallow {
            since: now,
            due: None,
        };
        swallow.take(now, self);
        Box::new(swallow)
    }
}

#[derive(Debug)]
struct Swallow {
    since: Nanos,
    due: Option<Nanos>,
}

impl Swallow {
    fn take(&mut self, now: Nanos, settings: &Timeout) {
        let due = later(self.since, millis(settings.timeout)).max(now);
        self.due = (settings.timeout > 0).then_some(due);
    }
}

impl Machine for Swallow {
    fn change(&mut self, now: Nanos, wire: &Wire) -> bool {
        let Wire::Timeout(new) = wire else {
            return false;
        };
        self.take(now, new);
        true
    }

    fn decide(&mut self, head: Head<'_>, _dice: &mut Dice) -> Fate {
        match head.item {
            Item::Data(_) => Fate::Drop { at: head.earliest },
            Item::End | Item::Close | Item::Reset => head.pass(),
        }
    }

    fn timer(&self) -> Option<Nanos> {
        self.due
    }

    fn fire(&mut self) -> Item {
        self.due = None;
        Item::Close
    }

    fn ends_with(&self) -> Option<Item> {
        Some(Item::Close)
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::check;

    #[test]
    fn constant_traffic_does_not_put_it_off() {
        check(
            "attach timeout timeout=100
             0ms data 10
             60ms data 10
             99ms data 10
             150ms data 10",
            "100ms close",
        );
    }

    #[test]
    fn it_counts_from_its_beginning_and_follows_a_change() {
        check("50ms attach timeout timeout=100", "150ms close");
        check(
            "50ms attach timeout timeout=1000
             100ms change timeout timeout=60",
            "110ms close",
        );
        check(
            "50ms attach timeout timeout=1000
             300ms change timeout timeout=60",
            "300ms close",
        );
    }

    #[test]
    fn zero_never_closes_until_it_is_removed() {
        check(
            "attach timeout
             0ms data 10
             500ms detach timeout
             501ms data 10",
            "500ms close",
        );
        check("attach timeout\n 1ms data 10\n 2ms end", "2ms end");
    }
}
